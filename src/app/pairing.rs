//! Pairing a gate: the code that the gate shows is typed here; gates that wait are looked for only while a supervisor's page asks for it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::command::StaffCommand;
use super::deletion::DeletionEvent;
use super::desk::Desk;
use super::event::{Event, Failure, FieldFault, StaffEvent};
use super::orders;
use crate::domain::approval::Act;
use crate::domain::gate::{GateRecord, is_private_room};
use crate::domain::id::GateId;
use crate::domain::time::Timestamp;
use crate::ports::{FoundGate, Lan, LinkError, PairError};
use crate::secret::PairingCode;
use crate::wire::message::{Hello, Reply, Request};

/// Longest wait for a gate that is paired: two questions and two answers.
const PAIR_LIMIT: Duration = Duration::from_millis(4_000);

/// The same for a gate that announces itself: the page waits meanwhile.
const ANNOUNCED_LIMIT: Duration = Duration::from_millis(1_000);

/// For so long the page may say nothing before the desk looks for gates no more, in milliseconds.
pub const SEARCH_ENDS_MS: i64 = 5_000;

/// Wrong codes at this page before a new one is asked for: the gate allows as many for one code, but a machine that poses as a gate would
/// not count.
pub const WRONG_CODES_MAX: u8 = 3;

/// What a supervisor says of a gate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateWords {
    /// Shown name.
    pub name: String,
    /// Place.
    pub place: String,
    /// What its camera takes in.
    pub capture_area: String,
    /// The other way in.
    pub other_way: String,
    /// Why a face reader is needed here.
    pub why_needed: String,
}

impl GateWords {
    fn trimmed(self) -> Self {
        let trim = |text: String| text.trim().to_owned();
        Self {
            name: trim(self.name),
            place: trim(self.place),
            capture_area: trim(self.capture_area),
            other_way: trim(self.other_way),
            why_needed: trim(self.why_needed),
        }
    }
}

/// From the page on which gates are paired.
#[derive(Debug)]
pub enum PairingCommand {
    /// The page is open: look for gates that wait. Said about once a second; silence ends the search.
    Look,
    /// Look on the interface with this address from now on.
    ChooseLan(String),
    /// Reach gates and boards over the network of this name no more.
    LeaveNetwork(String),
    /// Pairs the gate at this address, which shows this code.
    Pair {
        /// What is said of it.
        words: GateWords,
        /// `ip:port`.
        address: String,
        /// As typed; `None` when it is not eight digits.
        code: Option<PairingCode>,
    },
    /// Goes on with a known gate that has proved the code, once a second person approved its other keys.
    Repair(GateId),
}

/// To the page on which gates are paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairingEvent {
    /// Where is looked, and who waits.
    Search {
        /// This machine's addresses on a LAN.
        lans: Vec<Lan>,
        /// The one that was chosen.
        chosen: Option<String>,
        /// The networks over which gates and boards are reached, by their interfaces' names.
        networks: Vec<String>,
        /// Gates that wait, as they say.
        found: Vec<FoundGate>,
    },
    /// A gate was paired under this name.
    Paired(String),
}

/// Why a gate was not paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairingFailure {
    /// The code is not eight digits.
    CodeUnreadable,
    /// The gate could not be asked, or did not agree.
    Gate(String, PairError),
    /// Another gate answers there than the one that is looked for.
    OtherGate(String),
    /// Three wrong codes: a new one is needed, and somebody should look at the gate's address.
    TooManyTries(String),
}

/// What the desk keeps while the page is open.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// When the page last asked; `None` while nothing is looked for.
    asked_at: Option<Timestamp>,
    /// As last told.
    told: Option<PairingEvent>,
    /// Addresses at which gates out of use were looked for.
    tried: BTreeSet<String>,
    /// Wrong codes in a row.
    wrong: u8,
    /// A known gate that proved the code under other keys, until a second person approves.
    proved: Option<GateRecord>,
}

impl Desk {
    pub(super) fn handle_pairing(&mut self, command: PairingCommand, now: Timestamp) {
        match command {
            PairingCommand::Look => self.look_for_gates(now),
            PairingCommand::ChooseLan(address) => self.choose_lan(&address, now),
            PairingCommand::LeaveNetwork(name) => {
                self.leave_network(&name);
                self.look_for_gates(now);
            }
            PairingCommand::Pair { words, address, code } => self.pair_gate(words.trimmed(), address.trim(), code, now),
            PairingCommand::Repair(gate) => self.repair_gate(gate, now),
        }
    }

