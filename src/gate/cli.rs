//! What the binary `menka-gate` does with its arguments.

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;

use super::daemon::Gate;
use super::error::GateError;
use super::key_file::Cost;
use super::place::Place;
use super::relay;
use super::reseal;
use super::server::Server;
use super::settings::{FILE, Settings};
use super::store::{Setup, Store};
use super::{heads, shown};
use super::{limit, outputs, process};
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::time::Timestamp;
use crate::ports::{BoardLink, Clock};
use crate::secret::EngineId;
use crate::wire::address::lan_address;
use crate::wire::keys::fingerprint_text;
use crate::wire::reseal::ResealFor;

/// How it is used.
pub const USAGE: &str = "\
menka-gate: holds cards and sealed face templates at one gate, without names

  menka-gate init        --data DIR [--engine sface|dlib] [--cards-only] [--offline-hours N] [--passlog-days N]
  menka-gate pair        --data DIR           show a code, to be typed at the station, while this gate runs
  menka-gate fingerprint --data DIR           this gate's fingerprint, to compare
  menka-gate run         --data DIR --listen ADDRESS:PORT [--until-stdin-closes]
  menka-gate status      --data DIR           counts and settings
  menka-gate heads       --data DIR           heads of the station's log that this gate keeps, for menka-verify
  menka-gate given       --data DIR           templates that this gate gave out, sealed: when, which, what for
  menka-gate swipe       --data DIR CARD      would this card open now? changes and opens nothing
  menka-gate board …                          looks at a card board; `menka-gate board` says more

  DIR/gate.toml          how the door opens (log line, command, GPIO line, card board), and limits for faces

  --secret-file FILE     the gate's secret, if it is not DIR/gate.secret
  --realm practice       practice builds only
";

/// Answers one line typed at a running gate. What stands at the door of a practice site; a shipped gate has none.
pub type Console = Box<dyn FnMut(&str, &mut Gate, Timestamp) -> String>;

/// What the binary joins to a gate.
pub struct Joined {
    /// For the lines on standard input.
    pub console: Option<Console>,
    /// The wire to card boards, where the door is one of theirs.
    pub boards: Box<dyn BoardLink>,
}

/// Runs one command. `arguments` are those after the program's name.
///
/// # Errors
/// [`GateError`]; its text is meant for the person at the keyboard.
pub fn run_with(arguments: &[String], out: &mut dyn Write, joined: Joined) -> Result<(), GateError> {
    let given = Arguments::parse(arguments)?;
    let place = Place::new(&given.data, given.secret.as_deref());
    let now = SystemClock.now();
    match given.command.as_str() {
        "init" => {
            place.init(&given.setup, Cost::STANDARD, now)?;
            fingerprint(&place.open_beside(given.setup.realm)?, out)
        }
        "fingerprint" => fingerprint(&place.open_beside(given.setup.realm)?, out),
        "pair" if given.operand().is_some() => Err(usage("a fingerprint is typed nowhere: the code is")),
        "pair" => shown::show(&place.open_beside(given.setup.realm)?, given.setup.realm, &mut SystemClock, out),
        "run" => daemon(&given, &place, out, joined),
        "status" => {
            let store = place.open_beside(given.setup.realm)?;
            status(&store, out)?;
            let settings = Settings::read(place.folder())?;
            let most = limit::people_max(&store.setup()?.engine, settings.faces);
            say(out, format_args!("card seen to open: {}", if store.card_way_seen()? { "yes" } else { "no" }))?;
            say(out, format_args!("people among whom a face is looked up, at most: {most}"))?;
            say(out, format_args!("door ({FILE}): {}", settings.door.label()))
        }
        "heads" => {
            for kept in heads::all(&place.open_beside(given.setup.realm)?)? {
                let aside = if kept.aside { ", set aside by a pairing since" } else { "" };
                say(out, format_args!("kept since {}{aside}:", kept.kept_at.minute_text()))?;
                say(out, format_args!("{}", kept.note))?;
            }
            Ok(())
        }
        "given" => {
            for once in reseal::given(&place.open_beside(given.setup.realm)?)? {
                let what = if once.purpose == ResealFor::Copy.number() { ResealFor::Copy.label() } else { "other" };
                say(
                    out,
                    format_args!("{}: {what} of {}, operation {}", once.at.minute_text(), once.template, once.op),
                )?;
            }
            Ok(())
        }
        "swipe" => {
            let uid = given.operand().and_then(hex).and_then(|bytes| CardUid::from_bytes(&bytes));
            let uid = uid.ok_or_else(|| usage("a card number has 8 to 20 hex digits"))?;
            let store = place.open_beside(given.setup.realm)?;
            let today = now.max(store.instants()?.1).date();
            let opens = store.card_ends_on(uid.bytes())?.is_some_and(|ends_on| ends_on >= today);
            say(out, format_args!("opens: {}", if opens { "yes" } else { "no" }))
        }
        _ => Err(usage("unknown command")),
    }
}

