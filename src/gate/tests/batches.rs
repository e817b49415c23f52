//! Many operations with one durable write, and how fast that is beside the disk and the wire alone, in one run.
#![allow(clippy::print_stdout, reason = "says what it measured")]

use std::io::{Read, Write};
use std::time::Instant;

use super::support::*;
use crate::domain::consent::ConsentGranted;
use crate::domain::id::{ConsentId, ResidentId, TemplateId};
use crate::domain::time::CivilDate;
use crate::secret::random_bytes;
use crate::wire::batch::{BATCH_MAX, Step, StepReply};
use crate::wire::envelope::seal_face;
use crate::wire::frame::encode;
use crate::wire::held::AskHeld;
use crate::wire::message::{Apply, Outcome, PutFace, Refusal, Reply, Request, What};

fn step(sequence: u64, what: What) -> Step {
    Step::Apply(Apply { op: random_bytes(), sequence, what })
}

fn batch(site: &mut Site, steps: &[Step]) -> Vec<StepReply> {
    let reply = site.ask(&Request::Batch(steps.to_vec()));
    let Reply::Batch(replies) = reply else { panic!("no batch: {reply:?}") };
    assert_eq!(replies.len(), steps.len());
    for (step, reply) in steps.iter().zip(&replies) {
        if let StepReply::Done(receipt) = reply {
            assert_eq!(receipt.check(&site.record, site.station.realm(), &step.clone().request()), Ok(()));
        }
    }
    replies
}

fn outcomes(replies: &[StepReply]) -> Vec<Option<Outcome>> {
    let outcome = |reply: &StepReply| match reply {
        StepReply::Done(receipt) => Some(receipt.outcome),
        StepReply::Refused(_) => None,
    };
    replies.iter().map(outcome).collect()
}

/// The disk of a gate is full from now on, but for what it needs to answer; or has room again.
fn disk(site: &Site, full: bool) {
    site.with_gate(|gate, _| {
        let db = gate.store().connection();
        let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let most = if full { pages } else { 1_000_000 };
        db.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(())).unwrap();
    });
}

/// Receipts of so many steps find no room on a full disk.
fn with_many_cards(first: Vec<Step>) -> Vec<Step> {
    let cards = (0..300u16).map(|n| step(100 + u64::from(n), What::RemoveCard(vec![9, 9, (n >> 8) as u8, n as u8])));
    first.into_iter().chain(cards).collect()
}

// Shows: P44
#[test]
fn what_shall_be_matched_no_more_is_matched_no_more_whatever_the_disk_does() {
    let mut site = Site::new();
    for n in 1..=3u8 {
        site.put(n, &person(u32::from(n)), "2027-01-31");
    }
    site.done(&apply(1, What::PutCard(vec![1, 2, 3, 4], 20_849)));
    disk(&site, true);
    let steps = with_many_cards(vec![step(2, What::EraseFace([1; 16])), step(3, What::FreezeFace([2; 16]))]);
    for _ in 0..2 {
        assert_eq!(site.ask(&Request::Batch(steps.clone())), Reply::Refused(Refusal::Storage));
        assert_eq!(site.probe(&person(1)).template, None, "withdrawn");
        assert_eq!(site.probe(&person(2)).template, None, "paused");
        assert_eq!(site.probe(&person(3)).template, Some([3; 16]), "the others go on");
    }
    // Nobody was told that it is gone, and another look at the file brings nothing back.
    assert!(matches!(site.ask(&Request::ReadBack([1; 16])), Reply::Held(Some(_))));
    site.with_gate(|gate, _| gate.reload_faces()).unwrap();
    assert_eq!((site.probe(&person(1)).template, site.probe(&person(2)).template), (None, None));
    let stop = with_many_cards(vec![step(4, What::StopFaces)]);
    assert_eq!(site.ask(&Request::Batch(stop.clone())), Reply::Refused(Refusal::Storage));
    let probe = site.probe_request(&person(3));
    assert_eq!(site.refused(&probe), Refusal::CardsOnly);
    assert_eq!(site.ask(&Request::TestCard(vec![1, 2, 3, 4])), Reply::CardTested(true));

    disk(&site, false);
    site.clock.set(NOON.plus_ms(60_000));
    batch(&mut site, &steps);
    batch(&mut site, &stop);
    assert_eq!(site.ask(&Request::ReadBack([1; 16])), Reply::Held(None));
    batch(&mut site, &[step(500, What::ResumeFaces), step(501, What::ThawFace([2; 16]))]);
    assert_eq!(site.probe(&person(2)).template, Some([2; 16]), "their own resumption ends it");
    assert_eq!(site.probe(&person(1)).template, None);
}

