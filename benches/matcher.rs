//! The search among a gate's templates (1:N) on one thread: our two passes, comparing everything exactly, faiss's flat index on the same
//! vectors in the same run (when `MENKA_FAISS` names a Python that has it), and the time to read the same bytes once. And what is lost when
//! everything is compared as a gate keeps it, turned. `name: value` lines; the last ones say for each size how many answers are the same and the
//! ratio to faiss. A slower ratio is printed as it is; it fails when an answer differs.
#![allow(clippy::print_stdout, reason = "its lines are its result")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use menka::domain::id::TemplateId;
use menka::domain::time::CivilDate;
use menka::gate::gallery::Gallery;
use menka::gate::matcher::{cosine, threshold};
use menka::gate::protect::Transform;
use menka::gate::store::LiveFace;
use menka::secret::{EngineId, FaceTemplate, TEMPLATE_LEN};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const PROBES: usize = 60;

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
    fn unit(&mut self) -> [f32; TEMPLATE_LEN] {
        let mut v = [0f32; TEMPLATE_LEN];
        v.iter_mut().for_each(|x| *x = self.number() + self.number() + self.number());
        normalised(v)
    }
}

fn normalised(mut v: [f32; TEMPLATE_LEN]) -> [f32; TEMPLATE_LEN] {
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter_mut().for_each(|x| *x /= length);
    v
}

fn template(v: &[f32; TEMPLATE_LEN]) -> Result<FaceTemplate> {
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut v.clone()).ok_or_else(|| "not a unit vector".into())
}

fn number_of(id: &TemplateId) -> usize {
    id.bytes().iter().take(8).fold(0, |n, b| n << 8 | usize::from(*b))
}

