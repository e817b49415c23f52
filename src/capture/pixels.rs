//! Raw camera formats to RGB, BT.601 limited range, in integers. Pure; knows no camera.
//!
//! Every function takes the bytes as the driver gave them, with the driver's row length, and answers `None` when they do not fit the size.

use zeroize::{Zeroize, Zeroizing};

use crate::secret::{FRAME_SIDE_MAX, Frame};

/// A raw format that can be converted without a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// Two pixels in four bytes: Y U Y V.
    Yuyv,
    /// A plane of Y, then a plane of interleaved U and V at half the size.
    Nv12,
    /// Red, green, blue.
    Rgb3,
    /// Blue, green, red.
    Bgr3,
    /// Brightness only, as infrared cameras give.
    Grey,
}

impl Raw {
    /// Bytes of one row without padding, of the first plane.
    pub fn row_bytes(self, width: u32) -> usize {
        let width = width as usize;
        match self {
            // An odd last pixel still takes a whole pair.
            Self::Yuyv => width.div_ceil(2) * 4,
            Self::Nv12 | Self::Grey => width,
            Self::Rgb3 | Self::Bgr3 => width * 3,
        }
    }
}

/// Largest side, in pixels, of what a camera may hand over before it is scaled down.
pub const SOURCE_SIDE_MAX: u32 = 4096;

/// Largest number of pixels of one picture from a camera (3840 x 2160).
pub const SOURCE_PIXELS_MAX: u64 = 3840 * 2160;

/// Smallest side, in pixels, that is worth looking at.
pub const SOURCE_SIDE_MIN: u32 = 64;

/// Whether a picture of this size is accepted from a camera. Asked before any memory is set aside for it.
pub fn size_is_sound(width: u32, height: u32) -> bool {
    let sides = SOURCE_SIDE_MIN..=SOURCE_SIDE_MAX;
    sides.contains(&width) && sides.contains(&height) && u64::from(width) * u64::from(height) <= SOURCE_PIXELS_MAX
}

/// Converts one raw picture. `stride` is the driver's bytes per row; 0, or one too small to be true, means rows without padding.
///
/// Returns `None` when the bytes are fewer than the size needs (a cut frame) or the size is out of range.
pub fn to_frame(raw: Raw, bytes: &[u8], width: u32, height: u32, stride: usize) -> Option<Frame> {
    if !size_is_sound(width, height) {
        return None;
    }
    let (w, h) = (width as usize, height as usize);
    let row = raw.row_bytes(width);
    let stride = if stride < row { row } else { stride };
    let mut rgb = Zeroizing::new(vec![0u8; w * h * 3]);
    // The last row may come without its padding.
    let plane = bytes.get(..stride * (h - 1) + row)?;
    let rows = (0..h).map(|y| &plane[y * stride..y * stride + row]);
    let targets = rgb.chunks_exact_mut(w * 3);
    match raw {
        Raw::Yuyv => rows.zip(targets).for_each(|(from, to)| yuyv_row(from, to)),
        Raw::Rgb3 => rows.zip(targets).for_each(|(from, to)| to.copy_from_slice(from)),
        Raw::Bgr3 => rows.zip(targets).for_each(|(from, to)| bgr_row(from, to)),
        Raw::Grey => rows.zip(targets).for_each(|(from, to)| grey_row(from, to)),
        Raw::Nv12 => {
            let chroma_row = w.div_ceil(2) * 2;
            let chroma = bytes.get(stride * h..)?;
            if chroma.len() < stride * (h.div_ceil(2) - 1) + chroma_row.min(stride) {
                return None;
            }
            for (y, (from, to)) in rows.zip(targets).enumerate() {
                let start = y / 2 * stride;
                nv12_row(from, chroma.get(start..start + chroma_row.min(stride))?, to);
            }
        }
    }
    shrink(width, height, rgb)
}

