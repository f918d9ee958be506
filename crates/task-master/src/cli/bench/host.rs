//! `bench host`: how a model runs best on this machine, kept for the commands that load it.
//!
//! Threads first, then the size of the steps in which prompts are read. A step may take two seconds
//! and no longer: a request that is cancelled waits for its end.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use tm_llm::backend::Backend;

use crate::{
    app::App,
    backend::{self, InProcess, Tuning},
    calibration::{self, Calibration},
    report::{
        Report, progress_line,
        table::Table,
        text::{DIM, GREEN, Text},
    },
    speed,
};

/// Find out how a model runs best on this machine, and keep it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: one of `models list`, or a GGUF file
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const BATCHES: [u32; 3] = [64, 128, 256];
/// The longest a step may take.
const STEP_S: f64 = 2.0;
/// What is gained has to be more than what two runs differ by.
const WORTH: f64 = 1.03;

/// One way to run the model, and its speed.
#[derive(Debug, Clone, Copy, serde::Serialize)]
struct Tried {
    threads: u32,
    batch_tokens: u32,
    reading: f64,
    writing: f64,
}

impl Tried {
    /// Seconds that a usual request takes: a prompt of 512 tokens and an answer of 128.
    fn usual_s(&self) -> f64 {
        512.0 / self.reading + 128.0 / self.writing
    }
}

/// Runs `bench host`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let model = backend::in_process(&app.environment, args.model.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (tried, best, four) = runtime.block_on(search(&model))?;
    let calibration = Calibration {
        model: model.id().to_owned(),
        identity: model.identity().to_owned(),
        host: calibration::host(),
        at: app.now.to_string(),
        threads: best.threads,
        batch_tokens: best.batch_tokens,
        reading: best.reading,
        writing: best.writing,
        writing_four: four,
    };
    let path = calibration::keep(&app.environment, &calibration)?;
    if args.json {
        report.json(&calibration);
        return Ok(());
    }
    let mut table =
        Table::new(&["threads", "tokens a step", "reads, tokens/s", "writes, tokens/s", ""], "");
    for one in tried {
        let is_best = (one.threads, one.batch_tokens) == (best.threads, best.batch_tokens);
        table.push(vec![
            Text::plain(&one.threads.to_string()),
            Text::plain(&one.batch_tokens.to_string()),
            Text::plain(&format!("{:.1}", one.reading)),
            Text::plain(&format!("{:.1}", one.writing)),
            Text::styled(GREEN, if is_best { "taken" } else { "" }),
        ]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
    report.blank();
    report
        .line(format!("{} writes {four:.1} tokens/s in four answers together", calibration.model));
    report.line(Text::styled(DIM, &format!("kept in {}", path.display())));
    Ok(())
}

/// Everything that was tried, the best of it, and its speed with four answers together.
async fn search(model: &InProcess) -> anyhow::Result<(Vec<Tried>, Tried, f64)> {
    let usual = 128;
    let mut tried = Vec::new();
    for threads in threads() {
        tried.push(attempt(model, threads, usual).await?);
    }
    let mut best = better(&tried)?;
    for batch in BATCHES.into_iter().filter(|it| *it != usual) {
        if f64::from(batch) / best.reading <= STEP_S {
            tried.push(attempt(model, best.threads, batch).await?);
        }
    }
    best = better(&tried)?;
    let backend = model.load(Some(tuning(best.threads, best.batch_tokens))).await?;
    let four = together(&*backend).await?;
    Ok((tried, best, four))
}

/// The first that nothing after it beats by more than chance.
fn better(tried: &[Tried]) -> anyhow::Result<Tried> {
    let best = tried
        .iter()
        .copied()
        .reduce(|best, one| if best.usual_s() > one.usual_s() * WORTH { one } else { best });
    best.ok_or_else(|| anyhow::Error::msg("nothing was measured"))
}

/// Half of the cores, all of them, and all that the system counts.
fn threads() -> BTreeSet<u32> {
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    let physical = sysinfo::System::physical_core_count().unwrap_or(usable).clamp(1, usable);
    [physical, physical.div_ceil(2), usable]
        .into_iter()
        .filter_map(|it| u32::try_from(it).ok())
        .collect()
}

fn tuning(threads: u32, batch_tokens: u32) -> Tuning {
    Tuning { threads: Some(threads), batch_tokens: Some(batch_tokens), ..Tuning::default() }
}

async fn attempt(model: &InProcess, threads: u32, batch_tokens: u32) -> anyhow::Result<Tried> {
    progress_line(&format!("{threads} threads, {batch_tokens} tokens a step"));
    let backend = model.load(Some(tuning(threads, batch_tokens))).await?;
    let mut reading: Vec<f64> = Vec::new();
    let mut writing: Vec<f64> = Vec::new();
    let excerpt: String = speed::DOCUMENT.chars().take(1600).collect();
    for run in 0..2 {
        reading.push(speed::reading(&*backend, &excerpt, &run.to_string()).await?);
        writing.push(speed::writing(&*backend, 48, &run.to_string()).await?);
    }
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    // What disturbs makes it slower, never faster.
    Ok(Tried { threads, batch_tokens, reading: most(&reading), writing: most(&writing) })
}

/// Tokens a second of four answers together.
async fn together(backend: &dyn Backend) -> anyhow::Result<f64> {
    let answers = (0..4).map(|number| async move {
        speed::writing(backend, 48, &format!("{number} of four")).await
    });
    Ok(try_join_all(answers).await?.iter().sum())
}
