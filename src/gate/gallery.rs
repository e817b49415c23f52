//! The templates of a gate in memory, and the search for the nearest one (1:N).
//!
//! The search has two passes. The first compares eight-bit roundings of all templates, a quarter of the bytes; with every rounding goes a
//! bound on what it lost, so that a template is passed over only when it cannot be the nearest. The second compares what is left exactly.
//! The answer is that of comparing everything exactly, in every case (`the_two_passes_answer_as_one`).
//!
//! For a template `x = s·c + r` with whole numbers `c` and `‖r‖ ≤ e`, and a probe `q = t·d + u` with `‖u‖ ≤ f`:
//! `x·q = s·t·(c·d) + s·c·u + r·q`, so `|x·q − s·t·(c·d)| ≤ (‖x‖ + e)·f + e·‖q‖` (Cauchy-Schwarz).

use zeroize::{DefaultIsZeroes, Zeroize, Zeroizing};

use super::matcher::{Best, cosine};
use super::store::LiveFace;
use crate::domain::id::TemplateId;
use crate::domain::time::CivilDate;
use crate::secret::{EngineId, FaceTemplate, TEMPLATE_LEN};

/// Added to each bound: what 32-bit sums of 128 products of unit vectors can be off by, with room to spare.
const SUM_SLACK: f32 = 4e-5;
/// Unit vectors are accepted with lengths up to this ([`FaceTemplate::from_unit_vector`]).
const LENGTH_MAX: f32 = 1.001;

/// What is known of one template besides its numbers.
#[derive(Clone, Copy, Debug)]
struct Entry {
    template: TemplateId,
    ends_on: CivilDate,
    frozen: bool,
    /// One step of the rounding.
    step: f32,
    /// Length of what the rounding lost, at most.
    lost: f32,
}

/// Eight-bit rounding of a vector.
struct Rounded {
    numbers: Zeroizing<[i8; TEMPLATE_LEN]>,
    step: f32,
    lost: f32,
}

/// All templates that a gate matches, of one engine. Wiped when dropped, and so is the place of each that leaves.
pub struct Gallery {
    engine: EngineId,
    entries: Vec<Entry>,
    exact: Zeroizing<Vec<f32>>,
    rounded: Zeroizing<Vec<i8>>,
}

impl Gallery {
    /// An empty one, for templates of an engine.
    pub fn new(engine: EngineId) -> Self {
        Self { engine, entries: vec![], exact: Zeroizing::default(), rounded: Zeroizing::default() }
    }

    /// Number of templates.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some template's last day is before a day.
    pub fn any_ended_before(&self, day: CivilDate) -> bool {
        self.entries.iter().any(|entry| entry.ends_on < day)
    }

    /// Takes in a template. One of another engine is left out: it would never be compared.
    pub fn insert(&mut self, live: &LiveFace) {
        if *live.face.engine() != self.engine {
            return;
        }
        // EXPOSE: the gate is where templates are compared.
        let vector = live.face.expose();
        let rounded = round(vector);
        push(&mut self.exact, vector);
        push(&mut self.rounded, &*rounded.numbers);
        self.entries.push(Entry {
            template: live.template,
            ends_on: live.ends_on,
            frozen: live.frozen,
            step: rounded.step,
            lost: rounded.lost,
        });
    }

    /// Forgets every template for which this holds.
    pub fn remove(&mut self, gone: impl Fn(&TemplateId) -> bool) {
        let mut at = 0;
        while at < self.entries.len() {
            if gone(&self.entries[at].template) {
                self.entries.swap_remove(at);
                swap_remove(&mut self.exact, at);
                swap_remove(&mut self.rounded, at);
            } else {
                at += 1;
            }
        }
    }

    /// Freezes or thaws a template.
    pub fn freeze(&mut self, template: &[u8; 16], frozen: bool) {
        for entry in self.entries.iter_mut().filter(|entry| entry.template.bytes() == template) {
            entry.frozen = frozen;
        }
    }

