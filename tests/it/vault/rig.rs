//! A gate that answers the courier in this process and signs, but refuses what a test says: an old version, a full disk, an answer that is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use menka::app::courier::{Courier, Shared};
use menka::domain::Realm;
use menka::domain::gate::GateRecord;
use menka::domain::id::GateId;
use menka::domain::time::Timestamp;
use menka::ports::only_asked::{Answers, OnlyAsked};
use menka::ports::{GateLink, LinkError};
use menka::vault::Vault;
use menka::wire::batch::{Step, StepReply};
use menka::wire::held::Held;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{
    Apply, CardDigest, FacesOff, Health, HeldFace, Outcome, Receipt, Refusal, Reply, Request, What,
};
use menka::wire::receipt::request_digest;
use sha2::{Digest, Sha256};

use super::deletion::Signer;

/// How a gate behaves just now.
#[derive(Default)]
pub struct Way {
    /// It does not know a request with many operations.
    pub old: bool,
    /// Its disk takes no erasure.
    pub keeps: bool,
    /// Nor a freeze.
    pub keeps_all: bool,
    /// It refuses erasures for good.
    pub refuses: bool,
    /// It signs for this digest of what it holds, whatever it holds; without one it is of a version that does not know the question.
    pub attests: Option<[u8; 32]>,
    /// Nobody can reach it.
    pub away: bool,
    /// It hears the next so many requests, and their answers are lost.
    pub swallows: u32,
}

/// One gate.
#[derive(Default)]
pub struct Posing {
    pub way: Way,
    pub held: Held,
    /// What it says of why it matches no face.
    pub faces_off: Option<FacesOff>,
    /// Kinds of requests that it was asked, in their order.
    pub asked: Vec<&'static str>,
    heard: bool,
}

/// All gates of a test, as the courier and the test share them.
pub type Gates = Arc<Mutex<BTreeMap<GateId, Posing>>>;

struct Link {
    realm: Realm,
    keys: BTreeMap<GateId, IdentityKeys>,
    gates: Gates,
    now: Arc<Mutex<Timestamp>>,
}

/// A courier of this vault with gates that pose; what time it is for them.
pub fn courier(vault: Vault, signers: Vec<Signer>, now: Timestamp) -> (Courier, Gates, Arc<Mutex<Timestamp>>) {
    let gates = Gates::default();
    let mut keys = BTreeMap::new();
    for signer in signers {
        gates.lock().unwrap().insert(signer.id, Posing::default());
        keys.insert(signer.id, signer.keys);
    }
    let now = Arc::new(Mutex::new(now));
    let link = Link { realm: vault.realm(), keys, gates: Arc::clone(&gates), now: Arc::clone(&now) };
    let courier = Courier::new(vault, Box::new(OnlyAsked(link)), menka::boards::links()(), Arc::new(Shared::default()));
    (courier, gates, now)
}

/// A link for a site without gates.
pub fn nobody() -> Box<dyn GateLink> {
    Box::new(OnlyAsked(Link {
        realm: Realm::Real,
        keys: BTreeMap::new(),
        gates: Gates::default(),
        now: Arc::new(Mutex::new(Timestamp::default())),
    }))
}

impl Link {
    fn apply(&self, gate: &mut Posing, id: GateId, request: &Request, apply: &Apply) -> Result<Receipt, Refusal> {
        let (outcome, stored) = match &apply.what {
            What::EraseFace(_) if gate.way.keeps || gate.way.keeps_all => return Err(Refusal::Storage),
            What::FreezeFace(_) if gate.way.keeps_all => return Err(Refusal::Storage),
            What::EraseFace(_) if gate.way.refuses => return Err(Refusal::Expired),
            What::AttestHeld => (Outcome::HeldAttested, gate.way.attests.ok_or(Refusal::Malformed)?),
            What::Unpair => {
                gate.held = Held::default();
                (Outcome::Unpaired, [0; 32])
            }
            What::EraseFace(template) => {
                gate.held.drop_face(template);
                (Outcome::FaceErased, [0; 32])
            }
            What::FreezeFace(template) => {
                let held = gate.held.holdings().faces.into_iter().find(|face| face.template == *template);
                if let Some(face) = held {
                    gate.held.put_face(HeldFace { frozen: true, ..face });
                }
                (Outcome::FaceFrozen, [7; 32])
            }
            What::StopFaces => {
                gate.faces_off = Some(FacesOff::Stopped);
                (Outcome::FacesStopped, [0; 32])
            }
            What::ResumeFaces => {
                gate.faces_off = None;
                (Outcome::FacesResumed, [0; 32])
            }
            What::PutCard(uid, days) => {
                gate.held.put_card(Sha256::digest(uid).into(), *days);
                (Outcome::CardStored, [0; 32])
            }
            What::RemoveCard(uid) => {
                gate.held.drop_card(&Sha256::digest(uid).into());
                (Outcome::CardRemoved, [0; 32])
            }
            _ => return Err(Refusal::Malformed),
        };
        let receipt = Receipt {
            op: apply.op,
            gate: *id.bytes(),
            outcome,
            request_digest: request_digest(request),
            stored_digest: stored,
            at: self.now.lock().unwrap().ms(),
            realm: self.realm.label().into(),
            signature: [0; 64],
        };
        Ok(receipt.sign(&self.keys[&id]))
    }

