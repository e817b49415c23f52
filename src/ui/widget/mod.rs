//! The building blocks of all windows: buttons with ids, panels, fields. Screens put these together and style nothing themselves.

mod by_key;

use iced::widget::{Column, Id, Text, button, checkbox, column, container, row, scrollable, space, text, text_input};
use iced::{Center, Element, Fill, Length, Padding};

use super::contrast::Contrast;
use super::theme::{self, Sizes, Tone, Weight};
use crate::i18n::Texts;
use crate::tr;

pub use by_key::by_key;

/// A button that tests, and people's fingers, find: buttons of iced have no id, so a container around it carries one.
///
/// Without a message it is shown but cannot be pressed.
pub fn action<'a, M: Clone + 'a>(
    sizes: Sizes,
    id: impl Into<Id>,
    label: impl text::IntoFragment<'a>,
    weight: Weight,
    message: Option<M>,
) -> Element<'a, M> {
    container(press(sizes, label, weight, Length::Shrink, message)).id(id).into()
}

/// The same, as wide as what it stands in.
pub fn wide_action<'a, M: Clone + 'a>(
    sizes: Sizes,
    id: impl Into<Id>,
    label: impl text::IntoFragment<'a>,
    weight: Weight,
    message: Option<M>,
) -> Element<'a, M> {
    container(press(sizes, label, weight, Fill, message)).id(id).width(Fill).into()
}

fn press<'a, M: Clone + 'a>(
    sizes: Sizes,
    label: impl text::IntoFragment<'a>,
    weight: Weight,
    width: Length,
    message: Option<M>,
) -> button::Button<'a, M> {
    let font = if weight == Weight::Primary { theme::BOLD } else { theme::REGULAR };
    let label = text(label).size(sizes.body).line_height(1.25).font(font).align_x(Center);
    let label = if width == Length::Shrink { label } else { label.width(Fill) };
    // As tall as its words, so that a test sees when they do not fit.
    button(container(label).center_y(Fill))
        .height(sizes.button)
        .width(width)
        .padding(Padding::from([0.0, sizes.space * 2.0]))
        .style(move |theme, status| Contrast::of(theme).button(theme::button_style(weight, status)))
        .on_press_maybe(message)
}

/// A choice in a list of pages: its words begin at the left.
pub fn choice<'a, M: Clone + 'a>(
    sizes: Sizes,
    id: impl Into<Id>,
    label: impl text::IntoFragment<'a>,
    here: bool,
    message: M,
) -> Element<'a, M> {
    let weight = if here { Weight::Here } else { Weight::Quiet };
    let label = text(label).size(sizes.body).line_height(1.25).align_y(Center).height(Fill).width(Fill);
    let key = button(label)
        .height(sizes.button)
        .width(Fill)
        .padding(Padding::from([0.0, sizes.space * 2.0]))
        .style(move |theme, status| Contrast::of(theme).button(theme::button_style(weight, status)))
        .on_press(message);
    container(key).id(id).width(Fill).into()
}

/// One side of an [`equal_pair`].
pub struct Side<M> {
    /// Id for tests.
    pub id: &'static str,
    /// Words.
    pub label: String,
    /// What it says; without it the button is shown but cannot be pressed.
    pub message: Option<M>,
}

impl<M> Side<M> {
    /// A side.
    pub fn new(id: &'static str, label: impl Into<String>, message: Option<M>) -> Self {
        Self { id, label: label.into(), message }
    }
}

/// Two buttons for a decision: same size, same weight, same distance, so that neither is nudged.
pub fn equal_pair<'a, M: Clone + 'a>(sizes: Sizes, left: Side<M>, right: Side<M>) -> Element<'a, M> {
    let side = |side: Side<M>| {
        let pressed = press(sizes, side.label, Weight::Plain, Fill, side.message.clone()).height(sizes.button * 1.25);
        container(by_key(pressed, side.message)).id(side.id).width(Length::FillPortion(1))
    };
    row![side(left), side(right)].spacing(sizes.space * 3.0).width(Fill).into()
}

/// A panel around something.
pub fn panel<'a, M: 'a>(sizes: Sizes, tone: Tone, content: impl Into<Element<'a, M>>) -> container::Container<'a, M> {
    container(content)
        .padding(sizes.space * 2.5)
        .width(Fill)
        .style(move |theme| Contrast::of(theme).panel(theme::panel_style(tone)))
}

/// A message of one or two lines in a coloured panel: what happened, and what to do now.
pub fn telling<'a, M: 'a>(
    sizes: Sizes,
    id: impl Into<Id>,
    tone: Tone,
    what: impl text::IntoFragment<'a>,
    todo: Option<String>,
) -> Element<'a, M> {
    let todo = todo.filter(|t| !t.is_empty()).map(|t| sizes.text(t).color(sizes.ink(theme::INK)));
    container(
        panel(sizes, tone, column![sizes.text(what).color(sizes.ink(tone.ink()))].push(todo))
            .padding([sizes.space * 1.25, sizes.space * 2.0]),
    )
    .id(id)
    .width(Fill)
    .into()
}

/// A text field as a screen describes it.
pub struct Field<'a> {
    /// Id of the input, for focus and tests.
    pub id: Id,
    /// Label above it.
    pub label: String,
    /// Shown while it is empty.
    pub placeholder: String,
    /// What is typed.
    pub value: &'a str,
    /// A line below it when nothing is wrong.
    pub hint: Option<String>,
    /// A line below it when something is wrong.
    pub wrong: Option<String>,
    /// Shows dots instead of letters.
    pub secret: bool,
}

impl<'a> Field<'a> {
    /// A field with a label.
    pub fn new(id: impl Into<Id>, label: impl Into<String>, value: &'a str) -> Self {
        Self {
            id: id.into(),
            label: label.into(),
            placeholder: String::new(),
            value,
            hint: None,
            wrong: None,
            secret: false,
        }
    }