    /// The nearest template that is neither frozen nor over. `None` when there is none, or when the probe is of another engine.
    pub fn nearest(&self, probe: &FaceTemplate, today: CivilDate) -> Option<Best> {
        if *probe.engine() != self.engine {
            return None;
        }
        // EXPOSE: as above.
        let probe = probe.expose();
        let coarse = round(probe);
        let mut products = Zeroizing::new(vec![0i32; self.entries.len()]);
        let mut wide = Zeroizing::new([0i16; TEMPLATE_LEN]);
        wide.iter_mut().zip(coarse.numbers.iter()).for_each(|(wide, number)| *wide = i16::from(*number));
        multiply_all(&self.rounded, &wide, &mut products);
        let bounds = |entry: &Entry, product: i32| {
            #[allow(clippy::cast_precision_loss, reason = "at most 128 * 127 * 127, below 2^24")]
            let about = entry.step * coarse.step * product as f32;
            (about, entry.lost * LENGTH_MAX + (LENGTH_MAX + entry.lost) * coarse.lost + SUM_SLACK)
        };
        let live = |entry: &Entry| !entry.frozen && entry.ends_on >= today;
        let mut least = f32::NEG_INFINITY;
        for (entry, product) in self.entries.iter().zip(products.iter()) {
            let (about, off) = bounds(entry, *product);
            if about - off > least && live(entry) {
                least = about - off;
            }
        }
        let mut best: Option<Best> = None;
        for ((entry, product), vector) in
            self.entries.iter().zip(products.iter()).zip(self.exact.as_chunks::<TEMPLATE_LEN>().0)
        {
            let (about, off) = bounds(entry, *product);
            if about + off < least || !live(entry) {
                continue;
            }
            let similarity = cosine(probe, vector);
            if best.is_none_or(|best| similarity > best.similarity) {
                best = Some(Best { template: entry.template, similarity });
            }
        }
        best
    }

    /// How near a probe is to one template (1:1). `None` when it is not held, frozen, over, or of another engine.
    pub fn compare(&self, probe: &FaceTemplate, template: &TemplateId, today: CivilDate) -> Option<Best> {
        if *probe.engine() != self.engine {
            return None;
        }
        let at = self.entries.iter().position(|entry| entry.template == *template)?;
        let entry = self.entries.get(at).filter(|entry| !entry.frozen && entry.ends_on >= today)?;
        let vector = self.exact.as_chunks::<TEMPLATE_LEN>().0.get(at)?;
        // EXPOSE: as above.
        Some(Best { template: entry.template, similarity: cosine(probe.expose(), vector) })
    }
}

impl Extend<LiveFace> for Gallery {
    fn extend<T: IntoIterator<Item = LiveFace>>(&mut self, faces: T) {
        for face in faces {
            self.insert(&face);
        }
    }
}

/// Appends; a grown copy leaves nothing of the old place behind.
fn push<T: Copy>(rows: &mut Zeroizing<Vec<T>>, row: &[T])
where
    Vec<T>: Zeroize,
{
    if rows.len() + row.len() > rows.capacity() {
        let mut wider = Vec::with_capacity((2 * rows.capacity()).max(64 * row.len()));
        wider.extend_from_slice(rows);
        *rows = Zeroizing::new(wider);
    }
    rows.extend_from_slice(row);
}

/// Puts the last row in the place of another and wipes the last one's place.
fn swap_remove<T: Copy + DefaultIsZeroes>(rows: &mut Zeroizing<Vec<T>>, at: usize) {
    let last = rows.len() - TEMPLATE_LEN;
    rows.copy_within(last.., at * TEMPLATE_LEN);
    rows[last..].zeroize();
    rows.truncate(last);
}

