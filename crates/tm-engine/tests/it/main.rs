//! What an engine promises, seen from outside, with a real model of 135 million parameters.
//!
//! The model's answers are nonsense, so the tests look at everything but their sense. Without the
//! model's file the tests that need it say so loudly and pass.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, and says what it skips"
)]

mod adapters;
mod answers;
mod embedding;
mod files;
mod keeping;
mod sharing;
mod soak;
mod stopping;
mod tokens;

use std::{
    env,
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::Value;
use tm_engine::{Engine, EngineOptions};
use tm_llm::{
    backend::{BackendError, complete},
    chat::{ChatRequest, Completion, Message, Sampling},
};

const FILE: &str = "task-master/models/smollm2-135m-instruct-q4_1.gguf";

/// The test model's file; `None`, and a line that says so, where it was not fetched.
fn model_file() -> Option<PathBuf> {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = || env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    let path = env::var_os("TASK_MASTER_TEST_MODEL")
        .map(PathBuf::from)
        .or_else(|| data().map(|data| data.join(FILE)))?;
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no test model at {}", path.display());
    None
}

fn engine(parallel: u32) -> Option<Engine> {
    let options = EngineOptions { parallel, ..EngineOptions::default() };
    Some(Engine::load(&model_file()?, &options).unwrap())
}

fn request(user: &str, schema: Option<Value>, max_tokens: u32) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::system("You are a planner."), Message::user(user)],
        response_schema: schema,
        sampling: Sampling::default(),
        max_tokens,
        // Nothing here is about speed: a busy machine may take as long as it wants.
        deadline: Instant::now() + Duration::from_mins(20),
    }
}

async fn ask(engine: &Engine, request: ChatRequest) -> Result<Completion, BackendError> {
    complete(engine, request, &|_| {}).await
}

/// A text of about `words` words and no two parts alike.
fn document(words: usize) -> String {
    let words: Vec<_> = (0..words).map(|word| format!("item{word}")).collect();
    words.join(" ")
}

/// Long enough that nobody waits for its end.
fn endless(user: &str) -> ChatRequest {
    let schema = serde_json::json!({
        "type": "array", "items": { "type": "integer" }, "minItems": 3000, "maxItems": 3000
    });
    request(user, Some(schema), 4000)
}
