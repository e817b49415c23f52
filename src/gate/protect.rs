//! The transform under which a gate keeps and compares templates: renewable, and another one at every gate (ISO/IEC 24745).
//!
//! A template is turned by an orthogonal matrix that only this gate can make: lengths and angles stay, so recognition stays as it was
//! (`make accuracy` publishes the loss), while templates of one face at two gates, or before and after a renewal, have nothing in common.
//! The matrix comes from the key of the gate's store and a random salt in the store. A new salt is a new matrix: everything held is turned
//! over to it without a face being seen again, and the old salt is gone, so that a copy taken earlier opens nothing any more.
//!
//! This is revocation and unlinkability, not secrecy: whoever holds enough pairs of turned and plain templates can work the matrix out
//! (orthogonal Procrustes; as many pairs as a template has numbers are enough). Secrecy is the sealed store's and its guarded key's.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::{FaceTemplate, TEMPLATE_LEN};

/// Bytes of the random salt.
pub const SALT_LEN: usize = 32;

/// What the expansion of the key is for; the number changes when the making of the matrix changes.
const INFO: &[u8] = b"menka template transform 1";

/// Random bits behind one number of the matrix.
const BYTES_A_NUMBER: usize = 8;

/// An orthogonal matrix of a gate. Wiped when dropped.
pub struct Transform {
    /// Row after row.
    rows: Zeroizing<Vec<f32>>,
}

impl Transform {
    /// The matrix of a store key and a salt. The same two always give the same matrix.
    ///
    /// The columns of a square matrix of independent normal numbers, made orthonormal, are uniformly distributed over all orthogonal
    /// matrices (Stewart 1980). Two passes of Gram-Schmidt in 64 bits keep them orthonormal within 1e-14.
    pub fn derive(store_key: &[u8; 32], salt: &[u8; SALT_LEN]) -> Self {
        let mut columns = Zeroizing::new(vec![[0f64; TEMPLATE_LEN]; TEMPLATE_LEN]);
        let expansion = Hkdf::<Sha256>::new(Some(salt), store_key);
        for (number, column) in (0u32..).zip(columns.iter_mut()) {
            let mut bytes = Zeroizing::new([0u8; TEMPLATE_LEN * BYTES_A_NUMBER]);
            let info = [INFO, &number.to_be_bytes()];
            // One column asks for 1,024 bytes, below the 8,160 that HKDF gives.
            if expansion.expand_multi_info(&info, bytes.as_mut_slice()).is_err() {
                bytes.fill(0);
            }
            normal(&bytes, column);
        }
        orthonormalise(&mut columns);
        let mut rows = Zeroizing::new(vec![0f32; TEMPLATE_LEN * TEMPLATE_LEN]);
        for (row, column) in rows.chunks_exact_mut(TEMPLATE_LEN).zip(columns.iter()) {
            for (out, number) in row.iter_mut().zip(column) {
                #[allow(clippy::cast_possible_truncation, reason = "a number of length at most 1, kept in 32 bits")]
                let number = *number as f32;
                *out = number;
            }
        }
        Self { rows }
    }

    /// A template as this gate keeps it. `None` cannot happen with a sound matrix; it is what a damaged one gives.
    pub fn turn(&self, face: &FaceTemplate) -> Option<FaceTemplate> {
        let mut turned = Zeroizing::new([0f32; TEMPLATE_LEN]);
        // EXPOSE: the gate is where templates are stored and compared.
        let plain = face.expose();
        for (out, row) in turned.iter_mut().zip(self.rows.chunks_exact(TEMPLATE_LEN)) {
            *out = dot(row, plain);
        }
        finished(face, &mut turned)
    }

    /// The template that was turned: to hand it over sealed, or to turn it anew.
    pub fn turn_back(&self, face: &FaceTemplate) -> Option<FaceTemplate> {
        let mut plain = Zeroizing::new([0f64; TEMPLATE_LEN]);
        // EXPOSE: as above.
        for (weight, row) in face.expose().iter().zip(self.rows.chunks_exact(TEMPLATE_LEN)) {
            for (out, number) in plain.iter_mut().zip(row) {
                *out += f64::from(*weight) * f64::from(*number);
            }
        }
        let mut rounded = Zeroizing::new([0f32; TEMPLATE_LEN]);
        for (out, number) in rounded.iter_mut().zip(plain.iter()) {
            #[allow(clippy::cast_possible_truncation, reason = "a number of length at most 1, kept in 32 bits")]
            let number = *number as f32;
            *out = number;
        }
        finished(face, &mut rounded)
    }
}

/// Brings the length back to what it was meant to be, 1: roundings of many renewals must not add up.
fn finished(face: &FaceTemplate, vector: &mut [f32; TEMPLATE_LEN]) -> Option<FaceTemplate> {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if !(0.9..1.1).contains(&length) {
        return None;
    }
    for x in vector.iter_mut() {
        #[allow(clippy::cast_possible_truncation, reason = "a number of length at most 1, kept in 32 bits")]
        let scaled = (f64::from(*x) / length) as f32;
        *x = scaled;
    }
    FaceTemplate::from_unit_vector(face.engine().clone(), vector)
}

