//! What lies where it must not: the vault's keys and an enrolled template, looked for in the memory and the files of a desk and of a gate. The
//! words (names, passphrases, recovery key) are looked for by `packaging/setup/theft.py`, in the shipped program's own windows.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, ExitCode};

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::gate::place::Place;
use menka::ports::Clock;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::report::{Break, Report};
use super::world::{Known, World};

/// Prints every key of a vault (a copy of one) as `name<TAB>hex`, for `theft.py`. The passphrase comes on standard input.
pub fn print_keys(folder: &Path) -> ExitCode {
    let mut typed = String::new();
    if std::io::stdin().read_line(&mut typed).is_err() {
        return ExitCode::FAILURE;
    }
    match keys_of(folder, Realm::Real, typed.trim_end()) {
        Ok(keys) => {
            for (name, key) in keys {
                println!("{name}\t{}", hex(&key));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("the vault does not open: {error}");
            ExitCode::FAILURE
        }
    }
}

type Keys = Vec<(String, Vec<u8>)>;

fn keys_of(folder: &Path, realm: Realm, passphrase: &str) -> Result<Keys, menka::vault::VaultError> {
    Vault::unlock(folder, realm, &Passphrase::new(passphrase.into()), SystemClock.now())?.keys_for_a_test()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What is looked for.
#[derive(Default)]
struct Sought {
    /// Exact bytes; found as they are, and as hexadecimal digits of either case.
    bytes: Vec<(String, Vec<Vec<u8>>)>,
    /// Templates; found as single-precision numbers of about this direction, and as rounded ones.
    faces: Vec<(String, Vec<f32>)>,
}

impl Sought {
    fn keys(keys: &Keys) -> Self {
        let forms = |key: &[u8]| vec![key.to_vec(), hex(key).into_bytes(), hex(key).to_uppercase().into_bytes()];
        Self { bytes: keys.iter().map(|(name, key)| (name.clone(), forms(key))).collect(), faces: vec![] }
    }

    fn face(name: &str, face: &[f32]) -> Self {
        Self { bytes: vec![], faces: vec![(name.into(), face.to_vec())] }
    }

    fn and(mut self, other: Self) -> Self {
        self.bytes.extend(other.bytes);
        self.faces.extend(other.faces);
        self
    }

    /// How often each thing occurs.
    fn count(&self, pieces: &[Vec<u8>]) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        for (name, count) in occurrences(pieces, &self.bytes) {
            found.insert(name, count);
        }
        for (name, face) in &self.faces {
            let exact = pieces.iter().map(|piece| singles(piece, face)).sum();
            let rounded = pieces.iter().map(|piece| rounded(piece, face)).sum();
            found.insert(format!("{name}, as single-precision numbers"), exact);
            found.insert(format!("{name}, as bytes"), rounded);
        }
        found
    }
}

/// How often each of many byte strings occurs, in one walk.
fn occurrences(pieces: &[Vec<u8>], sought: &[(String, Vec<Vec<u8>>)]) -> BTreeMap<String, usize> {
    let head = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    let mut by_head: Vec<Vec<(&str, &[u8])>> = vec![vec![]; 1 << 16];
    let mut found = BTreeMap::new();
    for (name, forms) in sought {
        found.insert(name.clone(), 0);
        for form in forms.iter().filter(|form| form.len() >= 16) {
            by_head[head(form)].push((name.as_str(), form.as_slice()));
        }
    }
    for piece in pieces {
        for at in 0..piece.len().saturating_sub(1) {
            for (name, form) in &by_head[head(&piece[at..])] {
                if piece[at..].starts_with(form)
                    && let Some(count) = found.get_mut(*name)
                {
                    *count += 1;
                }
            }
        }
    }
    found
}

/// Below this no two vectors are of one face (`facts`: the gates' own threshold is lower); by chance it does not happen in 128 numbers.
const ALIKE: f32 = 0.6;

/// Places where 128 numbers in a row point about where a template points, whatever their length: the template itself, and those of single
/// pictures from which it was made. At any byte: in a row of a database nothing is aligned.
fn singles(piece: &[u8], face: &[f32]) -> usize {
    (0..4).map(|shift| singles_from(piece.get(shift..).unwrap_or_default(), face)).sum()
}

fn singles_from(piece: &[u8], face: &[f32]) -> usize {
    let numbers: Vec<f32> = piece.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let sane = |x: &f32| x.is_finite() && x.abs() < 100.0;
    let mut count = 0;
    for at in 0..numbers.len().saturating_sub(face.len() - 1) {
        let first = &numbers[at..at + 8];
        if first.iter().all(|x| sane(x) && *x != 0.0) && cosine(first, &face[..8]) > 0.3 {
            let all = &numbers[at..at + face.len()];
            count += usize::from(all.iter().all(sane) && cosine(all, face) > ALIKE);
        }
    }
    count
}

fn rounded(piece: &[u8], face: &[f32]) -> usize {
    let largest = face.iter().fold(0f32, |most, x| most.max(x.abs()));
    #[allow(clippy::cast_possible_truncation, reason = "within -127..=127")]
    let wanted: Vec<i8> = face.iter().map(|x| (x / largest * 127.0).round() as i8).collect();
    // The largest number first: hardly any byte is like it.
    let (most, top) = wanted.iter().copied().enumerate().max_by_key(|(_, n)| n.unsigned_abs()).unwrap_or_default();
    let near = |a: u8, b: i8| (i16::from(a.cast_signed()) - i16::from(b)).abs() <= 2;
    let starts = piece.windows(wanted.len());
    starts.filter(|window| near(window[most], top) && window.iter().zip(&wanted).all(|(a, b)| near(*a, *b))).count()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-20)
}

