//! The page of card boards: the warning about the wire, the exact difference, and what is asked about once more before it is done.

use iced_test::selector::id;
use menka::app::boards::{BoardDone, BoardSeen, BoardView, BoardsCommand, BoardsEvent, DriftLine};
use menka::app::command::StaffCommand;
use menka::app::deletion::DeletionCommand;
use menka::app::event::{Failure, FieldFault, ResidentRow, StaffEvent};
use menka::app::operators::OperatorsEvent;
use menka::app::relay::{RelayCommand, RelayEvent};
use menka::domain::board::{BoardDoors, BoardFault, BoardRecord, BoardSerial, CardFormat, DoorNumber};
use menka::domain::gate::{GateKind, GateStatus};
use menka::domain::id::{GateId, ResidentId};
use menka::domain::relay::{DriftKind, DriftLine as GateLine, Wedged, reason};
use menka::domain::role::Role;
use menka::domain::time::{CivilDate, Timestamp};
use menka::domain::training::Standing;
use menka::ui::staff::boards::{BoardField, Message as M, NAME};
use menka::ui::staff::{Action, Message, Page, Route, Staff};
use menka::ui::theme;

use super::ui_staff::{LARGE, SMALL, after, both, commands, gate_status, press, unlocked, window};

const AT: Timestamp = Timestamp::from_ms(1_795_317_000_000);

fn board(n: u8, name: &str) -> BoardRecord {
    BoardRecord {
        id: GateId::from_bytes([n; 16]),
        name: name.into(),
        place: "2 号楼地下一层".into(),
        address: format!("192.168.20.{n}:60000"),
        serial: BoardSerial::new(405_419_890 + u32::from(n)).unwrap(),
        doors: BoardDoors::from_bits(0b11).unwrap(),
        format: CardFormat::Wiegand26,
    }
}

fn views() -> Vec<BoardView> {
    let well = BoardSeen { cards: 1_204, compared_at: Some(AT), ..BoardSeen::default() };
    let drift = vec![
        DriftLine { fault: BoardFault::Extra, last4: "7777".into() },
        DriftLine { fault: BoardFault::Missing, last4: "0312".into() },
        DriftLine { fault: BoardFault::Differs, last4: "4410".into() },
    ];
    let odd = BoardSeen {
        cards: 88,
        compared_at: Some(AT),
        drift_count: 5,
        extra_count: 3,
        drift,
        events_to: Some("10.1.2.3:60001".into()),
        doors_open: [true, false, false, false],
        ..BoardSeen::default()
    };
    vec![
        BoardView { board: board(5, "地库门"), seen: Some(well) },
        BoardView { board: board(6, "后门"), seen: Some(odd) },
        BoardView { board: board(7, "车棚"), seen: None },
    ]
}

fn status(n: u8, name: &str) -> GateStatus {
    GateStatus { kind: GateKind::Board, version: Some("UHPPOTE 8.92".into()), ..gate_status(n, name) }
}

pub fn at_boards() -> Staff {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Gates(vec![status(5, "地库门"), status(6, "后门")]));
    staff.update(Message::Go(Route::Boards));
    staff.apply(StaffEvent::Boards(BoardsEvent::Told(views())));
    staff
}

pub fn adding() -> Staff {
    let mut staff = at_boards();
    staff.apply(StaffEvent::Boards(BoardsEvent::Told(vec![])));
    staff.update(Message::Boards(M::FormPressed));
    staff
}

fn asking() -> Staff {
    let mut staff = at_boards();
    press_at(&mut staff, "board-mend-1");
    staff
}

/// As `press`, in a window tall enough for the whole page.
fn press_at(staff: &mut Staff, what: &'static str) -> Vec<Action> {
    let texts = &both()[0];
    let messages: Vec<Message> = {
        let mut ui = window((1366.0, 3000.0), staff.view(texts));
        ui.click(id(what)).unwrap_or_else(|_| panic!("{what} is not there"));
        ui.into_messages().collect()
    };
    after(staff, messages)
}

/// Writes pictures into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_the_boards_page_for_looking_at() {
    let Some(folder) = std::env::var_os("MENKA_SHOTS") else { return };
    let pages = [("boards", at_boards()), ("boards-form", adding()), ("boards-ask", asking())];
    for texts in both() {
        for (name, staff) in &pages {
            for (label, size) in [("1366", LARGE), ("1024", SMALL), ("tall", (1366.0, 1500.0))] {
                let mut ui = window(size, staff.view(&texts));
                let path = std::path::Path::new(&folder).join(format!("{name}-{}-{label}", texts.language().tag()));
                assert!(ui.snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
            }
        }
    }
}

#[test]
fn the_page_says_cards_only_and_that_the_wire_has_no_authentication() {
    for (texts, words) in both().iter().zip(["只刷卡 · 线路无认证", "cards only · unauthenticated wire"]) {
        let staff = at_boards();
        let mut ui = window((1366.0, 3000.0), staff.view(texts));
        assert!(ui.find(id("boards-wire")).is_ok());
        assert!(ui.find(words).is_ok(), "beside each board");
        let mut home = at_boards();
        home.update(Message::Go(Route::Home));
        assert!(window((1366.0, 3000.0), home.view(texts)).find(words).is_ok(), "and on the first page");
    }
}

