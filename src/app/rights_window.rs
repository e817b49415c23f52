//! "My information and rights" on the resident window: the own card first, then the own information only.

use std::path::Path;
use std::sync::Arc;

use super::desk::{Desk, failure_of};
use super::enroll::{Flow, Withdrawer};
use super::event::Failure;
use super::rights::{AllHeld, ChangeView, MineView, RequestFault, RightsAct, RightsScene, RightsTold};
use crate::domain::audit::Actor;
use crate::domain::card::CardUid;
use crate::domain::id::{ResidentId, ShowingId};
use crate::domain::rights::{Came, Field, Given, Identity, RequestKind, section_label};
use crate::domain::time::Timestamp;
use crate::vault::NewRequest;

/// Longest stay on one's own information without a touch, in milliseconds: it is personal, so shorter than reading the notice.
pub const MINE_MS_MAX: i64 = 5 * 60_000;

/// What somebody may ask of the staff from the window; the rest is done there and then.
const ASKED_OF_STAFF: [RequestKind; 6] = [
    RequestKind::Pause,
    RequestKind::Correct,
    RequestKind::Explain,
    RequestKind::Close,
    RequestKind::AfterDeath,
    RequestKind::Complaint,
];

/// Where the resident window is in it.
pub(super) enum RightsFlow {
    /// A card is waited for.
    Tap,
    /// The person whose card was tapped.
    Mine(Box<Mine>),
}

/// One person's visit.
pub(super) struct Mine {
    pub resident: ResidentId,
    /// What was registered in this visit: a second look is the same request.
    pub noted: Vec<RequestKind>,
    /// Everything held, while it is shown.
    pub text: Option<AllHeld>,
    /// The refusal of a face is being confirmed.
    pub confirming: bool,
    /// A text that was on this person's screen, while it is shown again.
    pub shown: Option<ShowingId>,
    /// Which page of the own face is shown.
    pub step: Step,
}

/// Which page of one's own face is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    /// None: the list, or another page.
    #[default]
    List,
    /// A copy of the own template.
    Copy,
    /// A new one in place of a bad one.
    Redo,
}

impl Desk {
    pub(super) fn handle_rights_act(&mut self, act: RightsAct, now: Timestamp) {
        match act {
            RightsAct::AskMine => return self.ask_mine(),
            RightsAct::Explain(section) => return self.explained_on_window(section, now),
            _ => {}
        }
        let mut mine = match self.flow() {
            Flow::Rights(RightsFlow::Mine(mine)) => mine,
            other => return self.set(other),
        };
        match act {
            RightsAct::Mine => {
                (mine.text, mine.confirming) = (None, false);
                self.show_mine(mine, now);
            }
            RightsAct::SeeAll => match self.all_held(mine.resident, Given::Shown, false, now) {
                Ok((_, text)) => {
                    let text = AllHeld(Arc::new(text));
                    mine.text = Some(text.clone());
                    self.note_once(&mut mine, RequestKind::See, "seen-on-window", now);
                    self.set(Flow::Rights(RightsFlow::Mine(mine)));
                    self.rights_scene(RightsScene::All { text, saved_to: None });
                }
                Err(failure) => self.mine_failed(failure),
            },
            RightsAct::SavePaper(path) => self.save_mine(mine, Given::Paper, &path, now),
            RightsAct::SaveCopy(path) => self.save_mine(mine, Given::Electronic, &path, now),
            RightsAct::ConfirmChanges => {
                self.vault(|v| v.confirm_changes(mine.resident, now));
                self.show_mine(mine, now);
            }
            RightsAct::Ask(kind) if ASKED_OF_STAFF.contains(&kind) => self.ask_staff(mine, kind, now),
            RightsAct::RefuseFace => {
                mine.confirming = true;
                self.confirm_refuse_face(mine);
            }
            RightsAct::ConfirmRefuseFace if mine.confirming => self.refuse_own_face(mine, now),
            RightsAct::AllowFace => {
                self.vault(|v| v.unrestrict(mine.resident, now));
                self.show_mine(mine, now);
            }
            RightsAct::OwnFace(act) => self.handle_own_face(act, mine, now),
            RightsAct::Withdraw => {
                let resident = mine.resident;
                let has_face = self
                    .vault(|v| Ok(v.current_consent(resident)?.is_some() || !v.erase_pending(resident)?.is_empty()));
                if has_face == Some(true) {
                    self.begin_withdraw(Withdrawer::by_card(resident))
                } else {
                    self.show_mine(mine, now)
                }
            }
            RightsAct::Shown(act) => self.handle_shown(mine, act, now),
            RightsAct::Ask(_) | RightsAct::ConfirmRefuseFace | RightsAct::AskMine | RightsAct::Explain(_) => {
                self.set(Flow::Rights(RightsFlow::Mine(mine)));
            }
        }
    }

