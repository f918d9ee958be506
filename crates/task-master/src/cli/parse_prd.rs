//! `parse-prd`: a requirements document in, tasks in the project's file out.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tm_tasks::{
    graph::next_task,
    prd::Prd,
    store::{Quality, Store},
};
use tm_workflows::plan::parse_prd::{
    Existing, ParsePrd, ParsePrdError, Target, Written, parse_prd,
};

use super::{
    asking::{role, timeout},
    progress::Progress,
    quality::QualityArgs,
};
use crate::{
    app::{App, Workspace, explain},
    backend,
    interruption::interruptible,
    knowledge,
    report::{
        Report, advice,
        text::{BOLD, DIM, Text},
    },
};

/// Turn a requirements document into tasks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The document, or `-` for standard input
    file: Option<PathBuf>,

    /// The same as the argument
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,

    /// Write to this tasks file, which must exist
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// How many tasks; 0 for as many as the document asks for
    #[arg(long, short, value_name = "NUMBER")]
    num_tasks: Option<usize>,

    /// Ask the research model, and tell it what documents say about each part of the work
    #[arg(long, short)]
    research: bool,

    #[command(flatten)]
    quality: QualityArgs,

    #[command(flatten)]
    place: TargetArgs,
}

/// Which tag new tasks go to, and what becomes of those it has.
#[derive(Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// Replace the tasks that are there
    #[arg(long, short)]
    force: bool,

    /// Add to the tasks that are there
    #[arg(long)]
    append: bool,

    /// The tag to plan for
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `parse-prd`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let named = args.file.as_deref().or(args.input.as_deref());
    let (path, document) = read_requirements(named, &workspace)?;
    let store = store(args.output.as_deref(), &workspace)?;
    let Some(target) = target(&args.place, store, &workspace, report)? else {
        return Ok(());
    };
    let globals = workspace.config.globals();
    let role = role(args.research);
    let count = args.num_tasks.or_else(|| usize::try_from(globals.default_num_tasks).ok());
    let request = ParsePrd {
        document,
        count: count.filter(|it| *it > 0),
        language: globals.response_language,
        prompts: workspace.prompts()?,
        priority: globals.default_priority,
        timeout: timeout(&workspace)?,
        saved: Some(workspace.environment.state_dir.join("parse-prd")),
        documents: knowledge::for_role(&workspace, role, report)?,
        escalation: args.quality.escalation(&workspace, role, report)?.map(Arc::new),
    };
    // No model is loaded for a document that is none.
    Prd::from_bytes(&request.document).map_err(|error| told(error.into(), &path))?;
    let choice = backend::for_role(&workspace, role, report)?;
    let model_id = choice.id.clone();
    let started = Instant::now();
    let tag = target.tag.clone();
    let progress = Progress::new(report);
    let state = "nothing in the tasks file was changed; the same command goes on from here";
    let written = interruptible(state, async {
        let model = progress.loading(&model_id, choice.open()).await?;
        parse_prd(&*model, target, &request, &|event| progress.show(event))
            .await
            .map_err(|error| told(error, &path))
    });
    progress.finish();
    if let Some(documents) = &request.documents {
        knowledge::tell_degraded(&documents.libraries, report);
    }
    let written = written?;
    summary(&written, &tag, started.elapsed(), report);
    args.quality.verdict_on(&written.quality).tell(report)
}

/// The document named, or the project's own.
pub(super) fn read_requirements(
    named: Option<&Path>,
    workspace: &Workspace,
) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    if named.is_some_and(|it| it == Path::new("-")) {
        let mut document = Vec::new();
        std::io::stdin().lock().read_to_end(&mut document).context("cannot read standard input")?;
        return Ok((PathBuf::from("standard input"), document));
    }
    let path = match named {
        Some(path) => {
            let here = workspace.environment.working_dir.join(path);
            let in_project = workspace.project.root().join(path);
            if !here.exists() && in_project.exists() { in_project } else { here }
        }
        None => workspace.project.requirements_file().ok_or_else(|| {
            advice(
                "there is no requirements document",
                "name one, as in `task-master parse-prd docs/prd.md`, \
                 or write .taskmaster/docs/prd.md",
            )
        })?,
    };
    let document = fs::read(&path).map_err(|error| {
        let message = format!("cannot read {}", path.display());
        anyhow::Error::new(error).context(advice(message, "see that the path is right"))
    })?;
    Ok((path, document))
}

