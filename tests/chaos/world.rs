//! One site that lives through everything: a desk process, gate processes, a proxy before each gate, and what people were told so far.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::{GateId, ResidentId, TemplateId};
use menka::face::{self, EngineKind};
use menka::gate::place::Place;
use menka::ports::{Clock, SecurityChip};
use menka::practice::drive::Drive;
use menka::practice::practice_card;
use menka::practice::site::{GateProcess, PASSPHRASE, ShownCode};
use menka::secret::Passphrase;
use menka::vault::{CardNumbers, Vault};
use menka::wire::message::Holdings;

use super::boards::Board;
use super::control::Control;
use super::desk::{DeskProcess, Said};
use super::proxy::Proxy;
use super::remains;
use super::report::{Break, Report};
use super::{gate_program, models};

/// What is known of one thing about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is not there: never was, or confirmed as ended.
    No,
    /// Confirmed as there.
    Yes,
    /// The program ended before it said so: either, but one of the two.
    Open,
}

/// Somebody at the site.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub card_number: usize,
    pub card: Known,
    pub face: Known,
    pub paused: Known,
}

const NAMES: [&str; 3] = ["东门", "西门", "北门"];

pub struct World<'a> {
    pub report: &'a Report,
    pub section: String,
    pub library: PathBuf,
    pub desk_control: Control,
    pub gate_controls: Vec<Control>,
    pub gates: Vec<GateProcess>,
    pub proxies: Vec<Proxy>,
    pub people: Vec<Person>,
    pub desk: Option<DeskProcess>,
    pub with_faces: bool,
    /// Doors that every consent names.
    pub doors: usize,
    /// The security chip of the desk's computer.
    pub chip: Option<String>,
    pub boards: Vec<Board>,
    /// A code that a gate shows just now.
    pub shown: Option<ShownCode>,
    /// The station's fingerprint.
    pub station: [u8; 32],
    /// How often somebody comes again whose visit ended without a face.
    pub visits_more: usize,
    /// Gates that were started again after their fault killed them.
    pub revived: u64,
    next: usize,
    pub folder: PathBuf,
    _kept: Option<tempfile::TempDir>,
}

impl<'a> World<'a> {
    /// A site with running, paired gates and a locked desk.
    pub fn new(report: &'a Report, library: &Path, section: &str, gates: usize, with_faces: bool) -> Self {
        let kept = tempfile::tempdir().expect("a folder");
        let mut world = Self::in_folder(report, library, section, (gates, with_faces), kept.path());
        world._kept = Some(kept);
        world
    }

    /// The same in a folder that is there.
    pub fn in_folder(
        report: &'a Report,
        library: &Path,
        section: &str,
        (gates, with_faces): (usize, bool),
        folder: &Path,
    ) -> Self {
        let folder = folder.to_owned();
        let desk_control = Control::new(&folder.join("desk.control"));
        let mut world = Self {
            report,
            section: section.into(),
            library: library.to_owned(),
            desk_control,
            gate_controls: vec![],
            gates: vec![],
            proxies: vec![],
            people: vec![],
            desk: None,
            with_faces,
            doors: gates,
            chip: None,
            boards: vec![],
            shown: None,
            station: [0; 32],
            visits_more: 0,
            revived: 0,
            next: 0,
            folder,
            _kept: None,
        };
        let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
        let mut drive = Drive::new(&world.folder, engine, vec![]);
        drive.create();
        let station = drive.fingerprint.expect("the station says its fingerprint");
        world.station = station;
        for number in 0..gates {
            let data = world.folder.join(format!("gate{number}"));
            let control = Control::new(&world.folder.join(format!("gate{number}.control")));
            let program = world.wrapper(number, &control, &data);
            let mut gate = GateProcess::start(&program, &data, number).expect("a gate starts");
            let proxy = Proxy::start(&gate.address);
            gate.address.clone_from(&proxy.address);
            drive.pair(&gate, NAMES[number % NAMES.len()]);
            world.gates.push(gate);
            world.proxies.push(proxy);
            world.gate_controls.push(control);
        }
        drive.deliver().expect("the courier");
        assert_eq!(drive.failures, vec![], "a fresh site");
        drop(drive);
        world
    }