/// Takes over RGB pixels as a frame; pictures with a side above [`FRAME_SIDE_MAX`] are scaled down by averaging whole blocks.
///
/// Returns `None` when the pixels do not fit the size. What is not handed on is wiped.
pub fn shrink(width: u32, height: u32, mut rgb: Zeroizing<Vec<u8>>) -> Option<Frame> {
    if !size_is_sound(width, height) || rgb.len() as u64 != 3 * u64::from(width) * u64::from(height) {
        return None;
    }
    let step = width.max(height).div_ceil(FRAME_SIDE_MAX);
    if step <= 1 {
        return Frame::new(width, height, std::mem::take(&mut *rgb));
    }
    let (out_w, out_h) = (width / step, height / step);
    let (step, row) = (step as usize, width as usize * 3);
    let mut out = Vec::with_capacity(out_w as usize * out_h as usize * 3);
    let mut sums = vec![0u32; out_w as usize * 3];
    for block in rgb.chunks_exact(row * step).take(out_h as usize) {
        sums.fill(0);
        for line in block.chunks_exact(row) {
            for (sum, pixels) in sums.chunks_exact_mut(3).zip(line.chunks_exact(3 * step)) {
                for pixel in pixels.chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(s, p)| *s += u32::from(*p));
                }
            }
        }
        let area = (step * step) as u32;
        out.extend(sums.iter().map(|s| ((s + area / 2) / area) as u8));
    }
    sums.zeroize();
    Frame::new(out_w, out_h, out)
}

/// One pixel of BT.601 limited range, with coefficients scaled by 256.
fn yuv(y: u8, u: u8, v: u8) -> [u8; 3] {
    let c = (i32::from(y) - 16) * 298 + 128;
    let (d, e) = (i32::from(u) - 128, i32::from(v) - 128);
    let clamp = |value: i32| (value >> 8).clamp(0, 255) as u8;
    [clamp(c + 409 * e), clamp(c - 100 * d - 208 * e), clamp(c + 516 * d)]
}

fn yuyv_row(from: &[u8], to: &mut [u8]) {
    for (pair, pixels) in from.chunks_exact(4).zip(to.chunks_mut(6)) {
        for (pixel, y) in pixels.chunks_exact_mut(3).zip([pair[0], pair[2]]) {
            pixel.copy_from_slice(&yuv(y, pair[1], pair[3]));
        }
    }
}

fn nv12_row(luma: &[u8], chroma: &[u8], to: &mut [u8]) {
    for ((ys, uv), pixels) in luma.chunks(2).zip(chroma.chunks_exact(2)).zip(to.chunks_mut(6)) {
        for (pixel, y) in pixels.chunks_exact_mut(3).zip(ys) {
            pixel.copy_from_slice(&yuv(*y, uv[0], uv[1]));
        }
    }
}

fn bgr_row(from: &[u8], to: &mut [u8]) {
    for (pixel, bgr) in to.chunks_exact_mut(3).zip(from.chunks_exact(3)) {
        pixel.copy_from_slice(&[bgr[2], bgr[1], bgr[0]]);
    }
}

