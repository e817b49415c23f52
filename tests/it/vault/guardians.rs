//! Who gave a consent, as the vault upholds it: whatever a caller claims, the rows decide.

use menka::domain::consent::{ConsentDraft, Signature};
use menka::domain::guardian::{ByGuardian, Decider, GuardianDraft, GuardianRole, Party, ProofSeen, View, ViewHeard};
use menka::domain::id::{ConsentId, FormId, GateId, GuardianId, ResidentId, TemplateId, ViewId};
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::domain::time::Timestamp;
use menka::evidence::consent::{ConsentFacts, consent_json, decided_json};
use menka::secret::random_bytes;
use menka::vault::{Vault, VaultError};

use super::site::{self, NOW, Reader, gate, last_day, new_vault, reader};
use menka::domain::Realm;

/// The moment of signing.
const SIGNED: Timestamp = Timestamp::from_ms(NOW.ms() + 30_000);

struct Minor {
    reader: Reader,
    east: GateId,
}

fn minor(vault: &mut Vault, band: AgeBand) -> Minor {
    let east = gate(vault, "东门");
    let reader = reader(vault, "周小雨", "3-1201", 1, &[east]);
    become_(vault, reader.resident, band);
    Minor { reader, east }
}

fn become_(vault: &mut Vault, resident: ResidentId, band: AgeBand) {
    let birthday = (band != AgeBand::Adult).then(|| last_day().plus_days(1));
    let draft = ResidentDraft::parse(Some(resident), "周小雨", "3-1201", band, birthday, last_day(), NOW).unwrap();
    vault.record_resident(&draft, resident, NOW).unwrap();
}

fn check(vault: &mut Vault, resident: ResidentId, at: Timestamp) -> GuardianId {
    let decider = vault.decider(resident, at).unwrap();
    let draft =
        GuardianDraft::parse(resident, decider, "王芳芳", GuardianRole::Mother, ProofSeen::CourtDecision, "").unwrap();
    vault.record_guardian(&draft, GuardianId::from_bytes(random_bytes()), at).unwrap().id
}

fn hear(vault: &mut Vault, reader: &Reader, view: View) -> Result<ViewId, VaultError> {
    let id = ViewId::from_bytes(random_bytes());
    let heard = ViewHeard { id, resident: reader.resident, showing: reader.showing, view };
    vault.record_view(&heard, NOW.plus_ms(25_000)).map(|()| id)
}

impl Minor {
    fn draft(&self, party: Party) -> ConsentDraft {
        let mut draft = self.reader.draft(&[self.east]);
        draft.party = party;
        draft
    }
}

/// Records a draft with the record that belongs to it.
fn record(vault: &mut Vault, draft: &ConsentDraft) -> Result<ConsentId, VaultError> {
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = vault.facts()?;
    let guardian = draft.party.guardian().map(|id| vault.guardian(id)).transpose()?.flatten();
    let about = ConsentFacts { consent, template, draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    let json = decided_json(&about, guardian.as_ref());
    vault.record_consent(draft, consent, template, &json, SIGNED).map(|granted| granted.consent())
}

fn for_child(guardian: GuardianId, view: ViewId) -> Party {
    Party::ForChild(ByGuardian { guardian, view, statement: "我是周小雨的母亲".into() })
}

fn informed(guardian: GuardianId) -> Party {
    let signature = Signature::TypedName("王芳芳".into());
    Party::Informed { guardian, statement: "我已看过".into(), signature, signed_at: SIGNED }
}

#[test]
fn p31a_a_childs_consent_is_recorded_only_with_a_guardian_checked_today_and_the_childs_own_yes() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let child = minor(&mut vault, AgeBand::Under14);
    let resident = child.reader.resident;
    assert_eq!(record(&mut vault, &child.draft(Party::Own)), Err(VaultError::GuardianNeeded));
    assert_eq!(hear(&mut vault, &child.reader, View::Yes), Err(VaultError::GuardianNotChecked));
    let stale = check(&mut vault, resident, NOW.plus_ms(-13 * 3_600_000));
    assert_eq!(hear(&mut vault, &child.reader, View::Yes), Err(VaultError::GuardianNotChecked), "of yesterday");
    let nobody = ViewId::from_bytes([9; 16]);
    assert_eq!(record(&mut vault, &child.draft(for_child(stale, nobody))), Err(VaultError::GuardianNotChecked));

    let guardian = check(&mut vault, resident, NOW);
    assert_eq!(record(&mut vault, &child.draft(informed(guardian))), Err(VaultError::GuardianNeeded));
    assert_eq!(record(&mut vault, &child.draft(for_child(guardian, nobody))), Err(VaultError::ViewMissing));
    let yes = hear(&mut vault, &child.reader, View::Yes).unwrap();
    assert_eq!(record(&mut vault, &child.draft(for_child(stale, yes))), Err(VaultError::GuardianNotChecked));
    let draft = child.draft(for_child(guardian, yes));
    let consent = record(&mut vault, &draft).unwrap();
    assert_eq!(vault.consent_given_by(consent), Ok(Decider::ChildsGuardian));
    assert!(vault.audit().unwrap().is_sound());
}

