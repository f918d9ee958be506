//! `eval`: how good plans are, beside plans that others made of the same documents.
//!
//! Reads folders, makes plans where there are none, and shows what `tm-workflows` measured:
//! `screen` on a terminal, `page` in a browser.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::Context;
use serde::Serialize;
use tm_tasks::{config::Role, digest::sha256_hex, task::Task};
use tm_workflows::{
    evaluate::{
        Entrant, Evaluation, Likeness, Pair, PairError, evaluate, make_plan, read_pairs, read_tasks,
    },
    event::Event,
};

use self::meaning::Meanings;
use super::asking::{Manner, ask_anything};
use crate::{
    app::App,
    report::{Report, advice},
};

mod meaning;
mod page;
mod research;
mod screen;

/// Compare plans with recorded ones of the same documents
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    other: Option<Other>,

    /// A folder of pairs: each a folder with prd.md or prd.txt, and tasks.json
    #[arg(required = true)]
    folder: Option<PathBuf>,

    /// Score the plans in this folder, NAME.json or NAME/tasks.json, instead of making them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "keep"])]
    plans: Option<PathBuf>,

    /// Make the plans with this model: one of `models list`, or a GGUF file
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Keep the plans that are made in this folder, and make none that is there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// Compare tasks by what they mean too, with the embedding model
    #[arg(long)]
    meaning: bool,

    /// Only the pairs that this file names, each at the start of a line
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,

    /// Only so many pairs, drawn at random
    #[arg(long, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// What the draw, the controls and the intervals start from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Fail when the plans reach less than this share of the baseline, such as 0.9
    #[arg(long, value_name = "RATIO")]
    fail_under: Option<f64>,

    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is measured beside plans.
#[derive(Debug, clap::Subcommand)]
enum Other {
    Research(research::Args),
}

/// What is shown.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    at: String,
    host: String,
    folder: PathBuf,
    /// Where the plans came from.
    plans: String,
    /// Who tells what tasks mean; none where they are compared by their words alone.
    embedding_model: Option<String>,
    /// SHA-256 of all documents, baselines and plans.
    inputs: String,
    /// The models that are said to have made the baselines, and how many of them.
    baseline: BTreeMap<String, usize>,
    /// The pairs without a plan, and why: each counts as an empty one.
    failed: BTreeMap<String, String>,
    #[serde(flatten)]
    evaluation: Evaluation,
}

/// The plans of all pairs.
struct Plans {
    from: String,
    tasks: Vec<Vec<Task>>,
    failed: BTreeMap<String, String>,
}

/// Runs `eval`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    if let Some(Other::Research(args)) = &args.other {
        return research::run(args, app, report);
    }
    let folder = args.folder.clone().unwrap_or_default();
    let names = args.list.as_deref().map(|it| names(it, app)).transpose()?;
    let here = |it: &Path| app.environment.working_dir.join(it);
    let mut pairs = read_pairs(&here(&folder), names.as_deref()).map_err(explain)?;
    draw(&mut pairs, args);
    let plans = match &args.plans {
        Some(folder) => found(&here(folder), &mut pairs, report)?,
        None => made(args, &pairs, app, report)?,
    };
    let meanings = args.meaning.then(|| Meanings::open(app, report)).transpose()?;
    let evaluation = match &meanings {
        None => evaluate(&pairs, &plans.tasks, args.seed, Likeness::Words),
        Some(meanings) => meanings.in_use(|it| evaluate(&pairs, &plans.tasks, args.seed, it))?,
    };
    let mut findings = findings(args, app, &pairs, plans, evaluation);
    findings.embedding_model = meanings.map(Meanings::into_name);
    if args.json {
        report.json(&findings);
    } else {
        screen::print(&findings, report);
    }
    if let Some(path) = &args.html {
        let path = here(path);
        fs::write(&path, page::render(&findings))
            .with_context(|| format!("cannot write {}", path.display()))?;
        report.note(&format!("the page is {}", path.display()));
    }
    judge(args, &findings, report)
}