fn grey_row(from: &[u8], to: &mut [u8]) {
    for (pixel, grey) in to.chunks_exact_mut(3).zip(from) {
        pixel.fill(*grey);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(frame: &Frame, x: u32, y: u32) -> [u8; 3] {
        let at = (y * frame.width() + x) as usize * 3;
        frame.rgb()[at..at + 3].try_into().unwrap_or_default()
    }

    /// Reference values by the float formula of BT.601.
    fn reference(y: u8, u: u8, v: u8) -> [f64; 3] {
        let (y, u, v) = (f64::from(y) - 16.0, f64::from(u) - 128.0, f64::from(v) - 128.0);
        let luma = y * 255.0 / 219.0;
        [luma + 1.596027 * v, luma - 0.391762 * u - 0.812968 * v, luma + 2.017232 * u].map(|c| c.clamp(0.0, 255.0))
    }

    #[test]
    fn yuv_agrees_with_the_float_formula_within_two_steps_everywhere() {
        for y in (0..=255u8).step_by(3) {
            for u in (0..=255u8).step_by(5) {
                for v in (0..=255u8).step_by(5) {
                    let got = yuv(y, u, v);
                    for (g, r) in got.iter().zip(reference(y, u, v)) {
                        assert!((f64::from(*g) - r).abs() <= 2.0, "{y} {u} {v}: {got:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn limited_range_black_and_white_are_black_and_white() {
        assert_eq!(yuv(16, 128, 128), [0, 0, 0]);
        assert_eq!(yuv(235, 128, 128), [255, 255, 255]);
        assert_eq!(yuv(0, 128, 128), [0, 0, 0]);
        assert_eq!(yuv(255, 128, 128), [255, 255, 255]);
    }

    #[test]
    fn yuyv_keeps_places_and_honours_padded_rows() {
        let (w, h, stride) = (64u32, 64u32, 64 * 2 + 10);
        let mut bytes = vec![0xEE; stride * h as usize];
        for y in 0..h as usize {
            for x in 0..w as usize / 2 {
                bytes[y * stride + x * 4..][..4].copy_from_slice(&[16, 128, 235, 128]);
            }
        }
        let frame = to_frame(Raw::Yuyv, &bytes, w, h, stride).unwrap();
        assert_eq!((frame.width(), frame.height()), (64, 64));
        assert_eq!((pixel(&frame, 0, 0), pixel(&frame, 1, 0)), ([0; 3], [255; 3]));
        assert_eq!((pixel(&frame, 62, 63), pixel(&frame, 63, 63)), ([0; 3], [255; 3]));
        assert!(to_frame(Raw::Yuyv, &bytes[..bytes.len() - 11], w, h, stride).is_none(), "a cut frame is no frame");
        assert!(to_frame(Raw::Yuyv, &bytes[..bytes.len() - 10], w, h, stride).is_some(), "the last padding may miss");
    }

    #[test]
    fn odd_widths_keep_their_last_column() {
        let bytes: Vec<u8> =
            (0..64).flat_map(|_| [16u8, 128, 16, 128].repeat(32).into_iter().chain([235, 128, 0, 128])).collect();
        let frame = to_frame(Raw::Yuyv, &bytes, 65, 64, 0).unwrap();
        assert_eq!((pixel(&frame, 63, 5), pixel(&frame, 64, 5)), ([0; 3], [255; 3]));
    }

    #[test]
    fn nv12_takes_colour_from_the_shared_plane() {
        let (w, h) = (64usize, 66usize);
        let mut bytes = vec![81u8; w * h];
        bytes.extend([90u8, 240].repeat(w * h / 4));
        let frame = to_frame(Raw::Nv12, &bytes, w as u32, h as u32, w).unwrap();
        for (x, y) in [(0, 0), (63, 65), (31, 32)] {
            let [r, g, b] = pixel(&frame, x, y);
            assert!(r > 250 && g < 5 && b < 5, "pure red, got {r} {g} {b}");
        }
        assert!(to_frame(Raw::Nv12, &bytes[..bytes.len() - 1], w as u32, h as u32, w).is_none());
        assert!(to_frame(Raw::Nv12, &bytes[..w * h], w as u32, h as u32, w).is_none());
    }

    #[test]
    fn rgb_bgr_and_grey_keep_their_channels() {
        let rgb = [10u8, 20, 30].repeat(64 * 64);
        assert_eq!(pixel(&to_frame(Raw::Rgb3, &rgb, 64, 64, 0).unwrap(), 3, 3), [10, 20, 30]);
        assert_eq!(pixel(&to_frame(Raw::Bgr3, &rgb, 64, 64, 0).unwrap(), 3, 3), [30, 20, 10]);
        let grey: Vec<u8> = (0..64 * 64u32).map(|i| (i % 64) as u8).collect();
        assert_eq!(pixel(&to_frame(Raw::Grey, &grey, 64, 64, 64).unwrap(), 9, 30), [9; 3]);
    }

    #[test]
    fn large_pictures_are_averaged_down_to_the_limit() {
        let (w, h) = (1920u32, 1080u32);
        // Columns alternate between black and white: the mean of every block is grey.
        let rgb: Vec<u8> = (0..w * h).flat_map(|i| [if i % 2 == 0 { 0u8 } else { 255 }; 3]).collect();
        let frame = shrink(w, h, Zeroizing::new(rgb)).unwrap();
        assert_eq!((frame.width(), frame.height()), (960, 540));
        assert!(frame.rgb().iter().all(|p| *p == 128));
        let odd = shrink(1281, 961, Zeroizing::new(vec![7; 1281 * 961 * 3])).unwrap();
        assert_eq!((odd.width(), odd.height()), (640, 480));
        assert!(odd.rgb().iter().all(|p| *p == 7));
        let fits = shrink(1280, 720, Zeroizing::new(vec![7; 1280 * 720 * 3])).unwrap();
        assert_eq!((fits.width(), fits.height()), (1280, 720));
    }

    #[test]
    fn sizes_out_of_range_are_refused_before_memory_is_used() {
        for (w, h) in [(0, 0), (1, 1), (63, 640), (12_000, 9_000), (4096, 4096), (u32::MAX, u32::MAX)] {
            assert!(!size_is_sound(w, h), "{w}x{h}");
            assert!(to_frame(Raw::Grey, &[], w, h, usize::MAX).is_none());
        }
        assert!(size_is_sound(3840, 2160) && size_is_sound(640, 480));
    }
}
