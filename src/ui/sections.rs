//! Looks at the resident window: which sections of a text are on screen, brings one there, and collects the words of a page to be read aloud.
//!
//! A section is a container with the id `section-N`; texts scroll in the one scrolling page of the window.

use iced::advanced::widget::operation::scrollable::{AbsoluteOffset, Scrollable, scroll_to};
use iced::advanced::widget::operation::{Operation, Outcome};
use iced::advanced::widget::{Id, operate};
use iced::{Rectangle, Task, Vector};

/// Most sections that are looked for.
const SECTIONS_MAX: u16 = 128;

/// The id of a section.
pub fn section_id(number: usize) -> Id {
    Id::from(format!("section-{number}"))
}

/// Which sections are on screen.
pub fn look() -> Task<Vec<u16>> {
    operate(looking())
}

/// The operation behind [`look`].
pub fn looking() -> impl Operation<Vec<u16>> {
    Look { ids: ids(), page: None, seen: vec![] }
}

/// Brings a section to the top of the page.
pub fn bring<M: Send + 'static>(number: usize) -> Task<M> {
    operate(bringing(number))
}

/// The operation behind [`bring`].
pub fn bringing<M: Send + 'static>(number: usize) -> impl Operation<M> {
    Bring { wanted: section_id(number), page: None, found: None }
}

/// The words of the page in the window with this root id, without the frame around it: the ids in `without`.
pub fn words(root: &'static str, without: &'static [&'static str]) -> Task<Vec<String>> {
    operate(collecting(root, without))
}

/// The operation behind [`words`].
pub fn collecting(root: &'static str, without: &'static [&'static str]) -> impl Operation<Vec<String>> {
    Collect {
        root: root.into(),
        without: without.iter().map(|id| Id::from(*id)).collect(),
        inside: false,
        enters: None,
        words: vec![],
    }
}

fn ids() -> Vec<Id> {
    (0..SECTIONS_MAX).map(|number| section_id(number.into())).collect()
}

/// A scrolling page: its place on screen, and how far it is scrolled.
#[derive(Clone, Debug)]
struct Page {
    id: Option<Id>,
    bounds: Rectangle,
    shift: Vector,
}

struct Look {
    ids: Vec<Id>,
    page: Option<Page>,
    seen: Vec<u16>,
}

impl Operation<Vec<u16>> for Look {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<Vec<u16>>)) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        self.page = Some(Page { id: id.cloned(), bounds, shift: translation });
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        let number = id.and_then(|id| self.ids.iter().position(|known| known == id));
        if let (Some(number), Some(page)) = (number, &self.page) {
            let on_screen = bounds - page.shift;
            if on_screen.intersects(&page.bounds) {
                self.seen.extend(u16::try_from(number));
            }
        }
    }

    fn finish(&self) -> Outcome<Vec<u16>> {
        Outcome::Some(self.seen.clone())
    }
}

struct Bring {
    wanted: Id,
    page: Option<Page>,
    found: Option<(Id, f32)>,
}

impl<M: Send + 'static> Operation<M> for Bring {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<M>)) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        self.page = Some(Page { id: id.cloned(), bounds, shift: translation });
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        if id == Some(&self.wanted)
            && let Some(Page { id: Some(page), bounds: view, .. }) = &self.page
        {
            self.found = Some((page.clone(), (bounds.y - view.y).max(0.0)));
        }
    }

    fn finish(&self) -> Outcome<M> {
        match &self.found {
            Some((page, y)) => {
                Outcome::Chain(Box::new(scroll_to(page.clone(), AbsoluteOffset { x: None, y: Some(*y) })))
            }
            None => Outcome::None,
        }
    }
}

struct Collect {
    root: Id,
    without: Vec<Id>,
    inside: bool,
    /// What the next step down changes: into the window, or into a part that is left out.
    enters: Option<bool>,
    words: Vec<String>,
}

impl Operation<Vec<String>> for Collect {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<Vec<String>>)) {
        let above = self.inside;
        self.inside = self.enters.take().unwrap_or(above);
        operate(self);
        self.inside = above;
    }

    fn container(&mut self, id: Option<&Id>, _bounds: Rectangle) {
        if id == Some(&self.root) {
            self.enters = Some(true);
        } else if id.is_some_and(|id| self.without.contains(id)) {
            self.enters = Some(false);
        }
    }

    fn text(&mut self, _id: Option<&Id>, _bounds: Rectangle, text: &str) {
        if self.inside && !text.trim().is_empty() {
            self.words.push(text.to_owned());
        }
    }

    fn finish(&self) -> Outcome<Vec<String>> {
        Outcome::Some(self.words.clone())
    }
}