/// faiss in a process of its own: it says how long each search took inside it.
struct Faiss {
    child: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Faiss {
    fn start(held: &[[f32; TEMPLATE_LEN]]) -> Result<Option<Self>> {
        let Some(python) = std::env::var_os("MENKA_FAISS") else { return Ok(None) };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/faiss_flat.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (mut ask, answer) = (child.stdin.take().ok_or("no input")?, child.stdout.take().ok_or("no output")?);
        ask.write_all(&u64::try_from(held.len())?.to_le_bytes())?;
        for v in held {
            write_vector(&mut ask, v)?;
        }
        ask.flush()?;
        Ok(Some(Self { child, ask, answer: BufReader::new(answer) }))
    }

    /// Place of the nearest, and microseconds.
    fn search(&mut self, probe: &[f32; TEMPLATE_LEN]) -> Result<(usize, f64)> {
        write_vector(&mut self.ask, probe)?;
        self.ask.flush()?;
        let mut line = String::new();
        self.answer.read_line(&mut line)?;
        let (place, us) = line.trim().split_once(' ').ok_or("faiss said nothing")?;
        Ok((place.parse()?, us.parse()?))
    }
}

impl Drop for Faiss {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_vector(to: &mut impl Write, v: &[f32; TEMPLATE_LEN]) -> std::io::Result<()> {
    let bytes: Vec<u8> = v.iter().flat_map(|x| x.to_le_bytes()).collect();
    to.write_all(&bytes)
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
}

impl Loss {
    /// Every probe against everything held; and pairs made to stand at the threshold and next to it.
    fn of(transform: &Transform, held: &[[f32; TEMPLATE_LEN]], probes: &[[f32; TEMPLATE_LEN]]) -> Result<Self> {
        let least = threshold(&EngineId::sface()).ok_or("no threshold")?;
        let turn = |v: &[f32; TEMPLATE_LEN]| -> Result<[f32; TEMPLATE_LEN]> {
            Ok(*transform.turn(&template(v)?).ok_or("could not be turned")?.expose())
        };
        let kept = held.iter().map(turn).collect::<Result<Vec<_>>>()?;
        let mut loss = Self { pairs: 0, largest: 0.0, near: 0, changed: 0, widest: 0.0, other_nearest: 0 };
        for probe in probes {
            let turned = turn(probe)?;
            let (mut first, mut second) = ((0, f32::MIN), (0, f32::MIN));
            for (n, (plain, kept)) in held.iter().zip(&kept).enumerate() {
                let (before, after) = (cosine(probe, plain), cosine(&turned, kept));
                loss.note(least, before, after);
                first = if before > first.1 { (n, before) } else { first };
                second = if after > second.1 { (n, after) } else { second };
            }
            loss.other_nearest += usize::from(first.0 != second.0);
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
fn at_cosine(v: &[f32; TEMPLATE_LEN], away: &[f32; TEMPLATE_LEN], cosine_to: f32) -> [f32; TEMPLATE_LEN] {
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
    let today = CivilDate::parse("2026-11-22").ok_or("no date")?;
    let mut dice = Dice(42);
    let since = Instant::now();
    let transform = Transform::derive(&[1; 32], &[2; 32]);
    println!("transform derived ms: {:.1}", since.elapsed().as_secs_f64() * 1e3);
    let (mut last, mut differs) = (vec![], 0);
    for size in SIZES {
        let held: Vec<[f32; TEMPLATE_LEN]> = (0..size).map(|_| dice.unit()).collect();
        let mut gallery = Gallery::new(EngineId::sface());
        for (n, v) in held.iter().enumerate() {
            let mut id = [0u8; 16];
            id[..8].copy_from_slice(&u64::try_from(n)?.to_be_bytes());
            let face = template(v)?;
            gallery.insert(&LiveFace { template: TemplateId::from_bytes(id), ends_on: today, frozen: false, face });
        }
        // Half of the probes are another look at somebody held, half are strangers.
        let probes: Vec<[f32; TEMPLATE_LEN]> = (0..PROBES)
            .map(|n| {
                let noise = dice.unit();
                if n % 2 == 1 {
                    return noise;
                }
                let mut v = held[(n * 7919) % size];
                v.iter_mut().zip(noise).for_each(|(x, e)| *x += 0.5 * e);
                normalised(v)
            })
            .collect();
        let mut faiss = Faiss::start(&held)?;
        let (mut ours, mut exact, mut flat, mut turned) = (vec![], vec![], vec![], vec![]);
        let (mut same_as_exact, mut same_as_faiss) = (0, 0);
        for probe in &probes {
            let face = template(probe)?;
            let since = Instant::now();
            let best = gallery.nearest(&face, today).ok_or("nothing held")?;
            ours.push(since.elapsed().as_secs_f64() * 1e6);
            let since = Instant::now();
            let mut nearest = (0, f32::NEG_INFINITY);
            for (n, v) in held.iter().enumerate() {
                let similarity = cosine(probe, v);
                if similarity > nearest.1 {
                    nearest = (n, similarity);
                }
            }
            exact.push(since.elapsed().as_secs_f64() * 1e6);
            same_as_exact += usize::from(number_of(&best.template) == nearest.0);
            let since = Instant::now();
            std::hint::black_box(transform.turn(&face));
            turned.push(since.elapsed().as_secs_f64() * 1e6);
            if let Some(faiss) = faiss.as_mut() {
                let (place, us) = faiss.search(probe)?;
                flat.push(us);
                same_as_faiss += usize::from(place == number_of(&best.template));
            }
        }
        // The same bytes, read once: four running sums of 64-bit words.
        let words: Vec<u64> = held.iter().flatten().map(|x| u64::from(x.to_bits())).collect();
        let read: Vec<f64> = (0..15)
            .map(|_| {
                let since = Instant::now();
                let half = &words[..words.len() / 2];
                std::hint::black_box(half.iter().fold(0u64, |sum, w| sum.wrapping_add(*w)));
                since.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        let (ours, exact, read) = (median(ours), median(exact), median(read));
        println!("held: {size}");
        println!("two passes us: {ours:.0}");
        println!("everything exactly us: {exact:.0}");
        println!("reading the 32-bit numbers once us: {read:.0}");
        println!("turning a probe us: {:.1}", median(turned));
        let loss = Loss::of(&transform, &held, &probes)?;
        println!("turned templates: pairs compared: {}", loss.pairs);
        println!("turned templates: largest change of a cosine: {:.1e}", loss.largest);
        println!("turned templates: pairs within 0.01 of the threshold: {}", loss.near);
        println!(
            "turned templates: changed verdicts: {}, furthest from the threshold {:.1e}",
            loss.changed, loss.widest
        );
        println!("turned templates: another nearest one: {} of {PROBES}", loss.other_nearest);
        println!("same answer as everything exactly: {same_as_exact} of {PROBES}");
        differs += PROBES - same_as_exact;
        last.push(format!("1:{size}, answers as everything exactly: {same_as_exact} of {PROBES}"));
        if flat.is_empty() {
            println!("faiss flat us: not run: MENKA_FAISS names no Python with faiss");
            last.push(format!("1:{size}, time / faiss flat: not run: MENKA_FAISS names no Python with faiss"));
        } else {
            let flat = median(flat);
            println!("faiss flat us: {flat:.0}");
            println!("same answer as faiss: {same_as_faiss} of {PROBES}");
            println!("two passes / faiss flat: {:.2}", ours / flat);
            differs += PROBES - same_as_faiss;
            last.push(format!("1:{size}, answers as faiss: {same_as_faiss} of {PROBES}"));
            last.push(format!("1:{size}, time / faiss flat: {:.2}", ours / flat));
        }
        println!("two passes / reading once: {:.2}", ours / read);
    }
    for line in last {
        println!("{line}");
    }
    println!("answers that differ: {differs}");
    if differs > 0 { Err("an answer differs".into()) } else { Ok(()) }
}
