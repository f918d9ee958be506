//! Gives planned tasks their ids and dependencies.
//!
//! Whatever a model said, ids are contiguous, dependencies point at earlier tasks of the same
//! plan, and so there is no cycle.

use crate::{
    status::Status,
    task::{NewTask, Priority, Task},
};

/// A task as it was planned, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub title: String,
    pub description: String,
    pub details: String,
    pub test_strategy: String,
    /// `high`, `medium` or `low`.
    pub priority: String,
    /// Positions in the plan, from 0, of the tasks to be done before.
    pub after: Vec<usize>,
}

/// The tasks of a plan, with ids from `first_id` on.
pub fn assemble(drafts: &[Draft], first_id: u64) -> Vec<Task> {
    let ids = first_id..;
    let id = |position: usize| first_id + u64::try_from(position).unwrap_or(u64::MAX);
    drafts
        .iter()
        .zip(dependencies(drafts))
        .zip(ids)
        .map(|((draft, after), task_id)| {
            Task::new(&NewTask {
                id: task_id,
                title: draft.title.clone(),
                description: draft.description.clone(),
                details: draft.details.clone(),
                test_strategy: draft.test_strategy.clone(),
                priority: Priority::read(&draft.priority),
                dependencies: after.into_iter().map(id).collect(),
                status: Status::Pending,
            })
        })
        .collect()
}

/// For each task the positions it waits for: earlier ones only, each once, in order.
///
/// What another dependency already waits for is left out: 3 after 1 and 2, 2 after 1 is 3 after 2.
fn dependencies(drafts: &[Draft]) -> Vec<Vec<usize>> {
    let mut direct: Vec<Vec<usize>> = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter().enumerate() {
        let mut after: Vec<usize> = draft.after.iter().copied().filter(|it| *it < index).collect();
        after.sort_unstable();
        after.dedup();
        let implied =
            |it: &usize| after.iter().any(|other| other != it && reaches(&direct, *other, *it));
        let kept = after.iter().copied().filter(|it| !implied(it)).collect();
        direct.push(kept);
    }
    direct
}

fn reaches(direct: &[Vec<usize>], from: usize, to: usize) -> bool {
    from > to
        && direct
            .get(from)
            .is_some_and(|after| after.iter().any(|it| *it == to || reaches(direct, *it, to)))
}

#[cfg(test)]
mod tests;
