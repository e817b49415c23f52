//! The one integration binary.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

mod capture;
mod cards;
mod day;
mod deletion;
mod duties;
mod face;
mod faults;
mod gate;
mod guardian;
mod law;
mod layering;
mod machine;
mod model;
mod notice;
mod notice_site;
mod operators;
mod posture;
mod practice;
mod relay;
mod rights;
mod roles;
mod templates;
mod trace;
mod ui_duties;
mod ui_evidence;
mod ui_guardian;
mod ui_machine;
mod ui_notice;
mod ui_operators;
mod ui_pages;
mod ui_relay;
mod ui_resident;
mod ui_rights;
mod ui_staff;
mod unable;
mod vault;
