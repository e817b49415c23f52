//! Menka (门卡): enrollment station for the front desk. Layers, from the ground up; the map is in ARCHITECTURE.md.

pub mod secret;

pub mod domain;
#[cfg(feature = "ui")]
pub mod i18n;

pub mod evidence;
pub mod notice;
pub mod wire;

pub mod ports;
pub mod vault;

pub mod boards;
#[cfg(feature = "camera")]
pub mod capture;
#[cfg(feature = "cards")]
pub mod cards;
pub mod chip;
#[cfg(feature = "face")]
pub mod face;
pub mod lan;
mod network;
pub mod paper;
pub mod posture;
pub mod printing;
pub mod speech;

pub mod app;
pub mod gate;

#[cfg(feature = "practice")]
pub mod practice;
#[cfg(feature = "ui")]
pub mod ui;