fn daemon(given: &Arguments, place: &Place, out: &mut dyn Write, joined: Joined) -> Result<(), GateError> {
    let Joined { mut console, boards } = joined;
    let settings = Settings::read(place.folder())?;
    let text = given.listen.as_deref().ok_or_else(|| usage("--listen is missing"))?;
    let listen = lan_address(text).ok_or_else(|| GateError::NotLan(text.into()))?;
    process::keep_memory_private();
    let (stop, stopped) = mpsc::channel();
    process::stop_on_signal(stop.clone());
    let mut gate = Gate::open(place, given.setup.realm, outputs::door(&settings.door, boards)?)?;
    gate.limit_faces(settings.faces);
    let server = Server::start(gate, listen, Box::new(SystemClock))?;
    server.with_gate(|gate, _| gate.record_address(server.address()))?;
    if given.until_stdin_closes {
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                let _ = stop.send(Some(line));
            }
            let _ = stop.send(None);
        });
    }
    say(out, format_args!("listening: {}", server.address()))?;
    while let Ok(Some(line)) = stopped.recv() {
        if let Some(console) = console.as_mut() {
            let answer = server.with_gate(|gate, now| console(&line, gate, now));
            say(out, format_args!("{answer}"))?;
        }
    }
    server.stop();
    Ok(())
}

fn fingerprint(store: &Store, out: &mut dyn Write) -> Result<(), GateError> {
    say(out, format_args!("{}", fingerprint_text(&store.keys()?.fingerprint())))
}

fn status(store: &Store, out: &mut dyn Write) -> Result<(), GateError> {
    let (setup, faces, cards) = (store.setup()?, store.faces()?, store.cards()?);
    let (contact, latest) = store.instants()?;
    say(out, format_args!("gate: {}", store.gate()?))?;
    say(out, format_args!("realm: {}", setup.realm.label()))?;
    say(out, format_args!("engine: {}", if setup.takes_faces { setup.engine.as_str() } else { "none, cards only" }))?;
    match store.station()? {
        Some(station) => say(out, format_args!("station: {}", fingerprint_text(&station.pin)))?,
        None => say(out, format_args!("station: not paired"))?,
    }
    say(out, format_args!("faces: {faces}"))?;
    say(out, format_args!("cards: {cards}"))?;
    let (templates, acts) = relay::passed_count(store)?;
    say(out, format_args!("templates passed on to other gates: {templates} in {acts} acts"))?;
    say(out, format_args!("openings recorded: {}", store.openings()?))?;
    say(out, format_args!("receipts kept: {}", store.operations()?))?;
    say(out, format_args!("last contact: {}", contact.minute_text()))?;
    say(out, format_args!("latest instant seen: {}", latest.minute_text()))?;
    say(out, format_args!("hours without contact until faces stop: {}", setup.offline_hours))?;
    say(out, format_args!("days that opening records are kept: {}", setup.passlog_days))
}

/// The system's clock; everything below the command line is told the time.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_ms(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
}

struct Arguments {
    command: String,
    operands: Vec<String>,
    data: PathBuf,
    secret: Option<PathBuf>,
    listen: Option<String>,
    until_stdin_closes: bool,
    setup: Setup,
}

impl Arguments {
    fn parse(arguments: &[String]) -> Result<Self, GateError> {
        let mut rest = arguments.iter();
        let command = rest.next().ok_or_else(|| usage("no command"))?.clone();
        let mut given = Self {
            command,
            operands: Vec::new(),
            data: PathBuf::new(),
            secret: None,
            listen: None,
            until_stdin_closes: false,
            setup: Setup::default(),
        };
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().ok_or_else(|| usage("an option has no value"));
            match argument.as_str() {
                "--data" => given.data = value()?.into(),
                "--secret-file" => given.secret = Some(value()?.into()),
                "--listen" => given.listen = Some(value()?),
                "--until-stdin-closes" => given.until_stdin_closes = true,
                "--cards-only" => given.setup.takes_faces = false,
                "--offline-hours" => given.setup.offline_hours = number(&value()?, 1, 720)?,
                "--passlog-days" => given.setup.passlog_days = number(&value()?, 0, 30)?,
                "--engine" => given.setup.engine = engine(&value()?)?,
                "--realm" => given.setup.realm = realm(&value()?)?,
                text if text.starts_with("--") => return Err(usage("unknown option")),
                text => given.operands.push(text.into()),
            }
        }
        if given.data.as_os_str().is_empty() {
            return Err(usage("--data is missing"));
        }
        if given.operands.len() > 1 {
            return Err(usage("too many words"));
        }
        Ok(given)
    }

    /// The word that follows the options.
    fn operand(&self) -> Option<&str> {
        self.operands.first().map(String::as_str)
    }
}

fn engine(text: &str) -> Result<EngineId, GateError> {
    match text {
        "sface" => Ok(EngineId::sface()),
        "dlib" => Ok(EngineId::dlib()),
        _ => Err(usage("the engine is sface or dlib")),
    }
}

fn realm(text: &str) -> Result<Realm, GateError> {
    match text {
        "real" => Ok(Realm::Real),
        #[cfg(feature = "practice")]
        "practice" => Ok(Realm::Practice),
        _ => Err(usage("this build knows no such realm")),
    }
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, GateError> {
    let value = text.parse().ok().filter(|n| (least..=most).contains(n));
    value.ok_or_else(|| GateError::Usage(format!("a number from {least} to {most} is expected\n\n{USAGE}")))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn say(out: &mut dyn Write, line: std::fmt::Arguments<'_>) -> Result<(), GateError> {
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|source| GateError::File { file: "standard output".into(), source })
}

fn usage(why: &str) -> GateError {
    GateError::Usage(format!("{why}\n\n{USAGE}"))
}
