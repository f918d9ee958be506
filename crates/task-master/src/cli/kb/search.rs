//! `kb search`: what the documents say about something, the best first.
//!
//! By which way it is looked for, and who puts it in order, is decided here; each that cannot be had is
//! told. Start at [`run`].

use clap::ValueEnum;
use serde_json::json;
use tm_knowledge::{
    index::{
        Index,
        search::{By, Query},
    },
    read::Kind,
};
use tm_workflows::{embedding::server::VectorServer, research::library::Library};

use super::{count, meaning, open, screen, told};
use crate::{
    app::Workspace,
    interruption::interruptible,
    knowledge::{Meanings, embedding_model, meanings, qdrant, reranker, tell_degraded},
    report::{Report, advice},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to look for
    query: String,

    /// Show at most so many
    #[arg(long, short = 'n', default_value_t = 8)]
    number: usize,

    /// Only in this source; may be given several times
    #[arg(long, short, value_name = "SOURCE")]
    source: Vec<String>,

    /// Only documents of this kind: markdown, text, html, docx, pdf or code
    #[arg(long, short, value_name = "KIND")]
    kind: Vec<String>,

    /// Only files that were changed on this day or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<String>,

    /// What to find by; both where there are vectors, and else words
    #[arg(long, short, value_enum)]
    mode: Option<Mode>,

    /// Who looks through vectors; without it the Qdrant server, where one is named
    #[arg(long, value_enum)]
    store: Option<Store>,

    /// Leave what was found in the order in which it was found
    #[arg(long)]
    no_rerank: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What documents are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Their words
    Lexical,
    /// Their meaning
    Dense,
    /// Both
    Hybrid,
}

/// Who looks through vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Store {
    /// This program
    Embedded,
    /// The Qdrant server
    Qdrant,
}

/// Finds chunks, and has them put in order where the project has a model that can.
pub(super) fn run(args: &Args, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let kinds = args.kind.iter().map(|it| it.parse::<Kind>()).collect::<Result<_, _>>()?;
    let since_s = args.since.as_deref().map(day).transpose()?;
    let index = open(workspace)?;
    let mut sources = Vec::new();
    for name in &args.source {
        sources.push(index.source(name).map_err(told)?.id);
    }
    let (by, mode) = by(args, &index, workspace, report)?;
    if args.store == Some(Store::Qdrant) && by == By::Words {
        let hint = "make vectors with `task-master kb embed`, or leave out --store";
        return Err(
            advice("the Qdrant server knows no words, and nothing else is asked", hint).into()
        );
    }
    let reranker = if args.no_rerank { None } else { reranker(workspace)? };
    let is_ranked = reranker.is_some();
    let query = Query { sources, kinds, since_s, by, ..Query::new(&args.query, args.number) };
    let server = server(args.store, workspace)?;
    let library = Library::new(index).with_reranker(reranker).with_vectors_at(server);
    let hits =
        interruptible("nothing was changed", async { library.search(query).await.map_err(told) })?;
    if args.store == Some(Store::Qdrant)
        && let Some(why) = library.searched_here()
    {
        return Err(advice(why, "bring it up to date with `task-master kb embed`").into());
    }
    let is_ranked = is_ranked && library.unranked().is_none();
    tell_degraded(&[library], report);
    if args.json {
        let found = json!({"query": args.query, "mode": mode, "reranked": is_ranked, "hits": hits});
        report.json(&found);
    } else {
        screen::print_hits(&hits, report);
    }
    Ok(())
}

/// The server that looks through vectors, where it is to.
fn server(store: Option<Store>, workspace: &Workspace) -> anyhow::Result<Option<VectorServer>> {
    if store == Some(Store::Embedded) {
        return Ok(None);
    }
    let server = qdrant(workspace)?;
    if store.is_some() && server.is_none() {
        return Err(advice("no Qdrant server is named", "set TASKMASTER_QDRANT_URL").into());
    }
    Ok(server.map(VectorServer::new))
}

/// What to find by, and what that is called. Who named no way gets the best there is, and is told
/// when that is words alone.
fn by(
    args: &Args,
    index: &Index,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<(By, &'static str)> {
    if args.mode == Some(Mode::Lexical) {
        return Ok((By::Words, "lexical"));
    }
    match meanings(index, embedding_model(workspace)?).map_err(told)? {
        Meanings::Usable { model, missing } => {
            if missing > 0 {
                let chunks = count(usize::try_from(missing).unwrap_or_default(), "chunk");
                report.warn(&format!(
                    "without a vector: {chunks}; `task-master kb embed` makes what is missing"
                ));
            }
            let meaning = meaning::of_question(&model, &args.query)?;
            match args.mode {
                Some(Mode::Dense) => Ok((By::Meaning(meaning), "dense")),
                Some(Mode::Hybrid | Mode::Lexical) | None => Ok((By::Both(meaning), "hybrid")),
            }
        }
        Meanings::Unusable(alone) if args.mode.is_none() => {
            report.note(&format!("found by words alone: {}; {}", alone.why, alone.hint));
            Ok((By::Words, "lexical"))
        }
        Meanings::Unusable(alone) => Err(advice(alone.why, alone.hint).into()),
    }
}

/// The first second of a day.
fn day(text: &str) -> anyhow::Result<i64> {
    let start: Result<jiff::Timestamp, _> = format!("{text}T00:00:00Z").parse();
    let start = start.map_err(|_| {
        advice(format!("`{text}` is not a day"), "write it as year, month and day: 2030-01-31")
    })?;
    Ok(start.as_second())
}
