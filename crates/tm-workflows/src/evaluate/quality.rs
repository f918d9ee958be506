//! How good tasks are when there is nothing to compare them with but their document, or not even
//! that.
//!
//! The metrics that need no other plan: see [`super::Metric`].

use std::collections::HashMap;

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
    Quality {
        percent: percent(scores_alone(plan, prd).overall().unwrap_or_default()),
        tasks: plan.iter().map(|it| task_quality(it, &Said::by(it))).collect(),
    }
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
    Some(Quality { percent, tasks })
}

/// Tasks and their subtasks.
fn each(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks.iter().flat_map(|it| std::iter::once(it).chain(it.subtasks()))
}

fn task_quality(task: &Task, said: &Said) -> TaskQuality {
    let written = [form::title(said), form::details(said), form::test_strategy(said)];
    TaskQuality { id: task.id().to_string(), percent: percent(mean(written).unwrap_or_default()) }
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
