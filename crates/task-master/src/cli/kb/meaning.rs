//! Vectors of documents and questions, made by the project's embedding model.
//!
//! It takes a minute for some hundred chunks where the model runs on a processor, so that there is
//! a bar, and whoever interrupts keeps what was made. Start at [`complete`].

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tm_knowledge::index::{Index, search::Meaning};
use tm_workflows::embedding::{EmbedError, EmbeddingModel, Progress, embed_missing};

use super::{count, told};
use crate::{
    app::Workspace,
    backend,
    knowledge::{FETCH_HINT, Meanings, WordsAlone, embedding_model, meanings},
    report::{Interrupted, Report, advice},
};

/// What became of the vectors.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub(super) enum Made {
    /// All chunks have one, so many of them since now.
    Complete {
        model: String,
        made: u64,
        chunks: u64,
    },
    WordsAlone {
        why: String,
        hint: &'static str,
    },
}

/// Makes the vectors that are missing, if the project has a model that can.
pub(super) fn complete(
    index: &mut Index,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Made> {
    let Some(model) = embedding_model(workspace)? else {
        let why = "there is no embedding model here".to_owned();
        return Ok(Made::WordsAlone { why, hint: FETCH_HINT });
    };
    if index.embedded().map_err(told)?.is_some()
        && let Meanings::Unusable(WordsAlone { why, hint }) =
            meanings(index, Some(model.clone())).map_err(told)?
    {
        return Ok(Made::WordsAlone { why, hint });
    }
    let missing = index.count_unembedded().map_err(told)?;
    if missing > 0 {
        let chunks = count(usize::try_from(missing).unwrap_or_default(), "chunk");
        report.note(&format!("{} reads {chunks}", model.embedder.model));
    }
    let bar = ProgressBar::new(missing);
    let template = "{spinner} reading [{bar:24}] {pos}/{len} chunks, {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let observer = |progress: Progress| {
        bar.set_length(progress.chunks);
        bar.set_position(progress.done);
    };
    let state = "the vectors that were made are kept; `task-master kb embed` goes on";
    let made = wait(state, async { Ok(embed_missing(index, &model, &observer).await) });
    bar.finish_and_clear();
    let made = match made? {
        Ok(made) => made,
        Err(EmbedError::Index(error)) => return Err(told(error)),
        // The documents have been read all the same.
        Err(error) => {
            return Ok(Made::WordsAlone { why: error.to_string(), hint: hint(&error) });
        }
    };
    let chunks = index.embedded().map_err(told)?.map_or(0, |it| it.chunks);
    Ok(Made::Complete { model: model.embedder.model, made, chunks })
}

/// What a question means.
pub(super) fn of_question(model: &EmbeddingModel, question: &str) -> anyhow::Result<Meaning> {
    wait("nothing was changed", async {
        model.meaning(question).await.map_err(|error| {
            let message = format!("{} cannot say what the question means", model.embedder.model);
            let hint = backend::hint(&error);
            anyhow::Error::new(error).context(advice(message, hint))
        })
    })
}

/// An error where there is no model to make vectors with.
pub(super) fn require_model(workspace: &Workspace) -> anyhow::Result<()> {
    match embedding_model(workspace)? {
        Some(_) => Ok(()),
        None => Err(advice("there is no embedding model here", FETCH_HINT).into()),
    }
}

/// Waits for a model, unless somebody interrupts, who is told the `state` of things.
pub(super) fn wait<T>(
    state: &'static str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            value = work => value,
            _ = tokio::signal::ctrl_c() => {
                Err(Interrupted { state }.into())
            }
        }
    })
}

fn hint(error: &EmbedError) -> &'static str {
    match error {
        EmbedError::Model(error) => backend::hint(error),
        EmbedError::Count { .. } => "look at the server, or take another embedding model",
        EmbedError::Index(_) => "look at the knowledge base with `task-master kb verify`",
    }
}
