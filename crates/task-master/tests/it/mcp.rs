//! The server as its clients have it: the real binary, spoken to over standard input and output.

mod autopilot;
mod client;
mod dependencies;
mod lifecycle;
mod listing;
mod planning;
mod reading;
mod setup;
mod structure;
mod tags;
