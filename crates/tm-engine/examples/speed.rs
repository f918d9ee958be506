//! How fast an engine is with a model on this machine.
//!
//! `cargo run --release -p tm-engine --example speed -- MODEL.gguf [THREADS]`. The figures mean
//! little while anything else is running: threads wait for each other at every layer.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::{
    env,
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future;
use serde_json::{Value, json};
use tm_engine::{Engine, EngineOptions};
use tm_llm::{
    backend::{Backend as _, BackendError, complete},
    chat::{ChatRequest, Completion, Message, Sampling, Usage},
};

const ABOUT: &str = "A shop for second-hand books. Customers search by title, author and price, \
    put books into a basket and pay by card. Sellers register, upload photographs, describe the \
    state of a book and set a price. Staff approve sellers, answer questions and refund payments. \
    Everything is stored in PostgreSQL and served by axum; pages are rendered on the server. ";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("usage: speed MODEL.gguf [THREADS]")?;
    let path = Path::new(&path);
    let threads = env::args().nth(2).map(|threads| threads.parse()).transpose()?;
    let started = Instant::now();
    let engine = open(path, threads, false)?;
    println!("{:?}, loaded in {:.1} s", engine.info(), started.elapsed().as_secs_f64());

    let document = ABOUT.repeat(7);
    let cold = ask(&engine, request(&format!("{document} What is first?"), None, 1)).await?;
    report_prefill("prompt, new", cold.usage);
    let kept = ask(&engine, request(&format!("{document} What is last?"), None, 1)).await?;
    report_prefill("prompt, kept start", kept.usage);
    for together in [1, 2, 4, 8] {
        measure_together(&engine, together).await?;
    }
    drop(engine);
    for speculate in [false, true] {
        let engine = open(path, threads, speculate)?;
        let plan = ask(&engine, request(&format!("{ABOUT} Plan it."), Some(plan()), 900)).await?;
        let name = if speculate { "plan, guessing ahead" } else { "plan" };
        report_decode(name, plan.usage.completion_tokens, plan.usage.decode);
    }
    Ok(())
}

fn open(path: &Path, threads: Option<u32>, speculate: bool) -> Result<Engine, BackendError> {
    let options = EngineOptions { parallel: 8, threads, speculate, ..EngineOptions::default() };
    Engine::load(path, &options)
}

async fn measure_together(engine: &Engine, together: u32) -> Result<(), BackendError> {
    // Longer than it may get, so that all of them have as many tokens.
    let text = json!({ "type": "string", "minLength": 4000 });
    let requests = (0..together).map(|number| {
        ask(engine, request(&format!("Tell story number {number}."), Some(text.clone()), 64))
    });
    let answers = future::try_join_all(requests).await?;
    let tokens = answers.iter().map(|answer| answer.usage.completion_tokens).sum();
    let time = answers.iter().map(|answer| answer.usage.decode).max().unwrap_or_default();
    report_decode(&format!("{together} together"), tokens, time);
    Ok(())
}

fn report_prefill(name: &str, usage: Usage) {
    let read = usage.prompt_tokens - usage.cached_tokens;
    let time = usage.prefill.as_secs_f64();
    let speed = f64::from(read) / time;
    println!("{name}: {read} of {} tokens in {time:.2} s, {speed:.1}/s", usage.prompt_tokens);
}

fn report_decode(name: &str, tokens: u32, time: Duration) {
    let time = time.as_secs_f64();
    println!("{name}: {tokens} tokens in {time:.2} s, {:.1}/s", f64::from(tokens) / time);
}

fn request(user: &str, schema: Option<Value>, max_tokens: u32) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::system("You are a planner."), Message::user(user)],
        response_schema: schema,
        sampling: Sampling { temperature: 0.0, ..Sampling::default() },
        max_tokens,
        deadline: Instant::now() + Duration::from_mins(10),
    }
}

async fn ask(engine: &Engine, request: ChatRequest) -> Result<Completion, BackendError> {
    complete(engine, request, &|_| {}).await
}

/// Six tasks with everything that a task list has.
fn plan() -> Value {
    let text = |most: u32| json!({ "type": "string", "minLength": 10, "maxLength": most });
    let task = |id: u32| {
        json!({
            "type": "object",
            "properties": {
                "id": { "const": id },
                "title": text(80),
                "description": text(240),
                "priority": { "enum": ["high", "medium", "low"] },
                "details": text(400),
                "testStrategy": text(240)
            },
            "required": ["id", "title", "description", "priority", "details", "testStrategy"],
            "additionalProperties": false
        })
    };
    let tasks: Vec<_> = (1..=6).map(task).collect();
    json!({
        "type": "object",
        "properties": { "tasks": {
            "type": "array", "prefixItems": tasks, "items": false, "minItems": 6, "maxItems": 6
        } },
        "required": ["tasks"],
        "additionalProperties": false
    })
}
