//! What people do at the desk, as far as it must survive anything. Another act is another line of [`ACTS`].

use super::desk::Said;
use super::world::{Known, World};

/// Who is there before the act.
#[derive(Clone, Copy, Debug)]
pub enum Before {
    /// A resident without a card.
    Somebody,
    /// With a card that every gate knows.
    Card,
    /// With a face at every gate.
    Face,
    /// A card is issued and not yet delivered.
    CardOnTheWay,
    /// The card is taken back and the gates do not know yet.
    RemovalOnTheWay,
    /// The face is paused and the gates do not know yet.
    PauseOnTheWay,
    /// The face is taken up again and the gates do not know yet.
    ThawOnTheWay,
    /// The face is withdrawn and the gates do not know yet.
    ErasureOnTheWay,
    /// The record was closed: the face is to be erased and the card taken back, and the gates do not know yet.
    EndOnTheWay,
}

/// What is in question while the act runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touches {
    Nothing,
    Card(Known),
    Face(Known),
    Both(Known),
    Pause(Known),
}

/// One act.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    pub name: &'static str,
    pub before: Before,
    /// The command; `ID`, `CARD` and `SEAT` are the person's.
    pub line: &'static str,
    pub touches: Touches,
}

const fn act(name: &'static str, before: Before, line: &'static str, touches: Touches) -> Act {
    Act { name, before, line, touches }
}

pub const ACTS: &[Act] = &[
    act("issue a card", Before::Somebody, "issue ID CARD", Touches::Card(Known::Yes)),
    act("deliver a card", Before::CardOnTheWay, "settle 20", Touches::Nothing),
    act("take a card back", Before::RemovalOnTheWay, "settle 20", Touches::Nothing),
    act("enroll", Before::Card, "enroll CARD SEAT", Touches::Face(Known::Yes)),
    act("withdraw", Before::Face, "withdraw CARD", Touches::Face(Known::No)),
    act("erase", Before::ErasureOnTheWay, "settle 20", Touches::Nothing),
    act("pause", Before::Face, "pause ID", Touches::Pause(Known::Yes)),
    act("freeze", Before::PauseOnTheWay, "settle 20", Touches::Nothing),
    act("thaw", Before::ThawOnTheWay, "settle 20", Touches::Nothing),
    act("end everything", Before::Face, "close ID", Touches::Both(Known::No)),
    act("deliver an end", Before::EndOnTheWay, "settle 20", Touches::Nothing),
    act("lock", Before::Somebody, "lock", Touches::Nothing),
];

impl Act {
    /// The act of this name.
    pub fn named(name: &str) -> Self {
        *ACTS.iter().find(|act| act.name == name).unwrap_or_else(|| panic!("no act {name}"))
    }

    /// Whether somebody must come before the camera first.
    pub fn is_long(self) -> bool {
        !matches!(self.before, Before::Somebody | Before::CardOnTheWay | Before::RemovalOnTheWay)
    }

    /// Brings a new person to where the act begins.
    pub fn prepare(self, world: &mut World<'_>) -> usize {
        match self.before {
            Before::Somebody => world.somebody(),
            Before::Card => world.with_card(),
            Before::Face => world.with_face(),
            Before::CardOnTheWay => {
                let person = world.somebody();
                world.must(&Self::named("issue a card").line_for(world, person));
                world.people[person].card = Known::Yes;
                person
            }
            Before::RemovalOnTheWay => {
                let person = world.with_card();
                world.must(&Self::named("end everything").line_for(world, person));
                world.people[person].card = Known::No;
                person
            }
            Before::PauseOnTheWay | Before::ThawOnTheWay => {
                let person = world.with_face();
                world.must(&Self::named("pause").line_for(world, person));
                world.people[person].paused = Known::Yes;
                if matches!(self.before, Before::ThawOnTheWay) {
                    world.must("settle 20");
                    world.must(&format!("resume {}", world.people[person].id));
                    world.people[person].paused = Known::No;
                }
                person
            }
            Before::EndOnTheWay => {
                let person = world.with_face();
                world.must(&Self::named("end everything").line_for(world, person));
                let ended = &mut world.people[person];
                (ended.card, ended.face) = (Known::No, Known::No);
                person
            }
            Before::ErasureOnTheWay => {
                let person = world.with_face();
                world.must(&Self::named("withdraw").line_for(world, person));
                world.people[person].face = Known::No;
                person
            }
        }
    }

    /// The command for a person.
    pub fn line_for(self, world: &World<'_>, person: usize) -> String {
        let someone = &world.people[person];
        self.line
            .replace("CARD", &someone.card_number.to_string())
            .replace("SEAT", &(person % 6).to_string())
            .replace("ID", &someone.id)
    }

    /// What people know after an answer. What ended without one may be either.
    pub fn note(self, world: &mut World<'_>, person: usize, said: &Said) {
        let to = |after: Known| if said.is_ok() { after } else { Known::Open };
        let someone = &mut world.people[person];
        match self.touches {
            Touches::Nothing => {}
            Touches::Card(after) => someone.card = to(after),
            Touches::Face(after) => someone.face = to(after),
            Touches::Pause(after) => someone.paused = to(after),
            Touches::Both(after) => {
                someone.card = to(after);
                someone.face = to(after);
            }
        }
    }

    /// Once everything is quiet again: what did not happen is done now, as a person would, and must succeed.
    pub fn finish(self, world: &mut World<'_>, person: usize) {
        let someone = &world.people[person];
        let again = match self.touches {
            Touches::Nothing => false,
            Touches::Card(after) => someone.card != after,
            Touches::Face(after) => someone.face != after,
            Touches::Pause(after) => someone.paused != after,
            Touches::Both(after) => someone.card != after || someone.face != after,
        };
        if again {
            let line = self.line_for(world, person);
            world.must(&line);
            self.note(world, person, &Said::Ok(String::new()));
            world.must("settle 60");
            world.check(person);
        }
    }
}
