//! Test fixtures.
//!
//! [`model`] is a model that plays a script, faults included. Only tests may depend on this
//! crate.

pub mod model;
