//! The own template, at the resident window after the own card tap: a copy of it, sealed by a gate to the person's pass-phrase; and a new one in
//! place of a bad one, which goes first. Rules: P45a, P46, P47, L2-6.
//!
//! The desk never holds the copy in the clear: it makes a key pair from the pass-phrase, forgets the secret half, and writes down what the gate
//! sealed. Deliberately absent: any way to ask for somebody else's, for more than one, or from the staff window.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::enroll::Flow;
use super::event::{Failure, GateLabel};
use super::orders;
use super::rights::RightsScene;
use super::rights_window::{Mine, RightsFlow, Step};
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::GateRecord;
use crate::domain::guardian::Decider;
use crate::domain::id::OpId;
use crate::domain::phrase::{Strength, judge};
use crate::domain::rights::{Came, Identity, RequestKind};
use crate::domain::time::Timestamp;
use crate::secret::{Passphrase, random_bytes};
use crate::vault::NewRequest;
use crate::wire::copy_file::{self, PersonKey};
use crate::wire::frame;
use crate::wire::message::{Refusal, Reply, Request};
use crate::wire::reseal::{Reseal, ResealFor};

/// Longest wait for a gate to seal a copy.
const COPY_LIMIT: Duration = Duration::from_millis(4_000);

/// About the own template.
#[derive(Debug)]
pub enum OwnFaceAct {
    /// "A copy of my face template": the risk is said first.
    AskCopy,
    /// Seal it to this pass-phrase, typed twice, and write it there.
    MakeCopy {
        /// As typed.
        first: Passphrase,
        /// Once more.
        again: Passphrase,
        /// Chosen in the dialog.
        path: PathBuf,
    },
    /// "It does not know me well": what happens is said first.
    AskRedo,
    /// Erase the old one everywhere.
    ConfirmRedo,
    /// Every gate has erased: on to the notice, and a new consent.
    BeginRedo,
}

/// What the resident window shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnFaceScene {
    /// The risk, and the fields for the pass-phrase.
    Copy {
        /// What went wrong with the last try.
        trouble: Option<CopyTrouble>,
        /// Where the copy was written.
        saved_to: Option<String>,
    },
    /// The old one goes first.
    Redo {
        /// Gates that hold it, or held it, and whether each has signed that it is gone.
        gates: Vec<(GateLabel, bool)>,
        /// Confirmed: the gates are erasing.
        confirmed: bool,
        /// Every gate has erased, and the desk may begin anew.
        ready: bool,
    },
}

/// Why there is no copy yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyTrouble {
    /// The two entries differ.
    Differ,
    /// Too easy to guess.
    Weak,
    /// No gate holds a face under a consent in force.
    NoFace,
    /// The face is stopped just now; a gate gives nothing out while it is.
    Stopped,
    /// Somebody else decides for the person: the guardian must be there.
    GuardianNeeded,
    /// The gates gave out as many copies as they do in a day.
    Tomorrow,
    /// No gate that holds it answered.
    Away(Vec<GateLabel>),
    /// The file could not be written.
    NotWritten,
}

impl Desk {
    pub(super) fn handle_own_face(&mut self, act: OwnFaceAct, mut mine: Box<Mine>, now: Timestamp) {
        match act {
            OwnFaceAct::AskCopy => {
                mine.step = Step::Copy;
                self.show_copy(mine, None, None);
            }
            OwnFaceAct::MakeCopy { first, again, path } if mine.step == Step::Copy => {
                let made = self.make_copy(&mine, (&first, &again), &path, now);
                drop((first, again));
                match made {
                    Ok(()) => {
                        self.note_once(&mut mine, RequestKind::See, "template-copied", now);
                        self.show_copy(mine, None, Some(path.display().to_string()));
                    }
                    Err(trouble) => self.show_copy(mine, Some(trouble), None),
                }
            }
            OwnFaceAct::AskRedo => {
                mine.step = Step::Redo;
                self.show_redo(mine);
            }
            OwnFaceAct::ConfirmRedo if mine.step == Step::Redo => self.confirm_redo(mine, now),
            OwnFaceAct::BeginRedo if mine.step == Step::Redo => self.begin_redo(mine, now),
            OwnFaceAct::MakeCopy { .. } | OwnFaceAct::ConfirmRedo | OwnFaceAct::BeginRedo => {
                self.set(Flow::Rights(RightsFlow::Mine(mine)));
            }
        }
    }

