//! The figures: each a share, with how many it is of and how sure it is.
//!
//! Sentences and citations of one answer count as if they were independent. Start at [`scores`].

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use super::{Answered, Labelled, Retrieved, entailed, opens};
use crate::{
    evaluate::bootstrap::{Summary, proportion, summary},
    research::claims::Verdict,
};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Measure {
    /// Of the passages that answer a question, those among the first five.
    Recall,
    RecallByWords,
    /// Unanswerable questions for which no passage was found, so that no model was asked.
    FoundNothing,
    FoundNothingWrongly,
    /// Unanswerable questions that were left unanswered.
    Abstention,
    WrongAbstention,
    /// Answers that quote words which are known to answer their question.
    Right,
    /// Quotations that are in their file, byte for byte.
    Validity,
    /// Sentences that the model wrote and that were left out: nothing cited says them.
    Unsupported,
    CitationRecall,
    CitationPrecision,
    /// Sentences that citations of another answer are said to support.
    ByOthers,
    JudgedRecall,
    JudgedPrecision,
    JudgedByOthers,
}

/// All that could be measured.
pub type Scores = BTreeMap<Measure, Summary>;

/// Counts. `retrieved` is in the order of the questions, `answered` in any.
pub fn scores(
    documents: &Path,
    questions: &[Labelled],
    retrieved: &[Retrieved],
    answered: &[Answered],
    seed: u64,
) -> Scores {
    let mut scores = Scores::new();
    let mut put = |measure, it: Option<Summary>| {
        if let Some(summary) = it {
            scores.insert(measure, summary);
        }
    };
    let values = |of: fn(&Retrieved) -> Option<f64>| -> Vec<f64> {
        retrieved.iter().filter_map(of).collect()
    };
    put(Measure::Recall, summary(&values(|it| it.recall), seed));
    put(Measure::RecallByWords, summary(&values(|it| it.recall_by_words), seed));
    for (nothing, is_answerable) in
        [(Measure::FoundNothing, false), (Measure::FoundNothingWrongly, true)]
    {
        let of = questions.iter().zip(retrieved);
        let of = of.filter(|(it, _)| it.is_answerable() == is_answerable);
        put(nothing, counted(of.map(|(_, it)| !it.is_about_something)));
    }
    let asked: Vec<(&Labelled, &Answered)> = questions
        .iter()
        .filter_map(|it| Some((it, answered.iter().find(|other| other.question == it.question)?)))
        .collect();
    for (measure, summary) in of_answers(documents, &asked) {
        put(measure, summary);
    }
    scores
}

fn of_answers(
    documents: &Path,
    asked: &[(&Labelled, &Answered)],
) -> Vec<(Measure, Option<Summary>)> {
    let abstained = |is_answerable: bool| {
        let of = asked.iter().filter(move |(it, _)| it.is_answerable() == is_answerable);
        counted(of.map(|(_, it)| it.abstains()))
    };
    let given: Vec<(&Labelled, &Answered)> =
        asked.iter().copied().filter(|(_, it)| !it.abstains()).collect();
    let right = given.iter().filter(|(it, _)| it.is_answerable());
    let quotes = given.iter().flat_map(|(_, it)| &it.cited.citations);
    let quotes = quotes.flat_map(|it| it.quotes.iter().map(move |quote| (it, quote)));
    let written = given.iter().flat_map(|(_, it)| &it.cited.claims);
    let written = written.filter(|it| it.verdict != Verdict::Quoted);
    let others: Vec<&Answered> = given.iter().map(|(_, it)| *it).collect();
    let by_words: Vec<entailed::Entailed> =
        given.iter().flat_map(|(_, it)| entailed::by_words(it, it.another(&others))).collect();
    let by_model: Vec<entailed::Entailed> =
        given.iter().filter_map(|(_, it)| it.judged.clone()).flatten().collect();
    vec![
        (Measure::Abstention, abstained(false)),
        (Measure::WrongAbstention, abstained(true)),
        (Measure::Right, counted(right.map(|(labelled, it)| it.is_right(labelled)))),
        (Measure::Validity, counted(quotes.map(|(it, quote)| opens(documents, it, quote)))),
        (Measure::Unsupported, counted(written.map(|it| it.verdict == Verdict::Unsupported))),
        (Measure::CitationRecall, recall(&by_words)),
        (Measure::CitationPrecision, precision(&by_words)),
        (Measure::ByOthers, by_others(&by_words)),
        (Measure::JudgedRecall, recall(&by_model)),
        (Measure::JudgedPrecision, precision(&by_model)),
        (Measure::JudgedByOthers, by_others(&by_model)),
    ]
}

fn recall(judged: &[entailed::Entailed]) -> Option<Summary> {
    counted(judged.iter().map(|it| it.is_supported))
}

fn precision(judged: &[entailed::Entailed]) -> Option<Summary> {
    let sum = |of: fn(&entailed::Entailed) -> usize| judged.iter().map(of).sum();
    proportion(sum(|it| it.precise), sum(|it| it.citations))
}

fn by_others(judged: &[entailed::Entailed]) -> Option<Summary> {
    counted(judged.iter().filter_map(|it| it.by_others))
}

fn counted(of: impl Iterator<Item = bool>) -> Option<Summary> {
    let all: Vec<bool> = of.collect();
    proportion(all.iter().filter(|it| **it).count(), all.len())
}

impl Measure {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recall => "Passages found, first 5",
            Self::RecallByWords => "… by words alone",
            Self::FoundNothing => "Unanswerable: nothing found",
            Self::FoundNothingWrongly => "Answerable: nothing found",
            Self::Abstention => "Unanswerable: not answered",
            Self::WrongAbstention => "Answerable: not answered",
            Self::Right => "Answers from the right words",
            Self::Validity => "Quotations in their files",
            Self::Unsupported => "Sentences left out",
            Self::CitationRecall => "Citation recall, by words",
            Self::CitationPrecision => "Citation precision, by words",
            Self::ByOthers => "… of another answer",
            Self::JudgedRecall => "Citation recall, by the model",
            Self::JudgedPrecision => "Citation precision, by the model",
            Self::JudgedByOthers => "… of another answer, by the model",
        }
    }
}
