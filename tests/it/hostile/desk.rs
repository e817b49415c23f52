//! The desk's client against machines that pose as gates.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use menka::domain::Realm;
use menka::domain::gate::GateRecord;
use menka::domain::id::{GateId, SiteId};
use menka::lan::TlsLink;
use menka::ports::{GateLink, LinkError, PairError};
use menka::secret::PairingCode;
use menka::wire::frame::{decode, encode, read_body};
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{
    FRAME_MAX, Hello, Outcome, PROTOCOL, PairShare, REPLY_MAX, REVISION, Receipt, Refusal, Reply, Request, What,
};
use menka::wire::receipt::ReceiptError;
use menka::wire::tls::{self, Peer};
use rustls::{ServerConnection, StreamOwned};

use super::apply;

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
