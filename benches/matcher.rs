//! The search among a gate's templates (1:N) on one thread: our two passes, comparing everything exactly, faiss's flat index on the same
//! vectors in the same run (when `MENKA_FAISS` names a Python that has it), and the time to read the same bytes once. And what is lost when
//! everything is compared as a gate keeps it, turned. `name: value` lines, then the targets. It fails when an answer differs, or when turning
//! changes one by more than the sums' own rounding; a missed target is printed as it is.
#![allow(clippy::print_stdout, reason = "its lines are its result")]

mod faiss;
mod targets;

use std::time::Instant;

use menka::domain::id::TemplateId;
use menka::domain::time::CivilDate;
use menka::gate::gallery::Gallery;
use menka::gate::matcher::{cosine, threshold};
use menka::gate::protect::Transform;
use menka::gate::store::LiveFace;
use menka::secret::{EngineId, FaceTemplate, TEMPLATE_LEN};

use faiss::{Faiss, Vector};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Probes that are timed one at a time, as a gate has them.
const PROBES: usize = 60;
/// Probes of one batch for faiss, and batches.
const BATCH: usize = 1_000;
const BATCHES: usize = 3;
/// Longest search among as many templates, in milliseconds.
const SEARCH_MS_MAX: f64 = 5.0;
const SEARCHED: usize = 100_000;
/// What a cosine may change by when both vectors are turned. A cosine is a sum in 32 bits of 24 roundings one after another (eight products in
/// each of sixteen lanes, then the lanes), each at most 2^-24 of a partial sum below 1, and there are two sums, before and after. Independent
/// roundings add up to about sqrt(48) * 2^-24 / sqrt(3) = 2.4e-7; four times that, for the largest of millions. Those of the turned numbers
/// themselves are of a tenth of this, since they average out.
const TURNED_MAX: f32 = 1e-6;
/// Two templates that are as near as each other to a probe, for sums in another order: faiss may name either.
const AS_NEAR: f64 = 1e-6;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Fixed numbers, so that each run compares the same.
struct Dice(u64);

impl Dice {
    fn number(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[allow(clippy::cast_precision_loss, reason = "24 bits")]
        let number = (self.0 >> 40) as f32 / (1u64 << 24) as f32;
        number - 0.5
    }

    /// Three uniform numbers added are near enough to a normal one: directions are spread evenly.
    fn unit(&mut self) -> Vector {
        let mut v = [0f32; TEMPLATE_LEN];
        v.iter_mut().for_each(|x| *x = self.number() + self.number() + self.number());
        normalised(v)
    }
}

fn normalised(mut v: Vector) -> Vector {
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter_mut().for_each(|x| *x /= length);
    v
}

fn template(v: &Vector) -> Result<FaceTemplate> {
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut v.clone()).ok_or_else(|| "not a unit vector".into())
}

