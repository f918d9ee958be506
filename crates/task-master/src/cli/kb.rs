//! `kb`: the documents that `research` answers from.
//!
//! They are kept in the project, in `.taskmaster/knowledge`, so that they move and go with it; what
//! is in there is made of the sources and can be made again. What is found and how is known to
//! `tm-knowledge`; `screen` prints it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tm_knowledge::{
    index::{Index, IndexError, Source, write::NewSource},
    sync::{Synced, sync},
};

use super::marks::count;
use crate::{
    app::{App, Workspace},
    knowledge::pdf_reader,
    report::{Report, Told, advice},
};

mod meaning;
mod screen;
mod search;
mod watch;

/// Keep documents that research answers from
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add folders and files, or read them again
    Add(AddArgs),
    /// Read all sources again
    Update(UpdateArgs),
    /// Read sources again whenever they change, until Ctrl-C
    Watch(WatchArgs),
    /// Make what is missing to find documents by their meaning
    Embed(EmbedArgs),
    /// Forget a source
    Rm(RmArgs),
    /// List the sources
    List(JsonArgs),
    /// Find what the documents say
    Search(search::Args),
    /// Open every chunk and every file again
    Verify(JsonArgs),
    /// Show how much is known
    Stats(JsonArgs),
    /// Print every chunk as a line of JSON
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Folders and files; the project itself when none is named
    paths: Vec<PathBuf>,

    /// What may be done with them, such as CC-BY-4.0
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,

    /// Where they come from, such as a URL
    #[arg(long, value_name = "TEXT")]
    origin: Option<String>,

    /// Leave the vectors to a later `kb embed`
    #[arg(long)]
    no_vectors: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct UpdateArgs {
    /// Leave the vectors to a later `kb embed`
    #[arg(long)]
    no_vectors: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct WatchArgs {
    /// Leave the vectors to a later `kb embed`
    #[arg(long)]
    no_vectors: bool,
}

#[derive(Debug, clap::Args)]
struct EmbedArgs {
    /// Make all vectors anew, with the model that the project has now
    #[arg(long)]
    again: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct RmArgs {
    /// Its number, its name or its path
    source: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ExportArgs {
    /// Only this source
    #[arg(long, short, value_name = "SOURCE")]
    source: Option<String>,
}

/// Runs `kb`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    match &args.command {
        Command::Add(args) => add(args, app, &workspace, report),
        Command::Update(args) => update(args, app, &workspace, report),
        Command::Watch(args) => watch::run(args, app, &workspace, report),
        Command::Embed(args) => embed(args, &workspace, report),
        Command::Rm(args) => remove(args, &workspace, report),
        Command::List(args) => list(args, &workspace, report),
        Command::Search(args) => search::run(args, &workspace, report),
        Command::Verify(args) => verify(args, &workspace, report),
        Command::Stats(args) => stats(args, &workspace, report),
        Command::Export(args) => export(args, &workspace, report),
    }
}

fn add(
    args: &AddArgs,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let root = workspace.project.root().to_path_buf();
    let paths = if args.paths.is_empty() { vec![root] } else { args.paths.clone() };
    let new: Vec<NewSource> =
        paths.iter().map(|it| new_source(it, args, app)).collect::<Result<_, _>>()?;
    let mut index = Index::create(&workspace.project.knowledge_file()).map_err(told)?;
    let now_s = app.now.as_second();
    let mut sources = Vec::new();
    for source in &new {
        sources.push(index.add_source(source, now_s).map_err(told)?);
    }
    let after = After { is_json: args.json, makes_vectors: !args.no_vectors, workspace };
    read(&mut index, &sources, &after, app, report)
}

fn update(
    args: &UpdateArgs,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut index = open(workspace)?;
    let there = sources(&index, "what was read of it is kept", report)?;
    let after = After { is_json: args.json, makes_vectors: !args.no_vectors, workspace };
    read(&mut index, &there, &after, app, report)
}

/// The sources that can be read now. A folder that is not there, such as one on another disk, is not
/// an empty one: it is told, and what becomes of it.
fn sources(index: &Index, otherwise: &str, report: &mut Report) -> anyhow::Result<Vec<Source>> {
    let sources = index.sources().map_err(told)?;
    let (there, gone): (Vec<Source>, Vec<Source>) =
        sources.into_iter().partition(|it| Path::new(&it.location).exists());
    for source in gone {
        report.warn(&format!("{} is not there; {otherwise}", source.location));
    }
    Ok(there)
}

/// What is done when sources have been read.
struct After<'a> {
    is_json: bool,
    makes_vectors: bool,
    workspace: &'a Workspace,
}

/// Brings sources up to date and tells what became of them.
fn read(
    index: &mut Index,
    sources: &[Source],
    after: &After<'_>,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut documents, mut unread) = (Vec::new(), Vec::new());
    for source in sources {
        let synced = read_one(index, source, app)?;
        if synced.added + synced.changed + synced.unchanged == 0 && !synced.skipped.is_empty() {
            unread.push(source.name.as_str());
        }
        if after.is_json {
            documents.push(
                json!({"source": source.name, "location": source.location, "result": synced}),
            );
        } else {
            screen::print_synced(source, &synced, report);
        }
    }
    let made = if after.makes_vectors {
        Some(meaning::complete(index, after.workspace, report)?)
    } else {
        None
    };
    let copied = meaning::copy_if_possible(index, after.workspace, report);
    if after.is_json {
        report.json(&json!({"sources": documents, "vectors": made, "copied": copied}));
    } else {
        if let Some(made) = &made {
            screen::print_made(made, report);
        }
        report.suggest_any(&[
            ("task-master kb search \"…\"", "find what they say"),
            ("task-master research \"…\"", "ask, and get an answer with citations"),
        ]);
    }
    if unread.is_empty() {
        return Ok(());
    }
    let message = format!("nothing could be read of {}", unread.join(", "));
    Err(advice(message, "see above why; `task-master kb rm NAME` forgets a source").into())
}

