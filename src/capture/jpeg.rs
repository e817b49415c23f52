//! One JPEG of a camera to a frame. The bytes are not trusted: size and structure are checked before a decoder sees them.
//!
//! Why so careful: cameras send cut and damaged pictures all day (a loose cable is enough), a lenient decoder fills the missing part with
//! grey, and half a face must never become a template. A wrong header must not cost memory either. What this cannot see is a wrong bit
//! inside the compressed part that stays legal: such a picture comes out with a few odd blocks, and the quality rules judge it.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder};
use zeroize::Zeroizing;

use super::pixels::{shrink, size_is_sound};
use crate::secret::Frame;

/// Largest JPEG that is looked at, in bytes.
pub const JPEG_BYTES_MAX: usize = 8 << 20;

/// Why a picture was dropped. None of these is shown to anybody; they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JpegError {
    /// Not a JPEG, or its parts do not fit together.
    #[error("not a sound JPEG")]
    Structure,
    /// It ends before its picture does.
    #[error("the JPEG is cut off")]
    Cut,
    /// Too small to be of use, or larger than a camera may send.
    #[error("the JPEG's size is out of range")]
    Size,
    /// The decoder gave up.
    #[error("the JPEG cannot be decoded")]
    Decoder,
}

/// What the markers of a JPEG say, without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes up to and including the end marker; cameras pad after it.
    pub length: usize,
    /// Whether it brings its Huffman tables. Many webcams leave the standard ones out.
    pub has_tables: bool,
}

/// Decodes one picture; sides above the frame limit are scaled down.
///
/// The compressed bytes are copied once inside the decoder, in memory that is freed but not wiped by it; pixels are wiped.
///
/// # Errors
/// See [`JpegError`]: the caller drops the picture and waits for the next.
pub fn decode(bytes: &[u8]) -> Result<Frame, JpegError> {
    let outline = outline(bytes)?;
    let bytes = &bytes[..outline.length];
    // A decoder panic on hostile bytes must cost one picture, not the capture thread.
    catch_unwind(AssertUnwindSafe(|| {
        if outline.has_tables {
            decode_sound(bytes, outline)
        } else {
            decode_sound(&with_standard_tables(bytes), outline)
        }
    }))
    .unwrap_or(Err(JpegError::Decoder))
}

/// Walks the markers. Refuses pictures that are cut, damaged at a marker, or out of range in size.
///
/// # Errors
/// [`JpegError::Structure`], [`JpegError::Cut`] or [`JpegError::Size`].
pub fn outline(bytes: &[u8]) -> Result<Outline, JpegError> {
    let bytes = &bytes[..bytes.len().min(JPEG_BYTES_MAX)];
    if !bytes.starts_with(&[0xFF, SOI]) {
        return Err(JpegError::Structure);
    }
    let (mut at, mut size, mut has_tables, mut scans) = (2, None, false, 0u32);
    loop {
        let (marker, next) = marker_at(bytes, at)?;
        at = next;
        match marker {
            EOI => {
                let (width, height) = size.ok_or(JpegError::Structure)?;
                let whole = Outline { width, height, length: at, has_tables };
                return if scans > 0 { Ok(whole) } else { Err(JpegError::Structure) };
            }
            SOI | 0x00 | 0x01 | RST0..=RST7 => return Err(JpegError::Structure),
            _ => {}
        }
        let length = usize::from(u16_at(bytes, at)?);
        let body = bytes.get(at + 2..at + length.max(2)).ok_or(JpegError::Cut)?;
        at += length.max(2);
        match marker {
            // Baseline, extended and progressive; a second size in one picture is damage.
            0xC0..=0xC2 if size.is_none() => {
                let (height, width) = (u16_at(body, 1)?, u16_at(body, 3)?);
                let (width, height) = (u32::from(width), u32::from(height));
                if !size_is_sound(width, height) {
                    return Err(JpegError::Size);
                }
                size = Some((width, height));
            }
            // Lossless, hierarchical and arithmetic pictures do not come from cameras.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF => return Err(JpegError::Structure),
            DHT => has_tables = true,
            SOS => {
                if size.is_none() {
                    return Err(JpegError::Structure);
                }
                scans += 1;
                at = end_of_scan(bytes, at)?;
            }
            _ => {}
        }
    }
}

