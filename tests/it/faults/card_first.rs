//! A gate beyond the site's limit for looking one face up among all: the whole way from enrollment to the door.

use std::time::{Duration, Instant};

use menka::practice::PracticeAct;

use super::{site, uid};

// Shows: P08
#[test]
fn where_too_many_are_held_the_try_is_made_with_the_own_template_and_a_card_comes_first_at_the_door() {
    let mut site = site(1);
    std::fs::write(site.folder.path().join("gate0/gate.toml"), "[faces]\nstrangers_in_max = 0.0").unwrap();
    let address = site.gates[0].address.clone();
    site.gates[0].restart(&address).unwrap();
    site.resident("周", 0);
    site.drive.controls.act(PracticeAct::Seat(0));
    assert!(site.drive.enroll(0).unwrap(), "known at the try, compared with the own template only");
    assert_eq!(site.gates[0].faces().unwrap(), 1);

    // The gate says so, the station tells it whose card comes first.
    let hex: String = uid(0).bytes().iter().map(|b| format!("{b:02x}")).collect();
    let both = |person: usize| format!("both 0x{hex} {person}");
    let begun = Instant::now();
    while site.gates[0].ask(&both(0)).unwrap() != "recognised" {
        assert!(begun.elapsed() < Duration::from_secs(60), "the station tells the gate which card stands for whom");
        site.drive.deliver().unwrap();
        site.drive.tick();
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(site.drive.gates[0].card_first, "and staff see it");
    assert_eq!(site.gates[0].ask("look 0").unwrap(), "CardFirst", "nobody is looked up among all");
    assert_eq!(site.gates[0].ask(&both(1)).unwrap(), "unknown", "somebody else with this card");
    site.assert_card_opens(0);
}
