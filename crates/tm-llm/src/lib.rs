//! Everything said to a language model.
//!
//! Knows nothing of tasks or of llama.cpp: a backend is whatever implements
//! [`backend::Backend`]. Start at [`chat`] for what is asked, [`backend`] for who answers,
//! [`structured`] for answers that must fit a JSON Schema, [`failover`] for several models that
//! stand in for each other, [`cache`] for answers that were given before, [`fleet`] for what
//! several processes share, [`provider`] and
//! [`dialect`] for servers, and [`catalogue`] and [`fetch`] for the models that run on this machine.

pub mod backend;
pub mod cache;
pub mod catalogue;
pub mod chat;
pub mod dialect;
pub mod discover;
pub mod egress;
pub mod embed;
pub mod failover;
pub mod fetch;
pub mod fleet;
pub mod loading;
pub mod provider;
pub mod rollout;
pub mod servers;
pub mod structured;
pub mod tokens;
