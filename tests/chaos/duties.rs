//! Acts of the whole site, not of one person: backup, restoring, new keys, and what gates do among each other. Another duty is another line of
//! [`DUTIES`].

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::site::Fact;
use menka::gate::place::Place;
use menka::practice::site::GateProcess;
use menka::practice::{practice_card, site};
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::chip::Swtpm;
use super::control::Control;
use super::desk::Said;
use super::house;
use super::kills::Where;
use super::late;
use super::proxy::Proxy;
use super::report::{Break, Report};
use super::world::{Known, World};

/// One act of the site.
#[derive(Clone, Copy)]
pub struct Duty {
    pub name: &'static str,
    /// Which process is disturbed.
    pub places: &'static [Where],
    /// The line that is disturbed, where the act goes over one: an index of `World::proxies`.
    pub line: Option<usize>,
    /// Named points that it passes, by the beginnings of their names.
    pub points: &'static [&'static str],
    /// Brings the site to where the act begins; the command.
    pub before: fn(&mut Site<'_>) -> String,
    /// Once the fault is over: what must hold, and whatever did not happen is done again.
    pub after: fn(&mut Site<'_>, &Said),
}

const DESK: &[Where] = &[Where::Desk];
const BOTH: &[Where] = &[Where::Desk, Where::Gate];
const ALL: &[Where] = &[Where::Desk, Where::Gate, Where::Giver];

pub const DUTIES: &[Duty] = &[
    Duty { name: "backup", places: DESK, line: None, points: &["backup/"], before: to_back_up, after: backed_up },
    Duty {
        name: "restore",
        places: DESK,
        line: Some(0),
        points: &["restore/", "erase/", "swap/"],
        before: to_restore,
        after: restored,
    },
    Duty {
        name: "rotate",
        places: DESK,
        line: None,
        points: &["rotate/", "erase/", "swap/"],
        before: to_rotate,
        after: rotated,
    },
    Duty { name: "renew", places: BOTH, line: Some(0), points: &[], before: to_renew, after: renewed },
    Duty { name: "fill", places: ALL, line: Some(1), points: &[], before: to_fill, after: filled },
    Duty { name: "replace", places: ALL, line: Some(2), points: &[], before: to_replace, after: replaced },
    Duty { name: "pair", places: BOTH, line: Some(2), points: &[], before: to_pair, after: paired },
    Duty { name: "unpair", places: BOTH, line: Some(2), points: &[], before: to_unpair, after: unpaired },
    Duty { name: "bind", places: DESK, line: None, points: &["bind/"], before: house::to_bind, after: house::bound },
    Duty { name: "release", places: DESK, line: None, points: &[], before: house::to_release, after: house::released },
    Duty {
        name: "new account",
        places: DESK,
        line: None,
        points: &[],
        before: house::to_employ,
        after: house::employed,
    },
    Duty {
        name: "site fact",
        places: DESK,
        line: None,
        points: &[],
        before: house::to_change_a_fact,
        after: house::fact_changed,
    },
    Duty {
        name: "incident",
        places: DESK,
        line: None,
        points: &[],
        before: late::to_enter_an_incident,
        after: late::incident_entered,
    },
    Duty {
        name: "report",
        places: DESK,
        line: None,
        points: &[],
        before: late::to_report_an_incident,
        after: late::incident_reported,
    },
    Duty {
        name: "ends by rule",
        places: DESK,
        line: Some(0),
        points: &["erase/"],
        before: late::to_end_by_rule,
        after: late::has_ended_by_rule,
    },
    Duty { name: "put right", places: BOTH, line: Some(1), points: &[], before: to_put_right, after: put_right },
];

impl Duty {
    pub fn named(name: &str) -> Option<Self> {
        DUTIES.iter().find(|duty| duty.name == name).copied()
    }
}

/// A site with two gates, a second supervisor, a backup key, and somebody whose card and face are never touched.
pub struct Site<'a> {
    pub world: World<'a>,
    key: String,
    stick: PathBuf,
    kept: usize,
    /// Whom the act is about.
    pub person: usize,
    /// Somebody who has moved out, and the name as the vault holds it.
    pub former: Option<(ResidentId, Vec<u8>)>,
    /// The slots file before new keys.
    slots: Vec<u8>,
    /// Gates that were ever made.
    made: usize,
    /// Of what is made anew each time, the last number.
    pub count: usize,
    /// The fact that is changed, as it is.
    pub fact: String,
    /// The last fault was an error that the desk lives through.
    pub disk_was_bad: bool,
    /// How often somebody was to be looked at.
    looks: usize,
    /// The chip of the desk's computer.
    pub chip: Option<Swtpm>,
}