/// Every readable piece of memory of a process that no file on the disk holds as it is.
fn memory_of(pid: u32) -> Vec<Vec<u8>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process is there");
    let mut memory = std::fs::File::open(format!("/proc/{pid}/mem")).expect("root reads memory");
    let mut pieces = vec![];
    for line in maps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [span, rights, _, _, inode, ..] = words[..] else { continue };
        let special = words.get(5).is_some_and(|name| name.starts_with("[v"));
        if !rights.contains('r') || special || (inode != "0" && !rights.contains('w')) {
            continue;
        }
        let Some((begin, end)) = span.split_once('-') else { continue };
        let (Ok(begin), Ok(end)) = (u64::from_str_radix(begin, 16), u64::from_str_radix(end, 16)) else { continue };
        let mut piece = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        if memory.seek(SeekFrom::Start(begin)).is_ok() && memory.read_exact(&mut piece).is_ok() {
            pieces.push(piece);
        }
    }
    pieces
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}

/// Whether something may be found at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// It must not be there.
    Absent,
    /// It must be: shows that the search finds it.
    Some,
}

fn tell(report: &Report, place: &str, found: &BTreeMap<String, usize>, expect: Expect) {
    for (what, count) in found {
        let said = if *count == 0 { "absent".to_owned() } else { format!("found {count} times") };
        println!("theft {place}: {what} {said}");
        if expect == Expect::Absent && *count > 0 {
            report.broke(Break::Unsound, &format!("theft {place}: {what} {said}"));
        }
    }
    if expect == Expect::Some && found.values().all(|count| *count == 0) {
        report.broke(Break::Unsound, &format!("theft {place}: the search finds nothing where something must be"));
    }
}

/// A file system in a file, under a gate's folder.
struct Image {
    file: std::path::PathBuf,
    at: std::path::PathBuf,
    mounted: bool,
}