    /// Words shown while it is empty.
    #[must_use]
    pub fn placeholder(mut self, words: impl Into<String>) -> Self {
        self.placeholder = words.into();
        self
    }

    /// A line below it.
    #[must_use]
    pub fn hint(mut self, words: impl Into<String>) -> Self {
        self.hint = Some(words.into());
        self
    }

    /// What is wrong with it.
    #[must_use]
    pub fn wrong(mut self, words: Option<String>) -> Self {
        self.wrong = words;
        self
    }

    /// Dots instead of letters, and no copying out of it.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Draws it. `submit` is sent by Enter.
    pub fn view<M: Clone + 'a>(
        self,
        sizes: Sizes,
        typed: impl Fn(String) -> M + 'a,
        submit: Option<M>,
    ) -> Element<'a, M> {
        let wrong = self.wrong.is_some();
        let input = text_input(&self.placeholder, self.value)
            .id(self.id)
            .secure(self.secret)
            .size(sizes.body)
            .line_height(1.4)
            .padding(Padding::from([sizes.space * 1.1, sizes.space * 1.5]))
            .style(move |theme, status| Contrast::of(theme).field(theme::field_style(wrong, status)))
            .on_input(typed)
            .on_submit_maybe(submit);
        let below = match (self.wrong, self.hint) {
            (Some(words), _) => Some(sizes.hint(words).color(sizes.ink(theme::ALARM))),
            (None, Some(words)) => Some(sizes.hint(words)),
            (None, None) => None,
        };
        column![text(self.label).size(sizes.body).line_height(1.4), input].push(below).spacing(sizes.space * 0.5).into()
    }
}

/// A tick box with words.
pub fn tick<'a, M: 'a>(
    sizes: Sizes,
    id: impl Into<Id>,
    label: impl text::IntoFragment<'a>,
    ticked: bool,
    toggled: Option<impl Fn(bool) -> M + 'a>,
) -> Element<'a, M> {
    container(
        checkbox(ticked)
            .label(label)
            .size(sizes.body * 1.3)
            .text_size(sizes.body)
            .text_line_height(1.5)
            .spacing(sizes.space * 1.25)
            .style(|theme, status| Contrast::of(theme).tick(theme::tick_style(status)))
            .on_toggle_maybe(toggled),
    )
    .id(id)
    .into()
}

/// A short word in a coloured pill: a state, never a control.
pub fn pill<'a, M: 'a>(sizes: Sizes, tone: Tone, words: impl text::IntoFragment<'a>) -> Element<'a, M> {
    container(text(words).size(sizes.small).line_height(1.3).color(sizes.ink(tone.ink())))
        .padding([sizes.space * 0.3, sizes.space * 1.1])
        .style(move |theme| {
            let mut style = Contrast::of(theme).panel(theme::panel_style(tone));
            style.border.radius = 99.0.into();
            style
        })
        .into()
}

/// A label and its value side by side.
pub fn fact<'a, M: 'a>(sizes: Sizes, label: String, value: Text<'a>) -> Element<'a, M> {
    row![container(sizes.soft(label)).width(Length::FillPortion(2)), container(value).width(Length::FillPortion(5)),]
        .spacing(sizes.space * 1.5)
        .into()
}

/// A page that scrolls when it is too tall.
pub fn scroll<'a, M: 'a>(id: &'static str, content: impl Into<Element<'a, M>>) -> scrollable::Scrollable<'a, M> {
    scrollable(content)
        .id(id)
        .direction(scrollable::Direction::Vertical(
            scrollable::Scrollbar::new().width(10).scroller_width(10).spacing(8),
        ))
        .style(theme::scroll_style)
        .width(Fill)
}

/// The fixed banner of a practice site, on top of every window.
pub fn practice_banner<'a, M: 'a>(sizes: Sizes, texts: &Texts) -> Element<'a, M> {
    container(
        text(tr!(texts, "practice-banner"))
            .size(sizes.small.max(15.0))
            .line_height(1.3)
            .font(theme::BOLD)
            .align_x(Center),
    )
    .id("practice-banner")
    .width(Fill)
    .align_x(Center)
    .padding([sizes.space * 0.6, sizes.space * 2.0])
    .style(|theme| Contrast::of(theme).panel(theme::bar_style(theme::PRACTICE, theme::SURFACE)))
    .into()
}

/// Things below each other at the usual distance.
pub fn stack<'a, M: 'a>(sizes: Sizes, things: impl IntoIterator<Item = Element<'a, M>>) -> Column<'a, M> {
    Column::with_children(things).spacing(sizes.space * 2.0)
}

/// Something that is there at times, in a place that is always there.
///
/// iced remembers the caret of a field by the field's place among its neighbours: a neighbour that comes or goes above it would take the
/// caret away in the middle of a word. `gap` is the distance to what follows.
pub fn at_times<'a, M: 'a>(thing: Option<Element<'a, M>>, gap: f32) -> Element<'a, M> {
    match thing {
        Some(thing) => container(thing).padding(Padding::ZERO.bottom(gap)).width(Fill).into(),
        None => container(space()).into(),
    }
}

/// The same, to the left of what is always there.
pub fn beside<'a, M: 'a>(thing: Option<Element<'a, M>>, gap: f32) -> Element<'a, M> {
    match thing {
        Some(thing) => container(thing).padding(Padding::ZERO.right(gap)).width(Fill).into(),
        None => container(space()).into(),
    }
}

/// An empty stretch that pushes its neighbours apart.
pub fn gap<'a, M: 'a>() -> Element<'a, M> {
    space::horizontal().into()
}
