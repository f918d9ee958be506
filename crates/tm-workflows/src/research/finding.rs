//! Passages that are about a question, and not merely the best of those that there are.
//!
//! Whether they answer it is for whoever reads them. Start at [`about`].

use tm_knowledge::index::{
    IndexError,
    search::{By, Hit, Query},
};
use tm_llm::backend::BackendError;

use super::{
    library::Library,
    passages::{asked_for, coverage},
};

/// What was found in a library.
#[derive(Debug)]
pub(crate) struct Found {
    /// The best first.
    pub(crate) hits: Vec<Hit>,
    pub(crate) by_words_alone: bool,
    /// Why the model that knows the meaning of a question did not tell it.
    pub(crate) failed: Option<BackendError>,
}

/// A passage with fewer words of the question is about something else.
const ABOUT: f64 = 0.5;

/// Finds passages about a question, which may be a part of the `whole` one.
pub(crate) async fn about(
    library: &Library,
    question: &str,
    whole: &str,
    most: usize,
) -> Result<Found, IndexError> {
    let (asked, of_all) = (asked_for(question), asked_for(whole));
    let (by, failed) = library.understood(question).await;
    let by_words_alone = matches!(by, By::Words);
    let hits = library.search(Query { by, ..Query::new(question, most) }).await?;
    let near = library.model().and_then(|it| it.near);
    let is_near = |it: &Hit| near.zip(it.cosine).is_some_and(|(near, it)| it >= near);
    let is_about = |it: &Hit| {
        let text = format!("{}\n{}", title(it), it.text);
        coverage(&asked, &text) >= ABOUT && coverage(&of_all, &text) > 0.0 || is_near(it)
    };
    let hits = hits.into_iter().filter(is_about).collect();
    Ok(Found { hits, by_words_alone, failed })
}

/// What a passage is under.
pub(super) fn title(hit: &Hit) -> String {
    let mut names = vec![hit.path.as_str()];
    names.extend(hit.headings.iter().map(String::as_str));
    names.join(" › ")
}

impl Library {
    /// By words and meaning, where there is a model that knows the meaning of a question. Where it
    /// does not answer, the words have to do.
    pub(crate) async fn understood(&self, question: &str) -> (By, Option<BackendError>) {
        let Some(model) = self.model() else { return (By::Words, None) };
        match model.meaning(question).await {
            Ok(meaning) => (By::Both(meaning), None),
            Err(error) => (By::Words, Some(error)),
        }
    }
}
