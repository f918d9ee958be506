//! How good tasks are when there is nothing to compare them with but their document, or not even
//! that.
//!
//! The metrics that need no other plan: see [`super::Metric`].

use std::collections::HashMap;

use serde_json::json;
use tm_tasks::{
    id::TaskId,
    prd::Prd,
    store::{Quality, TaskQuality},
    task::Task,
};

use super::{
    form,
    metric::scores_alone,
    said::{Said, mean},
};

/// Scores a plan as a whole and each of its tasks by how it is written.
pub fn quality(prd: &Prd, plan: &[Task]) -> Quality {
    let whole: Vec<Task> = plan.iter().map(with_subtasks).collect();
    Quality {
        percent: percent(scores_alone(&whole, prd).overall().unwrap_or_default()),
        tasks: plan.iter().map(|it| task_quality(it, &Said::by(it))).collect(),
        minimum: None,
    }
}

/// A task that says what its subtasks say: large ones have their requirements there.
fn with_subtasks(task: &Task) -> Task {
    let mut whole = task.clone();
    let own = task.details().unwrap_or_default();
    let details = task.subtasks().iter().filter_map(Task::details);
    let details: Vec<String> = std::iter::once(own).chain(details).collect();
    if details.len() > 1 {
        whole.set("details", &json!(details.join("\n")));
    }
    whole
}

/// Scores by how they are written those tasks and subtasks of `after` that `before` does not have
/// in these words; nothing where there are none.
pub(crate) fn quality_of_change(before: &[Task], after: &[Task]) -> Option<Quality> {
    let before: HashMap<TaskId, Said> = each(before).map(|it| (it.id(), Said::by(it))).collect();
    let tasks: Vec<TaskQuality> = each(after)
        .map(|it| (it, Said::by(it)))
        .filter(|(task, said)| before.get(&task.id()) != Some(said))
        .map(|(task, said)| task_quality(task, &said))
        .collect();
    let percent = mean(tasks.iter().map(|it| f64::from(it.percent) / 100.0)).map(percent)?;
    Some(Quality { percent, tasks, minimum: None })
}

/// Tasks and their subtasks.
fn each(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks.iter().flat_map(|it| std::iter::once(it).chain(it.subtasks()))
}

/// How well a task is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grade {
    pub(crate) percent: u8,
    /// What is weakest about it, in words for a model.
    pub(crate) fault: &'static str,
}

/// Grades a task that is in no file yet: its title, description, details and test strategy.
pub(crate) fn grade([title, description, details, test_strategy]: [&str; 4]) -> Grade {
    let said = Said {
        title: title.to_owned(),
        description: description.to_owned(),
        details: details.to_owned(),
        test_strategy: test_strategy.to_owned(),
    };
    let faults = [
        "its title does not say in a few words what is built",
        "its details do not say how it is done, or say the same twice",
        "its test does not say what is done and what is seen then",
    ];
    let written = written(&said);
    let weakest = written.iter().zip(faults).min_by(|one, other| one.0.total_cmp(other.0));
    Grade {
        percent: percent(mean(written).unwrap_or_default()),
        fault: weakest.map_or("", |it| it.1),
    }
}

fn task_quality(task: &Task, said: &Said) -> TaskQuality {
    let percent = percent(mean(written(said)).unwrap_or_default());
    TaskQuality { id: task.id().to_string(), percent }
}

fn written(said: &Said) -> [f64; 3] {
    [form::title(said), form::details(said), form::test_strategy(said)]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 100 by then"
)]
fn percent(score: f64) -> u8 {
    (score.clamp(0.0, 1.0) * 100.0).round() as u8
}

#[cfg(test)]
mod tests;
