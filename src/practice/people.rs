//! The people of practice: which file, which part of it, under which neutral label (`assets/practice.toml`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use image::RgbImage;
use image::imageops::FilterType;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::picture::Looks;
use super::{HEIGHT, WIDTH};

/// Why the practice pictures cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// They were not fetched yet.
    #[error("the practice picture {file} is missing in {folder}: run `make pictures`")]
    Missing {
        /// Which.
        file: String,
        /// Where it was looked for.
        folder: String,
    },
    /// A file is not the one that was chosen.
    #[error("the practice picture {0} is not the listed one: run `make pictures`")]
    Wrong(String),
    /// A file is not a picture.
    #[error("the picture {0} cannot be read")]
    Unreadable(String),
    /// The list itself is not sound.
    #[error("the list of practice pictures is not sound: {0}")]
    List(String),
    /// A folder of people holds nobody.
    #[error("no folder with pictures in {0}")]
    NoPeople(String),
}

/// Somebody who can be seated before the picture camera. Cheap to clone; the pictures are shared.
#[derive(Clone)]
pub struct Person {
    label: String,
    pictures: Vec<Arc<Composed>>,
}

impl Person {
    /// Somebody with these pictures, each 640 x 480.
    pub(super) fn new(label: String, pictures: Vec<RgbImage>) -> Self {
        let compose = |base| Arc::new(Composed { base, looks: OnceLock::new() });
        Self { label, pictures: pictures.into_iter().map(compose).collect() }
    }

    /// A neutral name: never the real one.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How many different pictures there are, at least one.
    pub fn pictures(&self) -> usize {
        self.pictures.len()
    }

    /// The picture with this number; the last one when there are fewer.
    pub(super) fn picture(&self, at: usize) -> Option<&Composed> {
        self.pictures.get(at).or(self.pictures.last()).map(Arc::as_ref)
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({}, {} pictures)", self.label, self.pictures.len())
    }
}

/// A picture of 640 x 480 and, once somebody looks, its variations.
pub(super) struct Composed {
    base: RgbImage,
    looks: OnceLock<Looks>,
}

impl Composed {
    pub(super) fn base(&self) -> &RgbImage {
        &self.base
    }

    pub(super) fn looks(&self) -> &Looks {
        self.looks.get_or_init(|| Looks::of(&self.base))
    }
}

