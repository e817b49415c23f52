//! The desk: joins everything, decides nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use futures::channel::mpsc;
use menka::app::command::Command;
use menka::app::desk::{DeskConfig, Devices, LinkMaker};
use menka::app::event::Event;
use menka::app::kdf::Kdf;
use menka::app::runner::{self, EVENTS_MAX, SystemClock};
use menka::domain::Realm;
use menka::face::{EngineKind, child, engine_for};
use menka::lan::TlsLink;
use menka::ports::GateLink;
use menka::ui::program::{self, Boot, Geometry, WindowPlan};

/// Freed memory is wiped: a name that a window showed is not left in the heap of a locked desk.
#[global_allocator]
static WIPED: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

const USAGE: &str = "\
menka: the enrollment desk

  menka [--data FOLDER] [--models FOLDER] [--engine sface|dlib] [--security-chip device:/dev/tpmrm0]
        [--staff-at X,Y,WIDTHxHEIGHT] [--resident-at X,Y,WIDTHxHEIGHT] [--fullscreen]
  menka --version
";

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|a| a == child::FLAG) {
        return child::main(std::env::args_os().skip(1));
    }
    // Told on the page of the machine where the system refuses.
    menka::secret::keep_process_private();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("--version") => say(&format!("menka {}", env!("CARGO_PKG_VERSION"))),
        Some("--help") => say(USAGE),
        #[cfg(feature = "practice")]
        Some("--practice" | "--e2e" | "--accuracy") => practice::run(&arguments),
        _ => Options::parse(&arguments).and_then(open_desk),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "menka: {why}");
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{text}").map_err(|e| e.to_string())
}

