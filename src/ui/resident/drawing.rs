//! Pictures made of lines: a card on a reader, the guide over the camera picture, the dots of progress.

use iced::widget::canvas::{self, Path, Stroke, path};
use iced::{Point, Rectangle, Renderer, Size, Theme, Vector, mouse};

use crate::ui::contrast::Contrast;
use crate::ui::theme as palette;

use super::Message;

/// A card that lies on a reader.
pub(super) struct CardOnReader;

impl canvas::Program<Message> for CardOnReader {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let shade = |usual| Contrast::of(theme).shade(usual);
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        frame.translate(Vector::new(bounds.width / 2.0 - 210.0, bounds.height / 2.0 - 95.0));
        let rounded = |x: f32, y: f32, w: f32, h: f32, r: f32| {
            Path::rounded_rectangle(Point::new(x, y), Size::new(w, h), r.into())
        };
        let line = |color, width| Stroke::default().with_color(color).with_width(width);
        // The reader, from above.
        let reader = rounded(70.0, 46.0, 280.0, 136.0, 22.0);
        frame.fill(&reader, shade(palette::LINE_SOFT));
        frame.stroke(&reader, line(shade(palette::LINE_FIELD), 2.0));
        // Its waves, on both sides of the card.
        for (at, radius) in [14.0, 30.0, 46.0].into_iter().enumerate() {
            for (centre, from) in [(318.0, -0.6_f32), (102.0, std::f32::consts::PI - 0.6)] {
                let arc = Path::new(|p| {
                    p.arc(path::Arc {
                        center: Point::new(centre, 92.0),
                        radius,
                        start_angle: iced::Radians(from),
                        end_angle: iced::Radians(from + 1.2),
                    });
                });
                let color = iced::Color { a: 1.0 - at as f32 * 0.25, ..shade(palette::PRIMARY) };
                frame.stroke(&arc, line(color, 5.0));
            }
        }
        // The card.
        let card = rounded(120.0, 8.0, 180.0, 114.0, 14.0);
        frame.fill(&card, shade(palette::SURFACE));
        frame.stroke(&card, line(shade(palette::PRIMARY), 3.0));
        frame.fill(&rounded(120.0, 28.0, 180.0, 20.0, 0.0), shade(palette::PRIMARY));
        frame.fill(&rounded(138.0, 66.0, 34.0, 26.0, 5.0), shade(palette::WARN_PALE));
        frame.stroke(&rounded(138.0, 66.0, 34.0, 26.0, 5.0), line(shade(palette::WARN), 1.5));
        frame.fill(&rounded(190.0, 70.0, 88.0, 7.0, 3.0), shade(palette::LINE_FIELD));
        frame.fill(&rounded(190.0, 86.0, 60.0, 7.0, 3.0), shade(palette::LINE_SOFT));
        vec![frame.into_geometry()]
    }
}

/// What is laid over the camera picture: only the box is seen, with an oval for the head in it. Rules: F13a, notice section 5.
pub(super) struct GuideBox {
    /// The picture is good.
    pub good: bool,
}

impl canvas::Program<Message> for GuideBox {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let shade = |usual| Contrast::of(theme).shade(usual);
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        let picture = Rectangle::with_size(bounds.size());
        let guide = Size::new((picture.height * 0.92).min(picture.width), picture.height * 0.98);
        let corner = Point::new(picture.center_x() - guide.width / 2.0, picture.center_y() - guide.height / 2.0);
        let outside = Path::new(|path| {
            path.rectangle(Point::new(-1.0, -1.0), Size::new(bounds.width + 2.0, bounds.height + 2.0));
            path.rounded_rectangle(corner, guide, 28.0.into());
        });
        frame.fill(&outside, canvas::Fill { style: shade(palette::GROUND).into(), rule: canvas::fill::Rule::EvenOdd });
        let ink = if self.good { shade(palette::PRIMARY) } else { shade(palette::SURFACE) };
        let edge = Path::rounded_rectangle(corner, guide, 28.0.into());
        frame.stroke(&edge, Stroke::default().with_color(shade(palette::LINE_FIELD)).with_width(2.0));
        let oval = Path::new(|path| {
            path.ellipse(path::arc::Elliptical {
                center: picture.center(),
                radii: Vector::new(picture.height * 0.27, picture.height * 0.37),
                rotation: iced::Radians(0.0),
                start_angle: iced::Radians(0.0),
                end_angle: iced::Radians(std::f32::consts::TAU),
            });
        });
        // A dark line below the light one: it is seen on any face and any wall.
        frame.stroke(&oval, Stroke::default().with_color(shade(palette::INK)).with_width(8.0));
        frame.stroke(&oval, Stroke::default().with_color(ink).with_width(5.0));
        vec![frame.into_geometry()]
    }
}

/// One of the ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A card.
    Card,
    /// Somebody at the desk.
    Staff,
    /// A guest with a day card.
    Visitor,
}

impl canvas::Program<Message> for Way {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let shade = |usual| Contrast::of(theme).shade(usual);
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        let rounded = |x: f32, y: f32, w: f32, h: f32, r: f32| {
            Path::rounded_rectangle(Point::new(x, y), Size::new(w, h), r.into())
        };
        let line = || Stroke::default().with_color(shade(palette::PRIMARY)).with_width(3.0);
        let person = |frame: &mut canvas::Frame, x: f32| {
            frame.fill(&Path::circle(Point::new(x, 15.0), 10.0), shade(palette::PRIMARY));
            let shoulders = Path::new(|p| {
                p.arc(path::Arc {
                    center: Point::new(x, 50.0),
                    radius: 20.0,
                    start_angle: iced::Radians(std::f32::consts::PI),
                    end_angle: iced::Radians(std::f32::consts::TAU),
                });
                p.close();
            });
            frame.fill(&shoulders, shade(palette::PRIMARY));
        };
        match self {
            Self::Card => {
                frame.stroke(&rounded(3.0, 6.0, 68.0, 44.0, 7.0), line());
                frame.fill(&rounded(3.0, 16.0, 68.0, 9.0, 0.0), shade(palette::PRIMARY));
                frame.fill(&rounded(12.0, 34.0, 26.0, 5.0, 2.0), shade(palette::LINE_FIELD));
            }
            Self::Staff => {
                person(&mut frame, 24.0);
                let tick = Path::new(|p| {
                    p.move_to(Point::new(50.0, 26.0));
                    p.line_to(Point::new(60.0, 37.0));
                    p.line_to(Point::new(78.0, 13.0));
                });
                frame.stroke(&tick, line().with_width(5.0));
            }
            Self::Visitor => {
                person(&mut frame, 24.0);
                frame.stroke(&rounded(52.0, 22.0, 32.0, 24.0, 4.0), line());
                frame.fill(&rounded(52.0, 27.0, 32.0, 5.0, 0.0), shade(palette::PRIMARY));
            }
        }
        vec![frame.into_geometry()]
    }
}

/// How many of the needed pictures are taken.
pub(super) struct Dots {
    /// Filled ones.
    pub taken: u8,
    /// All.
    pub needed: u8,
}

impl canvas::Program<Message> for Dots {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let shade = |usual| Contrast::of(theme).shade(usual);
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        for dot in 0..self.needed.min(12) {
            let centre = Point::new(18.0 + f32::from(dot) * 40.0, bounds.height / 2.0);
            let circle = Path::circle(centre, 13.0);
            if dot < self.taken {
                frame.fill(&circle, shade(palette::PRIMARY));
            }
            frame.stroke(&circle, Stroke::default().with_color(shade(palette::PRIMARY)).with_width(3.0));
        }
        vec![frame.into_geometry()]
    }
}
