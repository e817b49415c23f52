//! The desk's client against machines that pose as gates.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use menka::app::courier::{Courier, Shared};
use menka::app::event::StaffEvent;
use menka::app::relay::RelayEvent;
use menka::domain::Realm;
use menka::domain::card::CardRecord;
use menka::domain::gate::{GateRecord, GateStatus, Step as GateStep};
use menka::domain::id::{GateId, SiteId};
use menka::domain::relay::{Place, Wedged, reason};
use menka::lan::TlsLink;
use menka::ports::{GateLink, LinkError, PairError};
use menka::secret::PairingCode;
use menka::ui::staff::{Message, Route};
use menka::vault::Vault;
use menka::wire::batch::{Step, StepReply};
use menka::wire::frame::{decode, encode, read_body};
use menka::wire::held::Held;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{
    Apply, CardDigest, FRAME_MAX, Health, Hello, Holdings, Outcome, PROTOCOL, PairShare, REPLY_MAX, REVISION, Receipt,
    Refusal, Reply, Request, What,
};
use menka::wire::receipt::ReceiptError;
use menka::wire::tls::{self, Peer};
use rustls::{ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

use super::apply;
use crate::vault::site as small;

type Stream = StreamOwned<ServerConnection, TcpStream>;

/// A machine with a gate's keys that answers as it likes.
struct Posing {
    keys: Arc<IdentityKeys>,
    address: SocketAddr,
}

impl Posing {
    /// `answer` is called for each body that comes; it writes what it wants and says whether to go on.
    fn start(answer: impl Fn(&mut Stream, &IdentityKeys, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        let keys = Arc::new(IdentityKeys::make(Realm::Practice).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (own, answer) = (Arc::clone(&keys), Arc::new(answer));
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (own, answer) = (Arc::clone(&own), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let config = tls::server_config(&own, Peer::Anybody).unwrap();
                    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
                    while let Ok(body) = read_body(&mut stream, FRAME_MAX) {
                        if !answer(&mut stream, &own, &body) {
                            break;
                        }
                    }
                });
            }
        });
        Self { keys, address }
    }

    fn record(&self) -> GateRecord {
        GateRecord {
            id: GateId::from_bytes([9; 16]),
            name: "东门".into(),
            place: String::new(),
            capture_area: String::new(),
            other_way: String::new(),
            why_needed: String::new(),
            address: self.address.to_string(),
            tls_pin: self.keys.fingerprint(),
            seal_key: self.keys.seal_public(),
            sign_key: self.keys.sign_public(),
            card_way_tested_at: None,
            takes_faces: true,
        }
    }
}

fn desk() -> TlsLink {
    TlsLink::new(Arc::new(IdentityKeys::make(Realm::Practice).unwrap()), SiteId::from_bytes([0x51; 16]))
}

fn hello(keys: &IdentityKeys) -> Hello {
    Hello {
        protocol: PROTOCOL,
        realm: "practice".into(),
        id: [9; 16],
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        version: "menka-gate 9.9".into(),
        takes_faces: true,
        revision: Some(REVISION),
    }
}

fn send(stream: &mut Stream, body: &[u8]) -> bool {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], body].concat()).and_then(|()| stream.flush()).is_ok()
}

/// Greets as a gate does, and hands everything else to `rest`.
fn greeting(rest: impl Fn(&mut Stream, &IdentityKeys, &[u8]) -> bool + Send + Sync + 'static) -> Posing {
    Posing::start(move |stream, keys, body| match decode::<Request>(body) {
        Ok(Request::Hello(_)) => send(stream, &encode(&Reply::Hello(hello(keys)))),
        _ => rest(stream, keys, body),
    })
}

