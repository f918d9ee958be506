//! How good plans are: measured against plans that others made of the same documents.
//!
//! The measures are programs, so the same plans always have the same scores, and nobody marks
//! their own work. What the numbers mean is told by what else is scored with them: the baseline
//! against itself, another plan of the same document, and plans that are worth nothing. Start at
//! [`evaluate`].

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::Serialize;
use tm_tasks::task::Task;

use control::{Control, control};
use metric::{Reference, scores};

pub use bootstrap::{Interval, Summary};
pub use making::make_plan;
pub use matching::{Cosines, Likeness};
pub use metric::{Metric, Scores};
pub use pairs::{Pair, PairError, read_pairs, read_tasks};
pub use quality::quality;
pub(crate) use quality::{Grade, grade, quality_of_change};

pub mod answers;
mod bootstrap;
mod control;
mod faithful;
#[cfg(test)]
mod fixture;
mod form;
mod making;
mod matching;
mod metric;
mod pairs;
mod quality;
mod said;

/// Whose plans are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entrant {
    /// The plans in question.
    Plan,
    /// The baseline's own: the most that can be reached.
    Itself,
    /// What somebody else planned for the same document.
    External,
    Copied,
    OtherDocument,
    Repeated,
    RandomWords,
    Gibberish,
    Empty,
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    pub seed: u64,
    /// In the order of [`Entrant`].
    pub standings: Vec<Standing>,
    /// In the order of the pairs.
    pub documents: Vec<DocumentScores>,
}

/// How one entrant did over all documents.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    pub entrant: Entrant,
    pub metrics: BTreeMap<Metric, Summary>,
    pub overall: Option<Summary>,
    /// Of what the baseline reaches against itself, on the documents where both were measured.
    pub ratios: BTreeMap<Metric, Summary>,
    pub overall_ratio: Option<Summary>,
}

/// How the plan of one document did.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentScores {
    pub name: String,
    /// The model that made the baseline, as far as it is told.
    pub baseline_model: Option<String>,
    pub baseline_tasks: usize,
    pub plan_tasks: usize,
    pub plan: Scores,
    pub plan_overall: Option<f64>,
    pub itself: Scores,
    pub itself_overall: Option<f64>,
}

/// A control may reach this share of what the baseline does; above it the metrics say nothing.
pub const CONTROL_MAX: f64 = 0.30;

/// Scores a plan for each of the pairs, with the scale and the controls.
pub fn evaluate(
    pairs: &[Pair],
    plans: &[Vec<Task>],
    seed: u64,
    likeness: Likeness<'_>,
) -> Evaluation {
    let board = Board { pairs, plans, likeness };
    let mut random = Rng::with_seed(seed);
    let scored: Vec<(Entrant, Vec<Option<Scores>>)> =
        Entrant::ALL.iter().map(|it| (*it, board.scores(*it, &mut random))).collect();
    let of = |entrant: Entrant| {
        let found = scored.iter().find(|it| it.0 == entrant);
        found.map(|it| it.1.as_slice()).unwrap_or_default()
    };
    let itself = of(Entrant::Itself);
    Evaluation {
        seed,
        standings: scored.iter().map(|it| standing(it.0, &it.1, itself, seed)).collect(),
        documents: board.documents(of(Entrant::Plan), itself),
    }
}

impl Entrant {
    pub const ALL: [Self; 9] = [
        Self::Plan,
        Self::Itself,
        Self::External,
        Self::Copied,
        Self::OtherDocument,
        Self::Repeated,
        Self::RandomWords,
        Self::Gibberish,
        Self::Empty,
    ];

    /// What it is called, in few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "The plans",
            Self::Itself => "The baseline itself",
            Self::External => "Another model's plan",
            Self::Copied => "The document in pieces",
            Self::OtherDocument => "Another document's plan",
            Self::Repeated => "One task repeated",
            Self::RandomWords => "Random words",
            Self::Gibberish => "Gibberish",
            Self::Empty => "An empty plan",
        }
    }

    /// Whether it is worth nothing, so that a high score is the metrics' fault.
    pub fn is_control(self) -> bool {
        self.control().is_some_and(|it| it != Control::Copied)
    }

    fn control(self) -> Option<Control> {
        match self {
            Self::Plan | Self::Itself | Self::External => None,
            Self::Copied => Some(Control::Copied),
            Self::OtherDocument => Some(Control::OtherDocument),
            Self::Repeated => Some(Control::Repeated),
            Self::RandomWords => Some(Control::RandomWords),
            Self::Gibberish => Some(Control::Gibberish),
            Self::Empty => Some(Control::Empty),
        }
    }
}