fn dot(row: &[f32], plain: &[f32; TEMPLATE_LEN]) -> f32 {
    row.first_chunk().map_or(0.0, |row| super::matcher::cosine(row, plain))
}

/// Independent normal numbers, two from two uniform ones (Box and Muller 1958).
fn normal(bytes: &[u8; TEMPLATE_LEN * BYTES_A_NUMBER], out: &mut [f64; TEMPLATE_LEN]) {
    let uniform = |bytes: &[u8; BYTES_A_NUMBER]| {
        // 53 bits, never 0: its logarithm is taken.
        #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
        let number = ((u64::from_le_bytes(*bytes) >> 11) + 1) as f64;
        number / 9_007_199_254_740_992.0
    };
    let numbers = bytes.as_chunks::<BYTES_A_NUMBER>().0;
    for (pair, out) in numbers.as_chunks::<2>().0.iter().zip(out.as_chunks_mut::<2>().0) {
        let (radius, angle) = ((-2.0 * uniform(&pair[0]).ln()).sqrt(), std::f64::consts::TAU * uniform(&pair[1]));
        *out = [radius * angle.cos(), radius * angle.sin()];
    }
}

fn orthonormalise(columns: &mut [[f64; TEMPLATE_LEN]]) {
    for at in 0..columns.len() {
        let (before, rest) = columns.split_at_mut(at);
        let Some(column) = rest.first_mut() else { return };
        for _ in 0..2 {
            for earlier in before.iter() {
                let along: f64 = earlier.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
                for (x, e) in column.iter_mut().zip(earlier) {
                    *x -= along * e;
                }
            }
            let length = column.iter().map(|x| x * x).sum::<f64>().sqrt();
            for x in column.iter_mut() {
                *x /= length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::gate::matcher::cosine;
    use crate::secret::{EngineId, random_bytes};

    fn face() -> FaceTemplate {
        let mut v = [0f32; TEMPLATE_LEN];
        for (x, byte) in v.iter_mut().zip(random_bytes::<TEMPLATE_LEN>()) {
            *x = f32::from(byte) - 127.5;
        }
        let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.iter_mut().for_each(|x| *x /= length);
        FaceTemplate::from_unit_vector(EngineId::sface(), &mut v).unwrap()
    }

    #[test]
    fn similarities_stay_within_a_millionth() {
        let transform = Transform::derive(&[7; 32], &[9; 32]);
        for _ in 0..200 {
            let (a, b) = (face(), face());
            let plain = cosine(a.expose(), b.expose());
            let turned = cosine(transform.turn(&a).unwrap().expose(), transform.turn(&b).unwrap().expose());
            assert!((plain - turned).abs() < 1e-6, "{plain} {turned}");
        }
    }

    #[test]
    fn turned_back_is_the_template_also_after_many_renewals() {
        let original = face();
        let mut held = Transform::derive(&[1; 32], &[0; 32]).turn(&original).unwrap();
        for number in 0..40u8 {
            let (old, new) =
                (Transform::derive(&[1; 32], &[number; 32]), Transform::derive(&[1; 32], &[number + 1; 32]));
            held = new.turn(&old.turn_back(&held).unwrap()).unwrap();
        }
        let back = Transform::derive(&[1; 32], &[40; 32]).turn_back(&held).unwrap();
        for (a, b) in original.expose().iter().zip(back.expose()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    /// The same face at two gates, or before and after a renewal, is as far apart as two faces: the threshold of the engine is never
    /// reached, and the mean similarity is nil.
    #[test]
    fn one_face_under_two_keys_or_two_salts_is_two_strangers() {
        let salts = [[1u8; 32], [2; 32]];
        let transforms = [
            Transform::derive(&[1; 32], &salts[0]),
            Transform::derive(&[1; 32], &salts[1]),
            Transform::derive(&[2; 32], &salts[0]),
        ];
        let mut sum = 0f64;
        let least = crate::gate::matcher::threshold(&EngineId::sface()).unwrap();
        for _ in 0..200 {
            let face = face();
            let turned: Vec<FaceTemplate> = transforms.iter().map(|t| t.turn(&face).unwrap()).collect();
            for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                let similarity = cosine(turned[a].expose(), turned[b].expose());
                assert!(similarity.abs() < least, "{similarity}");
                sum += f64::from(similarity);
            }
            assert!(cosine(face.expose(), turned[0].expose()).abs() < least);
        }
        assert!((sum / 600.0).abs() < 0.02, "{sum}");
    }

    #[test]
    fn the_matrix_of_a_key_and_a_salt_never_changes() {
        // SHA-256 over the rows, little endian: a gate of another version must still open what this one turned.
        use sha2::Digest;
        let transform = Transform::derive(&[0x11; 32], &[0x22; 32]);
        let mut hash = sha2::Sha256::new();
        for number in transform.rows.iter() {
            // Roundings of the mathematical library may differ in the last bits between machines: four digits are the same everywhere.
            #[allow(clippy::cast_possible_truncation, reason = "a number of length at most 1")]
            let digits = (f64::from(*number) * 1e4).round() as i32;
            hash.update(digits.to_le_bytes());
        }
        let digest: String = hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest, "df3f2acfb7ce1280");
    }
}