#[test]
fn a_board_out_of_use_that_keeps_cards_is_named_with_what_to_do() {
    let mut staff = at_boards();
    let gate = GateStatus { kind: GateKind::Board, ..gate_status(9, "旧车棚") };
    staff.apply(StaffEvent::Gates(vec![gate.clone()]));
    let page = (1366.0, 4000.0);
    for texts in both() {
        assert!(window(page, staff.view(&texts)).find("旧车棚").is_err(), "nothing to say of it");
    }
    let told = Wedged { gate: gate.id, reason: reason::READ_BACK.into(), count: 2, still_tried: true };
    staff.apply(StaffEvent::Relay(RelayEvent::Wedged(vec![told])));
    for (texts, words) in both().iter().zip([
        "已停用，卡板却还留着这些卡，仍能开门。工作台会一直重试；也可以在卡板上删掉，或者请安装人员断电拆下。",
        "Out of use, and the board still holds these cards: they go on opening. The desk keeps trying; they can also be deleted at the board itself, \
         or the installer takes it off its power.",
    ]) {
        let mut ui = window(page, staff.view(texts));
        assert!(ui.find("旧车棚").is_ok() && ui.find(words).is_ok());
    }
    let asked = commands(press_at(&mut staff, "board-former-retry-0"));
    assert!(matches!(asked[..], [StaffCommand::Relay(RelayCommand::Retry(board))] if board == gate.id), "{asked:?}");
}

#[test]
fn the_difference_is_shown_card_by_card_and_mended_only_after_a_second_press() {
    for texts in both() {
        let staff = at_boards();
        let mut ui = window((1366.0, 3000.0), staff.view(&texts));
        for last4 in ["7777", "0312", "4410"] {
            let zh = [
                format!("尾号 {last4}：本机没有这张卡，板上却能开门"),
                format!("尾号 {last4}：应该能开门，板上却没有"),
                format!("尾号 {last4}：日期或者能开的门不对"),
            ];
            let en = [
                format!("ending {last4}: opens at the board, but the desk has no such card"),
                format!("ending {last4}: should open, but is not on the board"),
                format!("ending {last4}: other days or doors"),
            ];
            assert!(zh.iter().chain(&en).any(|line| ui.find(line.as_str()).is_ok()), "{last4}");
        }
        assert!(ui.find(id("board-mend-0")).is_err(), "nothing to mend where the lists agree");
    }
    let mut staff = at_boards();
    assert!(commands(press_at(&mut staff, "board-mend-1")).is_empty());
    assert!(commands(press_at(&mut staff, "board-no")).is_empty());
    press_at(&mut staff, "board-mend-1");
    let asked = commands(press_at(&mut staff, "board-yes"));
    let six = GateId::from_bytes([6; 16]);
    assert!(matches!(asked[..], [StaffCommand::Boards(BoardsCommand::Mend(board))] if board == six), "{asked:?}");
}

#[test]
fn opening_a_door_and_taking_a_board_out_of_use_are_asked_about_once_more() {
    let five = GateId::from_bytes([5; 16]);
    let mut staff = at_boards();
    assert!(commands(press_at(&mut staff, "board-open-0-2")).is_empty());
    let asked = commands(press_at(&mut staff, "board-yes"));
    let second = DoorNumber::new(2).unwrap();
    assert!(
        matches!(asked[..], [StaffCommand::Boards(BoardsCommand::OpenDoor(board, door))] if (board, door) == (five, second))
    );
    assert!(commands(press_at(&mut staff, "board-retire-0")).is_empty());
    let asked = commands(press_at(&mut staff, "board-yes"));
    assert!(matches!(asked[..], [StaffCommand::Deletion(DeletionCommand::RetireGate(board))] if board == five));
    let asked = commands(press_at(&mut staff, "board-test-0"));
    assert!(matches!(asked[..], [StaffCommand::TestCardWay(board)] if board == five));
    let asked = commands(press_at(&mut staff, "board-events-1"));
    assert!(matches!(asked[..], [StaffCommand::Boards(BoardsCommand::StopEvents(_))]));
}