impl Image {
    fn mount(file: &Path, at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|e| e.to_string())?;
        let made = std::fs::File::create(file).and_then(|file| file.set_len(48 << 20));
        made.map_err(|e| e.to_string())?;
        for words in [vec!["mkfs.ext4", "-q", "-F"], vec!["mount", "-o", "loop"]] {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg(file);
            if words[0] == "mount" {
                command.arg(at);
            }
            let run = command.output().map_err(|e| e.to_string())?;
            if !run.status.success() {
                return Err(String::from_utf8_lossy(&run.stderr).trim().to_owned());
            }
        }
        Ok(Self { file: file.to_owned(), at: at.to_owned(), mounted: true })
    }

    fn bytes(&mut self) -> Vec<u8> {
        self.unmount();
        std::fs::read(&self.file).unwrap_or_default()
    }

    fn unmount(&mut self) {
        if std::mem::take(&mut self.mounted) {
            let _ = Command::new("umount").arg("-l").arg(&self.at).output();
            let _ = Command::new("sync").output();
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// The whole search.
pub fn search(report: &Report, library: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    // The folder of a gate lies inside this file system, so that a gate's rights on it are its own.
    let disk = folder.path().join("gate0");
    let mut image = match Image::mount(&folder.path().join("gate.img"), &disk) {
        Ok(image) => Some(image),
        Err(why) => {
            report.not_run(&format!("a gate's disk image: {why}"));
            None
        }
    };
    let mut world = World::in_folder(report, library, "theft", (1, true), folder.path());
    let person = world.with_face();
    let place = Place::new(&disk, None);
    let store = place.open_beside(Realm::Practice).expect("the gate's store opens");
    let kept = store.live_faces().expect("the gate's store is read").pop().expect("a face");
    let plain = store.handed_over(kept.template.bytes()).ok().flatten().expect("the face");
    let gate_keys = store.keys().expect("the gate's keys").to_bytes().to_vec();
    let handed = Sought::face("the template", plain.face.expose());
    let turned = Sought::face("the gate's form of the template", kept.face.expose());
    let pages = store.decrypted_pages();
    tell(report, "gate's pages, decrypted", &turned.count(std::slice::from_ref(&pages)), Expect::Some);
    drop((store, kept, plain, pages));

    // While it works: the gate holds its form of the template, the desk neither form.
    let gate = world.gates[0].process_id();
    tell(report, "memory of a gate at work", &turned.count(&memory_of(gate)), Expect::Some);
    tell(report, "memory of a gate at work", &handed.count(&memory_of(gate)), Expect::Absent);
    let desk = world.desk().id();
    let faces = Sought::face("the template", &handed.faces[0].1);
    let faces = faces.and(Sought::face("the gate's form of the template", &turned.faces[0].1));
    tell(report, "memory of a desk that has handed over", &faces.count(&memory_of(desk)), Expect::Absent);

    // The vault's keys, from a copy: the vault itself is in use.
    let copy = tempfile::tempdir().expect("a folder");
    for (name, content) in files_of(&world.folder.join("desk")) {
        std::fs::write(copy.path().join(name), content).expect("a copy");
    }
    let keys = keys_of(copy.path(), Realm::Practice, PASSPHRASE).expect("the copy opens");
    let sought = Sought::keys(&keys);
    tell(report, "memory of an open desk", &sought.count(&memory_of(desk)), Expect::Some);
    world.must("lock");
    std::thread::sleep(std::time::Duration::from_millis(300));
    tell(report, "memory of a locked desk", &sought.count(&memory_of(desk)), Expect::Absent);
    let all = sought.and(faces);
    let mut together = vec![];
    for (name, content) in files_of(&world.folder.join("desk")) {
        tell(report, &format!("desk's file {name} alone"), &all.count(std::slice::from_ref(&content)), Expect::Absent);
        together.push(content);
    }
    tell(report, "desk's files together", &all.count(&together), Expect::Absent);

    // A gate's disk. With its secret the store opens: that is what its thief learns.
    let secret = Sought::keys(&vec![
        ("gate's opening key".to_owned(), gate_keys.get(13..45).unwrap_or_default().to_vec()),
        ("gate's signing key".to_owned(), gate_keys.get(45..77).unwrap_or_default().to_vec()),
    ]);
    let sought = secret.and(Sought { bytes: vec![], faces: all.faces });
    for (name, content) in files_of(&disk) {
        tell(report, &format!("gate's file {name} alone"), &sought.count(&[content]), Expect::Absent);
    }
    let hidden = folder.path().join("secret-elsewhere");
    let opens = |place: &Place| place.open_beside(Realm::Practice).and_then(|store| store.faces()).ok();
    println!("theft gate's disk with its secret: {:?} faces", opens(&place));
    let without = Place::new(&disk, Some(&hidden));
    println!("theft gate's disk without its secret: {:?} faces", opens(&without));
    if opens(&without).is_some() {
        report.broke(Break::Unsound, "theft: a gate's store opens without its secret");
    }

    // After the erasure: nowhere, not in freed pages with the key in hand either.
    world.desk = None;
    let line = format!("withdraw {}", world.people[person].card_number);
    world.must(&line);
    world.people[person].face = Known::No;
    world.must("settle 60");
    let erased = |found: &BTreeMap<String, usize>, place: &str| tell(report, place, found, Expect::Absent);
    erased(
        &sought.count(&memory_of(gate)).into_iter().filter(|(n, _)| n.contains("template")).collect(),
        "memory of a gate after the erasure",
    );
    let pages = place.open_beside(Realm::Practice).expect("the gate's store opens").decrypted_pages();
    let faces = Sought { bytes: vec![], faces: sought.faces.clone() };
    erased(&faces.count(&[pages]), "gate's pages after the erasure, decrypted, free ones too");
    world.desk = None;
    world.gates[0].kill();
    if let Some(image) = &mut image {
        tell(report, "image of a gate's disk", &sought.count(&[image.bytes()]), Expect::Absent);
    }
}