fn number_of(id: &TemplateId) -> usize {
    id.bytes().iter().take(8).fold(0, |n, b| n << 8 | usize::from(*b))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// What is lost when templates and probes are compared as a gate keeps them (`gate::protect`), against the same pairs as they were handed over.
struct Loss {
    pairs: usize,
    largest: f32,
    /// Pairs so near the threshold that a loss could be seen at all.
    near: usize,
    changed: usize,
    /// How far from the threshold the furthest pair stood whose verdict changed.
    widest: f32,
    other_nearest: usize,
    /// How much nearer the nearest was than the one that took its place, at most.
    overtaken: f32,
}

impl Loss {
    /// Every probe against everything held; and pairs made to stand at the threshold and next to it.
    fn of(transform: &Transform, held: &[Vector], probes: &[Vector]) -> Result<Self> {
        let least = threshold(&EngineId::sface()).ok_or("no threshold")?;
        let turn = |v: &Vector| -> Result<Vector> {
            Ok(*transform.turn(&template(v)?).ok_or("could not be turned")?.expose())
        };
        let kept = held.iter().map(turn).collect::<Result<Vec<_>>>()?;
        let mut loss =
            Self { pairs: 0, largest: 0.0, near: 0, changed: 0, widest: 0.0, other_nearest: 0, overtaken: 0.0 };
        for probe in probes {
            let turned = turn(probe)?;
            let (mut first, mut second) = ((0, f32::MIN), (0, f32::MIN));
            for (n, (plain, kept)) in held.iter().zip(&kept).enumerate() {
                let (before, after) = (cosine(probe, plain), cosine(&turned, kept));
                loss.note(least, before, after);
                first = if before > first.1 { (n, before) } else { first };
                second = if after > second.1 { (n, after) } else { second };
            }
            if first.0 != second.0 {
                loss.other_nearest += 1;
                loss.overtaken = loss.overtaken.max(first.1 - cosine(probe, &held[second.0]));
            }
        }
        // Random pairs seldom come near the threshold: for each one held, probes at it, a little above and a little below.
        for (n, (plain, kept)) in held.iter().zip(&kept).enumerate().take(10_000) {
            let away = &held[(n + 1) % held.len()];
            for step in -2i16..=2 {
                let probe = at_cosine(plain, away, least + f32::from(step) * 5e-4);
                loss.note(least, cosine(&probe, plain), cosine(&turn(&probe)?, kept));
            }
        }
        Ok(loss)
    }

    fn print(&self) {
        println!("turned templates: pairs compared: {}", self.pairs);
        println!("turned templates: largest change of a cosine: {:.1e}", self.largest);
        println!("turned templates: pairs within 0.01 of the threshold: {}", self.near);
        println!(
            "turned templates: changed verdicts: {}, furthest from the threshold {:.1e}",
            self.changed, self.widest
        );
        println!(
            "turned templates: another nearest one: {} of {PROBES}, nearer before by at most {:.1e}",
            self.other_nearest, self.overtaken
        );
    }

    /// What is more than rounding.
    fn faults(&self) -> Vec<String> {
        let mut faults = vec![];
        if self.widest > TURNED_MAX {
            faults.push(format!("turned templates change a decision {:.1e} from the threshold", self.widest));
        }
        // Both cosines may have moved.
        if self.overtaken > 2.0 * TURNED_MAX {
            faults.push(format!("turned templates make another one the nearest, {:.1e} behind", self.overtaken));
        }
        if self.near == 0 {
            faults.push("turned templates: no pair stood near the threshold".into());
        }
        faults
    }

    fn note(&mut self, least: f32, before: f32, after: f32) {
        self.pairs += 1;
        self.largest = self.largest.max((before - after).abs());
        self.near += usize::from((before - least).abs() < 0.01);
        if (before >= least) != (after >= least) {
            self.changed += 1;
            self.widest = self.widest.max((before - least).abs());
        }
    }
}

/// A unit vector with this cosine to `v`, in the plane of both.
fn at_cosine(v: &Vector, away: &Vector, cosine_to: f32) -> Vector {
    let along = cosine(v, away);
    let mut across = *away;
    across.iter_mut().zip(v).for_each(|(x, v)| *x -= along * v);
    let across = normalised(across);
    let sine = (1.0 - cosine_to * cosine_to).sqrt();
    let mut made = *v;
    made.iter_mut().zip(across).for_each(|(x, across)| *x = *x * cosine_to + across * sine);
    normalised(made)
}

fn main() -> Result<()> {
    // `cargo test` also starts benches; there is nothing to test here.
    if std::env::args().any(|a| a == "--test") {
        return Ok(());
    }
    targets::print_load();
    let mut dice = Dice(42);
    let since = Instant::now();
    let transform = Transform::derive(&[1; 32], &[2; 32]);
    println!("transform derived ms: {:.1}", since.elapsed().as_secs_f64() * 1e3);
    let (mut measured, mut faults) = (vec![], vec![]);
    for size in SIZES {
        measured.push(measure(size, &mut dice, &transform, &mut faults)?);
    }
    for one in &measured {
        one.print_targets();
    }
    println!("answers that differ: {}", measured.iter().map(|one| one.differ).sum::<usize>());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

/// Templates of a size, as they were made and as a gate searches them.
struct Held {
    plain: Vec<Vector>,
    gallery: Gallery,
    today: CivilDate,
}

impl Held {
    fn new(size: usize, dice: &mut Dice) -> Result<Self> {
        let today = CivilDate::parse("2026-11-22").ok_or("no date")?;
        let plain: Vec<Vector> = (0..size).map(|_| dice.unit()).collect();
        let mut gallery = Gallery::new(EngineId::sface());
        for (n, v) in plain.iter().enumerate() {
            let mut id = [0u8; 16];
            id[..8].copy_from_slice(&u64::try_from(n)?.to_be_bytes());
            let face = template(v)?;
            gallery.insert(&LiveFace { template: TemplateId::from_bytes(id), ends_on: today, frozen: false, face });
        }
        Ok(Self { plain, gallery, today })
    }

    /// Half of the probes are another look at somebody held, half are strangers.
    fn probe(&self, n: usize, dice: &mut Dice) -> Vector {
        let noise = dice.unit();
        if n % 2 == 1 {
            return noise;
        }
        let mut v = self.plain[(n * 7919) % self.plain.len()];
        v.iter_mut().zip(noise).for_each(|(x, e)| *x += 0.5 * e);
        normalised(v)
    }

    fn nearest(&self, face: &FaceTemplate) -> Result<usize> {
        Ok(number_of(&self.gallery.nearest(face, self.today).ok_or("nothing held")?.template))
    }

    fn exactly(&self, probe: &Vector) -> usize {
        let mut nearest = (0, f32::NEG_INFINITY);
        for (n, v) in self.plain.iter().enumerate() {
            let similarity = cosine(probe, v);
            if similarity > nearest.1 {
                nearest = (n, similarity);
            }
        }
        nearest.0
    }

    /// Whether two answers are the same, or as near as each other.
    fn same(&self, probe: &Vector, one: usize, other: usize) -> bool {
        let to = |n: usize| -> f64 {
            probe.iter().zip(&self.plain[n]).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>()
        };
        one == other || (other < self.plain.len() && (to(one) - to(other)).abs() < AS_NEAR)
    }
}

/// What the targets are judged by.
struct Measured {
    size: usize,
    median_us: f64,
    worst_us: f64,
    differ: usize,
    /// Time to faiss's, one probe at a time, or why there is none.
    to_faiss: std::result::Result<f64, String>,
}

impl Measured {
    fn print_targets(&self) {
        let Self { size, median_us, worst_us, .. } = self;
        if *size == SEARCHED {
            targets::judge(
                &format!("nearest of {SEARCHED} templates in {SEARCH_MS_MAX} ms on one thread"),
                worst_us / 1e3 <= SEARCH_MS_MAX,
                &format!("median {:.2} ms, longest of {PROBES} {:.2} ms", median_us / 1e3, worst_us / 1e3),
            );
        }
        let what = format!("nearest of {size} templates no slower than faiss flat, one probe at a time");
        match &self.to_faiss {
            Ok(ratio) => targets::judge(&what, *ratio <= 1.0, &format!("{ratio:.2} of its time")),
            Err(reason) => targets::not_run(&what, reason),
        }
    }
}

fn measure(size: usize, dice: &mut Dice, transform: &Transform, faults: &mut Vec<String>) -> Result<Measured> {
    let held = Held::new(size, dice)?;
    let probes: Vec<Vector> = (0..BATCH).map(|n| held.probe(n, dice)).collect();
    let mut faiss = Faiss::start(&held.plain);
    println!("held: {size}");
    let (mut ours, mut exact, mut flat, mut turned) = (vec![], vec![], vec![], vec![]);
    let (mut as_exact, mut as_faiss) = (0, 0);
    for probe in &probes[..PROBES] {
        let face = template(probe)?;
        let since = Instant::now();
        let best = held.nearest(&face)?;
        ours.push(micros(since));
        let since = Instant::now();
        let nearest = std::hint::black_box(held.exactly(probe));
        exact.push(micros(since));
        as_exact += usize::from(best == nearest);
        let since = Instant::now();
        std::hint::black_box(transform.turn(&face));
        turned.push(micros(since));
        if let Ok(faiss) = &mut faiss {
            let (places, us) = faiss.search(std::slice::from_ref(probe))?;
            flat.push(us);
            as_faiss += usize::from(places.iter().all(|place| held.same(probe, best, *place)));
        }
    }
    let worst_us = ours.iter().copied().fold(0.0, f64::max);
    let (median_us, read) = (median(ours), reading_once(&held.plain));
    println!("two passes us: {median_us:.0}");
    println!("everything exactly us: {:.0}", median(exact));
    println!("reading the 32-bit numbers once us: {read:.0}");
    println!("two passes / reading once: {:.2}", median_us / read);
    println!("turning a probe us: {:.1}", median(turned));
    let loss = Loss::of(transform, &held.plain, &probes[..PROBES])?;
    loss.print();
    faults.extend(loss.faults().into_iter().map(|fault| format!("1:{size}: {fault}")));
    println!("same answer as everything exactly: {as_exact} of {PROBES}");
    let mut differ = PROBES - as_exact;
    let to_faiss = match faiss {
        Ok(mut faiss) => {
            let flat = median(flat);
            println!("faiss flat us: {flat:.0}");
            println!("two passes / faiss flat: {:.2}", median_us / flat);
            println!("same answer as faiss: {as_faiss} of {PROBES}");
            differ += PROBES - as_faiss + in_batches(&held, &probes, &mut faiss)?;
            Ok(median_us / flat)
        }
        Err(reason) => {
            println!("faiss flat us: not run: {reason}");
            Err(reason)
        }
    };
    if differ > 0 {
        faults.push(format!("1:{size}: {differ} answers differ"));
    }
    Ok(Measured { size, median_us, worst_us, differ, to_faiss })
}

/// Many probes handed to faiss at once, which is its best case and none of a gate's: people come one at a time. Beside it the same probes one
/// after another here. Returns how many answers differ.
fn in_batches(held: &Held, probes: &[Vector], faiss: &mut Faiss) -> Result<usize> {
    let faces = probes.iter().map(template).collect::<Result<Vec<_>>>()?;
    let since = Instant::now();
    let ours = faces.iter().map(|face| held.nearest(face)).collect::<Result<Vec<_>>>()?;
    let here = micros(since) / BATCH as f64;
    let (mut times, mut same) = (vec![], 0);
    for _ in 0..BATCHES {
        let (places, us) = faiss.search(probes)?;
        times.push(us / BATCH as f64);
        same = (0..BATCH).filter(|n| held.same(&probes[*n], ours[*n], places[*n])).count();
    }
    let batch = median(times);
    println!(
        "faiss flat in batches of {BATCH} (its best case; a gate has one probe at a time), us a probe: {batch:.1}"
    );
    println!("two passes one after another / faiss flat in batches of {BATCH}, a probe: {:.2}", here / batch);
    println!("same answer as faiss in batches: {same} of {BATCH}");
    Ok(BATCH - same)
}

/// Microseconds to read as many bytes once, on this thread: the sum of 64-bit words, which takes wide registers.
fn reading_once(held: &[Vector]) -> f64 {
    // A word of 64 bits for each number of 32, so half of the words are as many bytes.
    let words: Vec<u64> = held.iter().flatten().map(|x| u64::from(x.to_bits())).collect();
    let half = &words[..words.len() / 2];
    let times = (0..15).map(|_| {
        let since = Instant::now();
        let words = std::hint::black_box(half);
        std::hint::black_box(words.iter().fold(0u64, |sum, w| sum.wrapping_add(*w)));
        micros(since)
    });
    median(times.collect())
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}