#[test]
fn a_board_is_added_by_address_and_serial_number() {
    let mut staff = at_boards();
    assert!(matches!(press(&mut staff, "board-open")[..], [Action::Focus(NAME)]));
    assert!(matches!(press_at(&mut staff, "board-add")[..], [Action::Focus(NAME)]), "the first empty field");
    for (field, text) in [
        (BoardField::Name, "地库门"),
        (BoardField::Address, " 192.168.20.5:60000 "),
        (BoardField::Serial, "405 419 896"),
    ] {
        staff.update(Message::Boards(M::Typed(field, text.into())));
    }
    press_at(&mut staff, "board-door-2");
    press_at(&mut staff, "wiegand-34");
    let asked = commands(press_at(&mut staff, "board-add"));
    let [StaffCommand::Boards(BoardsCommand::Add { name, address, serial, doors, format, .. })] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((name.as_str(), address.as_str(), serial.as_str()), ("地库门", "192.168.20.5:60000", "405 419 896"));
    assert_eq!((*doors, *format), ([true, true, false, false], CardFormat::Wiegand34));
    assert!(press_at(&mut staff, "board-add").is_empty(), "it is being asked");
    staff.apply(StaffEvent::Failed(Failure::Field(FieldFault::Board)));
    assert_eq!(commands(press_at(&mut staff, "board-add")).len(), 1, "may be tried again, nothing typed is lost");
    staff.apply(StaffEvent::Boards(BoardsEvent::Done(BoardDone::Added)));
    assert!(matches!(staff.page(), Page::Boards(_)));
    assert!(window(LARGE, staff.view(&both()[0])).find(id("board-serial")).is_err(), "the form is gone");
}

#[test]
fn a_board_that_differs_is_an_alarm_on_every_page_that_leads_to_the_boards() {
    let mut staff = at_boards();
    let mut differs = status(6, "后门");
    (differs.in_step, differs.drift_count) = (Some(false), 3);
    differs.drift = vec![GateLine { kind: DriftKind::CardMissing, number: "0312".into() }];
    staff.apply(StaffEvent::Gates(vec![status(5, "地库门"), differs]));
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("drift-alarm")).is_err(), "its own page says it in full");
    }
    let asked = commands(press_at(&mut staff, "concerned-1"));
    let six = GateId::from_bytes([6; 16]);
    assert!(matches!(asked[..], [StaffCommand::Relay(RelayCommand::Concerned(board))] if board == six), "{asked:?}");
    let row = ResidentRow {
        id: ResidentId::from_bytes([2; 16]),
        masked_name: "王**".into(),
        unit: "3-1202".into(),
        has_card: true,
    };
    staff.apply(StaffEvent::Relay(RelayEvent::Concerned(six, vec![row])));
    let asked = commands(press_at(&mut staff, "concerned-1-0"));
    assert!(matches!(asked[..], [StaffCommand::OpenResident(who, _)] if who == ResidentId::from_bytes([2; 16])));
    staff.update(Message::Go(Route::Home));
    for texts in both() {
        for size in [LARGE, SMALL] {
            assert!(window(size, staff.view(&texts)).find(id("drift-alarm")).is_ok());
        }
    }
    press(&mut staff, "drift-boards");
    assert!(matches!(staff.page(), Page::Boards(_)));
}

#[test]
fn what_a_board_refused_is_said_with_what_to_do_and_sent_again_by_a_press() {
    let mut staff = at_boards();
    let five = GateId::from_bytes([5; 16]);
    let refused = |reason: &str| Wedged { gate: five, reason: reason.into(), count: 1, still_tried: false };
    let all = vec![refused(reason::TWO_CARDS), refused(reason::NO_NUMBER), refused(reason::BOARD)];
    staff.apply(StaffEvent::Relay(RelayEvent::Wedged(all)));
    for (texts, words) in both().iter().zip([
        [
            "有 1 项没有收下： 地库门 分不清这张卡和另一位住户的卡。",
            "给其中一位住户换一张卡。",
            "有 1 项没有收下： 地库门 的读卡器读不出这张卡的号码。",
            "有 1 项没有收下： 地库门 拒绝写入。",
        ],
        [
            "1 not taken: 地库门 cannot tell this card from another resident's.",
            "Issue another card to one of the two residents.",
            "1 not taken: The readers of 地库门 give this card no number.",
            "1 not taken: 地库门 refused to write it.",
        ],
    ]) {
        let mut ui = window((1366.0, 3000.0), staff.view(texts));
        for line in words {
            assert!(ui.find(line).is_ok(), "{line}");
        }
    }
    let asked = commands(press_at(&mut staff, "board-retry-0"));
    assert!(matches!(asked[..], [StaffCommand::Relay(RelayCommand::Retry(board))] if board == five), "{asked:?}");
}

#[test]
fn who_may_not_change_boards_is_not_offered_it() {
    for (role, there, missing) in [
        (Role::FrontDesk, vec!["board-test-0", "board-open-0-1"], vec!["board-open", "board-mend-1", "board-retire-0"]),
        (
            Role::Technician,
            vec!["board-events-1"],
            vec!["board-open", "board-mend-1", "board-retire-0", "board-test-0"],
        ),
    ] {
        let mut staff = at_boards();
        let standing = Standing::Works(CivilDate::parse("2027-11-21").unwrap());
        staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role, standing }));
        staff.update(Message::Go(Route::Boards));
        staff.apply(StaffEvent::Boards(BoardsEvent::Told(views())));
        let mut ui = window((1366.0, 3000.0), staff.view(&both()[0]));
        for what in there {
            assert!(ui.find(id(what)).is_ok(), "{role:?}: {what}");
        }
        for what in missing {
            assert!(ui.find(id(what)).is_err(), "{role:?}: {what}");
        }
    }
}