fn round(vector: &[f32; TEMPLATE_LEN]) -> Rounded {
    let largest = vector.iter().fold(0f32, |most, x| most.max(x.abs()));
    let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let mut numbers = Zeroizing::new([0i8; TEMPLATE_LEN]);
    let mut lost = 0f64;
    for (number, x) in numbers.iter_mut().zip(vector) {
        #[allow(clippy::cast_possible_truncation, reason = "within -127..=127")]
        let whole = (x / step).round().clamp(-127.0, 127.0) as i8;
        *number = whole;
        lost += (f64::from(*x) - f64::from(step) * f64::from(whole)).powi(2);
    }
    #[allow(clippy::cast_possible_truncation, reason = "a length below 1; rounded up by the factor")]
    let lost = (lost.sqrt() * 1.000_001) as f32;
    Rounded { numbers, step, lost }
}

/// Products of one row with all rows. Built for several kinds of processor; the one at hand is chosen when it runs. Sixteen running sums over
/// numbers of sixteen bits, which compilers turn into wide instructions; nothing here can overflow (128 * 127 * 127), and a check would only
/// keep them from doing so.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl",
    "x86_64+avx2",
    "x86_64+sse4.1",
    "aarch64+neon"
))]
fn multiply_all(rows: &[i8], probe: &[i16; TEMPLATE_LEN], products: &mut [i32]) {
    const LANES: usize = 16;
    for (row, product) in rows.as_chunks::<TEMPLATE_LEN>().0.iter().zip(products) {
        let mut sums = [0i32; LANES];
        for (x, y) in row.as_chunks::<LANES>().0.iter().zip(probe.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                sums[lane] = sums[lane].wrapping_add(i32::from(x[lane]).wrapping_mul(i32::from(y[lane])));
            }
        }
        *product = sums.iter().fold(0, |all, sum| all.wrapping_add(*sum));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    struct Dice(u64);

    impl Dice {
        fn number(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        }

        fn vector(&mut self) -> [f32; TEMPLATE_LEN] {
            let mut v = [0f32; TEMPLATE_LEN];
            v.iter_mut().for_each(|x| *x = self.number() + self.number() + self.number());
            v
        }
    }

    fn unit(mut v: [f32; TEMPLATE_LEN]) -> FaceTemplate {
        let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        FaceTemplate::from_unit_vector(EngineId::sface(), &mut v).unwrap()
    }

    /// A vector near another: the same face on another day.
    fn near(v: &[f32; TEMPLATE_LEN], by: f32, dice: &mut Dice) -> FaceTemplate {
        let mut other = *v;
        for x in &mut other {
            *x += by * dice.number();
        }
        unit(other)
    }

    fn id(n: u32) -> TemplateId {
        let mut bytes = [0u8; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        TemplateId::from_bytes(bytes)
    }

    fn live(n: u32, face: FaceTemplate) -> LiveFace {
        LiveFace { template: id(n), ends_on: CivilDate::parse("2027-01-01").unwrap(), frozen: false, face }
    }

    fn today() -> CivilDate {
        CivilDate::parse("2026-11-22").unwrap()
    }

    /// Everything compared exactly, one after the other.
    fn plainly(held: &[LiveFace], probe: &FaceTemplate) -> Option<(TemplateId, f32)> {
        let mut best: Option<(TemplateId, f32)> = None;
        for live in held.iter().filter(|live| !live.frozen && live.ends_on >= today()) {
            let similarity = cosine(probe.expose(), live.face.expose());
            if best.is_none_or(|(_, most)| similarity > most) {
                best = Some((live.template, similarity));
            }
        }
        best
    }

    #[test]
    fn the_two_passes_answer_as_one() {
        let mut dice = Dice(7);
        let mut held = vec![];
        for n in 0..600u32 {
            let v = dice.vector();
            // Every third has a near double, the hardest case for a coarse first pass.
            held.push(live(2 * n, unit(v)));
            if n % 3 == 0 {
                held.push(live(2 * n + 1, near(&v, 0.02, &mut dice)));
            }
        }
        for n in (0..held.len()).step_by(17) {
            held[n].frozen = true;
        }
        for n in (0..held.len()).step_by(23) {
            held[n].ends_on = CivilDate::parse("2026-11-21").unwrap();
        }
        let probes: Vec<FaceTemplate> = (0..400)
            .map(|n| {
                if n % 2 == 0 {
                    unit(dice.vector())
                } else {
                    let v = *held[(n * 31) % held.len()].face.expose();
                    near(&v, 0.1, &mut dice)
                }
            })
            .collect();
        let expected: Vec<_> = probes.iter().map(|probe| plainly(&held, probe)).collect();
        let mut gallery = Gallery::new(EngineId::sface());
        gallery.extend(held);
        for (probe, expected) in probes.iter().zip(expected) {
            let best = gallery.nearest(probe, today()).map(|best| (best.template, best.similarity));
            assert_eq!(best, expected);
        }
    }

    #[test]
    fn vectors_of_one_axis_and_of_equal_numbers_are_rounded_within_their_bound() {
        let mut axis = [0f32; TEMPLATE_LEN];
        axis[5] = 1.0;
        let flat = [(1.0 / 128f32).sqrt(); TEMPLATE_LEN];
        for vector in [axis, flat] {
            let rounded = round(&vector);
            let lost: f64 = vector
                .iter()
                .zip(rounded.numbers.iter())
                .map(|(x, c)| (f64::from(*x) - f64::from(rounded.step) * f64::from(*c)).powi(2))
                .sum();
            assert!(lost.sqrt() <= f64::from(rounded.lost) + 1e-12);
        }
        let mut gallery = Gallery::new(EngineId::sface());
        gallery.insert(&live(1, unit(axis)));
        gallery.insert(&live(2, unit(flat)));
        assert_eq!(gallery.nearest(&unit(flat), today()).unwrap().template, id(2));
    }

    #[test]
    fn what_leaves_is_wiped_and_the_rest_is_found_as_before() {
        let mut dice = Dice(3);
        let faces: Vec<[f32; TEMPLATE_LEN]> = (0..200).map(|_| dice.vector()).collect();
        let mut gallery = Gallery::new(EngineId::sface());
        gallery.extend(faces.iter().zip(0..).map(|(v, n)| live(n, unit(*v))));
        gallery.remove(|template| template.bytes()[3] % 2 == 0);
        assert_eq!((gallery.len(), gallery.exact.len()), (100, 100 * TEMPLATE_LEN));
        for (v, n) in faces.iter().zip(0u32..) {
            let best = gallery.nearest(&unit(*v), today()).unwrap();
            assert_eq!(best.template == id(n), n % 2 == 1);
        }
        // The places after the end, still owned, hold nothing.
        let room = gallery.exact.capacity() - gallery.exact.len();
        assert!(room >= TEMPLATE_LEN);
        gallery.remove(|_| true);
        assert!(gallery.is_empty() && gallery.nearest(&unit(faces[1]), today()).is_none());
    }

    #[test]
    fn frozen_ended_and_other_engines_are_never_nearest() {
        let mut dice = Dice(11);
        let (a, b) = (dice.vector(), dice.vector());
        let mut gallery = Gallery::new(EngineId::sface());
        gallery.insert(&live(1, unit(a)));
        gallery.insert(&live(2, unit(b)));
        gallery.freeze(id(1).bytes(), true);
        assert_eq!(gallery.nearest(&unit(a), today()).unwrap().template, id(2));
        assert_eq!(gallery.compare(&unit(a), &id(1), today()), None, "frozen");
        gallery.freeze(id(1).bytes(), false);
        assert_eq!(gallery.nearest(&unit(a), today()).unwrap().template, id(1));
        assert!(
            gallery.compare(&unit(a), &id(2), today()).unwrap().similarity < 0.5,
            "one to one looks at that one only"
        );
        assert_eq!(gallery.nearest(&unit(a), CivilDate::parse("2027-01-02").unwrap()), None);
        let mut other = *unit(a).expose();
        let other = FaceTemplate::from_unit_vector(EngineId::dlib(), &mut other).unwrap();
        assert_eq!(gallery.nearest(&other, today()), None, "engines are never mixed");
        gallery.insert(&LiveFace { face: other, ..live(3, unit(b)) });
        assert_eq!(gallery.len(), 2);
    }
}
