//! Types that must not leak: what they hold is wiped when they go, and printing them shows nothing.
//!
//! Deliberately absent: `Clone`, `Serialize` and a telling `Debug` on anything that holds a secret.

mod code;
mod locked;
mod recovery;

pub use code::PairingCode;
pub use locked::{LockedKey, Memory, is_process_private, keep_process_private, memory};
pub use recovery::{RecoveryKey, RecoveryKeyFault};

use secrecy::{ExposeSecret, SecretBox, SecretString};
use zeroize::{Zeroize, Zeroizing};

/// Length of a face template of either engine, in numbers.
pub const TEMPLATE_LEN: usize = 128;

/// Largest accepted side of a frame, in pixels. Larger pictures exhaust the engines (measured).
pub const FRAME_SIDE_MAX: u32 = 1280;

/// A staff passphrase on its way to the key derivation.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Shortest accepted new passphrase, in characters.
    pub const CHARS_MIN: usize = 10;

    /// Takes over the text; the caller's copy should be wiped by the caller ([`Typed`] does).
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The bytes, for the key derivation only.
    pub fn expose(&self) -> &[u8] {
        // EXPOSE: Argon2id needs the bytes.
        self.0.expose_secret().as_bytes()
    }

    /// Number of characters, so that a short one can be refused before it is used.
    pub fn chars(&self) -> usize {
        // EXPOSE: length only.
        self.0.expose_secret().chars().count()
    }

    /// Whether two entries are the same, in constant time for equal lengths.
    pub fn same_as(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.expose().ct_eq(other.expose()).into()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase([REDACTED])")
    }
}

/// Which model made a template, with its version. Templates of different engines are never compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineId(String);

impl EngineId {
    /// Longest accepted id, in bytes.
    pub const LEN_MAX: usize = 48;

    /// YuNet detector and SFace template, folded to float32, first version of our alignment.
    pub fn sface() -> Self {
        Self("yunet-2023mar+sface-2021dec/1".into())
    }

    /// dlib HOG detector, 5-point landmarks and ResNet descriptor, first version of our alignment.
    pub fn dlib() -> Self {
        Self("dlib-hog5+resnet-v1/1".into())
    }

    /// Accepts an id that came from the wire or a file: printable ASCII, 1 to [`Self::LEN_MAX`] bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::LEN_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for EngineId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A biometric template (ISO/IEC 24745): [`TEMPLATE_LEN`] numbers of unit L2 length. Wiped when dropped.
pub struct FaceTemplate {
    engine: EngineId,
    vector: SecretBox<[f32; TEMPLATE_LEN]>,
}

impl FaceTemplate {
    /// Takes over a vector of unit length; the source is wiped.
    ///
    /// Returns `None` when a number is not finite or the length is not 1 within 1e-3.
    pub fn from_unit_vector(engine: EngineId, source: &mut [f32; TEMPLATE_LEN]) -> Option<Self> {
        let norm = source.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        let sound = source.iter().all(|v| v.is_finite()) && (norm - 1.0).abs() < 1e-3;
        let template = sound.then(|| {
            let mut vector = Box::new([0f32; TEMPLATE_LEN]);
            vector.copy_from_slice(source);
            Self { engine, vector: SecretBox::new(vector) }
        });
        source.zeroize();
        template
    }

    /// Mean of several unit vectors of one face, brought back to unit length. Consumes and wipes them.
    ///
    /// Returns `None` for an empty list, mixed engines, or vectors that cancel out.
    pub fn mean(parts: Vec<Self>) -> Option<Self> {
        let engine = parts.first()?.engine.clone();
        if parts.iter().any(|p| p.engine != engine) {
            return None;
        }
        let mut sum = Zeroizing::new([0f32; TEMPLATE_LEN]);
        for part in &parts {
            // EXPOSE: the mean is over the numbers.
            for (s, v) in sum.iter_mut().zip(part.vector.expose_secret()) {
                *s += v;
            }
        }
        let norm = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
        if !norm.is_finite() || norm < 1e-3 {
            return None;
        }
        for s in sum.iter_mut() {
            *s /= norm;
        }
        Self::from_unit_vector(engine, &mut sum)
    }

    /// Which model made it.
    pub fn engine(&self) -> &EngineId {
        &self.engine
    }

    /// The numbers: for sealing (`wire`), for matching and storing (`gate`) and for the engine child's pipe (`face`).
    pub fn expose(&self) -> &[f32; TEMPLATE_LEN] {
        // EXPOSE: callers are listed in tests/it/layering.rs.
        self.vector.expose_secret()
    }
}

impl std::fmt::Debug for FaceTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaceTemplate([REDACTED])")
    }
}

