//! What turning a passphrase into a key costs on this machine. Rule: K2-7.

use std::sync::{Arc, OnceLock};

use crate::vault::KdfCost;

/// What a new slot costs.
#[derive(Clone, Debug)]
pub enum Kdf {
    /// Always this: practice sites and tests.
    Fixed(KdfCost),
    /// As much as this machine does in [`KdfCost::AIM`], measured once.
    OfThisMachine(Arc<OnceLock<KdfCost>>),
}

impl Kdf {
    /// Begins to measure this machine in a thread of its own, so that nobody waits for it at the door.
    pub fn of_this_machine() -> Self {
        let measured = Arc::<OnceLock<KdfCost>>::default();
        let into = Arc::clone(&measured);
        let started = std::thread::Builder::new()
            .name("kdf".into())
            .spawn(move || into.get_or_init(KdfCost::of_this_machine).is_sane());
        if let Err(error) = started {
            tracing::warn!(%error, "the machine is measured at the door");
        }
        Self::OfThisMachine(measured)
    }

    /// The cost; waits for the measurement when it has not ended.
    pub fn cost(&self) -> KdfCost {
        match self {
            Self::Fixed(cost) => *cost,
            Self::OfThisMachine(measured) => *measured.get_or_init(KdfCost::of_this_machine),
        }
    }
}

impl From<KdfCost> for Kdf {
    fn from(cost: KdfCost) -> Self {
        Self::Fixed(cost)
    }
}
