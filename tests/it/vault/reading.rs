//! How notices were read.

use menka::domain::Realm;
use menka::domain::id::ShowingId;
use menka::domain::reading::Reading;
use menka::vault::VaultError;

use super::site::*;

#[test]
fn p17b_times_on_screen_are_kept_with_the_showing_and_only_grow() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    assert_eq!(vault.reading(reader.showing).unwrap(), None);
    let first =
        Reading { sections_ms: vec![4_000, 9_000, 500], letters_percent: 150, high_contrast: true, read_aloud: true };
    vault.record_reading(reader.showing, &first).unwrap();
    assert_eq!(vault.reading(reader.showing).unwrap(), Some(first));
    let later = Reading { sections_ms: vec![5_000, 1], letters_percent: 100, high_contrast: false, read_aloud: false };
    vault.record_reading(reader.showing, &later).unwrap();
    let kept =
        Reading { sections_ms: vec![5_000, 9_000, 500], letters_percent: 100, high_contrast: false, read_aloud: true };
    assert_eq!(vault.reading(reader.showing).unwrap(), Some(kept));
    let strange = ShowingId::from_bytes([9; 16]);
    assert_eq!(vault.record_reading(strange, &later).unwrap_err(), VaultError::Unknown);
    assert_eq!(vault.reading(strange).unwrap(), None);
}