    fn ask_mine(&mut self) {
        let waits = matches!(
            self.open.as_ref().map(|o| &o.flow),
            Some(Flow::Idle | Flow::Rules | Flow::TapCard { .. } | Flow::Rights(RightsFlow::Tap))
        );
        if waits {
            self.set(Flow::Rights(RightsFlow::Tap));
            self.rights_scene(RightsScene::Tap { failure: None });
        }
    }

    /// The person's own card on the resident window: shows that person's information and nobody else's.
    pub(super) fn rights_tapped(&mut self, uid: &CardUid, now: Timestamp) {
        let Some(Some(resident)) = self.vault(|v| v.resident_by_card(uid)) else {
            return self.tap_failed(Failure::CardUnknown);
        };
        match self.vault(|v| v.has_died(resident)) {
            Some(false) => {}
            // The card is in somebody else's hands: the desk looks at the kinship first.
            Some(true) => return self.tap_failed(Failure::Request(RequestFault::Died)),
            None => return self.ended(Some(Failure::Request(RequestFault::FactsMissing))),
        }
        if self.vault(|v| v.record_own_page_opened(resident, now)).is_none() {
            return self.to_idle(now);
        }
        let mine = Mine { resident, noted: vec![], text: None, confirming: false, shown: None, step: Step::List };
        self.show_mine(Box::new(mine), now);
    }

    /// Shows again what was shown, after a change of language.
    pub(super) fn rights_again(&mut self, flow: RightsFlow, now: Timestamp) {
        match flow {
            RightsFlow::Tap => {
                self.set(Flow::Rights(RightsFlow::Tap));
                self.rights_scene(RightsScene::Tap { failure: None });
            }
            RightsFlow::Mine(mine) if mine.confirming => self.confirm_refuse_face(mine),
            RightsFlow::Mine(mine) if mine.step != Step::List => self.own_face_again(mine),
            RightsFlow::Mine(mut mine) if mine.text.is_some() => {
                // The same look in the other language.
                match self.all_held(mine.resident, Given::Shown, false, now) {
                    Ok((_, text)) => {
                        let text = AllHeld(Arc::new(text));
                        mine.text = Some(text.clone());
                        self.set(Flow::Rights(RightsFlow::Mine(mine)));
                        self.rights_scene(RightsScene::All { text, saved_to: None });
                    }
                    Err(failure) => self.mine_failed(failure),
                }
            }
            RightsFlow::Mine(mine) => match mine.shown {
                // The same text: it stays in the language in which it was shown.
                Some(showing) => self.show_own_again(mine, showing, now),
                None => self.show_mine(mine, now),
            },
        }
    }

    fn show_mine(&mut self, mut mine: Box<Mine>, now: Timestamp) {
        (mine.text, mine.confirming) = (None, false);
        (mine.shown, mine.step) = (None, Step::List);
        let resident = mine.resident;
        let seen = self.vault(|v| {
            let name = v.resident(resident)?.name.masked();
            let changes = v.changes_unconfirmed(resident)?;
            let has_face = v.current_consent(resident)?.is_some() || !v.erase_pending(resident)?.is_empty();
            let lines = v.open_requests_of(resident, now)?;
            let redo = v.is_correcting(resident)? && v.current_consent(resident)?.is_none();
            Ok((name, changes, v.is_restricted(resident)?, (has_face, redo), lines))
        });
        let Some((masked_name, changes, restricted, (has_face, redo), lines)) = seen else {
            return self.mine_failed(Failure::Request(RequestFault::FactsMissing));
        };
        let changes = changes
            .into_iter()
            .filter_map(|c| Some(ChangeView { field: Field::parse(&c.field)?, old: c.old, new: c.new }));
        let view = MineView {
            masked_name,
            changes: changes.collect(),
            restricted,
            has_face,
            redo,
            waiting: lines.into_iter().map(|line| (line.no.to_string(), line.kind, line.due_on)).collect(),
        };
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        self.rights_scene(RightsScene::Mine(Box::new(view)));
    }