#[test]
fn what_a_posing_gate_answers_never_hangs_the_desk_and_is_told_as_what_it_is() {
    let limit = Duration::from_millis(1_500);
    let huge = greeting(|stream, _, _| stream.write_all(&[0xff; 4]).and_then(|()| stream.flush()).is_ok());
    let over = greeting(|stream, _, _| {
        let length = u32::try_from(REPLY_MAX + 1).unwrap().to_be_bytes();
        stream.write_all(&length).and_then(|()| stream.flush()).is_ok()
    });
    let noise = greeting(|stream, _, _| send(stream, &[0xff; 300]));
    let other = greeting(|stream, _, _| send(stream, &encode(&Reply::CardTested(true))) && send(stream, &[0x80]));
    let drip = greeting(|stream, _, _| {
        let bytes = [&[0, 0, 0, 200][..], &[0x80; 200]].concat();
        bytes.iter().all(|byte| {
            std::thread::sleep(Duration::from_millis(100));
            stream.write_all(std::slice::from_ref(byte)).and_then(|()| stream.flush()).is_ok()
        })
    });
    let silent = greeting(|_, _, _| {
        std::thread::sleep(Duration::from_secs(4));
        false
    });
    let gone = greeting(|_, _, _| false);
    for (name, gate, expected) in [
        ("4 GiB", &huge, Err(LinkError::Protocol)),
        ("one byte too long", &over, Err(LinkError::Protocol)),
        ("noise", &noise, Err(LinkError::Protocol)),
        ("slow", &drip, Err(LinkError::Away)),
        ("silent", &silent, Err(LinkError::Away)),
        ("gone", &gone, Err(LinkError::Away)),
    ] {
        let asked = Instant::now();
        assert_eq!(desk().ask(&gate.record(), &Request::Health, limit), expected, "{name}");
        assert!(asked.elapsed() < limit + Duration::from_millis(1_500), "{name}: {:?}", asked.elapsed());
    }
    // A sound reply to another question is not taken for an answer to this one by whoever asked: it is what it is.
    assert_eq!(desk().ask(&other.record(), &Request::Health, limit), Ok(Reply::CardTested(true)));
}

#[test]
fn a_gate_of_another_version_is_refused_cleanly_and_one_of_a_later_revision_is_talked_to() {
    let limit = Duration::from_secs(3);
    let said = |change: fn(&mut Hello)| {
        Posing::start(move |stream, keys, body| match decode::<Request>(body) {
            Ok(Request::Hello(_)) => {
                let mut hello = hello(keys);
                change(&mut hello);
                send(stream, &encode(&Reply::Hello(hello)))
            }
            _ => send(stream, &encode(&Reply::CardTested(true))),
        })
    };
    let card = Request::TestCard(vec![1, 2, 3, 4]);
    let ask = |gate: &Posing| desk().ask(&gate.record(), &card, limit);
    assert_eq!(ask(&said(|hello| hello.protocol = 2)), Err(LinkError::Protocol));
    assert_eq!(ask(&said(|hello| hello.protocol = 0)), Err(LinkError::Protocol));
    assert_eq!(ask(&said(|hello| hello.realm = "real".into())), Err(LinkError::OtherRealm));
    assert_eq!(ask(&said(|hello| hello.id = [8; 16])), Err(LinkError::KeyChanged));
    assert_eq!(ask(&said(|hello| hello.revision = None)), Ok(Reply::CardTested(true)));
    assert_eq!(ask(&said(|hello| hello.revision = Some(99))), Ok(Reply::CardTested(true)));
    // A later hello with a field that this desk does not know.
    let longer = Posing::start(|stream, keys, body| match decode::<Request>(body) {
        Ok(Request::Hello(_)) => {
            let mut bytes = encode(&Reply::Hello(hello(keys)));
            assert_eq!(bytes[3], 0x88);
            bytes[3] = 0x89;
            bytes.push(0xf5);
            send(stream, &bytes)
        }
        _ => send(stream, &encode(&Reply::CardTested(true))),
    });
    assert_eq!(ask(&longer), Ok(Reply::CardTested(true)));
    // What an older gate does not know, it refuses, and that is told as it is.
    let older = greeting(|stream, _, _| send(stream, &encode(&Reply::Refused(Refusal::Malformed))));
    let unpair = desk().ask(&older.record(), &apply(1, What::Unpair), limit);
    assert_eq!(unpair, Ok(Reply::Refused(Refusal::Malformed)));
    let version = greeting(|stream, _, _| send(stream, &encode(&Reply::Refused(Refusal::Version))));
    assert_eq!(ask(&version), Err(LinkError::Protocol));
}