fn read_one(index: &mut Index, source: &Source, app: &App) -> anyhow::Result<Synced> {
    let bar = ProgressBar::new(0);
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} reading [{bar:24}] {pos}/{len} files")
    {
        bar.set_style(style);
    }
    let observer = |progress: tm_knowledge::sync::Progress| {
        bar.set_length(u64::try_from(progress.files).unwrap_or_default());
        bar.set_position(u64::try_from(progress.done).unwrap_or_default());
    };
    let synced = sync(index, source, &pdf_reader(), app.now.as_second(), &observer);
    bar.finish_and_clear();
    synced.map_err(told)
}

fn remove(args: &RmArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let mut index = open(workspace)?;
    let source = index.source(&args.source).map_err(told)?;
    index.remove_source(source.id).map_err(told)?;
    let copied = meaning::copy_if_possible(&index, workspace, report);
    if args.json {
        report.json(&json!({"removed": source, "copied": copied}));
        return Ok(());
    }
    report.done(format!(
        "{} forgotten, with {}; the files are as they were",
        source.name,
        count(usize::try_from(source.documents).unwrap_or_default(), "document")
    ));
    Ok(())
}

fn list(args: &JsonArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let sources = match open_if_any(workspace)? {
        Some(index) => index.sources().map_err(told)?,
        None => Vec::new(),
    };
    if args.json {
        report.json(&json!({"sources": sources}));
    } else if sources.is_empty() {
        report.line("There are no documents yet.");
        report.suggest("task-master kb add", "read the project's own documents and code");
    } else {
        screen::print_sources(&sources, report);
    }
    Ok(())
}

fn embed(args: &EmbedArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let mut index = open(workspace)?;
    if args.again {
        meaning::require_model(workspace)?;
        meaning::forget_copy(&index, workspace, report);
        index.forget_vectors().map_err(told)?;
    }
    let made = meaning::complete(&mut index, workspace, report)?;
    if let meaning::Made::WordsAlone { why, hint } = &made {
        return Err(advice(why.clone(), *hint).into());
    }
    let copied = meaning::copy(&index, workspace, report)?;
    if args.json {
        report.json(&json!({"vectors": made, "copied": copied}));
    } else {
        screen::print_made(&made, report);
    }
    Ok(())
}

/// Fails when a citation does not hold. That a file has changed since is only told.
fn verify(args: &JsonArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let verified = open(workspace)?.verify().map_err(told)?;
    if args.json {
        report.json(&json!({"holds": verified.holds(), "verified": verified}));
    } else {
        screen::print_verified(&verified, report);
    }
    if verified.holds() { Ok(()) } else { Err(Told.into()) }
}

fn stats(args: &JsonArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let stats = open(workspace)?.stats().map_err(told)?;
    if args.json {
        report.json(&stats);
    } else {
        screen::print_stats(&stats, report);
    }
    Ok(())
}

fn export(args: &ExportArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let index = open(workspace)?;
    let source = args.source.as_deref().map(|it| index.source(it).map_err(told)).transpose()?;
    let print = |hit| {
        // A chunk has nothing in it that is no JSON.
        let line = serde_json::to_string(&hit).unwrap_or_default();
        report.text(&(line + "\n"));
    };
    index.each_chunk(source.map(|it| it.id), print).map_err(told)
}

fn new_source(path: &Path, args: &AddArgs, app: &App) -> anyhow::Result<NewSource> {
    let nothing = || {
        let hint = "name a folder or a file that is there";
        advice(format!("there is nothing at {}", path.display()), hint)
    };
    let path = app.environment.working_dir.join(path).canonicalize().map_err(|_| nothing())?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let location = path.to_str().map(str::to_owned).ok_or_else(|| {
        advice(format!("{} is not a name in UTF-8", path.display()), "give it another name")
    })?;
    let (licence, origin) = (args.licence.clone(), args.origin.clone());
    Ok(NewSource { location, name, licence, origin })
}

fn open(workspace: &Workspace) -> anyhow::Result<Index> {
    Index::open(&workspace.project.knowledge_file()).map_err(told)
}

fn open_if_any(workspace: &Workspace) -> anyhow::Result<Option<Index>> {
    match Index::open(&workspace.project.knowledge_file()) {
        Ok(index) => Ok(Some(index)),
        Err(IndexError::Missing { .. }) => Ok(None),
        Err(error) => Err(told(error)),
    }
}

/// What to do about a knowledge base that cannot be used.
pub(crate) fn told(error: IndexError) -> anyhow::Error {
    let hint = match &error {
        IndexError::Missing { .. } => "add documents with `task-master kb add`",
        IndexError::Uncreatable { .. } => "see who owns the directory and what its permissions are",
        IndexError::Version { .. } | IndexError::Damaged(_) => {
            "delete .taskmaster/knowledge and add the sources again; they were not touched"
        }
        IndexError::NoVectors => "make them with `task-master kb embed`",
        IndexError::OtherEmbedder { .. } => {
            "make them anew with `task-master kb embed --again`, or set the model that made them as \
             `models.embedding` in the project's configuration"
        }
        IndexError::NoSource { .. } => "see which sources there are with `task-master kb list`",
        IndexError::Interrupted => "try again",
        IndexError::Busy => "nothing was changed; try again when it is done",
        IndexError::Sqlite(_) => "see whether the disk is full and who owns .taskmaster/knowledge",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