/// The tasks file: the project's, or another one that is there.
fn store(output: Option<&Path>, workspace: &Workspace) -> anyhow::Result<Store> {
    let Some(output) = output else { return Ok(workspace.store.clone()) };
    let file = workspace.project.root().join(output);
    if !file.exists() {
        let message = format!("there is no tasks file {}", file.display());
        return Err(advice(message, "name one that exists, or leave out --output").into());
    }
    Ok(Store::open(file, workspace.environment.state_dir.join("journal")))
}

/// Where the tasks go; none when the user does not want to lose what is there.
pub(super) fn target(
    args: &TargetArgs,
    store: Store,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Option<Target>> {
    let tag = workspace.tag(args.tag.as_deref());
    let file = store.read().map_err(explain)?;
    let tasks = file.tag(&tag).map_or(0, |it| it.tasks().len());
    let existing = match (args.append, args.force, tasks) {
        (true, _, _) => Existing::Append,
        (_, true, _) => Existing::Replace,
        (_, _, 0) => Existing::Refuse,
        (false, false, _) => {
            let question = format!("The tag {tag} has {tasks} tasks. Replace them?");
            if !(report.is_interactive() && report.ask(&question, false)) {
                report.warn(&format!(
                    "the tag {tag} has {tasks} tasks already and nothing was changed; \
                     add --append to keep them or --force to replace them"
                ));
                return Ok(None);
            }
            Existing::Replace
        }
    };
    Ok(Some(Target { store, tag, existing }))
}

/// What to do about a plan that could not be made.
pub(super) fn told(error: ParsePrdError, path: &Path) -> anyhow::Error {
    let hint = match &error {
        ParsePrdError::Document(_) => "give it a Markdown or text file that says what to build",
        ParsePrdError::Whole(_) => {
            "nothing in the tasks file was changed; the same command may work the next time, or \
             with another model"
        }
        ParsePrdError::Task { .. } => {
            "nothing in the tasks file was changed; the same command goes on from here"
        }
        ParsePrdError::Count { .. } => "plan a large product in parts, one tag each",
        ParsePrdError::TasksExist { .. } => "add --append to keep them or --force to replace them",
        ParsePrdError::LookedUp(_) => {
            "nothing in the tasks file was changed; look at the documents with `task-master kb \
             verify`, or plan without --research"
        }
        ParsePrdError::Save { .. } => "free some space, or see what its permissions are",
        ParsePrdError::Prompt(_)
        | ParsePrdError::Store(_)
        | ParsePrdError::Tag(_)
        | ParsePrdError::Interrupted => "nothing in the tasks file was changed",
    };
    if let ParsePrdError::Store(error) = error {
        return explain(error);
    }
    let message = format!("no plan was made of {}", path.display());
    anyhow::Error::new(error).context(advice(message, hint))
}

/// How good a plan is, and where to look first.
pub(super) fn quality_line(quality: &Quality) -> Text {
    let weakest = quality.weakest().filter(|it| it.percent < 100);
    let weakest = weakest.map(|it| format!(", lowest in task {} ({} %)", it.id, it.percent));
    let below = quality.minimum.filter(|_| quality.below().next().is_some());
    let below = below.map(|it| format!("; {} below {it} %", quality.below().count()));
    let (weakest, below) = (weakest.unwrap_or_default(), below.unwrap_or_default());
    format!("  quality {} %{weakest}{below}", quality.percent).into()
}

/// What was made, how well it covers the document, and what to do now.
fn summary(written: &Written, tag: &str, took: Duration, report: &mut Report) {
    let plan = &written.plan;
    report.blank();
    report.done(format!(
        "{} tasks added to the tag {tag} in {:.0} s ({} tokens read, {} written, {:.1} tokens/s)",
        written.tasks.len(),
        took.as_secs_f64(),
        plan.usage.prompt_tokens - plan.usage.cached_tokens.min(plan.usage.prompt_tokens),
        plan.usage.completion_tokens,
        f64::from(plan.usage.completion_tokens) / took.as_secs_f64().max(0.001),
    ));
    let covered = plan.requirements - plan.uncovered.len().min(plan.requirements);
    report.line(format!("  {covered} of {} requirements are covered", plan.requirements).as_str());
    report.line(quality_line(&written.quality));
    for requirement in &plan.uncovered {
        let words = Text::styled(DIM, "  not covered: ").and(DIM, requirement);
        report.line(words);
    }
    report.blank();
    if let Some(next) = next_task(&written.tasks) {
        report.line(Text::styled(BOLD, "Next: ").and_text(next.task.title().as_str().into()));
    }
    report.suggest("task-master list", "all tasks");
    report.suggest("task-master next", "the one to start with");
}