fn decode_sound(bytes: &[u8], outline: Outline) -> Result<Frame, JpegError> {
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|_| JpegError::Decoder)?;
    let (width, height) = decoder.dimensions();
    // Two readings of one header must agree, or memory would be set aside for a size that was never checked.
    if (width, height) != (outline.width, outline.height) {
        return Err(JpegError::Structure);
    }
    let pixels = width as usize * height as usize;
    let rgb = match decoder.color_type() {
        ColorType::Rgb8 => {
            let mut rgb = Zeroizing::new(vec![0u8; pixels * 3]);
            decoder.read_image(&mut rgb).map_err(|_| JpegError::Decoder)?;
            rgb
        }
        ColorType::L8 => {
            let mut grey = Zeroizing::new(vec![0u8; pixels]);
            decoder.read_image(&mut grey).map_err(|_| JpegError::Decoder)?;
            Zeroizing::new(grey.iter().flat_map(|g| [*g; 3]).collect())
        }
        _ => return Err(JpegError::Decoder),
    };
    shrink(width, height, rgb).ok_or(JpegError::Size)
}

/// Puts the `AVI1` segment in front, which tells decoders to use the standard Huffman tables.
fn with_standard_tables(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(bytes.len() + 9));
    whole.extend_from_slice(&bytes[..2]);
    whole.extend_from_slice(b"\xFF\xE0\x00\x07AVI1\x00");
    whole.extend_from_slice(&bytes[2..]);
    whole
}

/// The marker at `at` and where its segment starts; fill bytes are skipped.
fn marker_at(bytes: &[u8], at: usize) -> Result<(u8, usize), JpegError> {
    if *bytes.get(at).ok_or(JpegError::Cut)? != 0xFF {
        return Err(JpegError::Structure);
    }
    let filled = bytes[at..].iter().take_while(|b| **b == 0xFF).count();
    let marker = *bytes.get(at + filled).ok_or(JpegError::Cut)?;
    Ok((marker, at + filled + 1))
}

