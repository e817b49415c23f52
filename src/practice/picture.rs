//! One still picture as a living one: shifted a little, lit a little differently, its head turned now and then, the same way each time.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::people::{GREY, Person};
use super::{HEIGHT, WIDTH};
use crate::secret::Frame;

/// How a person looks into the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The first picture.
    Plain,
    /// The first picture in other light: brighter, flatter, shifted, compressed again.
    Relit,
    /// The second picture, taken on another day; where there is none, the same as [`Variant::Relit`].
    Probe,
}

/// Frame number `n` of a person. The same `n` is the same frame; neighbours differ in place and brightness.
pub fn picture_frame(person: &Person, variant: Variant, n: u64) -> Frame {
    let at = if variant == Variant::Probe { 1 } else { 0 };
    let relit = variant == Variant::Relit || variant == Variant::Probe && person.pictures() < 2;
    match person.picture(at) {
        Some(picture) if relit => picture.looks().relit(n),
        Some(picture) => picture.looks().plain(n),
        None => room(n),
    }
}

/// An empty room: a soft grey wall.
pub(super) fn room(n: u64) -> Frame {
    let row: Vec<u8> = (0..WIDTH as usize).flat_map(|x| [(118 + x / 40) as u8; 3]).collect();
    let mut rgb = Vec::with_capacity(row.len() * HEIGHT as usize);
    for _ in 0..HEIGHT {
        rgb.extend_from_slice(&row);
    }
    // One pixel counts, so that no two frames are the same.
    rgb[0] = (n % 251) as u8;
    sized(rgb)
}

/// Two people side by side, each in half of the frame.
pub(super) fn together(left: &Person, right: &Person, n: u64) -> Frame {
    let mut out = RgbImage::from_pixel(WIDTH, HEIGHT, GREY);
    for (person, at) in [(left, 0), (right, i64::from(WIDTH / 2))] {
        if let Some(picture) = person.picture(0) {
            let half = image::imageops::crop_imm(picture.base(), WIDTH / 4, 0, WIDTH / 2, HEIGHT).to_image();
            image::imageops::replace(&mut out, &half, at, 0);
        }
    }
    let (dx, dy, _) = jitter(n);
    sized(shifted(&out, dx, dy))
}

/// The same frame with little light: dark enough to ask for more, bright enough for the detector to see who needs it.
pub(super) fn dark(frame: &Frame) -> Frame {
    sized(frame.rgb().iter().map(|value| value / 6).collect())
}

/// The variations of one picture, made once.
pub(super) struct Looks {
    /// Three brightnesses.
    plain: [RgbImage; 3],
    /// Turned to the person's left, further, to their right, further.
    turned: [RgbImage; 4],
    relit: RgbImage,
}

/// Frames of one round: facing the camera, a turn to one side, facing, a turn to the other.
const ROUND: u64 = 150;
/// Frames of a turn.
const TURN: u64 = 45;
/// How far the practice people turn, in radians: first a little, then further.
const TURN_ANGLES: [f32; 4] = [0.42, 0.6, -0.42, -0.6];

/// Which turned picture frame number `n` shows, if any.
fn turn(n: u64) -> Option<usize> {
    let (side, at) = (n % ROUND / (ROUND / 2), n % (ROUND / 2));
    let turned = at.checked_sub(ROUND / 2 - TURN)?;
    usize::try_from(side * 2 + turned * 2 / TURN).ok()
}

/// A person facing the camera, and with the head turned to both sides: degrees, and the frame.
pub fn heads(person: &Person) -> (Frame, Vec<(u32, Frame)>) {
    let turned = (0..ROUND).filter_map(|n| Some((turn(n)?, n))).filter(|(at, n)| turn(n.wrapping_sub(1)) != Some(*at));
    let degrees = |at: usize| TURN_ANGLES[at].abs().to_degrees().round() as u32;
    let turned = turned.map(|(at, n)| (degrees(at), picture_frame(person, Variant::Plain, n))).collect();
    (picture_frame(person, Variant::Plain, 0), turned)
}

