//! The rhythm at a door with a camera: when somebody has shown that they want to be recognised, and when enough was done for them. Pure: told
//! what each look found and how much time has passed.
//!
//! Somebody who walks past is not looked up (recognition is asked for): a face must come near, be alone, and stay in its place for
//! [`STAND`]. The door opens once an approach, rests for [`PAUSE`] after that, and a face that is not known is tried [`TRIES_MAX`] times.

use std::time::Duration;

use crate::domain::quality::{FaceBox, Look};

/// How long a face stays in its place before it is looked up.
pub const STAND: Duration = Duration::from_millis(500);

/// Looks that must have found it there.
pub const LOOKS_MIN: u32 = 3;

/// After looks without a face for this long, whoever comes is somebody new.
pub const GONE: Duration = Duration::from_secs(1);

/// The same after this long without any look: a slow engine is no leaving, but what happened meanwhile nobody saw.
pub const UNSEEN_MAX: Duration = Duration::from_secs(6);

/// After an opening nobody is looked up for this long: the door stands open.
pub const PAUSE: Duration = Duration::from_secs(3);

/// Between two tries of the same approach.
pub const TRY_AGAIN: Duration = Duration::from_millis(400);

/// Tries an approach; then the card.
pub const TRIES_MAX: u32 = 5;

/// Somebody who was not known and stays is tried anew after this long.
pub const ANEW: Duration = Duration::from_secs(8);

/// How an approach stands.
#[derive(Clone, Copy, Debug, Default)]
struct Present {
    since: Duration,
    seen: Duration,
    /// The first look since then that found nobody.
    missed: Option<Duration>,
    looks: u32,
    tries: u32,
    /// Not before this.
    next: Duration,
    /// The door opened for it.
    opened: bool,
}

/// Who stands before the camera, as far as the rhythm goes: a place and times, nothing of a face.
#[derive(Debug, Default)]
pub struct Approach {
    present: Option<(Present, FaceBox)>,
    /// The door opened a moment ago.
    rests_until: Duration,
}

/// The only face of a look, if it is near: at least `share` of the picture's width.
pub fn near(look: &Look, share: f32) -> Option<FaceBox> {
    #[allow(clippy::cast_precision_loss, reason = "a picture's width")]
    let least = look.frame.0 as f32 * share;
    match look.faces.as_slice() {
        [face] if face.width >= least => Some(*face),
        _ => None,
    }
}

impl Approach {
    /// Takes in what a look found, `at` since the loop began. The face, if it is to be looked up now.
    pub fn step(&mut self, face: Option<FaceBox>, at: Duration) -> Option<FaceBox> {
        let mut before = self.present.take().filter(|(present, _)| at.saturating_sub(present.seen) <= UNSEEN_MAX);
        let Some(face) = face else {
            if let Some((present, _)) = &mut before {
                let missed = *present.missed.get_or_insert(at);
                before = before.filter(|_| at.saturating_sub(missed) < GONE);
            }
            self.present = before;
            return None;
        };
        let same = before.filter(|(_, place)| is_near(place, &face));
        let (mut present, _) = same.unwrap_or((Present { since: at, ..Present::default() }, face));
        (present.seen, present.missed, present.looks) = (at, None, present.looks.saturating_add(1));
        let stands = at.saturating_sub(present.since) >= STAND && present.looks >= LOOKS_MIN;
        let due = stands && !present.opened && at >= present.next && at >= self.rests_until;
        self.present = Some((present, face));
        due.then_some(face)
    }

    /// What came of looking up the face that [`Self::step`] named.
    pub fn tried(&mut self, opened: bool, at: Duration) {
        if opened {
            self.rests_until = at + PAUSE;
        }
        let Some((present, _)) = &mut self.present else { return };
        present.opened = opened;
        present.tries += 1;
        present.next = at + TRY_AGAIN;
        if present.tries >= TRIES_MAX {
            (present.tries, present.next) = (0, at + ANEW);
        }
    }

    /// Whether somebody stands there.
    pub fn is_somebody_there(&self) -> bool {
        self.present.is_some()
    }
}

