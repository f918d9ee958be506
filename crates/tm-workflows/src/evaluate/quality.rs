//! How good a plan is when there is nothing to compare it with but its document.
//!
//! The metrics that need no other plan: see [`super::Metric`].

use tm_tasks::{
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
    let task = |it: &Task| {
        let said = Said::by(it);
        let written = [form::title(&said), form::details(&said), form::test_strategy(&said)];
        TaskQuality { id: it.id().to_string(), percent: percent(mean(written).unwrap_or_default()) }
    };
    Quality {
        percent: percent(scores_alone(plan, prd).overall().unwrap_or_default()),
        tasks: plan.iter().map(task).collect(),
    }
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
