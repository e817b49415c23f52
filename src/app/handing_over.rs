//! Envelopes to gates, one a tick, and the try: the gate itself says whether it knows the resident.

use std::time::Duration;

use super::capturing::Trouble;
use super::desk::{Desk, failure_of};
use super::enroll::{CAPTURE_MS_MAX, FRAME_MS_MAX, Flow, PROBES_MAX, Sending, Trying};
use super::event::{Event, Failure, HandOver, ResidentScene};
use super::preview::preview;
use crate::domain::consent::Warrant;
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::ports::{CameraError, FaceError, LinkError};
use crate::secret::random_bytes;
use crate::wire::message::{ProbeOne, Refusal, Reply, Request};
use crate::wire::receipt::request_digest;
use crate::wire::{envelope, frame};

/// Longest wait for a gate to store a template and sign.
const PUT_LIMIT: Duration = Duration::from_millis(3_000);

impl Desk {
    pub(super) fn show_working(&mut self, sending: &Sending) {
        let done = sending.done.iter().map(|(g, state)| (g.name.clone(), state.clone()));
        let waiting = sending.waiting.iter().map(|(g, _)| (g.name.clone(), HandOver::Waiting));
        self.scene(ResidentScene::Working { gates: done.chain(waiting).collect() });
    }

    /// One gate a tick: the consent is asked for again, the envelope goes, the gate signs, and is asked what it holds.
    pub(super) fn send_step(&mut self, now: Timestamp) {
        let Flow::Sending(mut sending) = self.flow() else { return };
        if sending.waiting.is_empty() {
            return self.sent(*sending, now);
        }
        let (gate, put) = sending.waiting.remove(0);
        let Some(open) = self.open.as_mut() else { return };
        // Asks again whether the consent is current, and writes down that the face goes now, before it goes.
        let request = Request::PutFace(put.clone());
        let sent = (OpId::from_bytes(put.op), request_digest(&request));
        if let Err(error) = open.vault.record_face_sent(&sending.held.consent, gate.id, sent, now) {
            let failure = Some(failure_of(error));
            return self.rest_on(Box::new(sending.held), Trouble { failure, may_retry: false }, now);
        }
        sending.held.unsure.retain(|(id, _)| *id != gate.id);
        let outcome = match open.link.ask(&gate, &request, PUT_LIMIT) {
            Ok(Reply::Done(signed)) => match signed.check(&gate, self.config.realm, &request) {
                Ok(()) => {
                    let template = *sending.held.consent.template().bytes();
                    match open.link.ask(&gate, &Request::ReadBack(template), PUT_LIMIT) {
                        Ok(Reply::Held(Some(held))) if held.digest == signed.stored_digest => Ok(signed),
                        Ok(_) => Err(Failure::Link(gate.name.clone(), LinkError::Protocol)),
                        Err(error) => Err(Failure::Link(gate.name.clone(), error)),
                    }
                }
                Err(_) => Err(Failure::Link(gate.name.clone(), LinkError::KeyChanged)),
            },
            Ok(Reply::Refused(refusal)) => Err(Failure::Refused(gate.name.clone(), refusal)),
            Ok(_) => Err(Failure::Link(gate.name.clone(), LinkError::Protocol)),
            Err(error) => Err(Failure::Link(gate.name.clone(), error)),
        };
        match outcome {
            Ok(signed) => {
                let consent = &sending.held.consent;
                let bytes = frame::encode(&signed);
                let digest = signed.stored_digest;
                if self.vault(|v| v.record_face_held(consent, gate.id, digest, &bytes, now)).is_none() {
                    return self.rest_on(Box::new(sending.held), Trouble { failure: None, may_retry: false }, now);
                }
                sending.done.push((gate, HandOver::Stored));
            }
            Err(Failure::Link(_, LinkError::Away)) if sending.repeats > 0 => {
                // The envelope, or the answer to it, was lost: the same operation goes again over a new connection.
                sending.repeats -= 1;
                sending.waiting.push((gate, put));
            }
            Err(failure) => {
                match failure {
                    Failure::Refused(..) => {
                        let consent = &sending.held.consent;
                        self.vault(|v| v.record_face_refused(consent, gate.id));
                    }
                    // Whether it arrived is asked later.
                    _ => sending.held.unsure.push((gate.id, put)),
                }
                self.fail(failure.clone());
                sending.last_failure = Some(failure);
                sending.done.push((gate, HandOver::Away));
            }
        }
        self.show_working(&sending);
        if sending.waiting.is_empty() { self.sent(*sending, now) } else { self.set(Flow::Sending(sending)) }
    }

    fn sent(&mut self, sending: Sending, now: Timestamp) {
        let Sending { held, done, last_failure, shutter_at, .. } = sending;
        tracing::info!(ms = self.moment.since(shutter_at), gates = done.len(), "last accepted frame to acknowledged");
        let first = done.iter().find(|(_, state)| *state == HandOver::Stored).map(|(gate, _)| gate.clone());
        match first {
            Some(gate) => {
                // The camera is closed and the template wiped: this capture is over. The try opens one of its own.
                self.vault(|v| v.record_capture_over(&held.consent, now));
                let scene = ResidentScene::TryGate { gate: gate.name.clone(), looking: false, failure: None };
                let at = self.moment;
                let trying = Trying {
                    held,
                    done,
                    gate,
                    looking: false,
                    begun: at,
                    last_frame: at,
                    probes: 0,
                    card_first: false,
                };
                self.set(Flow::Trying(Box::new(trying)));
                self.scene(scene);
            }
            None => {
                let failure = last_failure.unwrap_or(Failure::Link(String::new(), LinkError::Away));
                self.rest_on(Box::new(held), Trouble::retry(failure), now);
            }
        }
    }

