//! What documents say about something that fails, for which there is no one question: what is nearest to
//! the task, and to any line that was printed.
//!
//! No model is asked for it; code finds the sentences. Start at [`nearest`].

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
const SENTENCES: usize = 8;

/// A sentence of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: String,
    /// The document, and where in it.
    pub(crate) place: String,
    /// The words with their place.
    pub(crate) line: String,
}

/// The sentences nearest to any of these questions, of documents at paths that `wanted` takes.
///
/// # Errors
/// When the documents cannot be searched.
pub(crate) async fn nearest(
    asking: &Asking<'_>,
    questions: &[&str],
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Vec<Found>, AskError> {
    let libraries = asking.documents.map(|it| it.libraries.as_slice()).unwrap_or_default();
    let failed = |reason: String| {
        let text = format!("documents were searched by their words alone: {reason}");
        (asking.observer)(Event::Note { text });
    };
    let mut left = asking.context_tokens() / 2;
    let mut lines: Vec<Found> = Vec::new();
    for words in questions {
        let mut passages = Vec::new();
        for library in libraries {
            let found = about(library, words, words, PASSAGES).await?;
            if let Some(error) = found.failed {
                failed(error.to_string());
            }
            passages.extend(found.hits.into_iter().filter(|it| wanted(&it.path)));
        }
        let mut candidates = candidates(&passages);
        if let Some(error) = sort(libraries, words, &mut candidates).await {
            failed(error.to_string());
        }
        for it in candidates.iter().take(SENTENCES) {
            let place = place(&it.hit.path, it.hit.page, it.hit.first_line..=it.hit.last_line);
            let line = format!("- {place}: “{}”", one_line(&it.quote.text));
            let tokens = asking.backend.count_tokens(&line);
            if tokens > left || lines.len() == SENTENCES {
                return Ok(lines);
            }
            if lines.iter().all(|it| it.line != line) {
                left -= tokens;
                lines.push(Found { path: it.hit.path.clone(), place, line });
            }
        }
    }
    Ok(lines)
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
