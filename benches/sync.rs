//! The way to a gate, which is a process of its own behind TLS on the loopback: sealed envelopes with durable acknowledgements beside the
//! disk's own durable writes and the same bytes over bare TCP; the first sync of many people from the vault's outbox through the courier; a
//! change of one in a hundred; a gate that lacks faces filled by another one through the station, beside the cards of the same people. Bytes are
//! counted on the wire, TLS included. Prints `name: value` lines and the targets; nothing fails on a slow machine, and what rests on durable writes
//! is not told where they go into memory. `MENKA_BENCH` says how many people the large part has (100,000 else).
#![allow(clippy::print_stdout, reason = "its lines are its result")]

mod disk;
mod targets;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use menka::app::courier::{Courier, Shared};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::card::CardUid;
use menka::domain::consent::{ConsentDraft, ConsentGranted, Signature};
use menka::domain::gate::{GateRecord, GateStatus};
use menka::domain::id::{ConsentId, GateId, OpId, ResidentId, ShowingId, TemplateId};
use menka::domain::notice::{Language, NoticeRef, NoticeShown};
use menka::domain::resident::AgeBand;
use menka::domain::site::SiteFacts;
use menka::domain::time::CivilDate;
use menka::evidence::consent::{ConsentFacts, consent_json};
use menka::gate::relay::PASSES_PER_MINUTE_MAX;
use menka::lan::TlsLink;
use menka::ports::{Clock, GateLink};
use menka::practice::site::GateProcess;
use menka::secret::{EngineId, FaceTemplate, PairingCode, Passphrase, TEMPLATE_LEN, random_bytes};
use menka::vault::{CardNumbers, KdfCost, Vault};
use menka::wire::batch::{Step, StepReply};
use menka::wire::envelope::seal_face;
use menka::wire::frame::encode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Apply, PutFace, Reply, Request, What};
use sha2::{Digest, Sha256};

use disk::Disk;

/// Envelopes of the first part, and of one batch.
const ENVELOPES: usize = 10_240;
const BATCH: usize = 256;
/// People of the first sync.
const PEOPLE: usize = 10_000;
/// Envelopes made durable and acknowledged, a second, at least.
const ENVELOPES_A_SECOND_MIN: f64 = 5_000.0;
/// Longest first sync of [`PEOPLE`], in seconds.
const SYNC_S_MAX: f64 = 10.0;
/// Longest time until a gate that holds something else than it should is an alarm, in seconds.
const ALARM_S_MAX: f64 = 60.0;
/// People of the large part.
const MANY: usize = 100_000;
/// People whose face goes from one gate to another: fewer than a gate passes on in a minute, so that its limit is not what is measured.
const FACES: usize = 900;
/// Pause of the courier's thread when nothing rings, as the desk has it.
const COURIER_EVERY: Duration = Duration::from_millis(1_000);
/// Longest wait for one answer.
const LIMIT: Duration = Duration::from_secs(30);
const PASSPHRASE: &str = "a bench without secrets";

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    // `cargo test` also starts benches; there is nothing to test here.
    if std::env::args().any(|a| a == "--test") {
        return Ok(());
    }
    targets::print_load();
    let disk = Disk::find();
    let many = std::env::var("MENKA_BENCH").ok().and_then(|n| n.parse().ok()).unwrap_or(MANY);
    let rate = envelopes(&disk)?;
    let (first, _) = sync(&disk, PEOPLE)?;
    let (_, alarm) = sync(&disk, many)?;
    faces(&disk, FACES)?;
    let what = format!("{ENVELOPES_A_SECOND_MIN} sealed envelopes a second durable and acknowledged");
    disk.judge(&what, rate >= ENVELOPES_A_SECOND_MIN, &format!("{rate:.0} a second"));
    let (what, took) = (format!("first sync of {PEOPLE} people in {SYNC_S_MAX} s"), first.as_secs_f64());
    disk.judge(&what, took <= SYNC_S_MAX, &format!("{took:.2} s"));
    let what = format!("a gate of {many} people differs: the alarm within {ALARM_S_MAX} s");
    disk.judge(&what, alarm.as_secs_f64() <= ALARM_S_MAX, &format!("{:.2} s", alarm.as_secs_f64()));
    Ok(())
}

