//! Faces that come quickly. Who is enrolled and what the engine sees are no subject of these tests, and in a debug build they cost seconds each
//! time; so what the practice camera showed and the engine said at the first enrollment of each practice person is kept in a folder
//! (`MENKA_CHAOS_FACES`, made anew for each `make chaos`) and said again at the next ones. Whatever was not seen before goes to the real engine.
//! Without the folder everything is real, as for the search of templates in memory (`theft.rs`).

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use menka::domain::consent::Warrant;
use menka::domain::quality::{FaceBox, Look};
use menka::ports::{FaceEngine, FaceError};
use menka::secret::{EngineId, FaceTemplate, Frame, TEMPLATE_LEN};

/// What is remembered of the person on the chair. Shared by camera and engine.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    folder: Option<PathBuf>,
    seat: usize,
    /// Read from the folder: nothing is added.
    known: bool,
    frames: Vec<(u32, u32, Vec<u8>)>,
    next: usize,
    looks: BTreeMap<u64, Look>,
    templates: BTreeMap<u64, [f32; TEMPLATE_LEN]>,
}

/// Of one enrollment at most so many frames are remembered meanwhile: those that became a picture, and the last ones.
const FRAMES_MAX: usize = 120;
/// The frames of the turn, which ends an enrollment.
const TURN: usize = 3;

impl Memory {
    pub fn new() -> Self {
        let folder = std::env::var_os("MENKA_CHAOS_FACES").map(PathBuf::from);
        Self(Arc::new(Mutex::new(Seen { folder, ..Seen::default() })))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another person sits down.
    pub fn seat(&self, seat: usize) {
        let mut seen = self.seen();
        if seen.known && seen.seat == seat {
            return;
        }
        *seen = Seen { folder: seen.folder.take(), seat, ..Seen::default() };
        if let Some(bytes) = seen.path().and_then(|path| std::fs::read(path).ok()) {
            seen.known = seen.read(&mut &bytes[..]).is_some();
        }
    }

    /// The enrollment went well: what it took is kept, and the same in a mirror, since the head was turned to one side only and the next desk
    /// may ask for the other one.
    pub fn keep(&self) {
        let mut seen = self.seen();
        let (false, Some(path)) = (seen.known, seen.path()) else { return };
        seen.shorten();
        seen.mirror();
        let beside = path.with_extension(std::process::id().to_string());
        if std::fs::write(&beside, seen.written()).is_ok() {
            let _ = std::fs::rename(&beside, &path);
        }
    }

    /// The next picture of a known person.
    pub fn frame(&self) -> Option<Frame> {
        let mut seen = self.seen();
        if !seen.known {
            return None;
        }
        let at = seen.next % seen.frames.len();
        seen.next += 1;
        let (width, height, rgb) = &seen.frames[at];
        Frame::new(*width, *height, rgb.clone())
    }

    /// Whether the camera need not be opened.
    pub fn is_known(&self) -> bool {
        self.seen().known
    }
}

fn name_of(frame: &Frame) -> u64 {
    name_of_rgb(frame.rgb())
}

fn name_of_rgb(rgb: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(rgb);
    hasher.finish()
}

/// Left for right.
fn mirrored(width: u32, rgb: &[u8]) -> Vec<u8> {
    let row = width as usize * 3;
    rgb.chunks_exact(row).flat_map(|row| row.as_chunks::<3>().0.iter().rev().flatten().copied()).collect()
}

fn mirrored_look(look: &Look) -> Look {
    let width = look.frame.0 as f32;
    let mut look = look.clone();
    for face in &mut look.faces {
        face.x = width - face.x - face.width;
        face.landmarks.iter_mut().for_each(|point| point.0 = width - point.0);
        // The person's right eye is the left one in a mirror.
        face.landmarks.swap(0, 1);
        face.landmarks.swap(3, 4);
    }
    look
}

impl Seen {
    /// Another frame that the engine saw.
    fn add(&mut self, frame: &Frame, look: &Look) {
        if self.frames.len() >= FRAMES_MAX
            && let Some(at) = self.frames.iter().position(|(_, _, rgb)| !self.is_picture(rgb))
        {
            self.frames.remove(at);
        }
        self.frames.push((look.frame.0, look.frame.1, frame.rgb().to_vec()));
        self.looks.insert(name_of(frame), look.clone());
    }

    fn is_picture(&self, rgb: &[u8]) -> bool {
        self.templates.contains_key(&name_of_rgb(rgb))
    }

    /// To the pictures and the turn: an emulated machine, or an unoptimised desk, shows a long film too slowly for the turn to be seen.
    fn shorten(&mut self) {
        let frames = std::mem::take(&mut self.frames);
        let turn = frames.len().saturating_sub(TURN);
        let kept = frames.into_iter().enumerate().filter(|(n, (_, _, rgb))| *n >= turn || self.is_picture(rgb));
        self.frames = kept.map(|(_, frame)| frame).collect();
    }

