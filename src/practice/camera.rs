//! A camera without a camera: plays the person who is seated, 30 frames a second, and fails when told to.

use std::time::Instant;

use super::FRAMES_PER_SECOND;
use super::people::Person;
use super::picture::{Variant, dark, picture_frame, room, together};
use super::tools::{Controls, Seated};
use crate::domain::consent::{ConsentGranted, DoorWatch};
use crate::domain::permit::CameraPermit;
use crate::ports::{Camera, CameraError, CameraInfo, DoorCamera};
use crate::secret::Frame;

/// The practice camera.
pub struct PictureCamera {
    people: Vec<Person>,
    controls: Controls,
    variant: Variant,
    stream: Option<Stream>,
}

/// One opening.
struct Stream {
    began: Instant,
    heard: Instant,
    /// Number of the last frame that was handed out.
    last: Option<u64>,
    /// Which plugging it belongs to.
    plug: u64,
    lost: Option<CameraError>,
}

impl PictureCamera {
    /// A camera that sees these people, as the controls seat them.
    pub fn new(people: Vec<Person>, controls: Controls) -> Self {
        Self { people, controls, variant: Variant::Plain, stream: None }
    }

    /// How the people look from now on (a second visit: [`Variant::Probe`]).
    pub fn show(&mut self, variant: Variant) {
        self.variant = variant;
    }

    /// The people whom the controls can seat, by their numbers.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The way in below the port, without proofs. Private: the two ports are its only callers outside tests.
    fn begin(&mut self) -> Result<(), CameraError> {
        self.stream = None;
        let devices = self.controls.lock();
        if !devices.camera_plugged {
            return Err(CameraError::None);
        }
        let now = Instant::now();
        self.stream = Some(Stream { began: now, heard: now, last: None, plug: devices.camera_plugs, lost: None });
        Ok(())
    }

    fn person(&self, number: usize) -> Option<&Person> {
        // Numbers beyond the last start again, so that "the next person" always exists.
        self.people.get(number.checked_rem(self.people.len())?)
    }

    fn frame(&self, seated: Seated, n: u64) -> Frame {
        let one = |number| self.person(number).map_or_else(|| room(n), |p| picture_frame(p, self.variant, n));
        match seated {
            Seated::Nobody => room(n),
            Seated::One(number) => one(number),
            Seated::Dark(number) => dark(&one(number)),
            Seated::Two(number) => match (self.person(number), self.person(number + 1)) {
                (Some(left), Some(right)) => together(left, right, n),
                _ => room(n),
            },
        }
    }
}

impl Camera for PictureCamera {
    fn cameras(&mut self) -> Vec<CameraInfo> {
        let plugged = self.controls.lock().camera_plugged;
        let info = || CameraInfo { id: "practice-camera".into(), name: "Practice camera".into() };
        plugged.then(info).into_iter().collect()
    }

    fn choose(&mut self, _id: &str) {}

    fn open(&mut self, _consent: &ConsentGranted, _permit: &CameraPermit) -> Result<(), CameraError> {
        self.begin()
    }

    fn newest(&mut self) -> Result<Option<Frame>, CameraError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let devices = self.controls.lock();
        if !devices.camera_plugged || devices.camera_plugs != stream.plug {
            stream.lost.get_or_insert(CameraError::Unplugged);
        } else if stream.heard.elapsed() >= SILENCE_MAX && devices.camera_stalled {
            stream.lost.get_or_insert(CameraError::Stalled);
        }
        if let Some(error) = &stream.lost {
            return Err(error.clone());
        }
        let n = stream.began.elapsed().as_millis() as u64 * u64::from(FRAMES_PER_SECOND) / 1_000;
        if devices.camera_stalled || stream.last == Some(n) {
            return Ok(None);
        }
        stream.last = Some(n);
        stream.heard = Instant::now();
        let seated = devices.seated();
        drop(devices);
        Ok(Some(self.frame(seated, n)))
    }

    fn close(&mut self) {
        self.stream = None;
    }
}

