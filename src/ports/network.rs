//! Over which of this machine's networks gates and card boards are reached.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The interfaces, by name, over which gates and card boards may be reached. Every link that was told of it keeps to the choice from the next
/// question on. None chosen yet: the system's routes decide.
#[derive(Clone, Debug, Default)]
pub struct Networks(Arc<Choice>);

#[derive(Debug, Default)]
struct Choice {
    names: RwLock<Vec<String>>,
    number: AtomicU64,
}

impl Networks {
    /// These from now on.
    pub fn choose(&self, names: Vec<String>) {
        let mut kept = self.0.names.write().unwrap_or_else(PoisonError::into_inner);
        if *kept != names {
            *kept = names;
            self.0.number.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// As chosen.
    pub fn chosen(&self) -> Vec<String> {
        self.0.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts the choices: a connection that was made under another one is not used any more.
    pub fn number(&self) -> u64 {
        self.0.number.load(Ordering::SeqCst)
    }
}
