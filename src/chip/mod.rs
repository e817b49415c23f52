//! The security chip of this computer. Linux: a TPM 2.0, through the TCG's own software stack. Elsewhere there is none for this program:
//! nobody has run it there yet.

#[cfg(all(target_os = "linux", feature = "tpm"))]
mod tpm;

use crate::ports::{NoChip, SecurityChip};

/// Where a TPM is on Linux: the kernel's own resource manager, so that other programs may use the chip too.
pub const DEVICE: &str = "device:/dev/tpmrm0";

/// The chip of this computer. `at` names it in the words of the TCG's stack (`device:/dev/tpmrm0`); `None`: where it usually is.
///
/// # Errors
/// `at` names none. A practice build also accepts a TPM in software (`swtpm:host=…,port=…`); a shipped one opens a device or nothing.
pub fn this_computer(at: Option<&str>) -> Result<Box<dyn SecurityChip>, String> {
    let at = at.unwrap_or(DEVICE);
    let in_software = cfg!(feature = "practice") && at.starts_with("swtpm:");
    if !at.starts_with("device:/dev/") && !in_software {
        return Err(format!("{at} is no security chip: it is named as {DEVICE}"));
    }
    #[cfg(all(target_os = "linux", feature = "tpm"))]
    return Ok(Box::new(tpm::Tpm::at(at)?));
    #[cfg(not(all(target_os = "linux", feature = "tpm")))]
    return Ok(Box::new(NoChip));
}

/// No chip: what a test or a tool gives that binds nothing.
pub fn none() -> Box<dyn SecurityChip> {
    Box::new(NoChip)
}