/// A head that turns: the picture drawn on an egg with a nose, turned about its upright axis. The face is where `assets/practice.toml`
/// puts it: in the middle, 44 % of the height. Positive angles turn to the person's left.
fn turned(base: &RgbImage, angle: f32) -> RgbImage {
    let (width, height) = (base.width() as f32, base.height() as f32);
    let (cx, cy) = (width / 2.0, height / 2.0);
    let (half_width, half_height) = (0.22 * height, 0.30 * height);
    // How far a point of the picture stands out towards the camera, in pixels.
    let depth = |x: f32, y: f32| {
        let (u, v) = ((x - cx) / half_width, (y - cy) / half_height);
        let egg = (1.0 - u * u - v * v).max(0.0).sqrt() * half_width * 0.75;
        let (nx, ny) = ((x - cx) / (0.07 * height), (y - (cy + 0.03 * height)) / (0.09 * height));
        egg + 0.12 * height * (-(nx * nx + ny * ny)).exp()
    };
    RgbImage::from_fn(base.width(), base.height(), |x, y| {
        let (x, y) = (x as f32, y as f32);
        // The point that comes to lie at x: x = cx + (from - cx) cos + depth(from) sin; a few rounds find it.
        let mut from = x;
        for _ in 0..8 {
            let off = (x - cx - depth(from, y) * angle.sin()) / angle.cos();
            from += 0.7 * (cx + off - from);
        }
        // Only the head turns; the room stays.
        let (u, v) = ((x - cx) / (1.5 * half_width), (y - cy) / (1.5 * half_height));
        let share = (1.6 - 1.6 * (u * u + v * v)).clamp(0.0, 1.0);
        let at = (x + (from - x) * share).clamp(0.0, width - 1.0);
        *base.get_pixel(at.round() as u32, y as u32)
    })
}

impl Looks {
    pub(super) fn of(base: &RgbImage) -> Self {
        let plain = [-3, 0, 3].map(|step| toned(base, |value| value + step));
        // Lower contrast and more light, as on a bright day; then what a webcam's compression does to it.
        let relit = toned(base, |value| (value - 128) * 82 / 100 + 128 + 16);
        let relit = recompressed(&relit).unwrap_or(relit);
        let turned = TURN_ANGLES.map(|angle| turned(base, angle));
        Self { plain, turned, relit }
    }

    fn plain(&self, n: u64) -> Frame {
        let (dx, dy, light) = jitter(n);
        let picture = turn(n).and_then(|at| self.turned.get(at)).unwrap_or(&self.plain[light]);
        sized(shifted(picture, dx, dy))
    }

    fn relit(&self, n: u64) -> Frame {
        let (dx, dy, _) = jitter(n);
        sized(shifted(&self.relit, dx + 9, dy - 6))
    }
}

/// A person never sits still: a path of a few pixels that repeats after some seconds, and one of three brightnesses.
fn jitter(n: u64) -> (i64, i64, usize) {
    const PATH: [i64; 16] = [0, 1, 1, 2, 3, 3, 2, 1, 0, -1, -2, -3, -3, -2, -1, -1];
    let at = |n: u64| PATH[(n % 16) as usize];
    // Periods of 16, 15 x 16 and 3: neighbours always differ, and the whole repeats after 240 frames.
    (at(n), at(n / 15 + n * 3), (n % 3) as usize)
}

fn toned(base: &RgbImage, tone: impl Fn(i32) -> i32) -> RgbImage {
    let table: Vec<u8> = (0..=255).map(|value| tone(value).clamp(0, 255) as u8).collect();
    let mut out = base.clone();
    out.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
    out
}

fn recompressed(base: &RgbImage) -> Option<RgbImage> {
    let mut bytes = vec![];
    JpegEncoder::new_with_quality(&mut bytes, 72).encode_image(base).ok()?;
    super::people::decode(&bytes)
}

/// Moves a picture by a few pixels; the edge is repeated where nothing is left.
fn shifted(base: &RgbImage, dx: i64, dy: i64) -> Vec<u8> {
    let (w, h) = (base.width() as i64, base.height() as i64);
    let (row, pixels) = (w as usize * 3, base.as_raw());
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..h {
        let from = (y - dy).clamp(0, h - 1) as usize * row;
        let line = &pixels[from..from + row];
        let lead = dx.clamp(0, w - 1) as usize;
        let skip = (-dx).clamp(0, w - 1) as usize;
        line[..3].repeat(lead).into_iter().for_each(|value| out.push(value));
        out.extend_from_slice(&line[skip * 3..row - lead * 3]);
        line[row - 3..].repeat(skip).into_iter().for_each(|value| out.push(value));
    }
    out
}