    /// Ends a search that no page asks for any more.
    pub(super) fn mind_search(&mut self) {
        let moment = self.moment;
        let Some(open) = self.open.as_mut() else { return };
        if open.pairing.asked_at.is_some_and(|at| moment.since(at) >= SEARCH_ENDS_MS) {
            open.link.search_over();
            open.pairing.asked_at = None;
            open.pairing.told = None;
            open.pairing.tried.clear();
        }
    }

    fn look_for_gates(&mut self, now: Timestamp) {
        let moment = self.moment;
        let Some(open) = self.open.as_mut() else { return };
        let lans = open.link.lans();
        let kept = open.vault.search_address().ok().flatten();
        // What was chosen before may be gone: then it is chosen anew. A single way is no choice.
        let chosen = match (kept.filter(|kept| lans.iter().any(|lan| lan.address == *kept)), &lans[..]) {
            (None, [only]) => Some(only.address.clone()),
            (kept, _) => kept,
        };
        let found = match &chosen {
            Some(on) => {
                open.pairing.asked_at = Some(moment);
                open.link.search(on).unwrap_or_default()
            }
            None => vec![],
        };
        self.meet_announced(&found, now);
        let Some(open) = self.open.as_mut() else { return };
        let known = open.vault.gates().unwrap_or_default();
        let stopped = open.vault.gates_stopped().unwrap_or_default();
        // A gate that works needs no pairing; one that is stopped does.
        let works = |gate: &FoundGate| known.iter().any(|k| k.address == gate.address && !stopped.contains(&k.id));
        let found = found.into_iter().filter(|gate| !works(gate)).collect();
        let told = PairingEvent::Search { lans, chosen, networks: self.networks.chosen(), found };
        if open.pairing.told.as_ref() != Some(&told) {
            open.pairing.told = Some(told.clone());
            self.say_pairing(told);
        }
    }

    /// A gate that announces itself may be one out of use that was never met again. Its keys tell: each address is asked once.
    fn meet_announced(&mut self, found: &[FoundGate], now: Timestamp) {
        let unmet = self.vault(|v| v.gates_to_meet()).unwrap_or_default();
        let Some(open) = self.open.as_mut().filter(|_| !unmet.is_empty()) else { return };
        let new: Vec<String> = found
            .iter()
            .map(|gate| gate.address.clone())
            .filter(|address| open.pairing.tried.insert(address.clone()))
            .collect();
        for address in new {
            for gate in &unmet {
                if self.meet_at(gate, &address, ANNOUNCED_LIMIT, now).is_ok() {
                    break;
                }
            }
        }
    }

    /// Looks for a gate out of use where somebody says that it is: what waits for it, its erasures and the end of its pairing, goes there.
    pub(super) fn meet_former_at(&mut self, gate: GateId, address: &str, now: Timestamp) {
        let unmet = self.vault(|v| v.gates_to_meet()).unwrap_or_default();
        let Some(gate) = unmet.into_iter().find(|one| one.id == gate).filter(|_| !address.is_empty()) else {
            return self.fail(Failure::Field(FieldFault::Gate));
        };
        let failure = match self.meet_at(&gate, address, PAIR_LIMIT, now) {
            Ok(()) => return,
            Err(LinkError::KeyChanged) => PairingFailure::OtherGate(gate.name),
            Err(error) => PairingFailure::Gate(gate.name, PairError::Link(error)),
        };
        self.fail(Failure::Pairing(failure));
    }

    /// Asks at an address for a gate out of use, by the keys that it was paired with; nobody else hears a word.
    fn meet_at(&mut self, gate: &GateRecord, address: &str, limit: Duration, now: Timestamp) -> Result<(), LinkError> {
        let there = GateRecord { address: address.to_owned(), ..gate.clone() };
        let Some(open) = self.open.as_mut() else { return Err(LinkError::Away) };
        orders::tell(&open.vault, open.link.as_mut(), &there, limit)?;
        let Reply::Health(_) = open.link.ask(&there, &Request::Health, limit)? else { return Err(LinkError::Protocol) };
        if self.vault(|v| v.record_met(there.id, address, now)).is_some() {
            if let Some(open) = self.open.as_mut() {
                open.mark_stale();
                open.shared.ring();
            }
            self.say(StaffEvent::Deletion(DeletionEvent::Met(there.name)));
        }
        Ok(())
    }

