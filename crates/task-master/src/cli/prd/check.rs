//! `prd check`: what is wrong with a requirements document, or with a tree that was made of one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use tm_tasks::{
    digest::sha256_hex,
    plan::tree::{
        Tree,
        faults::{TreeFault, of_coverage, of_document, of_tree},
        folder::{COVERAGE_FILE, coverage, read, read_coverage},
    },
};

use super::{Document, folder, no_tree};
use crate::{
    app::{App, Workspace},
    cli::{marks::count, parse_prd::read_requirements},
    report::{
        Report, Told,
        text::{RED, Text},
    },
};

/// Say what is wrong with a document, or with the tree in a folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A document, or a folder that `prd split` wrote; the project's own document when none is named
    path: Option<PathBuf>,

    /// Compare the tree with this document, and not with the one it names
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `prd check`. What is wrong is the result, and the exit code says whether anything is.
pub(super) fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let out = args.path.as_deref().map(|it| folder(it, &workspace)).filter(|it| it.is_dir());
    let (faults, facts) = match out {
        Some(out) => tree(&out, args.document.as_deref(), &workspace)?,
        None => document(args.path.as_deref(), &workspace)?,
    };
    if args.json {
        report.json(&json!({"facts": facts, "faults": faults}));
    } else {
        report.lines(faults.iter().map(|it| Text::styled(RED, "✗ ").and_text(it.as_str().into())));
        if faults.is_empty() {
            report.done(facts.join(", ").as_str());
        } else {
            report.line(format!("{}; {}", count(faults.len(), "fault"), facts.join(", ")).as_str());
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Told.into()) }
}

/// What is wrong, and what was looked at.
type Findings = (Vec<String>, Vec<String>);

fn document(named: Option<&Path>, workspace: &Workspace) -> anyhow::Result<Findings> {
    let (path, bytes) = read_requirements(named, workspace)?;
    let document = Document::read(&bytes, &path)?;
    let faults = of_document(&document.prd, &document.origin);
    let headings = document.prd.sections.iter().filter(|it| !it.title.is_empty()).count();
    let facts = vec![
        count(document.prd.requirements().count(), "requirement"),
        count(headings, "heading"),
        count(bytes.len(), "byte"),
    ];
    Ok((faults.iter().map(ToString::to_string).collect(), facts))
}

fn tree(out: &Path, named: Option<&Path>, workspace: &Workspace) -> anyhow::Result<Findings> {
    let tree = read(out).map_err(no_tree)?;
    let mut faults = compare(&tree, source(&tree, named, workspace)?.as_deref())?;
    match read_coverage(out) {
        Some(said) => faults.extend(of_coverage(&tree, &said).map(|it| it.to_string())),
        None => faults.push(format!("there is no {COVERAGE_FILE}, or it cannot be read")),
    }
    let covered = coverage(&tree);
    let depth = tree.nodes.iter().map(|it| it.depth).max().unwrap_or_default();
    let facts = vec![
        count(tree.nodes.len(), "node"),
        format!("{depth} deep"),
        format!(
            "{} of {} requirements (coverage {:.2})",
            covered.covered, covered.requirements, covered.coverage
        ),
    ];
    Ok((faults, facts))
}

/// What is wrong with a tree by itself, and with its document beside it.
fn compare(tree: &Tree, bytes: Option<&[u8]>) -> anyhow::Result<Vec<String>> {
    let path = &tree.document.path;
    let told = |faults: Vec<TreeFault>| -> Vec<String> {
        faults.iter().map(ToString::to_string).collect()
    };
    let Some(bytes) = bytes else {
        let missing = format!("{path} is not there to be compared with; name it with --document");
        return Ok([told(of_tree(tree, None)), vec![missing]].concat());
    };
    let document = Document::read(bytes, Path::new(path))?;
    let faults = told(of_tree(tree, Some((&document.prd, &document.origin))));
    let has_changed = !faults.is_empty() && sha256_hex(bytes) != tree.document.sha256;
    let changed = has_changed.then(|| format!("{path} has changed since"));
    Ok(changed.into_iter().chain(faults).collect())
}

/// The document of a tree as it is now; nothing when it is not there.
fn source(
    tree: &Tree,
    named: Option<&Path>,
    workspace: &Workspace,
) -> anyhow::Result<Option<Vec<u8>>> {
    if named.is_some() {
        return Ok(Some(read_requirements(named, workspace)?.1));
    }
    Ok(fs::read(workspace.locate(Path::new(&tree.document.path))).ok())
}
