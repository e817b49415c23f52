//! Keys that work wherever the caret is: Ctrl+L, Tab, and what a keyboard-wedge reader types when no field has the caret.

use iced::event::Status;
use iced::keyboard::{Event, Key, key::Named};

use crate::secret::Typed;

/// Typed while no field had the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stray {
    /// Letters or digits.
    Text(Typed),
    /// Enter.
    Enter,
}

/// What a key means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Ctrl+L: lock.
    Lock,
    /// Tab.
    NextField,
    /// Shift and Tab.
    PreviousField,
    /// Letters or Enter that no field took.
    Stray(Stray),
}

/// A sign of life on a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A finger or a button of the mouse goes down.
    Down,
    /// It goes up again.
    Up,
    /// The wheel, or a key.
    Passing,
}

/// Whether a window is touched by finger, mouse or wheel.
pub fn touch(event: &iced::Event) -> Option<Touch> {
    use iced::{Event as Input, mouse, touch};
    match event {
        Input::Mouse(mouse::Event::ButtonPressed(_)) | Input::Touch(touch::Event::FingerPressed { .. }) => {
            Some(Touch::Down)
        }
        Input::Mouse(mouse::Event::ButtonReleased(_))
        | Input::Touch(touch::Event::FingerLifted { .. } | touch::Event::FingerLost { .. }) => Some(Touch::Up),
        Input::Mouse(mouse::Event::WheelScrolled { .. }) => Some(Touch::Passing),
        _ => None,
    }
}

/// Reads a key. Escape is deliberately nothing: pressed by accident, it must not lose anybody's work.
pub fn shortcut(event: iced::Event, status: Status) -> Option<Shortcut> {
    let iced::Event::Keyboard(Event::KeyPressed { key, modifiers, text, .. }) = event else { return None };
    let ignored = status == Status::Ignored;
    match key.as_ref() {
        Key::Character("l" | "L") if modifiers.command() => Some(Shortcut::Lock),
        Key::Named(Named::Tab) if modifiers.shift() => Some(Shortcut::PreviousField),
        Key::Named(Named::Tab) => Some(Shortcut::NextField),
        Key::Named(Named::Enter) if ignored => Some(Shortcut::Stray(Stray::Enter)),
        _ if ignored && !modifiers.command() && !modifiers.alt() => {
            let typed: String = text?.chars().filter(|c| !c.is_control()).collect();
            (!typed.is_empty()).then(|| Shortcut::Stray(Stray::Text(typed.into())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use iced::keyboard::{Location, Modifiers, key::Physical};

    use super::*;

    fn press(key: Key, modifiers: Modifiers, text: Option<&str>, status: Status) -> Option<Shortcut> {
        let event = Event::KeyPressed {
            modified_key: key.clone(),
            key,
            physical_key: Physical::Unidentified(iced::keyboard::key::NativeCode::Unidentified),
            location: Location::Standard,
            modifiers,
            text: text.map(Into::into),
            repeat: false,
        };
        shortcut(iced::Event::Keyboard(event), status)
    }

    #[test]
    fn ctrl_l_locks_even_while_a_field_has_the_caret_and_escape_does_nothing() {
        let l = Key::Character("l".into());
        assert_eq!(press(l.clone(), Modifiers::CTRL, Some("l"), Status::Captured), Some(Shortcut::Lock));
        assert_eq!(press(l, Modifiers::empty(), Some("l"), Status::Captured), None);
        for status in [Status::Captured, Status::Ignored] {
            assert_eq!(press(Key::Named(Named::Escape), Modifiers::empty(), Some("\u{1b}"), status), None);
        }
    }

    #[test]
    fn letters_are_stray_only_when_no_field_took_them() {
        let seven = || Key::Character("7".into());
        let stray = Some(Shortcut::Stray(Stray::Text("7".to_owned().into())));
        assert_eq!(press(seven(), Modifiers::empty(), Some("7"), Status::Ignored), stray);
        assert_eq!(press(seven(), Modifiers::empty(), Some("7"), Status::Captured), None);
        assert_eq!(press(seven(), Modifiers::ALT, Some("7"), Status::Ignored), None);
        let enter = Key::Named(Named::Enter);
        assert_eq!(
            press(enter.clone(), Modifiers::empty(), Some("\r"), Status::Ignored),
            Some(Shortcut::Stray(Stray::Enter))
        );
        assert_eq!(press(enter, Modifiers::empty(), Some("\r"), Status::Captured), None);
    }
}