#[test]
fn a_replayed_or_borrowed_receipt_does_not_count() {
    let request = apply(1, What::EraseFace([3; 16]));
    let other = apply(2, What::EraseFace([4; 16]));
    let replay = {
        let other = other.clone();
        greeting(move |stream, keys, _| {
            let Request::Apply(asked) = &other else { return false };
            let receipt = Receipt {
                op: asked.op,
                gate: [9; 16],
                outcome: Outcome::FaceErased,
                request_digest: menka::wire::receipt::request_digest(&other),
                stored_digest: [0; 32],
                at: 1,
                realm: "practice".into(),
                signature: [0; 64],
            };
            send(stream, &encode(&Reply::Done(receipt.sign(keys))))
        })
    };
    let Ok(Reply::Done(receipt)) = desk().ask(&replay.record(), &request, Duration::from_secs(3)) else {
        panic!("an answer")
    };
    let check = |request| receipt.check(&replay.record(), Realm::Practice, request);
    assert_eq!((check(&other), check(&request)), (Ok(()), Err(ReceiptError::Operation)));
    let borrowed = GateRecord { id: GateId::from_bytes([8; 16]), ..replay.record() };
    assert_eq!(receipt.check(&borrowed, Realm::Practice, &other), Err(ReceiptError::Gate));
}

#[test]
fn a_machine_that_does_not_know_the_code_is_not_paired_whatever_it_sends() {
    let code = PairingCode::parse("48217730").unwrap();
    let pair = |gate: &Posing| {
        let asked = Instant::now();
        let refused = desk().pair(&gate.address.to_string(), &code, Duration::from_secs(3)).err();
        assert!(asked.elapsed() < Duration::from_secs(5));
        refused
    };
    // Its own share under another code, and any proof.
    let guesses = Posing::start(|stream, keys, body| match decode::<Request>(body) {
        Ok(Request::PairBegin(PairShare { mut share, .. })) => {
            // A point of the other side: the letter is changed, the point is the station's own.
            share[0] = b'B';
            send(stream, &encode(&Reply::PairShare(PairShare { share, hello: hello(keys) })))
        }
        _ => send(stream, &encode(&Reply::Paired([7; 32]))),
    });
    assert_eq!(pair(&guesses), Some(PairError::OtherCode));
    // The station's own proof sent back.
    let mirror = Posing::start(|stream, keys, body| match decode::<Request>(body) {
        Ok(Request::PairBegin(PairShare { mut share, .. })) => {
            share[0] = b'B';
            send(stream, &encode(&Reply::PairShare(PairShare { share, hello: hello(keys) })))
        }
        Ok(Request::PairConfirm(tag)) => send(stream, &encode(&Reply::Paired(tag))),
        _ => false,
    });
    assert_eq!(pair(&mirror), Some(PairError::OtherCode));
    // Paired without a share, or no share at all.
    let hasty = Posing::start(|stream, _, _| send(stream, &encode(&Reply::Paired([7; 32]))));
    assert_eq!(pair(&hasty), Some(PairError::Link(LinkError::Protocol)));
    let bad = Posing::start(|stream, keys, _| {
        let hello = hello(keys);
        send(stream, &encode(&Reply::PairShare(PairShare { share: vec![0x42; 5], hello })))
    });
    assert_eq!(pair(&bad), Some(PairError::Link(LinkError::Protocol)));
    // A gate of an earlier revision does not know this request.
    let older = Posing::start(|stream, _, _| send(stream, &encode(&Reply::Refused(Refusal::Malformed))));
    assert_eq!(pair(&older), Some(PairError::Link(LinkError::Protocol)));
}

