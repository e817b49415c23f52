//! The form in which a gate is paired: what can be pressed, what is asked of the desk, and how it looks.

use menka::app::command::StaffCommand;
use menka::app::event::{Failure, StaffEvent};
use menka::app::pairing::{PairingCommand, PairingEvent, PairingFailure};
use menka::domain::notice::Language;
use menka::i18n::Texts;
use menka::ports::{FoundGate, Lan, PairError};
use menka::ui::staff::gates;
use menka::ui::staff::pairing::{Message as M, PairField};
use menka::ui::staff::{Action, Flash, Message, Route, Staff};
use menka::ui::theme;

use super::ui_staff::{LARGE, SMALL, after, both, press, unlocked, window};
use iced_test::selector::id;

fn lan(address: &str, name: &str) -> Lan {
    Lan { name: name.into(), address: address.into() }
}

fn search(lans: Vec<Lan>, chosen: Option<&str>, found: &[(&str, &str)]) -> StaffEvent {
    let found =
        found.iter().map(|(name, address)| FoundGate { name: (*name).into(), address: (*address).into() }).collect();
    StaffEvent::Pairing(PairingEvent::Search { lans, chosen: chosen.map(Into::into), networks: vec![], found })
}

fn open() -> Staff {
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Gates));
    let asked = press(&mut staff, "pair-open");
    assert!(matches!(asked[..], [Action::Ask(StaffCommand::Pairing(PairingCommand::Look))]), "{asked:?}");
    staff
}

fn say(message: M) -> Message {
    Message::Gates(gates::Message::Pairing(message))
}

#[test]
fn a_gate_is_paired_by_choosing_it_and_typing_its_code() {
    let mut staff = open();
    assert!(staff.counts_down(), "the form wants to know of time");
    staff.apply(search(vec![lan("192.168.1.5", "eth0")], Some("192.168.1.5"), &[("gate-4f2a", "192.168.1.20:7443")]));
    let chosen = press(&mut staff, "pair-found-0");
    assert!(matches!(chosen[..], [Action::Focus("pair-code")]), "{chosen:?}");
    assert!(matches!(staff.update(say(M::PairPressed)), Action::Focus("pair-code")), "the code is missing");
    after(&mut staff, [say(M::Typed(PairField::Code, "４８２１ 7730".into()))]);
    assert!(matches!(staff.update(say(M::PairPressed)), Action::Focus("pair-name")), "the name is missing");
    after(&mut staff, [say(M::Typed(PairField::Name, " 南门 ".into()))]);
    let asked = after(&mut staff, [say(M::PairPressed)]);
    let [Action::Ask(StaffCommand::Pairing(PairingCommand::Pair { words, address, code }))] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((words.name.as_str(), address.as_str()), ("南门", "192.168.1.20:7443"));
    assert_eq!(code.as_ref().unwrap().expose(), b"48217730");
    assert!(!format!("{asked:?}").contains("48217730"), "a code is in no log");

    // Refused: said under the header, the form stays as it is typed.
    let other = PairingFailure::Gate("南门".into(), PairError::OtherCode);
    staff.apply(StaffEvent::Failed(Failure::Pairing(other)));
    let texts = Texts::new(Language::Chinese);
    assert!(window(LARGE, staff.view(&texts)).find(id("pair-action")).is_ok());
    // Time goes by without taking the line away.
    let asked = staff.update(Message::Ticked(1_000));
    assert!(matches!(asked, Action::Ask(StaffCommand::Pairing(PairingCommand::Look))));
    assert!(window(LARGE, staff.view(&texts)).find(id("flash")).is_ok());
    // Paired: the form folds away, and the search with it.
    staff.apply(StaffEvent::Pairing(PairingEvent::Paired("南门".into())));
    assert!(window(LARGE, staff.view(&texts)).find(id("pair-name")).is_err());
    assert!(!staff.counts_down() && matches!(staff.update(Message::Ticked(1_000)), Action::None));
    let _ = Flash::GatePaired("南门".into());
}

