//! The decision under way: the tick, and the signature. Nothing of it is kept when the page goes. Rules: P14a, P29.

use crate::domain::consent::Signature;
use crate::secret::Typed;

use super::SignMessage;

/// Longest name that can be typed as a signature, as long as a resident's name may be.
const NAME_CHARS_MAX: usize = crate::domain::resident::PersonName::CHARS_MAX;

/// The decision page: nothing is ticked or signed when it opens.
#[derive(Default)]
pub(super) struct Decision {
    pub ticked: bool,
    pub signing: bool,
    pub typing: bool,
    pub strokes: Vec<Vec<(u16, u16)>>,
    pub name: Typed,
}

impl Decision {
    /// Takes the signature; nothing of it stays here.
    pub fn take_signature(&mut self) -> Signature {
        let decision = std::mem::take(self);
        if decision.typing {
            Signature::TypedName(decision.name.as_str().trim().to_owned())
        } else {
            Signature::Strokes(decision.strokes)
        }
    }

    pub fn is_signed(&self) -> bool {
        if self.typing { !self.name.as_str().trim().is_empty() } else { self.strokes.iter().any(|s| s.len() >= 2) }
    }

    /// Takes in what was drawn or typed, once the signature is asked for.
    pub fn sign(&mut self, change: SignMessage) {
        let decision = self;
        if !decision.signing {
            return;
        }
        match change {
            SignMessage::PenDown(x, y) => {
                if decision.strokes.len() < Signature::STROKES_MAX {
                    decision.strokes.push(vec![(x, y)]);
                }
            }
            SignMessage::PenMoved(x, y) => {
                if let Some(stroke) = decision.strokes.last_mut()
                    && stroke.len() < Signature::POINTS_MAX
                {
                    stroke.push((x, y));
                }
            }
            SignMessage::Cleared => {
                decision.strokes.clear();
                decision.name = Typed::default();
            }
            SignMessage::ByTyping(typing) => decision.typing = typing,
            SignMessage::NameTyped(name) => {
                if name.as_str().chars().count() <= NAME_CHARS_MAX {
                    decision.name = name;
                }
            }
        }
    }
}