    fn show_copy(&mut self, mine: Box<Mine>, trouble: Option<CopyTrouble>, saved_to: Option<String>) {
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        self.rights_scene(RightsScene::OwnFace(OwnFaceScene::Copy { trouble, saved_to }));
    }

    /// Shows the page again, after a change of language or of a gate.
    pub(super) fn own_face_again(&mut self, mine: Box<Mine>) {
        match mine.step {
            Step::Redo => self.show_redo(mine),
            Step::List | Step::Copy => self.show_copy(mine, None, None),
        }
    }

    fn make_copy(
        &mut self,
        mine: &Mine,
        (first, again): (&Passphrase, &Passphrase),
        path: &Path,
        now: Timestamp,
    ) -> Result<(), CopyTrouble> {
        if !first.same_as(again) {
            return Err(CopyTrouble::Differ);
        }
        // EXPOSE: it is judged by its characters.
        let strength = std::str::from_utf8(first.expose()).map_or(Strength::Weak, judge);
        if strength == Strength::Weak {
            return Err(CopyTrouble::Weak);
        }
        let resident = mine.resident;
        let known = self.vault(|v| {
            let decider = v.decider(resident, now)?;
            let guardian = v.current_guardian(resident)?.is_some_and(|guardian| guardian.is_here(now));
            let granted = v.granted_now(resident, now)?;
            let row = v.current_consent(resident)?;
            Ok((decider, guardian, granted.zip(row), v.faces_held(resident)?, v.gates()?))
        });
        let Some((decider, guardian, granted, held, gates)) = known else { return Err(CopyTrouble::NoFace) };
        if matches!(decider, Decider::ChildsGuardian | Decider::WardsGuardian) && !guardian {
            return Err(CopyTrouble::GuardianNeeded);
        }
        let Some((granted, row)) = granted else { return Err(CopyTrouble::NoFace) };
        let record: [u8; 32] = Sha256::digest(&row.evidence).into();
        let holding: Vec<(GateRecord, [u8; 32])> = held
            .into_iter()
            .filter(|held| held.template == granted.template())
            .filter_map(|held| Some((gates.iter().find(|g| g.id == held.gate)?.clone(), held.digest)))
            .collect();
        if holding.is_empty() {
            return Err(CopyTrouble::NoFace);
        }
        let key = PersonKey::make(first).map_err(|_| CopyTrouble::Weak)?;
        // From here on only the public half is left.
        let person = key.forget_secret();
        let mut trouble = CopyTrouble::Away(vec![]);
        for (gate, digest) in &holding {
            match self.sealed_by(&granted, record, gate, *digest, &person, now)? {
                Ok((file, receipt)) => {
                    super::rights::write_private(path, &file).map_err(|failure| {
                        self.fail(failure);
                        CopyTrouble::NotWritten
                    })?;
                    self.vault(|v| v.record_template_given(&granted, gate.id, receipt, now));
                    return Ok(());
                }
                Err(Refusal::NotAuthorised) => trouble = CopyTrouble::Stopped,
                Err(Refusal::TooMany) => trouble = CopyTrouble::Tomorrow,
                Err(_) => {
                    if let CopyTrouble::Away(names) = &mut trouble {
                        names.push(gate.name.clone());
                    }
                }
            }
        }
        Err(trouble)
    }

