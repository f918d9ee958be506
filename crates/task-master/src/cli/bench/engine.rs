//! `bench engine`: the model of this process beside llama.cpp's own server, with the same work.
//!
//! Every request goes both ways, in turns; what is shown are medians, and of the ratio the median
//! of the pairs. The server is asked like any other.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::future::try_join_all;
use serde::Serialize;
use tm_llm::{backend::Backend, egress::guard::Guard};
use tm_tasks::task::Priority;
use tm_workflows::{
    event::Event,
    plan::parse_prd::{ParsePrd, plan},
    prompts::Prompts,
};

use super::{
    energy::{Energy, POWERCAP},
    server::{self, InParts, Running, Started},
};
use crate::{
    app::App,
    backend::{self, InProcess, Tuning},
    calibration,
    report::{
        Report, progress_line,
        table::Table,
        text::{BOLD, DIM, Text},
    },
    speed,
};

/// Compare the engine with llama.cpp's own server, doing the same work
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: one of `models list`, or a GGUF file
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Start this llama-server with the same file, threads and slots, and end it afterwards
    #[arg(long, value_name = "PROGRAM", conflicts_with = "url")]
    server: Option<PathBuf>,

    /// Measure the server that runs here, such as `http://127.0.0.1:8080/v1`
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// How often everything is measured
    #[arg(long, value_name = "NUMBER", default_value = "3")]
    runs: NonZeroU32,

    /// Threads of each
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroU32>,

    /// Requests that each works on together
    #[arg(long, value_name = "NUMBER", default_value = "12")]
    slots: NonZeroU32,

    /// What is measured; all of it without
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,

    /// The document that is planned; the example without
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// How many tasks are planned
    #[arg(long, value_name = "NUMBER", default_value = "10")]
    tasks: NonZeroU32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Tokens a second, of a prompt and of an answer
    Speed,
    /// The first token, of a new document and of one that was read before
    First,
    /// The first token of two commands on one document, each of which loads the model
    Command,
    /// Eight tasks of one document divided
    Expand,
    /// The document planned, in as many requests as the engine is asked
    Plan,
    /// The document planned, by the server in one answer
    Whole,
}

impl Part {
    /// The row of the energy that it takes; none where that is lost among what else is measured.
    fn energy(self) -> Option<What> {
        match self {
            Self::Expand => Some((EXPAND.0, "J", false)),
            Self::Plan => Some((PLAN.0, "J", false)),
            Self::Whole => Some((PLAN_WHOLE.0, "J", false)),
            Self::Speed | Self::First | Self::Command => None,
        }
    }
}

const ALL: [Part; 6] =
    [Part::Speed, Part::First, Part::Command, Part::Expand, Part::Plan, Part::Whole];

/// What was found.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    host: String,
    model: String,
    identity: String,
    threads: u32,
    slots: u32,
    runs: u32,
    server: Option<String>,
    rows: Vec<Row>,
    engine_mib: Option<u64>,
    server_mib: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    unit: &'static str,
    /// Whether more is better, or else less.
    more_is_better: bool,
    engine: Vec<f64>,
    server: Vec<f64>,
}

impl Row {
    /// How many times as fast the engine is.
    fn ratio(&self) -> Option<f64> {
        let ratio = |(engine, server): (&f64, &f64)| {
            if self.more_is_better { engine / server } else { server / engine }
        };
        let ratios: Vec<f64> = self.engine.iter().zip(&self.server).map(ratio).collect();
        speed::median(&ratios)
    }
}

