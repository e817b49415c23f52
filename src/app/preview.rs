//! The one pixel carrier to a window: smaller than the frame, mirrored, and only while a consent is held.

use std::sync::Arc;

use super::event::Preview;
use crate::domain::consent::ConsentGranted;
use crate::secret::Frame;

/// Largest width of a preview, in pixels.
const WIDTH_MAX: u32 = 480;

/// Makes the preview of a frame. Takes the consent as proof that one is held.
pub fn preview(_consent: &ConsentGranted, frame: &Frame) -> Preview {
    let (w, h) = (frame.width(), frame.height());
    let width = w.min(WIDTH_MAX);
    let height = (u64::from(h) * u64::from(width) / u64::from(w)).max(1) as u32;
    let columns: Vec<usize> = (0..width)
        .map(|x| {
            let mirrored = width - 1 - x;
            (u64::from(mirrored) * u64::from(w) / u64::from(width)) as usize * 3
        })
        .collect();
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        let from = (u64::from(y) * u64::from(h) / u64::from(height)) as usize * w as usize * 3;
        let row = &frame.rgb()[from..from + w as usize * 3];
        for at in &columns {
            rgba.extend_from_slice(&[row[*at], row[at + 1], row[at + 2], 255]);
        }
    }
    Preview { width, height, rgba: Arc::new(rgba) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ConsentId, ResidentId, TemplateId};
    use crate::domain::time::CivilDate;

    #[test]
    fn a_preview_is_mirrored_and_smaller() {
        let consent = ConsentGranted::assert_recorded(
            ResidentId::from_bytes([1; 16]),
            ConsentId::from_bytes([2; 16]),
            TemplateId::from_bytes([3; 16]),
            vec![],
            CivilDate::from_epoch_days(0),
        );
        let mut rgb = vec![0u8; 640 * 480 * 3];
        rgb[..3].copy_from_slice(&[9, 8, 7]);
        let shown = Frame::new(640, 480, rgb).map(|f| preview(&consent, &f));
        assert!(shown.is_some_and(|p| {
            let corner = (p.width as usize - 1) * 4;
            (p.width, p.height) == (480, 360) && p.rgba[corner..corner + 4] == [9, 8, 7, 255]
        }));
        let dot = Frame::new(1, 1, vec![5, 5, 5]).map(|f| preview(&consent, &f));
        assert!(dot.is_some_and(|p| (p.width, p.height) == (1, 1)));
    }
}