    fn mine_failed(&mut self, failure: Failure) {
        self.fail(failure.clone());
        self.ended(Some(failure));
    }

    pub(super) fn note_once(&mut self, mine: &mut Mine, kind: RequestKind, answer: &'static str, now: Timestamp) {
        if !mine.noted.contains(&kind) && self.note_done_at_once(mine.resident, kind, answer, false, now).is_some() {
            mine.noted.push(kind);
        }
    }

    fn save_mine(&mut self, mut mine: Box<Mine>, how: Given, path: &Path, now: Timestamp) {
        let (kind, answer) = match how {
            Given::Electronic => (RequestKind::Transfer, "copy-electronic"),
            Given::Paper | Given::Shown => (RequestKind::See, "copy-paper"),
        };
        match self.give_to(mine.resident, how, path, false, now) {
            Ok(text) => {
                let text = AllHeld(Arc::new(text));
                mine.text = Some(text.clone());
                self.note_once(&mut mine, kind, answer, now);
                self.set(Flow::Rights(RightsFlow::Mine(mine)));
                self.rights_scene(RightsScene::All { text, saved_to: Some(path.display().to_string()) });
            }
            Err(failure) => {
                self.fail(failure.clone());
                // A folder that cannot be written ends nothing: the page stays, and says so.
                self.show_mine(mine, now);
            }
        }
    }

    fn ask_staff(&mut self, mut mine: Box<Mine>, kind: RequestKind, now: Timestamp) {
        let due_on = self.terms().due_on(kind, now.date());
        let resident = mine.resident;
        if mine.noted.contains(&kind) {
            return self.show_mine(mine, now);
        }
        let (asker, words) = (String::new(), String::new());
        let (came, identity) = (Came::Window, Identity::CardTap);
        let new = NewRequest { resident: Some(resident), kind, came, identity, asker, words, due_on };
        let Some(no) = self.vault(|v| v.receive_request(&new, false, now)) else {
            return self.show_mine(mine, now);
        };
        mine.noted.push(kind);
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        self.rights_scene(RightsScene::Asked { number: no.to_string(), kind, due_on });
        self.told(RightsTold::Received(no));
        self.tell_register(now);
    }

    fn confirm_refuse_face(&mut self, mine: Box<Mine>) {
        let resident = mine.resident;
        let gates = self.vault(|v| {
            let held = v.faces_held(resident)?;
            let gates = v.gates()?;
            Ok(gates.into_iter().filter(|g| held.iter().any(|h| h.gate == g.id)).map(|g| g.name).collect())
        });
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        self.rights_scene(RightsScene::RefuseFace { gates: gates.unwrap_or_default() });
    }

    /// "Refused" is said only when it is on disk.
    fn refuse_own_face(&mut self, mut mine: Box<Mine>, now: Timestamp) {
        let resident = mine.resident;
        let done = match self.open.as_mut() {
            Some(open) => open.vault.restrict(resident, Actor::Resident(resident), now).map_err(failure_of),
            None => return,
        };
        match done {
            Ok(_) => {
                self.ring();
                self.note_once(&mut mine, RequestKind::Restrict, "face-refused", now);
                self.show_opened(now);
                self.show_mine(mine, now);
            }
            Err(failure) => self.mine_failed(failure),
        }
    }

    /// A panel was opened on the notice page: the person asked, and the program explained. Rule P48.
    fn explained_on_window(&mut self, section: u8, now: Timestamp) {
        let resident = match self.open.as_ref().map(|o| &o.flow) {
            Some(Flow::Noticed(noticed)) => noticed.person.resident.id,
            _ => return,
        };
        self.vault(|v| v.record_explained(resident, section_label(section), false, now));
    }
}