/// A vault of a practice site with one paired gate.
struct Site {
    folder: tempfile::TempDir,
    vault: Vault,
    keys: Arc<IdentityKeys>,
    link: TlsLink,
    gate: GateRecord,
    process: GateProcess,
    wire: Wire,
}

impl Site {
    fn new(disk: &Disk) -> Result<Self, Failed> {
        let folder = disk.folder()?;
        let now = SystemClock.now();
        let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let facts = SiteFacts::default();
        let mut vault =
            Vault::create(&folder.path().join("desk"), Realm::Practice, "测", &passphrase, &facts, now, cost)?;
        let keys = Arc::new(IdentityKeys::make(Realm::Practice)?);
        vault.record_identity_bytes(&keys.to_bytes())?;
        let mut link = TlsLink::new(Arc::clone(&keys), vault.site());
        let (gate, process, wire) = pair(&mut vault, &mut link, folder.path(), 0)?;
        Ok(Self { folder, vault, keys, link, gate, process, wire })
    }

    /// A gate takes faces only after a card was seen to let in.
    fn show_a_card(&mut self) -> Result<(), Failed> {
        let card = CardUid::from_bytes(&[7; 7]).ok_or("no card")?.bytes().to_vec();
        let ends_on = SystemClock.now().date().plus_days(300).epoch_days();
        let put = Apply { op: random_bytes(), sequence: 1, what: What::PutCard(card.clone(), ends_on) };
        for request in [Request::Apply(put), Request::TestCard(card)] {
            match self.link.ask(&self.gate, &request, LIMIT)? {
                Reply::Done(_) | Reply::CardTested(true) => {}
                other => return Err(format!("no card way: {other:?}").into()),
            }
        }
        Ok(())
    }
}

/// A gate process in a folder of its own, paired.
fn pair(
    vault: &mut Vault,
    link: &mut TlsLink,
    folder: &Path,
    number: usize,
) -> Result<(GateRecord, GateProcess, Wire), Failed> {
    let program = Path::new(env!("CARGO_BIN_EXE_menka-gate"));
    let process = GateProcess::start(program, &folder.join(format!("gate{number}")), number)?;
    let wire = Wire::before(&process.address)?;
    let shown = process.show_code()?;
    let code = PairingCode::parse(&shown.code).ok_or("no code")?;
    let (hello, tls_pin) = link.pair(&process.address, &code, Duration::from_secs(5))?;
    shown.paired()?;
    let gate = GateRecord {
        id: GateId::from_bytes(hello.id),
        name: format!("{number}号门"),
        place: "东门".into(),
        capture_area: "门前1米".into(),
        other_way: "刷卡".into(),
        why_needed: "测".into(),
        address: wire.address.clone(),
        tls_pin,
        seal_key: hello.seal_key,
        sign_key: hello.sign_key,
        card_way_tested_at: None,
        takes_faces: hello.takes_faces,
    };
    vault.record_gate(&gate, SystemClock.now())?;
    Ok((gate, process, wire))
}

/// Counts the bytes of both directions between the station and a gate.
struct Wire {
    address: String,
    bytes: Arc<AtomicU64>,
}

