//! Whether what a sentence cites says it: citation recall and precision by ALCE's definitions.
//!
//! A sentence is supported when all that it cites together says it; a citation of it is precise
//! unless it alone does not say it and the others do without it (Gao et al. 2023). Who decides
//! whether a text says it is the caller's business. Start at [`judge`] and `by_words`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Answered;
use crate::{
    asking::{AskError, Asking, Question, Spent, object},
    prompts::EVALUATE_SAYS,
    research::{cited::Citation, claims::support},
};

/// A sentence that cites something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entailed {
    pub is_supported: bool,
    pub citations: usize,
    pub precise: usize,
    /// Whether the citations of another answer are said to support it as well; none where there is
    /// no other. Whoever judges well says no.
    pub by_others: Option<bool>,
}

/// What the answer's own check asks for is less: it is not believed to have been right.
const MOST_WORDS: f64 = 0.8;

/// Judged by words, numbers and negations.
pub(super) fn by_words(answered: &Answered, other: Option<&Answered>) -> Vec<Entailed> {
    let judged = sentences(answered).map(|(sentence, citations)| {
        let says = |cited: &[usize]| {
            let texts: Vec<&str> =
                cited.iter().filter_map(|it| citations.get(*it)).map(String::as_str).collect();
            support(sentence, &texts.join("\n")) >= MOST_WORDS
        };
        let by_others = other.map(|it| support(sentence, &all(it)) >= MOST_WORDS);
        entailed(citations.len(), says, by_others)
    });
    judged.collect()
}

/// Judged by a model.
///
/// # Errors
/// What keeps it from answering.
pub async fn judge(
    asking: Asking<'_>,
    answered: &Answered,
    other: Option<&Answered>,
) -> Result<Vec<Entailed>, AskError> {
    let spent = Spent::default();
    let mut judged = Vec::new();
    for (sentence, citations) in sentences(answered) {
        let mut verdicts: HashMap<Vec<usize>, bool> = HashMap::new();
        for cited in needed(citations.len()) {
            let texts: Vec<&str> =
                cited.iter().filter_map(|it| citations.get(*it)).map(String::as_str).collect();
            let verdict = says(&asking, &texts.join("\n"), sentence, &spent).await?;
            verdicts.insert(cited, verdict);
        }
        let by_others = match other {
            Some(other) => Some(says(&asking, &all(other), sentence, &spent).await?),
            None => None,
        };
        let says = |cited: &[usize]| verdicts.get(cited).copied().unwrap_or_default();
        judged.push(entailed(citations.len(), says, by_others));
    }
    Ok(judged)
}

async fn says(
    asking: &Asking<'_>,
    text: &str,
    sentence: &str,
    spent: &Spent,
) -> Result<bool, AskError> {
    let question = Question {
        text: asking.prompts.render(EVALUATE_SAYS, json!({"text": text, "sentence": sentence}))?,
        schema: object(&json!({"says": {"type": "boolean"}})),
        accepted: json!({"type": "object", "required": ["says"], "properties": {
            "says": {"type": "boolean"}}}),
        temperature: 0.0,
        max_tokens: 20,
    };
    let read = |answer: Value| answer["says"].as_bool().ok_or_else(|| "no verdict".to_owned());
    Ok(asking.object(question, spent, read).await?.value)
}

/// The sentences of an answer, each with what it cites.
fn sentences(answered: &Answered) -> impl Iterator<Item = (&str, Vec<String>)> {
    let claims = answered.cited.claims.iter().filter(|it| !it.citations.is_empty());
    claims.map(|claim| {
        let cited = claim.citations.iter().filter_map(|number| {
            answered.cited.citations.iter().find(|it| it.number == *number).map(told)
        });
        (claim.text.as_str(), cited.collect())
    })
}

/// What a reader sees of a citation.
fn told(citation: &Citation) -> String {
    let quotes: Vec<&str> = citation.quotes.iter().map(|it| it.text.as_str()).collect();
    let headings = citation.headings.join(" › ");
    format!("{} › {headings}: {}", citation.path, quotes.join(" … "))
}

fn all(answered: &Answered) -> String {
    answered.cited.citations.iter().map(told).collect::<Vec<_>>().join("\n")
}

/// All citations together; of several also each alone, and all without each.
fn needed(citations: usize) -> Vec<Vec<usize>> {
    let mut needed = vec![(0..citations).collect::<Vec<_>>()];
    if citations > 1 {
        needed.extend((0..citations).map(|it| vec![it]));
        needed.extend((0..citations).map(|it| without(citations, it)));
    }
    needed
}

fn without(citations: usize, one: usize) -> Vec<usize> {
    (0..citations).filter(|it| *it != one).collect()
}

pub(super) fn entailed(
    citations: usize,
    says: impl Fn(&[usize]) -> bool,
    by_others: Option<bool>,
) -> Entailed {
    let is_supported = says(&(0..citations).collect::<Vec<_>>());
    let is_precise = |it: &usize| citations == 1 || says(&[*it]) || !says(&without(citations, *it));
    let precise = if is_supported { (0..citations).filter(is_precise).count() } else { 0 };
    Entailed { is_supported, citations, precise, by_others }
}
