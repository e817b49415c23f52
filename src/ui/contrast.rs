//! The second set of colours: dark ground, white and yellow words, full borders. For eyes that need more than 4.5:1 (here at least 7:1).
//!
//! Screens name the usual colours only; each has one counterpart here. Rules: F05c.

use iced::widget::{button, checkbox, container, text_input};
use iced::{Background, Color, Theme};

use super::theme;

/// Which set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contrast {
    /// The usual one.
    #[default]
    Usual,
    /// The dark one.
    High,
}

const fn rgb(hex: u32) -> Color {
    Color::from_rgb8((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Each usual colour and its counterpart.
const PAIRS: &[(Color, Color)] = &[
    (theme::GROUND, rgb(0x000000)),
    (theme::GROUND_TWIN, rgb(0x000001)),
    (theme::SURFACE, rgb(0x000000)),
    (theme::INK, rgb(0xFFFFFF)),
    (theme::INK_SOFT, rgb(0xEDEDED)),
    (theme::LINE_SOFT, rgb(0xB0B0B0)),
    (theme::LINE_FIELD, rgb(0xFFFFFF)),
    (theme::PRIMARY, rgb(0xFFE14D)),
    (theme::PRIMARY_DEEP, rgb(0xFFE14D)),
    (theme::PRIMARY_PALE, rgb(0x2B2600)),
    (theme::WARN, rgb(0xFFC266)),
    (theme::WARN_PALE, rgb(0x1F1400)),
    (theme::ALARM, rgb(0xFFB4AB)),
    (theme::ALARM_PALE, rgb(0x240604)),
    (theme::TOLD, rgb(0x9CD2FF)),
    (theme::TOLD_PALE, rgb(0x001B33)),
    (theme::PRACTICE, rgb(0xD6C1FF)),
    (theme::OFF_GROUND, rgb(0x2B2B2B)),
    (theme::OFF_INK, rgb(0xC8C8C8)),
    (theme::PLACEHOLDER, rgb(0xC8C8C8)),
    (theme::SELECTION, rgb(0x5C5000)),
];

impl Contrast {
    /// The set that a window's theme was made of.
    pub fn of(theme: &Theme) -> Self {
        if theme.palette().background == Self::High.shade(theme::GROUND) { Self::High } else { Self::Usual }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Usual => Self::High,
            Self::High => Self::Usual,
        }
    }

    /// The theme of a window in this set.
    pub fn theme(self) -> Theme {
        let Self::High = self else { return theme::theme() };
        let shade = |color| self.shade(color);
        Theme::custom(
            "Menka, high contrast",
            iced::theme::Palette {
                background: shade(theme::GROUND),
                text: shade(theme::INK),
                primary: shade(theme::PRIMARY),
                success: shade(theme::PRIMARY),
                warning: shade(theme::WARN),
                danger: shade(theme::ALARM),
            },
        )
    }

    /// A usual colour in this set. Half-transparent borders become full ones.
    pub fn shade(self, usual: Color) -> Color {
        if self == Self::Usual || usual.a == 0.0 {
            return usual;
        }
        let full = Color { a: 1.0, ..usual };
        PAIRS.iter().find(|(from, _)| *from == full).map_or(usual, |(_, to)| *to)
    }

    fn ground(self, ground: Option<Background>) -> Option<Background> {
        match ground {
            Some(Background::Color(color)) => Some(Background::Color(self.shade(color))),
            other => other,
        }
    }

    /// A button in this set.
    #[must_use]
    pub fn button(self, mut style: button::Style) -> button::Style {
        style.background = self.ground(style.background);
        style.text_color = self.shade(style.text_color);
        style.border.color = self.shade(style.border.color);
        if self == Self::High {
            style.border.width = 2.0;
        }
        style
    }

    /// A panel or bar in this set.
    #[must_use]
    pub fn panel(self, mut style: container::Style) -> container::Style {
        style.background = self.ground(style.background);
        style.text_color = style.text_color.map(|color| self.shade(color));
        style.border.color = self.shade(style.border.color);
        style
    }

    /// A field in this set.
    #[must_use]
    pub fn field(self, style: text_input::Style) -> text_input::Style {
        text_input::Style {
            background: self.ground(Some(style.background)).unwrap_or(style.background),
            border: iced::Border { color: self.shade(style.border.color), ..style.border },
            icon: self.shade(style.icon),
            placeholder: self.shade(style.placeholder),
            value: self.shade(style.value),
            selection: self.shade(style.selection),
        }
    }

    /// A tick box in this set.
    #[must_use]
    pub fn tick(self, style: checkbox::Style) -> checkbox::Style {
        checkbox::Style {
            background: self.ground(Some(style.background)).unwrap_or(style.background),
            icon_color: self.shade(style.icon_color),
            border: iced::Border { color: self.shade(style.border.color), ..style.border },
            text_color: style.text_color.map(|color| self.shade(color)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use theme::{Tone, Weight, button_style, field_style};

    #[test]
    fn f05c_in_the_dark_colours_every_text_has_seven_to_one() {
        let high = Contrast::High;
        let mut pairs = vec![
            (theme::INK, theme::GROUND),
            (theme::INK_SOFT, theme::GROUND),
            (theme::INK_SOFT, theme::SURFACE),
            (theme::PRIMARY, theme::GROUND),
            (theme::PRIMARY_DEEP, theme::SURFACE),
            (theme::SURFACE, theme::PRACTICE),
            (theme::PLACEHOLDER, theme::SURFACE),
            (theme::INK, theme::SELECTION),
        ];
        for tone in [Tone::Plain, Tone::Well, Tone::Told, Tone::Warn, Tone::Alarm] {
            pairs.extend([(tone.ink(), tone.ground()), (theme::INK, tone.ground()), (theme::INK_SOFT, tone.ground())]);
        }
        for weight in [Weight::Primary, Weight::Plain, Weight::Quiet, Weight::Here, Weight::Grave] {
            for status in [button::Status::Active, button::Status::Hovered, button::Status::Disabled] {
                let style = button_style(weight, status);
                if let Some(Background::Color(ground)) = style.background {
                    pairs.push((style.text_color, if ground.a == 0.0 { theme::GROUND } else { ground }));
                }
            }
        }
        for (ink, ground) in pairs {
            let (ink, ground) = (high.shade(ink), high.shade(ground));
            let ratio = theme::ratio(ink, ground);
            assert!(ratio >= 7.0, "{ink:?} on {ground:?}: {ratio}");
        }
        let field = high.field(field_style(false, text_input::Status::Active));
        assert!(theme::ratio(field.border.color, high.shade(theme::SURFACE)) >= 7.0);
    }

    #[test]
    fn no_usual_colour_is_without_a_counterpart() {
        // Whatever a style can show: a colour that is not in the list would stay as it is, pale on black.
        let known = |color: Color| color.a == 0.0 || PAIRS.iter().any(|(from, _)| *from == Color { a: 1.0, ..color });
        for weight in [Weight::Primary, Weight::Plain, Weight::Quiet, Weight::Here, Weight::Grave] {
            for status in
                [button::Status::Active, button::Status::Hovered, button::Status::Pressed, button::Status::Disabled]
            {
                let style = button_style(weight, status);
                let Some(Background::Color(ground)) = style.background else { panic!("no ground") };
                for color in [ground, style.text_color, style.border.color] {
                    assert!(known(color), "{weight:?} {status:?}: {color:?}");
                }
            }
        }
        for tone in [Tone::Plain, Tone::Well, Tone::Told, Tone::Warn, Tone::Alarm] {
            let style = theme::panel_style(tone);
            assert!(known(style.border.color) && known(tone.ink()) && known(tone.ground()), "{tone:?}");
        }
        let field = field_style(true, text_input::Status::Active);
        for color in [field.border.color, field.icon, field.placeholder, field.value, field.selection] {
            assert!(known(color), "{color:?}");
        }
    }

    #[test]
    fn a_theme_knows_its_set() {
        assert_eq!(Contrast::of(&Contrast::Usual.theme()), Contrast::Usual);
        assert_eq!(Contrast::of(&Contrast::High.theme()), Contrast::High);
    }
}
