//! Says where everything is on the windows, for the test that clicks its way through them (practice builds only). iced 0.14 offers no
//! accessibility tree, so a test has no other way to find a button.
//!
//! When `MENKA_WIDGETS` names a file, it is rewritten a few times a second with one line a widget: window, id or text, and its rectangle in
//! pixels of the window.

use std::path::PathBuf;
use std::time::Duration;

use iced::advanced::widget::operation::{Focusable, Operation, Outcome, Scrollable, TextInput};
use iced::advanced::widget::{Id, operate};
use iced::{Rectangle, Task, Vector};

/// How often the file is rewritten.
pub const EVERY: Duration = Duration::from_millis(200);

/// The file, if a test asked for it.
pub fn file() -> Option<PathBuf> {
    std::env::var_os("MENKA_WIDGETS").map(PathBuf::from)
}

/// Collects the widgets of all windows; the message carries the file's text.
pub fn collect() -> Task<String> {
    operate(Collect { shift: Vector::ZERO, next_shift: Vector::ZERO, lines: String::new() })
}

/// Writes the file so that a reader never sees half of it.
pub fn write(file: &std::path::Path, text: &str) {
    let beside = file.with_extension("part");
    if std::fs::write(&beside, text).is_ok() {
        let _ = std::fs::rename(&beside, file);
    }
}

struct Collect {
    shift: Vector,
    next_shift: Vector,
    lines: String,
}

impl Collect {
    fn line(&mut self, kind: &str, what: &str, bounds: Rectangle) {
        let (x, y) = (bounds.x - self.shift.x, bounds.y - self.shift.y);
        let what = what.replace('\n', " ");
        self.lines.push_str(&format!("{kind}\t{what}\t{x:.0} {y:.0} {:.0} {:.0}\n", bounds.width, bounds.height));
    }

    fn id(&mut self, id: Option<&Id>, bounds: Rectangle) {
        // `Id` shows its name only in its debug form: `Id(Custom("name"))`.
        let shown = id.map(|id| format!("{id:?}")).unwrap_or_default();
        if let Some(name) = shown.split('"').nth(1) {
            self.line("id", name, bounds);
        }
    }
}

impl Operation<String> for Collect {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<String>)) {
        let before = self.shift;
        self.shift = before + std::mem::replace(&mut self.next_shift, Vector::ZERO);
        operate(self);
        self.shift = before;
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        self.id(id, bounds);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        self.id(id, bounds);
        self.next_shift = translation;
    }

    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, _state: &mut dyn Focusable) {
        self.id(id, bounds);
    }

    fn text_input(&mut self, id: Option<&Id>, bounds: Rectangle, _state: &mut dyn TextInput) {
        self.id(id, bounds);
    }

    fn text(&mut self, _id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.line("text", text, bounds);
    }

    fn finish(&self) -> Outcome<String> {
        Outcome::Some(self.lines.clone())
    }
}