/// Two cards.
const FIRST: u32 = 0x0456_7890;
const SECOND: u32 = 0x0456_7891;

/// A courier of a small practice site with one gate, and one card for each number in `cards`.
fn courier(gate: &Posing, cards: &[u32]) -> (tempfile::TempDir, Vault, Courier, Vec<CardRecord>) {
    let (folder, mut vault) = small::new_vault(Realm::Practice);
    vault.record_gate(&gate.record(), small::NOW).unwrap();
    let issued = cards.iter().map(|card| issue(&mut vault, *card)).collect();
    let boards = menka::boards::links();
    let own = vault.second_connection().unwrap();
    (folder, vault, Courier::new(own, Box::new(desk()), boards(), Arc::new(Shared::default())), issued)
}

fn issue(vault: &mut Vault, card: u32) -> CardRecord {
    let resident = small::resident(vault, "王小明", &format!("3-{card}"));
    let gates = [GateId::from_bytes([9; 16])];
    vault.issue_card(resident, &small::uid(card), &gates, small::last_day(), small::NOW).unwrap()
}

/// Signs for whatever it is told, and answers that it holds these cards only. The card with the number `full` has no room.
fn signing(cards: Vec<u32>, full: Option<u32>) -> Posing {
    let bytes = |card: u32| small::uid(card).bytes().to_vec();
    let held: Vec<CardDigest> = cards
        .iter()
        .map(|card| CardDigest { digest: Sha256::digest(bytes(*card)).into(), ends_on: small::last_day().epoch_days() })
        .collect();
    greeting(move |stream, keys, body| {
        let sign = |apply: &Apply| match &apply.what {
            What::PutCard(uid, _) if full.is_some_and(|card| *uid == bytes(card)) => Err(Refusal::Full),
            _ => {
                let receipt = Receipt {
                    op: apply.op,
                    gate: [9; 16],
                    outcome: Outcome::CardStored,
                    request_digest: menka::wire::receipt::request_digest(&Request::Apply(apply.clone())),
                    stored_digest: [1; 32],
                    at: small::NOW.ms(),
                    realm: "practice".into(),
                    signature: [0; 64],
                };
                Ok(receipt.sign(keys))
            }
        };
        let reply = match decode::<Request>(body) {
            Ok(Request::Apply(apply)) => sign(&apply).map_or_else(Reply::Refused, Reply::Done),
            Ok(Request::Batch(steps)) => {
                let each = steps.into_iter().map(|step| match step {
                    Step::Apply(apply) => sign(&apply).map_or_else(StepReply::Refused, StepReply::Done),
                    _ => StepReply::Refused(Refusal::Malformed),
                });
                Reply::Batch(each.collect())
            }
            Ok(Request::Find(asked)) => {
                let asked_for = |card: &&CardDigest| asked.cards.chunks(32).any(|digest| *digest == card.digest);
                Reply::Entries(Holdings { faces: vec![], cards: held.iter().filter(asked_for).cloned().collect() })
            }
            Ok(Request::List) => Reply::List(Holdings { faces: vec![], cards: held.clone() }),
            Ok(Request::Health) => {
                let mut all = Held::default();
                held.iter().for_each(|card| all.put_card(card.digest, card.ends_on));
                Reply::Health(Health {
                    clock: small::NOW.ms(),
                    faces: 0,
                    cards: held.len() as u64,
                    version: "menka-gate 9.9".into(),
                    digest: all.digest(),
                    faces_off: None,
                    offline_hours: None,
                    passlog_days: None,
                    people_max: None,
                    strangers_in_ppm: None,
                    clock_offset_ms: None,
                })
            }
            Ok(Request::TestCard(_)) => Reply::CardTested(false),
            _ => Reply::Refused(Refusal::Malformed),
        };
        send(stream, &encode(&reply))
    })
}

