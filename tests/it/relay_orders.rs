//! More orders than one batch holds, for a gate that was away: it matches nobody of them again, wherever the line breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use menka::app::courier::{Courier, Shared};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::consent::{ConsentDraft, ConsentGranted, EraseReason, Signature};
use menka::domain::gate::GateRecord;
use menka::domain::id::{ConsentId, OpId, ResidentId, ShowingId, TemplateId};
use menka::domain::notice::{Language, NoticeRef, NoticeShown};
use menka::domain::resident::AgeBand;
use menka::evidence::consent::{ConsentFacts, consent_json};
use menka::lan::TlsLink;
use menka::ports::only_asked::{Answers, OnlyAsked};
use menka::ports::{Clock, GateLink, LinkError};
use menka::secret::{EngineId, FaceTemplate, TEMPLATE_LEN, random_bytes};
use menka::vault::Vault;
use menka::wire::batch::{Step, StepReply};
use menka::wire::envelope::seal_face;
use menka::wire::frame::encode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Reply, Request};
use sha2::{Digest, Sha256};

use super::relay::{Site, site};

/// More than one batch holds, which is 400.
const PEOPLE: u32 = 402;
const LIMIT: Duration = Duration::from_secs(30);

/// A link that says what it asks, and breaks for good after so many questions.
struct Watched {
    inner: TlsLink,
    left: Arc<AtomicI64>,
    asked: Arc<std::sync::Mutex<Vec<(char, usize)>>>,
}

impl Answers for Watched {
    fn answer(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(LinkError::Away);
        }
        let what = match request {
            Request::Orders(steps) => ('o', steps.len()),
            Request::Batch(steps) => ('b', steps.len()),
            _ => ('?', 0),
        };
        self.asked.lock().unwrap().push(what);
        self.inner.ask(gate, request, limit)
    }
}

fn link(vault: &Vault) -> TlsLink {
    let keys = IdentityKeys::from_bytes(&vault.identity_bytes().unwrap().unwrap()).unwrap();
    TlsLink::new(Arc::new(keys), vault.site())
}

/// Read to its end and said yes to, for one gate.
fn granted(vault: &mut Vault, resident: ResidentId, gate: &GateRecord) -> ConsentGranted {
    let now = SystemClock.now();
    vault.record_face_asked(resident, now).unwrap();
    let text = "# 告知书\n";
    let sha256 = Sha256::digest(text.as_bytes()).into();
    let notice = NoticeRef { id: "MK-N1".into(), version: "1.0".into(), language: Language::Chinese, sha256 };
    let id = ShowingId::from_bytes(random_bytes());
    let mut shown = NoticeShown { id, resident, notice, opened_at: now, reached_end_at: None };
    vault.record_showing(&shown, text, now).unwrap();
    vault.record_reached_end(id, now).unwrap();
    shown.reached_end_at = Some(now);
    let signature = Signature::Strokes(vec![vec![(1, 2), (3, 4)]]);
    let (gates, ends_on) = (vec![gate.id], now.date().plus_days(300));
    let agreed = ConsentDraft::new(&shown, resident, AgeBand::Adult, "我同意".into(), gates, ends_on, signature, now);
    let draft = agreed.unwrap();
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = vault.facts().unwrap();
    let about =
        ConsentFacts { consent, template, draft: &draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    let json = consent_json(&about);
    vault.record_consent(&draft, consent, template, &json, now).unwrap()
}

/// A direction of nobody.
fn nobodys(n: u32) -> FaceTemplate {
    let mut v = [0f32; TEMPLATE_LEN];
    for (at, x) in (0u32..).zip(v.iter_mut()) {
        let digest = Sha256::digest([n.to_le_bytes(), at.to_le_bytes()].concat());
        *x = f32::from(digest[0]) - 127.5;
    }
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter_mut().for_each(|x| *x /= length);
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut v).unwrap()
}