/// All pictures here are 640 x 480 by construction; a black frame is the answer to a mistake in that.
fn sized(rgb: Vec<u8>) -> Frame {
    let blank = || Frame::new(1, 1, vec![0; 3]);
    #[allow(clippy::expect_used, reason = "a one-pixel frame is always valid")]
    Frame::new(WIDTH, HEIGHT, rgb).or_else(blank).expect("one pixel is a frame")
}

#[cfg(test)]
pub(super) use tests::somebody;

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn somebody(shade: u8) -> Person {
        let picture = |extra: u8| {
            RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb([shade, (x / 4) as u8, (y / 4) as u8 ^ extra]))
        };
        Person::new("Practice person X".into(), vec![picture(0), picture(85)])
    }

    fn difference(a: &Frame, b: &Frame) -> u64 {
        a.rgb().iter().zip(b.rgb()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
    }

    #[test]
    fn frames_are_deterministic_and_neighbours_differ() {
        let person = somebody(90);
        for n in 0..40 {
            let frame = picture_frame(&person, Variant::Plain, n);
            assert_eq!((frame.width(), frame.height()), (640, 480));
            assert_eq!(frame.rgb(), picture_frame(&person, Variant::Plain, n).rgb());
            assert!(difference(&frame, &picture_frame(&person, Variant::Plain, n + 1)) > 100_000, "frame {n}");
        }
    }

    #[test]
    fn heads_are_one_frame_that_faces_us_and_one_of_each_turn() {
        let person = somebody(90);
        let (facing, turned) = heads(&person);
        assert_eq!(facing.rgb(), picture_frame(&person, Variant::Plain, 0).rgb());
        assert_eq!(turned.iter().map(|(degrees, _)| *degrees).collect::<Vec<_>>(), [24, 34, 24, 34]);
        for (k, (_, frame)) in turned.iter().enumerate() {
            assert!(difference(frame, &facing) > 100_000);
            assert!(turned[k + 1..].iter().all(|(_, other)| difference(frame, other) > 100_000), "turn {k}");
        }
    }

    #[test]
    fn jitter_stays_small_enough_for_a_face_to_stay_in_its_place() {
        for n in 0..1_000 {
            let (dx, dy, light) = jitter(n);
            assert!(dx.abs() <= 3 && dy.abs() <= 3 && light < 3);
        }
    }

    #[test]
    fn relit_is_the_same_person_in_other_light_and_probe_is_the_other_picture() {
        let person = somebody(90);
        let mean = |frame: &Frame| frame.rgb().iter().map(|v| u64::from(*v)).sum::<u64>() / frame.rgb().len() as u64;
        let plain = picture_frame(&person, Variant::Plain, 0);
        let relit = picture_frame(&person, Variant::Relit, 0);
        assert!(mean(&relit) > mean(&plain) + 5);
        let probe = picture_frame(&person, Variant::Probe, 0);
        assert!(difference(&probe, &plain) > 5_000_000);
        let once = Person::new("Practice person Y".into(), vec![RgbImage::from_pixel(WIDTH, HEIGHT, GREY)]);
        let (a, b) = (picture_frame(&once, Variant::Probe, 5), picture_frame(&once, Variant::Relit, 5));
        assert_eq!(a.rgb(), b.rgb());
    }

    #[test]
    fn shifting_repeats_the_edge_and_keeps_the_size() {
        let base = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let out = shifted(&base, 5, -2);
        let pixel = |x: usize, y: usize| &out[(y * 640 + x) * 3..][..2];
        assert_eq!(out.len(), 640 * 480 * 3);
        assert_eq!(pixel(5, 0), [0, 2]);
        assert_eq!(pixel(0, 0), [0, 2], "the left edge is repeated");
        assert_eq!(pixel(105, 100), [100, 102]);
        assert_eq!(pixel(10, 479), [5, (479u32 % 256) as u8], "the lower edge is repeated");
    }
}