/// Whether a page of the staff window shows exactly these words.
fn says(route: Route, gates: Vec<GateStatus>, wedged: Vec<Wedged>, words: [&str; 2]) -> [bool; 2] {
    let mut staff = crate::ui_staff::unlocked();
    staff.apply(StaffEvent::Gates(gates));
    staff.update(Message::Go(route));
    staff.apply(StaffEvent::Relay(RelayEvent::Wedged(wedged)));
    let texts = crate::ui_staff::both();
    [0, 1].map(|n| crate::ui_staff::window((1366.0, 2000.0), staff.view(&texts[n])).find(words[n]).is_ok())
}

#[test]
fn what_a_gate_signs_for_and_does_not_hold_is_said_with_what_to_do_and_never_called_in_step() {
    let gate = signing(vec![], None);
    let (_folder, vault, mut courier, issued) = courier(&gate, &[FIRST, SECOND]);
    courier.pass(small::NOW).unwrap();
    courier.pass(small::NOW.plus_ms(6_000)).unwrap();
    let gates = courier.shared().gates().0;
    assert_eq!((gates[0].reachable, gates[0].wedged, gates[0].pending), (true, 2, 0), "{gates:?}");
    assert!(!matches!(gates[0].step(), GateStep::InStep), "{:?}", gates[0]);
    let wedged = vault.wedged().unwrap();
    let id = GateId::from_bytes([9; 16]);
    assert_eq!(wedged, [Wedged { gate: id, reason: reason::READ_BACK.into(), count: 2, still_tried: false }]);
    assert_eq!(vault.card_places(issued[0].id).unwrap(), [(id, Place::Refused(reason::READ_BACK.into()))]);
    for words in [
        ["有 2 项没有收下： 东门 写入以后读回的不一样。", "2 not taken: What 东门 reads back is not what was written."],
        [
            "请技术人员检查这台门禁机，再按“再发一次”。",
            "Have the technician look at the gate, then press \"Send again\".",
        ],
    ] {
        assert_eq!(says(Route::Relay, gates.clone(), wedged.clone(), words), [true, true], "{words:?}");
    }
    assert_eq!(says(Route::Home, gates.clone(), wedged.clone(), ["拒收 2 项", "2 refused"]), [true, true]);
    assert_eq!(says(Route::Home, gates, wedged, ["已同步", "In step"]), [false, false]);
}

#[test]
fn a_gate_that_is_full_keeps_nothing_else_waiting_and_after_a_minute_the_reason_is_said() {
    let gate = signing(vec![SECOND], Some(FIRST));
    let (_folder, mut vault, mut courier, issued) = courier(&gate, &[FIRST]);
    let mut now = small::NOW;
    for pause in [0, 1, 2, 4, 8] {
        now = now.plus_ms(pause * 1_000);
        courier.pass(now).unwrap();
    }
    assert_eq!(vault.wedged().unwrap(), vec![], "it may pass: not said yet");
    now = now.plus_ms(16_000);
    courier.pass(now).unwrap();
    let id = GateId::from_bytes([9; 16]);
    let full = Wedged { gate: id, reason: Refusal::Full.to_string(), count: 1, still_tried: true };
    assert_eq!(vault.wedged().unwrap(), std::slice::from_ref(&full));
    // Another card goes its way at once.
    let second = issue(&mut vault, SECOND);
    courier.pass(now.plus_ms(1_000)).unwrap();
    assert_eq!(vault.card_delivered_at(second.id).unwrap(), [(id, true)]);
    assert_eq!(vault.card_places(second.id).unwrap(), [(id, Place::Synced)]);
    assert_eq!(vault.card_places(issued[0].id).unwrap(), [(id, Place::Refused(Refusal::Full.to_string()))]);
    let gates = courier.shared().gates().0;
    assert_eq!((gates[0].pending, gates[0].wedged), (1, 0));
    for words in [
        [
            "有 1 项一直没有收下，还在自动重试： 东门 存满了。",
            "1 not taken so far, tried again by itself: 东门 is full.",
        ],
        ["清理已到期的人员，或联系技术支持扩容。", "Remove people whose term is over, or ask support for more room."],
    ] {
        assert_eq!(says(Route::Relay, gates.clone(), vec![full.clone()], words), [true, true], "{words:?}");
    }
    // "Send again" goes at once, and what is said begins anew.
    assert_eq!(vault.retry_wedged(id, now.plus_ms(2_000)).unwrap(), 1);
    assert_eq!(vault.wedged().unwrap(), vec![]);
    assert!(vault.next_due(id, now.plus_ms(2_000)).unwrap().is_some());
}

