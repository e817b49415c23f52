//! The facts that a site writes into the legal texts: a typed schema of the placeholders (rules P17a, J04-1; notice, part 0).

use std::collections::BTreeMap;

macro_rules! facts {
    ($($(#[$doc:meta])* $variant:ident = $key:literal, $need:ident, $default:literal;)*) => {
        /// One placeholder of the legal texts that the site fills.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fact { $($(#[$doc])* $variant,)* }

        impl Fact {
            /// Every fact, in the order of the settings page.
            pub const ALL: &'static [Fact] = &[$(Fact::$variant,)*];

            /// The placeholder's name in the texts.
            pub fn key(self) -> &'static str {
                match self { $(Fact::$variant => $key,)* }
            }

            /// Who may fill it.
            pub fn need(self) -> Need {
                match self { $(Fact::$variant => Need::$need,)* }
            }

            /// What stands there until the site writes something; empty where no default is allowed.
            pub fn default_text(self) -> &'static str {
                match self { $(Fact::$variant => $default,)* }
            }
        }
    };
}

/// Whether a fact may be left to its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// ★ in the notice's table: the site must write it; no default.
    Star,
    /// Required; a default is offered.
    Required,
    /// Required only once children under fourteen can be enrolled.
    Children,
    /// May be empty.
    Optional,
    /// Filled by the program from its registers; nobody types it.
    Derived,
}

/// What a fact must look like, so that a notice cannot say something that is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// Any words.
    Words,
    /// Words that must say something: at least this many characters (P30, product figure).
    Reasons {
        /// Fewest characters.
        chars_min: usize,
    },
    /// A telephone number or an office with one: at least three digits.
    Phone,
    /// An e-mail address.
    Email,
    /// A unified social credit code (GB 32100): 18 digits or capital letters.
    CreditCode,
    /// A whole number between two bounds, both included.
    Number {
        /// Least.
        min: u32,
        /// Most.
        max: u32,
    },
}

/// What is wrong with a fact; each keeps face entry off, and cards go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactFault {
    /// Nothing is written.
    Empty,
    /// A placeholder in braces is left.
    Placeholder,
    /// Too few characters to be a reason.
    TooShort {
        /// Fewest characters.
        chars_min: usize,
    },
    /// No telephone number in it.
    NoPhone,
    /// No e-mail address.
    NoEmail,
    /// Not a unified social credit code.
    NoCreditCode,
    /// Not a whole number within the bounds.
    OutOfRange {
        /// Least.
        min: u32,
        /// Most.
        max: u32,
    },
}

/// Fewest characters of the necessity and of the effect on people (P30: no boilerplate; product figure).
pub const REASON_CHARS_MIN: usize = 60;

impl Fact {
    /// What it must look like. Sources of the bounds: evidence 3 years (PIPL 56), log at least 6 months (CSL 23), opening records at most 30
    /// days (product figure), answers within 15 working days and 10 days (the notice, sections 11 and 15).
    pub fn kind(self) -> FactKind {
        match self {
            Self::NecessityReason | Self::EffectText => FactKind::Reasons { chars_min: REASON_CHARS_MIN },
            Self::ContactPhone
            | Self::PiOfficerPhone
            | Self::GuardPhone
            | Self::CacContact
            | Self::PoliceContact
            | Self::HousingContact
            | Self::ChildOfficerPhone => FactKind::Phone,
            Self::ContactEmail => FactKind::Email,
            Self::Uscc => FactKind::CreditCode,
            Self::EvidenceYears => FactKind::Number { min: 3, max: 3 },
            Self::LogMonths => FactKind::Number { min: 6, max: 120 },
            Self::OfflineHours => FactKind::Number { min: 1, max: 24 },
            Self::PasslogDays => FactKind::Number { min: 1, max: 30 },
            Self::RightsDays => FactKind::Number { min: 1, max: 15 },
            Self::ComplaintDays => FactKind::Number { min: 1, max: 10 },
            Self::ProcessorName
            | Self::ProcessorAddress
            | Self::PiOfficerName
            | Self::SiteName
            | Self::SiteAddress
            | Self::DeskPlace
            | Self::DeskHours
            | Self::BenefitText
            | Self::PiaNo
            | Self::PiaDate
            | Self::CardFee
            | Self::JointList
            | Self::EntrustedList
            | Self::RecipientList
            | Self::FaceEndRule
            | Self::IdentityEndRule
            | Self::ChildOfficerName
            | Self::LocalRuleLine
            | Self::NoticeVersion
            | Self::NoticeDate => FactKind::Words,
        }
    }

    /// The facts that the site types: the content of the signed site file.
    pub fn typed() -> impl Iterator<Item = Fact> {
        Self::ALL.iter().copied().filter(|fact| fact.need() != Need::Derived)
    }

    /// Finds a fact by its placeholder's name.
    pub fn by_key(key: &str) -> Option<Fact> {
        Self::ALL.iter().copied().find(|fact| fact.key() == key)
    }
}

