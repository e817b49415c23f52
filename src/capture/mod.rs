//! Webcams: `v4l` on Linux, `nokhwa` on Windows and macOS, both on their own thread behind one watchdog.
//!
//! Deliberately absent: files, networks, previews and any memory of what was seen. One newest frame waits at a time; an older one is wiped
//! when a newer one comes, and all of it when the camera is closed. The buffers that the driver shares with the process and the
//! compressed bytes inside the JPEG decoder are the exceptions: they are given back, not wiped.
//!
//! ```no_run
//! use menka::{capture::Webcam, ports::Camera};
//! let mut camera = Webcam::new();
//! for found in camera.cameras() {
//!     camera.choose(&found.id);
//! }
//! ```

pub mod jpeg;
pub mod pixels;
mod pump;

#[cfg(not(target_os = "linux"))]
mod nokhwa;
#[cfg(all(feature = "practice", target_os = "linux"))]
pub mod selftest;
#[cfg(target_os = "linux")]
mod v4l;

#[cfg(not(target_os = "linux"))]
pub use self::nokhwa::NokhwaCamera as Webcam;
#[cfg(target_os = "linux")]
pub use self::v4l::V4lCamera as Webcam;

/// Width and height that are asked for. The camera may answer otherwise.
const WISH: (u32, u32) = (640, 480);

/// Frames per second that are asked for. Never promised.
const WISH_FPS: u32 = 30;

/// A camera's name as its maker wrote it, fit for a screen: no control characters, 60 characters at most.
fn shown_name(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let clean = clean.trim();
    if clean.is_empty() { "?".into() } else { clean.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_usb_devices_cannot_break_the_screen() {
        assert_eq!(shown_name("  HD\u{1b}[31m Webcam\n"), "HD[31m Webcam");
        assert_eq!(shown_name("\0\0"), "?");
        assert_eq!(shown_name(&"长".repeat(500)).chars().count(), 60);
    }
}