#[test]
fn every_reason_has_words_of_its_own() {
    let codes = [
        reason::READ_BACK,
        reason::RECEIPT,
        reason::CARDS_ONLY,
        reason::NO_NUMBER,
        reason::TWO_CARDS,
        reason::BOARD,
        reason::UNREADABLE,
        &Refusal::Full.to_string(),
        &Refusal::Storage.to_string(),
        &Refusal::TooMany.to_string(),
        &Refusal::Expired.to_string(),
        "a reason of a later gate",
    ];
    for texts in crate::ui_staff::both() {
        let said: std::collections::BTreeSet<String> =
            codes.iter().map(|code| menka::ui::explain::wedged(&texts, "东门", code).what).collect();
        assert_eq!(said.len(), codes.len(), "{said:?}");
        let all = codes.iter().map(|code| menka::ui::explain::wedged(&texts, "东门", code));
        assert!(all.into_iter().all(|words| !words.todo.is_empty() && !words.what.contains("{")));
    }
}

#[test]
fn a_comparison_that_cannot_be_finished_leaves_the_last_one_with_its_age_and_is_not_called_in_step() {
    let changed = Arc::new(AtomicBool::new(false));
    let by_gate = Arc::clone(&changed);
    let gate = greeting(move |stream, _, body| {
        let changed = by_gate.load(Ordering::SeqCst);
        let reply = match decode::<Request>(body) {
            Ok(Request::Health) => Reply::Health(Health {
                clock: small::NOW.ms(),
                faces: 0,
                cards: 0,
                version: "menka-gate 9.9".into(),
                digest: if changed { [7; 32] } else { Held::default().digest() },
                faces_off: None,
                offline_hours: None,
                passlog_days: None,
                people_max: None,
                strangers_in_ppm: None,
                clock_offset_ms: None,
            }),
            // Whatever it is asked about what it holds, it says something else.
            Ok(Request::Digests(_) | Request::Entries(_) | Request::List) => Reply::CardTested(true),
            _ => Reply::Refused(Refusal::Malformed),
        };
        send(stream, &encode(&reply))
    });
    let (_folder, _vault, mut courier, _) = courier(&gate, &[]);
    let first = small::NOW;
    courier.pass(first).unwrap();
    assert_eq!(courier.shared().gates().0[0].step(), GateStep::InStep);
    // Nothing changed: the next answer says the same, and is as good as a comparison.
    let second = first.plus_ms(6_000);
    courier.pass(second).unwrap();
    assert_eq!(courier.shared().gates().0[0].compared_at, Some(second));
    changed.store(true, Ordering::SeqCst);
    for later in [12_000, 18_000] {
        courier.pass(first.plus_ms(later)).unwrap();
        let status = courier.shared().gates().0.remove(0);
        assert!(status.reachable);
        assert_eq!((status.step(), status.in_step), (GateStep::LastCompared(second), None));
    }
}
