//! The webcam adapter as the desk sees it. Real V4L2 devices are checked in the camera VM (`make test-camera`).
#![cfg(feature = "camera")]

use std::time::{Duration, Instant};

use menka::capture::{Webcam, jpeg, pixels};
use menka::ports::Camera;

#[test]
fn f08b_without_consent_there_is_no_way_to_a_frame() {
    let mut camera = Webcam::new();
    camera.choose("whatever");
    let start = Instant::now();
    let cameras = camera.cameras();
    assert!(start.elapsed() < Duration::from_secs(3), "the list took {:?}", start.elapsed());
    for found in &cameras {
        assert!(!found.id.is_empty() && !found.name.is_empty());
    }
    assert!(camera.newest().is_ok_and(|frame| frame.is_none()), "a camera that was never opened has no frame");
    camera.close();
    assert!(camera.newest().is_ok_and(|frame| frame.is_none()));
}

#[test]
fn a_header_of_a_hundred_megapixels_is_refused_without_a_hundred_megapixels_of_memory() {
    let mut bytes = vec![];
    image::codecs::jpeg::JpegEncoder::new(&mut bytes)
        .encode(&vec![77; 640 * 480 * 3], 640, 480, image::ExtendedColorType::Rgb8)
        .expect("a picture");
    assert!(jpeg::decode(&bytes).is_ok());
    let size = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a size") + 5;
    bytes[size..size + 4].copy_from_slice(&[0x23, 0x28, 0x2E, 0xE0]);
    let before = resident_kib();
    for _ in 0..50 {
        assert_eq!(jpeg::decode(&bytes).map(|_| ()), Err(jpeg::JpegError::Size), "9,000 x 12,000");
    }
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        assert!(after < before + 50_000, "{before} KiB to {after} KiB");
    }
    assert!(!pixels::size_is_sound(12_000, 9_000));
}

/// Memory of this process, where the system tells.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}