#[test]
fn m2_a_no_is_a_refusal_that_no_yes_of_a_guardian_overrules() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let child = minor(&mut vault, AgeBand::Under14);
    let guardian = check(&mut vault, child.reader.resident, NOW);
    let no = hear(&mut vault, &child.reader, View::No).unwrap();
    assert_eq!(vault.refusal_stands(child.reader.resident), Ok(true));
    assert_eq!(record(&mut vault, &child.draft(for_child(guardian, no))), Err(VaultError::RefusalStands));
    let again = vault.record_face_asked(child.reader.resident, NOW.plus_ms(26_000));
    assert_eq!(again, Err(VaultError::RefusalStands), "the card may be in the guardian's hand");
    let rests = vault.view_rests_until(child.reader.resident, NOW.plus_ms(26_000)).unwrap();
    assert_eq!(rests, Some(NOW.plus_ms(25_000).date().plus_days(View::NO_RESTS_DAYS)));
    // From fourteen on the young person's own tap counts again.
    become_(&mut vault, child.reader.resident, AgeBand::From14To17);
    assert!(vault.record_face_asked(child.reader.resident, NOW.plus_ms(27_000)).is_ok());
    let guardian = check(&mut vault, child.reader.resident, NOW);
    assert_eq!(record(&mut vault, &child.draft(for_child(guardian, no))), Err(VaultError::GuardianNeeded));
}

#[test]
fn p31_a_guardian_cannot_consent_for_somebody_of_fourteen_nor_for_an_adult_who_decides_alone() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let youth = minor(&mut vault, AgeBand::From14To17);
    let guardian = check(&mut vault, youth.reader.resident, NOW);
    assert_eq!(hear(&mut vault, &youth.reader, View::Yes), Err(VaultError::GuardianNeeded));
    for party in [Party::Own, for_child(guardian, ViewId::from_bytes([9; 16]))] {
        assert_eq!(record(&mut vault, &youth.draft(party)), Err(VaultError::GuardianNeeded));
    }
    let consent = record(&mut vault, &youth.draft(informed(guardian))).unwrap();
    assert_eq!(vault.consent_given_by(consent), Ok(Decider::OwnInformed));

    let (_folder, mut vault) = new_vault(Realm::Real);
    let adult = minor(&mut vault, AgeBand::Adult);
    let party = informed(GuardianId::from_bytes([1; 16]));
    assert_eq!(record(&mut vault, &adult.draft(party)), Err(VaultError::GuardianNeeded));
    assert!(record(&mut vault, &adult.draft(Party::Own)).is_ok());
}

#[test]
fn sz20_marking_an_adult_as_a_ward_ends_a_consent_that_was_given_alone() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let adult = minor(&mut vault, AgeBand::Adult);
    let resident = adult.reader.resident;
    let granted = site::record(&mut vault, &adult.draft(Party::Own)).unwrap();
    assert_eq!(vault.confirm(&granted, SIGNED), Ok(()));
    vault.mark_ward(resident, true, SIGNED).unwrap();
    assert_eq!(vault.decider(resident, SIGNED), Ok(Decider::WardsGuardian));
    assert_eq!(vault.confirm(&granted, SIGNED), Err(VaultError::ConsentNotCurrent));
    assert_eq!(vault.current_consent(resident), Ok(None));
    assert_eq!(vault.erase_pending(resident).unwrap(), [adult.east]);
    assert_eq!(record(&mut vault, &adult.draft(Party::Own)), Err(VaultError::GuardianNeeded));
    vault.mark_ward(resident, false, SIGNED).unwrap();
    assert!(record(&mut vault, &adult.draft(Party::Own)).is_ok());
}

#[test]
fn m12_a_term_that_reaches_the_birthday_is_refused_and_the_birthday_ends_it() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let child = minor(&mut vault, AgeBand::Under14);
    let resident = child.reader.resident;
    let birthday = NOW.date().plus_days(100);
    let draft =
        ResidentDraft::parse(Some(resident), "周小雨", "3-1201", AgeBand::Under14, Some(birthday), last_day(), NOW);
    vault.record_resident(&draft.unwrap(), resident, NOW).unwrap();
    let guardian = check(&mut vault, resident, NOW);
    let yes = hear(&mut vault, &child.reader, View::Yes).unwrap();
    let mut draft = child.draft(for_child(guardian, yes));
    draft.ends_on = birthday;
    assert_eq!(
        record(&mut vault, &draft),
        Err(VaultError::EndWrong),
        "the birthday itself is not the child's any more"
    );
    draft.ends_on = birthday.plus_days(-1);
    record(&mut vault, &draft).unwrap();

    let eve = birthday.plus_days(-1).end().plus_ms(-1);
    assert_eq!(vault.pass_age_bands(eve), Ok(vec![]));
    assert!(vault.current_consent(resident).unwrap().is_some());
    assert_eq!(vault.pass_age_bands(eve.plus_ms(1)), Ok(vec![resident]));
    assert_eq!(vault.current_consent(resident), Ok(None));
    assert_eq!(vault.erase_pending(resident).unwrap(), [child.east]);
    assert_eq!(vault.decider(resident, eve.plus_ms(1)), Ok(Decider::OwnInformed));
    assert_eq!(vault.pass_age_bands(eve.plus_ms(2)), Ok(vec![]), "once");
    // Four years on, whoever was away: an adult, with no guardian on record any more.
    let eighteen = birthday.plus_years(4).plus_days(-1).end();
    assert_eq!(vault.pass_age_bands(eighteen), Ok(vec![]));
    assert_eq!(vault.decider(resident, eighteen), Ok(Decider::Own));
    assert_eq!(vault.current_guardian(resident), Ok(None));
}

