//! What documents say about a task, a part of a plan or a failure, for a model that writes or changes
//! something: the `--research` of the commands that are no questions.
//!
//! No model is asked for it; code finds the sentences. Start at [`looked_up`] and [`nearest`].

use tm_knowledge::index::search::place;

use super::{
    finding::about,
    nearest::{candidates, sort},
    passages::one_line,
};
use crate::{
    asking::{AskError, Asking},
    event::Event,
};

/// Passages in which sentences are looked for, of each library.
const PASSAGES: usize = 6;

/// More sentences only distract.
pub(crate) const SENTENCES: usize = 8;

/// A sentence of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: String,
    /// The document, and where in it.
    pub(crate) place: String,
    /// Its words, in one line.
    pub(crate) words: String,
}

impl Found {
    /// The words with their place.
    pub(crate) fn line(&self) -> String {
        format!("- {}: “{}”", self.place, self.words)
    }
}

/// The nearest sentences with their places, one a line; empty when nothing is about it, or nothing
/// is to be looked up. Where they are from is told as [`Event::Note`].
///
/// # Errors
/// When the documents cannot be searched.
pub(crate) async fn looked_up(asking: &Asking<'_>, words: &str) -> Result<String, AskError> {
    if asking.documents.is_none() {
        return Ok(String::new());
    }
    let found = nearest(asking, &[words], SENTENCES, &|_| true).await?;
    tell(asking, &found);
    Ok(lines(&found))
}

/// One a line.
pub(crate) fn lines(found: &[Found]) -> String {
    found.iter().map(Found::line).collect::<Vec<_>>().join("\n")
}

/// The sentences nearest to any of these questions, of those that are `wanted`: so many of `each`, and
/// no more together than the model has room for. What is nearest to the first question comes first.
///
/// # Errors
/// When the documents cannot be searched.
pub(crate) async fn nearest(
    asking: &Asking<'_>,
    questions: &[&str],
    each: usize,
    wanted: &(dyn Fn(&Found) -> bool + Sync),
) -> Result<Vec<Found>, AskError> {
    let libraries = asking.documents.map(|it| it.libraries.as_slice()).unwrap_or_default();
    let failed = |reason: String| {
        let text = format!("documents were searched by their words alone: {reason}");
        (asking.observer)(Event::Note { text });
    };
    let mut left = asking.context_tokens() / 2;
    let mut all: Vec<Found> = Vec::new();
    for question in questions {
        let mut passages = Vec::new();
        for library in libraries {
            let found = about(library, question, question, PASSAGES).await?;
            if let Some(error) = found.failed {
                failed(error.to_string());
            }
            passages.extend(found.hits);
        }
        let mut candidates = candidates(&passages);
        if let Some(error) = sort(libraries, question, &mut candidates).await {
            failed(error.to_string());
        }
        let sentences = candidates.iter().map(|it| Found {
            path: it.hit.path.clone(),
            place: place(&it.hit.path, it.hit.page, it.hit.first_line..=it.hit.last_line),
            words: one_line(&it.quote.text),
        });
        for it in sentences.filter(|it| wanted(it)).take(each) {
            let tokens = asking.backend.count_tokens(&it.line());
            if tokens > left || all.len() == SENTENCES {
                return Ok(all);
            }
            if !all.contains(&it) {
                left -= tokens;
                all.push(it);
            }
        }
    }
    Ok(all)
}

/// Tells where something was found, or that nothing was.
pub(crate) fn tell(asking: &Asking<'_>, found: &[Found]) {
    let mut places: Vec<&str> = Vec::new();
    for it in found {
        if !places.contains(&it.place.as_str()) {
            places.push(&it.place);
        }
    }
    let text = if places.is_empty() {
        "no document says anything about this".to_owned()
    } else {
        format!("looked up in {}", places.join(", "))
    };
    (asking.observer)(Event::Note { text });
}

#[cfg(test)]
mod tests;
