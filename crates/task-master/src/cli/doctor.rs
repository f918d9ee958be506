//! `doctor`: what this machine can do, and which requests it answers soon enough.
//!
//! Speeds are measured with the model that would answer; nothing is guessed. A class that is missed
//! is said to be, with the speed that it would take.

use serde::Serialize;
use tm_llm::backend::Backend;

use crate::{
    app::App,
    backend::{self, InProcess},
    calibration,
    report::{
        Report, progress_line,
        text::{BOLD, DIM, GREEN, RED, Text},
    },
    speed,
};

/// Say what this machine can do with its model, and how soon
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: one of `models list`, or a GGUF file
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A short question and its short answer: 200 new tokens at most, and 32 written.
const SIMPLE_S: f64 = 3.0;
/// A generation of several parts, up to the first that can be used.
const COMPLEX_S: f64 = 10.0;
const SIMPLE_PROMPT: f64 = 200.0;
const SIMPLE_ANSWER: f64 = 32.0;

#[derive(Debug, Serialize)]
struct Findings {
    host: String,
    model: String,
    calibrated: bool,
    reading: f64,
    writing: f64,
    classes: Vec<Class>,
}

/// A kind of request, and how long one took.
#[derive(Debug, Serialize)]
struct Class {
    name: &'static str,
    about: &'static str,
    took_s: f64,
    limit_s: f64,
    meets: bool,
    /// How many times as fast the model would have to be.
    times: f64,
}

/// Runs `doctor`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let model = backend::in_process(&app.environment, args.model.as_deref())?;
    let calibrated = calibration::read(&app.environment, model.identity()).is_some();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (reading, writing, classes) = runtime.block_on(measure(&model))?;
    let host = calibration::host();
    let model = model.id().to_owned();
    let findings = Findings { host, model, calibrated, reading, writing, classes };
    if args.json {
        report.json(&findings);
    } else {
        print(&findings, report);
    }
    Ok(())
}

async fn measure(model: &InProcess) -> anyhow::Result<(f64, f64, Vec<Class>)> {
    progress_line("loading the model");
    let backend = model.load(None).await?;
    progress_line("asking");
    let excerpt: String = speed::DOCUMENT.chars().take(1600).collect();
    let reading = speed::reading(&*backend, &excerpt, "speed").await?;
    let writing = speed::writing(&*backend, 48, "speed").await?;
    let mut simple = Vec::new();
    for run in 0..3 {
        simple.push(short_answer(&*backend, run).await?);
    }
    let simple = speed::median(&simple).unwrap_or(f64::INFINITY);
    let complex = first_part(&*backend).await?;
    let class = |name, about: &'static str, limit_s: f64, took_s: f64| {
        let (meets, times) = (took_s <= limit_s, took_s / limit_s);
        Class { name, about, took_s, limit_s, meets, times }
    };
    let classes = vec![
        class("simple", "200 new tokens read, 32 written", SIMPLE_S, simple),
        class("complex", "a new document, up to its first subtasks", COMPLEX_S, complex),
    ];
    Ok((reading, writing, classes))
}

/// A prompt of 200 tokens that nobody has read, and 32 tokens of answer, in seconds; what the
/// prompt's tokens come to is corrected by the measured speed.
async fn short_answer(backend: &dyn Backend, run: u32) -> anyhow::Result<f64> {
    let excerpt: String = speed::DOCUMENT.chars().take(620).collect();
    let nonce = format!("{run} short");
    let mut request = speed::about(&excerpt, &nonce, "List in prose all that has to be built.");
    request.max_tokens = 32;
    let timed = speed::timed(backend, request).await?;
    let usage = timed.answer.usage;
    let read = f64::from(usage.prompt_tokens.saturating_sub(usage.cached_tokens).max(1));
    let written = f64::from(usage.completion_tokens.saturating_sub(1).max(1));
    let after = timed.whole.saturating_sub(timed.first).as_secs_f64();
    Ok(timed.first.as_secs_f64() / read * SIMPLE_PROMPT + after / written * (SIMPLE_ANSWER - 1.0))
}

/// A document that nobody has read, up to the end of the first answer of four that are written
/// together, in seconds.
async fn first_part(backend: &dyn Backend) -> anyhow::Result<f64> {
    let answers = speed::TASKS.iter().take(4).map(|task| {
        let request = speed::division(speed::DOCUMENT, "parts", task);
        Box::pin(speed::timed(backend, request))
    });
    let (first, ..) = futures_util::future::select_ok(answers).await?;
    Ok(first.whole.as_secs_f64())
}

fn print(findings: &Findings, report: &mut Report) {
    let Findings { host, model, calibrated, reading, writing, .. } = findings;
    report.line(Text::styled(BOLD, model).and(DIM, &format!("  on {host}")));
    report.line(format!("reads {reading:.0} tokens/s, writes {writing:.1} tokens/s"));
    report.blank();
    for Class { name, about, took_s, limit_s, meets, times } in &findings.classes {
        let verdict = if *meets { Text::styled(GREEN, "✓ ") } else { Text::styled(RED, "✗ ") };
        let missed = if *meets {
            String::new()
        } else {
            format!("; it takes a model or a machine {times:.1} times as fast")
        };
        let line = format!("{name} ({about}): {took_s:.1} s of {limit_s:.0} s{missed}");
        report.line(verdict.and(crate::report::text::PLAIN, &line));
    }
    if !calibrated {
        report.blank();
        report.suggest("task-master bench host", "how the model runs best here");
    }
}