/// The centre of each lies inside the other: the same face a moment later.
fn is_near(one: &FaceBox, other: &FaceBox) -> bool {
    let holds = |outer: &FaceBox, inner: &FaceBox| {
        let (x, y) = (inner.x + inner.width / 2.0, inner.y + inner.height / 2.0);
        (outer.x..outer.x + outer.width).contains(&x) && (outer.y..outer.y + outer.height).contains(&y)
    };
    holds(one, other) && holds(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32) -> FaceBox {
        FaceBox { x, y: 100.0, width: 120.0, height: 150.0, score: 0.9, landmarks: [(0.0, 0.0); 5] }
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Looks every 100 ms from `from` to `to` at what `seen` says; the times at which somebody is looked up.
    fn watch(
        approach: &mut Approach,
        (from, to): (u64, u64),
        opens: bool,
        seen: impl Fn(u64) -> Option<FaceBox>,
    ) -> Vec<u64> {
        let mut tried = vec![];
        for at in (from..to).step_by(100) {
            if approach.step(seen(at), ms(at)).is_some() {
                tried.push(at);
                approach.tried(opens, ms(at));
            }
        }
        tried
    }

    #[test]
    fn who_walks_past_is_not_looked_up() {
        let mut approach = Approach::default();
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let walking = |at: u64| Some(face(at as f32 * 0.9));
        assert_eq!(watch(&mut approach, (0, 3_000), true, walking), Vec::<u64>::new());
        assert_eq!(watch(&mut Approach::default(), (0, 400), true, |_| Some(face(0.0))), Vec::<u64>::new());
    }

    #[test]
    fn the_door_opens_once_an_approach_and_again_after_somebody_has_gone() {
        let mut approach = Approach::default();
        assert_eq!(watch(&mut approach, (0, 60_000), true, |_| Some(face(0.0))), [500], "however long they stay");
        assert_eq!(watch(&mut approach, (60_000, 61_000), true, |_| None), Vec::<u64>::new());
        assert!(approach.is_somebody_there(), "a moment without a face is no leaving");
        assert_eq!(watch(&mut approach, (61_000, 62_000), true, |_| None), Vec::<u64>::new());
        assert!(!approach.is_somebody_there());
        assert_eq!(watch(&mut approach, (62_000, 70_000), true, |_| Some(face(0.0))), [62_500]);
    }

    #[test]
    fn a_slow_engine_does_not_make_one_approach_into_several() {
        let mut approach = Approach::default();
        let mut opened = vec![];
        for at in (0..60_000).step_by(2_500) {
            if approach.step(Some(face(0.0)), ms(at)).is_some() {
                opened.push(at);
                approach.tried(true, ms(at));
            }
        }
        assert_eq!(opened, [5_000], "looks 2.5 s apart");
        assert_eq!(approach.step(Some(face(0.0)), ms(70_000)), None, "nobody looked for ten seconds: a new approach");
        assert_eq!(approach.present.map(|(present, _)| present.looks), Some(1));
    }

    #[test]
    fn the_next_in_the_queue_is_looked_up_once_the_door_has_rested() {
        let mut approach = Approach::default();
        // One leaves to the side while the next is there already: the view is never empty.
        let queue = |at: u64| Some(face(if at < 1_000 { 0.0 } else { 300.0 }));
        assert_eq!(watch(&mut approach, (0, 10_000), true, queue), [500, 3_500]);
    }

    #[test]
    fn a_stranger_is_tried_a_few_times_and_then_left_alone_for_a_while() {
        let mut approach = Approach::default();
        let tried = watch(&mut approach, (0, 12_000), false, |_| Some(face(0.0)));
        assert_eq!(tried, [500, 900, 1_300, 1_700, 2_100, 10_100, 10_500, 10_900, 11_300, 11_700]);
    }

    #[test]
    fn only_one_near_face_counts() {
        let look =
            |faces: Vec<FaceBox>| Look { frame: (640, 480), faces, luma: 100.0, contrast: 40.0, sharpness: 100.0 };
        assert_eq!(near(&look(vec![face(0.0)]), 0.12), Some(face(0.0)));
        assert_eq!(near(&look(vec![face(0.0), face(300.0)]), 0.12), None, "two");
        assert_eq!(near(&look(vec![face(0.0)]), 0.25), None, "far");
        assert_eq!(near(&look(vec![]), 0.12), None);
    }
}
