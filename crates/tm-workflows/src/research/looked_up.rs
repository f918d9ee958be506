//! What documents say about a task, for a model that writes or changes it: the `--research` of the
//! commands that are no questions.
//!
//! No model is asked for it; code finds the sentences. Start at [`looked_up`] and [`look_up`].

use tm_knowledge::index::search::place;

use super::{
    finding::about,
    nearest::{Candidate, candidates, sort},
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

/// The nearest sentences.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Each with its place.
    pub(crate) lines: Vec<String>,
    /// Where they are from, each once.
    pub(crate) places: Vec<String>,
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
    let Said { lines, places } = look_up(asking, words, "").await?;
    let text = if places.is_empty() {
        "no document says anything about this".to_owned()
    } else {
        format!("looked up in {}", places.join(", "))
    };
    (asking.observer)(Event::Note { text });
    Ok(lines.join("\n"))
}

/// The same for those who tell it themselves, without what is `known` already.
///
/// # Errors
/// When the documents cannot be searched.
pub(crate) async fn look_up(
    asking: &Asking<'_>,
    words: &str,
    known: &str,
) -> Result<Said, AskError> {
    let Some(documents) = asking.documents else { return Ok(Said::default()) };
    let failed = |reason: String| {
        let text = format!("documents were searched by their words alone: {reason}");
        (asking.observer)(Event::Note { text });
    };
    let mut passages = Vec::new();
    for library in &documents.libraries {
        let found = about(library, words, words, PASSAGES).await?;
        if let Some(error) = found.failed {
            failed(error.to_string());
        }
        passages.extend(found.hits);
    }
    let mut candidates = candidates(&passages);
    if let Some(error) = sort(&documents.libraries, words, &mut candidates).await {
        failed(error.to_string());
    }
    let known = one_line(known);
    let is_new = |it: &&Candidate<'_>| !known.contains(&one_line(&it.quote.text));
    let mut left = asking.context_tokens() / 2;
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    for it in candidates.iter().filter(is_new).take(SENTENCES) {
        let place = place(&it.hit.path, it.hit.page, it.hit.first_line..=it.hit.last_line);
        let line = format!("- {place}: “{}”", one_line(&it.quote.text));
        let tokens = asking.backend.count_tokens(&line);
        if tokens > left {
            break;
        }
        left -= tokens;
        lines.push(line);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(Said { lines, places })
}

#[cfg(test)]
mod tests;