/// So many residents with a card each, whose faces the gate takes over the real line, as the desk hands them over.
fn fill(vault: &mut Vault, gate: &GateRecord) -> Vec<ResidentId> {
    let now = SystemClock.now();
    let names: Vec<_> = (0..PEOPLE).map(|n| (format!("住户{n}"), format!("7-{n}"))).collect();
    let people = vault.fill(&names, now).unwrap();
    vault.fill_cards(&people, gate.id, now.date().plus_days(300), now).unwrap();
    let mut granted_all = vec![];
    for resident in &people {
        granted_all.push(granted(vault, *resident, gate));
    }
    let keys = IdentityKeys::from_bytes(&vault.identity_bytes().unwrap().unwrap()).unwrap();
    let mut line = link(vault);
    for (part, some) in (0u32..).zip(granted_all.chunks(200)) {
        let put = |(n, one): (u32, &ConsentGranted)| {
            seal_face(one, &nobodys(part * 1_000 + n), gate, &keys, OpId::from_bytes(random_bytes())).unwrap()
        };
        let puts: Vec<_> = (0u32..).zip(some).map(put).collect();
        let batch = Request::Batch(puts.into_iter().map(Step::Put).collect());
        let Ok(Reply::Batch(replies)) = line.ask(gate, &batch, LIMIT) else { panic!("no batch") };
        for (one, reply) in some.iter().zip(replies) {
            let StepReply::Done(receipt) = reply else { panic!("refused: {reply:?}") };
            let stored = receipt.stored_digest;
            vault.record_face_held(one, gate.id, stored, &encode(&receipt), SystemClock.now()).unwrap();
        }
    }
    people
}

/// A site with one gate that holds many faces and, last, a real one; then the gate is away, and all of them withdraw.
fn all_withdrawn_while_the_gate_was_away() -> (Site, String) {
    let mut site = site(1);
    let gate = site.vault(|v| v.gates().unwrap()).remove(0);
    // The first face may go there once a card was seen to open.
    let last = site.enrolled(0);
    let mut people = site.vault(|v| fill(v, &gate));
    assert_eq!(site.gates[0].faces().unwrap(), PEOPLE as usize + 1);
    site.until("all cards", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true) && g.pending == 0));
    assert!(site.gates[0].knows(0).unwrap());
    let address = site.gates[0].address.clone();
    site.gates[0].kill();
    people.push(last);
    site.vault(|v| {
        for (n, resident) in (0i64..).zip(&people) {
            v.end_consent(*resident, EraseReason::Withdrawn, SystemClock.now().plus_ms(n)).unwrap();
        }
    });
    (site, address)
}

#[test]
fn p15_a_gate_that_comes_back_to_more_orders_than_one_batch_holds_knows_none_of_them_wherever_the_line_breaks() {
    let (mut site, address) = all_withdrawn_while_the_gate_was_away();
    // The desk's own courier is out of the way while the line is cut by hand.
    site.drive.staff(menka::app::command::StaffCommand::Lock);
    let passphrase = menka::secret::Passphrase::new(menka::practice::site::PASSPHRASE.into());
    for questions in 0..4 {
        site.gates[0].kill();
        site.gates[0].restart(&address).unwrap();
        let now = SystemClock.now().plus_ms(questions * 70_000);
        let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, now).unwrap();
        let (left, asked) = (Arc::new(AtomicI64::new(questions)), Arc::new(std::sync::Mutex::new(vec![])));
        let watched = Watched { inner: link(&vault), left, asked: Arc::clone(&asked) };
        let shared = Arc::new(Shared::default());
        let mut courier = Courier::new(vault, Box::new(OnlyAsked(watched)), menka::boards::links()(), shared);
        courier.pass(now).unwrap();
        drop(courier);
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        let first = asked.first().copied();
        assert_eq!(first, (questions > 0).then_some(('o', 400)), "{asked:?}");
        assert!(asked.iter().take_while(|(kind, _)| *kind == 'o').count() <= 1, "{asked:?}");
        // Before the last of the orders nobody's face is matched at all, whoever it is.
        let seen = site.gates[0].ask("look 0").unwrap();
        assert_ne!(seen, "recognised", "cut after {questions} questions: {asked:?}");
        assert!(questions > 1 || seen.contains("NoContact"), "cut after {questions} questions: {asked:?} {seen}");
    }
    site.drive.unlock();
    site.until("all receipts", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true) && g.pending == 0));
    assert_eq!(site.gates[0].faces().unwrap(), 0);
    assert!(!site.gates[0].knows(0).unwrap());
    site.gates[0].restart(&address).unwrap();
    assert_eq!(site.gates[0].faces().unwrap(), 0);
}