/// Loads everybody of the manifest from `folder`, which `packaging/setup/pictures.sh` fills. Every file is checked by its SHA-256.
///
/// # Errors
/// See [`PracticeError`].
pub fn people(folder: &Path) -> Result<Vec<Person>, PracticeError> {
    let manifest: Manifest = toml::from_str(MANIFEST).map_err(|error| PracticeError::List(error.message().into()))?;
    let mut files = BTreeMap::new();
    for file in &manifest.files {
        files.insert(file.name.as_str(), file.load(folder)?);
    }
    let compose = |picture: &Crop| {
        let file = files.get(picture.file.as_str()).ok_or_else(|| PracticeError::List(picture.file.clone()))?;
        picture.compose(file).ok_or_else(|| PracticeError::List(format!("crop of {}", picture.file)))
    };
    manifest
        .people
        .iter()
        .map(|person| {
            let pictures = person.pictures.iter().map(compose).collect::<Result<Vec<_>, _>>()?;
            if pictures.is_empty() {
                return Err(PracticeError::List(person.label.clone()));
            }
            Ok(Person::new(person.label.clone(), pictures))
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    files: Vec<File>,
    people: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    /// Which package it comes from; read by the script.
    #[allow(dead_code, reason = "for packaging/setup/pictures.sh")]
    from: String,
    sha256: String,
}

impl File {
    fn load(&self, folder: &Path) -> Result<RgbImage, PracticeError> {
        let missing = || PracticeError::Missing { file: self.name.clone(), folder: folder.display().to_string() };
        let bytes = std::fs::read(folder.join(&self.name)).map_err(|_| missing())?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != self.sha256 {
            return Err(PracticeError::Wrong(self.name.clone()));
        }
        decode(&bytes).ok_or_else(|| PracticeError::Unreadable(self.name.clone()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    label: String,
    pictures: Vec<Crop>,
}

/// Left, top, width, height.
type Rect = [i64; 4];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Crop {
    file: String,
    crop: Rect,
    keep: Option<Rect>,
}

impl Crop {
    /// The crop as 640 x 480; grey beyond the edges and outside `keep`.
    fn compose(&self, file: &RgbImage) -> Option<RgbImage> {
        let whole = [0, 0, i64::from(file.width()), i64::from(file.height())];
        let visible = intersect(intersect(whole, self.crop), self.keep.unwrap_or(whole));
        place(file, self.crop, visible)
    }
}

/// Bytes to pixels, with bounded memory.
pub(super) fn decode(bytes: &[u8]) -> Option<RgbImage> {
    let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(512 << 20);
    reader.limits(limits);
    Some(reader.decode().ok()?.to_rgb8())
}

/// Scales `visible` (a part of `crop`) to its place in a grey 640 x 480 picture that stands for the whole `crop`.
pub(super) fn place(file: &RgbImage, crop: Rect, visible: Rect) -> Option<RgbImage> {
    let [left, top, width, height] = crop;
    let [from_x, from_y, from_w, from_h] = visible;
    if width <= 0 || height <= 0 || from_w <= 0 || from_h <= 0 {
        return None;
    }
    let scale_x = f64::from(WIDTH) / width as f64;
    let scale_y = f64::from(HEIGHT) / height as f64;
    let part = image::imageops::crop_imm(
        file,
        u32::try_from(from_x).ok()?,
        u32::try_from(from_y).ok()?,
        u32::try_from(from_w).ok()?,
        u32::try_from(from_h).ok()?,
    )
    .to_image();
    let size = |length: i64, scale: f64| ((length as f64 * scale).round() as u32).max(1);
    let part = image::imageops::resize(&part, size(from_w, scale_x), size(from_h, scale_y), FilterType::CatmullRom);
    let mut out = RgbImage::from_pixel(WIDTH, HEIGHT, GREY);
    let at = |from: i64, start: i64, scale: f64| ((from - start) as f64 * scale).round() as i64;
    image::imageops::replace(&mut out, &part, at(from_x, left, scale_x), at(from_y, top, scale_y));
    Some(out)
}

fn intersect(a: Rect, b: Rect) -> Rect {
    let left = a[0].max(b[0]);
    let top = a[1].max(b[1]);
    let right = (a[0] + a[2]).min(b[0] + b[2]);
    let bottom = (a[1] + a[3]).min(b[1] + b[3]);
    [left, top, right - left, bottom - top]
}

const MANIFEST: &str = include_str!("../../assets/practice.toml");

/// Largest side of a picture file, in pixels.
const SIDE_MAX: u32 = 8_000;

/// What surrounds a person.
pub(super) const GREY: image::Rgb<u8> = image::Rgb([128, 128, 128]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sound_and_long_enough() {
        let manifest: Manifest = toml::from_str(MANIFEST).unwrap();
        assert!(manifest.people.len() >= 8);
        assert!(manifest.people.iter().filter(|person| person.pictures.len() >= 2).count() >= 4);
        for person in &manifest.people {
            assert!(person.label.starts_with("Practice person "), "{}", person.label);
            for picture in &person.pictures {
                assert!(manifest.files.iter().any(|file| file.name == picture.file));
                let [_, _, width, height] = picture.crop;
                assert!((width * 3 - height * 4).abs() <= 4, "4 to 3: {:?}", picture.crop);
            }
        }
        assert!(manifest.files.iter().all(|file| file.sha256.len() == 64));
    }

    #[test]
    fn a_missing_or_changed_file_names_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        let error = people(folder.path()).unwrap_err();
        assert!(matches!(error, PracticeError::Missing { .. }) && error.to_string().contains("make pictures"));
        let manifest: Manifest = toml::from_str(MANIFEST).unwrap();
        std::fs::write(folder.path().join(&manifest.files[0].name), b"another picture").unwrap();
        assert!(matches!(people(folder.path()).unwrap_err(), PracticeError::Wrong(_)));
    }

    #[test]
    fn what_is_not_kept_is_grey_and_what_is_kept_is_in_its_place() {
        // Left half red, right half blue; only the left half may be seen.
        let file = RgbImage::from_fn(200, 100, |x, _| image::Rgb(if x < 100 { [200, 0, 0] } else { [0, 0, 200] }));
        let crop = Crop { file: String::new(), crop: [-100, -75, 400, 300], keep: Some([0, 0, 100, 100]) };
        let out = crop.compose(&file).unwrap();
        assert_eq!(out.dimensions(), (640, 480));
        assert_eq!(out.get_pixel(240, 200), &image::Rgb([200, 0, 0]));
        assert_eq!(out.get_pixel(400, 200), &GREY, "the other half is masked");
        assert_eq!(out.get_pixel(80, 200), &GREY, "beyond the file's edge");
        let nothing = Crop { file: String::new(), crop: [500, 500, 40, 30], keep: None };
        assert!(nothing.compose(&file).is_none());
    }
}