    /// The gate program under the fault library, as a program of its own.
    pub fn wrapper(&self, number: usize, control: &Control, data: &Path) -> PathBuf {
        let path = self.folder.join(format!("gate{number}.sh"));
        let set: Vec<String> = control
            .environment(&self.library, data)
            .iter()
            .map(|(name, value)| format!("{name}='{}'", value.display()))
            .collect();
        let text = format!("#!/bin/sh\n{} exec '{}' \"$@\"\n", set.join(" "), gate_program().display());
        std::fs::write(&path, text).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a script");
        path
    }

    /// The desk, started and unlocked when it is not running: the product's own start, which is also its recovery.
    pub fn desk(&mut self) -> &mut DeskProcess {
        if self.desk.is_none() {
            self.desk_control.disarm();
            let mut desk = self.new_desk(None);
            let said = desk.ask("unlock", || {});
            if !said.is_ok() {
                self.report.broke(Break::Unsound, &format!("{}: the desk does not open: {said:?}", self.section));
            }
            self.desk = Some(desk);
        }
        self.desk.as_mut().expect("just started")
    }

    /// The same, where the desk may have a reason to stay locked.
    pub fn desk_opens(&mut self) -> bool {
        if self.desk.is_some() {
            return true;
        }
        let desk = self.locked_desk();
        let opens = desk.ask("unlock", || {}).is_ok();
        if !opens {
            self.desk = None;
        }
        opens
    }

    /// Somebody whose record was made by a command of its own.
    pub fn adopt(&mut self, id: String) {
        self.next += 1;
        let no = Known::No;
        self.people.push(Person { id, card_number: self.next, card: no, face: no, paused: no });
    }

    /// Those who have no card for sure.
    pub fn without_card(&self) -> Vec<usize> {
        (0..self.people.len()).filter(|n| self.people[*n].card == Known::No).collect()
    }

    fn new_desk(&self, end_at: Option<&str>) -> DeskProcess {
        let with = (end_at, self.chip.as_deref());
        DeskProcess::start_with(&self.folder, &self.library, &self.desk_control, self.with_faces, with)
    }

    /// A desk that was started and not unlocked.
    pub fn locked_desk(&mut self) -> &mut DeskProcess {
        self.desk_control.disarm();
        let desk = self.new_desk(None);
        self.desk.insert(desk)
    }

    /// A desk that ends by itself at a named point (`menka::vault::STEPS`), unlocked or not.
    pub fn start_desk_until(&mut self, step: &str, locked: bool) {
        self.desk_control.disarm();
        let mut desk = self.new_desk(Some(step));
        if !locked && !desk.ask("unlock", || {}).is_ok() {
            self.report.broke(Break::Unsound, &format!("{}: the desk does not open", self.section));
        }
        self.desk = Some(desk);
    }

    /// A command to the desk; gates that were killed meanwhile are started again, as a service manager does.
    pub fn ask(&mut self, line: &str) -> Said {
        self.desk();
        let Some(mut desk) = self.desk.take() else { return Said::Dead };
        let begun = Instant::now();
        let said = desk.ask(line, || self.revive());
        if std::env::var_os("CHAOS_TRACE").is_some() {
            println!("  {} ms: {line}: {said:?}", begun.elapsed().as_millis());
        }
        match said {
            Said::Dead => {
                desk.kill();
                self.report.killed(&self.section);
            }
            _ => self.desk = Some(desk),
        }
        said
    }

    /// A command that nothing disturbs: anything but *ok* is a break.
    pub fn must(&mut self, line: &str) -> String {
        match self.ask(line) {
            Said::Ok(answer) => answer,
            other => {
                self.report.broke(Break::Unsound, &format!("{}: {line}: {other:?}", self.section));
                String::new()
            }
        }
    }