/// Runs `bench engine`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let model = backend::in_process(&app.environment, args.model.as_deref())?;
    let document = match &args.document {
        None => speed::DOCUMENT.to_owned(),
        Some(path) => {
            let path = app.environment.working_dir.join(path);
            std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = Folder(app.environment.cache_dir.join(format!("bench-{}", std::process::id())));
    let findings =
        runtime.block_on(measure(args, (&model, &model.keeping(&folder.0)), &document))?;
    if args.json {
        report.json(&findings);
    } else {
        print(&findings, report);
    }
    Ok(())
}

/// The second of the models keeps what it reads.
async fn measure(
    args: &Args,
    (model, keeping): (&InProcess, &InProcess),
    document: &str,
) -> anyhow::Result<Findings> {
    let (threads, slots) = (args.threads.map_or_else(cores, NonZeroU32::get), args.slots.get());
    let started = match &args.server {
        None => None,
        Some(program) => {
            Some(Started::start(program, Running { model: model.path(), threads, slots })?)
        }
    };
    let url = started.as_ref().map(|it| it.url.clone()).or_else(|| args.url.clone());
    let server = match &url {
        None => None,
        Some(url) => Some(server::connect(url, &Guard::default()).await?),
    };
    let tuning = Tuning { threads: Some(threads), parallel: Some(slots), ..Tuning::default() };
    let engine = model.load(Some(tuning)).await?;
    let loading = Loading { model: keeping, tuning };
    let sides = Sides { engine, loading, server, document, tasks: args.tasks.get(), slots };
    let parts = if args.only.is_empty() { ALL.to_vec() } else { args.only.clone() };
    let mut rows = Vec::new();
    for run in 1..=args.runs.get() {
        for part in &parts {
            progress_line(&format!("run {run} of {}: {part:?}", args.runs));
            sides.measure(*part, run, &mut rows).await?;
        }
    }
    Ok(Findings {
        version: env!("CARGO_PKG_VERSION"),
        host: calibration::host(),
        model: model.id().to_owned(),
        identity: model.identity().to_owned(),
        threads,
        slots,
        runs: args.runs.get(),
        server: url,
        rows,
        engine_mib: server::peak_mib("self"),
        server_mib: started.as_ref().and_then(Started::memory_mib),
    })
}

fn cores() -> u32 {
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    let physical = sysinfo::System::physical_core_count().unwrap_or(usable);
    u32::try_from(physical.clamp(1, usable)).unwrap_or(1)
}

/// Both, and what they are asked about.
struct Sides<'a> {
    engine: Arc<dyn Backend>,
    loading: Loading<'a>,
    server: Option<Arc<dyn Backend>>,
    document: &'a str,
    tasks: u32,
    slots: u32,
}

/// How a command comes by its model.
#[derive(Clone, Copy)]
struct Loading<'a> {
    model: &'a InProcess,
    tuning: Tuning,
}

impl Loading<'_> {
    /// Milliseconds until the first token of a command is there.
    async fn first(self, document: &str, nonce: &str, question: &str) -> anyhow::Result<f64> {
        let started = Instant::now();
        let engine = self.model.load(Some(self.tuning)).await?;
        let loaded = started.elapsed();
        let timed = speed::timed(&*engine, speed::about(document, nonce, question)).await?;
        Ok((loaded + timed.first).as_secs_f64() * 1000.0)
    }
}

/// Removed with all that is in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Sides<'_> {
    async fn measure(&self, part: Part, run: u32, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        // Whoever comes first in one run comes second in the next.
        let mut order = vec![(true, Arc::clone(&self.engine))];
        order.extend(self.server.iter().map(|it| (false, Arc::clone(it))));
        if run.is_multiple_of(2) {
            order.reverse();
        }
        for (is_engine, backend) in order {
            let energy = Energy::now(Path::new(POWERCAP));
            for (what, value) in self.figures(part, run, is_engine, backend).await? {
                note(rows, what, is_engine, value);
            }
            if let (Some(what), Some(joules)) = (part.energy(), energy.and_then(|it| it.since())) {
                note(rows, what, is_engine, joules);
            }
        }
        Ok(())
    }

    async fn figures(
        &self,
        part: Part,
        run: u32,
        is_engine: bool,
        backend: Arc<dyn Backend>,
    ) -> anyhow::Result<Vec<(What, f64)>> {
        let nonce = format!("{run} {part:?}");
        Ok(match part {
            Part::Speed => vec![
                (READING, speed::reading(&*backend, self.excerpt(), &nonce).await?),
                (WRITING, speed::writing(&*backend, 96, &nonce).await?),
            ],
            Part::First => {
                let ask = |question| speed::about(self.document, &nonce, question);
                let new = speed::timed(&*backend, ask("What is it about?")).await?;
                let again = speed::timed(&*backend, ask("Who is it for?")).await?;
                vec![
                    (FIRST_NEW, new.first.as_secs_f64() * 1000.0),
                    (FIRST_AGAIN, again.first.as_secs_f64() * 1000.0),
                ]
            }
            // A server that is started again has read nothing.
            Part::Command if !is_engine => Vec::new(),
            Part::Command => {
                let Self { loading, document, .. } = self;
                let new = loading.first(document, &nonce, "What is it about?").await?;
                let again = loading.first(document, &nonce, "Who is it for?").await?;
                vec![(COMMAND_NEW, new), (COMMAND_AGAIN, again)]
            }
            Part::Expand => {
                let asked = Instant::now();
                let divided =
                    speed::TASKS.map(|task| speed::timed(&*backend, self.division(&nonce, task)));
                let answers = try_join_all(divided).await?;
                let tokens: u32 = answers.iter().map(|it| it.answer.usage.completion_tokens).sum();
                let took = asked.elapsed().as_secs_f64();
                vec![(EXPAND, took), (EXPAND_SPEED, f64::from(tokens) / took)]
            }
            Part::Plan => {
                let in_parts: Arc<dyn Backend> =
                    if is_engine { backend } else { Arc::new(InParts::new(backend, self.slots)) };
                let (first, whole) = self.plan(&*in_parts, &nonce).await?;
                vec![(PLAN_FIRST, first), (PLAN, whole)]
            }
            Part::Whole => {
                let (_, whole) = self.plan(&*backend, &nonce).await?;
                vec![(PLAN_WHOLE, whole)]
            }
        })
    }

    fn division(&self, nonce: &str, task: &str) -> tm_llm::chat::ChatRequest {
        speed::division(self.excerpt(), nonce, task)
    }

    /// Some five hundred tokens of the document.
    fn excerpt(&self) -> &str {
        let end = self.document.char_indices().nth(2200).map_or(self.document.len(), |it| it.0);
        self.document.get(..end).unwrap_or(self.document)
    }

    /// Seconds until the first task is there, and until all are.
    async fn plan(&self, backend: &dyn Backend, nonce: &str) -> anyhow::Result<(f64, f64)> {
        let (title, rest) = self.document.split_once('\n').unwrap_or((self.document, ""));
        let request = ParsePrd {
            document: format!("{title} {nonce}\n{rest}").into_bytes(),
            count: usize::try_from(self.tasks).ok(),
            language: "English".to_owned(),
            prompts: Prompts::default(),
            priority: Priority::Medium,
            timeout: Duration::from_mins(30),
            saved: None,
            documents: None,
            escalation: None,
        };
        let asked = Instant::now();
        let first = OnceLock::new();
        let watch = |event| {
            if matches!(event, Event::TaskWritten { .. }) {
                first.get_or_init(|| asked.elapsed().as_secs_f64());
            }
        };
        plan(backend, &request, &watch).await?;
        let whole = asked.elapsed().as_secs_f64();
        Ok((first.get().copied().unwrap_or(whole), whole))
    }
}