/// The first word of each line that is no comment.
fn names(list: &Path, app: &App) -> anyhow::Result<Vec<String>> {
    let path = app.environment.working_dir.join(list);
    let text = fs::read_to_string(&path).map_err(|error| {
        let message = format!("cannot read {}", path.display());
        anyhow::Error::new(error).context(advice(message, "see that the path is right"))
    })?;
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    Ok(lines.filter_map(|it| it.split_whitespace().next()).map(str::to_owned).collect())
}

/// Leaves as many pairs as are wanted, in their order.
fn draw(pairs: &mut Vec<Pair>, args: &Args) {
    let limit = args.limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    if limit < pairs.len() {
        fastrand::Rng::with_seed(args.seed).shuffle(pairs);
        pairs.truncate(limit);
        pairs.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

/// The plans that are there. Pairs without one are left out, and that is told.
fn found(folder: &Path, pairs: &mut Vec<Pair>, report: &mut Report) -> anyhow::Result<Plans> {
    let mut tasks = Vec::new();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for pair in pairs.drain(..) {
        match plan_file(folder, &pair.name) {
            Some(path) => {
                tasks.push(read_tasks(&path, None).map_err(explain)?);
                with.push(pair);
            }
            None => without.push(pair.name),
        }
    }
    if with.is_empty() {
        let message = format!("there is no plan for any of the pairs in {}", folder.display());
        return Err(advice(message, "name the plans after the pairs: NAME.json").into());
    }
    if let Some((first, others)) = without.split_first() {
        let others =
            if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        report.warn(&format!(
            "{} of {} pairs have no plan in {} and are left out: {first}{others}",
            without.len(),
            without.len() + with.len(),
            folder.display(),
        ));
    }
    *pairs = with;
    Ok(Plans { from: folder.display().to_string(), tasks, failed: BTreeMap::new() })
}

fn plan_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let files = [folder.join(format!("{name}.json")), folder.join(name).join("tasks.json")];
    files.into_iter().find(|it| it.is_file())
}

/// The plans that the model makes now.
fn made(args: &Args, pairs: &[Pair], app: &App, report: &mut Report) -> anyhow::Result<Plans> {
    let keep = args.keep.as_ref().map(|it| app.environment.working_dir.join(it));
    if let Some(folder) = &keep {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut workspace = app.open(None, report)?;
    if let Some(model) = &args.model {
        workspace.environment = workspace.environment.with_variable("TASKMASTER_MODEL", model);
    }
    let from = crate::backend::name(&workspace, Role::Main)?;
    let state = "plans that were finished are in the folder of --keep";
    let manner = Manner { role: Role::Main, when_interrupted: state };
    let asked = ask_anything(&workspace, manner, report, async |asking| {
        let (mut tasks, mut failed) = (Vec::new(), BTreeMap::new());
        for pair in pairs {
            let kept = keep.as_ref().map(|it| it.join(format!("{}.json", pair.name)));
            if let Some(path) = kept.as_ref().filter(|it| it.is_file()) {
                tasks.push(read_tasks(path, None).map_err(explain)?);
                continue;
            }
            let plan = make_plan(asking.backend, pair, asking.timeout, asking.observer).await;
            let file = plan.unwrap_or_else(|error| {
                let (what, reason) = (pair.name.clone(), error.to_string());
                failed.insert(what.clone(), reason.clone());
                (asking.observer)(Event::StepFailed { what, reason });
                tm_tasks::document::TaskFile::default()
            });
            let plan: Vec<Task> = file.tags().flat_map(|it| it.tasks().iter().cloned()).collect();
            if let Some(path) = kept.filter(|_| !plan.is_empty()) {
                fs::write(&path, file.to_text())
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            tasks.push(plan);
        }
        Ok((tasks, failed))
    })?;
    let (tasks, failed) = asked.value;
    if failed.len() == pairs.len() {
        let reason = failed.into_values().next().unwrap_or_default();
        let message = format!("{from} made no plan of any document");
        return Err(anyhow::Error::msg(reason).context(advice(message, "take another model")));
    }
    Ok(Plans { from, tasks, failed })
}

fn findings(
    args: &Args,
    app: &App,
    pairs: &[Pair],
    plans: Plans,
    evaluation: Evaluation,
) -> Findings {
    let mut baseline = BTreeMap::new();
    let mut inputs = String::new();
    for (pair, plan) in pairs.iter().zip(&plans.tasks) {
        let model = pair.model.clone().unwrap_or_else(|| "not recorded".to_owned());
        *baseline.entry(model).or_default() += 1;
        inputs.push_str(&pair.document);
        inputs.extend(pair.baseline.iter().chain(plan).map(Task::to_json));
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Findings {
        version: env!("CARGO_PKG_VERSION"),
        at: app.now.to_string(),
        host: format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH),
        folder: args.folder.clone().unwrap_or_default(),
        plans: plans.from,
        embedding_model: None,
        inputs: sha256_hex(inputs.as_bytes()),
        baseline,
        failed: plans.failed,
        evaluation,
    }
}

/// What keeps the numbers from being what was asked for.
fn judge(args: &Args, findings: &Findings, report: &mut Report) -> anyhow::Result<()> {
    for (name, reason) in &findings.failed {
        report
            .warn(&format!("no plan was made for {name}, which counts as an empty one: {reason}"));
    }
    let high: Vec<&str> =
        findings.evaluation.failed_controls().iter().map(|it| it.name()).collect();
    let high = high.join(", ");
    if !high.is_empty() {
        report.warn(&format!("what is worth nothing scores too high here: {high}"));
    }
    let Some(wanted) = args.fail_under else { return Ok(()) };
    let reached = findings.evaluation.standing(Entrant::Plan).and_then(|it| it.overall_ratio);
    let (message, hint) = match reached {
        None => (
            "the plans cannot be compared with the baseline".to_owned(),
            "take pairs whose documents and plans are in one language",
        ),
        Some(ratio) if ratio.mean < wanted => (
            format!("the plans reach {:.2} of the baseline, not {wanted:.2}", ratio.mean),
            "see above which metrics are low",
        ),
        Some(_) if !high.is_empty() => (
            "these pairs cannot tell good plans from bad ones".to_owned(),
            "take other or more pairs",
        ),
        Some(_) => return Ok(()),
    };
    Err(advice(message, hint).into())
}

/// What to do about pairs or plans that cannot be used.
fn explain(error: PairError) -> anyhow::Error {
    let hint = match &error {
        PairError::NoPairs { .. } | PairError::NoDocument { .. } => {
            "a pair is a folder with prd.md or prd.txt, and tasks.json"
        }
        PairError::NoSuchPair { .. } => "see that the list belongs to this folder",
        PairError::Unreadable { .. } => "see that the path is right",
        PairError::Document { .. }
        | PairError::Tasks { .. }
        | PairError::NoTasks { .. }
        | PairError::About { .. } => "mend the file, or leave its pair out with --list",
    };
    let message = error.to_string();
    match error {
        PairError::Document { source, .. } => {
            anyhow::Error::new(source).context(advice(message, hint))
        }
        PairError::Tasks { source, .. } => {
            anyhow::Error::new(source).context(advice(message, hint))
        }
        PairError::About { source, .. } => {
            anyhow::Error::new(source).context(advice(message, hint))
        }
        PairError::Unreadable { source, .. } => {
            anyhow::Error::new(source).context(advice(message, hint))
        }
        PairError::NoPairs { .. }
        | PairError::NoDocument { .. }
        | PairError::NoSuchPair { .. }
        | PairError::NoTasks { .. } => advice(message, hint).into(),
    }
}