    fn choose_lan(&mut self, address: &str, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        if open.link.lans().iter().any(|lan| lan.address == address) {
            open.link.search_over();
            self.vault(|v| v.record_search_address(address));
            self.choose_networks();
            self.look_for_gates(now);
        }
    }

    fn pair_gate(&mut self, words: GateWords, address: &str, code: Option<PairingCode>, now: Timestamp) {
        if words.name.is_empty() || address.is_empty() {
            return self.fail(Failure::Field(FieldFault::Gate));
        }
        if [&words.name, &words.place, &words.capture_area].iter().any(|words| is_private_room(words)) {
            return self.fail(Failure::Field(FieldFault::PrivateRoom));
        }
        let Some((hello, tls_pin)) = self.meet_gate(&words.name, address, code) else { return };
        let id = GateId::from_bytes(hello.id);
        let known = self.vault(|v| v.gates()).unwrap_or_default();
        let GateWords { name, place, capture_area, other_way, why_needed } = words;
        let record = GateRecord {
            id,
            name,
            place,
            capture_area,
            other_way,
            why_needed,
            address: address.to_owned(),
            tls_pin,
            seal_key: hello.seal_key,
            sign_key: hello.sign_key,
            card_way_tested_at: known.iter().find(|g| g.id == id).and_then(|g| g.card_way_tested_at),
            takes_faces: hello.takes_faces,
        };
        match self.vault(|v| v.needs_repair(&record)) {
            None => {}
            Some(false) if self.vault(|v| v.record_gate(&record, now)).is_some() => self.gate_paired(record, now),
            Some(false) => {}
            Some(true) => {
                if let Some(open) = self.open.as_mut() {
                    open.pairing.proved = Some(record);
                }
                self.repair_gate(id, now);
            }
        }
    }

    /// Meets the gate at an address by the code that it shows: what it says of itself, and its TLS fingerprint. `None` after the failure was
    /// told.
    pub(super) fn meet_gate(
        &mut self,
        name: &str,
        address: &str,
        code: Option<PairingCode>,
    ) -> Option<(Hello, [u8; 32])> {
        let Some(code) = code else {
            self.fail(Failure::Pairing(PairingFailure::CodeUnreadable));
            return None;
        };
        let open = self.open.as_mut()?;
        open.pairing.proved = None;
        match open.link.pair(address, &code, PAIR_LIMIT) {
            Ok(met) => {
                open.pairing.wrong = 0;
                self.take_network_of(address);
                Some(met)
            }
            Err(error) => {
                let failure = open.pairing.refused(name.to_owned(), error);
                self.fail(Failure::Pairing(failure));
                None
            }
        }
    }

    /// Other keys in the place of the pinned ones, or a lifted stop: with a second person's approval only.
    fn repair_gate(&mut self, gate: GateId, now: Timestamp) {
        let again = StaffCommand::Pairing(PairingCommand::Repair(gate));
        let Some((Some(approval), _)) = self.approved(Act::RepairGate(gate), again, now) else { return };
        let proved = self.open.as_mut().and_then(|open| open.pairing.proved.take());
        let Some(record) = proved.filter(|record| record.id == gate) else { return };
        if self.vault(|v| v.repair_gate(&record, approval, now)).is_some() {
            self.gate_paired(record, now);
        }
    }

    fn gate_paired(&mut self, record: GateRecord, now: Timestamp) {
        // What this gate refused before staff acted goes to it again.
        self.vault(|v| v.retry_wedged(record.id, now));
        if let Some(open) = self.open.as_mut() {
            open.mark_stale();
            open.shared.ring();
            let gates = open.shared.gates().0;
            self.say(StaffEvent::Gates(gates));
        }
        self.say_pairing(PairingEvent::Paired(record.name));
        self.show_opened(now);
    }

    fn say_pairing(&mut self, event: PairingEvent) {
        self.out.push(Event::Staff(StaffEvent::Pairing(event)));
    }
}

impl Pairing {
    fn refused(&mut self, name: String, error: PairError) -> PairingFailure {
        if error != PairError::OtherCode {
            return PairingFailure::Gate(name, error);
        }
        self.wrong += 1;
        if self.wrong < WRONG_CODES_MAX {
            return PairingFailure::Gate(name, error);
        }
        self.wrong = 0;
        PairingFailure::TooManyTries(name)
    }
}
