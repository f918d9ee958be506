//! Test fixtures.
//!
//! [`model`] is a model that plays a script, faults included, and [`server`] an HTTP server that
//! does the same; [`redis`] is a Redis server, [`qdrant`] does as a Qdrant server does; [`pdf`] writes documents. Only tests may depend on this
//! crate.

pub mod model;
pub mod pdf;
pub mod qdrant;
pub mod redis;
pub mod server;