impl Wire {
    fn before(gate: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, gate) = (listener.local_addr()?.to_string(), gate.to_owned());
        let bytes = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&bytes);
        std::thread::spawn(move || {
            for station in listener.incoming().flatten() {
                let Ok(gate) = TcpStream::connect(&gate) else { continue };
                for (from, to) in [(&station, &gate), (&gate, &station)] {
                    let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
                    let count = Arc::clone(&count);
                    let _ = to.set_nodelay(true);
                    std::thread::spawn(move || carry(from, to, &count));
                }
            }
        });
        Ok(Self { address, bytes })
    }

    fn take(&self) -> u64 {
        self.bytes.swap(0, Ordering::SeqCst)
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut some = vec![0u8; 256 * 1024];
    while let Ok(read) = from.read(&mut some) {
        count.fetch_add(read as u64, Ordering::SeqCst);
        if read == 0 || to.write_all(&some[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Sealed templates in batches, each acknowledged when it is durable and read back. Returns how many a second.
fn envelopes(disk: &Disk) -> Result<f64, Failed> {
    let mut site = Site::new(disk)?;
    site.show_a_card()?;
    let ends_on = SystemClock.now().date().plus_days(300);
    let mut dice = 1u64;
    let faces = (0..64).map(|_| face(&mut dice)).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    let mut puts: Vec<PutFace> = Vec::with_capacity(ENVELOPES);
    for n in 0..ENVELOPES {
        let template = TemplateId::from_bytes(random_bytes());
        let granted = Vault::granted_to_nobody(site.gate.id, template, ends_on);
        let op = OpId::from_bytes(random_bytes());
        puts.push(seal_face(&granted, &faces[n % faces.len()], &site.gate, &site.keys, op)?);
    }
    let sealing = begun.elapsed();
    let bodies: Vec<Vec<u8>> = puts.chunks(BATCH).map(|some| encode(&batch(some))).collect();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    site.wire.take();
    let (mut answering, mut checking) = (Duration::ZERO, Duration::ZERO);
    let cpu = cpu_seconds(&site.process)?;
    for some in puts.chunks(BATCH) {
        let begun = Instant::now();
        let reply = site.link.ask(&site.gate, &batch(some), LIMIT)?;
        answering += begun.elapsed();
        let begun = Instant::now();
        let Reply::Batch(replies) = reply else { return Err("no batch".into()) };
        for (put, reply) in some.iter().zip(replies) {
            let StepReply::Done(receipt) = reply else { return Err(format!("refused: {reply:?}").into()) };
            receipt.check(&site.gate, Realm::Practice, &Request::PutFace(put.clone()))?;
        }
        checking += begun.elapsed();
    }
    let cpu = cpu_seconds(&site.process)? - cpu;
    let wire = site.wire.take();
    let Reply::Health(health) = site.link.ask(&site.gate, &Request::Health, LIMIT)? else {
        return Err("no health".into());
    };
    if health.faces != ENVELOPES as u64 {
        return Err("the gate does not hold them all".into());
    }
    let writes = |each: usize, writes: u32| durable_writes(&site.folder.path().join("fsync"), each, writes);
    let (one, many) = (writes(bytes / ENVELOPES, 200)?, writes(bytes / ENVELOPES * BATCH, 40)?);
    let bare = over_bare_tcp(&bodies)?;
    let rate = |time: Duration| ENVELOPES as f64 / time.as_secs_f64();
    let (durable, whole) = (rate(answering), rate(sealing + answering + checking));
    println!("envelopes: {ENVELOPES} of a template each, {BATCH} a batch, a receipt each");
    println!("bytes an envelope on the wire, both ways: {:.0}", wire as f64 / ENVELOPES as f64);
    println!("sealed at the desk, a second: {:.0}", rate(sealing));
    disk.print("durable, read back and acknowledged by the gate, a second", &format!("{durable:.0}"));
    println!("gate's processor time an envelope us: {:.0}", cpu * 1e6 / ENVELOPES as f64);
    println!("receipts checked at the desk, a second: {:.0}", rate(checking));
    disk.print("sealed, sent, acknowledged and checked one after another, a second", &format!("{whole:.0}"));
    disk.print("durable writes of the disk, a second", &format!("{one:.0} of one envelope, {many:.0} of a batch"));
    disk.print("acknowledged for each durable write of one envelope", &format!("{:.1}", durable / one));
    disk.print("envelopes a second if only the disk wrote batches", &format!("{:.0}", many * BATCH as f64));
    disk.print(
        "acknowledged to what only the disk would write in batches",
        &format!("{:.4}", durable / (many * BATCH as f64)),
    );
    println!("the same bytes over bare TCP, envelopes a second: {:.0}", rate(bare));
    disk.print("acknowledged for each sent over bare TCP", &format!("{:.4}", durable / rate(bare)));
    Ok(durable)
}

fn batch(puts: &[PutFace]) -> Request {
    Request::Batch(puts.iter().cloned().map(Step::Put).collect())
}

/// Cards of many people to one gate, then one card in a hundred with another last day; then the gate loses a card and has one too many.
/// Returns how long the first took, and how long it took until the difference was told.
fn sync(disk: &Disk, people: usize) -> Result<(Duration, Duration), Failed> {
    let mut site = Site::new(disk)?;
    let now = SystemClock.now();
    let names: Vec<(String, String)> =
        (0..people).map(|n| (format!("王小{n}"), format!("{}-{}", n / 2_500 + 1, n % 2_500 / 3 + 101))).collect();
    let (first, next) = (now.date().plus_days(300), now.date().plus_days(301));
    let ids = site.vault.fill(&names, now)?;
    site.vault.fill_cards(&ids, site.gate.id, first, now)?;
    let shared = Arc::new(Shared::default());
    let link = Box::new(TlsLink::new(Arc::clone(&site.keys), site.vault.site()));
    let mut courier =
        Courier::new(site.vault.second_connection()?, link, menka::boards::links()(), Arc::clone(&shared));
    site.wire.take();
    let (first_sync, passes) = until_in_step(&mut courier, &shared, &site.vault, &[(site.gate.id, people)])?;
    let bytes = site.wire.take();
    let (signed, read_back) = site.vault.signed_and_read_back(site.gate.id)?;
    if (signed, read_back) != (people as u64, people as u64) {
        return Err(format!("{signed} signed and {read_back} read back of {people}").into());
    }
    println!("people: {people}, a card each, one gate");
    disk.print(&format!("first sync of {people} s"), &format!("{:.2}", first_sync.as_secs_f64()));
    println!("first sync of {people}, signed / read back / passes: {signed} / {read_back} / {passes}");
    println!("first sync of {people}, bytes a person: {:.0}", bytes as f64 / people as f64);
    let changed: Vec<ResidentId> = ids.iter().step_by(100).copied().collect();
    for resident in &changed {
        let card = site.vault.current_card(*resident)?.ok_or("no card")?;
        site.vault.issue_card(*resident, &card.uid, &[site.gate.id], next, SystemClock.now())?;
    }
    site.wire.take();
    let (time, _) = until_in_step(&mut courier, &shared, &site.vault, &[(site.gate.id, people + changed.len())])?;
    let bytes = site.wire.take();
    let count = changed.len();
    disk.print(&format!("change of {count} of {people} s"), &format!("{:.2}", time.as_secs_f64()));
    println!("change of {count} of {people}, bytes: {bytes}, {:.0} a changed card", bytes as f64 / count as f64);
    let lost = site.vault.current_card(*ids.get(1).ok_or("nobody")?)?.ok_or("no card")?;
    let alarm = differs(&mut site, &mut courier, &shared, lost.uid.bytes().to_vec())?;
    disk.print(
        &format!("two cards of {people} differ at the gate: told after s"),
        &format!("{:.2}", alarm.as_secs_f64()),
    );
    Ok((first_sync, alarm))
}

/// Takes a card of ours out of the gate and puts a foreign one in, as nobody may: how long until the station says so, with its own pauses.
fn differs(site: &mut Site, courier: &mut Courier, shared: &Shared, lost: Vec<u8>) -> Result<Duration, Failed> {
    let sequence = site.vault.last_sequence()?;
    let foreign = What::PutCard(vec![0xEE; 7], SystemClock.now().date().plus_days(300).epoch_days());
    for what in [What::RemoveCard(lost), foreign] {
        let Reply::Done(_) =
            site.link.ask(&site.gate, &Request::Apply(Apply { op: random_bytes(), sequence, what }), LIMIT)?
        else {
            return Err("the gate did not take it".into());
        };
    }
    let begun = Instant::now();
    site.wire.take();
    loop {
        courier.pass(SystemClock.now())?;
        let gates = shared.gates().0;
        match gates.iter().find(|gate| gate.id == site.gate.id).map_or(0, |gate| gate.drift_count) {
            2 => break,
            0 if begun.elapsed() < Duration::from_secs(300) => {}
            other => return Err(format!("{other} differences told after {:?}", begun.elapsed()).into()),
        }
        shared.wait(COURIER_EVERY);
    }
    let took = begun.elapsed();
    println!("two cards differ, bytes until it was told: {}", site.wire.take());
    Ok(took)
}

/// Faces of people of whom one gate has them and the other does not, as after an enrollment while it was away, or once it has taken another's
/// place: sealed anew by the one, relayed by the station, stored and signed for by the other. Beside it the cards of the same people.
fn faces(disk: &Disk, people: usize) -> Result<(), Failed> {
    let mut site = Site::new(disk)?;
    let (second, _process, wire) = pair(&mut site.vault, &mut site.link, site.folder.path(), 1)?;
    let now = SystemClock.now();
    let names: Vec<(String, String)> = (0..people).map(|n| (format!("王小{n}"), format!("1-{}", n + 101))).collect();
    let ids = site.vault.fill(&names, now)?;
    let (gates, last_day) = ([site.gate.id, second.id], now.date().plus_days(300));
    for (n, resident) in (1u32..).zip(&ids) {
        let uid = CardUid::from_bytes(&n.to_be_bytes()).ok_or("no card")?;
        site.vault.issue_card(*resident, &uid, &gates, last_day, now)?;
    }
    let shared = Arc::new(Shared::default());
    let link = Box::new(TlsLink::new(Arc::clone(&site.keys), site.vault.site()));
    let mut courier =
        Courier::new(site.vault.second_connection()?, link, menka::boards::links()(), Arc::clone(&shared));
    site.wire.take();
    wire.take();
    let each = gates.map(|gate| (gate, people));
    let (cards, _) = until_in_step(&mut courier, &shared, &site.vault, &each)?;
    let card_bytes = site.wire.take() + wire.take();

    let mut dice = 7u64;
    let mut granted = Vec::with_capacity(people);
    for resident in &ids {
        granted.push(consent(&mut site.vault, *resident, &gates, last_day)?);
    }
    for some in granted.chunks(BATCH) {
        let puts = some.iter().map(|one| {
            let op = OpId::from_bytes(random_bytes());
            Ok(seal_face(one, &face(&mut dice)?, &site.gate, &site.keys, op)?)
        });
        let puts = puts.collect::<Result<Vec<PutFace>, Failed>>()?;
        let Reply::Batch(replies) = site.link.ask(&site.gate, &batch(&puts), LIMIT)? else {
            return Err("no batch".into());
        };
        for (one, reply) in some.iter().zip(replies) {
            let StepReply::Done(receipt) = reply else { return Err(format!("refused: {reply:?}").into()) };
            let now = SystemClock.now();
            site.vault.record_face_held(one, site.gate.id, receipt.stored_digest, &encode(&receipt), now)?;
        }
    }
    site.wire.take();
    wire.take();
    let begun = Instant::now();
    let mut numbers = CardNumbers::new();
    while site.vault.expected(second.id, &mut numbers)?.held.counts().0 < people as u64 {
        courier.pass(SystemClock.now())?;
        if begun.elapsed() > Duration::from_secs(300) {
            return Err("not filled after 5 minutes".into());
        }
        shared.wait(Duration::from_millis(50));
    }
    let time = begun.elapsed();
    let (given, taken) = (site.wire.take(), wire.take());
    let Reply::Health(health) = site.link.ask(&second, &Request::Health, LIMIT)? else {
        return Err("no health".into());
    };
    if health.faces != people as u64 {
        return Err("the second gate does not hold them all".into());
    }
    let rate = |time: Duration| people as f64 / time.as_secs_f64();
    let per = |bytes: u64| bytes as f64 / people as f64;
    println!("faces passed on: {people} people, from one gate to another through the station");
    disk.print("faces passed on s", &format!("{:.2}", time.as_secs_f64()));
    disk.print("faces passed on, people a second", &format!("{:.0}", rate(time)));
    println!(
        "faces passed on, bytes a person: {:.0} with the gate that has them, {:.0} with the other",
        per(given),
        per(taken)
    );
    disk.print("cards of the same people to the two gates s", &format!("{:.2}", cards.as_secs_f64()));
    disk.print("cards of the same people, people a second", &format!("{:.0}", rate(cards)));
    println!("cards of the same people, bytes a person at each gate: {:.0}", per(card_bytes) / 2.0);
    let ratio = rate(time) / rate(cards);
    disk.print("faces passed on for each person's cards in the same time", &format!("{ratio:.3}"));
    println!("most faces that a gate passes on in a minute, its own limit: {PASSES_PER_MINUTE_MAX}");
    Ok(())
}

/// A notice that was read to its end, and a signed consent for these gates.
fn consent(
    vault: &mut Vault,
    resident: ResidentId,
    gates: &[GateId],
    last_day: CivilDate,
) -> Result<ConsentGranted, Failed> {
    let now = SystemClock.now();
    vault.record_face_asked(resident, now)?;
    let text = "# 告知书\n";
    let notice = NoticeRef {
        id: "MK-N1".into(),
        version: "1.0".into(),
        language: Language::Chinese,
        sha256: Sha256::digest(text.as_bytes()).into(),
    };
    let id = ShowingId::from_bytes(random_bytes());
    let mut shown = NoticeShown { id, resident, notice, opened_at: now, reached_end_at: None };
    vault.record_showing(&shown, text, now)?;
    vault.record_reached_end(id, now)?;
    shown.reached_end_at = Some(now);
    let signature = Signature::Strokes(vec![vec![(1, 2), (3, 4)]]);
    let (sentence, gates) = ("我同意".into(), gates.to_vec());
    let draft = ConsentDraft::new(&shown, resident, AgeBand::Adult, sentence, gates, last_day, signature, now)
        .map_err(|error| format!("{error:?}"))?;
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = vault.facts()?;
    let about =
        ConsentFacts { consent, template, draft: &draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    Ok(vault.record_consent(&draft, consent, template, &consent_json(&about), now)?)
}

/// Passes of the courier, with its own pauses, until every operation is signed and the digests of each gate and the vault agree.
fn until_in_step(
    courier: &mut Courier,
    shared: &Shared,
    vault: &Vault,
    signed: &[(GateId, usize)],
) -> Result<(Duration, u32), Failed> {
    let (begun, mut passes) = (Instant::now(), 0);
    loop {
        courier.pass(SystemClock.now())?;
        passes += 1;
        let (gates, _) = shared.gates();
        let mut done = true;
        for (id, count) in signed {
            let in_step = |gate: &GateStatus| gate.reachable && gate.pending == 0 && gate.in_step == Some(true);
            done &= gates.iter().any(|gate| gate.id == *id && in_step(gate));
            done = done && vault.signed_and_read_back(*id)?.0 == *count as u64;
        }
        if done {
            return Ok((begun.elapsed(), passes));
        }
        if begun.elapsed() > Duration::from_secs(900) {
            return Err(format!("not in step after 15 minutes: {gates:?}").into());
        }
        shared.wait(COURIER_EVERY);
    }
}

fn face(dice: &mut u64) -> Result<FaceTemplate, Failed> {
    let mut v = [0f32; TEMPLATE_LEN];
    for x in &mut v {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *x = (*dice >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
    }
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter_mut().for_each(|x| *x /= length);
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut v).ok_or_else(|| "not a unit vector".into())
}

/// The disk's own durable writes of some bytes, a second.
fn durable_writes(path: &Path, each: usize, writes: u32) -> std::io::Result<f64> {
    let (mut file, body) = (std::fs::File::create(path)?, vec![7u8; each]);
    let begun = Instant::now();
    for _ in 0..writes {
        file.write_all(&body)?;
        file.sync_data()?;
    }
    Ok(f64::from(writes) / begun.elapsed().as_secs_f64())
}

fn over_bare_tcp(bodies: &[Vec<u8>]) -> Result<Duration, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let reader = std::thread::spawn(move || -> std::io::Result<usize> {
        let (mut all, mut stream) = (vec![], listener.accept()?.0);
        let read = stream.read_to_end(&mut all)?;
        stream.write_all(&[1])?;
        Ok(read)
    });
    let begun = Instant::now();
    let mut socket = TcpStream::connect(address)?;
    for body in bodies {
        socket.write_all(body)?;
    }
    socket.shutdown(Shutdown::Write)?;
    socket.read_exact(&mut [0u8; 1])?;
    let time = begun.elapsed();
    let read = reader.join().map_err(|_| "the reader failed")??;
    if read == bodies.iter().map(Vec::len).sum::<usize>() { Ok(time) } else { Err("bytes were lost".into()) }
}

/// Processor time of a gate's process since its start.
fn cpu_seconds(gate: &GateProcess) -> Result<f64, Failed> {
    let stat = std::fs::read_to_string(PathBuf::from(format!("/proc/{}/stat", gate.process_id())))?;
    let rest: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(|w| w.parse().unwrap_or(0.0)).collect();
    Ok((rest.get(11).unwrap_or(&0.0) + rest.get(12).unwrap_or(&0.0)) / 100.0)
}