impl Evaluation {
    pub fn standing(&self, entrant: Entrant) -> Option<&Standing> {
        self.standings.iter().find(|it| it.entrant == entrant)
    }

    /// The controls that score higher than what is worth nothing may.
    pub fn failed_controls(&self) -> Vec<Entrant> {
        let is_high =
            |it: &&Standing| it.overall_ratio.is_some_and(|ratio| ratio.mean > CONTROL_MAX);
        let controls = self.standings.iter().filter(|it| it.entrant.is_control());
        controls.filter(is_high).map(|it| it.entrant).collect()
    }
}

/// What is scored.
struct Board<'a> {
    pairs: &'a [Pair],
    plans: &'a [Vec<Task>],
    likeness: Likeness<'a>,
}

impl Board<'_> {
    /// For each pair; nothing where the entrant has no plan for it.
    fn scores(&self, entrant: Entrant, random: &mut Rng) -> Vec<Option<Scores>> {
        let score = |(at, pair): (usize, &Pair)| match entrant {
            Entrant::Plan => self.plans.get(at).map(|it| self.score(it, pair)),
            Entrant::Itself => Some(self.score(&pair.baseline, pair)),
            Entrant::External => {
                let other = self.pairs.iter().enumerate().find(|(other, it)| {
                    *other != at
                        && it.document == pair.document
                        && it.plan_language == pair.plan_language
                });
                other.map(|it| self.score(&it.1.baseline, pair))
            }
            Entrant::Copied
            | Entrant::OtherDocument
            | Entrant::Repeated
            | Entrant::RandomWords
            | Entrant::Gibberish
            | Entrant::Empty => {
                let plan = control(entrant.control()?, at, self.pairs, random);
                plan.map(|it| self.score(&it, pair))
            }
        };
        let mut score = score;
        self.pairs.iter().enumerate().map(&mut score).collect()
    }

    fn score(&self, plan: &[Task], pair: &Pair) -> Scores {
        let is_readable = pair.document_language == pair.plan_language;
        let prd = is_readable.then_some(&pair.prd);
        scores(plan, Reference { prd, baseline: &pair.baseline, likeness: self.likeness })
    }

    fn documents(&self, plan: &[Option<Scores>], itself: &[Option<Scores>]) -> Vec<DocumentScores> {
        let row = |(((pair, tasks), plan), itself): (((&Pair, &Vec<Task>), _), _)| {
            let (plan, itself): (Scores, Scores) = (
                Option::clone(plan).unwrap_or_default(),
                Option::clone(itself).unwrap_or_default(),
            );
            DocumentScores {
                name: pair.name.clone(),
                baseline_model: pair.model.clone(),
                baseline_tasks: pair.baseline.len(),
                plan_tasks: tasks.len(),
                plan_overall: plan.overall(),
                plan,
                itself_overall: itself.overall(),
                itself,
            }
        };
        self.pairs.iter().zip(self.plans).zip(plan).zip(itself).map(row).collect()
    }
}

fn standing(
    entrant: Entrant,
    found: &[Option<Scores>],
    itself: &[Option<Scores>],
    seed: u64,
) -> Standing {
    let values = |of: &dyn Fn(&Scores) -> Option<f64>| -> Vec<f64> {
        found.iter().flatten().filter_map(of).collect()
    };
    let paired = |of: &dyn Fn(&Scores) -> Option<f64>| -> Vec<(f64, f64)> {
        let both = found.iter().zip(itself);
        both.filter_map(|it| Some((of(it.0.as_ref()?)?, of(it.1.as_ref()?)?))).collect()
    };
    let each = Metric::ALL.into_iter();
    let metrics = each.clone().filter_map(|metric| {
        Some((metric, bootstrap::summary(&values(&|it| it.get(metric)), seed)?))
    });
    let ratios = each.filter_map(|metric| {
        Some((metric, bootstrap::ratio(&paired(&|it| it.get(metric)), seed)?))
    });
    Standing {
        entrant,
        metrics: metrics.collect(),
        overall: bootstrap::summary(&values(&Scores::overall), seed),
        ratios: ratios.collect(),
        overall_ratio: bootstrap::ratio(&paired(&Scores::overall), seed),
    }
}

#[cfg(test)]
mod tests;
