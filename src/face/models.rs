//! The model files: which ones are accepted, and reading them so that what was checked is what is used.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::EngineKind;
use crate::ports::FaceError;

/// The bytes of one engine's two models, checked against the pinned digests.
pub(super) struct Models {
    /// YuNet, or dlib's landmarks.
    pub(super) first: Vec<u8>,
    /// SFace, or dlib's ResNet.
    pub(super) second: Vec<u8>,
    /// YuNet beside dlib, whose own five points have no mouth.
    pub(super) points: Option<Vec<u8>>,
}

impl Models {
    /// Reads and checks the models of `kind` in `folder`.
    ///
    /// # Errors
    /// `ModelMissing` when a file is not there, `ModelWrong` when it is not the pinned one.
    pub(super) fn read(kind: EngineKind, folder: &Path) -> Result<Self, FaceError> {
        let pins = pins()?;
        let read = |kind: EngineKind, role: &str| {
            let pin = pins.iter().find(|pin| pin.engine == kind.name() && pin.role == role);
            pin.ok_or_else(|| FaceError::CannotStart(format!("no {role} is pinned for {}", kind.name())))?.read(folder)
        };
        let first = match kind {
            EngineKind::Sface => "detector",
            EngineKind::Dlib => "landmarks",
        };
        let (first, second) = (read(kind, first)?, read(kind, "template")?);
        let points = match kind {
            EngineKind::Sface => None,
            EngineKind::Dlib => Some(read(EngineKind::Sface, "detector")?),
        };
        Ok(Self { first, second, points })
    }
}

#[derive(Deserialize)]
struct Pins {
    model: Vec<Pin>,
}

/// One accepted file.
#[derive(Deserialize)]
struct Pin {
    engine: String,
    role: String,
    file: String,
    sha256: String,
    bytes: u64,
}

impl Pin {
    fn read(&self, folder: &Path) -> Result<Vec<u8>, FaceError> {
        let missing = || FaceError::ModelMissing { folder: folder.display().to_string() };
        let wrong = || FaceError::ModelWrong { file: self.file.clone() };
        let file = File::open(folder.join(&self.file)).map_err(|_| missing())?;
        // One byte more than the pin, so that a longer file is told from the right one without reading all of it.
        let mut bytes = Vec::with_capacity(usize::try_from(self.bytes).map_err(|_| wrong())?.saturating_add(1));
        file.take(self.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| wrong())?;
        let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        if bytes.len() as u64 == self.bytes && digest == self.sha256 { Ok(bytes) } else { Err(wrong()) }
    }
}

fn pins() -> Result<Vec<Pin>, FaceError> {
    let pins: Pins = toml::from_str(PINS).map_err(|e| FaceError::CannotStart(format!("the list of models: {e}")))?;
    Ok(pins.model)
}

const PINS: &str = include_str!("../../assets/models.toml");

#[cfg(test)]
mod tests {
    use super::*;

    // Shows: J02-1, L2-10
    #[test]
    fn every_engine_has_two_pinned_models_and_none_is_the_restricted_one() {
        let pins = pins().unwrap();
        for kind in EngineKind::ALL {
            assert_eq!(pins.iter().filter(|pin| pin.engine == kind.name()).count(), 2);
        }
        assert!(pins.iter().all(|pin| pin.sha256.len() == 64 && pin.bytes > 0));
        assert!(!PINS.contains("shape_predictor_68"));
    }

    #[test]
    fn a_missing_and_a_changed_model_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let error = Models::read(EngineKind::Dlib, folder.path()).err().unwrap();
        assert!(matches!(error, FaceError::ModelMissing { .. }));
        std::fs::write(folder.path().join("shape_predictor_5_face_landmarks.dat"), b"not a model").unwrap();
        let error = Models::read(EngineKind::Dlib, folder.path()).err().unwrap();
        assert_eq!(error, FaceError::ModelWrong { file: "shape_predictor_5_face_landmarks.dat".into() });
    }
}