    fn reply(&self, gate: &mut Posing, id: GateId, request: &Request) -> Reply {
        let done = |done: Result<Receipt, Refusal>| done.map_or_else(Reply::Refused, Reply::Done);
        match request {
            Request::Health => Reply::Health(Health {
                clock: self.now.lock().unwrap().ms(),
                faces: gate.held.counts().0,
                cards: gate.held.counts().1,
                version: "menka-gate test".into(),
                digest: gate.held.digest(),
                faces_off: gate.faces_off,
                offline_hours: Some(24),
                passlog_days: Some(30),
                people_max: None,
                strangers_in_ppm: None,
                clock_offset_ms: None,
            }),
            Request::Apply(apply) => done(self.apply(gate, id, request, apply)),
            Request::Batch(_) | Request::Orders(_) if gate.way.old => Reply::Refused(Refusal::Malformed),
            Request::Batch(steps) | Request::Orders(steps) => {
                let step = |step: &Step| match step {
                    Step::Apply(apply) => self.apply(gate, id, &step.clone().request(), apply),
                    _ => Err(Refusal::Malformed),
                };
                let replies = steps.iter().map(step).map(|done| done.map_or_else(StepReply::Refused, StepReply::Done));
                Reply::Batch(replies.collect())
            }
            Request::ReadBack(template) => {
                Reply::Held(gate.held.holdings().faces.into_iter().find(|face| face.template == *template))
            }
            Request::Find(ask) => gate.held.find(ask).map_or_else(Reply::Refused, Reply::Entries),
            Request::Digests(ask) => gate.held.digests(ask).map_or_else(Reply::Refused, Reply::Digests),
            Request::Entries(ask) => gate.held.entries(ask).map_or_else(Reply::Refused, Reply::Entries),
            Request::TestCard(_) => Reply::CardTested(true),
            _ => Reply::Refused(Refusal::Malformed),
        }
    }
}

impl Answers for Link {
    fn answer(&mut self, gate: &GateRecord, request: &Request, _: Duration) -> Result<Reply, LinkError> {
        let gates = Arc::clone(&self.gates);
        let mut gates = gates.lock().unwrap();
        let posing = gates.get_mut(&gate.id).ok_or(LinkError::Away)?;
        if posing.way.away {
            return Err(LinkError::Away);
        }
        posing.heard = true;
        posing.asked.push(match request {
            Request::Orders(_) => "orders",
            Request::Batch(_) => "batch",
            Request::Apply(Apply { what: What::EraseFace(_), .. }) => "erase",
            Request::Apply(Apply { what: What::FreezeFace(_), .. }) => "freeze",
            Request::Apply(Apply { what: What::Unpair, .. }) => "unpair",
            Request::Apply(Apply { what: What::StopFaces, .. }) => "stop",
            Request::Apply(Apply { what: What::ResumeFaces, .. }) => "resume",
            Request::Health => "health",
            _ => "other",
        });
        let reply = self.reply(posing, gate.id, request);
        if posing.way.swallows > 0 {
            posing.way.swallows -= 1;
            posing.way.away = posing.way.swallows == 0;
            return Err(LinkError::Away);
        }
        Ok(reply)
    }

    fn heard(&mut self, gate: GateId) -> bool {
        self.gates.lock().unwrap().get_mut(&gate).is_some_and(|posing| std::mem::take(&mut posing.heard))
    }
}

impl Posing {
    /// Holds exactly what the vault expects, so that nothing differs.
    pub fn holds(&mut self, faces: Vec<HeldFace>, cards: Vec<CardDigest>) {
        faces.into_iter().for_each(|face| self.held.put_face(face));
        cards.into_iter().for_each(|card| self.held.put_card(card.digest, card.ends_on));
    }

    /// Which kinds of request it was asked, each once.
    pub fn kinds(&self) -> BTreeSet<&'static str> {
        self.asked.iter().copied().collect()
    }
}