/// Shown names of the first two gates (`World`) and of a third.
const DOORS: [&str; 3] = ["东门", "西门", "北门"];
/// Of so many times that a gate is to know somebody, it looks once.
const LOOK_EVERY: usize = 6;
/// Names in the data folder of what is not finished.
const LEFT: [&str; 3] = ["next", "scratch", "swap"];
/// Longest wait for what a gate does after its last word.
const GATE_LIMIT: Duration = Duration::from_secs(40);

impl<'a> Site<'a> {
    pub fn new(report: &'a Report, library: &Path, section: &str) -> Self {
        let mut world = World::new(report, library, section, 2, true);
        world.must("colleague");
        let key = world.must("backup-key");
        let kept = world.with_face();
        let stick = world.folder.join("stick");
        std::fs::create_dir_all(&stick).expect("a folder");
        let fact = site::facts().get(Fact::GuardPhone).to_owned();
        Self {
            world,
            key,
            stick,
            kept,
            person: kept,
            former: None,
            slots: vec![],
            made: 2,
            count: 0,
            fact,
            disk_was_bad: false,
            looks: 0,
            chip: None,
        }
    }

    pub fn broke(&self, how: Break, what: &str) {
        self.world.report.broke(how, &format!("{}: {what}", self.world.section));
    }

    /// A backup; where it lies.
    fn back_up(&mut self) -> PathBuf {
        let name = self.world.must(&format!("backup {}", self.stick.display()));
        self.stick.join(name)
    }

    fn left(&self) -> bool {
        LEFT.iter().any(|left| self.world.folder.join("desk").join(left).exists())
    }

    /// Nothing half-done lies in the data folder, and the one who was never touched is whole.
    pub fn quiet(&mut self) {
        self.world.must("settle 90");
        if self.disk_was_bad && self.left() {
            // What a bad disk would not let go of is swept up at the next start.
            self.world.desk = None;
            self.world.must("settle 90");
        }
        for left in LEFT {
            if self.world.folder.join("desk").join(left).exists() {
                self.broke(Break::Unsound, &format!("{left} is left"));
            }
        }
        for person in std::collections::BTreeSet::from([self.kept, self.person]) {
            self.world.check(person);
        }
    }

    /// These gates hold as many faces as there are, and now and then, since a gate's engine takes its time: they know this person.
    fn known_at(&mut self, gates: &[usize], person: usize) {
        let faces = self.world.people.iter().filter(|person| person.face == Known::Yes).count();
        for number in gates {
            match self.world.gates[*number].faces() {
                Ok(held) if held == faces => {}
                other => self.broke(Break::Lost, &format!("gate {number} holds {other:?} of {faces} faces")),
            }
        }
        self.looks += 1;
        if self.looks % LOOK_EVERY != 1 {
            return;
        }
        for number in gates {
            match self.world.gates[*number].ask(&format!("look {}", person % 6)) {
                Ok(answer) if answer == "recognised" => {}
                other => self.broke(Break::Lost, &format!("gate {number} looks at person {person}: {other:?}")),
            }
        }
    }

    /// A gate that is not paired yet, with a control and a proxy of its own, in the last place.
    fn new_gate(&mut self) -> usize {
        let number = self.made;
        self.made += 1;
        let data = self.world.folder.join(format!("gate{number}"));
        let control = Control::new(&self.world.folder.join(format!("gate{number}.control")));
        let program = self.world.wrapper(number, &control, &data);
        let mut gate = GateProcess::start(&program, &data, number).expect("a gate starts");
        let proxy = Proxy::start(&gate.address);
        gate.address.clone_from(&proxy.address);
        self.world.gates.push(gate);
        self.world.proxies.push(proxy);
        self.world.gate_controls.push(control);
        self.world.gates.len() - 1
    }

    /// The code that a gate shows; it is shown until the value is dropped.
    fn code(&mut self, number: usize) -> String {
        self.world.shown = None;
        let shown = self.world.gates[number].show_code().expect("the gate shows a code");
        // Shown in two groups; a command's words are parted by spaces.
        let code = shown.code.replace(' ', "");
        // The console ends with its last word or by the next one; the gate keeps the code until then.
        self.world.shown = Some(shown);
        code
    }

    fn pair_line(&mut self, number: usize) -> String {
        let code = self.code(number);
        format!("pair {} {} {code}", DOORS[2], self.world.proxies[number].address)
    }

    fn who(&mut self, door: &str) -> String {
        self.world.must(&format!("who {door}"))
    }

    /// A gate that is told to forget holds nothing in the end.
    fn is_emptied(&mut self, gate: &GateProcess) {
        let start = Instant::now();
        loop {
            let place = Place::new(&gate.folder, None);
            let holds = place
                .open_beside(Realm::Practice)
                .and_then(|store| Ok((store.faces()?, store.cards()?, store.station()?.is_some())));
            if matches!(holds, Ok((0, 0, false))) {
                return;
            }
            if start.elapsed() > GATE_LIMIT {
                return self
                    .broke(Break::Zombie, &format!("a gate out of use holds (faces, cards, station) {holds:?}"));
            }
            self.world.ask("settle 1");
        }
    }

