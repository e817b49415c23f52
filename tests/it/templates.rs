//! Templates for searches: as they were handed over (the envelopes, opened with the gate's own keys) and as a gate keeps them.

use std::path::Path;

use menka::domain::Realm;
use menka::gate::place::Place;
use menka::practice::drive::Drive;
use menka::secret::FaceTemplate;
use menka::wire::envelope::open_face;

fn bytes(face: &FaceTemplate) -> Vec<u8> {
    face.expose().iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Every template that went to the gate in a folder so far, as 512 bytes.
pub fn handed_over(drive: &Drive, gate: &Path) -> Vec<Vec<u8>> {
    let store = Place::new(gate, None).open_beside(Realm::Practice).unwrap();
    let (id, keys) = (store.gate().unwrap(), store.keys().unwrap());
    let seal = store.station().unwrap().and_then(|station| station.seal).expect("the station said hello");
    let puts = drive.puts.lock().unwrap();
    let here = puts.iter().filter(|put| put.gate == *id.bytes());
    here.map(|put| bytes(&open_face(put, &keys, &seal).expect("the gate opens what it was sent"))).collect()
}

/// Every template that the gate in a folder keeps, turned as it lies there.
pub fn kept(gate: &Path) -> Vec<Vec<u8>> {
    let store = Place::new(gate, None).open_beside(Realm::Practice).unwrap();
    store.live_faces().unwrap().iter().map(|held| bytes(&held.face)).collect()
}
