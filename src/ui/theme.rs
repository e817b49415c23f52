//! Colours, sizes and text styles of all windows. Nothing else in `ui` names a colour or a size of letters.
//!
//! Every pair of text and ground that is used here has a contrast of at least 4.5:1 (tested).

use iced::widget::{Text, button, checkbox, container, radio, scrollable, text, text_input};
use iced::{Background, Border, Color, Font, Shadow, Theme, font};

use super::contrast::Contrast;

/// Letters of the windows: every character that a resident's name may need.
pub const REGULAR: Font = Font::with_name("Noto Sans SC");
/// Headings and buttons. Only fixed words: the bold file has the 7,500 most used characters, so names are set in [`REGULAR`].
pub const BOLD: Font = Font { weight: font::Weight::Bold, ..Font::with_name("Noto Sans SC") };

/// The font files, for the program and for tests.
pub const FONT_FILES: [&[u8]; 2] = [
    include_bytes!("../../assets/fonts/NotoSansSC-Regular.ttf"),
    include_bytes!("../../assets/fonts/NotoSansSC-Bold-GB2312.ttf"),
];

/// Height of a line over the size of its letters: Chinese needs air.
pub const LINE: f32 = 1.6;

/// Ground of a window.
pub const GROUND: Color = rgb(0xF3F5F4);
/// Panels and fields.
pub const SURFACE: Color = rgb(0xFFFFFF);
/// Words.
pub const INK: Color = rgb(0x1C2B2F);
/// Words that matter less.
pub const INK_SOFT: Color = rgb(0x51616A);
/// Borders of panels.
pub const LINE_SOFT: Color = rgb(0xD6DEDB);
/// Borders of fields.
pub const LINE_FIELD: Color = rgb(0x80918D);
/// The one main action.
pub const PRIMARY: Color = rgb(0x1B6B58);
/// The main action under the pointer.
pub const PRIMARY_DEEP: Color = rgb(0x134F41);
/// Ground of what is well.
pub const PRIMARY_PALE: Color = rgb(0xE2F0EB);
/// Words on what needs attention.
pub const WARN: Color = rgb(0x744700);
/// Ground of what needs attention.
pub const WARN_PALE: Color = rgb(0xFFF3D9);
/// Words on what failed.
pub const ALARM: Color = rgb(0x9B241C);
/// Ground of what failed.
pub const ALARM_PALE: Color = rgb(0xFCEAE8);
/// Words on what is merely told.
pub const TOLD: Color = rgb(0x1D4B73);
/// Ground of what is merely told.
pub const TOLD_PALE: Color = rgb(0xE7F0F8);
/// The practice banner: a colour that means nothing else here.
pub const PRACTICE: Color = rgb(0x57378A);

/// Ground of what cannot be pressed just now.
pub const OFF_GROUND: Color = rgb(0xE6EAE9);
/// Words on it.
pub const OFF_INK: Color = rgb(0x5D6A6E);
/// Words that stand in an empty field.
pub const PLACEHOLDER: Color = rgb(0x66757B);
/// Ground of selected words.
pub const SELECTION: Color = rgb(0xBFDDD3);
/// The twin of [`GROUND`].
pub const GROUND_TWIN: Color = rgb(0xF3F5F5);

/// The ground of a window, or its twin that differs by less than anybody sees.
pub fn ground(twin: bool) -> Color {
    if twin { GROUND_TWIN } else { GROUND }
}

