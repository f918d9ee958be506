//! Making a task larger or smaller: how many subtasks it shall have, and giving it its new texts.
//!
//! Subtasks that somebody has begun, finished or put off stay as they are; those that are still
//! pending are made anew. What the texts say is a model's business. Start at [`subtasks_wanted`]
//! and [`rescope`].

use std::str::FromStr;

use crate::{
    divide::{self, Existing, SubtaskDraft},
    document::{Tag, TaskFile},
    id::TaskId,
    revise::{Revision, revise},
    status::Status,
    task::Task,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    Up,
    Down,
}

/// How much larger or smaller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Strength {
    Light,
    #[default]
    Regular,
    Heavy,
}

/// A text that is no strength.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a strength: use light, regular or heavy")]
pub struct UnknownStrength {
    pub text: String,
}

/// The subtasks of a task, by whether they are made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Division {
    pub kept: Vec<Task>,
    pub pending: Vec<Task>,
}

/// Subtasks made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regenerated {
    /// The pending subtasks whose place they take. Others stay, even those that came since.
    pub replaced: Vec<TaskId>,
    pub subtasks: Vec<SubtaskDraft>,
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescoped {
    pub task: Task,
    /// Dependencies that were dropped, because the subtask they named is no more.
    pub dropped: Vec<(TaskId, TaskId)>,
}

/// Why a task cannot be made larger or smaller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
}

/// How many new subtasks to ask for, at least one.
///
/// `score` is the task's complexity, where it is known.
pub fn subtasks_wanted(
    direction: Direction,
    strength: Strength,
    (kept, pending): (usize, usize),
    score: Option<f64>,
) -> usize {
    let target = target(direction, strength, (as_float(kept), as_float(pending)), score);
    as_count(target).saturating_sub(kept).max(1)
}

/// How many subtasks the task shall have in all.
fn target(
    direction: Direction,
    strength: Strength,
    (kept, pending): (f64, f64),
    score: Option<f64>,
) -> f64 {
    let base = |least: f64, factor: f64| (kept + rounded_up(factor * pending)).max(least);
    let known = score.map_or(1.0, |it| (it / 10.0).max(0.5));
    let is_at_least = |limit: f64| score.is_some_and(|it| it >= limit);
    let eased = match () {
        () if is_at_least(8.0) => 0.7,
        () if is_at_least(6.0) => 0.85,
        () => 1.0,
    };
    let cut = match () {
        () if is_at_least(9.0) => 0.3,
        () if is_at_least(7.0) => 0.5,
        () => 0.7,
    };
    rounded_up(match (direction, strength) {
        (Direction::Up, Strength::Light) => base(5.0, 1.1) * (0.8 + 0.4 * known),
        (Direction::Up, Strength::Regular) => base(6.0, 1.3) * (0.8 + 0.4 * known),
        (Direction::Up, Strength::Heavy) => base(8.0, 1.6) * (0.8 + 0.6 * known),
        (Direction::Down, Strength::Light) => base(3.0, 0.8) * eased,
        (Direction::Down, Strength::Regular) => base(3.0, 0.5) * eased,
        (Direction::Down, Strength::Heavy) => (base(2.0, 0.25) * cut).max(1.0),
    })
}

/// Which subtasks of a task stay, and which are made anew.
pub fn division(task: &Task) -> Division {
    let (pending, kept) =
        task.subtasks().iter().cloned().partition(|it| it.status() == Status::Pending);
    Division { kept, pending }
}

/// Gives a task its new texts, and new subtasks where there are some.
///
/// The ids of new subtasks go on after the highest one that stays. Nothing waits for a subtask
/// that was replaced, because another one may have its number now.
pub fn rescope(
    file: &mut TaskFile,
    tag: &str,
    id: &TaskId,
    revision: &Revision,
    regenerated: Option<&Regenerated>,
) -> Result<Rescoped, ScopeError> {
    let no_tag = || ScopeError::NoTag { tag: tag.to_owned() };
    let no_task = || ScopeError::NoTask { id: id.clone(), tag: tag.to_owned() };
    let tag = file.tag_mut(tag).ok_or_else(no_tag)?;
    let dropped = match regenerated {
        Some(regenerated) => replace_subtasks(tag, id, regenerated).ok_or_else(no_task)?,
        None => Vec::new(),
    };
    let tasks = tag.tasks().to_vec();
    let rescoped = tag.change(id, |task| {
        revise(task, revision, &tasks);
        task.clone()
    });
    Ok(Rescoped { task: rescoped.ok_or_else(no_task)?, dropped })
}

/// Puts new subtasks in the place of pending ones; nothing where there is no such task.
fn replace_subtasks(
    tag: &mut Tag,
    id: &TaskId,
    regenerated: &Regenerated,
) -> Option<Vec<(TaskId, TaskId)>> {
    let pending = division(&tag.find(id)?).pending.into_iter().map(|it| it.id());
    let gone: Vec<TaskId> = pending.filter(|it| regenerated.replaced.contains(it)).collect();
    let dropped = drop_dependencies(tag.tasks_mut(), &gone);
    tag.change(id, |task| {
        let mut kept = task.subtasks().to_vec();
        kept.retain(|it| !gone.contains(&it.id()));
        let spelled_as_before = !kept.is_empty();
        if spelled_as_before {
            task.set_subtasks(&kept);
        }
        let existing = if spelled_as_before { Existing::Append } else { Existing::Replace };
        divide::divide(task, &regenerated.subtasks, existing);
    })?;
    Some(dropped)
}

impl FromStr for Strength {
    type Err = UnknownStrength;

    fn from_str(text: &str) -> Result<Self, UnknownStrength> {
        match text {
            "light" => Ok(Self::Light),
            "regular" => Ok(Self::Regular),
            "heavy" => Ok(Self::Heavy),
            _ => Err(UnknownStrength { text: text.to_owned() }),
        }
    }
}

impl Strength {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Regular => "regular",
            Self::Heavy => "heavy",
        }
    }
}

impl Direction {
    /// The command that goes this way.
    pub fn command(self) -> &'static str {
        match self {
            Self::Up => "scope-up",
            Self::Down => "scope-down",
        }
    }
}

/// Removes all dependencies on what is gone, and returns them.
fn drop_dependencies(tasks: &mut [Task], gone: &[TaskId]) -> Vec<(TaskId, TaskId)> {
    let mut dropped = Vec::new();
    for task in tasks {
        drop_from(task, gone, &mut dropped);
        let mut subtasks = task.subtasks().to_vec();
        let before = dropped.len();
        for subtask in subtasks.iter_mut().filter(|it| !gone.contains(&it.id())) {
            drop_from(subtask, gone, &mut dropped);
        }
        if dropped.len() > before {
            task.set_subtasks(&subtasks);
        }
    }
    dropped
}

fn drop_from(task: &mut Task, gone: &[TaskId], dropped: &mut Vec<(TaskId, TaskId)>) {
    let id = task.id();
    let before = dropped.len();
    let references = task.references().into_iter().filter(|(_, named)| match named {
        Some(named) if gone.contains(named) => {
            dropped.push((id.clone(), named.clone()));
            false
        }
        _ => true,
    });
    let kept: Vec<String> = references.map(|it| it.0.to_owned()).collect();
    if dropped.len() > before {
        task.set_references(&kept);
    }
}

/// Up to the next whole number, but not for what is one but for the dust of floating point.
fn rounded_up(number: f64) -> f64 {
    (number - 1e-9).ceil()
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of subtasks is small and positive"
)]
fn as_count(number: f64) -> usize {
    number as usize
}

#[cfg(test)]
mod tests;
