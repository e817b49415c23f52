//! The signing field: strokes by finger, pen or mouse.

use iced::widget::canvas;
use iced::{Event, Point, Rectangle, Renderer, Theme, mouse, touch};

use crate::ui::contrast::Contrast;
use crate::ui::theme as palette;

use super::{Message, SignMessage};

/// The field. Points are thousandths of its width and height, so that they mean the same at any size.
pub(super) struct Pad<'a> {
    /// What was drawn so far.
    pub strokes: &'a [Vec<(u16, u16)>],
}

/// Who draws.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Pen {
    /// Nobody.
    #[default]
    Up,
    /// The mouse.
    Mouse,
    /// This finger; others are not taken for strokes.
    Finger(touch::Finger),
}

impl canvas::Program<Message> for Pad<'_> {
    type State = Pen;

    fn update(
        &self,
        pen: &mut Pen,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> Option<canvas::Action<Message>> {
        let down = |at: (u16, u16)| publish(SignMessage::PenDown(at.0, at.1));
        let moved = |at: (u16, u16)| publish(SignMessage::PenMoved(at.0, at.1));
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position().filter(|at| bounds.contains(*at))?;
                *pen = Pen::Mouse;
                Some(down(thousandths(at, bounds)))
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) if *pen == Pen::Mouse => {
                Some(moved(thousandths(cursor.position()?, bounds)))
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) if *pen == Pen::Mouse => {
                *pen = Pen::Up;
                None
            }
            // Where the finger is, is taken from the cursor, which follows it: the event's own position knows nothing of scrolling.
            Event::Touch(touch::Event::FingerPressed { id, .. }) if *pen == Pen::Up => {
                let at = cursor.position().filter(|at| bounds.contains(*at))?;
                *pen = Pen::Finger(*id);
                Some(down(thousandths(at, bounds)))
            }
            Event::Touch(touch::Event::FingerMoved { id, .. }) if *pen == Pen::Finger(*id) => {
                Some(moved(thousandths(cursor.position()?, bounds)))
            }
            Event::Touch(touch::Event::FingerLifted { id, .. } | touch::Event::FingerLost { id, .. })
                if *pen == Pen::Finger(*id) =>
            {
                *pen = Pen::Up;
                None
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        _pen: &Pen,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let shade = |usual| Contrast::of(theme).shade(usual);
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        let at = |point: &(u16, u16)| {
            Point::new(f32::from(point.0) / 1000.0 * bounds.width, f32::from(point.1) / 1000.0 * bounds.height)
        };
        let base = bounds.height * 0.78;
        let rule = canvas::Path::line(Point::new(40.0, base), Point::new(bounds.width - 40.0, base));
        frame.stroke(&rule, canvas::Stroke::default().with_color(shade(palette::LINE_SOFT)).with_width(2.0));
        for stroke in self.strokes {
            let path = canvas::Path::new(|path| {
                let mut points = stroke.iter().map(at);
                if let Some(first) = points.next() {
                    path.move_to(first);
                }
                points.for_each(|point| path.line_to(point));
            });
            let style = canvas::Stroke {
                line_cap: canvas::LineCap::Round,
                line_join: canvas::LineJoin::Round,
                ..canvas::Stroke::default().with_color(shade(palette::INK)).with_width(3.5)
            };
            frame.stroke(&path, style);
        }
        vec![frame.into_geometry()]
    }

    fn mouse_interaction(&self, _pen: &Pen, bounds: Rectangle, cursor: mouse::Cursor) -> mouse::Interaction {
        if cursor.is_over(bounds) { mouse::Interaction::Crosshair } else { mouse::Interaction::default() }
    }
}

fn publish(message: SignMessage) -> canvas::Action<Message> {
    canvas::Action::publish(Message::Signed(message)).and_capture()
}

/// A place in the field; what is drawn over its edge stays on the edge.
fn thousandths(at: Point, bounds: Rectangle) -> (u16, u16) {
    let share = |offset: f32, length: f32| (offset / length.max(1.0) * 1000.0).clamp(0.0, 1000.0) as u16;
    (share(at.x - bounds.x, bounds.width), share(at.y - bounds.y, bounds.height))
}
