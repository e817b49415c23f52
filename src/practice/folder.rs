//! A folder of one's own pictures, one folder a person, for `make e2e FACES=folder`.

use std::path::{Path, PathBuf};

use image::RgbImage;

use super::people::{Person, PracticeError, decode, place};

/// People read from a folder. Their folders' names are not kept: they may be real names.
#[derive(Debug)]
pub struct LabelledFolder {
    people: Vec<Person>,
    /// Pictures that could not be read.
    skipped: usize,
}

impl LabelledFolder {
    /// Most people that are read.
    pub const PEOPLE_MAX: usize = 2_000;

    /// Most pictures of one person that are read.
    pub const PICTURES_MAX: usize = 8;

    /// Reads `folder/<person>/<picture>.{jpg,jpeg,png}` in the order of the names. Each picture is fitted whole into a frame.
    ///
    /// # Errors
    /// [`PracticeError::NoPeople`] when no person has a readable picture.
    pub fn load(folder: &Path) -> Result<Self, PracticeError> {
        let (mut people, mut skipped) = (vec![], 0);
        for person in entries(folder).into_iter().filter(|path| path.is_dir()).take(Self::PEOPLE_MAX) {
            let files: Vec<PathBuf> = entries(&person).into_iter().filter(|path| is_picture(path)).collect();
            let pictures: Vec<RgbImage> = files.iter().take(Self::PICTURES_MAX).filter_map(|path| fit(path)).collect();
            skipped += files.len().min(Self::PICTURES_MAX) - pictures.len();
            if !pictures.is_empty() {
                people.push(Person::new(format!("Person {:04}", people.len() + 1), pictures));
            }
        }
        if people.is_empty() {
            return Err(PracticeError::NoPeople(folder.display().to_string()));
        }
        Ok(Self { people, skipped })
    }

    /// The people, numbered in the order of their folders.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Gives the people away.
    pub fn into_people(self) -> Vec<Person> {
        self.people
    }

    /// How many pictures could not be read.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    path.is_file() && matches!(ending.as_str(), "jpg" | "jpeg" | "png")
}

/// The whole picture in the middle of a frame, grey around it.
fn fit(path: &Path) -> Option<RgbImage> {
    let picture = decode(&std::fs::read(path).ok()?)?;
    let (w, h) = (i64::from(picture.width()), i64::from(picture.height()));
    let (frame_w, frame_h) = if w * 3 > h * 4 { (w, (w * 3 + 2) / 4) } else { ((h * 4 + 1) / 3, h) };
    place(&picture, [(w - frame_w) / 2, (h - frame_h) / 2, frame_w, frame_h], [0, 0, w, h])
}

#[cfg(test)]
mod tests {
    use super::super::{Variant, picture_frame};
    use super::*;

    #[test]
    fn people_come_from_folders_and_their_names_stay_there() {
        let folder = tempfile::tempdir().unwrap();
        for (name, files) in [("zhang_san", ["1.png", "2.png"]), ("li_si", ["a.png", "broken.jpg"])] {
            let person = folder.path().join(name);
            std::fs::create_dir(&person).unwrap();
            for file in files {
                if file.ends_with("png") {
                    RgbImage::from_pixel(250, 250, image::Rgb([200, 10, 10])).save(person.join(file)).unwrap();
                } else {
                    std::fs::write(person.join(file), b"no picture").unwrap();
                }
            }
        }
        std::fs::write(folder.path().join("notes.txt"), "not a person").unwrap();
        let loaded = LabelledFolder::load(folder.path()).unwrap();
        assert_eq!(loaded.skipped(), 1);
        let people = loaded.into_people();
        let labels: Vec<&str> = people.iter().map(Person::label).collect();
        assert_eq!(labels, ["Person 0001", "Person 0002"]);
        assert_eq!((people[0].pictures(), people[1].pictures()), (1, 2), "in the order of the folders' names");
        assert!(!format!("{people:?}").contains("zhang"));
        let frame = picture_frame(&people[0], Variant::Plain, 0);
        let at = |x: usize| frame.rgb()[(240 * 640 + x) * 3 + 1];
        assert!(at(20).abs_diff(128) < 8 && at(320) < 20, "a square picture stands in the middle of the frame");
    }

    #[test]
    fn an_empty_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(LabelledFolder::load(folder.path()), Err(PracticeError::NoPeople(_))));
        assert!(matches!(LabelledFolder::load(Path::new("/nowhere")), Err(PracticeError::NoPeople(_))));
    }
}
