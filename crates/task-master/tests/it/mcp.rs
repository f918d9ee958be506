//! The server as its clients have it: the real binary, spoken to over standard input and output.

mod agents;
mod asking;
mod autopilot;
mod client;
mod dependencies;
mod http;
mod keeping;
mod lifecycle;
mod listing;
mod planning;
mod reading;
mod sampling;
mod setup;
mod structure;
mod tags;
