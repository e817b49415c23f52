//! Another face before the camera in the middle of a capture, and a head turned so far that it looks like another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use menka::domain::consent::Warrant;

use menka::domain::quality::{FaceBox, Look};
use menka::ports::{FaceEngine, FaceError};
use menka::secret::{EngineId, FaceTemplate, Frame, TEMPLATE_LEN};

use super::*;

/// The real engine, which takes some faces for another one's.
struct Mistaken {
    inner: Box<dyn FaceEngine>,
    extracted: Arc<AtomicUsize>,
    /// From which extraction on, and how many.
    mistakes: (usize, usize),
}

impl FaceEngine for Mistaken {
    fn engine(&self) -> EngineId {
        self.inner.engine()
    }
    fn wake(&mut self) -> Result<(), FaceError> {
        self.inner.wake()
    }
    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        self.inner.locate(warrant, frame)
    }
    fn extract(&mut self, warrant: Warrant<'_>, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let known = self.inner.extract(warrant, frame, face)?;
        let number = self.extracted.fetch_add(1, Ordering::SeqCst) + 1;
        let (first, count) = self.mistakes;
        if !(first..first + count).contains(&number) {
            return Ok(known);
        }
        let mut other = [0.0; TEMPLATE_LEN];
        other[number % TEMPLATE_LEN] = 1.0;
        FaceTemplate::from_unit_vector(self.engine(), &mut other).ok_or(FaceError::Unsound)
    }
    fn rest(&mut self) {
        self.inner.rest();
    }
}

fn mistaken(first: usize, count: usize) -> (Site, Arc<AtomicUsize>) {
    let folder = tempfile::tempdir().unwrap();
    let inner = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let extracted = Arc::new(AtomicUsize::new(0));
    let engine = Box::new(Mistaken { inner, extracted: Arc::clone(&extracted), mistakes: (first, count) });
    let drive = Drive::new(folder.path(), engine, people(&pictures()).unwrap());
    (site_of(folder, drive, &[&[][..]]), extracted)
}

/// How many pictures were taken, after each change.
fn taken(drive: &Drive) -> Vec<u8> {
    let number = |told: &String| told.split("taken: ").nth(1)?.split(',').next()?.parse().ok();
    let mut all: Vec<u8> = drive.told.iter().filter_map(number).collect();
    all.dedup();
    all
}

#[test]
fn a_head_turned_so_far_that_it_looks_like_another_costs_one_look_and_not_all_pictures() {
    // Five pictures straight on; the sixth is the first turned one.
    let (mut site, extracted) = mistaken(6, 3);
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    site.drive
        .until("the hand-over", Duration::from_secs(40), |d| matches!(d.scene, ResidentScene::TryGate { .. }))
        .unwrap();
    assert_eq!(taken(&site.drive), [1, 2, 3, 4, 5, 6], "never again from the beginning");
    assert_eq!(extracted.load(Ordering::SeqCst), 9, "what looked like another is in no template");
    site.drive.resident(ResidentCommand::TryGate);
    let done = |d: &Drive| matches!(d.scene, ResidentScene::Done { recognised: true, .. });
    site.drive.until("the gate's word", Duration::from_secs(40), done).unwrap();
}

#[test]
fn somebody_else_who_sits_down_and_stays_begins_from_nothing_and_no_template_is_a_mixture() {
    // While the head turns: many looks in a row are of another face.
    let (mut site, _) = mistaken(6, 13);
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    let over = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. });
    site.drive.until("the hand-over", Duration::from_secs(50), over).unwrap();
    let all = taken(&site.drive);
    assert_eq!(all.windows(2).filter(|pair| pair[1] < pair[0]).count(), 1, "once, and from nothing: {all:?}");

    // While the straight pictures are taken: at the first look, and only the second person is in the template.
    let mut site = super::site(1);
    site.resident("周", 0);
    site.drive.controls.act(PracticeAct::Seat(0));
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    site.drive.until("two pictures", Duration::from_secs(20), |d| taken(d).contains(&2)).unwrap();
    site.drive.controls.act(PracticeAct::Seat(1));
    site.drive
        .until("the hand-over", Duration::from_secs(40), |d| matches!(d.scene, ResidentScene::TryGate { .. }))
        .unwrap();
    let all = taken(&site.drive);
    assert!(all.windows(2).any(|pair| pair[1] < pair[0]), "{all:?}");
    assert_eq!(site.gates[0].ask("look 1").unwrap(), "recognised");
    assert_eq!(site.gates[0].ask("look 0").unwrap(), "unknown");
    site.drive.resident(ResidentCommand::Stop);
}
