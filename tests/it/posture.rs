//! The machine under the desk, end to end: a real-realm desk over a prepared machine, in a network namespace without a way out.

mod doctor;
mod kept;
mod machine;
mod network;
mod real;
mod watched;