    /// The camera opens once more, under the same consent and a permit of its own.
    pub(super) fn try_gate(&mut self, now: Timestamp) {
        let mut trying = match self.flow() {
            Flow::Trying(trying) if !trying.looking => trying,
            other => return self.set(other),
        };
        match self.open_camera(&trying.held, now) {
            Ok(()) => {
                trying.looking = true;
                trying.begun = self.moment;
                trying.last_frame = self.moment;
                self.scene(ResidentScene::TryGate { gate: trying.gate.name.clone(), looking: true, failure: None });
                self.set(Flow::Trying(trying));
            }
            // The gate holds the face already; a dark camera only means that the try is skipped or asked again.
            Err(trouble) if trouble.may_retry => self.try_later(trying, trouble.failure, now),
            // The consent ended meanwhile.
            Err(trouble) => {
                self.dark(&trying.held, now);
                let resident = trying.held.person.resident.id;
                drop(trying);
                self.give_up(resident, now);
                self.ended(trouble.failure);
            }
        }
    }

    /// The try did not come to an end: dark, and the resident may ask for it again or leave it.
    pub(super) fn try_later(&mut self, mut trying: Box<Trying>, failure: Option<Failure>, now: Timestamp) {
        self.dark(&trying.held, now);
        if let Some(failure) = &failure {
            self.fail(failure.clone());
        }
        trying.looking = false;
        self.scene(ResidentScene::TryGate { gate: trying.gate.name.clone(), looking: false, failure });
        self.set(Flow::Trying(trying));
    }

    pub(super) fn try_step(&mut self, now: Timestamp) {
        let Flow::Trying(mut trying) = self.flow() else { return };
        if self.is_past(trying.begun, CAPTURE_MS_MAX) {
            return self.try_later(trying, Some(Failure::TooLong), now);
        }
        let frame = match self.devices.camera.newest() {
            Ok(Some(frame)) => frame,
            Ok(None) if !self.is_past(trying.last_frame, FRAME_MS_MAX) => return self.set(Flow::Trying(trying)),
            Ok(None) => return self.try_later(trying, Some(Failure::Camera(CameraError::Stalled)), now),
            Err(error) => return self.try_later(trying, Some(Failure::Camera(error)), now),
        };
        trying.last_frame = self.moment;
        let consent = &trying.held.consent;
        self.out.push(Event::Preview(preview(consent, &frame)));
        let (guidance, part) = match self.look(Warrant::Desk(consent), frame, |_| true) {
            Ok(looked) => looked,
            Err(FaceError::Restarted | FaceError::OutOfRange | FaceError::Unsound) => {
                return self.set(Flow::Trying(trying));
            }
            // An engine that fails says nothing about the face that the gate holds.
            Err(error) => return self.try_later(trying, Some(Failure::Face(error)), now),
        };
        self.out.push(Event::Guide { guidance, taken: 0, needed: 1 });
        let Some(part) = part else { return self.set(Flow::Trying(trying)) };
        trying.probes += 1;
        let Some(open) = self.open.as_mut() else { return };
        let op = OpId::from_bytes(random_bytes());
        let probe = envelope::seal_probe(consent, &part, &trying.gate, &open.keys, op, now);
        drop(part);
        let Ok(probe) = probe else {
            let failure = Failure::Link(trying.gate.name.clone(), LinkError::KeyChanged);
            return self.try_later(trying, Some(failure), now);
        };
        // Where a card must come first the face is compared with this person's template only, as it will be at the door.
        let request = match trying.card_first {
            true => Request::ProbeOne(ProbeOne { probe, template: *consent.template().bytes() }),
            false => Request::Probe(probe),
        };
        let answer = open.link.ask(&trying.gate, &request, PUT_LIMIT);
        match answer {
            Ok(Reply::Refused(Refusal::CardFirst)) if !trying.card_first => {
                trying.card_first = true;
                self.set(Flow::Trying(trying));
            }
            Ok(Reply::Probed(probed)) if probed.template == Some(*consent.template().bytes()) => {
                let gate = trying.gate.id;
                self.vault(|v| v.record_recognised(consent, gate, now));
                self.dark(&trying.held, now);
                self.done(*trying, true, now);
            }
            Ok(Reply::Probed(_)) if trying.probes < PROBES_MAX => self.set(Flow::Trying(trying)),
            Ok(Reply::Probed(_)) => {
                self.dark(&trying.held, now);
                self.not_recognised(*trying, now);
            }
            // It holds the face; the try can be made at the door. Why not now is the gate's to say.
            Ok(Reply::Refused(refusal)) => {
                self.dark(&trying.held, now);
                self.fail(Failure::Refused(trying.gate.name.clone(), refusal));
                self.done(*trying, false, now);
            }
            // The gate went away between storing and trying.
            Ok(_) | Err(_) => {
                self.dark(&trying.held, now);
                self.fail(Failure::Link(trying.gate.name.clone(), LinkError::Away));
                self.done(*trying, false, now);
            }
        }
    }

    /// A template that its own owner is not known by is worth nothing: it is erased again, and the card works.
    fn not_recognised(&mut self, trying: Trying, now: Timestamp) {
        let resident = trying.held.person.resident.id;
        drop(trying);
        self.give_up(resident, now);
        self.ended(Some(Failure::NotRecognised));
    }

    pub(super) fn finish(&mut self, now: Timestamp) {
        match self.flow() {
            Flow::Trying(trying) => {
                if trying.looking {
                    self.dark(&trying.held, now);
                }
                self.done(*trying, false, now);
            }
            other => {
                self.set(other);
                self.back(now);
            }
        }
    }
}
