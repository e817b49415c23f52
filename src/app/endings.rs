//! How a visit ends: with a receipt, with a withdrawal, by a stop of either side, or because the resident walked away.

use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::enroll::{Flow, Trying, Withdrawer};
use super::event::{Failure, HandOver, ReceiptView, ResidentScene};
use super::guardian::{notice_text, receipt_text};
use crate::domain::audit::Actor;
use crate::domain::consent::EraseReason;
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::role::LookWhy;
use crate::domain::time::Timestamp;
use crate::evidence;
use crate::notice::{self, Text};

impl Desk {
    /// A visit is over, for whatever reason: dark, nothing held, the card works.
    pub(super) fn ended(&mut self, failure: Option<Failure>) {
        self.devices.camera.close();
        self.devices.engine.rest();
        self.set(Flow::Ended);
        self.scene(ResidentScene::Ended { failure, may_retry: false });
    }

    /// Stop, by either side: the camera goes dark, everything held is wiped, a recorded consent ends, the card works.
    pub(super) fn stop_visit(&mut self, failure: Option<Failure>, now: Timestamp) {
        let busy = self.open.as_ref().is_some_and(|o| o.flow.is_busy());
        if !busy {
            return;
        }
        let finished = matches!(
            self.open.as_ref().map(|o| &o.flow),
            Some(
                Flow::Done { .. }
                    | Flow::Refused
                    | Flow::Ended
                    | Flow::Withdrawn { .. }
                    | Flow::Doors(_)
                    | Flow::Rights(_)
            )
        );
        if finished {
            return self.to_idle(now);
        }
        self.drop_visit(now);
        self.set(Flow::Ended);
        self.scene(ResidentScene::Ended { failure, may_retry: false });
    }

    /// Wipes what a visit holds and ends its consent, without a word.
    pub(super) fn drop_visit(&mut self, now: Timestamp) {
        if let Some(resident) = self.wipe(now) {
            self.give_up(resident, now);
        }
    }

    /// Turns the camera off and wipes what a visit holds. Returns whose consent it stood on, which the caller ends.
    pub(super) fn wipe(&mut self, now: Timestamp) -> Option<ResidentId> {
        let flow = self.flow();
        self.devices.camera.close();
        self.devices.engine.rest();
        let consent = flow.consent()?;
        // A capture that is not over would be taken for a lost one at the next unlock.
        self.vault(|v| v.record_capture_over(consent, now));
        self.vault(|v| v.record_stopped(consent, now));
        Some(consent.resident())
    }

    pub(super) fn back(&mut self, now: Timestamp) {
        let holds_nothing = matches!(
            self.open.as_ref().map(|o| &o.flow),
            Some(
                Flow::Idle
                    | Flow::Rules
                    | Flow::TapCard { .. }
                    | Flow::Noticed(_)
                    | Flow::Refused
                    | Flow::Changing { .. }
                    | Flow::Done { .. }
                    | Flow::Ended
                    | Flow::Withdrawing(_)
                    | Flow::Doors(_)
                    | Flow::Withdrawn { .. }
                    | Flow::Rights(_)
            )
        );
        if holds_nothing {
            return self.to_idle(now);
        }
        if matches!(self.open.as_ref().map(|o| &o.flow), Some(Flow::Resting(_))) {
            // "Finish", rather than "Try again": nothing comes of this consent.
            self.drop_visit(now);
            return self.to_idle(now);
        }
        // From a page of decision one goes back to the notice; nothing is decided by that.
        match self.flow().into_noticed() {
            Ok(noticed) => self.show_notice(*noticed, now),
            Err(other) => self.set(other),
        }
    }

    /// Nobody touched the resident window for long: it goes back to the idle screen, over the same steps as if somebody had pressed them.
    pub(super) fn walked_away(&mut self, now: Timestamp) {
        match self.open.as_ref().map(|o| &o.flow) {
            // The consent ends: the next resident must not be asked to go on with it.
            Some(Flow::Resting(_)) => self.stop_visit(None, now),
            // The gate holds the face already; only the try is left out.
            Some(Flow::Trying(_)) => self.finish(now),
            Some(_) => {
                self.drop_visit(now);
                self.to_idle(now);
            }
            None => {}
        }
    }

    pub(super) fn done(&mut self, trying: Trying, recognised: bool, now: Timestamp) {
        let Trying { held, done, .. } = trying;
        self.devices.engine.rest();
        let names = |wanted: &HandOver| -> Vec<String> {
            done.iter().filter(|(_, state)| state == wanted).map(|(g, _)| g.name.clone()).collect()
        };
        let mut values = held.values;
        let record = held.consent.consent();
        let decider = held.person.case.decider;
        values.insert("consent_time".into(), held.signed_at.minute_text());
        values.insert("consent_sentence".into(), held.page.sentence.clone());
        values.insert("consent_record_id".into(), record.to_string());
        if let Ok(code) = notice::check_code(notice_text(decider), held.language, &values) {
            values.insert("notice_hash".into(), code);
        }
        self.vault(|v| v.record_receipt_issued(record, now));
        let text = match notice::render(receipt_text(decider), held.language, &values) {
            Ok(text) => text,
            Err(unfilled) => {
                tracing::error!(?unfilled, "the receipt has unfilled placeholders");
                return self.to_idle(now);
            }
        };
        let view = ReceiptView {
            record: record.to_string(),
            consented_at: held.signed_at,
            gates: names(&HandOver::Stored),
            away: names(&HandOver::Away),
            ends_on: held.person.ends_on,
            text,
        };
        if let Some(open) = self.open.as_ref() {
            open.shared.ring();
        }
        self.scene(ResidentScene::Done { recognised, receipt: Box::new(view.clone()), saved_to: None });
        self.set(Flow::Done { receipt: Box::new(view), recognised });
        self.show_opened(now);
    }

