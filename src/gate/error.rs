//! What can go wrong inside a gate. Says who must act; names no person, card or template.

use std::path::PathBuf;

use crate::wire::keys::KeyError;

/// Why a gate could not be set up, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// A file could not be read or written (installer).
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder already holds a gate (installer: nothing was changed).
    #[error("{0} already holds a gate")]
    Exists(PathBuf),
    /// The folder holds no gate: `menka-gate init` first.
    #[error("{0} holds no gate: run `menka-gate init` first")]
    Absent(PathBuf),
    /// The secret file is not the one that this gate was set up with, or the key file was changed.
    #[error("the secret does not open this gate's key")]
    WrongSecret,
    /// The store is damaged or not of this program (support).
    #[error("the gate's store cannot be read")]
    Corrupt,
    /// The database refused or its disk failed; nothing was changed.
    #[error("the gate's store failed: {0}")]
    Store(#[from] rusqlite::Error),
    /// The keys cannot be made or read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// This build or this folder is of the other realm.
    #[error("practice and real do not mix")]
    Realm,
    /// The address to listen on is not a private one.
    #[error("{0} is not a LAN address")]
    NotLan(String),
    /// No daemon of this gate has ever run (installer): only a running gate can be paired.
    #[error("this gate does not run: start `menka-gate run` first")]
    NotRunning,
    /// The code's time is over, or it was tried in vain too often.
    #[error("nobody was paired: run `menka-gate pair` again for a new code")]
    NotPaired,
    /// The gate's own file, `gate.toml`, cannot be used (installer).
    #[error("gate.toml: {0}")]
    Settings(String),
    /// The door cannot be made ready (installer).
    #[error(transparent)]
    Door(#[from] super::outputs::OutputError),
    /// This build has no such device (installer).
    #[error("this build has no {0}")]
    Lacks(&'static str),
    /// The person at the console did not confirm; nothing was changed.
    #[error("nothing was changed: the word was another")]
    NotConfirmed,
    /// Something was not understood (the person at the keyboard).
    #[error("{0}")]
    Usage(String),
}

impl GateError {
    /// Wraps an I/O failure with the file it is about.
    pub(super) fn file(file: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_path_buf();
        move |source| Self::File { file, source }
    }
}
