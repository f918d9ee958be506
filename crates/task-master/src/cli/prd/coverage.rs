//! `prd coverage`: which requirements of a document the tasks cover.
//!
//! No model is asked, so the answer is the same every time.

use std::path::PathBuf;

use serde::Serialize;
use tm_tasks::{
    document::Tag,
    plan::coverage::{MatchKind, Requirement, coverage, text_of},
    prd::Prd,
    task::Task,
};

use super::not_a_document;
use crate::{
    app::App,
    cli::{
        Format,
        asking::{place, require},
        parse_prd::read_requirements,
    },
    report::{
        Report,
        text::{BOLD, DIM, Text},
    },
};

/// Show which requirements of a document the tasks cover
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The document, or `-` for standard input; the project's own when none is named
    file: Option<PathBuf>,

    /// The tag whose tasks are searched
    #[arg(long)]
    tag: Option<String>,

    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Document {
    title: String,
    tag: String,
    requirements: usize,
    covered: usize,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    requirement: String,
    /// The headings above it, outermost first.
    section: Vec<String>,
    covered: bool,
    /// Those that cover it, the best first.
    tasks: Vec<Covering>,
}

#[derive(Debug, Serialize)]
struct Covering {
    id: String,
    /// `verbatim` or `words`.
    r#match: &'static str,
    /// Which share of its words the task has, rare ones counting more.
    score: f64,
}

/// Runs `prd coverage`.
pub(super) fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let (path, bytes) = read_requirements(args.file.as_deref(), &workspace)?;
    let (_, prd) = Prd::from_bytes(&bytes).map_err(|error| not_a_document(error, &path))?;
    let tag = require(&place(&workspace, args.tag.as_deref()), &[])?;
    let document = document(&prd, &tag);
    if args.json || args.format == Format::Json {
        report.json(&document);
    } else {
        print(&document, report);
    }
    Ok(())
}

fn document(prd: &Prd, tag: &Tag) -> Document {
    let texts: Vec<String> = tag.tasks().iter().map(text_of).collect();
    let requirements = coverage(prd, &texts);
    Document {
        title: prd.title.clone(),
        tag: tag.name().to_owned(),
        requirements: requirements.len(),
        covered: requirements.iter().filter(|it| it.is_covered()).count(),
        items: requirements.iter().filter_map(|it| item(it, prd, tag.tasks())).collect(),
    }
}

fn item(requirement: &Requirement, prd: &Prd, tasks: &[Task]) -> Option<Item> {
    let unit = prd.units.get(requirement.unit)?;
    let covering = requirement.covering().filter_map(|it| {
        Some(Covering {
            id: tasks.get(it.task)?.id().to_string(),
            r#match: match it.kind {
                MatchKind::Verbatim => "verbatim",
                MatchKind::Words(_) => "words",
            },
            score: (it.kind.score() * 100.0).round() / 100.0,
        })
    });
    Some(Item {
        requirement: unit.text.clone(),
        section: prd.path(unit.section).into_iter().map(str::to_owned).collect(),
        covered: requirement.is_covered(),
        tasks: covering.collect(),
    })
}

fn print(document: &Document, report: &mut Report) {
    let title = Text::styled(BOLD, &document.title).and(DIM, "  tag ");
    report.line(title.and(DIM, &document.tag));
    for item in &document.items {
        let tasks: Vec<&str> = item.tasks.iter().map(|it| it.id.as_str()).collect();
        let mark = if item.covered { "✓" } else { "–" };
        let by =
            if tasks.is_empty() { String::new() } else { format!("  task {}", tasks.join(", ")) };
        report.line(Text::plain(&format!("{mark} {}", item.requirement)).and(DIM, &by));
    }
    report.blank();
    let (covered, all) = (document.covered, document.requirements);
    report.line(format!("{covered} of {all} requirements are covered").as_str());
}
