//! What is measured of a plan, and the whole of it in one number.
//!
//! Every metric is a program that gives 0 to 1. Those about content compare with the document and
//! with another plan; those about form do neither, so they alone would praise the right plan of
//! the wrong document. Start at [`scores`].

use std::collections::BTreeMap;

use serde::Serialize;
use tm_tasks::{prd::Prd, task::Task};

use super::{
    faithful, form,
    matching::{Likeness, compare, coverage, dependency_agreement},
    said::{Said, mean},
};

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Coverage,
    Dependencies,
    Requirements,
    Specificity,
    Grounding,
    Structure,
    Titles,
    Details,
    TestStrategies,
    Distinct,
}

/// What a plan reached; what could not be measured is not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Scores(BTreeMap<Metric, f64>);

/// What a plan is measured against.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    /// The document, when it is in the plan's language.
    pub(super) prd: Option<&'a Prd>,
    pub(super) baseline: &'a [Task],
    pub(super) likeness: Likeness<'a>,
}

impl Metric {
    pub const ALL: [Self; 10] = [
        Self::Coverage,
        Self::Dependencies,
        Self::Requirements,
        Self::Specificity,
        Self::Grounding,
        Self::Structure,
        Self::Titles,
        Self::Details,
        Self::TestStrategies,
        Self::Distinct,
    ];

    /// What it is called, in few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coverage => "Baseline's tasks",
            Self::Dependencies => "Dependencies",
            Self::Requirements => "Requirements",
            Self::Specificity => "Names, numbers",
            Self::Grounding => "Statements",
            Self::Structure => "Structure",
            Self::Titles => "Titles",
            Self::Details => "Details",
            Self::TestStrategies => "Test strategies",
            Self::Distinct => "Distinct tasks",
        }
    }

    /// What its number says.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Coverage => "how alike the baseline's tasks and those that stand for them are",
            Self::Dependencies => {
                "F1 of who waits for whom, between tasks that stand for each other"
            }
            Self::Requirements => {
                "share of the document's requirements that a task covers, in one place"
            }
            Self::Specificity => "share of names and numbers that survive where they are required",
            Self::Grounding => "share of words in statements that the document makes in one place",
            Self::Structure => "fields, ids, dependencies that exist, no circles, order",
            Self::Titles => "name the work in a line, and it is what the task is about",
            Self::Details => "say how, at some length, nothing twice, and stay with the task",
            Self::TestStrategies => "name something to be seen, and are about the task",
            Self::Distinct => "share of tasks that repeat none before them",
        }
    }

    /// Whether it is about what a plan says; the others are about how it says it.
    pub fn is_content(self) -> bool {
        match self {
            Self::Coverage
            | Self::Dependencies
            | Self::Requirements
            | Self::Specificity
            | Self::Grounding => true,
            Self::Structure
            | Self::Titles
            | Self::Details
            | Self::TestStrategies
            | Self::Distinct => false,
        }
    }
}

impl Scores {
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0.get(&metric).copied()
    }

    /// What the plan says times how it says it, each the mean of its metrics: a plan of another
    /// document is worth nothing however well it is written.
    pub fn overall(&self) -> Option<f64> {
        let of = |is_content: bool| {
            let metrics = self.0.iter().filter(|it| it.0.is_content() == is_content);
            mean(metrics.map(|it| *it.1))
        };
        Some(of(true)? * of(false)?)
    }

    fn of(found: impl IntoIterator<Item = (Metric, Option<f64>)>) -> Self {
        Self(found.into_iter().filter_map(|(metric, it)| Some((metric, it?))).collect())
    }
}

/// Measures a plan against a document and another plan of it.
pub(super) fn scores(plan: &[Task], reference: Reference<'_>) -> Scores {
    let Reference { prd, baseline, likeness } = reference;
    let matches = compare(baseline, plan, likeness);
    let mut found = alone(plan, prd);
    found.extend([
        (Metric::Coverage, Some(coverage(&matches.pairings, baseline.len()))),
        (Metric::Dependencies, dependency_agreement(plan, baseline, &matches)),
    ]);
    Scores::of(found)
}

/// Measures a plan of which there is no other one.
pub(super) fn scores_alone(plan: &[Task], prd: &Prd) -> Scores {
    Scores::of(alone(plan, Some(prd)))
}

fn alone(plan: &[Task], prd: Option<&Prd>) -> Vec<(Metric, Option<f64>)> {
    let said: Vec<Said> = plan.iter().map(Said::by).collect();
    let of_each = |score: fn(&Said) -> f64| Some(mean(said.iter().map(score)).unwrap_or_default());
    vec![
        (Metric::Requirements, prd.and_then(|it| faithful::requirements(it, &said))),
        (Metric::Specificity, prd.and_then(|it| faithful::specificity(it, &said))),
        (Metric::Grounding, prd.map(|it| faithful::grounding(it, &said))),
        (Metric::Structure, Some(form::structure(plan))),
        (Metric::Titles, of_each(form::title)),
        (Metric::Details, of_each(form::details)),
        (Metric::TestStrategies, of_each(form::test_strategy)),
        (Metric::Distinct, Some(form::distinct(&said))),
    ]
}

#[cfg(test)]
mod tests;
