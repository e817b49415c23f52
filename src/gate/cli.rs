//! What the binary `menka-gate` does with its arguments.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::daemon::Gate;
use super::error::GateError;
use super::eye::{self, Eye};
use super::key_file::Cost;
use super::place::Place;
use super::reader::{self, Held, TypedCards};
use super::server::Server;
use super::settings::{FILE, ReaderKind, ReaderPlan, Settings};
use super::store::{OFFLINE_HOURS_MAX, PASSLOG_DAYS_MAX, Setup, Store};
use super::{heads, limit, outputs, process, relay, reseal, shown, unpair};
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::time::Timestamp;
use crate::ports::{BoardLink, CardReader, Clock, DoorCamera, FaceEngine};
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
  menka-gate run         --data DIR --listen ADDRESS:PORT [--reader pcsc|stdin] [--camera first|DEVICE] [--until-stdin-closes]
  menka-gate status      --data DIR           counts and settings
  menka-gate heads       --data DIR           heads of the station's log that this gate keeps, for menka-verify
  menka-gate given       --data DIR           templates that this gate gave out, sealed: when, which, what for
  menka-gate swipe       --data DIR CARD      would this card open now? changes and opens nothing
  menka-gate limits      --data DIR [--offline-hours N] [--passlog-days N]   changes them; 1 to 24 hours, 0 to 30 days
  menka-gate unpair      --data DIR           the station is lost: erases everybody here and forgets it; prints the signed receipt
  menka-gate board …                          looks at a card board; `menka-gate board` says more

  DIR/gate.toml          how the door opens (log line, command, GPIO line, card board), card reader, camera, and limits for faces

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
    /// Makes a reader of the smart card service; `None` in a build without one.
    pub reader: fn() -> Option<Box<dyn CardReader>>,
    /// Makes the camera with this device file or bus path (`first` for the first); `None` in a build without cameras.
    pub camera: CameraMaker,
    /// Makes an engine with the models in a folder, or where they usually are; `None` in a build without it.
    pub engine: fn(&EngineId, Option<&Path>) -> Option<Box<dyn FaceEngine>>,
}

/// Makes the camera of a gate, by its word in the file.
pub type CameraMaker = Box<dyn Fn(&str) -> Option<Box<dyn DoorCamera>>>;

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
            let usual = &given.setup;
            let setup = Setup {
                offline_hours: given.offline_hours.unwrap_or(usual.offline_hours),
                passlog_days: given.passlog_days.unwrap_or(usual.passlog_days),
                ..usual.clone()
            };
            place.init(&setup, Cost::STANDARD, now)?;
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
        "limits" => {
            let store = place.open_beside(given.setup.realm)?;
            let before = store.setup()?;
            let hours = given.offline_hours.unwrap_or(before.offline_hours);
            let days = given.passlog_days.unwrap_or(before.passlog_days);
            store.change_limits(hours, days)?;
            say(out, format_args!("hours without contact until faces stop: {hours} (was {})", before.offline_hours))?;
            say(out, format_args!("days that opening records are kept: {days} (was {})", before.passlog_days))
        }
        "unpair" => {
            let mut store = place.open_beside(given.setup.realm)?;
            unpair::unpair(&mut store, now, &mut std::io::stdin().lock(), out)
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
    let Joined { mut console, boards, reader, camera, engine } = joined;
    let mut settings = Settings::read(place.folder())?;
    settings.reader = given.reader.map(|kind| ReaderPlan { kind }).or(settings.reader);
    if let Some(device) = &given.camera {
        settings.camera.get_or_insert_default().device.clone_from(device);
    }
    let text = given.listen.as_deref().ok_or_else(|| usage("--listen is missing"))?;
    let listen = lan_address(text).ok_or_else(|| GateError::NotLan(text.into()))?;
    process::keep_memory_private();
    let (stop, stopped) = mpsc::channel();
    process::stop_on_signal(stop.clone());
    let mut gate = Gate::open(place, given.setup.realm, outputs::door(&settings.door, boards)?)?;
    gate.limit_faces(settings.faces);
    let eye = match &settings.camera {
        Some(plan) => Some(Eye {
            camera: camera(&plan.device).ok_or(GateError::Lacks("camera"))?,
            engine: engine(gate.engine(), plan.models.as_deref())
                .ok_or(GateError::Lacks("engine for this gate's faces"))?,
            near: plan.near,
        }),
        None => None,
    };
    let typed = TypedCards::default();
    let kind = settings.reader.map(|plan| plan.kind);
    let reader: Option<Box<dyn CardReader>> = match kind {
        None => None,
        Some(ReaderKind::Stdin) => Some(Box::new(typed.clone())),
        Some(ReaderKind::Pcsc) => Some(reader().ok_or(GateError::Lacks("reader of the smart card service"))?),
    };
    let server = Server::start(gate, listen, Box::new(SystemClock))?;
    server.with_gate(|gate, _| gate.record_address(server.address()))?;
    let held = Held::default();
    let mut devices = vec![];
    if let Some(reader) = reader {
        let (within, held) = (server.within(), held.clone());
        devices.push(device("cards", move || reader::run(reader, &within, &held))?);
    }
    if let Some(eye) = eye {
        let within = server.within();
        devices.push(device("camera", move || eye::run(eye, &within, &held))?);
    }
    if given.until_stdin_closes || kind == Some(ReaderKind::Stdin) {
        let ends = given.until_stdin_closes;
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                let _ = stop.send(Some(line));
            }
            if ends {
                let _ = stop.send(None);
            } else {
                tracing::warn!("standard input is closed: no cards are read");
                std::mem::forget(stop);
            }
        });
    }
    say(out, format_args!("listening: {}", server.address()))?;
    while let Ok(Some(line)) = stopped.recv() {
        if kind == Some(ReaderKind::Stdin) && typed.line(&line) {
            continue;
        }
        match console.as_mut() {
            Some(console) => {
                let answer = server.with_gate(|gate, now| console(&line, gate, now));
                say(out, format_args!("{answer}"))?;
            }
            None => tracing::trace!("a line that is no card"),
        }
    }
    server.stop();
    for device in devices {
        let _ = device.join();
    }
    Ok(())
}

fn device(name: &str, serve: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, GateError> {
    let failed = |source| GateError::File { file: name.into(), source };
    std::thread::Builder::new().name(name.into()).spawn(serve).map_err(failed)
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
    offline_hours: Option<u32>,
    passlog_days: Option<u32>,
    reader: Option<ReaderKind>,
    camera: Option<String>,
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
            offline_hours: None,
            passlog_days: None,
            reader: None,
            camera: None,
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
                "--offline-hours" => given.offline_hours = Some(number(&value()?, 1, OFFLINE_HOURS_MAX)?),
                "--passlog-days" => given.passlog_days = Some(number(&value()?, 0, PASSLOG_DAYS_MAX)?),
                "--reader" => given.reader = Some(reader_kind(&value()?)?),
                "--camera" => given.camera = Some(value()?),
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

fn reader_kind(text: &str) -> Result<ReaderKind, GateError> {
    ReaderKind::parse(text).ok_or_else(|| usage("the reader is pcsc or stdin"))
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