/// At the door of a practice gate.
impl DoorCamera for PictureCamera {
    fn start(&mut self, _watch: &DoorWatch) -> Result<(), CameraError> {
        self.begin()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, CameraError> {
        self.newest()
    }

    fn stop(&mut self) {
        self.close();
    }
}

/// As with real cameras: two seconds without a frame are a stall.
const SILENCE_MAX: std::time::Duration = std::time::Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::PracticeAct;
    use super::super::picture::somebody;
    use super::*;

    fn camera() -> (PictureCamera, Controls) {
        let controls = Controls::new();
        (PictureCamera::new(vec![somebody(20), somebody(220)], controls.clone()), controls)
    }

    fn next(camera: &mut PictureCamera) -> Result<Frame, CameraError> {
        let start = Instant::now();
        loop {
            if let Some(frame) = camera.newest()? {
                return Ok(frame);
            }
            assert!(start.elapsed() < Duration::from_secs(5), "no frame");
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    fn red(frame: &Frame, x: usize) -> u8 {
        frame.rgb()[(240 * 640 + x) * 3]
    }

    #[test]
    fn f08b_a_closed_camera_is_dark() {
        let (mut camera, _) = camera();
        assert!(camera.newest().unwrap().is_none());
        camera.begin().unwrap();
        assert!(next(&mut camera).is_ok());
        camera.close();
        std::thread::sleep(Duration::from_millis(50));
        assert!(camera.newest().unwrap().is_none());
    }

    #[test]
    fn it_sees_whoever_is_seated() {
        let (mut camera, controls) = camera();
        camera.begin().unwrap();
        assert!(red(&next(&mut camera).unwrap(), 320).abs_diff(20) <= 3);
        controls.act(PracticeAct::Seat(1));
        assert!(red(&next(&mut camera).unwrap(), 320).abs_diff(220) <= 3);
        controls.act(PracticeAct::Dark);
        assert!(red(&next(&mut camera).unwrap(), 320) < 40);
        controls.act(PracticeAct::Seat(0));
        controls.act(PracticeAct::TwoPeople);
        let both = next(&mut camera).unwrap();
        assert!(red(&both, 100).abs_diff(20) <= 3 && red(&both, 500).abs_diff(220) <= 3);
        controls.act(PracticeAct::Nobody);
        let wall = next(&mut camera).unwrap();
        assert!(wall.rgb()[3..].iter().all(|value| (110..140).contains(value)));
    }

    #[test]
    fn it_hands_out_about_thirty_frames_a_second_and_each_once() {
        let (mut camera, _) = camera();
        camera.begin().unwrap();
        let _ = next(&mut camera);
        let (start, mut frames) = (Instant::now(), 0u32);
        while start.elapsed() < Duration::from_secs(1) {
            frames += u32::from(camera.newest().unwrap().is_some());
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(frames <= 31, "never faster than a camera: {frames}");
        assert!(frames >= 3, "{frames}");
    }

    #[test]
    fn unplugged_it_is_lost_until_it_is_plugged_in_and_opened_again() {
        let (mut camera, controls) = camera();
        camera.begin().unwrap();
        assert_eq!(camera.cameras().len(), 1);
        controls.act(PracticeAct::UnplugCamera);
        assert_eq!(next(&mut camera).unwrap_err(), CameraError::Unplugged);
        assert!(camera.cameras().is_empty());
        controls.act(PracticeAct::PlugCamera);
        assert_eq!(next(&mut camera).unwrap_err(), CameraError::Unplugged, "the old opening stays lost");
        camera.begin().unwrap();
        assert!(next(&mut camera).is_ok());
        controls.act(PracticeAct::UnplugCamera);
        assert_eq!(camera.begin().unwrap_err(), CameraError::None);
    }

    #[test]
    fn a_silent_camera_is_stalled_after_two_seconds() {
        let (mut camera, controls) = camera();
        camera.begin().unwrap();
        let before_the_last_frame = Instant::now();
        assert!(next(&mut camera).is_ok());
        controls.act(PracticeAct::StallCamera);
        assert_eq!(next(&mut camera).unwrap_err(), CameraError::Stalled);
        assert!(before_the_last_frame.elapsed() >= SILENCE_MAX);
        controls.act(PracticeAct::PlugCamera);
        camera.begin().unwrap();
        assert!(next(&mut camera).is_ok());
    }
}