    /// Takes the third gate out again.
    fn take_out(&mut self) {
        if self.who(DOORS[2]) != "nobody" {
            // One that is on its way out is listed until it has signed for the last time; it cannot be taken out twice.
            self.world.ask(&format!("retire {}", DOORS[2]));
        }
        let (Some(gate), Some(_), Some(_)) =
            (self.world.gates.pop(), self.world.proxies.last(), self.world.gate_controls.last())
        else {
            return;
        };
        self.world.shown = None;
        self.is_emptied(&gate);
        self.world.must(&format!("gone {}", DOORS[2]));
        self.world.proxies.pop();
        self.world.gate_controls.pop();
    }
}

/// The vault grows with every try, and with it what backup, restoring and new keys write: now and then there is a new site, or the last write
/// would run away as fast as the faults come after it.
const TRIES_A_SITE: usize = 60;

pub fn once_more(site: &mut Site<'_>) {
    if site.count > 0 && site.count.is_multiple_of(TRIES_A_SITE) {
        house::move_on(site);
    }
    site.count += 1;
}

fn to_back_up(site: &mut Site<'_>) -> String {
    once_more(site);
    format!("backup {}", site.stick.display())
}

/// A backup that was confirmed can be restored; one that was broken off is none.
fn backed_up(site: &mut Site<'_>, said: &Said) {
    site.quiet();
    let folders: Vec<PathBuf> =
        std::fs::read_dir(&site.stick).expect("the stick").flatten().map(|e| e.path()).collect();
    if let Said::Ok(name) = said
        && !folders.contains(&site.stick.join(name))
    {
        site.broke(Break::Lost, "a confirmed backup is not there");
    }
    for folder in folders {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let whole = folder.join("backup.json").exists();
        let confirmed = matches!(said, Said::Ok(said) if *said == name);
        let drilled = site.world.ask(&format!("drill {} {}", folder.display(), site.key));
        match (&drilled, whole, confirmed) {
            (Said::Ok(_), true, _) | (Said::Failed(_), _, false) => {}
            (_, _, true) => site.broke(Break::Lost, &format!("a confirmed backup: {drilled:?}")),
            _ => site.broke(Break::Unsound, &format!("a broken-off backup: {drilled:?}")),
        }
        let _ = std::fs::remove_dir_all(&folder);
    }
}

/// Somebody leaves after the backup: the restored vault must not bring the card back.
fn to_restore(site: &mut Site<'_>) -> String {
    once_more(site);
    site.person = site.world.with_card();
    let from = site.back_up();
    site.world.must(&format!("close {}", site.world.people[site.person].id));
    site.world.people[site.person].card = Known::No;
    site.world.must("settle 60");
    site.world.desk = None;
    site.world.locked_desk();
    format!("restore {} {}", from.display(), site.key)
}

