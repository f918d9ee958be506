//! The protocols of model servers, as pure functions between bytes and what they mean.
//!
//! [`serve`] is what clients ask of us.

pub mod serve;
