//! The camera at a door.

use super::CameraError;
use crate::domain::consent::DoorWatch;
use crate::secret::Frame;

/// A gate's own camera. The same devices as [`super::Camera`], with the gate's proof in place of the desk's two: the desk cannot make one.
///
/// ```compile_fail
/// fn peek(camera: &mut dyn menka::ports::DoorCamera) { let _ = camera.start(); }
/// ```
pub trait DoorCamera: Send {
    /// Turns it on.
    ///
    /// # Errors
    /// See [`CameraError`]. Never blocks longer than three seconds.
    fn start(&mut self, watch: &DoorWatch) -> Result<(), CameraError>;
    /// The newest frame, once; older ones are gone. `None` when there is no newer one. Never blocks.
    ///
    /// # Errors
    /// The camera was lost since.
    fn next_frame(&mut self) -> Result<Option<Frame>, CameraError>;
    /// Turns it off and wipes what is left.
    fn stop(&mut self);
}
