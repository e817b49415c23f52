//! The whole gate without sockets, threads or a clock: one body in, one reply out.

mod housekeeping;
pub(in crate::gate) mod work;

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::admit::{self, Facts};
use super::door::{Door, DoorOpens, LogDoor};
use super::epochs;
use super::error::GateError;
use super::gallery::Gallery;
use super::heads;
use super::index::Index;
use super::lease::Lease;
use super::limit;
use super::matcher::{self, Best};
use super::place::Place;
use super::reseal::{self, Holder};
use super::settings::FacePlan;
use super::store::{Setup, Station, Store, Way};
use super::withheld::Withheld;
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::id::{GateId, TemplateId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::FaceTemplate;
use crate::wire::frame::decode;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Apply, FacesOff, Health, Hello, PROTOCOL, REVISION, Refusal, Reply, Request, What};
use crate::wire::pairing;

/// Probes that are answered within [`PROBES_WITHIN_MS`].
pub const PROBES_MAX: usize = 10;

/// The span of [`PROBES_MAX`], in milliseconds.
pub const PROBES_WITHIN_MS: i64 = 10_000;

/// Days after its last day that a template is kept (unmatched) for the station to erase; then the gate erases it by
/// itself.
pub const ENDED_KEPT_DAYS: i64 = 3;

/// How long the clock must have run without a jump before the gate erases by itself, in milliseconds.
pub const CLOCK_BELIEVED_AFTER_MS: i64 = DAY_MS;

/// Days that the receipt of an operation is kept, so that a repeat of the operation gets it again. A repeat that comes later is done anew,
/// which changes nothing: numbers of erased templates stay spent, and cards and stops keep the order of their sequence.
pub const RECEIPTS_KEPT_DAYS: i64 = 180;

/// Most receipts that are forgotten in one round of housekeeping, so that no request waits for it.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// Rounds of housekeeping after which the rows of the store are checked against their digests again: an hour.
pub const READ_AGAIN_AFTER: u32 = 120;

const DAY_MS: i64 = 86_400_000;

/// The other end of one connection, after the TLS handshake.
#[derive(Debug)]
pub struct Caller {
    pin: [u8; 32],
    /// The sealing key that it stated in its hello, once that was accepted.
    seal: Option<[u8; 32]>,
    exporter: Option<[u8; 32]>,
    pairing: Option<pairing::Gate>,
}

impl Caller {
    /// The owner of a TLS key, by fingerprint, with the exporter of the connection. The handshake has proved that it holds the key.
    pub fn new(pin: [u8; 32], exporter: Option<[u8; 32]>) -> Self {
        Self { pin, seal: None, exporter, pairing: None }
    }

    pub(super) fn pin(&self) -> [u8; 32] {
        self.pin
    }

    pub(super) fn seal(&self) -> Option<[u8; 32]> {
        self.seal
    }

    pub(super) fn exporter(&self) -> Option<[u8; 32]> {
        self.exporter
    }

    /// Whether a pairing is under way.
    pub(super) fn pairs(&self) -> bool {
        self.pairing.is_some()
    }

    pub(super) fn keep_pairing(&mut self, run: Option<pairing::Gate>) {
        self.pairing = run;
    }

    pub(super) fn take_pairing(&mut self) -> Option<pairing::Gate> {
        self.pairing.take()
    }
}

/// A running gate.
pub struct Gate {
    pub(super) store: Store,
    pub(super) keys: Arc<IdentityKeys>,
    pub(super) id: GateId,
    pub(super) setup: Setup,
    pub(super) faces: Gallery,
    pub(super) lease: Lease,
    probes: VecDeque<(Timestamp, [u8; 16])>,
    door: Box<dyn Door>,
    /// An erasure is durable but old pages may still be in the write-ahead log.
    log_due: bool,
    /// The station stopped all faces here.
    pub(super) stopped: bool,
    /// The site's limits for faces.
    plan: FacePlan,
    /// What is held, once it was asked for.
    pub(super) index: Option<Index>,
    /// Rounds of housekeeping since all rows were last checked against their digests.
    unread: u32,
    /// What is not matched although the disk may hold it.
    pub(super) withheld: Withheld,
    /// As the store was when it was last read from ([`Store::data_version`]).
    store_version: i64,
}