#[test]
fn m11_the_record_must_state_the_guardian_who_was_checked() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let child = minor(&mut vault, AgeBand::Under14);
    let guardian = check(&mut vault, child.reader.resident, NOW);
    let yes = hear(&mut vault, &child.reader, View::Yes).unwrap();
    let draft = child.draft(for_child(guardian, yes));
    let (consent, template) = (ConsentId::from_bytes([1; 16]), TemplateId::from_bytes([2; 16]));
    let facts = vault.facts().unwrap();
    let about =
        ConsentFacts { consent, template, draft: &draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    let mut other = vault.guardian(guardian).unwrap().unwrap();
    other.proof = ProofSeen::BirthCertificate;
    for json in [consent_json(&about), decided_json(&about, Some(&other))] {
        let refused = vault.record_consent(&draft, consent, template, &json, SIGNED);
        assert_eq!(refused.unwrap_err(), VaultError::RecordDiffers);
    }
}

#[test]
fn m11_a_yes_serves_one_consent_with_one_guardian_under_one_text() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let child = minor(&mut vault, AgeBand::Under14);
    let resident = child.reader.resident;
    let first = check(&mut vault, resident, NOW);
    let yes = hear(&mut vault, &child.reader, View::Yes).unwrap();
    let second = check(&mut vault, resident, NOW.plus_ms(24_000));
    assert_ne!(first, second);
    assert_eq!(record(&mut vault, &child.draft(for_child(second, yes))), Err(VaultError::ViewMissing));
    let yes = hear(&mut vault, &child.reader, View::Yes).unwrap();
    record(&mut vault, &child.draft(for_child(second, yes))).unwrap();
    vault.end_consent(resident, menka::domain::consent::EraseReason::Withdrawn, SIGNED).unwrap();
    assert_eq!(record(&mut vault, &child.draft(for_child(second, yes))), Err(VaultError::ViewMissing), "used up");
}

#[test]
fn p29_a_form_serves_one_person_one_text_and_one_consent_after_it_was_seen() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let adult = minor(&mut vault, AgeBand::Adult);
    let resident = adult.reader.resident;
    let mut draft = adult.draft(Party::Own);
    let forms: Vec<FormId> = (1..=4).map(|n| FormId::from_bytes([n; 16])).collect();
    let words = draft.sentence.clone();
    vault.record_form(forms[0], resident, &words, "一张表", NOW).unwrap();
    vault.record_form(forms[1], resident, "别的话", "一张表", NOW).unwrap();
    vault.record_form(forms[2], resident, &words, "一张表", NOW.plus_ms(-25 * 3_600_000)).unwrap();
    assert_eq!(vault.record_form(forms[0], resident, &words, "一张表", NOW), Err(VaultError::IdUsed));
    draft.signature = Signature::Paper(forms[0]);
    assert_eq!(record(&mut vault, &draft), Err(VaultError::FormWrong), "nobody has seen it");
    for form in &forms[..3] {
        vault.record_form_seen(*form, NOW).unwrap();
    }
    assert_eq!(vault.record_form_seen(forms[3], NOW), Err(VaultError::Unknown));
    for (form, why) in [(forms[1], "other words"), (forms[2], "of yesterday"), (forms[3], "never made")] {
        draft.signature = Signature::Paper(form);
        assert_eq!(record(&mut vault, &draft), Err(VaultError::FormWrong), "{why}");
    }
    assert_eq!(vault.current_consent(resident), Ok(None), "a seen form alone is no consent");
    draft.signature = Signature::Paper(forms[0]);
    let consent = record(&mut vault, &draft).unwrap();
    assert_eq!(vault.form(forms[0]).unwrap().and_then(|form| form.consent), Some(consent));
    vault.end_consent(resident, menka::domain::consent::EraseReason::Withdrawn, SIGNED).unwrap();
    assert_eq!(record(&mut vault, &draft), Err(VaultError::FormWrong), "used up");
}