impl FactKind {
    /// What is wrong with a text of this kind, if anything.
    fn fault(self, text: &str) -> Option<FactFault> {
        match self {
            Self::Words => None,
            Self::Reasons { chars_min } => {
                let said = text.chars().filter(|c| !c.is_whitespace()).count();
                (said < chars_min).then_some(FactFault::TooShort { chars_min })
            }
            Self::Phone => (text.chars().filter(char::is_ascii_digit).count() < 3).then_some(FactFault::NoPhone),
            Self::Email => {
                let fits = text.split_once('@').is_some_and(|(name, host)| {
                    !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
                });
                (!fits).then_some(FactFault::NoEmail)
            }
            Self::CreditCode => {
                let fits = text.len() == 18 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
                (!fits).then_some(FactFault::NoCreditCode)
            }
            Self::Number { min, max } => {
                let fits = text.parse::<u32>().is_ok_and(|n| (min..=max).contains(&n));
                (!fits).then_some(FactFault::OutOfRange { min, max })
            }
        }
    }
}

facts! {
    /// Processor.
    ProcessorName = "processor_name", Star, "";
    /// Unified social credit code.
    Uscc = "uscc", Star, "";
    /// Address.
    ProcessorAddress = "processor_address", Star, "";
    /// Phone.
    ContactPhone = "contact_phone", Star, "";
    /// E-mail.
    ContactEmail = "contact_email", Star, "";
    /// Person for personal-information matters.
    PiOfficerName = "pi_officer_name", Star, "";
    /// Their phone.
    PiOfficerPhone = "pi_officer_phone", Star, "";
    /// Compound or building.
    SiteName = "site_name", Star, "";
    /// Its address.
    SiteAddress = "site_address", Star, "";
    /// Where the desk is.
    DeskPlace = "desk_place", Star, "";
    /// When it is open.
    DeskHours = "desk_hours", Star, "";
    /// 24-hour line.
    GuardPhone = "guard_phone", Star, "";
    /// Why a face option is needed beside cards.
    NecessityReason = "necessity_reason", Star, "";
    /// Benefit to residents.
    BenefitText = "benefit_text", Star, "";
    /// Cyberspace office.
    CacContact = "cac_contact", Star, "";
    /// Police.
    PoliceContact = "police_contact", Star, "";
    /// Housing authority.
    HousingContact = "housing_contact", Star, "";
    /// What a face way does to people here (P30), beside what the text says for every site.
    EffectText = "effect_text", Star, "";
    /// Number of the impact assessment (PIPL 55), from the registry.
    PiaNo = "pia_no", Derived, "";
    /// Its date.
    PiaDate = "pia_date", Derived, "";
    /// Fee of a card.
    CardFee = "card_fee", Required, "";
    /// Joint processors.
    JointList = "joint_list", Required, "无";
    /// Entrusted parties, from the register (P21).
    EntrustedList = "entrusted_list", Derived, "无";
    /// Other recipients: none, by design; there is no way to add one (P23).
    RecipientList = "recipient_list", Derived, "无";
    /// The rule that fixes a face's last day.
    FaceEndRule = "face_end_rule", Required, "与租期或者居住登记的截止日一致，最长一年";
    /// The end of names and cards.
    IdentityEndRule = "identity_end_rule", Required, "退卡或者搬离后三十日内删除";
    /// Years that records are kept after the end (PIPL 56: at least 3).
    EvidenceYears = "evidence_years", Required, "3";
    /// Months that the operation log is kept (Cybersecurity Law: at least 6).
    LogMonths = "log_months", Required, "6";
    /// Longest time a gate matches faces without contact.
    OfflineHours = "offline_hours", Required, "24";
    /// Days that a gate keeps opening records (at most 30).
    PasslogDays = "passlog_days", Required, "30";
    /// Working days to answer a request (at most 15).
    RightsDays = "rights_days", Required, "15";
    /// Days to answer a complaint (at most 10).
    ComplaintDays = "complaint_days", Required, "10";
    /// Person for children's data.
    ChildOfficerName = "child_officer_name", Children, "";
    /// Their phone.
    ChildOfficerPhone = "child_officer_phone", Children, "";
    /// Local rule.
    LocalRuleLine = "local_rule_line", Optional, "";
    /// Version of the notice in force at this site, counted by the program.
    NoticeVersion = "notice_version", Derived, "1.0";
    /// Since when, `2026-11-22`.
    NoticeDate = "notice_date", Derived, "";
}

/// What the site wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFacts {
    values: BTreeMap<Fact, String>,
}

impl SiteFacts {
    /// Longest accepted value, in characters.
    pub const CHARS_MAX: usize = 500;

