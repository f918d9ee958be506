//! What the product does with tasks and models.
//!
//! A CLI command, an MCP tool and an HTTP route are thin callers of the functions here. Nothing
//! here prints, reads the environment or knows which backend answers.

pub mod agent;
pub mod asking;
pub mod autopilot;
pub mod context;
pub mod embedding;
pub mod escalation;
pub mod evaluate;
pub mod event;
mod language;
pub mod plan;
pub mod prompts;
pub mod recover;
pub mod reranking;
pub mod research;
mod wording;
