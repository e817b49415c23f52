//! How well and how fast an engine does on a folder of labelled pictures (practice builds only; `make accuracy`).
//!
//! One subfolder a person. Pictures are compared all with all; the false accept rates are counted, not extrapolated:
//! a rate with fewer than three impostor pairs behind it is not printed. At a gate's own thresholds the false matches themselves are printed,
//! and the rate that so few of them do not exceed (19 times in 20). Nothing is written, and no name is printed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::depth::Depths;
use super::dlib::DlibEngine;
use super::models::Models;
use super::sface::SfaceEngine;
use super::{Engine, EngineKind, pixels};
use crate::domain::quality::FaceBox;
use crate::ports::FaceError;
use crate::secret::{FRAME_SIDE_MAX, FaceTemplate, Frame, TEMPLATE_LEN};

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum AccuracyError {
    /// The engine cannot be loaded.
    #[error(transparent)]
    Engine(#[from] FaceError),
    /// The folder cannot be read, or the figures cannot be written.
    #[error("the folder of pictures: {0}")]
    Folder(#[from] std::io::Error),
    /// There are too few pictures to compare.
    #[error("the folder holds no two pictures of one person, or only one person")]
    TooFew,
    /// A template of the engine could not be turned.
    #[error("a template could not be turned")]
    Turn,
}

/// Turns a template as a gate keeps it.
pub type Turn<'a> = &'a dyn Fn(&FaceTemplate) -> Option<FaceTemplate>;

/// Measures `kind` on `folder` and writes lines of `name: value`; false matches are counted at each of the cosine similarities `least`. The same
/// pairs are compared once more as `turn` makes their templates, for what that loses.
///
/// # Errors
/// See [`AccuracyError`]. A picture that cannot be read is counted, not an error.
pub fn run(
    kind: EngineKind,
    models: &Path,
    folder: &Path,
    least: &[f32],
    turn: Turn<'_>,
    out: &mut dyn Write,
) -> Result<(), AccuracyError> {
    let mut engine = load(kind, models)?;
    let mut tally = Tally::default();
    for (person, picture) in pictures(folder)? {
        tally.add(engine.as_mut(), person, &picture);
    }
    let pairs = Pairs::of(&tally.templates, least);
    if pairs.genuine.total == 0 || pairs.impostor.total == 0 {
        return Err(AccuracyError::TooFew);
    }
    writeln!(out, "engine: {}", kind.id().as_str())?;
    tally.write(out)?;
    tally.depths.write(out)?;
    pairs.write(out, "")?;
    Pairs::of_means(&tally.templates, least).write(out, "mean_")?;
    let turned = tally.templates.iter().map(|(person, plain)| turn(plain).map(|turned| (*person, turned)));
    let turned = turned.collect::<Option<Vec<_>>>().ok_or(AccuracyError::Turn)?;
    Loss::of(&tally.templates, &turned, least).write(out)?;
    Ok(())
}

/// Cosine similarity of two templates of one engine.
pub(super) fn dot(a: &FaceTemplate, b: &FaceTemplate) -> f32 {
    // EXPOSE: measuring compares templates of labelled research pictures.
    a.expose().iter().zip(b.expose()).map(|(a, b)| a * b).sum()
}

pub(super) fn load(kind: EngineKind, models: &Path) -> Result<Box<dyn Engine>, AccuracyError> {
    let models = Models::read(kind, models)?;
    Ok(match kind {
        EngineKind::Sface => Box::new(SfaceEngine::load(models)?),
        EngineKind::Dlib => Box::new(DlibEngine::load_whole(models)?),
    })
}

/// Times the stages of `kind` on one picture and writes lines of `name: value` (fastest and median, milliseconds).
///
/// # Errors
/// See [`AccuracyError`].
pub fn speed(kind: EngineKind, models: &Path, picture: &Path, out: &mut dyn Write) -> Result<(), AccuracyError> {
    let loaded = Instant::now();
    let models = Models::read(kind, models)?;
    writeln!(out, "engine: {}", kind.id().as_str())?;
    writeln!(out, "models_read_ms: {:.1}", loaded.elapsed().as_secs_f64() * 1e3)?;
    let frame = || read(picture).ok_or(AccuracyError::TooFew);
    let shown = frame()?;
    writeln!(out, "frame: {}x{}", shown.width(), shown.height())?;
    match kind {
        EngineKind::Sface => {
            let mut engine = SfaceEngine::load(models)?;
            let face = *engine.look(&shown)?.faces.first().ok_or(AccuracyError::TooFew)?;
            timed(out, "detect_320", || drop(engine.find(&shown, 320)))?;
            timed(out, "detect_640", || drop(engine.find(&shown, 640)))?;
            timed(out, "measure", || _ = pixels::measure(&shown, &face))?;
            timed(out, "align", || drop(engine.aligned(&shown, &face)))?;
            timed(out, "look", || drop(engine.look(&shown)))?;
            timed(out, "template", || drop(frame().map(|frame| engine.template(frame, &face))))?;
        }
        EngineKind::Dlib => {
            let mut engine = DlibEngine::load_whole(models)?;
            let face = *engine.look(&shown)?.faces.first().ok_or(AccuracyError::TooFew)?;
            timed(out, "look", || drop(engine.look(&shown)))?;
            timed(out, "template", || drop(frame().map(|frame| engine.template(frame, &face))))?;
        }
    }
    timed(out, "read_picture", || drop(frame()))?;
    Ok(())
}

fn timed(out: &mut dyn Write, name: &str, mut stage: impl FnMut()) -> std::io::Result<()> {
    let mut times: Vec<f64> = (0..30)
        .map(|_| {
            let started = Instant::now();
            stage();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    writeln!(out, "{name}_ms: {:.2} {:.2}", times[0], times[times.len() / 2])
}

/// What happened to the pictures.
#[derive(Default)]
struct Tally {
    pictures: u32,
    unreadable: u32,
    no_face: u32,
    several_faces: u32,
    refused: u32,
    templates: Vec<(usize, FaceTemplate)>,
    sharpness: Vec<f32>,
    luma: Vec<f32>,
    look_time: Duration,
    template_time: Duration,
    depths: Depths,
}

impl Tally {
    fn add(&mut self, engine: &mut dyn Engine, person: usize, picture: &Path) {
        self.pictures += 1;
        let Some(frame) = read(picture) else {
            self.unreadable += 1;
            return;
        };
        let started = Instant::now();
        let look = engine.look(&frame);
        self.look_time += started.elapsed();
        let Some(look) = look.ok().filter(|look| !look.faces.is_empty()) else {
            self.no_face += 1;
            return;
        };
        self.several_faces += u32::from(look.faces.len() > 1);
        self.sharpness.push(look.sharpness);
        self.luma.push(look.luma);
        // Labelled pictures show their person in the middle, and strangers around.
        let centre = |f: &FaceBox| {
            let (x, y) = (f.x + f.width / 2.0, f.y + f.height / 2.0);
            (x - frame.width() as f32 / 2.0).hypot(y - frame.height() as f32 / 2.0)
        };
        let Some(face) = look.faces.iter().min_by(|a, b| centre(a).total_cmp(&centre(b))) else { return };
        self.depths.add(engine, person, &frame, face);
        let started = Instant::now();
        let template = engine.template(frame, face);
        self.template_time += started.elapsed();
        match template {
            Ok(template) => self.templates.push((person, template)),
            Err(_) => self.refused += 1,
        }
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let people: std::collections::BTreeSet<usize> = self.templates.iter().map(|(person, _)| *person).collect();
        let failed = self.no_face + self.refused;
        let read = self.pictures - self.unreadable;
        writeln!(out, "pictures: {}", self.pictures)?;
        writeln!(out, "pictures_unreadable: {}", self.unreadable)?;
        writeln!(out, "people: {}", people.len())?;
        writeln!(out, "templates: {}", self.templates.len())?;
        writeln!(out, "fte: {failed}")?;
        writeln!(out, "fte_rate: {:.5}", f64::from(failed) / f64::from(read.max(1)))?;
        writeln!(out, "fte_no_face: {}", self.no_face)?;
        writeln!(out, "fte_refused: {}", self.refused)?;
        writeln!(out, "pictures_with_several_faces: {}", self.several_faces)?;
        for (name, values) in [("sharpness", &self.sharpness), ("luma", &self.luma)] {
            let mut values = values.clone();
            values.sort_by(f32::total_cmp);
            for share in [1, 5, 50, 95, 99] {
                let value = values.get(values.len() * share / 100).copied().unwrap_or_default();
                writeln!(out, "{name}_p{share}: {value:.1}")?;
            }
        }
        let mean = |time: Duration, n: u32| time.as_secs_f64() * 1e3 / f64::from(n.max(1));
        writeln!(out, "look_ms: {:.2}", mean(self.look_time, read))?;
        writeln!(out, "template_ms: {:.2}", mean(self.template_time, read - self.no_face))
    }
}

/// Distances of all pairs.
struct Pairs {
    genuine: Histogram,
    impostor: Histogram,
    points: Vec<Point>,
}

/// A cosine similarity from which on two pictures count as one person's, and how many did.
struct Point {
    least: f32,
    genuine: u64,
    impostor: u64,
}

impl Pairs {
    fn new(least: &[f32]) -> Self {
        let points = least.iter().map(|least| Point { least: *least, genuine: 0, impostor: 0 }).collect();
        Self { genuine: Histogram::new(), impostor: Histogram::new(), points }
    }

    fn add(&mut self, is_same: bool, similarity: f32) {
        let distance = (2.0 - 2.0 * similarity).max(0.0).sqrt();
        if is_same {
            self.genuine.add(distance)
        } else {
            self.impostor.add(distance)
        }
        for point in self.points.iter_mut().filter(|point| similarity >= point.least) {
            *(if is_same { &mut point.genuine } else { &mut point.impostor }) += 1;
        }
    }

    fn of(templates: &[(usize, FaceTemplate)], least: &[f32]) -> Self {
        let mut pairs = Self::new(least);
        for (k, (person, a)) in templates.iter().enumerate() {
            for (other, b) in &templates[k + 1..] {
                pairs.add(person == other, dot(a, b));
            }
        }
        pairs
    }

    /// Templates as an enrollment makes them, the mean of up to [`MEAN_OF`] pictures, against every other picture. Whoever has one picture
    /// is compared with strangers only.
    fn of_means(templates: &[(usize, FaceTemplate)], least: &[f32]) -> Self {
        let mut pairs = Self::new(least);
        for own in templates.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((person, _)) = own.first() else { continue };
            let (used, rest) = own.split_at(own.len().saturating_sub(1).clamp(1, MEAN_OF));
            let mut mean = [0f32; TEMPLATE_LEN];
            for (_, template) in used {
                // EXPOSE: measuring compares templates of labelled research pictures.
                mean.iter_mut().zip(template.expose()).for_each(|(sum, x)| *sum += x);
            }
            let length = mean.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            // EXPOSE: as above.
            let similarity =
                |one: &FaceTemplate| mean.iter().zip(one.expose()).map(|(a, b)| a * b).sum::<f32>() / length;
            rest.iter().for_each(|(_, own)| pairs.add(true, similarity(own)));
            let others = templates.iter().filter(|(other, _)| other != person);
            others.for_each(|(_, other)| pairs.add(false, similarity(other)));
        }
        pairs
    }

    fn write(&self, out: &mut dyn Write, of: &str) -> std::io::Result<()> {
        writeln!(out, "{of}genuine_pairs: {}", self.genuine.total)?;
        writeln!(out, "{of}impostor_pairs: {}", self.impostor.total)?;
        writeln!(out, "{of}genuine_distance_mean: {:.4}", self.genuine.mean())?;
        writeln!(out, "{of}impostor_distance_mean: {:.4}", self.impostor.mean())?;
        for (name, rate) in [("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4), ("1e-5", 1e-5), ("3e-6", 3e-6)] {
            let accepted = (self.impostor.total as f64 * rate).floor() as u64;
            if accepted < 3 {
                continue;
            }
            let bin = self.impostor.bin_at(accepted);
            writeln!(out, "{of}tar_at_far_{name}: {:.5}", self.genuine.share_below(bin))?;
            writeln!(out, "{of}distance_at_far_{name}: {:.4}", Histogram::edge(bin))?;
        }
        for (name, rate) in [("1e-4", 1e-4), ("3e-5", 3e-5), ("1e-5", 1e-5), ("3e-6", 3e-6)] {
            let Some(bin) = self.impostor.bin_within(rate) else { continue };
            writeln!(out, "{of}distance_far_at_most_{name}: {:.4}", Histogram::edge(bin))?;
            writeln!(out, "{of}tar_far_at_most_{name}: {:.5}", self.genuine.share_below(bin))?;
        }
        for point in &self.points {
            let of = format!("{of}gate_{:.4}", point.least);
            writeln!(out, "{of}_false_matches: {}", point.impostor)?;
            writeln!(out, "{of}_far_at_most: {:.2e}", at_most(point.impostor) / self.impostor.total.max(1) as f64)?;
            writeln!(out, "{of}_tar: {:.5}", point.genuine as f64 / self.genuine.total.max(1) as f64)?;
        }
        let equal = (0..BINS).min_by(|a, b| self.gap(*a).total_cmp(&self.gap(*b))).unwrap_or(0);
        writeln!(
            out,
            "{of}eer: {:.5}",
            (self.impostor.share_below(equal) + 1.0 - self.genuine.share_below(equal)) / 2.0
        )
    }

    fn gap(&self, bin: usize) -> f64 {
        (self.impostor.share_below(bin) - (1.0 - self.genuine.share_below(bin))).abs()
    }
}

/// What comparing turned templates loses against the same pairs as they were handed over.
struct Loss {
    turned: Pairs,
    /// Largest difference of a distance.
    largest: f32,
    /// Decisions at one of the thresholds that differ.
    differ: u64,
}

impl Loss {
    /// `plain` and `turned` are the same pictures in the same order.
    fn of(plain: &[(usize, FaceTemplate)], turned: &[(usize, FaceTemplate)], least: &[f32]) -> Self {
        let mut loss = Self { turned: Pairs::new(least), largest: 0.0, differ: 0 };
        let distance = |similarity: f32| (2.0 - 2.0 * similarity).max(0.0).sqrt();
        let both: Vec<_> = plain.iter().zip(turned).collect();
        for (k, ((person, a), (_, turned_a))) in both.iter().enumerate() {
            for ((other, b), (_, turned_b)) in &both[k + 1..] {
                let (before, after) = (dot(a, b), dot(turned_a, turned_b));
                loss.turned.add(person == other, after);
                loss.largest = loss.largest.max((distance(before) - distance(after)).abs());
                let differs = least.iter().filter(|least| (before >= **least) != (after >= **least)).count();
                loss.differ += differs as u64;
            }
        }
        loss
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for point in &self.turned.points {
            let known = point.genuine as f64 / self.turned.genuine.total.max(1) as f64;
            writeln!(out, "gate_{:.4} known (protected): {known:.5}", point.least)?;
            writeln!(out, "gate_{:.4} false matches (protected): {}", point.least, point.impostor)?;
        }
        writeln!(out, "largest difference of a distance (protected): {:.1e}", self.largest)?;
        writeln!(out, "decisions that differ (protected): {}", self.differ)
    }
}

/// What the mean of a rare event does not exceed, 19 times in 20, where `counted` were counted: Poisson's upper limit, by Wilson and
/// Hilferty's approximation (within 0.3 % of the exact value from one on, exact for none). The pairs share people and pictures and so are
/// less than independent: it is the least to allow for, not the most.
fn at_most(counted: u64) -> f64 {
    if counted == 0 {
        return -(0.05f64.ln());
    }
    let next = counted as f64 + 1.0;
    next * (1.0 - 1.0 / (9.0 * next) + 1.644_85 / (3.0 * next.sqrt())).powi(3)
}

/// Distances between unit vectors, 0 to 2, counted in steps of 1/10,000: exact enough, and small for any folder.
struct Histogram {
    /// How many are at or below each step.
    counts: Vec<u64>,
    total: u64,
    sum: f64,
}

const BINS: usize = 20_001;

/// Most pictures behind one template.
const MEAN_OF: usize = 5;

impl Histogram {
    fn new() -> Self {
        Self { counts: vec![0; BINS], total: 0, sum: 0.0 }
    }

    fn add(&mut self, distance: f32) {
        let bin = ((distance * 10_000.0) as usize).min(BINS - 1);
        self.counts[bin] += 1;
        self.total += 1;
        self.sum += f64::from(distance);
    }

    fn mean(&self) -> f64 {
        self.sum / self.total.max(1) as f64
    }

    /// The largest threshold below which lie no more than `accepted`.
    fn bin_at(&self, accepted: u64) -> usize {
        let mut below = 0;
        for (bin, count) in self.counts.iter().enumerate() {
            below += count;
            if below > accepted {
                return bin;
            }
        }
        BINS - 1
    }

    /// The largest threshold below which lie so few that their rate is within `rate` ([`at_most`]).
    fn bin_within(&self, rate: f64) -> Option<usize> {
        let allowed = self.total as f64 * rate;
        let most = (0..).take_while(|counted| at_most(*counted) <= allowed).last()?;
        Some(self.bin_at(most))
    }

    /// Share of distances below a threshold.
    fn share_below(&self, bin: usize) -> f64 {
        self.counts[..bin].iter().sum::<u64>() as f64 / self.total.max(1) as f64
    }

    fn edge(bin: usize) -> f64 {
        bin as f64 / 10_000.0
    }
}

/// All pictures of all people, in a fixed order; people are numbered, never named.
fn pictures(folder: &Path) -> std::io::Result<Vec<(usize, PathBuf)>> {
    let mut found = Vec::new();
    for (person, subfolder) in sorted(folder)?.into_iter().filter(|path| path.is_dir()).enumerate() {
        found.extend(sorted(&subfolder)?.into_iter().filter(|path| path.is_file()).map(|path| (person, path)));
    }
    Ok(found)
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn read(picture: &Path) -> Option<Frame> {
    let picture = image::open(picture).ok()?;
    let picture = match picture.width().max(picture.height()) > FRAME_SIDE_MAX {
        true => picture.thumbnail(FRAME_SIDE_MAX, FRAME_SIDE_MAX).to_rgb8(),
        false => picture.to_rgb8(),
    };
    Frame::new(picture.width(), picture.height(), picture.into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_counted_at_the_threshold_that_lets_no_more_impostors_in() {
        let mut pairs = Pairs::new(&[]);
        (0..1_000).for_each(|k| pairs.impostor.add(1.0 + k as f32 / 1_000.0));
        (0..100).for_each(|k| pairs.genuine.add(0.5 + k as f32 * 0.006));
        let mut out = Vec::new();
        pairs.write(&mut out, "").unwrap();
        let text = String::from_utf8(out).unwrap();
        // Ten of a thousand impostors lie below 1.010, and 85 of the hundred genuine distances.
        assert!(text.contains("tar_at_far_1e-2: 0.85000") || text.contains("tar_at_far_1e-2: 0.86000"), "{text}");
        assert!(!text.contains("far_1e-3"), "one pair is no rate: {text}");
    }

    #[test]
    fn at_the_gates_thresholds_the_false_matches_themselves_are_counted() {
        let mut pairs = Pairs::new(&[0.5, 0.9]);
        [0.499_9, 0.5, 0.7].into_iter().for_each(|similarity| pairs.add(false, similarity));
        (0..100_000).for_each(|_| pairs.add(false, 0.1));
        [0.4, 0.6, 0.9, 0.95].into_iter().for_each(|similarity| pairs.add(true, similarity));
        let mut out = Vec::new();
        pairs.write(&mut out, "mean_").unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "mean_gate_0.5000_false_matches: 2",
            "mean_gate_0.5000_far_at_most: 6.28e-5",
            "mean_gate_0.5000_tar: 0.75000",
            "mean_gate_0.9000_false_matches: 0",
            "mean_gate_0.9000_far_at_most: 3.00e-5",
            "mean_gate_0.9000_tar: 0.50000",
            "mean_distance_far_at_most_3e-5: 0.7745",
        ] {
            assert!(text.lines().any(|had| had == line), "{line} in {text}");
        }
        assert!(!text.contains("far_at_most_1e-5"), "so few comparisons show no such rate: {text}");
    }

    #[test]
    fn what_turned_templates_lose_is_counted_pair_by_pair() {
        let one = |along: usize, across: f32| {
            let mut v = [0f32; TEMPLATE_LEN];
            (v[along], v[5]) = ((1.0 - across * across).sqrt(), across);
            FaceTemplate::from_unit_vector(crate::secret::EngineId::sface(), &mut v).unwrap()
        };
        // Cosines: 0.48 of the one person's pair, 0.36 and 0.48 of strangers.
        let plain = [(0, one(0, 0.6)), (0, one(1, 0.8)), (1, one(2, 0.6))];
        let said = |turned: &[(usize, FaceTemplate)]| {
            let mut out = vec![];
            Loss::of(&plain, turned, &[0.4]).write(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let same = said(&[(0, one(10, 0.6)), (0, one(11, 0.8)), (1, one(12, 0.6))]);
        for line in [
            "gate_0.4000 known (protected): 1.00000",
            "gate_0.4000 false matches (protected): 1",
            "largest difference of a distance (protected): 0.0e0",
            "decisions that differ (protected): 0",
        ] {
            assert!(same.lines().any(|had| had == line), "{line} in {same}");
        }
        // One that was turned badly: its pairs are 0.24 and 0.18 now.
        let worse = said(&[(0, one(10, 0.3)), (0, one(11, 0.8)), (1, one(12, 0.6))]);
        for line in ["gate_0.4000 known (protected): 0.00000", "decisions that differ (protected): 1"] {
            assert!(worse.lines().any(|had| had == line), "{line} in {worse}");
        }
        assert!(worse.contains("largest difference of a distance (protected): 2.1e-1"), "{worse}");
    }

    #[test]
    fn few_false_matches_are_no_proof_of_few() {
        // Poisson's upper limits, 95 % to one side, as tables give them.
        for (counted, limit) in
            [(0, 2.996), (1, 4.744), (2, 6.296), (3, 7.754), (10, 16.962), (17, 25.499), (100, 118.08)]
        {
            assert!((at_most(counted) / limit - 1.0).abs() < 5e-3, "{counted}: {}", at_most(counted));
        }
    }
}
