//! What can be pressed by the keyboard too: Tab goes from one to the next (`ui/focus.rs`), the space bar presses. Rules: F05c.
//!
//! iced 0.14 gives its buttons no focus. Not the Enter key: a card reader that types ends each number with it.

use iced::advanced::widget::operation::{Focusable, Operation};
use iced::advanced::widget::{Tree, Widget, tree};
use iced::advanced::{Clipboard, Layout, Shell, layout, mouse, overlay, renderer};
use iced::keyboard::{self, key::Named};
use iced::{Border, Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector, touch};

use crate::ui::contrast::Contrast;
use crate::ui::theme;

/// Lets the space bar do what a press does. Without a message nothing changes.
pub fn by_key<'a, M: Clone + 'a>(content: impl Into<Element<'a, M>>, message: Option<M>) -> Element<'a, M> {
    // In the tree also without a message: a button that wakes up keeps its place.
    Element::new(ByKey { content: content.into(), message })
}

struct ByKey<'a, M> {
    content: Element<'a, M>,
    message: Option<M>,
}

/// Whether it has the focus.
#[derive(Debug, Default)]
struct Held(bool);

impl Focusable for Held {
    fn is_focused(&self) -> bool {
        self.0
    }

    fn focus(&mut self) {
        self.0 = true;
    }

    fn unfocus(&mut self) {
        self.0 = false;
    }
}

/// Width of the line around what has the focus, and its distance.
const RING: f32 = 4.0;

impl<M: Clone> Widget<M, Theme, Renderer> for ByKey<'_, M> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Held>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Held::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(&[&self.content]);
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn size_hint(&self) -> Size<Length> {
        self.content.as_widget().size_hint()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        self.content.as_widget_mut().layout(&mut tree.children[0], renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        if self.message.is_some() {
            operation.focusable(None, layout.bounds(), tree.state.downcast_mut::<Held>());
        }
        self.content.as_widget_mut().operate(&mut tree.children[0], layout, renderer, operation);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, M>,
        viewport: &Rectangle,
    ) {
        let child = &mut tree.children[0];
        self.content.as_widget_mut().update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        let held = tree.state.downcast_mut::<Held>();
        match event {
            // Whoever points does not need the line any more.
            Event::Mouse(mouse::Event::ButtonPressed(_)) | Event::Touch(touch::Event::FingerPressed { .. }) => {
                held.0 = false;
            }
            Event::Keyboard(keyboard::Event::KeyPressed { key, repeat: false, .. })
                if held.0 && !shell.is_event_captured() && *key == keyboard::Key::Named(Named::Space) =>
            {
                if let Some(message) = &self.message {
                    shell.publish(message.clone());
                    shell.capture_event();
                }
            }
            _ => {}
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        self.content.as_widget().draw(&tree.children[0], renderer, theme, style, layout, cursor, viewport);
        if tree.state.downcast_ref::<Held>().0 && self.message.is_some() {
            let ink = Contrast::of(theme).shade(theme::PRIMARY_DEEP);
            let quad = renderer::Quad {
                bounds: layout.bounds().expand(RING / 2.0),
                border: Border { color: ink, width: RING, radius: 10.0.into() },
                ..renderer::Quad::default()
            };
            renderer::Renderer::fill_quad(renderer, quad, iced::Color::TRANSPARENT);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        self.content.as_widget().mouse_interaction(&tree.children[0], layout, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, M, Theme, Renderer>> {
        self.content.as_widget_mut().overlay(&mut tree.children[0], layout, renderer, viewport, translation)
    }
}
