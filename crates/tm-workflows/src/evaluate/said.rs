//! What tasks say, as metrics read it: fields, statements, terms.
//!
//! What is good about them is for the metrics to say.

use std::collections::BTreeSet;

use tm_tasks::{
    plan::terms::terms,
    script::{is_unspaced, sentences},
    task::Task,
};

/// The texts of a task. Subtasks are other plans' business: not every plan has them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) details: String,
    pub(super) test_strategy: String,
}

impl Said {
    pub(super) fn by(task: &Task) -> Self {
        Self {
            title: task.title(),
            description: task.description(),
            details: task.details().unwrap_or_default(),
            test_strategy: task.test_strategy().unwrap_or_default(),
        }
    }

    /// What is to be done.
    pub(super) fn body(&self) -> String {
        [self.description.as_str(), &self.details].join("\n")
    }

    pub(super) fn whole(&self) -> String {
        [self.title.as_str(), &self.description, &self.details, &self.test_strategy].join("\n")
    }
}

pub(super) fn term_set(text: &str) -> BTreeSet<String> {
    terms(text).collect()
}

/// How many words a text has; two characters count as one where words are not parted.
pub(super) fn length(text: &str) -> usize {
    let unspaced = text.chars().filter(|it| is_unspaced(*it)).count();
    let parted = text.split(|it: char| !it.is_alphanumeric() || is_unspaced(it));
    unspaced.div_ceil(2) + parted.filter(|it| !it.is_empty()).count()
}

/// The sentences and lines of a text that say something, without code.
pub(super) fn statements(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.extend(sentences(line).map(str::trim).filter(|it| terms(it).count() >= 3));
        }
    }
    found
}

/// The share of the terms of `part` that `whole` has, too; 0 for a part without any.
pub(super) fn share(part: &BTreeSet<String>, whole: &BTreeSet<String>) -> f64 {
    portion(part.intersection(whole).count(), part.len())
}

/// `some` of `all`, 0 where there are none.
pub(super) fn portion(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { as_float(some) / as_float(all) }
}

pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / as_float(values.len()))
}

pub(super) fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
