//! Cameras as the kernel lists them; none is opened. A camera that is a program could play a picture (rule L2).

use super::linux::Root;
use crate::domain::posture::{CameraSeen, Reading, SERIAL};

/// Parts of names of programs that pose as a camera, in lower case.
const POSING: [&str; 12] = [
    "loopback",
    "obs virtual",
    "obs-camera",
    "dummy video",
    "droidcam",
    "iriun",
    "vcam",
    "virtual",
    "vivid",
    "scrcpy",
    "akvcam",
    "manycam",
];

/// Every camera, without the second nodes that cameras have for their own data.
pub(super) fn seen(root: &Root) -> Reading<Vec<CameraSeen>> {
    if !root.has("/sys/class") {
        return Reading::Unread;
    }
    let folder = "/sys/class/video4linux";
    let mut nodes = root.names(folder);
    nodes.sort();
    let camera = |node: &String| {
        let first = root.read(&format!("{folder}/{node}/index")).is_none_or(|index| index.trim() == "0");
        let name = root.read(&format!("{folder}/{node}/name")).unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
        // ../../devices/pci0000:00/…/1-2:1.0/video4linux/video0
        let link = root.link(&format!("{folder}/{node}")).unwrap_or_default();
        let mut place = link.split("/video4linux/").next().unwrap_or_default().trim_start_matches("../").to_owned();
        // …/1-2/serial: of the device, two folders above the interface that makes the pictures. Many cameras have none.
        if let Some(serial) = root.read(&format!("{folder}/{node}/../../../serial")).and_then(|text| serial(&text)) {
            place = format!("{place}{SERIAL}{serial}");
        }
        let lower = name.to_lowercase();
        let is_virtual = link.contains("/devices/virtual/") || POSING.iter().any(|p| lower.contains(p));
        let name = if name.trim().is_empty() { node.clone() } else { name.trim().to_owned() };
        first.then_some(CameraSeen { name, place, is_virtual })
    };
    Reading::Seen(nodes.iter().filter(|n| n.starts_with("video")).filter_map(camera).collect())
}

/// A serial number as the device states it; `None` for one that says nothing.
fn serial(text: &str) -> Option<String> {
    let serial: String = text.trim().chars().filter(|c| !c.is_control() && *c != '/').take(64).collect();
    serial.chars().any(|c| c != '0' && c.is_alphanumeric()).then_some(serial)
}
