//! The crate from outside, with scripted models and servers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chaos;
mod discover;
mod embed;
mod failover;
mod loading;
mod malicious;
mod remote;
mod rerank;
mod silence;
mod structured;
mod window;