    /// Writes one fact, trimmed and cut to [`Self::CHARS_MAX`] characters, line breaks and control characters made spaces.
    pub fn set(&mut self, fact: Fact, text: &str) {
        let clean: String =
            text.trim().chars().take(Self::CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.values.insert(fact, clean);
    }

    /// The fact, or its default.
    pub fn get(&self, fact: Fact) -> &str {
        self.values.get(&fact).map(String::as_str).filter(|t| !t.is_empty()).unwrap_or(fact.default_text())
    }

    /// What is wrong with a fact that the site types; `None` for those that the program fills.
    pub fn fault(&self, fact: Fact) -> Option<FactFault> {
        let text = self.get(fact);
        match (text.is_empty(), fact.need()) {
            (_, Need::Derived) => None,
            (true, Need::Star | Need::Required) => Some(FactFault::Empty),
            (true, Need::Children | Need::Optional) => None,
            (false, _) if text.contains(['{', '}']) => Some(FactFault::Placeholder),
            (false, _) => fact.kind().fault(text),
        }
    }

    /// Whether the fact still keeps face entry off: see [`Self::fault`].
    pub fn is_missing(&self, fact: Fact) -> bool {
        self.fault(fact).is_some()
    }

    /// All facts that keep face entry off (cards always work).
    pub fn missing(&self) -> Vec<Fact> {
        Fact::ALL.iter().copied().filter(|f| self.is_missing(*f)).collect()
    }

    /// Each fact's name and text, in a fixed order, for storing and for rendering.
    pub fn pairs(&self) -> impl Iterator<Item = (Fact, &str)> {
        Fact::ALL.iter().map(|f| (*f, self.get(*f)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that fits every kind of words.
    fn fitting(fact: Fact) -> String {
        match fact.kind() {
            FactKind::Words => "一".into(),
            FactKind::Reasons { chars_min } => "理".repeat(chars_min),
            FactKind::Phone => "021-5550100".into(),
            FactKind::Email => "a@b.cn".into(),
            FactKind::CreditCode => "91310000MA1K000000".into(),
            FactKind::Number { max, .. } => max.to_string(),
        }
    }

    fn all() -> SiteFacts {
        let mut facts = SiteFacts::default();
        Fact::typed().for_each(|fact| facts.set(fact, &fitting(fact)));
        facts
    }

    #[test]
    fn p17a_an_empty_star_fact_is_named() {
        assert!(SiteFacts::default().missing().contains(&Fact::ProcessorName));
        assert_eq!(all().missing(), vec![]);
        for fact in Fact::typed().filter(|f| f.need() == Need::Star) {
            for (text, fault) in [("", FactFault::Empty), ("{x}", FactFault::Placeholder)] {
                let mut facts = all();
                facts.set(fact, text);
                assert_eq!((facts.missing(), facts.fault(fact)), (vec![fact], Some(fault)), "{fact:?} = {text:?}");
            }
        }
    }

    #[test]
    fn p30_necessity_and_effect_need_sixty_characters_of_the_sites_own() {
        for fact in [Fact::NecessityReason, Fact::EffectText] {
            assert_eq!((fact.need(), fact.default_text()), (Need::Star, ""));
            let mut facts = all();
            facts.set(fact, &format!("  {} ", "理 由".repeat(29)));
            assert_eq!(facts.fault(fact), Some(FactFault::TooShort { chars_min: 60 }), "spaces are no reasons");
            facts.set(fact, &"理由".repeat(30));
            assert_eq!(facts.fault(fact), None);
        }
    }

    #[test]
    fn p17a_terms_stay_within_what_the_law_and_the_notice_allow() {
        let bounds = [
            (Fact::PasslogDays, "30", "31"),
            (Fact::RightsDays, "15", "16"),
            (Fact::ComplaintDays, "10", "11"),
            (Fact::EvidenceYears, "3", "2"),
            (Fact::LogMonths, "6", "5"),
            (Fact::OfflineHours, "24", "25"),
        ];
        for (fact, good, bad) in bounds {
            let mut facts = all();
            facts.set(fact, good);
            assert_eq!(facts.fault(fact), None, "{fact:?} = {good}");
            for text in [bad, "0", "-1", "三十", "1.5"] {
                facts.set(fact, text);
                assert!(matches!(facts.fault(fact), Some(FactFault::OutOfRange { .. })), "{fact:?} = {text}");
            }
        }
    }

    #[test]
    fn p09_contact_facts_must_be_contacts() {
        let wrong = [
            (Fact::ContactPhone, "前台", FactFault::NoPhone),
            (Fact::ContactEmail, "前台信箱", FactFault::NoEmail),
            (Fact::ContactEmail, "a @b.cn", FactFault::NoEmail),
            (Fact::Uscc, "9131", FactFault::NoCreditCode),
        ];
        for (fact, text, fault) in wrong {
            let mut facts = all();
            facts.set(fact, text);
            assert_eq!(facts.fault(fact), Some(fault), "{fact:?} = {text}");
        }
    }

    #[test]
    fn p23_no_recipient_can_be_typed() {
        assert_eq!(Fact::RecipientList.need(), Need::Derived);
        assert!(Fact::typed().all(|fact| fact != Fact::RecipientList));
        assert_eq!(SiteFacts::default().get(Fact::RecipientList), "无");
    }

    #[test]
    fn a_star_fact_has_no_default() {
        for fact in Fact::ALL.iter().filter(|f| f.need() == Need::Star) {
            assert_eq!(fact.default_text(), "", "{fact:?}");
        }
    }
}