impl Gate {
    /// Opens the store and loads the templates into memory.
    ///
    /// # Errors
    /// [`GateError`]; [`GateError::Realm`] when the folder is of the other realm.
    pub fn open(place: &Place, realm: Realm, door: Box<dyn Door>) -> Result<Self, GateError> {
        let store = place.open(realm)?;
        let setup = store.setup()?;
        let keys = store.keys()?;
        if setup.realm != realm || keys.realm() != realm {
            return Err(GateError::Realm);
        }
        let (contact, latest) = store.instants()?;
        let mut lease = Lease::resumed(setup.offline_hours, contact, latest, store.ran_back_ms()?);
        lease.set_offset(store.clock_offset_ms()?);
        let (id, stopped, store_version) = (store.gate()?, store.faces_stopped()?, store.data_version()?);
        let mut faces = Gallery::new(setup.engine.clone());
        faces.extend(store.live_faces()?);
        tracing::info!(gate = %id.short(), faces = faces.len(), "gate opened");
        let probes = VecDeque::new();
        Ok(Self {
            store,
            keys: Arc::new(keys),
            id,
            setup,
            faces,
            lease,
            probes,
            door,
            log_due: false,
            stopped,
            plan: FacePlan::default(),
            index: None,
            unread: 0,
            withheld: Withheld::default(),
            store_version,
        })
    }

    /// Sets the site's limits for faces.
    pub fn limit_faces(&mut self, plan: FacePlan) {
        if plan.clock_kept {
            self.lease.believe_clock();
        }
        self.plan = plan;
    }

