//! How well questions are answered out of documents, measured on questions whose answers are known.
//!
//! Where an answer must come from is known word for word, so what is found, what is cited and what
//! is left unanswered are counted by code. Only whether a passage says what a sentence says can be
//! judged by a model as well; how often it says so of passages of other answers is told with it.
//! Start at [`read_set`], [`ask`] and [`scores`].

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tm_knowledge::{
    index::search::{By, Query},
    read::{kind, read},
};

use crate::{
    asking::{AskError, Asking},
    event::Event,
    research::{
        Detail, Documents, Research,
        cited::{Citation, Cited, Quote},
        finding::about,
        library::Library,
        research,
    },
};

pub use entailed::{Entailed, judge};
pub use scores::{Measure, Scores, scores};
pub use set::{Labelled, Passage, QuestionSet, SetError, read_set};

mod entailed;
mod scores;
mod set;

/// What was found for a question, before a model reads any of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retrieved {
    /// How many of the passages that answer it are among the first five; none where nothing does.
    pub recall: Option<f64>,
    /// The same, found by their words alone.
    pub recall_by_words: Option<f64>,
    /// Whether any passage is taken to be about the question.
    pub is_about_something: bool,
}

/// What a question was answered with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    pub question: String,
    pub text: String,
    pub cited: Cited,
    pub took_s: f64,
    /// What the model says about each sentence that is cited; none when it was not asked.
    pub judged: Option<Vec<Entailed>>,
}

/// Passages that count as found.
const DEPTH: usize = 5;

/// Looks for what answers a question.
///
/// # Errors
/// When the documents cannot be searched.
pub async fn retrieve(library: &Library, labelled: &Labelled) -> Result<Retrieved, AskError> {
    let question = &labelled.question;
    let first = async |by| {
        let query = Query { by, ..Query::new(question, DEPTH) };
        let hits = library.search(query).await?;
        let says = |it: &Passage| hits.iter().any(|hit| it.is_in(&hit.path, &hit.text));
        let found = labelled.answers.iter().filter(|it| says(it)).count();
        Ok::<_, AskError>(share(found, labelled.answers.len()))
    };
    let (by, _) = library.understood(question).await;
    let found = about(library, question, question, DEPTH).await?;
    Ok(Retrieved {
        recall: first(by).await?,
        recall_by_words: first(By::Words).await?,
        is_about_something: !found.hits.is_empty(),
    })
}

/// Has a question answered as `research` does it.
///
/// # Errors
/// What keeps the model from answering.
pub async fn ask(
    asking: Asking<'_>,
    library: &Library,
    detail: Detail,
    question: &str,
) -> Result<Answered, AskError> {
    let request = Research {
        query: question.to_owned(),
        detail,
        documents: Documents { libraries: vec![library.clone()], abstains: true },
        ..Research::default()
    };
    // The answer is counted, not read.
    let observer = |event| {
        if !matches!(event, Event::Text { .. }) {
            (asking.observer)(event);
        }
    };
    let started = Instant::now();
    let asking = Asking { observer: &observer, ..asking };
    let researched = research(asking, &[], &request).await?;
    Ok(Answered {
        question: question.to_owned(),
        text: researched.answer,
        cited: researched.cited.unwrap_or_else(Cited::nothing),
        took_s: seconds(started.elapsed()),
        judged: None,
    })
}

impl Answered {
    /// Whether it says that the documents do not say it.
    pub fn abstains(&self) -> bool {
        self.cited.citations.is_empty()
    }

    /// One of these that cites none of its documents: what it cites should not say what this says.
    pub fn another<'a>(&self, among: &[&'a Self]) -> Option<&'a Self> {
        let cites = |path: &str| self.cited.citations.iter().any(|it| it.path == path);
        let is_other = |it: &&&Self| !it.cited.citations.iter().any(|it| cites(&it.path));
        let among = || among.iter().filter(|it| !it.abstains());
        // The next one, so that not all have the same.
        let after = among().skip_while(|it| it.question != self.question);
        after.chain(among()).find(is_other).copied()
    }

    /// Whether it rests on words that are known to answer the question.
    fn is_right(&self, labelled: &Labelled) -> bool {
        let mut quotes = self.cited.citations.iter().flat_map(|citation| {
            citation.quotes.iter().map(|quote| (citation.path.as_str(), quote.text.as_str()))
        });
        quotes.any(|(path, quote)| labelled.answers.iter().any(|it| it.is_told_by(path, quote)))
    }
}

/// Whether a quotation is in its file, byte for byte: the file is read anew, and no index is asked.
pub fn opens(documents: &Path, citation: &Citation, quote: &Quote) -> bool {
    let file = documents.join(&citation.path);
    let Some(text) = kind(&file)
        .zip(fs::read(&file).ok())
        .and_then(|(kind, bytes)| read(kind, &citation.path, bytes).ok())
    else {
        return false;
    };
    text.text.get(quote.start..quote.end) == Some(quote.text.as_str())
}

/// A part of a whole; none without a whole.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| crate::research::passages::share(part, whole))
}

fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
