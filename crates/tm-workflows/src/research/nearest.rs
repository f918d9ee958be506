//! The sentences of passages, those first that are nearest to a question.
//!
//! Whether they answer it is for whoever reads them. Start at [`candidates`] and [`sort`].

use tm_knowledge::index::search::Hit;

use super::{
    cited::Quote,
    library::Library,
    passages::{asked_for, coverage, one_line, sentences},
};
use crate::embedding::EmbedError;

/// A sentence of a passage.
pub(super) struct Candidate<'a> {
    pub(super) hit: &'a Hit,
    pub(super) quote: Quote,
    /// How near it is to what the question means; none where only words are known.
    pub(super) cosine: Option<f64>,
}

/// All sentences, in the order of the passages.
pub(super) fn candidates(passages: &[Hit]) -> Vec<Candidate<'_>> {
    let of = |hit: &Hit| sentences(hit.kind, &hit.text);
    let spans = passages.iter().flat_map(|hit| of(hit).into_iter().map(move |span| (hit, span)));
    let candidates = spans.filter_map(|(hit, span)| {
        let text = hit.text.get(span.clone())?.to_owned();
        let (start, end) = (hit.span.start + span.start, hit.span.start + span.end);
        Some(Candidate { hit, quote: Quote { text, start, end }, cosine: None })
    });
    candidates.collect()
}

/// Puts the nearest one first: by what they mean, or by their words where no model knows that. Says
/// why a model that should have known did not.
pub(super) async fn sort(
    libraries: &[Library],
    question: &str,
    candidates: &mut [Candidate<'_>],
) -> Option<EmbedError> {
    let mut failed = None;
    if let Some(model) = libraries.iter().find_map(Library::model)
        && !candidates.is_empty()
    {
        let texts = candidates.iter().map(Candidate::meant).collect();
        match model.cosines(question, texts).await {
            Ok(cosines) => {
                for (candidate, cosine) in candidates.iter_mut().zip(cosines) {
                    candidate.cosine = Some(cosine);
                }
            }
            Err(error) => failed = Some(error),
        }
    }
    let asked = asked_for(question);
    let nearness = |it: &Candidate<'_>| it.cosine.unwrap_or_else(|| coverage(&asked, &it.meant()));
    let mut sorted: Vec<f64> = candidates.iter().map(nearness).collect();
    sorted.sort_by(f64::total_cmp);
    candidates.sort_by_cached_key(|it| {
        let nearness = nearness(it);
        std::cmp::Reverse(sorted.partition_point(|it| *it < nearness))
    });
    failed
}

impl Candidate<'_> {
    /// A sentence alone seldom says what it is about.
    fn meant(&self) -> String {
        format!("{}: {}", self.hit.title, one_line(&self.quote.text))
    }
}