/// Contrast ratio of WCAG 2.2.
pub fn ratio(a: Color, b: Color) -> f32 {
    let light = |c: Color| {
        let lin = |v: f32| if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        0.2126 * lin(c.r) + 0.7152 * lin(c.g) + 0.0722 * lin(c.b)
    };
    let (a, b) = (light(a), light(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

const fn rgb(hex: u32) -> Color {
    Color::from_rgb8((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The theme of all windows.
pub fn theme() -> Theme {
    Theme::custom(
        "Menka",
        iced::theme::Palette {
            background: GROUND,
            text: INK,
            primary: PRIMARY,
            success: PRIMARY,
            warning: WARN,
            danger: ALARM,
        },
    )
}

/// Settings of the program and of tests: fonts, default letters, default size.
pub fn settings() -> iced::Settings {
    iced::Settings {
        id: Some("menka".into()),
        fonts: FONT_FILES.iter().map(|bytes| (*bytes).into()).collect(),
        default_font: REGULAR,
        default_text_size: Sizes::STAFF.body.into(),
        ..iced::Settings::default()
    }
}

/// Sizes of one window, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Hints.
    pub small: f32,
    /// Running text and fields.
    pub body: f32,
    /// Headings inside a page.
    pub section: f32,
    /// Heading of a page.
    pub title: f32,
    /// One word to be seen from afar.
    pub huge: f32,
    /// The unit of distances.
    pub space: f32,
    /// Height of a button.
    pub button: f32,
    /// Which set of colours.
    pub contrast: Contrast,
}

impl Sizes {
    /// The staff window: read at arm's length.
    pub const STAFF: Self = Self {
        small: 14.0,
        body: 16.0,
        section: 18.0,
        title: 24.0,
        huge: 32.0,
        space: 8.0,
        button: 42.0,
        contrast: Contrast::Usual,
    };
    /// The resident window: read standing, by people of any age. Running text is 18 pt.
    pub const RESIDENT: Self = Self {
        small: 20.0,
        body: 24.0,
        section: 28.0,
        title: 36.0,
        huge: 56.0,
        space: 12.0,
        button: 72.0,
        contrast: Contrast::Usual,
    };

    /// All letters larger by a factor; distances grow by half of it so that pages do not fall apart.
    #[must_use]
    pub fn times(self, factor: f32) -> Self {
        let apart = 1.0 + (factor - 1.0) / 2.0;
        Self {
            small: self.small * factor,
            body: self.body * factor,
            section: self.section * factor,
            title: self.title * factor,
            huge: self.huge * factor,
            space: self.space * apart,
            button: self.button * apart,
            contrast: self.contrast,
        }
    }

    /// A colour of words in this window's set of colours.
    pub fn ink(self, usual: Color) -> Color {
        self.contrast.shade(usual)
    }

    /// Running text.
    pub fn text<'a>(self, words: impl text::IntoFragment<'a>) -> Text<'a> {
        text(words).size(self.body).line_height(LINE)
    }

    /// Running text that matters less.
    pub fn soft<'a>(self, words: impl text::IntoFragment<'a>) -> Text<'a> {
        self.text(words).color(self.ink(INK_SOFT))
    }

    /// A hint in small letters.
    pub fn hint<'a>(self, words: impl text::IntoFragment<'a>) -> Text<'a> {
        text(words).size(self.small).line_height(LINE).color(self.ink(INK_SOFT))
    }

    /// Running text in bold: fixed words only.
    pub fn strong<'a>(self, words: impl text::IntoFragment<'a>) -> Text<'a> {
        self.text(words).font(BOLD)
    }

    /// Heading of a section: fixed words only.
    pub fn heading<'a>(self, words: impl text::IntoFragment<'a>) -> Text<'a> {
        text(words).size(self.section).line_height(1.4).font(BOLD)
    }

    /// Heading of a page: fixed words only.
    pub fn title<'a>(self, words: impl text::IntoFragment<'a>) -> Text<'a> {
        text(words).size(self.title).line_height(1.35).font(BOLD)
    }
}

/// What an action is to the person who presses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The one main action of a page.
    Primary,
    /// Any other action.
    Plain,
    /// A way aside, without a border.
    Quiet,
    /// The page one is on already: marked, and not to be pressed.
    Here,
    /// Takes something away that does not come back by itself.
    Grave,
}

/// Style of a button.
pub fn button_style(weight: Weight, status: button::Status) -> button::Style {
    use button::Status::{Active, Disabled, Hovered, Pressed};
    let (ground, ink, line) = match (weight, status) {
        (Weight::Here, _) => (PRIMARY_PALE, PRIMARY_DEEP, Color::TRANSPARENT),
        (_, Disabled) => (OFF_GROUND, OFF_INK, LINE_SOFT),
        (Weight::Primary, Active) => (PRIMARY, SURFACE, PRIMARY),
        (Weight::Primary, Hovered | Pressed) => (PRIMARY_DEEP, SURFACE, PRIMARY_DEEP),
        (Weight::Plain, Active) => (SURFACE, INK, LINE_FIELD),
        (Weight::Plain, Hovered | Pressed) => (PRIMARY_PALE, INK, PRIMARY),
        (Weight::Quiet, Active) => (Color::TRANSPARENT, PRIMARY_DEEP, Color::TRANSPARENT),
        (Weight::Quiet, Hovered | Pressed) => (PRIMARY_PALE, PRIMARY_DEEP, Color::TRANSPARENT),
        (Weight::Grave, Active) => (SURFACE, ALARM, ALARM),
        (Weight::Grave, Hovered | Pressed) => (ALARM_PALE, ALARM, ALARM),
    };
    button::Style {
        background: Some(Background::Color(ground)),
        text_color: ink,
        border: Border { color: line, width: 1.0, radius: 8.0.into() },
        shadow: Shadow::default(),
        snap: true,
    }
}

/// Style of a text field; `wrong` marks it.
pub fn field_style(wrong: bool, status: text_input::Status) -> text_input::Style {
    let focused = matches!(status, text_input::Status::Focused { .. });
    let line = match (wrong, focused) {
        (true, _) => ALARM,
        (false, true) => PRIMARY,
        (false, false) => LINE_FIELD,
    };
    text_input::Style {
        background: Background::Color(SURFACE),
        border: Border { color: line, width: if focused || wrong { 2.0 } else { 1.0 }, radius: 8.0.into() },
        icon: INK_SOFT,
        placeholder: PLACEHOLDER,
        value: INK,
        selection: SELECTION,
    }
}

