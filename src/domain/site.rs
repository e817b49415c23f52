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
    /// Number of the impact assessment (PIPL 55).
    PiaNo = "pia_no", Required, "";
    /// Its date.
    PiaDate = "pia_date", Required, "";
    /// Fee of a card.
    CardFee = "card_fee", Required, "";
    /// Joint processors.
    JointList = "joint_list", Required, "无";
    /// Entrusted parties.
    EntrustedList = "entrusted_list", Required, "无";
    /// Other recipients.
    RecipientList = "recipient_list", Required, "无";
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

    /// Whether the fact still keeps face entry off: empty, or still a placeholder in braces.
    pub fn is_missing(&self, fact: Fact) -> bool {
        let text = self.get(fact);
        let unfilled = text.is_empty() || text.contains(['{', '}']);
        match fact.need() {
            Need::Star | Need::Required => unfilled,
            Need::Children | Need::Optional => text.contains(['{', '}']),
        }
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

    #[test]
    fn p17a_an_empty_star_fact_is_named() {
        let mut facts = SiteFacts::default();
        assert!(facts.missing().contains(&Fact::ProcessorName));
        for fact in Fact::ALL {
            facts.set(*fact, "一");
        }
        assert_eq!(facts.missing(), vec![]);
        facts.set(Fact::Uscc, "{uscc}");
        assert_eq!(facts.missing(), vec![Fact::Uscc]);
    }

    #[test]
    fn a_star_fact_has_no_default() {
        for fact in Fact::ALL.iter().filter(|f| f.need() == Need::Star) {
            assert_eq!(fact.default_text(), "", "{fact:?}");
        }
    }
}