/// What a row is called, its unit, and whether more is better.
type What = (&'static str, &'static str, bool);

const READING: What = ("read a new prompt", "tokens/s", true);
const WRITING: What = ("write one answer", "tokens/s", true);
const FIRST_NEW: What = ("first token, new document", "ms", false);
const FIRST_AGAIN: What = ("first token, the same document again", "ms", false);
const COMMAND_NEW: What = ("first token of a command, new document", "ms", false);
const COMMAND_AGAIN: What = ("first token of a second command on it", "ms", false);
const EXPAND: What = ("8 tasks of one document divided", "s", false);
const EXPAND_SPEED: What = ("8 tasks of one document divided", "tokens/s", true);
const PLAN_FIRST: What = ("parse-prd, the first task", "s", false);
const PLAN: What = ("parse-prd, the same requests", "s", false);
const PLAN_WHOLE: What = ("parse-prd, the server in one answer", "s", false);

fn note(rows: &mut Vec<Row>, (what, unit, more_is_better): What, is_engine: bool, value: f64) {
    let at = rows.iter().position(|it| it.what == what && it.unit == unit).unwrap_or_else(|| {
        rows.push(Row { what, unit, more_is_better, engine: Vec::new(), server: Vec::new() });
        rows.len() - 1
    });
    if let Some(row) = rows.get_mut(at) {
        if is_engine { row.engine.push(value) } else { row.server.push(value) }
    }
}

fn print(findings: &Findings, report: &mut Report) {
    let Findings { model, host, threads, slots, runs, .. } = findings;
    report.line(Text::styled(BOLD, model).and(DIM, &format!("  on {host}")));
    report.line(Text::styled(
        DIM,
        &format!("{threads} threads, {slots} slots, the median of {runs} runs in turns"),
    ));
    report.blank();
    let mut table = Table::new(&["what", "unit", "engine", "server", "times as fast"], "what");
    let number = |value: Option<f64>| match value {
        None => Text::styled(DIM, "–"),
        Some(value) if value >= 100.0 => Text::plain(&format!("{value:.0}")),
        Some(value) => Text::plain(&format!("{value:.1}")),
    };
    for row in &findings.rows {
        let ratio = row
            .ratio()
            .map_or_else(|| Text::styled(DIM, "–"), |it| Text::plain(&format!("{it:.2}")));
        table.push(vec![
            Text::plain(row.what),
            Text::plain(row.unit),
            number(speed::median(&row.engine)),
            number(speed::median(&row.server)),
            ratio,
        ]);
    }
    let mib = |value: Option<u64>| {
        value.map_or_else(|| Text::styled(DIM, "–"), |it| Text::plain(&it.to_string()))
    };
    table.push(vec![
        Text::plain("memory, at most"),
        Text::plain("MiB"),
        mib(findings.engine_mib),
        mib(findings.server_mib),
        Text::default(),
    ]);
    let columns = report.columns();
    report.lines(table.lines(columns));
    if findings.server.is_none() {
        report.blank();
        report.suggest(
            "task-master bench engine --server PROGRAM",
            "beside llama.cpp's server, where it is",
        );
    }
}
