//! `prd split`: a requirements document in, a tree of pieces of work out.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use tm_llm::structured::StructuredError;
use tm_tasks::plan::tree::{
    Stop, Tree,
    faults::of_tree,
    folder::{TREE_FILE, read, write},
};
use tm_workflows::plan::split_prd::{Split, SplitError, SplitPrd, split_prd};

use super::{Document, folder, no_tree, not_a_document};
use crate::{
    app::{App, Workspace},
    backend,
    cli::{
        asking::{Manner, ask_anything, role, timeout},
        marks::count,
        parse_prd::read_requirements,
    },
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// Divide a document of any size into a tree of pieces of work
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The document, or `-` for standard input; the project's own when none is named
    file: Option<PathBuf>,

    /// The folder for the tree, which is made where there is none
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The same seed makes the same tree
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    seed: u64,

    /// Ask a model at most so many questions; 0 divides along headings and asks none
    #[arg(long, value_name = "QUESTIONS", default_value_t = 300)]
    budget: usize,

    /// Ask the research role
    #[arg(long, short)]
    research: bool,
}

/// Runs `prd split`.
pub(super) fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let (path, document) = read_requirements(args.file.as_deref(), &workspace)?;
    // No model is loaded for what is no document.
    let read = Document::read(&document, &path)?;
    let named = args.file.clone().unwrap_or_else(|| path.clone());
    let request = SplitPrd {
        document,
        path: named.display().to_string(),
        tool: format!("task-master {}", env!("CARGO_PKG_VERSION")),
        seed: args.seed,
        budget: args.budget,
        timeout: timeout(&workspace)?,
        kept: Some(workspace.environment.state_dir.join("prd-split")),
    };
    let started = Instant::now();
    let split = divide(args, &request, &path, &workspace, report)?;
    let out = folder(&args.out, &workspace);
    write(&out, &split.tree).map_err(no_tree)?;
    verify(&out, &read)?;
    summary(&split, &out, started.elapsed().as_secs_f64(), report);
    Ok(())
}

fn divide(
    args: &Args,
    request: &SplitPrd,
    path: &Path,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Split> {
    if args.budget == 0 {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        return runtime.block_on(split_prd(None, request)).map_err(|error| told(error, path));
    }
    let manner = Manner {
        role: role(args.research),
        when_interrupted: "nothing was written; the same command goes on from here",
    };
    let work = async |asking: tm_workflows::asking::Asking<'_>| {
        split_prd(Some(asking), request).await.map_err(|error| told(error, path))
    };
    Ok(ask_anything(workspace, manner, report, work)?.value)
}

/// Opens what was written, and compares it with the document: a tree that does not hold what it
/// promises is none.
fn verify(out: &Path, document: &Document) -> anyhow::Result<()> {
    let tree = read(out).map_err(no_tree)?;
    match of_tree(&tree, Some((&document.prd, &document.origin))).into_iter().next() {
        None => Ok(()),
        Some(fault) => {
            let message = format!("the tree in {} is not what it should be", out.display());
            let hint = "this is a fault of the program: please report it with the document";
            Err(anyhow::Error::new(fault).context(advice(message, hint)))
        }
    }
}

fn told(error: SplitError, path: &Path) -> anyhow::Error {
    let hint = match &error {
        SplitError::Piece { source: StructuredError::Backend(error), .. } => backend::hint(error),
        SplitError::Piece { .. } => {
            "nothing was written; the same command goes on from here, with another --seed or model \
             it begins anew"
        }
        SplitError::Keep { .. } => "free some space, or see what its permissions are",
        SplitError::Document(_) | SplitError::Prompt(_) => "nothing was written",
    };
    if let SplitError::Document(error) = error {
        return not_a_document(error, path);
    }
    let message = format!("{} was not divided", path.display());
    anyhow::Error::new(error).context(advice(message, hint))
}

/// What was made, what it took, and what to do now.
fn summary(split: &Split, out: &Path, seconds: f64, report: &mut Report) {
    let Split { tree, kept, usage } = split;
    let nodes = tree.nodes.len();
    let depth = tree.nodes.iter().map(|it| it.depth).max().unwrap_or_default();
    report.done(format!(
        "{}, {depth} deep, with {} in {}",
        count(nodes, "node"),
        leaves(tree.leaves().count()),
        out.join(TREE_FILE).display(),
    ));
    #[expect(clippy::cast_precision_loss, reason = "nobody counts that far")]
    let rate = nodes as f64 / seconds.max(0.001);
    let took = format!(
        "  {seconds:.1} s, {rate:.1} nodes/s; {}, {kept} of them answered before; {} tokens read, {} written",
        count(tree.made.questions, "question"),
        usage.prompt_tokens.saturating_sub(usage.cached_tokens),
        usage.completion_tokens,
    );
    report.line(Text::styled(DIM, &took));
    told_stops(tree, report);
    for dropped in &tree.dropped_dependencies {
        report.note(&format!(
            "{} does not wait for {}: {}",
            dropped.from, dropped.to, dropped.because
        ));
    }
    let out = out.display();
    report.suggest_any(&[
        (&format!("task-master prd export {out} --format tasks"), "make tasks of its leaves"),
        (&format!("task-master prd check {out}"), "compare it with its document"),
    ]);
}

/// Which leaves are larger than one piece of work.
fn told_stops(tree: &Tree, report: &mut Report) {
    let (budget, depth) = (tree.stopped(Stop::Budget), tree.stopped(Stop::Depth));
    if budget > 0 {
        report.note(&format!(
            "nobody was asked about {}: the budget was {}; --budget allows more",
            leaves(budget),
            count(tree.made.budget, "question"),
        ));
    }
    if depth > 0 {
        report.note(&format!(
            "{} could be divided further, but the tree is deep enough",
            leaves(depth),
        ));
    }
}

fn leaves(number: usize) -> String {
    if number == 1 { "1 leaf".to_owned() } else { format!("{number} leaves") }
}