/// Where the entropy-coded part that starts at `at` ends: at the next marker that is neither a stuffed byte nor a restart in its turn.
fn end_of_scan(bytes: &[u8], mut at: usize) -> Result<usize, JpegError> {
    let mut restart = RST0;
    loop {
        let next = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == 0xFF)).ok_or(JpegError::Cut)?;
        at += next;
        match *bytes.get(at + 1).ok_or(JpegError::Cut)? {
            0x00 => at += 2,
            0xFF => at += 1,
            marker @ RST0..=RST7 => {
                if marker != restart {
                    return Err(JpegError::Structure);
                }
                restart = if marker == RST7 { RST0 } else { marker + 1 };
                at += 2;
            }
            _ => return Ok(at),
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, JpegError> {
    let pair = bytes.get(at..at + 2).ok_or(JpegError::Cut)?;
    Ok(u16::from_be_bytes([pair[0], pair[1]]))
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;
const RST0: u8 = 0xD0;
const RST7: u8 = 0xD7;

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;

    fn picture(width: u32, height: u32) -> Vec<u8> {
        let rgb: Vec<u8> = (0..width * height)
            .flat_map(|i| {
                let (x, y) = (i % width, i / width);
                [(x * 255 / width) as u8, (y * 255 / height) as u8, ((x / 16 + y / 16) % 2 * 200) as u8]
            })
            .collect();
        let mut bytes = vec![];
        JpegEncoder::new_with_quality(&mut bytes, 90)
            .encode(&rgb, width, height, image::ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    /// A JPEG header that promises `width` x `height` and holds next to nothing.
    fn promising(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = picture(64, 64);
        let sof = bytes.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
        bytes[sof + 5..sof + 7].copy_from_slice(&height.to_be_bytes());
        bytes[sof + 7..sof + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    }

    /// Removes every segment with this marker.
    fn without(bytes: &[u8], marker: u8) -> Vec<u8> {
        let (mut out, mut at) = (bytes[..2].to_vec(), 2);
        while bytes[at + 1] != SOS {
            let length = 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            if bytes[at + 1] != marker {
                out.extend_from_slice(&bytes[at..at + length]);
            }
            at += length;
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }

    #[test]
    fn a_sound_picture_comes_out_with_its_colours() {
        let frame = decode(&picture(640, 480)).unwrap();
        assert_eq!((frame.width(), frame.height()), (640, 480));
        let right = (240 * 640 + 630) * 3;
        assert!(frame.rgb()[right].abs_diff(251) < 12 && frame.rgb()[right + 1].abs_diff(127) < 12);
    }

    #[test]
    fn bytes_after_the_end_marker_are_not_read() {
        let mut padded = picture(160, 120);
        let whole = padded.len();
        padded.extend_from_slice(&picture(640, 480)[..3000]);
        let outline = outline(&padded).unwrap();
        assert_eq!((outline.width, outline.height, outline.length), (160, 120, whole));
        assert_eq!(decode(&padded).unwrap().width(), 160);
    }

    #[test]
    fn a_picture_cut_anywhere_is_no_picture() {
        let whole = picture(320, 240);
        for end in (0..whole.len()).step_by(7).chain([whole.len() - 2, whole.len() - 1]) {
            assert!(decode(&whole[..end]).is_err(), "cut at {end} of {}", whole.len());
        }
    }

    #[test]
    fn a_header_that_promises_too_much_costs_no_memory() {
        for (w, h) in [(12_000, 9_000), (65_535, 65_535), (4_096, 4_096), (4_097, 64)] {
            assert_eq!(outline(&promising(w, h)), Err(JpegError::Size), "{w}x{h}");
            assert!(matches!(decode(&promising(w, h)), Err(JpegError::Size)));
        }
        assert!(outline(&promising(3_840, 2_160)).is_ok());
    }

    #[test]
    fn a_picture_of_one_pixel_or_none_is_refused() {
        for (w, h) in [(0, 0), (1, 1), (0, 480), (640, 0), (63, 64)] {
            assert_eq!(outline(&promising(w, h)), Err(JpegError::Size), "{w}x{h}");
        }
        assert_eq!(decode(&picture(1, 1)).unwrap_err(), JpegError::Size);
    }

    #[test]
    fn damaged_bytes_never_panic_and_damage_at_markers_is_dropped() {
        let whole = picture(160, 120);
        let mut seed = 0x9E37_79B9_7F4A_7C15u64;
        let mut dropped = 0;
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..6 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let at = seed as usize % bytes.len();
                bytes[at] = (seed >> 40) as u8;
            }
            match decode(&bytes) {
                Ok(frame) => assert!(frame.width() <= 1280 && frame.height() <= 1280),
                Err(_) => dropped += 1,
            }
        }
        assert!(dropped > 50, "{dropped} of 400");
        for junk in [&[][..], &[0xFF], &[0xFF, SOI], &[0xFF, SOI, 0xFF], &[0xFF; 500], &[0; 500], b"\xFF\xD8\xFF\xD9"] {
            assert!(decode(junk).is_err());
        }
    }

    #[test]
    fn webcams_that_leave_the_tables_out_are_understood() {
        let whole = picture(640, 480);
        let bare = without(&whole, DHT);
        assert!(bare.len() < whole.len() - 300);
        assert!(!outline(&bare).unwrap().has_tables);
        let (a, b) = (decode(&whole).unwrap(), decode(&bare).unwrap());
        assert_eq!(a.rgb(), b.rgb(), "the encoder uses the standard tables, so both are the same picture");
    }

    #[test]
    fn restart_markers_out_of_turn_are_damage() {
        let mut bytes = picture(320, 240);
        let middle = bytes.len() / 2;
        bytes[middle] = 0xFF;
        bytes[middle + 1] = 0xD3;
        assert_eq!(outline(&bytes), Err(JpegError::Structure));
    }

    #[test]
    fn full_hd_is_scaled_down_and_grey_is_spread() {
        let frame = decode(&picture(1920, 1080)).unwrap();
        assert_eq!((frame.width(), frame.height()), (960, 540));
        let mut grey = vec![];
        JpegEncoder::new(&mut grey).encode(&vec![99; 640 * 480], 640, 480, image::ExtendedColorType::L8).unwrap();
        let frame = decode(&grey).unwrap();
        assert!(frame.rgb().iter().all(|p| p.abs_diff(99) < 3));
    }
}