    fn mirror(&mut self) {
        for (width, height, rgb) in self.frames.clone() {
            let twin = mirrored(width, &rgb);
            if let Some(look) = self.looks.get(&name_of_rgb(&rgb)).map(mirrored_look) {
                self.looks.insert(name_of_rgb(&twin), look);
                self.frames.push((width, height, twin));
            }
        }
    }

    /// Of this frame, or of another one of somebody known: which frames are taken depends on the moment.
    fn template(&self, name: u64) -> Option<[f32; TEMPLATE_LEN]> {
        let other = self.templates.values().next().filter(|_| self.known);
        self.templates.get(&name).or(other).copied()
    }

    fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(format!("person-{}", self.seat)))
    }

    fn written(&self) -> Vec<u8> {
        let mut out = vec![];
        let number = |out: &mut Vec<u8>, n: usize| out.extend_from_slice(&(n as u64).to_le_bytes());
        let float = |out: &mut Vec<u8>, v: f32| out.extend_from_slice(&v.to_le_bytes());
        number(&mut out, self.frames.len());
        for (width, height, rgb) in &self.frames {
            [*width as usize, *height as usize, rgb.len()].into_iter().for_each(|n| number(&mut out, n));
            out.extend_from_slice(rgb);
        }
        number(&mut out, self.looks.len());
        for (name, look) in &self.looks {
            out.extend_from_slice(&name.to_le_bytes());
            [look.frame.0 as usize, look.frame.1 as usize, look.faces.len()]
                .into_iter()
                .for_each(|n| number(&mut out, n));
            [look.luma, look.contrast, look.sharpness].into_iter().for_each(|v| float(&mut out, v));
            for face in &look.faces {
                [face.x, face.y, face.width, face.height, face.score].into_iter().for_each(|v| float(&mut out, v));
                face.landmarks.iter().flat_map(|(x, y)| [*x, *y]).for_each(|v| float(&mut out, v));
            }
        }
        number(&mut out, self.templates.len());
        for (name, template) in &self.templates {
            out.extend_from_slice(&name.to_le_bytes());
            template.iter().for_each(|v| float(&mut out, *v));
        }
        out
    }

    fn read(&mut self, from: &mut &[u8]) -> Option<()> {
        for _ in 0..number(from)? {
            let (width, height, length) = (number(from)?, number(from)?, number(from)?);
            let rgb = take(from, usize::try_from(length).ok()?)?.to_vec();
            self.frames.push((u32::try_from(width).ok()?, u32::try_from(height).ok()?, rgb));
        }
        for _ in 0..number(from)? {
            let (name, width, height, faces) = (number(from)?, number(from)?, number(from)?, number(from)?);
            let (luma, contrast, sharpness) = (float(from)?, float(from)?, float(from)?);
            let frame = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
            let mut look = Look { frame, faces: vec![], luma, contrast, sharpness };
            for _ in 0..faces {
                let (x, y, width, height) = (float(from)?, float(from)?, float(from)?, float(from)?);
                let (score, mut landmarks) = (float(from)?, [(0.0, 0.0); 5]);
                for point in &mut landmarks {
                    *point = (float(from)?, float(from)?);
                }
                look.faces.push(FaceBox { x, y, width, height, score, landmarks });
            }
            self.looks.insert(name, look);
        }
        for _ in 0..number(from)? {
            let (name, mut template) = (number(from)?, [0.0; TEMPLATE_LEN]);
            for value in &mut template {
                *value = float(from)?;
            }
            self.templates.insert(name, template);
        }
        (!self.frames.is_empty()).then_some(())
    }
}

fn take<'a>(from: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(head)
}

fn number(from: &mut &[u8]) -> Option<u64> {
    take(from, 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
}

fn float(from: &mut &[u8]) -> Option<f32> {
    take(from, 4).and_then(|bytes| bytes.try_into().ok()).map(f32::from_le_bytes)
}

/// The real engine, asked only for what was not seen before.
pub struct RememberingEngine {
    pub inner: Box<dyn FaceEngine>,
    pub memory: Memory,
}

impl FaceEngine for RememberingEngine {
    fn engine(&self) -> EngineId {
        self.inner.engine()
    }

    fn wake(&mut self) -> Result<(), FaceError> {
        // It wakes by itself when it is asked.
        if self.memory.is_known() { Ok(()) } else { self.inner.wake() }
    }

    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        let name = name_of(frame);
        if let Some(look) = self.memory.seen().looks.get(&name) {
            return Ok(look.clone());
        }
        let look = self.inner.locate(warrant, frame)?;
        let mut seen = self.memory.seen();
        if !seen.known && seen.folder.is_some() {
            seen.add(frame, &look);
        }
        Ok(look)
    }

    fn extract(&mut self, warrant: Warrant<'_>, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let name = name_of(&frame);
        if let Some(mut template) = self.memory.seen().template(name)
            && let Some(template) = FaceTemplate::from_unit_vector(self.engine(), &mut template)
        {
            return Ok(template);
        }
        let template = self.inner.extract(warrant, frame, face)?;
        let mut seen = self.memory.seen();
        if seen.folder.is_some() {
            seen.templates.insert(name, *template.expose());
        }
        Ok(template)
    }

    fn rest(&mut self) {
        self.inner.rest();
    }
}