    /// The security chip of the desk's computer, as the desk finds it.
    pub fn security_chip(&self) -> Box<dyn SecurityChip> {
        match &self.chip {
            Some(at) => menka::chip::this_computer(Some(at)).expect("a chip"),
            None => menka::chip::none(),
        }
    }

    /// Starts gates again that their fault killed.
    pub fn revive(&mut self) {
        for number in 0..self.gate_controls.len() {
            if self.gate_controls[number].fired().is_some_and(|_| !is_running(&mut self.gates[number])) {
                self.gate_controls[number].clear();
                self.revived += 1;
                self.report.killed(&self.section);
                self.start_gate(number);
            }
        }
    }

    /// Starts a gate again; one that does not start is a break.
    pub fn start_gate(&mut self, number: usize) {
        match self.gates[number].restart("127.0.0.1:0") {
            Ok(()) => self.proxies[number].lead_to(&self.gates[number].address),
            Err(error) => {
                self.report.broke(Break::Unsound, &format!("{}: gate {number} does not start: {error}", self.section));
            }
        }
    }

    /// Another resident, without a card.
    pub fn somebody(&mut self) -> usize {
        let next = self.next + 1;
        let id = self.must(&format!("add 住户 {}-{}", next / 900 + 1, next % 900 + 100));
        self.adopt(id);
        self.people.len() - 1
    }

    /// The same, with a card that every gate signed for.
    pub fn with_card(&mut self) -> usize {
        let person = self.somebody();
        self.must(&format!("issue {} {}", self.people[person].id, self.people[person].card_number));
        self.people[person].card = Known::Yes;
        self.must("settle 20");
        person
    }

    /// The same, with a face at every gate.
    pub fn with_face(&mut self) -> usize {
        let person = self.with_card();
        let line = format!("enroll {} {}", self.people[person].card_number, person % 6);
        // On a bad line the gate may count as away to the end of a visit: a person begins anew.
        if !(0..self.visits_more).any(|_| self.ask(&line).is_ok()) {
            self.must(&line);
        }
        self.people[person].face = Known::Yes;
        person
    }

    /// What the record and the gates say of a person, against what people were told.
    pub fn check(&mut self, person: usize) {
        let line = format!("state {}", self.people[person].id);
        let mut said = self.ask(&line);
        if matches!(&said, Said::Ok(state) if is_under_way(state)) {
            // The counts of a gate that refused for a moment are told with its next health; the desk here asks for it in a hurry.
            std::thread::sleep(Duration::from_millis(400));
            self.must("settle 60");
            said = self.ask(&line);
        }
        let Said::Ok(state) = said else {
            return self.report.broke(Break::Lost, &format!("{}: the record: {said:?}", self.section));
        };
        let words: Vec<&str> = state.split(' ').collect();
        let [card, face, named, there] = words[..] else {
            return self.report.broke(Break::Unsound, &format!("{}: an odd record: {state}", self.section));
        };
        let what = format!("{}: person {person}: {state}", self.section);
        let held_at = face.parse::<usize>().unwrap_or(0);
        let (has_card, has_face) = (card != "no", held_at > 0);
        if has_face && held_at < self.gates.len().min(self.doors) {
            // A gate that did not get it is filled by one that did.
            let line = format!("filled {} {}", self.people[person].id, self.doors);
            if !self.ask(&line).is_ok() {
                self.report.broke(Break::Lost, &format!("{what}: a face that one gate has and another has not"));
            }
        }
        self.settle_on(person, has_card, has_face, &what);
        // After everything was delivered each gate has signed, and none is named half.
        if has_card && (named != there || named == "0") {
            self.report.broke(Break::Unsound, &format!("{what}: a card that only some gates know"));
        }
        if face == "erasing" {
            self.report.broke(Break::Unsound, &format!("{what}: an erasure that does not end"));
        }
        let uid = practice_card(self.people[person].card_number).expect("a card");
        for number in 0..self.gates.len() {
            let Ok(opens) = self.gates[number].opens_for(&uid) else {
                self.report.broke(Break::Unsound, &format!("{what}: gate {number} is not there"));
                continue;
            };
            match (has_card, opens) {
                (true, false) => self.report.broke(Break::Lost, &format!("{what}: gate {number} does not open")),
                (false, true) => self.report.broke(Break::Zombie, &format!("{what}: gate {number} opens")),
                _ => {}
            }
        }
        for board in &mut self.boards {
            match (has_card, board.opens_for(&uid)) {
                (true, false) => self.report.broke(Break::Lost, &format!("{what}: the board does not open")),
                (false, true) => self.report.broke(Break::Zombie, &format!("{what}: the board opens")),
                _ => {}
            }
        }
    }