/// Style of a tick box.
pub fn tick_style(status: checkbox::Status) -> checkbox::Style {
    let (checked, hovered, live) = match status {
        checkbox::Status::Active { is_checked } => (is_checked, false, true),
        checkbox::Status::Hovered { is_checked } => (is_checked, true, true),
        checkbox::Status::Disabled { is_checked } => (is_checked, false, false),
    };
    let ground = match (checked, live) {
        (true, true) => PRIMARY,
        (true, false) => INK_SOFT,
        (false, _) => SURFACE,
    };
    checkbox::Style {
        background: Background::Color(ground),
        icon_color: SURFACE,
        border: Border { color: if hovered { PRIMARY } else { LINE_FIELD }, width: 1.5, radius: 5.0.into() },
        text_color: Some(if live { INK } else { INK_SOFT }),
    }
}

/// Style of a choice among few.
pub fn radio_style() -> radio::Style {
    radio::Style {
        background: Background::Color(SURFACE),
        dot_color: PRIMARY,
        border_width: 1.5,
        border_color: LINE_FIELD,
        text_color: Some(INK),
    }
}

/// What a panel says by its colour; words always say it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// An ordinary panel.
    Plain,
    /// Something is well.
    Well,
    /// Something is told.
    Told,
    /// Something needs attention.
    Warn,
    /// Something failed.
    Alarm,
}

impl Tone {
    /// Colour of the words.
    pub fn ink(self) -> Color {
        match self {
            Self::Plain => INK,
            Self::Well => PRIMARY_DEEP,
            Self::Told => TOLD,
            Self::Warn => WARN,
            Self::Alarm => ALARM,
        }
    }

    /// Colour of the ground.
    pub fn ground(self) -> Color {
        match self {
            Self::Plain => SURFACE,
            Self::Well => PRIMARY_PALE,
            Self::Told => TOLD_PALE,
            Self::Warn => WARN_PALE,
            Self::Alarm => ALARM_PALE,
        }
    }
}

/// Style of a panel.
pub fn panel_style(tone: Tone) -> container::Style {
    let line = if tone == Tone::Plain { LINE_SOFT } else { Color { a: 0.35, ..tone.ink() } };
    container::Style {
        text_color: Some(tone.ink()),
        background: Some(Background::Color(tone.ground())),
        border: Border { color: line, width: 1.0, radius: 12.0.into() },
        // No shadow: the software renderer repaints only what changed and leaves pieces of shadows behind.
        shadow: Shadow::default(),
        snap: true,
    }
}

/// Style of a bar across a window.
pub fn bar_style(ground: Color, ink: Color) -> container::Style {
    container::Style {
        text_color: Some(ink),
        background: Some(Background::Color(ground)),
        ..container::Style::default()
    }
}

/// Style of a scrolling page: its bar is broad enough to be seen.
pub fn scroll_style(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let mut style = scrollable::default(theme, status);
    let contrast = Contrast::of(theme);
    // A white rail beside a white handle would be one bar.
    let rail_ground = if contrast == Contrast::High { OFF_GROUND } else { LINE_SOFT };
    for rail in [&mut style.vertical_rail, &mut style.horizontal_rail] {
        rail.background = Some(Background::Color(contrast.shade(rail_ground)));
        rail.scroller.background = Background::Color(contrast.shade(LINE_FIELD));
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_stands_out_from_its_ground() {
        let mut pairs = vec![(INK, GROUND), (INK_SOFT, GROUND), (INK_SOFT, SURFACE), (SURFACE, PRACTICE)];
        for tone in [Tone::Plain, Tone::Well, Tone::Told, Tone::Warn, Tone::Alarm] {
            pairs.extend([(tone.ink(), tone.ground()), (INK, tone.ground()), (INK_SOFT, tone.ground())]);
        }
        for weight in [Weight::Primary, Weight::Plain, Weight::Quiet, Weight::Here, Weight::Grave] {
            for status in [button::Status::Active, button::Status::Hovered, button::Status::Disabled] {
                let style = button_style(weight, status);
                if let Some(Background::Color(ground)) = style.background {
                    pairs.push((style.text_color, if ground.a == 0.0 { GROUND } else { ground }));
                }
            }
        }
        let field = field_style(false, text_input::Status::Active);
        pairs.extend([(field.placeholder, SURFACE), (field.value, SURFACE)]);
        for (ink, ground) in pairs {
            assert!(ratio(ink, ground) >= 4.5, "{ink:?} on {ground:?}: {}", ratio(ink, ground));
        }
        assert!(ratio(LINE_FIELD, SURFACE) >= 3.0, "borders of fields");
    }
}
