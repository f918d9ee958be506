//! Vectors of documents and questions, made by the project's embedding model.
//!
//! It takes a minute for some hundred chunks where the model runs on a processor, so that there is
//! a bar, and whoever interrupts keeps what was made. Start at [`complete`].

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tm_knowledge::{
    index::{Index, search::Meaning},
    qdrant::{Copied, QdrantError},
};
use tm_workflows::embedding::{EmbedError, EmbeddingModel, Progress, embed_missing};

use super::{count, told};
use crate::{
    app::Workspace,
    backend,
    interruption::interruptible,
    knowledge::{FETCH_HINT, Meanings, WordsAlone, embedding_model, meanings, qdrant},
    report::{Report, advice},
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
    let made = interruptible(state, async { Ok(embed_missing(index, &model, &observer).await) });
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

/// Brings the Qdrant server up to date, where the user names one.
pub(super) fn copy(
    index: &Index,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Option<Copied>> {
    let (Some(qdrant), Some(_)) = (qdrant(workspace)?, index.embedded().map_err(told)?) else {
        return Ok(None);
    };
    let bar = ProgressBar::new(0);
    let template = "{spinner} copying [{bar:24}] {pos}/{len} vectors, {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let observer = |sent: usize, missing: usize| {
        bar.set_length(u64::try_from(missing).unwrap_or_default());
        bar.set_position(u64::try_from(sent).unwrap_or_default());
    };
    let state = "what was copied stays there; `task-master kb embed` goes on";
    let copied = interruptible(state, async {
        qdrant.copy(index, &observer).await.map_err(|error| match error {
            QdrantError::Index(error) => told(error),
            error @ (QdrantError::Rest(_)
            | QdrantError::Answer { .. }
            | QdrantError::Incomplete { .. }
            | QdrantError::Length { .. }) => {
                let hint = "start it, or see TASKMASTER_QDRANT_URL and QDRANT_API_KEY; the \
                            vectors are in the knowledge base all the same";
                let message = format!("{} has no copy of the vectors", qdrant.url());
                anyhow::Error::new(error).context(advice(message, hint))
            }
        })
    });
    bar.finish_and_clear();
    let copied = copied?;
    report.note(&format!(
        "{} has a copy of {} ({} new)",
        qdrant.url(),
        count(copied.points, "vector"),
        copied.added
    ));
    Ok(Some(copied))
}

/// Has the Qdrant server forget vectors that are made anew. A copy that stays is of no use, and does
/// no harm.
pub(super) fn forget_copy(index: &Index, workspace: &Workspace, report: &mut Report) {
    let forgotten = qdrant(workspace).and_then(|found| match found {
        Some(qdrant) => {
            interruptible("nothing was changed", async { Ok(qdrant.forget(index).await?) })
        }
        None => Ok(()),
    });
    if let Err(error) = forgotten {
        report.warn(&format!("the copy of the former vectors stays: {error:#}"));
    }
}

/// The same for those whose work is done whether or not it can be.
pub(super) fn copy_if_possible(
    index: &Index,
    workspace: &Workspace,
    report: &mut Report,
) -> Option<Copied> {
    copy(index, workspace, report).unwrap_or_else(|error| {
        report.warn(&format!("{error:#}"));
        None
    })
}

/// What a question means.
pub(super) fn of_question(model: &EmbeddingModel, question: &str) -> anyhow::Result<Meaning> {
    interruptible("nothing was changed", async {
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

fn hint(error: &EmbedError) -> &'static str {
    match error {
        EmbedError::Model(error) => backend::hint(error),
        EmbedError::Count { .. } => "look at the server, or take another embedding model",
        EmbedError::Index(_) => "look at the knowledge base with `task-master kb verify`",
    }
}
