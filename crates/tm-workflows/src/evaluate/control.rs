//! Plans that are worth nothing, made to see whether the metrics notice.
//!
//! Each has as many tasks as the baseline, with fields as long and the same dependencies: only the
//! words are wrong. Start at [`control`].

use fastrand::Rng;
use serde_json::json;
use tm_tasks::{
    plan::parts::{Part, parts},
    prd::Prd,
    task::Task,
};

use super::{Pair, said::Said};

/// A way to plan badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    Empty,
    /// Words of the document in no order.
    RandomWords,
    /// The baseline's first task over and over.
    Repeated,
    /// The baseline's tasks with other letters.
    Gibberish,
    /// The tasks of another document.
    OtherDocument,
    /// The document cut into pieces, each called a task: good content without any work.
    Copied,
}

/// The bad plan of one pair; nothing where none can be made, such as another document's where
/// there is only one.
pub(super) fn control(
    kind: Control,
    at: usize,
    pairs: &[Pair],
    random: &mut Rng,
) -> Option<Vec<Task>> {
    let pair = pairs.get(at)?;
    let baseline = &pair.baseline;
    let plan = match kind {
        Control::Empty => Vec::new(),
        Control::RandomWords => {
            let words: Vec<&str> = pair.document.split_whitespace().collect();
            let mut speak = |text: &str| {
                let count = text.split_whitespace().count();
                let words = (0..count).filter_map(|_| random.choice(&words).copied());
                words.collect::<Vec<_>>().join(" ")
            };
            baseline.iter().map(|it| reworded(it, &mut speak)).collect()
        }
        Control::Repeated => {
            let first = Said::by(baseline.first()?);
            baseline.iter().map(|it| saying(it, &first)).collect()
        }
        Control::Gibberish => {
            let mut garble = |text: &str| text.chars().map(|it| other(it, random)).collect();
            baseline.iter().map(|it| reworded(it, &mut garble)).collect()
        }
        Control::OtherDocument => {
            let others: Vec<&Pair> =
                pairs.iter().filter(|it| it.document != pair.document).collect();
            random.choice(&others)?.baseline.clone()
        }
        Control::Copied => {
            let parts = parts(&pair.prd, baseline.len());
            let said = parts.iter().map(|it| copied(&pair.prd, it));
            baseline.iter().zip(said).map(|(task, said)| saying(task, &said)).collect()
        }
    };
    Some(plan)
}

fn reworded(task: &Task, speak: &mut dyn FnMut(&str) -> String) -> Task {
    let said = Said::by(task);
    let said = Said {
        title: speak(&said.title),
        description: speak(&said.description),
        details: speak(&said.details),
        test_strategy: speak(&said.test_strategy),
    };
    saying(task, &said)
}

/// The same task with other words.
fn saying(task: &Task, said: &Said) -> Task {
    let mut task = task.clone();
    for (field, text) in [
        ("title", &said.title),
        ("description", &said.description),
        ("details", &said.details),
        ("testStrategy", &said.test_strategy),
    ] {
        task.set(field, &json!(text));
    }
    task.remove("subtasks");
    task
}

fn copied(prd: &Prd, part: &Part) -> Said {
    let units: Vec<&str> =
        part.units.iter().filter_map(|it| prd.units.get(*it)).map(|it| it.text.as_str()).collect();
    let first = units.first().copied().unwrap_or_default();
    Said {
        title: first.split_whitespace().take(8).collect::<Vec<_>>().join(" "),
        description: first.to_owned(),
        details: units.join("\n"),
        test_strategy: String::new(),
    }
}

/// Another letter in place of a letter, another digit in place of a digit.
fn other(character: char, random: &mut Rng) -> char {
    if character.is_ascii_digit() {
        random.digit(10)
    } else if character.is_uppercase() {
        random.uppercase()
    } else if character.is_alphabetic() {
        random.lowercase()
    } else {
        character
    }
}

#[cfg(test)]
mod tests;
