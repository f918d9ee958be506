//! An agent of another maker, the `claude` program, at work on our tasks.
//!
//! What it is told and how it is called; who waits for it, and where it prints, is not known
//! here. `iterate` calls it again and again. Start at [`choose`].

use std::path::{Path, PathBuf};

use serde::Serialize;
use tm_tasks::{
    graph::next_task,
    id::TaskId,
    status::Status,
    task::{Priority, Task},
};

use crate::prompts::{self, PromptError};

pub mod iterate;

/// A program and what it is called with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentCommand {
    pub executable: String,
    pub args: Vec<String>,
    /// The directory it works in.
    pub cwd: PathBuf,
}

/// The task an agent is to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The whole task, also where only a subtask is to be done.
    pub task: Task,
    pub subtask: Option<Task>,
}

/// Why there is nothing to work on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAssignment {
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("no task can be worked on now")]
    NothingReady,
    #[error("other work is in progress: {}", join(ids))]
    InProgress { ids: Vec<TaskId> },
}

/// The executable of the agent.
pub const CLAUDE: &str = "claude";

/// Finds the task to work on: the one asked for, else the next one.
pub fn choose(tasks: &[Task], tag: &str, id: Option<&TaskId>) -> Result<Assignment, NoAssignment> {
    let id = match id {
        Some(id) => id.clone(),
        None => next_task(tasks).ok_or(NoAssignment::NothingReady)?.task.id(),
    };
    let no_task = || NoAssignment::NoTask { id: id.clone(), tag: tag.to_owned() };
    let task = tasks.iter().find(|it| it.id() == id.parent()).ok_or_else(no_task)?;
    let subtask = task.subtasks().iter().find(|it| it.id() == id);
    if id.is_subtask() && subtask.is_none() {
        return Err(no_task());
    }
    Ok(Assignment { task: task.clone(), subtask: subtask.cloned() })
}

/// Refuses when other work is in progress; work on the same task is not other work.
pub fn check_alone(tasks: &[Task], assignment: &Assignment) -> Result<(), NoAssignment> {
    let others = tasks.iter().filter(|it| it.id() != assignment.task.id());
    let ids: Vec<TaskId> =
        others.filter(|it| it.status() == Status::InProgress).map(Task::id).collect();
    if ids.is_empty() { Ok(()) } else { Err(NoAssignment::InProgress { ids }) }
}

impl Assignment {
    /// The task or subtask itself.
    pub fn target(&self) -> &Task {
        self.subtask.as_ref().unwrap_or(&self.task)
    }

    /// What the agent is told.
    pub fn prompt(&self) -> Result<String, PromptError> {
        prompts::render(prompts::AGENT_START, Told::new(self))
    }
}

impl AgentCommand {
    /// A conversation about this prompt, which the user takes part in.
    pub fn talking(prompt: String, cwd: &Path) -> Self {
        Self { executable: CLAUDE.to_owned(), args: vec![prompt], cwd: cwd.to_path_buf() }
    }
}

/// The variables of the prompt.
#[derive(Debug, Serialize)]
struct Told {
    id: String,
    task: String,
    is_subtask: bool,
    title: String,
    parent_title: String,
    priority: String,
    description: String,
    details: String,
    test_strategy: String,
    subtasks: Vec<String>,
}

impl Told {
    fn new(assignment: &Assignment) -> Self {
        let target = assignment.target();
        let subtasks = target.subtasks().iter();
        let priority = target.priority().or_else(|| assignment.task.priority());
        Self {
            id: target.id().to_string(),
            task: assignment.task.id().to_string(),
            is_subtask: assignment.subtask.is_some(),
            title: target.title(),
            parent_title: assignment.task.title(),
            priority: priority.unwrap_or(Priority::Medium).to_string(),
            description: target.description(),
            details: target.details().unwrap_or_default(),
            test_strategy: target.test_strategy().unwrap_or_default(),
            subtasks: subtasks
                .map(|it| format!("{} {} ({})", it.id(), it.title(), it.status()))
                .collect(),
        }
    }
}

fn join(ids: &[TaskId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