/// What the command line says.
struct Options {
    data: PathBuf,
    models: PathBuf,
    engine: EngineKind,
    windows: WindowPlan,
    /// Where the security chip is, when not where it usually is.
    chip: Option<String>,
    /// Practice with a real webcam, by choice.
    #[cfg(feature = "practice")]
    webcam: bool,
    /// Practice with a real card reader, by choice.
    #[cfg(feature = "practice")]
    reader: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let usual = std::env::var_os("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), PathBuf::from);
        let models = std::env::var_os("MENKA_MODELS").map_or_else(|| "/usr/share/menka/models".into(), PathBuf::from);
        let windows = WindowPlan::default();
        let mut options = Self {
            data: usual.join("menka"),
            models,
            engine: EngineKind::default(),
            windows,
            chip: None,
            #[cfg(feature = "practice")]
            webcam: false,
            #[cfg(feature = "practice")]
            reader: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value\n\n{USAGE}"));
            match argument.as_str() {
                "--data" => options.data = value()?.into(),
                "--models" => options.models = value()?.into(),
                "--engine" => {
                    options.engine = EngineKind::parse(value()?).ok_or("the engine is sface or dlib")?;
                }
                "--security-chip" => options.chip = Some(value()?.clone()),
                "--staff-at" => options.windows.staff = geometry(value()?)?,
                "--resident-at" => options.windows.resident = geometry(value()?)?,
                #[cfg(feature = "practice")]
                "--webcam" => options.webcam = true,
                #[cfg(feature = "practice")]
                "--card-reader" => options.reader = true,
                "--fullscreen" => options.windows.resident_fullscreen = true,
                _ => return Err(format!("unknown argument {argument}\n\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

/// Reads `X,Y,WIDTHxHEIGHT`.
fn geometry(text: &str) -> Result<Geometry, String> {
    let numbers: Option<Vec<f32>> = text.split([',', 'x']).map(|n| n.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[x, y, width, height]) => Ok(Geometry { x: Some(x), y: Some(y), width, height }),
        _ => Err(format!("{text} is not X,Y,WIDTHxHEIGHT")),
    }
}

fn tls_links() -> LinkMaker {
    Box::new(|keys, site, _realm| Box::new(TlsLink::new(keys, site)) as Box<dyn GateLink>)
}

fn open_desk(options: Options) -> Result<(), String> {
    let Options { data, models, engine, windows, chip, .. } = options;
    let chip = menka::chip::this_computer(chip.as_deref())?;
    let config = DeskConfig { data_dir: data.clone(), realm: Realm::Real, kdf: Kdf::of_this_machine() };
    log_to(&data);
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let devices = move || Devices {
        camera: Box::new(menka::capture::Webcam::new()),
        engine: engine_for(engine, &models, &program),
        reader: Box::new(menka::cards::PcscReader::new()),
        speech: Box::new(menka::speech::SystemSpeech::new()),
        printer: Box::new(menka::printing::SystemPrinter::new()),
        link: tls_links(),
        boards: menka::boards::links(),
        posture: menka::posture::this_machine(&data),
        chip,
    };
    let (running, events) = start(config, Box::new(devices))?;
    let commands = running.commands();
    // Fails only when the desk has ended, with whom nobody can talk any more.
    let send = move |command: Command| drop(commands.send(command));
    let boot = Boot {
        realm: Realm::Real,
        commands: Box::new(send),
        events,
        windows,
        #[cfg(feature = "practice")]
        practice: None,
    };
    program::run(boot).map_err(|e| e.to_string())?;
    running.join();
    Ok(())
}

type Made = Box<dyn FnOnce() -> Devices + Send>;

fn start(config: DeskConfig, devices: Made) -> Result<(runner::Running, mpsc::Receiver<Event>), String> {
    let (mut into, events) = mpsc::channel(EVENTS_MAX);
    // A closed window has no one to tell: what is left is dropped.
    let sink = move |event: &Event| into.try_send(event.clone()).map_or_else(|e| e.is_disconnected(), |()| true);
    let running = runner::start(config, devices, Arc::new(SystemClock), Box::new(sink)).map_err(|e| e.to_string())?;
    Ok((running, events))
}

/// The log goes to a file beside the vault; it holds ids, kinds and counts, never names.
fn log_to(folder: &Path) {
    if let Ok(log) = menka::app::program_log::ProgramLog::open(folder) {
        tracing_subscriber::fmt().with_ansi(false).with_writer(std::sync::Mutex::new(log)).init();
        menka::app::program_log::note_faults();
    }
}

#[cfg(feature = "practice")]
mod practice {
    //! What practice builds add: the practice site, the drive over labelled pictures, and the accuracy figures.

    use super::*;
    use menka::app::command::StaffCommand;
    use menka::face::{accuracy, heads};
    use menka::gate::limit;
    use menka::gate::protect::Transform;
    use menka::ports::{Camera, CardReader};
    use menka::practice::site::{self, GateProcess};
    use menka::practice::{Controls, Person, PictureCamera, PracticeReader, people};
    use menka::secret::{Passphrase, random_bytes};
    use menka::ui::practice_tools::PracticeTools;

    pub fn run(arguments: &[String]) -> Result<(), String> {
        let [word, folder, rest @ ..] = arguments else { return Err("a folder is missing".into()) };
        let folder = PathBuf::from(folder);
        let options = Options::parse(rest)?;
        match word.as_str() {
            "--accuracy" => {
                let out = &mut std::io::stdout();
                let transform = Transform::derive(&random_bytes(), &random_bytes());
                let practice = practice_people()?;
                EngineKind::ALL.into_iter().try_for_each(|kind| {
                    let least: Vec<f32> = limit::points(&kind.id()).iter().map(|point| point.similarity).collect();
                    accuracy::run(kind, &options.models, &folder, &least, &|face| transform.turn(face), out)
                        .map_err(|e| e.to_string())?;
                    let people = practice.iter().map(menka::practice::heads).collect();
                    heads::run(kind, &options.models, people, menka::app::same_face_min(&kind.id()), out)
                        .map_err(|e| e.to_string())
                })
            }
            "--e2e" => {
                menka::practice::labelled::run(&folder, &options.models, &gate_program()?, &mut std::io::stdout())
            }
            _ => open_site(&folder, options),
        }
    }

    fn gate_program() -> Result<PathBuf, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        Ok(program.with_file_name("menka-gate"))
    }

    fn practice_people() -> Result<Vec<Person>, String> {
        let pictures = std::env::var_os("MENKA_PICTURES").map_or_else(|| "var/pictures".into(), PathBuf::from);
        people(&pictures).map_err(|e| format!("{e}; run `make pictures`"))
    }

    fn open_site(folder: &Path, options: Options) -> Result<(), String> {
        let Options { models, engine, windows, webcam, reader, chip, .. } = options;
        let mut chip = menka::chip::this_computer(chip.as_deref())?;
        let data = folder.join("desk");
        let config = DeskConfig { data_dir: data.clone(), realm: Realm::Practice, kdf: site::KDF.into() };
        log_to(folder);
        let all = practice_people()?;
        let labels = all.iter().map(|p| p.label().to_owned()).collect();
        let controls = Controls::new();
        let (program, gates) = (std::env::current_exe().map_err(|e| e.to_string())?, gate_program()?);
        let (folder, devices_controls) = (folder.to_owned(), controls.clone());
        let kept: Arc<std::sync::Mutex<Vec<GateProcess>>> = Arc::default();
        let keep = Arc::clone(&kept);
        let devices = move || {
            // On the desk's thread, so that the windows are up meanwhile.
            let now = menka::ports::Clock::now(&SystemClock);
            match site::prepare(&folder, &gates, &tls_links(), &mut *chip, now) {
                Ok(gates) => keep.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(gates),
                Err(error) => {
                    tracing::error!(%error, "the practice site could not be made");
                    let _ = writeln!(std::io::stderr(), "menka: the practice site could not be made: {error}");
                }
            }
            let camera: Box<dyn Camera> = match webcam {
                true => Box::new(menka::capture::Webcam::new()),
                false => Box::new(PictureCamera::new(all, devices_controls.clone())),
            };
            let reader: Box<dyn CardReader> = match reader {
                true => Box::new(menka::cards::PcscReader::new()),
                false => Box::new(PracticeReader::new(devices_controls)),
            };
            Devices {
                camera,
                engine: engine_for(engine, &models, &program),
                reader,
                speech: Box::new(menka::speech::SystemSpeech::new()),
                printer: Box::new(menka::printing::SystemPrinter::new()),
                link: tls_links(),
                boards: menka::boards::links(),
                posture: menka::posture::this_machine(&data),
                chip,
            }
        };
        let (running, events) = start(config, Box::new(devices))?;
        let commands = running.commands();
        // A practice site opens by itself: its passphrase is no secret.
        let passphrase = Passphrase::new(site::PASSPHRASE.into());
        let _ = commands.send(Command::Staff(StaffCommand::Unlock { account: None, passphrase }));
        let send = move |command: Command| drop(commands.send(command));
        let cards = (1..=8).map(|n| n.to_string()).collect();
        let tools = PracticeTools { cards, people: labels, act: Box::new(move |act| controls.act(act)) };
        let boot = Boot { realm: Realm::Practice, commands: Box::new(send), events, windows, practice: Some(tools) };
        program::run(boot).map_err(|e| e.to_string())?;
        running.join();
        drop(kept);
        Ok(())
    }
}