    fn settle_on(&mut self, person: usize, has_card: bool, has_face: bool, what: &str) {
        let report = self.report;
        let someone = &mut self.people[person];
        for (known, is, thing) in [(&mut someone.card, has_card, "card"), (&mut someone.face, has_face, "face")] {
            match (*known, is) {
                (Known::Yes, false) => report.broke(Break::Lost, &format!("{what}: {thing}")),
                (Known::No, true) => report.broke(Break::Zombie, &format!("{what}: {thing}")),
                _ => {}
            }
            *known = if is { Known::Yes } else { Known::No };
        }
    }

    /// Everything, from both sides: the vault opened beside the ended desk, and the stores of the gates.
    pub fn check_all(&mut self) {
        self.desk_control.disarm();
        // A start of its own: what a gate holds is compared with the record at the first contact.
        self.desk = None;
        self.must("settle 90");
        for person in 0..self.people.len() {
            self.check(person);
        }
        self.must("lock");
        if let Some(mut desk) = self.desk.take() {
            desk.kill();
        }
        let (now, section) = (SystemClock.now(), self.section.clone());
        let broke = |how, what: String| self.report.broke(how, &format!("{section}: {what}"));
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let opened = Vault::first_account(&self.folder.join("desk")).and_then(|who| {
            let mut chip = self.security_chip();
            Vault::unlock_with(&self.folder.join("desk"), Realm::Practice, who, &passphrase, chip.as_mut(), now)
        });
        let vault = match opened {
            Ok(vault) => vault,
            Err(error) => return broke(Break::Unsound, format!("the vault does not open: {error}")),
        };
        match vault.audit() {
            Ok(report) if report.is_sound() => {}
            other => broke(Break::Unsound, format!("the log is not whole: {other:?}")),
        }
        let (cards, faces) = (
            self.people.iter().filter(|p| p.card == Known::Yes).count(),
            self.people.iter().filter(|p| p.face == Known::Yes).count(),
        );
        let mut held_somewhere = BTreeSet::new();
        for (number, gate) in self.gates.iter().enumerate() {
            let store = match Place::new(&gate.folder, None).open_beside(Realm::Practice) {
                Ok(store) => store,
                Err(error) => {
                    broke(Break::Unsound, format!("the store of gate {number} does not open: {error}"));
                    continue;
                }
            };
            let (Ok(id), Ok(held)) = (store.gate(), store.holdings()) else {
                broke(Break::Unsound, format!("the store of gate {number} cannot be read"));
                continue;
            };
            let (holds, should) = (faces_of(&held), faces_of(&should_hold(&vault, id)));
            for (face, rests) in &holds {
                match should.get(face) {
                    None => broke(Break::Zombie, format!("gate {number} holds {face}")),
                    Some(should_rest) if should_rest != rests => {
                        let how = if *rests { Break::Lost } else { Break::Zombie };
                        broke(how, format!("gate {number}: {face} rests: {rests}, and should: {should_rest}"));
                    }
                    Some(_) => {}
                }
            }
            for missing in should.keys().filter(|face| !holds.contains_key(face)) {
                broke(Break::Lost, format!("gate {number} lacks {missing}"));
            }
            held_somewhere.extend(holds.into_keys());
            // Numbers of cards are unique in the store: more of them than people with a card is a card that was revoked.
            match held.cards.len().cmp(&cards) {
                std::cmp::Ordering::Less => broke(Break::Lost, format!("gate {number} lacks cards")),
                std::cmp::Ordering::Greater => broke(Break::Zombie, format!("gate {number} holds old cards")),
                std::cmp::Ordering::Equal => {}
            }
            match remains::at_gate(&gate.folder, &store) {
                Ok(0) => {}
                Ok(count) => broke(Break::Zombie, format!("gate {number}: {count} remainders of erased templates")),
                Err(what) => broke(Break::Unsound, format!("gate {number}: {what}")),
            }
            if let Err(error) = whole(&gate.folder) {
                broke(Break::Unsound, format!("gate {number}: {error}"));
            }
        }
        let left = remains::remains(&vault.decrypted_pages()).len();
        if left > 0 {
            broke(Break::Zombie, format!("the desk keeps {left} remainders of templates"));
        }
        for board in &mut self.boards {
            match board.cards().cmp(&cards) {
                std::cmp::Ordering::Less => broke(Break::Lost, "the board lacks cards".into()),
                std::cmp::Ordering::Greater => broke(Break::Zombie, "the board holds old cards".into()),
                std::cmp::Ordering::Equal => {}
            }
        }
        if held_somewhere.len() > faces {
            broke(Break::Doubled, format!("{} templates for {faces} people", held_somewhere.len()));
        }
        for (number, person) in self.people.iter_mut().enumerate() {
            let Some(id) = ResidentId::parse(&person.id) else { continue };
            // Whether the face rests is only asked here: staff are not told. What the vault says the gates were compared with above.
            match vault.doors(id) {
                Ok(Some((_, since))) => {
                    match (person.paused, since.is_some()) {
                        (Known::Yes, false) => broke(Break::Lost, format!("person {number}: a pause")),
                        (Known::No, true) => broke(Break::Zombie, format!("person {number}: a pause that was ended")),
                        _ => {}
                    }
                    person.paused = if since.is_some() { Known::Yes } else { Known::No };
                }
                Ok(None) => {}
                Err(error) => broke(Break::Unsound, format!("person {number}: doors: {error}")),
            }
            for ended in vault.endings_of(id).unwrap_or_default() {
                let complete = vault.certificates_of(ended.consent).unwrap_or_default().iter().filter(|c| **c).count();
                match (ended.pending.is_empty(), complete) {
                    (true, 1) => {}
                    (false, _) => broke(Break::Lost, format!("person {number}: an erasure that no gate signed for")),
                    (true, 0) => broke(Break::Lost, format!("person {number}: an erasure without a certificate")),
                    (true, _) => broke(Break::Doubled, format!("person {number}: two certificates of one ending")),
                }
            }
        }
    }
}

