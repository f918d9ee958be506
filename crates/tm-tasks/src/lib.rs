//! Tasks, tags, dependencies, requirement outlines and the files they live in.
//!
//! Pure and synchronous: nothing here knows about models, networks or terminals, reads the
//! environment or asks for the time. Start at [`project`] for where the files are, [`store`] for
//! reading and changing them safely, [`document`] for what is in them, [`graph`] for what
//! depends on what.

pub mod add;
pub mod complexity;
pub mod config;
pub mod dependencies;
pub mod diff;
pub mod digest;
pub mod divide;
pub mod document;
pub mod generate;
pub mod graph;
pub mod id;
pub mod json;
pub mod notes;
pub mod plan;
pub mod prd;
pub mod project;
pub mod readme;
pub mod references;
pub mod related;
pub mod relocate;
pub mod remove;
pub mod revise;
pub mod scope;
pub mod script;
mod settings;
pub mod state;
pub mod status;
pub mod store;
pub mod tags;
pub mod task;
pub mod threads;
pub mod timestamp;