    /// Asks one gate. The inner error is the gate's refusal; one that does not answer counts as one that does not hold it.
    fn sealed_by(
        &mut self,
        granted: &ConsentGranted,
        record: [u8; 32],
        gate: &GateRecord,
        digest: [u8; 32],
        (public, salt): &([u8; 32], [u8; 16]),
        now: Timestamp,
    ) -> Result<Result<(Vec<u8>, [u8; 32]), Refusal>, CopyTrouble> {
        // Current still, and written down before it goes.
        if self.vault(|v| v.record_template_asked(granted, gate.id, now)).is_none() {
            return Err(CopyTrouble::NoFace);
        }
        let Some(open) = self.open.as_mut() else { return Err(CopyTrouble::NoFace) };
        let by = (&*open.keys, OpId::from_bytes(random_bytes()), now);
        let asked = Reseal::authorised(granted, record, ResealFor::Copy, (gate, *public), by);
        let Ok(ask) = asked else { return Ok(Err(Refusal::NotHeld)) };
        let request = Request::Reseal(ask.clone());
        let told = orders::tell(&open.vault, open.link.as_mut(), gate, COPY_LIMIT);
        let failure = match told.and_then(|()| open.link.ask(gate, &request, COPY_LIMIT)) {
            Ok(Reply::Resealed(resealed)) => {
                let signed = resealed.receipt.check(gate, self.config.realm, &request);
                // The very template that the gate signed for when it came in.
                if signed.is_ok() && resealed.receipt.stored_digest == digest {
                    let realm = self.config.realm;
                    let file = copy_file::write(realm, &ask, &resealed, &gate.seal_key, (public, salt));
                    return Ok(Ok((file, Sha256::digest(frame::encode(&resealed.receipt)).into())));
                }
                Failure::Link(gate.name.clone(), crate::ports::LinkError::KeyChanged)
            }
            Ok(Reply::Refused(refusal)) => {
                self.fail(Failure::Refused(gate.name.clone(), refusal.clone()));
                return Ok(Err(refusal));
            }
            Ok(_) => Failure::Link(gate.name.clone(), crate::ports::LinkError::Protocol),
            Err(error) => Failure::Link(gate.name.clone(), error),
        };
        self.fail(failure);
        Ok(Err(Refusal::NotHeld))
    }

    fn show_redo(&mut self, mine: Box<Mine>) {
        let resident = mine.resident;
        let seen = self.vault(|v| {
            let all = v.gates_ever()?;
            let name = |id| all.iter().find(|g| g.id == id).map_or_else(String::new, |g| g.name.clone());
            let confirmed = v.current_consent(resident)?.is_none() && v.is_correcting(resident)?;
            let waits = v.correction_waits(resident)?;
            let gates: Vec<(GateLabel, bool)> = if confirmed {
                let ended = v.endings_of(resident)?.into_iter().map(|ended| ended.consent).next();
                let named = ended.map(|consent| v.consent(consent)).transpose()?.map(|row| row.gates);
                named.unwrap_or_default().into_iter().map(|id| (name(id), !waits.contains(&id))).collect()
            } else {
                v.faces_held(resident)?.into_iter().map(|held| (name(held.gate), false)).collect()
            };
            Ok((gates, confirmed, waits.is_empty()))
        });
        let (gates, confirmed, erased) = seen.unwrap_or_default();
        let ready = confirmed && erased && self.last_offered;
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        self.rights_scene(RightsScene::OwnFace(OwnFaceScene::Redo { gates, confirmed, ready }));
    }

    /// The old one goes first: "gone" is said only when each gate has signed for it.
    fn confirm_redo(&mut self, mut mine: Box<Mine>, now: Timestamp) {
        let due_on = self.terms().due_on(RequestKind::Redo, now.date());
        let new = NewRequest {
            resident: Some(mine.resident),
            kind: RequestKind::Redo,
            came: Came::Window,
            identity: Identity::CardTap,
            asker: String::new(),
            words: String::new(),
            due_on,
        };
        let resident = mine.resident;
        if self.vault(|v| v.begin_correction(resident, &new, now)).is_some() {
            mine.noted.push(RequestKind::Redo);
            self.ring();
            self.tell_register(now);
            self.show_opened(now);
        }
        self.show_redo(mine);
    }

    /// The ordinary path from here on: the full notice, and a separate consent of its own.
    fn begin_redo(&mut self, mine: Box<Mine>, now: Timestamp) {
        let resident = mine.resident;
        let free =
            self.vault(|v| Ok(v.correction_waits(resident)?.is_empty() && v.current_consent(resident)?.is_none()));
        if free == Some(true) && self.last_offered {
            self.set(Flow::TapCard { withdraw: false });
            return self.begin_face(resident, now);
        }
        self.show_redo(mine);
    }

    /// A gate has changed: requests whose bad template is gone everywhere are done, and the page says where it stands.
    pub(super) fn follow_corrections(&mut self, now: Timestamp) {
        let settled = self.vault(|v| v.settle_corrections(now)).unwrap_or_default();
        if settled > 0 {
            self.tell_register(now);
        }
        let shown = matches!(self.open.as_ref().map(|o| &o.flow),
            Some(Flow::Rights(RightsFlow::Mine(mine))) if mine.step == Step::Redo);
        if shown && let Flow::Rights(RightsFlow::Mine(mine)) = self.flow() {
            self.show_redo(mine);
        }
    }
}
