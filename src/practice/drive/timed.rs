//! An engine and a link that are asked as before: answers are timed, sealed bytes are kept for a later search.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::domain::consent::Warrant;
use crate::domain::gate::GateRecord;
use crate::domain::id::GateId;
use crate::domain::quality::{FaceBox, Look};
use crate::ports::{FaceEngine, FaceError, FoundGate, GateLink, Lan, LinkError, Networks, PairError};
use crate::secret::{EngineId, FaceTemplate, Frame, PairingCode};
use crate::wire::batch::Step;
use crate::wire::message::{Hello, Probed, PutFace, Reply, Request};

/// What went over the wire: sealed bytes and requests, kept so that a test can search disks for them.
pub type Tap = Arc<Mutex<Vec<Vec<u8>>>>;

/// The hand-overs, whole: a test that holds a gate's keys opens them.
pub type Puts = Arc<Mutex<Vec<PutFace>>>;

/// How long each stage took, in milliseconds, by stage.
pub type Stages = Arc<Mutex<BTreeMap<&'static str, Vec<f64>>>>;

fn note(stages: &Stages, stage: &'static str, since: Instant) {
    let mut stages = stages.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    stages.entry(stage).or_default().push(since.elapsed().as_secs_f64() * 1e3);
}

/// An engine that is asked as before and whose answers are timed.
pub(super) struct TimedEngine {
    pub inner: Box<dyn FaceEngine>,
    pub stages: Stages,
}

impl FaceEngine for TimedEngine {
    fn engine(&self) -> EngineId {
        self.inner.engine()
    }

    fn wake(&mut self) -> Result<(), FaceError> {
        let since = Instant::now();
        let done = self.inner.wake();
        note(&self.stages, "wake the engine child", since);
        done
    }

    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        let since = Instant::now();
        let look = self.inner.locate(warrant, frame);
        note(&self.stages, "detect and measure", since);
        look
    }

    fn extract(&mut self, warrant: Warrant<'_>, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let since = Instant::now();
        let template = self.inner.extract(warrant, frame, face);
        note(&self.stages, "second detection, align, template", since);
        template
    }

    fn rest(&mut self) {
        self.inner.rest();
    }
}

/// A link that lets everything pass, keeps a copy of what was sealed, and times the answers.
pub(super) struct TappedLink {
    pub inner: Box<dyn GateLink>,
    pub tap: Tap,
    pub puts: Puts,
    pub stages: Stages,
    pub probed: Arc<Mutex<Vec<Probed>>>,
}

impl GateLink for TappedLink {
    fn keep_to(&mut self, networks: Networks) {
        self.inner.keep_to(networks);
    }

    fn network_to(&self, address: &str) -> Option<String> {
        self.inner.network_to(address)
    }

    fn ask(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        let sealed = match request {
            Request::PutFace(put) => Some(put.sealed.clone()),
            Request::Probe(probe) => Some(probe.sealed.clone()),
            Request::Batch(steps) => steps.iter().find_map(|step| match step {
                Step::Passed(passed) => Some(passed.put.sealed.clone()),
                Step::Put(_) | Step::Apply(_) => None,
            }),
            _ => None,
        };
        if let Request::PutFace(put) = request {
            self.puts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(put.clone());
        }
        if let Some(sealed) = sealed {
            self.tap.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sealed);
        }
        let since = Instant::now();
        let reply = self.inner.ask(gate, request, limit);
        if let Ok(Reply::Probed(probed)) = &reply {
            self.probed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(probed.clone());
        }
        let stage = match request {
            Request::PutFace(_) => "send, open, store, sign",
            Request::ReadBack(_) => "read back",
            Request::Probe(_) => "probe answered",
            Request::Apply(_) => "card or erasure signed",
            _ => "other questions",
        };
        note(&self.stages, stage, since);
        reply
    }

    fn take_heard(&mut self, gate: GateId) -> bool {
        self.inner.take_heard(gate)
    }

    fn pair(&mut self, address: &str, code: &PairingCode, limit: Duration) -> Result<(Hello, [u8; 32]), PairError> {
        self.inner.pair(address, code, limit)
    }

    fn lans(&mut self) -> Vec<Lan> {
        self.inner.lans()
    }

    fn search(&mut self, on: &str) -> Result<Vec<FoundGate>, LinkError> {
        self.inner.search(on)
    }

    fn search_over(&mut self) {
        self.inner.search_over();
    }
}