#[test]
fn code_and_unreadable_code_both_go_to_the_desk_which_says_what_is_wrong() {
    let mut staff = open();
    let typed = [(PairField::Address, "192.168.1.20:7443"), (PairField::Code, "12ab"), (PairField::Name, "南门")];
    after(&mut staff, typed.map(|(field, text)| say(M::Typed(field, text.into()))));
    let asked = after(&mut staff, [say(M::PairPressed)]);
    assert!(matches!(&asked[..], [Action::Ask(StaffCommand::Pairing(PairingCommand::Pair { code: None, .. }))]));
}

#[test]
fn with_several_networks_one_is_chosen_first() {
    let mut staff = open();
    staff.apply(search(vec![lan("10.0.0.4", "wlan0"), lan("192.168.1.5", "eth0")], None, &[]));
    let asked = press(&mut staff, "pair-lan-192.168.1.5");
    let [Action::Ask(StaffCommand::Pairing(PairingCommand::ChooseLan(address)))] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(address, "192.168.1.5");
}

#[test]
fn the_networks_of_the_gates_are_said_and_one_of_several_can_be_left() {
    let mut staff = open();
    let texts = Texts::new(Language::Chinese);
    let told = |networks: &[&str], lans: Vec<Lan>| {
        let networks = networks.iter().map(|name| (*name).to_owned()).collect();
        StaffEvent::Pairing(PairingEvent::Search { lans, chosen: Some("192.168.1.5".into()), networks, found: vec![] })
    };
    let eth0 = || lan("192.168.1.5", "eth0");
    // The only one cannot be left: nothing would be kept to any.
    staff.apply(told(&["eth0"], vec![eth0()]));
    let mut ui = window(LARGE, staff.view(&texts));
    assert!(ui.find("只经这些网络与门禁机和门禁控制板通信： eth0").is_ok());
    assert!(ui.find(id("pair-leave-eth0")).is_err() && ui.find(id("pair-lan-192.168.1.5")).is_err());
    drop(ui);
    staff.apply(told(&["eth0", "eth1"], vec![eth0(), lan("10.0.0.4", "eth1")]));
    let asked = press(&mut staff, "pair-leave-eth1");
    let [Action::Ask(StaffCommand::Pairing(PairingCommand::LeaveNetwork(name)))] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(name, "eth1");
    // The interface has another name by now: the only network there is can be chosen all the same.
    staff.apply(told(&["enp3s0"], vec![eth0()]));
    assert!(window(LARGE, staff.view(&texts)).find(id("pair-lan-192.168.1.5")).is_ok());
}

#[test]
fn pairing_in_both_languages_and_sizes() {
    let found = [("gate-4f2a", "192.168.1.20:7443"), ("gate-91c0", "192.168.1.21:7443")];
    let two = || vec![lan("10.0.0.4", "wlan0"), lan("192.168.1.5", "eth0")];
    let mut several = search(two(), Some("192.168.1.5"), &found);
    if let StaffEvent::Pairing(PairingEvent::Search { networks, .. }) = &mut several {
        *networks = vec!["eth0".into(), "wlan0".into()];
    }
    let scenes = [
        ("pairing-none", search(vec![], None, &[])),
        ("pairing-choose", search(two(), None, &[])),
        ("pairing-looking", search(vec![lan("192.168.1.5", "eth0")], Some("192.168.1.5"), &[])),
        ("pairing-found", search(two(), Some("192.168.1.5"), &found)),
        ("pairing-networks", several),
    ];
    for texts in both() {
        for (name, scene) in &scenes {
            let mut staff = open();
            staff.apply(scene.clone());
            if *name == "pairing-found" {
                press(&mut staff, "pair-found-0");
                after(&mut staff, [say(M::Typed(PairField::Code, "4821 7730".into()))]);
            }
            for (label, size) in [("1366", LARGE), ("1024", SMALL)] {
                let mut ui = window(size, staff.view(&texts));
                assert!(ui.find(id("pair-open")).is_ok());
                let Some(folder) = std::env::var_os("MENKA_SHOTS") else { continue };
                let path = std::path::Path::new(&folder).join(format!("{name}-{}-{label}", texts.language().tag()));
                assert!(ui.snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
            }
        }
    }
}