/// One camera picture, RGB, 8 bits a channel, rows top to bottom without padding. Wiped when dropped.
pub struct Frame {
    width: u32,
    height: u32,
    rgb: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// Takes over pixels. Returns `None` unless `rgb.len() == 3 * width * height` and both sides are
    /// between 1 and [`FRAME_SIDE_MAX`].
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let rgb = Zeroizing::new(rgb);
        let sides = (1..=FRAME_SIDE_MAX).contains(&width) && (1..=FRAME_SIDE_MAX).contains(&height);
        let fits = sides && rgb.len() as u64 == 3 * u64::from(width) * u64::from(height);
        fits.then_some(Self { width, height, rgb })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, for the engine and the downscaled preview only.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}x{}, [REDACTED])", self.width, self.height)
    }
}

/// What a person types into a field. `Clone` only because messages of the windows must be; wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Typed(Zeroizing<String>);

impl Typed {
    /// Takes over the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Moves the text into a passphrase and leaves the field empty.
    pub fn take_passphrase(&mut self) -> Passphrase {
        let taken = std::mem::take(&mut *self.0);
        Passphrase::new(taken)
    }
}

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed([REDACTED])")
    }
}

/// Fills an array from the operating system's random source.
///
/// # Panics
/// Never in practice: it ends the program if the operating system has no randomness, since nothing safe can follow.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(at: usize) -> [f32; TEMPLATE_LEN] {
        let mut v = [0f32; TEMPLATE_LEN];
        v[at] = 1.0;
        v
    }

    #[test]
    fn printing_a_secret_shows_nothing() {
        let template = FaceTemplate::from_unit_vector(EngineId::sface(), &mut unit(3));
        assert_eq!(format!("{template:?}"), "Some(FaceTemplate([REDACTED]))");
        assert_eq!(format!("{:?}", Passphrase::new("swordfish-1".into())), "Passphrase([REDACTED])");
        assert_eq!(format!("{:?}", Typed::new("张三".into())), "Typed([REDACTED])");
        assert_eq!(format!("{:?}", Frame::new(1, 1, vec![1, 2, 3])), "Some(Frame(1x1, [REDACTED]))");
    }

    #[test]
    fn a_template_is_finite_and_of_unit_length() {
        let mut bad = unit(0);
        bad[1] = f32::NAN;
        assert!(FaceTemplate::from_unit_vector(EngineId::sface(), &mut bad).is_none());
        assert!(FaceTemplate::from_unit_vector(EngineId::sface(), &mut [0.0; TEMPLATE_LEN]).is_none());
    }

    #[test]
    fn the_source_of_a_template_is_wiped() {
        let mut source = unit(7);
        let _template = FaceTemplate::from_unit_vector(EngineId::sface(), &mut source);
        assert_eq!(source, [0.0; TEMPLATE_LEN]);
    }

    /// What is kept in these types is wiped when it is dropped; with other types in their place this does not compile.
    #[test]
    fn a_picture_and_a_template_are_wiped_when_they_are_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let frame = Frame::new(1, 1, vec![1, 2, 3]).expect("one pixel");
        wiped::<Zeroizing<Vec<u8>>>(&frame.rgb);
        let template = FaceTemplate::from_unit_vector(EngineId::sface(), &mut unit(7)).expect("a unit vector");
        wiped::<SecretBox<[f32; TEMPLATE_LEN]>>(&template.vector);
    }

    #[test]
    fn the_mean_has_unit_length_and_one_engine() {
        let part = |at| FaceTemplate::from_unit_vector(EngineId::sface(), &mut unit(at)).into_iter();
        let mean = FaceTemplate::mean(part(0).chain(part(1)).collect());
        let v = mean.as_ref().map(|m| (m.expose()[0], m.expose()[1]));
        assert!(v.is_some_and(|(a, b)| (a - 0.70710677).abs() < 1e-6 && (b - a).abs() < 1e-6));
        let other = FaceTemplate::from_unit_vector(EngineId::dlib(), &mut unit(0));
        assert!(FaceTemplate::mean(part(0).chain(other).collect()).is_none());
        assert!(FaceTemplate::mean(vec![]).is_none());
    }

    #[test]
    fn a_frame_has_sane_sides() {
        assert!(Frame::new(0, 1, vec![]).is_none());
        assert!(Frame::new(12_000, 9_000, vec![0; 3]).is_none());
        assert!(Frame::new(2, 2, vec![0; 11]).is_none());
        assert!(Frame::new(2, 2, vec![0; 12]).is_some());
    }
}