    /// As [`Self::open`], with a door that only writes to the log.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_without_relay(place: &Place, realm: Realm) -> Result<Self, GateError> {
        Self::open(place, realm, Box::new(LogDoor))
    }

    /// This gate's id.
    pub fn id(&self) -> GateId {
        self.id
    }

    /// How many templates it holds.
    pub fn face_count(&self) -> usize {
        self.faces.len()
    }

    /// This gate's keys, for the TLS configuration.
    pub fn keys(&self) -> &IdentityKeys {
        &self.keys
    }

    /// Real or practice.
    pub fn realm(&self) -> Realm {
        self.setup.realm
    }

    /// Pins a station that has proved that it knows the code. Faces of an earlier station stay; they end or are erased like others.
    pub(super) fn pin_station(&mut self, pin: &[u8; 32], hello: &Hello, now: Timestamp) -> Result<(), GateError> {
        self.store.pair(pin, hello, now)?;
        self.lease = Lease::new(self.setup.offline_hours, now, now);
        self.withheld.paired();
        Ok(())
    }

    /// What this gate says of itself.
    pub fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL,
            realm: self.setup.realm.label().into(),
            id: *self.id.bytes(),
            seal_key: self.keys.seal_public(),
            sign_key: self.keys.sign_public(),
            version: version(),
            takes_faces: self.setup.takes_faces,
            revision: Some(REVISION),
        }
    }

    /// Answers one body. Only the paired station is heard, and only after a hello.
    pub fn answer(&mut self, caller: &mut Caller, body: &[u8], clock: Timestamp) -> Reply {
        let tried = match decode::<Request>(body) {
            Ok(request) => self.try_answer(caller, &request, body, clock),
            Err(_) => Err(Halt::Refused(Refusal::Malformed)),
        };
        let reply = match tried {
            Ok(reply) => reply,
            Err(Halt::Refused(refusal)) => Reply::Refused(refusal),
            Err(Halt::Failed(error)) => {
                tracing::error!(%error, "an operation failed");
                Reply::Refused(Refusal::Storage)
            }
        };
        if let Reply::Refused(refusal) = &reply {
            tracing::warn!(%refusal, "refused");
        }
        reply
    }

    /// Whether a card lets in now. Nothing opens. Does not depend on the lease, the clock's jumps or the face way.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn card_lets_in(&mut self, uid: &CardUid, clock: Timestamp) -> Result<bool, GateError> {
        let now = self.look(clock);
        Ok(self.store.card_ends_on(uid.bytes())?.is_some_and(|ends_on| ends_on >= now.date()))
    }

    /// Opens the door for a card. `None` when the card does not let in. Rules: J10, M10.
    ///
    /// # Errors
    /// [`GateError`]. A failing record does not keep the door shut.
    pub fn open_for_card(&mut self, uid: &CardUid, clock: Timestamp) -> Result<Option<DoorOpens>, GateError> {
        if !self.card_lets_in(uid, clock)? {
            return Ok(None);
        }
        let opens = self.release(Way::Card);
        if opens == DoorOpens::Yes
            && let Err(error) = self.store.note_card_way(self.lease.latest())
        {
            tracing::trace!(%error, "an opening by card was not noted");
        }
        Ok(Some(opens))
    }

    /// Why a face is not looked up among all at an instant, if so.
    pub fn faces_off(&mut self, clock: Timestamp) -> Option<FacesOff> {
        let too_many = self.faces.len() > limit::people_max(&self.setup.engine, self.plan);
        self.faces_off_for_one(clock).or(too_many.then_some(FacesOff::CardFirst))
    }

    /// Why a face is not even compared with the one template that a card stands for, if so.
    pub fn faces_off_for_one(&mut self, clock: Timestamp) -> Option<FacesOff> {
        self.look(clock);
        match (self.setup.takes_faces, self.stopped) {
            (false, _) => Some(FacesOff::CardsOnly),
            (true, true) => Some(FacesOff::Stopped),
            (true, false) => self.lease.faces_off(),
        }
    }

    pub(super) fn engine(&self) -> &crate::secret::EngineId {
        &self.setup.engine
    }

    /// The nearest live template and whether it is near enough.
    pub(super) fn recognise(&self, face: &FaceTemplate, today: CivilDate) -> (Option<Best>, bool) {
        self.judge(self.turned(face).and_then(|turned| self.faces.nearest(&turned, today)), self.least_among_all())
    }

    /// How a face compares with one held template, and whether that is near enough.
    pub(super) fn verify(&self, face: &FaceTemplate, template: TemplateId, today: CivilDate) -> (Option<Best>, bool) {
        self.judge(
            self.turned(face).and_then(|turned| self.faces.compare(&turned, &template, today)),
            self.least_for_one(),
        )
    }

    fn turned(&self, face: &FaceTemplate) -> Option<FaceTemplate> {
        match self.store.transform() {
            Ok(transform) => transform.turn(face),
            Err(error) => {
                tracing::trace!(%error, "a face could not be turned as templates are here");
                None
            }
        }
    }

    /// Least similarity where a face is looked up among all that are held.
    pub(super) fn least_among_all(&self) -> Option<f32> {
        limit::threshold_for(&self.setup.engine, self.faces.len(), self.plan)
    }

    /// Least similarity where a face is compared with one template.
    pub(super) fn least_for_one(&self) -> Option<f32> {
        matcher::threshold(&self.setup.engine)
    }

    fn judge(&self, best: Option<Best>, least: Option<f32>) -> (Option<Best>, bool) {
        let same = matches!((best, least), (Some(best), Some(least)) if best.similarity >= least);
        (best, same)
    }

    /// The template that a card stands for, if the card lets in now.
    pub(super) fn held_for_card(&mut self, uid: &CardUid, clock: Timestamp) -> Result<Option<TemplateId>, GateError> {
        if !self.card_lets_in(uid, clock)? {
            return Ok(None);
        }
        self.store.bound_to(self.id, uid.bytes())
    }

    pub(super) fn today(&mut self, clock: Timestamp) -> CivilDate {
        self.look(clock).date()
    }

    /// Releases the door and writes that down: when, which way and how it went.
    pub(super) fn release(&mut self, way: Way) -> DoorOpens {
        let opens = self.door.release();
        let now = self.lease.passed();
        if let Err(error) = self.store.record_opening(way, opens == DoorOpens::Yes, now) {
            tracing::trace!(%error, "an opening was not recorded");
        }
        opens
    }

    fn try_answer(
        &mut self,
        caller: &mut Caller,
        request: &Request,
        body: &[u8],
        clock: Timestamp,
    ) -> Result<Reply, Halt> {
        match request {
            Request::PairBegin(asked) => return self.pair_begin(caller, (asked, body), clock),
            Request::PairConfirm(tag) => return self.pair_confirm(caller, tag, clock),
            _ if self.is_former(caller)? => return self.answer_former(caller, request, body, clock),
            _ => {}
        }
        let station = self.store.station()?.filter(|station| station.pin == caller.pin);
        let station = station.ok_or(Refusal::Envelope)?;
        let now = self.look(clock);
        if let Request::Hello(hello) = request {
            self.greet(caller, hello, &station)?;
            return Ok(Reply::Hello(self.hello()));
        }
        let seal = station.seal.filter(|seal| caller.seal == Some(*seal)).ok_or(Refusal::Malformed)?;
        // Whom this gate shall match no more comes in parts: it was heard with the last of them.
        if !matches!(request, Request::Orders(_)) {
            self.heard();
        }
        match request {
            Request::Hello(_) | Request::PairBegin(_) | Request::PairConfirm(_) => Err(Refusal::Malformed.into()),
            Request::Health => self.health(clock).map(Reply::Health),
            Request::PutFace(put) => self.put_face(put, &seal, Sha256::digest(body).into(), now).map(Reply::Done),
            Request::Apply(Apply { op, what: What::SetClock(right_ms), .. }) => {
                self.set_clock(op, *right_ms, Sha256::digest(body).into(), clock).map(Reply::Done)
            }
            Request::Apply(apply) => self.apply(apply, Sha256::digest(body).into(), now).map(Reply::Done),
            Request::ReadBack(template) => Ok(Reply::Held(self.store.held(template)?)),
            Request::List => Ok(Reply::List(self.list()?)),
            Request::Probe(probe) => self.probe(probe, None, &seal, clock).map(Reply::Probed),
            Request::TestCard(uid) => {
                let uid = CardUid::from_bytes(uid).ok_or(Refusal::Malformed)?;
                let opens = self.card_lets_in(&uid, clock)?;
                if opens {
                    self.store.note_card_way(now)?;
                }
                Ok(Reply::CardTested(opens))
            }
            Request::BindCard(bind) => {
                let uid = CardUid::from_bytes(&bind.card).ok_or(Refusal::Malformed)?;
                Ok(Reply::Bound(self.store.bind(self.id, &bind.template, uid.bytes())?))
            }
            Request::ProbeOne(one) => {
                let template = Some(TemplateId::from_bytes(one.template));
                self.probe(&one.probe, template, &seal, clock).map(Reply::Probed)
            }
            Request::Reseal(ask) => {
                let holder = Holder { store: &mut self.store, keys: &self.keys, id: self.id };
                reseal::answer(holder, station.sign.as_ref(), ask, body, now).map(Reply::Resealed)
            }
            Request::HeadOf(origin) => Ok(Reply::Head(heads::kept(&self.store, origin)?.map(|kept| kept.note))),
            Request::KeepHead(offer) => {
                heads::keep(&mut self.store, &self.keys, self.id, offer, now).map(|note| Reply::Head(Some(note)))
            }
            Request::Batch(steps) | Request::Orders(steps) => self.batch(steps, &seal, now).map(Reply::Batch),
            Request::Digests(ask) => Ok(Reply::Digests(self.held()?.digests(ask)?)),
            Request::Entries(ask) => Ok(Reply::Entries(self.held()?.entries(ask)?)),
            Request::Find(ask) => Ok(Reply::Entries(self.held()?.find(ask)?)),
            Request::PassOn(ask) => self.pass_on(ask, now).map(Reply::PassedOn),
            Request::PutPassed(passed) => self.put_passed(passed, Sha256::digest(body).into(), now).map(Reply::Done),
            Request::ReceiptOf(op) => Ok(Reply::ReceiptOf(self.store.done(op)?.map(|(_, receipt)| receipt))),
            Request::EpochOf(origin) => Ok(Reply::Epoch(epochs::kept(&self.store, origin)?)),
            Request::KeepEpoch(offer) => {
                epochs::keep(&self.store, &self.keys, offer).map(|kept| Reply::Epoch(Some(kept)))
            }
        }
    }

    /// The keys for sealing and signing that the station stated at pairing are pinned too. (A gate that was paired by an earlier version of
    /// this program learns them here.)
    fn greet(&mut self, caller: &mut Caller, hello: &Hello, station: &Station) -> Result<(), Halt> {
        admit::hello(hello, self.setup.realm.label())?;
        let other = |known: Option<[u8; 32]>, stated: &[u8; 32]| known.is_some_and(|known| known != *stated);
        if other(station.seal, &hello.seal_key) || other(station.sign, &hello.sign_key) {
            return Err(Refusal::Envelope.into());
        }
        if station.seal.is_none() || station.sign.is_none() {
            self.store.learn_station(&hello.seal_key, &hello.sign_key, &hello.id)?;
        }
        // The lease counts from a request after this: a greeting alone tells the station nothing of what was done.
        caller.seal = Some(hello.seal_key);
        Ok(())
    }

    /// The station that unpaired this gate may hear that nothing is held, and repeat the request whose receipt it did not get.
    fn answer_former(
        &mut self,
        caller: &mut Caller,
        request: &Request,
        body: &[u8],
        clock: Timestamp,
    ) -> Result<Reply, Halt> {
        match request {
            Request::Hello(hello) => {
                admit::hello(hello, self.setup.realm.label())?;
                caller.seal = Some(hello.seal_key);
                Ok(Reply::Hello(self.hello()))
            }
            Request::Health if caller.seal.is_some() => self.health(clock).map(Reply::Health),
            Request::Apply(apply @ Apply { what: What::Unpair, .. }) if caller.seal.is_some() => {
                let done = self.done_again(apply, body)?;
                done.map(Reply::Done).ok_or(Refusal::Envelope.into())
            }
            _ => Err(Refusal::Envelope.into()),
        }
    }

    fn health(&mut self, clock: Timestamp) -> Result<Health, Halt> {
        let (digest, faces, cards) = self.held_digest()?;
        let faces_off = self.faces_off(clock);
        let offset = self.lease.offset_ms();
        Ok(Health {
            clock: self.lease.corrected(clock).ms(),
            faces,
            cards,
            version: version(),
            digest,
            faces_off,
            offline_hours: Some(self.setup.offline_hours),
            passlog_days: Some(self.setup.passlog_days),
            people_max: Some(limit::people_max(&self.setup.engine, self.plan) as u64),
            strangers_in_ppm: Some(self.plan.strangers_in_ppm()),
            clock_offset_ms: (offset != 0).then_some(offset),
        })
    }

    pub(super) fn facts(&self, now: Timestamp) -> Facts {
        let (engine, takes_faces) = (self.setup.engine.clone(), self.setup.takes_faces);
        Facts { gate: self.id, engine, takes_faces, today: now.date(), faces: self.faces.len() as u64 }
    }

    /// The instant to judge by; `clock` is the system's.
    pub(super) fn look(&mut self, clock: Timestamp) -> Timestamp {
        if let Err(error) = self.heed() {
            tracing::error!(%error, "the store cannot be read: no face is matched");
            self.faces.remove(|_| true);
            self.store_version = i64::MIN;
        }
        let before = self.lease.offset_ms();
        let now = self.lease.look(clock);
        if self.lease.offset_ms() != before {
            tracing::info!("the system's clock is right by itself again");
            if let Err(error) = self.store.forget_clock_offset() {
                tracing::warn!(%error, "the clock's correction was not taken out of the store");
            }
        }
        now
    }

    /// Takes in what was typed at this gate's console beside the daemon: other limits, an unpairing. Only what the store holds is matched.
    fn heed(&mut self) -> Result<(), GateError> {
        let version = self.store.data_version()?;
        if version == self.store_version {
            return Ok(());
        }
        let (setup, stopped) = (self.store.setup()?, self.store.faces_stopped()?);
        if self.store.faces()? != self.faces.len() as u64 {
            self.reload_faces()?;
        }
        self.lease.allow(setup.offline_hours);
        let stopped = self.withheld.stops(stopped);
        (self.setup, self.stopped, self.index, self.store_version) = (setup, stopped, None, version);
        Ok(())
    }

    pub(super) fn heard(&mut self) {
        self.lease.heard();
        self.record_instants();
    }

    fn record_instants(&mut self) {
        let Some(change) = self.lease.due_record() else { return };
        match self.store.record_instants(&change) {
            Ok(true) => self.lease.recorded(&change),
            // Somebody else writes into this store; the next change finds it as it is.
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the instants were not recorded"),
        }
    }

    pub(super) fn empty_log(&mut self) -> Result<(), GateError> {
        // Inside a batch the log cannot be cut; the batch does it before it answers.
        if self.log_due && !self.store.in_batch() {
            self.store.empty_log()?;
            self.log_due = false;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn store(&self) -> &Store {
        &self.store
    }
}

/// Why there is no answer.
pub(super) enum Halt {
    Refused(Refusal),
    Failed(GateError),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<GateError> for Halt {
    fn from(error: GateError) -> Self {
        Self::Failed(error)
    }
}

fn version() -> String {
    concat!("menka-gate ", env!("CARGO_PKG_VERSION")).into()
}
