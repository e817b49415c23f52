//! The caret, one window at a time.
//!
//! iced's own focus operations run over all windows at once: staff pressing Tab would take the caret out of the field in which a resident
//! signs. These stay inside one window, and scroll a field that gets the caret into sight.

use iced::advanced::widget::operation::scrollable::{AbsoluteOffset, Scrollable};
use iced::advanced::widget::operation::{Focusable, Operation, Outcome};
use iced::advanced::widget::{Id, operate};
use iced::{Rectangle, Task, Vector};

/// Space that is left above and below a field that was scrolled into sight, in pixels: its label is above it.
const AIR: f32 = 48.0;

/// Where the caret goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into this field.
    To(Id),
    /// Into the next field, from the last into the first.
    Next,
    /// Into the field before, from the first into the last.
    Previous,
}

/// Moves the caret inside the window whose root container has this id.
pub fn caret<M: Send + 'static>(window: &'static str, step: Step) -> Task<M> {
    operate(operation(window, step))
}

/// The operation behind [`caret`].
pub fn operation<M: Send + 'static>(window: &'static str, step: Step) -> impl Operation<M> {
    Search { place: Place::new(window.into()), step, fields: vec![] }
}

/// A field that was met, and how far its page would have to be scrolled.
#[derive(Clone, Debug)]
struct Met {
    id: Option<Id>,
    focused: bool,
    scroll: Option<(usize, f32)>,
}

/// A scrolling page.
#[derive(Clone, Copy, Debug)]
struct Page {
    index: usize,
    bounds: Rectangle,
    shifted: f32,
}

/// Where in the tree of widgets the operation is.
#[derive(Clone, Debug)]
struct Place {
    root: Id,
    inside: bool,
    enters: bool,
    page: Option<Page>,
    enters_page: Option<Page>,
    pages: usize,
}

impl Place {
    fn new(root: Id) -> Self {
        Self { root, inside: false, enters: false, page: None, enters_page: None, pages: 0 }
    }

    fn container(&mut self, id: Option<&Id>) {
        self.enters |= id == Some(&self.root);
    }

    /// A scrolling page is met; its number, when it is inside the window.
    fn scrollable(&mut self, bounds: Rectangle, translation: Vector) -> Option<usize> {
        if !self.inside {
            return None;
        }
        let index = self.pages;
        self.pages += 1;
        self.enters_page = Some(Page { index, bounds, shifted: translation.y });
        Some(index)
    }

    /// Goes down; gives back what to restore on the way up.
    fn down(&mut self) -> (bool, Option<Page>) {
        let above = (self.inside, self.page);
        self.inside |= std::mem::take(&mut self.enters);
        if let Some(page) = self.enters_page.take() {
            self.page = Some(page);
        }
        above
    }

    fn up(&mut self, above: (bool, Option<Page>)) {
        (self.inside, self.page) = above;
    }
}

/// First run: which fields there are, and which has the caret.
struct Search {
    place: Place,
    step: Step,
    fields: Vec<Met>,
}

impl<M: Send + 'static> Operation<M> for Search {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<M>)) {
        let above = self.place.down();
        operate(self);
        self.place.up(above);
    }

    fn container(&mut self, id: Option<&Id>, _bounds: Rectangle) {
        self.place.container(id);
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        self.place.scrollable(bounds, translation);
    }

    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        if self.place.inside {
            let scroll = self.place.page.and_then(|page| Some((page.index, offset_for(page, bounds)?)));
            self.fields.push(Met { id: id.cloned(), focused: state.is_focused(), scroll });
        }
    }

    fn finish(&self) -> Outcome<M> {
        let last = self.fields.len().checked_sub(1);
        let at = self.fields.iter().position(|field| field.focused);
        let target = match (&self.step, at) {
            (Step::To(id), _) => self.fields.iter().position(|field| field.id.as_ref() == Some(id)),
            (Step::Next, Some(at)) if Some(at) != last => Some(at + 1),
            (Step::Next, _) => last.map(|_| 0),
            (Step::Previous, Some(at)) if at > 0 => Some(at - 1),
            (Step::Previous, _) => last,
        };
        match target.and_then(|target| Some((target, self.fields.get(target)?))) {
            Some((target, field)) => Outcome::Chain(Box::new(Give {
                place: Place::new(self.place.root.clone()),
                target,
                scroll: field.scroll,
                met: 0,
            })),
            None => Outcome::None,
        }
    }
}

/// Second run: gives the caret to one field and takes it from the others of the window.
struct Give {
    place: Place,
    target: usize,
    scroll: Option<(usize, f32)>,
    met: usize,
}

impl<M: Send + 'static> Operation<M> for Give {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<M>)) {
        let above = self.place.down();
        operate(self);
        self.place.up(above);
    }

    fn container(&mut self, id: Option<&Id>, _bounds: Rectangle) {
        self.place.container(id);
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        state: &mut dyn Scrollable,
    ) {
        let index = self.place.scrollable(bounds, translation);
        if let Some((page, y)) = self.scroll
            && index == Some(page)
        {
            state.scroll_to(AbsoluteOffset { x: None, y: Some(y) });
        }
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if self.place.inside {
            if self.met == self.target {
                state.focus();
            } else {
                state.unfocus();
            }
            self.met += 1;
        }
    }
}

/// How far a page must be scrolled for a field to be in sight; `None` when it is in sight already.
fn offset_for(page: Page, field: Rectangle) -> Option<f32> {
    let top = field.y - page.bounds.y;
    let (above, below) = (top - AIR, top + field.height + AIR - page.bounds.height);
    if above < page.shifted && top - page.shifted < 0.0 {
        Some(above.max(0.0))
    } else if below > page.shifted && top + field.height - page.shifted > page.bounds.height {
        Some(below.max(0.0))
    } else {
        None
    }
}
