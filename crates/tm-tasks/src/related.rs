//! Which tasks have to do with each other: by the words they share, and by what they wait for.
//!
//! Pure questions about one list of tasks. What is done with the answers is not known here.

use std::collections::{HashMap, HashSet};

use crate::{id::TaskId, plan::words, task::Task};

/// How much a word counts where it stands.
const TITLE: f64 = 2.0;
const DESCRIPTION: f64 = 1.5;
const DETAILS: f64 = 1.0;

/// What is this much less related than the best is not related at all.
const WORTH_SHOWING: f64 = 0.25;

/// Dependencies are followed no deeper than this.
const DEPTH_MAX: usize = 5;

/// The tasks that share words with `text`, the most related first.
///
/// A rare word says more than a common one, and a title more than details.
pub fn related<'a>(tasks: &'a [Task], text: &str) -> Vec<&'a Task> {
    let wanted: HashSet<String> = words(text).collect();
    let weights: Vec<HashMap<String, f64>> = tasks.iter().map(word_weights).collect();
    let mut score_of: HashMap<&str, f64> = HashMap::new();
    for word in &wanted {
        let with_word = weights.iter().filter(|it| it.contains_key(word)).count();
        score_of.insert(word, rarity(with_word, tasks.len()));
    }
    let score = |weights: &HashMap<String, f64>| -> f64 {
        score_of
            .iter()
            .filter_map(|(word, rarity)| weights.get(*word).map(|weight| weight * rarity))
            .sum()
    };
    let mut scored: Vec<(f64, &Task)> = weights.iter().map(score).zip(tasks).collect();
    // A stable sort: of equals, the first in the list comes first.
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    let best = scored.first().map_or(0.0, |it| it.0);
    let is_worth = |it: &(f64, &Task)| it.0 > 0.0 && it.0 >= best * WORTH_SHOWING;
    scored.into_iter().take_while(is_worth).map(|it| it.1).collect()
}

/// The first task whose title says nearly what `title` says.
pub fn twin<'a>(tasks: &'a [Task], title: &str) -> Option<&'a Task> {
    tasks.iter().find(|it| crate::plan::alike(&it.title(), title))
}

/// The tasks that these wait for, directly or through others, nearest first.
pub fn prerequisites<'a>(tasks: &'a [Task], ids: &[TaskId]) -> Vec<&'a Task> {
    let by_id: HashMap<TaskId, &Task> = tasks.iter().rev().map(|it| (it.id(), it)).collect();
    let mut seen: HashSet<TaskId> = ids.iter().map(TaskId::parent).collect();
    let mut found = Vec::new();
    let mut layer: Vec<TaskId> = ids.iter().map(TaskId::parent).collect();
    for _ in 0..DEPTH_MAX {
        let waiting = layer.iter().filter_map(|it| by_id.get(it));
        let next: Vec<TaskId> = waiting
            .flat_map(|it| it.dependencies())
            .map(TaskId::parent)
            .filter(|it| seen.insert(it.clone()))
            .collect();
        found.extend(next.iter().filter_map(|it| by_id.get(it)).copied());
        layer = next;
    }
    found
}

fn word_weights(task: &Task) -> HashMap<String, f64> {
    let mut weights: HashMap<String, f64> = HashMap::new();
    for (text, weight) in [
        (task.title(), TITLE),
        (task.description(), DESCRIPTION),
        (task.details().unwrap_or_default(), DETAILS),
    ] {
        for word in words(&text) {
            let best = weights.entry(word).or_default();
            *best = best.max(weight);
        }
    }
    weights
}

#[expect(clippy::cast_precision_loss, reason = "there are not that many tasks")]
fn rarity(with_word: usize, tasks: usize) -> f64 {
    (1.0 + tasks as f64 / (1.0 + with_word as f64)).ln()
}

#[cfg(test)]
mod tests;
