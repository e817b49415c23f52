use super::*;

fn face(n: u32) -> HeldFace {
    let digest: [u8; 32] = Sha256::digest(n.to_be_bytes()).into();
    let mut template = [0u8; 16];
    template.copy_from_slice(&digest[..16]);
    HeldFace { template, digest, ends_on: 20_000, frozen: false }
}

fn number(n: u32) -> [u8; 32] {
    Sha256::digest(n.to_le_bytes()).into()
}

fn filled(count: u32) -> Held {
    let mut held = Held::default();
    (0..count).for_each(|n| {
        held.put_face(face(n));
        held.put_card(number(n), 20_000);
    });
    held
}

#[test]
fn parts_of_every_depth_hold_each_key_once() {
    let held = filled(500);
    for depth in 1..=3u8 {
        let parts: Vec<u32> = (0..16u32.pow(u32::from(depth))).collect();
        for kind in [Kind::Faces, Kind::Cards] {
            let count: usize = parts.iter().map(|part| held.count(kind, depth, *part)).sum();
            assert_eq!(count, 500);
        }
    }
    let all: Vec<u32> = (0..16).collect();
    assert_eq!(held.entries(&AskEntries { kind: Kind::Faces, depth: 1, parts: all.clone() }).unwrap().faces.len(), 500);
    assert_eq!(held.entries(&AskEntries { kind: Kind::Cards, depth: 1, parts: all }).unwrap().cards.len(), 500);
    assert_eq!(held.digest(), held.holdings().digest());
    // The last part of the deepest depth ends with the last key.
    let mut edge = Held::default();
    edge.put_card([0xFF; 32], 1);
    edge.put_card([0; 32], 1);
    assert_eq!((edge.count(Kind::Cards, 8, u32::MAX), edge.count(Kind::Cards, 8, 0)), (1, 1));
}

#[test]
fn a_change_shows_in_its_own_part_only() {
    let (ours, mut theirs) = (filled(300), filled(300));
    theirs.drop_card(&number(7));
    theirs.put_card(number(8), 20_001);
    theirs.put_card(number(999), 20_000);
    let mut frozen = face(5);
    frozen.frozen = true;
    theirs.put_face(frozen.clone());
    for (kind, changed) in [(Kind::Cards, 3), (Kind::Faces, 1)] {
        let ask = AskDigests { kind, depth: 1, under: vec![0] };
        let differ = ours.differing(&ask, &theirs.digests(&ask).unwrap()).unwrap();
        assert!((1..=changed).contains(&differ.len()));
        let ask = AskEntries { kind, depth: 1, parts: differ };
        let found = ours.compare(&ask, &theirs.entries(&ask).unwrap());
        assert_eq!(found.len(), changed);
        match kind {
            Kind::Faces => assert_eq!(found, [Difference::Face(frozen.template, Some(face(5)), Some(frozen.clone()))]),
            Kind::Cards => {
                assert!(found.contains(&Difference::Card(number(7), Some(20_000), None)));
                assert!(found.contains(&Difference::Card(number(8), Some(20_000), Some(20_001))));
                assert!(found.contains(&Difference::Card(number(999), None, Some(20_000))));
            }
        }
    }
}

#[test]
fn questions_out_of_range_are_refused() {
    let held = filled(3);
    let digests = |depth, under| held.digests(&AskDigests { kind: Kind::Cards, depth, under });
    assert_eq!(digests(0, vec![0]), Err(Refusal::Malformed));
    assert_eq!(digests(9, vec![0]), Err(Refusal::Malformed));
    assert_eq!(digests(1, vec![1]), Err(Refusal::Malformed));
    assert_eq!(digests(8, vec![u32::MAX]), Err(Refusal::Malformed));
    assert_eq!(digests(2, vec![0; PARTS_MAX]), Err(Refusal::Malformed));
    assert_eq!(digests(1, vec![0]).map(|d| d.len()), Ok(16 * PART_DIGEST));
    let entries = |depth, parts| held.entries(&AskEntries { kind: Kind::Faces, depth, parts });
    assert_eq!(entries(0, vec![0]), Err(Refusal::Malformed));
    assert_eq!(entries(2, vec![256]), Err(Refusal::Malformed));
    assert_eq!(entries(2, vec![0; PARTS_MAX + 1]), Err(Refusal::Malformed));
    assert!(filled(40_000).entries(&AskEntries { kind: Kind::Cards, depth: 1, parts: (0..16).collect() }).is_err());
    let find = |faces, cards| held.find(&AskHeld { faces, cards });
    assert_eq!(find(vec![1; 15], vec![]), Err(Refusal::Malformed));
    assert_eq!(find(vec![], vec![1; 33]), Err(Refusal::Malformed));
    assert_eq!(find(vec![0; 16 * (KEYS_MAX + 1)], vec![]), Err(Refusal::Malformed));
    let found = find([face(1).template, [9; 16]].concat(), number(2).to_vec()).unwrap();
    assert_eq!((found.faces, found.cards), (vec![face(1)], vec![card(&number(2), 20_000)]));
}