// Shows: P44
#[test]
fn an_order_is_heard_also_while_the_journal_of_an_earlier_erasure_cannot_be_emptied() {
    let mut site = Site::new();
    for n in 1..=5u8 {
        site.put(n, &person(u32::from(n)), "2027-01-31");
    }
    // Somebody reads the file beside the gate: a backup program, say.
    let beside = site.place.open_beside(site.station.realm()).unwrap();
    let reader = beside.connection();
    reader.execute_batch("BEGIN").unwrap();
    let _: i64 = reader.query_row("SELECT count(*) FROM faces", [], |row| row.get(0)).unwrap();
    let first = apply(1, What::EraseFace([1; 16]));
    assert_eq!(site.refused(&first), Refusal::Storage);
    assert_eq!(site.probe(&person(1)).template, None);
    // What follows finds the journal as it is.
    assert_eq!(site.refused(&apply(2, What::EraseFace([2; 16]))), Refusal::Storage);
    assert_eq!(site.probe(&person(2)).template, None, "withdrawn");
    assert_eq!(site.refused(&apply(3, What::FreezeFace([3; 16]))), Refusal::Storage);
    assert_eq!(site.probe(&person(3)).template, None, "paused");
    let steps = vec![step(4, What::EraseFace([4; 16])), step(5, What::FreezeFace([5; 16]))];
    assert_eq!(site.ask(&Request::Batch(steps.clone())), Reply::Refused(Refusal::Storage));
    assert_eq!(site.probe(&person(4)).template, None, "in a batch");
    site.clock.set(NOON.plus_ms(60_000));
    assert_eq!(site.probe(&person(5)).template, None);
    let stop = apply(6, What::StopFaces);
    assert_eq!(site.refused(&stop), Refusal::Storage);
    let probe = site.probe_request(&person(1));
    assert_eq!(site.refused(&probe), Refusal::CardsOnly);

    reader.execute_batch("COMMIT").unwrap();
    drop(beside);
    site.done(&first);
    batch(&mut site, &steps);
    site.done(&stop);
    assert_eq!(site.ask(&Request::ReadBack([4; 16])), Reply::Held(None));
}

#[test]
fn a_stop_and_its_resumption_in_one_batch_leave_faces_as_the_last_of_them_says() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    batch(&mut site, &[step(1, What::StopFaces), step(2, What::ResumeFaces)]);
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    batch(&mut site, &[step(3, What::FreezeFace([1; 16])), step(4, What::ThawFace([1; 16]))]);
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    batch(&mut site, &[step(5, What::ThawFace([1; 16])), step(6, What::FreezeFace([1; 16]))]);
    assert_eq!(site.probe(&person(1)).template, None);
}

#[test]
fn a_resumption_that_is_not_on_disk_is_none() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.done(&apply(1, What::StopFaces));
    disk(&site, true);
    let steps = with_many_cards(vec![step(2, What::ResumeFaces)]);
    assert_eq!(site.ask(&Request::Batch(steps)), Reply::Refused(Refusal::Storage));
    let probe = site.probe_request(&person(1));
    assert_eq!(site.refused(&probe), Refusal::CardsOnly);
}

#[test]
fn steps_are_done_in_their_order_and_one_that_is_refused_touches_no_other() {
    let mut site = Site::new();
    let (first, second) = (person(1), person(2));
    let put = site.sealed(1, &first, "2027-01-31");
    let late = site.sealed(2, &second, "2020-01-31");
    let card = |uid: u8| What::PutCard(vec![uid; 4], 21_000);
    let steps = vec![
        Step::Put(put.clone()),
        Step::Put(late),
        step(3, What::FreezeFace([1; 16])),
        step(4, card(7)),
        step(5, What::RemoveCard(vec![7; 4])),
        step(6, card(8)),
        step(7, What::PutCard(vec![1], 21_000)),
        step(8, What::RenewFaces),
        step(10, What::AttestHeld),
        step(9, What::EraseFace([9; 16])),
    ];
    let replies = batch(&mut site, &steps);
    use Outcome as O;
    let expected = [
        Some(O::FaceStored),
        None,
        Some(O::FaceFrozen),
        Some(O::CardStored),
        Some(O::CardRemoved),
        Some(O::CardStored),
        None,
        None,
        None,
        Some(O::FaceErased),
    ];
    assert_eq!(outcomes(&replies), expected);
    assert_eq!(replies[1], StepReply::Refused(Refusal::Expired));
    let digest = sha2::Digest::finalize(sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), [8u8; 4]));
    let ask = AskHeld { faces: [[1u8; 16], [9; 16]].concat(), cards: digest.to_vec() };
    let Reply::Entries(held) = site.ask(&Request::Find(ask)) else { panic!("no read-back") };
    assert_eq!((held.faces.len(), held.faces[0].frozen, held.cards.len()), (1, true, 1));

    // The same batch again, alone or together, also after a restart: the same receipts, nothing done twice.
    assert_eq!(batch(&mut site, &steps), replies);
    site.restart();
    assert_eq!(batch(&mut site, &steps), replies);
    let StepReply::Done(receipt) = &replies[0] else { panic!("stored") };
    assert_eq!(site.done(&Request::PutFace(put)), *receipt);
    let Reply::ReceiptOf(Some(again)) = site.ask(&Request::ReceiptOf(receipt.op)) else { panic!("known") };
    assert_eq!(again, *receipt);
    assert_eq!(site.ask(&Request::ReceiptOf([0x77; 16])), Reply::ReceiptOf(None));
}