    pub(super) fn save_receipt(&mut self, path: &std::path::Path, now: Timestamp) {
        let Some(Flow::Done { receipt, recognised }) = self.open.as_ref().map(|o| &o.flow) else { return };
        let (view, recognised) = (receipt.clone(), *recognised);
        let Some(record) = ConsentId::parse(&view.record) else { return };
        let Some(signed) = self.vault(|v| Ok(v.consent(record)?.evidence)) else { return };
        match self.write_receipt(path, &view.text, &signed).and_then(|()| self.write_replay_of(record, path, now)) {
            Ok(()) => {
                let saved_to = Some(path.display().to_string());
                self.scene(ResidentScene::Done { recognised, receipt: view, saved_to });
            }
            Err(why) => self.fail(Failure::PaperNotWritten(why)),
        }
    }

    /// The PDF for people and, beside it, the signed record for `menka-verify`; its digest is in the QR code. What was
    /// shown goes beside them too (`write_replay_of`).
    fn write_receipt(&self, path: &std::path::Path, text: &notice::Rendered, signed: &[u8]) -> Result<(), String> {
        let pdf = crate::paper::receipt_pdf(text, &self.receipt_qr(signed)).map_err(|e| e.to_string())?;
        std::fs::write(path, pdf).map_err(|e| e.to_string())?;
        std::fs::write(path.with_extension("cose"), signed).map_err(|e| e.to_string())
    }

    /// What the QR code of a receipt carries: the digest of the signed record, and the key it verifies under.
    pub(super) fn receipt_qr(&self, signed: &[u8]) -> String {
        let key = self.open.as_ref().map(|o| o.vault.evidence_public()).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(signed).into();
        format!("MENKA1:{}:{}", evidence::hex(&digest).to_uppercase(), evidence::hex(&key).to_uppercase())
    }

    /// Somebody without a card: staff checked who it is and opened the record. The person reads and confirms on their own screen, as with a card;
    /// it stands in the log as the act of the one who vouches for the person.
    pub(super) fn withdraw_at_screen(&mut self, resident: ResidentId, now: Timestamp) {
        let free = matches!(
            self.open.as_ref().map(|o| &o.flow),
            Some(Flow::Idle | Flow::Rules | Flow::TapCard { .. } | Flow::Ended | Flow::Refused)
        );
        if !free {
            return self.fail(Failure::ScreenInUse);
        }
        self.note_minor_look(resident, LookWhy::Request, now);
        let held = self.vault(|v| {
            let held = v.current_consent(resident)?.is_some() || !v.erase_pending(resident)?.is_empty();
            Ok((held, v.operator().0))
        });
        match held {
            Some((true, staff)) => self.begin_withdraw(Withdrawer { resident, by: Actor::Staff(staff) }),
            Some((false, _)) => self.fail(Failure::NothingToWithdraw),
            None => {}
        }
    }

    pub(super) fn begin_withdraw(&mut self, who: Withdrawer) {
        let resident = who.resident;
        let held = self.vault(|v| {
            let consent = v.current_consent(resident)?;
            let pending = v.erase_pending(resident)?;
            let gates = v.gates_ever()?;
            Ok((consent, pending, gates, v.resident(resident)?.name.masked()))
        });
        let Some((consent, pending, gates, masked_name)) = held else {
            return self.ended(Some(Failure::FaceNotOffered));
        };
        let Some(consent) = consent else {
            if pending.is_empty() {
                return self.tap_failed(Failure::NothingToWithdraw);
            }
            self.set(Flow::Withdrawn { resident, gates: pending });
            return self.refresh_withdrawn();
        };
        let doors = self.vault(|v| v.doors(resident)).flatten().map(|(doors, _)| doors).unwrap_or_default();
        let kept = |id: GateId| consent.gates.contains(&id) && !doors.iter().any(|d| d.gate == id && d.dropped);
        let names = gates.iter().filter(|g| kept(g.id)).map(|g| g.name.clone()).collect();
        let Some(open) = self.open.as_ref() else { return };
        let engine = self.devices.engine.engine();
        let values = notice::values_for(&open.facts, &gates, self.language, &engine, None);
        let text = notice::render(Text::Withdraw, self.language, &values).map(|r| r.markdown).unwrap_or_default();
        self.set(Flow::Withdrawing(who));
        self.scene(ResidentScene::WithdrawConfirm { masked_name, text, gates: names });
    }

    pub(super) fn confirm_withdraw(&mut self, now: Timestamp) {
        let Withdrawer { resident, by } = match self.flow() {
            Flow::Withdrawing(who) => who,
            other => return self.set(other),
        };
        let consent = self.vault(|v| Ok(v.current_consent(resident)?.map(|c| c.consent))).flatten();
        // "Erased" is said of no gate unless the ending is on disk.
        if let Err(failure) = self.end_face(resident, EraseReason::Withdrawn, by, now) {
            self.fail(failure.clone());
            return self.ended(Some(failure));
        }
        // A gate that was replaced and has not answered counts too: "all of it is deleted" is never said before.
        let gates = consent.and_then(|consent| self.vault(|v| v.gates_to_answer(consent))).unwrap_or_default();
        self.set(Flow::Withdrawn { resident, gates });
        self.refresh_withdrawn();
        self.show_opened(now);
    }
}
