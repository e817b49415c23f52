//! Stands at the door of a practice gate: shows a person to the gate's own recognition, or holds a card to it. Lines come on standard input.
//!
//! `look N` seats person N (a second picture of them where there is one, else a re-lit variant) before the gate and presses the face button;
//! the answer is `recognised`, `unknown`, or why not. `folder PATH` takes the people from a labelled folder instead. `card HEX` holds a card to the reader, `both HEX N` a card and then the face of
//! person N. `count` says how many faces the gate holds.
//!
//! A practice gate that runs with `--camera practice` has a camera that sees who stands before it: `stand N` or `stand nobody`; `unplug` and
//! `plug` take that camera away and bring it back.

use std::path::PathBuf;

use super::{Controls, Person, PictureCamera, PracticeAct, Variant, people, picture_frame};
use crate::domain::card::CardUid;
use crate::domain::time::Timestamp;
use crate::face::{EngineKind, engine_for};
use crate::gate::cli::Console;
use crate::gate::daemon::Gate;
use crate::gate::door::Act;
use crate::gate::watch::Answer;
use crate::ports::{DoorCamera, FaceEngine};
use crate::secret::Frame;

/// The word for the practice camera.
pub const CAMERA: &str = "practice";

/// The practice camera of a gate: people come in another picture of theirs, as on another day. Nobody stands there at first.
pub fn camera(controls: &Controls) -> Option<Box<dyn DoorCamera>> {
    controls.act(PracticeAct::Nobody);
    let mut camera = PictureCamera::new(people(&folder("MENKA_PICTURES", "var/pictures")).ok()?, controls.clone());
    camera.show(Variant::Probe);
    Some(Box::new(camera))
}

/// The console of a practice gate. Models and pictures are where `MENKA_MODELS` and `MENKA_PICTURES` say.
pub fn at_the_door(controls: Controls) -> Console {
    let mut place: Option<Place> = None;
    Box::new(move |line: &str, gate: &mut Gate, now: Timestamp| {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("look"), Some(number)) => {
                let seated = frame_of(&mut place, number);
                let Ok((frame, engine)) = seated else { return seated.err().unwrap_or_default().into() };
                let act = gate.acted(Act::ButtonPressed);
                let answer = gate.recognise_frame(engine.as_mut(), frame, act, now);
                engine.rest();
                said(&answer)
            }
            (Some("both"), Some(card)) => {
                let uid = CardUid::from_wedge(card.trim_start_matches("0x"));
                let (Some(uid), Some(number)) = (uid, words.next()) else { return "no such card".into() };
                let seated = frame_of(&mut place, number);
                let Ok((frame, engine)) = seated else { return seated.err().unwrap_or_default().into() };
                let act = gate.acted(Act::CardShown);
                let answer = gate.recognise_card_holder(engine.as_mut(), frame, act, &uid, now);
                engine.rest();
                said(&answer)
            }
            (Some("folder"), Some(_)) => {
                let folder = line.trim_start().trim_start_matches("folder").trim();
                match super::labelled::cast(std::path::Path::new(folder)) {
                    Ok((all, _)) => {
                        place = engine().map(|engine| (all, engine));
                        "ready".into()
                    }
                    Err(error) => error.to_string(),
                }
            }
            (Some("card"), Some(hex)) => {
                let opened = CardUid::from_wedge(hex.trim_start_matches("0x")).map(|uid| gate.open_for_card(&uid, now));
                match opened {
                    Some(Ok(Some(_))) => "opens".into(),
                    Some(Ok(None)) => "shut".into(),
                    Some(Err(error)) => format!("failed: {error}"),
                    None => "no such card".into(),
                }
            }
            (Some("stand"), Some(who)) => match (who, who.parse()) {
                ("nobody", _) => acted(&controls, PracticeAct::Nobody),
                (_, Ok(number)) => acted(&controls, PracticeAct::Seat(number)),
                _ => "who?".into(),
            },
            (Some("unplug"), None) => acted(&controls, PracticeAct::UnplugCamera),
            (Some("plug"), None) => acted(&controls, PracticeAct::PlugCamera),
            (Some("count"), None) => gate.face_count().to_string(),
            _ => "what?".into(),
        }
    })
}

fn acted(controls: &Controls, act: PracticeAct) -> String {
    controls.act(act);
    "done".into()
}

type Place = (Vec<Person>, Box<dyn FaceEngine>);

/// Seats a person before the gate: another picture of them where there is one, else a re-lit one.
fn frame_of<'a>(
    place: &'a mut Option<Place>,
    number: &str,
) -> Result<(Frame, &'a mut Box<dyn FaceEngine>), &'static str> {
    if place.is_none() {
        *place = open();
    }
    let (all, engine) = place.as_mut().ok_or("no pictures or models")?;
    let person = number.parse::<usize>().ok().and_then(|n| all.get(n)).ok_or("no such person")?;
    let variant = if person.pictures() > 1 { Variant::Probe } else { Variant::Relit };
    Ok((picture_frame(person, variant, 0), engine))
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Recognised(_) => "recognised".into(),
        Answer::Unknown => "unknown".into(),
        other => format!("{other:?}"),
    }
}

fn open() -> Option<Place> {
    Some((people(&folder("MENKA_PICTURES", "var/pictures")).ok()?, engine()?))
}

fn engine() -> Option<Box<dyn FaceEngine>> {
    let program = std::env::current_exe().ok()?;
    Some(engine_for(EngineKind::Sface, &folder("MENKA_MODELS", "var/models"), &program))
}

fn folder(name: &str, usual: &str) -> PathBuf {
    std::env::var_os(name).map_or_else(|| usual.into(), PathBuf::from)
}
