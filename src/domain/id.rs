//! One type an id, so that two kinds cannot be mixed up.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Wraps 16 bytes, random ones when the id is new.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes, for files and the wire.
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Reads the text form back.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::parse_str(text).ok().map(|u| Self(u.into_bytes()))
            }

            /// The first eight digits, enough for a screen or a log line.
            pub fn short(&self) -> String {
                self.to_string().chars().take(8).collect()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", Uuid::from_bytes(self.0).hyphenated())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}

ids! {
    /// A resident at the desk. Never leaves the desk.
    ResidentId,
    /// A recorded consent.
    ConsentId,
    /// The random number that links a template in a gate to a consent at the desk; all that a gate knows of a person.
    TemplateId,
    /// A paired gate.
    GateId,
    /// One operation sent to a gate; the idempotency key.
    OpId,
    /// One issued card.
    CardId,
    /// A staff account.
    StaffId,
    /// The site (one vault).
    SiteId,
    /// One showing of a notice to a resident.
    ShowingId,
    /// One check of a guardian in person.
    GuardianId,
    /// One answer of a child or ward who was asked.
    ViewId,
    /// One printed form that is signed on paper.
    FormId,
}
