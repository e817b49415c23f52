//! The words of the windows: one [`Texts`] a window, so that two windows may differ in language.
//!
//! Two Fluent files a language: `menka.ftl` (desk, read with [`tr!`](crate::tr)) and `resident.ftl` (resident window, read with
//! [`trr!`](crate::trr)). A key that is missing in the Chinese file does not compile, with either macro. Deliberately absent: the
//! legal texts, which are versioned files of their own.
//!
//! ```
//! use menka::{domain::notice::Language, i18n::Texts, tr};
//! let texts = Texts::new(Language::Chinese);
//! assert_eq!(tr!(texts, "unlock-action"), "解锁");
//! ```

use i18n_embed::LanguageLoader;
use i18n_embed::fluent::FluentLanguageLoader;

use crate::domain::notice::Language;

#[derive(rust_embed::RustEmbed)]
#[folder = "i18n"]
struct Files;

/// The Chinese station file; named here so that a change of it rebuilds what was checked against it.
pub const STATION_SOURCE: &str = include_str!("../../i18n/zh-CN/menka.ftl");
/// The Chinese resident file, against which [`trr!`](crate::trr) checks its keys.
pub const RESIDENT_SOURCE: &str = include_str!("../../i18n/zh-CN/resident.ftl");

/// The words of one window in one language.
pub struct Texts {
    language: Language,
    station: FluentLanguageLoader,
    resident: FluentLanguageLoader,
}

impl Texts {
    /// Loads both files of a language; what is missing there is taken from the Chinese ones.
    pub fn new(language: Language) -> Self {
        Self { language, station: load("menka", language), resident: load("resident", language) }
    }

    /// Which language this is.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The loader behind [`tr!`](crate::tr).
    pub fn station(&self) -> &FluentLanguageLoader {
        &self.station
    }

    /// The loader behind [`trr!`](crate::trr).
    pub fn resident(&self) -> &FluentLanguageLoader {
        &self.resident
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Texts({})", self.language.tag())
    }
}

fn load(domain: &str, language: Language) -> FluentLanguageLoader {
    let id = |language: Language| language.tag().parse().unwrap_or_default();
    let loader = FluentLanguageLoader::new(domain, id(Language::Chinese));
    // The files are inside the program and parsed by a test; should one be unreadable all the same, keys are shown instead of words.
    if let Err(error) = loader.load_languages(&Files, &[id(language)]) {
        tracing::error!(%error, domain, "the words of a window could not be loaded");
    }
    // Per bundle, so after every load: Fluent would put invisible direction marks around every value.
    loader.set_use_isolating(false);
    loader
}

/// Whether a Fluent source has a message of this name. Usable in constants: [`trr!`](crate::trr) checks its keys with it.
pub const fn has_message(source: &str, key: &str) -> bool {
    let (source, key) = (source.as_bytes(), key.as_bytes());
    let mut at = 0;
    while at < source.len() {
        // `at` is the start of a line.
        let mut same = 0;
        while same < key.len() && at + same < source.len() && source[at + same] == key[same] {
            same += 1;
        }
        let mut next = at + same;
        if same == key.len() {
            while next < source.len() && source[next] == b' ' {
                next += 1;
            }
            if next < source.len() && source[next] == b'=' {
                return true;
            }
        }
        at += same;
        while at < source.len() && source[at] != b'\n' {
            at += 1;
        }
        at += 1;
    }
    false
}

/// A station text (`menka.ftl`): `tr!(texts, "key")` or `tr!(texts, "key", name = value)`. Key and variables are checked at compile time.
#[macro_export]
macro_rules! tr {
    ($texts:expr, $id:literal $(, $name:ident = $value:expr)* $(,)?) => {
        i18n_embed_fl::fl!($texts.station(), $id $(, $name = $value)*)
    };
}

/// A resident text (`resident.ftl`): `trr!(texts, "key")` or `trr!(texts, "key", name = value)`. The key is checked at compile time, the
/// variables by a test.
#[macro_export]
macro_rules! trr {
    ($texts:expr, $id:literal $(,)?) => {{
        const { assert!($crate::i18n::has_message($crate::i18n::RESIDENT_SOURCE, $id), "no such key in resident.ftl") };
        $texts.resident().get($id)
    }};
    ($texts:expr, $id:literal $(, $name:ident = $value:expr)+ $(,)?) => {{
        const { assert!($crate::i18n::has_message($crate::i18n::RESIDENT_SOURCE, $id), "no such key in resident.ftl") };
        $texts.resident().get_args_concrete(
            $id,
            std::collections::HashMap::from([$((stringify!($name), $value.into())),+]),
        )
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_at_the_start_of_a_line_only() {
        const FILE: &str = "# note\nfirst = one\nsecond-one=zwei\n    third = x\n";
        assert!(has_message(FILE, "first") && has_message(FILE, "second-one"));
        for absent in ["second", "third", "one", "firs", "first-", "note"] {
            assert!(!has_message(FILE, absent), "{absent}");
        }
    }
}