#[test]
fn an_erasure_in_a_batch_leaves_nothing_in_any_file_when_it_is_answered() {
    let mut site = Site::new();
    let put = site.sealed(1, &person(1), "2027-01-31");
    batch(&mut site, &[Step::Put(put)]);
    batch(&mut site, &[step(1, What::EraseFace([1; 16])), step(2, What::PutCard(vec![5; 4], 21_000))]);
    let log = site.raw_files().into_iter().find(|(name, _)| name.ends_with("-wal"));
    assert!(log.is_none_or(|(_, bytes)| bytes.is_empty()), "the write-ahead log is cut");
    assert_eq!(site.probe(&person_again(1)).template, None);
}

#[test]
fn a_batch_over_the_limit_is_refused_as_a_whole() {
    let mut site = Site::new();
    let steps: Vec<Step> = (0..=BATCH_MAX as u64).map(|n| step(n, What::EraseFace([1; 16]))).collect();
    assert_eq!(site.refused(&Request::Batch(steps)), Refusal::Malformed);
}

fn granted(n: u32, site: &Site) -> ConsentGranted {
    let mut template = [0u8; 16];
    template[..4].copy_from_slice(&n.to_be_bytes());
    ConsentGranted::assert_recorded(
        ResidentId::from_bytes([1; 16]),
        ConsentId::from_bytes([2; 16]),
        TemplateId::from_bytes(template),
        vec![site.record.id],
        CivilDate::parse("2027-01-31").unwrap(),
    )
}

/// `make bench` sets `MENKA_BENCH` to how many; a small number else.
#[test]
fn sealed_envelopes_with_durable_acks_beside_the_disk_and_the_wire_alone() {
    let count: u32 = std::env::var("MENKA_BENCH").ok().and_then(|n| n.parse().ok()).unwrap_or(600);
    let mut site = Site::new();
    let faces: Vec<_> = (0..count.min(64)).map(person).collect();
    let sealing = Instant::now();
    let puts: Vec<PutFace> = (0..count)
        .map(|n| {
            let face = &faces[n as usize % faces.len()];
            seal_face(&granted(n, &site), face, &site.record, &site.station, new_op()).unwrap()
        })
        .collect();
    let sealing = sealing.elapsed().as_secs_f64();
    let bytes: usize = puts.iter().map(|put| encode(&Step::Put(put.clone())).len()).sum();
    let start = Instant::now();
    for some in puts.chunks(256) {
        let steps: Vec<Step> = some.iter().cloned().map(Step::Put).collect();
        let Reply::Batch(replies) = site.ask(&Request::Batch(steps)) else { panic!("no batch") };
        assert!(replies.iter().all(|reply| matches!(reply, StepReply::Done(_))));
    }
    let sent = start.elapsed().as_secs_f64();
    let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
    assert_eq!(health.faces, u64::from(count));

    // The same folder's own rate of durable writes, one and 256 envelopes each.
    let path = site.folder.path().join("fsync");
    let durable = |each: usize, writes: u32| {
        let mut file = std::fs::File::create(&path).unwrap();
        let body = vec![7u8; each];
        let start = Instant::now();
        for _ in 0..writes {
            file.write_all(&body).unwrap();
            file.sync_data().unwrap();
        }
        f64::from(writes) / start.elapsed().as_secs_f64()
    };
    let one = bytes / puts.len();
    let (single, grouped) = (durable(one, 60), durable(one * 256, 20));
    // The same bytes over a bare connection.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = vec![];
        listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
        all.len()
    });
    let start = Instant::now();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    puts.iter().for_each(|put| socket.write_all(&encode(&Step::Put(put.clone()))).unwrap());
    drop(socket);
    assert_eq!(reader.join().unwrap(), bytes);
    let bare = start.elapsed().as_secs_f64();
    let rate = f64::from(count) / sent;
    println!("envelopes: {count}, {one} bytes each on the wire");
    println!("sealed at the desk a second: {:.0}", f64::from(count) / sealing);
    println!("stored with durable acks a second: {rate:.0}");
    println!("durable writes of the disk a second: {single:.0} of one envelope, {grouped:.0} of 256");
    println!("ratio to one durable write an envelope: {:.1}", rate / single);
    println!("over bare TCP a second: {:.0}", f64::from(count) / bare);
}