/// A card that a gate has not signed for, or an erasure.
fn is_under_way(state: &str) -> bool {
    let words: Vec<&str> = state.split(' ').collect();
    matches!(words[..], [_, face, named, there] if named != there || face == "erasing")
}

fn should_hold(vault: &Vault, gate: GateId) -> Holdings {
    let expected = vault.expected(gate, &mut CardNumbers::new()).expect("the vault says what a gate should hold");
    expected.held.holdings()
}

/// Each face, and whether it rests.
fn faces_of(held: &Holdings) -> BTreeMap<TemplateId, bool> {
    held.faces.iter().map(|face| (TemplateId::from_bytes(face.template), face.frozen)).collect()
}

/// Nothing half-written lies around: every file of a gate has a name that it knows.
fn whole(folder: &Path) -> Result<(), String> {
    let known = ["gate.db", "gate.db-wal", "gate.db-shm", "gate.key", "gate.secret"];
    for entry in std::fs::read_dir(folder).map_err(|e| e.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known.contains(&name.as_str()) {
            return Err(format!("an unknown file {name}"));
        }
    }
    Ok(())
}

/// Whether a gate answers at its console.
pub fn is_running(gate: &mut GateProcess) -> bool {
    gate.ask("count").is_ok_and(|answer| !answer.is_empty())
}
