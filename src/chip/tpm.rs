//! A TPM 2.0. The secret lies in a sealed object under a storage key that the chip makes anew from its own seed each time: nothing stays in
//! the chip, and no other chip loads the object.
//!
//! No boot measurements (PCRs) are asked for: an update of the firmware or of the system must not lock the desk out. What travels between
//! processor and chip is encrypted for the chip (salted session), so that a listener on the wires learns nothing; somebody who answers in the
//! chip's place there is not kept out, since the chip's key is not pinned.

use std::path::Path;
use std::str::FromStr;

use tss_esapi::Context;
use tss_esapi::Error as TpmError;
use tss_esapi::attributes::{ObjectAttributesBuilder, SessionAttributesBuilder};
use tss_esapi::constants::{SessionType, Tss2ResponseCodeKind};
use tss_esapi::handles::KeyHandle;
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::resource_handles::Hierarchy;
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{
    EccPoint, KeyedHashScheme, Private, Public, PublicBuilder, PublicEccParametersBuilder, PublicKeyedHashParameters,
    SensitiveData, SymmetricDefinition, SymmetricDefinitionObject,
};
use tss_esapi::tcti_ldr::TctiNameConf;
use tss_esapi::traits::{Marshall, UnMarshall};
use zeroize::Zeroizing;

use crate::ports::{ChipError, SecurityChip};

/// Shape of what [`Tpm::seal`] returns: this byte, the length of the public half (two bytes, big-endian), the public half, the private half.
const SHAPE: u8 = 1;

/// A TPM 2.0, opened anew for each act.
pub(super) struct Tpm {
    device: Option<String>,
    at: TctiNameConf,
}

impl Tpm {
    /// Names a chip; it is not opened yet.
    pub(super) fn at(at: &str) -> Result<Self, String> {
        let device = at.strip_prefix("device:").map(str::to_owned);
        let at = TctiNameConf::from_str(at).map_err(|_| format!("{at} names no security chip"))?;
        Ok(Self { device, at })
    }

    /// Opens the chip: its storage key, and a session whose contents are encrypted for that key.
    fn open(&self) -> Result<(Context, KeyHandle, AuthSession), ChipError> {
        // Looked at first: the stack itself would complain on the terminal. What cannot be looked at counts as there: a binding is released
        // only where no chip is.
        if self.device.as_deref().is_some_and(|device| matches!(Path::new(device).try_exists(), Ok(false))) {
            return Err(ChipError::Missing);
        }
        let mut context = Context::new(self.at.clone()).map_err(|error| match &self.device {
            // It is there, and does not open: the right to it is missing, or another program has it.
            Some(device) => ChipError::Refused(format!("{device} does not open: {error}")),
            None => ChipError::Missing,
        })?;
        let storage = storage_key().map_err(refused)?;
        let owner = Hierarchy::Owner;
        let primary = context
            .execute_with_nullauth_session(|context| context.create_primary(owner, storage, None, None, None, None))
            .map_err(refused)?
            .key_handle;
        let session = context
            .start_auth_session(
                Some(primary),
                None,
                None,
                SessionType::Hmac,
                SymmetricDefinition::AES_128_CFB,
                HashingAlgorithm::Sha256,
            )
            .map_err(refused)?
            .ok_or_else(|| ChipError::Refused("no session".into()))?;
        let (set, mask) = SessionAttributesBuilder::new().with_decrypt(true).with_encrypt(true).build();
        context.tr_sess_set_attributes(session, set, mask).map_err(refused)?;
        Ok((context, primary, session))
    }
}

impl SecurityChip for Tpm {
    fn is_there(&mut self) -> bool {
        self.open().is_ok()
    }

    fn seal(&mut self, secret: &[u8; 32]) -> Result<Vec<u8>, ChipError> {
        let (mut context, primary, session) = self.open()?;
        let sealed = SensitiveData::try_from(secret.to_vec()).map_err(refused)?;
        let shape = sealed_object().map_err(refused)?;
        let made = context
            .execute_with_session(Some(session), |context| {
                context.create(primary, shape, None, Some(sealed), None, None)
            })
            .map_err(refused)?;
        let public = made.out_public.marshall().map_err(refused)?;
        let length = u16::try_from(public.len()).map_err(|_| ChipError::Refused("too long".into()))?;
        let private: &[u8] = &made.out_private;
        Ok([&[SHAPE], &length.to_be_bytes()[..], &public, private].concat())
    }

    fn unseal(&mut self, sealed: &[u8]) -> Result<Zeroizing<[u8; 32]>, ChipError> {
        let (public, private) = halves(sealed).ok_or(ChipError::Other)?;
        let (mut context, primary, session) = self.open()?;
        let object = context
            .execute_with_session(Some(session), |context| context.load(primary, private, public))
            .map_err(foreign)?;
        let secret =
            context.execute_with_session(Some(session), |context| context.unseal(object.into())).map_err(foreign)?;
        let secret: &[u8; 32] = (&secret[..]).try_into().map_err(|_| ChipError::Other)?;
        Ok(Zeroizing::new(*secret))
    }
}

/// The public and the private half of a sealed object; `None` for something else.
fn halves(sealed: &[u8]) -> Option<(Public, Private)> {
    let (shape, rest) = sealed.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (public, private) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    if *shape != SHAPE {
        return None;
    }
    Some((Public::unmarshall(public).ok()?, Private::try_from(private.to_vec()).ok()?))
}

/// The storage key: the same in every session of one chip, until somebody clears the chip.
fn storage_key() -> Result<Public, TpmError> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let cipher = SymmetricDefinitionObject::AES_128_CFB;
    let curve = PublicEccParametersBuilder::new_restricted_decryption_key(cipher, EccCurve::NistP256).build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_ecc_parameters(curve)
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}

/// A sealed object: never leaves this chip, and no wrong tries can lock it.
fn sealed_object() -> Result<Public, TpmError> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::KeyedHash)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_keyed_hash_parameters(PublicKeyedHashParameters::new(KeyedHashScheme::Null))
        .with_keyed_hash_unique_identifier(Default::default())
        .build()
}

fn refused(error: TpmError) -> ChipError {
    ChipError::Refused(error.to_string())
}

/// An object that this chip does not take is another chip's, or damaged.
fn foreign(error: TpmError) -> ChipError {
    use Tss2ResponseCodeKind as K;
    let kind = match error {
        TpmError::Tss2Error(code) => code.kind(),
        TpmError::WrapperError(_) => return ChipError::Other,
    };
    match kind {
        Some(K::Integrity | K::Value | K::Size | K::Insufficient | K::Type | K::Hash | K::Attributes | K::Kdf) => {
            ChipError::Other
        }
        Some(K::Scheme | K::Key | K::Asymmetric | K::Symmetric | K::ReservedBits | K::Binding) => ChipError::Other,
        _ => refused(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_device_that_is_there_and_does_not_open_is_no_missing_chip() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &Path| Tpm::at(&format!("device:{}", path.display())).unwrap().open().err();
        assert_eq!(at(&folder.path().join("none")), Some(ChipError::Missing));
        // Nobody can tell what is at the end of a link to itself.
        let around = folder.path().join("around");
        std::os::unix::fs::symlink(&around, &around).unwrap();
        assert!(matches!(at(&around), Some(ChipError::Refused(_))));
        // A folder opens for nobody to write.
        assert!(matches!(at(folder.path()), Some(ChipError::Refused(_))));
    }
}