fn restored(site: &mut Site<'_>, _: &Said) {
    site.world.desk = None;
    site.quiet();
    for entry in std::fs::read_dir(&site.stick).expect("the stick").flatten() {
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

fn to_rotate(site: &mut Site<'_>) -> String {
    once_more(site);
    site.slots = std::fs::read(site.world.folder.join("desk/slots")).expect("the slots");
    "rotate".into()
}

/// One set of keys or the other, for everybody.
fn rotated(site: &mut Site<'_>, said: &Said) {
    site.quiet();
    let slots = std::fs::read(site.world.folder.join("desk/slots")).expect("the slots");
    if said.is_ok() && slots == site.slots {
        site.broke(Break::Lost, "new keys were confirmed and are not there");
    }
    site.world.must("lock");
    site.world.desk = None;
    let (folder, passphrase) = (site.world.folder.join("desk"), Passphrase::new(site::PASSPHRASE.into()));
    let now = menka::ports::Clock::now(&menka::app::runner::SystemClock);
    let accounts = Vault::accounts_at_the_door(&folder, now).unwrap_or_default();
    if accounts.len() != 2 {
        site.broke(Break::Lost, &format!("{} accounts at the door", accounts.len()));
    }
    for account in accounts {
        if let Err(error) = Vault::unlock_as(&folder, Realm::Practice, account.id, &passphrase, now) {
            site.broke(Break::Lost, &format!("an account does not open: {error}"));
        }
    }
}

fn to_renew(_: &mut Site<'_>) -> String {
    "renew".into()
}

fn renewed(site: &mut Site<'_>, said: &Said) {
    site.quiet();
    if !said.is_ok() {
        site.world.must("renew");
        site.quiet();
    }
    site.known_at(&[0, 1], site.kept);
}

/// Somebody is enrolled while the second gate is away, which then comes back.
fn to_fill(site: &mut Site<'_>) -> String {
    site.person = site.world.with_card();
    site.world.gates[1].kill();
    site.world.must(&format!("away {}", DOORS[1]));
    let card = site.world.people[site.person].card_number;
    site.world.must(&format!("enroll {card} {}", site.person % 6));
    site.world.people[site.person].face = Known::Yes;
    site.world.start_gate(1);
    format!("filled {} 2", site.world.people[site.person].id)
}

fn filled(site: &mut Site<'_>, _: &Said) {
    site.world.must(&format!("filled {} 2", site.world.people[site.person].id));
    site.quiet();
    site.known_at(&[0, 1], site.person);
    let card = site.world.people[site.person].card_number;
    site.world.must(&format!("withdraw {card}"));
    site.world.people[site.person].face = Known::No;
    site.quiet();
}

/// A new gate for the second door.
fn to_replace(site: &mut Site<'_>) -> String {
    let new = site.new_gate();
    let code = site.code(new);
    // Until the surviving gate has sealed its faces to the newcomer.
    let resident = &site.world.people[site.kept].id;
    format!("replace {} {} {code} {resident}", DOORS[1], site.world.proxies[new].address)
}

fn replaced(site: &mut Site<'_>, said: &Said) {
    let place = Place::new(&site.world.gates[2].folder, None);
    let new = place.open_beside(Realm::Practice).and_then(|store| store.gate());
    let new = new.map(|id| id.to_string()).unwrap_or_default();
    let stands =
        |site: &mut Site<'_>, seconds: u64| site.world.ask(&format!("stands {} {new} {seconds}", DOORS[1])).is_ok();
    if !stands(site, if said.is_ok() { 20 } else { 1 }) {
        if said.is_ok() {
            site.broke(Break::Lost, "a replacement was confirmed and is not there");
        }
        let code = site.code(2);
        let line = format!("replace {} {} {code}", DOORS[1], site.world.proxies[2].address);
        site.world.must(&line);
        if !stands(site, 20) {
            site.broke(Break::Lost, "a replacement cannot be done again");
        }
    }
    site.world.shown = None;
    let old = site.world.gates.swap_remove(1);
    let beside = (site.world.proxies.swap_remove(1), site.world.gate_controls.swap_remove(1));
    site.is_emptied(&old);
    drop((old, beside));
    site.world.must(&format!("filled {} 2", site.world.people[site.kept].id));
    site.quiet();
    site.known_at(&[0, 1], site.kept);
}

fn to_pair(site: &mut Site<'_>) -> String {
    let new = site.new_gate();
    site.pair_line(new)
}

/// It is there, or it can be paired again; and once.
fn paired(site: &mut Site<'_>, said: &Said) {
    let there = site.who(DOORS[2]) != "nobody";
    if said.is_ok() && !there {
        site.broke(Break::Lost, "a pairing was confirmed and is not there");
    }
    if !there {
        let line = site.pair_line(2);
        site.world.must(&line);
    }
    let count = site.world.must("gates");
    if count != "3" {
        site.broke(Break::Doubled, &format!("{count} gates"));
    }
    site.world.must("settle 60");
    site.take_out();
    site.quiet();
}

/// A third gate with everybody's card is taken out of use.
fn to_unpair(site: &mut Site<'_>) -> String {
    let new = site.new_gate();
    let line = site.pair_line(new);
    site.world.must(&line);
    site.world.shown = None;
    site.person = site.world.with_card();
    format!("retire {}", DOORS[2])
}

fn unpaired(site: &mut Site<'_>, _: &Said) {
    site.take_out();
    site.quiet();
}

/// The second gate lost a face and a card behind everybody's back.
fn to_put_right(site: &mut Site<'_>) -> String {
    let place = Place::new(&site.world.gates[1].folder, None);
    let lost = place.open_beside(Realm::Practice).is_ok_and(|store| {
        store.execute_for_a_test("DELETE FROM faces; DELETE FROM cards; INSERT INTO cards VALUES (x'DEADBEEF', 99999)")
    });
    assert!(lost, "the gate's file can be written");
    site.world.must(&format!("drifts {}", DOORS[1]));
    format!("repair {}", DOORS[1])
}

fn put_right(site: &mut Site<'_>, _: &Said) {
    site.world.must(&format!("repair {}", DOORS[1]));
    site.quiet();
    site.known_at(&[1], site.kept);
    let uid = practice_card(site.world.people[site.kept].card_number).expect("a card");
    if !site.world.gates[1].opens_for(&uid).unwrap_or(false) {
        site.broke(Break::Lost, "a gate that was put right does not open");
    }
}
