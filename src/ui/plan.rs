//! Where the windows open. On Wayland a program cannot place its windows: the station runs under X11.

/// Where a window opens, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometry {
    /// Left edge; `None` leaves the place to the system.
    pub x: Option<f32>,
    /// Top edge.
    pub y: Option<f32>,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Where the windows open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowPlan {
    /// The staff window.
    pub staff: Geometry,
    /// The resident window, on the second screen.
    pub resident: Geometry,
    /// Fill the screen that the resident window is on.
    pub resident_fullscreen: bool,
    /// The practice tools, on practice sites.
    pub practice: Geometry,
}

impl Default for WindowPlan {
    fn default() -> Self {
        let at = |width, height| Geometry { x: None, y: None, width, height };
        Self {
            staff: at(1280.0, 720.0),
            resident: at(1280.0, 800.0),
            resident_fullscreen: false,
            practice: at(420.0, 640.0),
        }
    }
}
