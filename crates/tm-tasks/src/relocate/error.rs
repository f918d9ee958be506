//! Why something cannot be moved.

use crate::{document::TagError, id::TaskId, references::LostLink};

/// Why nothing was moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    // Another id has to be given.
    #[error("there is no task {id}")]
    TaskNotFound { id: TaskId },
    #[error("there is no subtask {id}")]
    SubtaskNotFound { id: TaskId },
    #[error("there is no task {id}, so it has no subtask to move")]
    ParentTaskNotFound { id: TaskId },
    #[error("task {id} has no subtasks")]
    ParentTaskNoSubtasks { id: TaskId },
    #[error("there is no task {id} to move something to")]
    DestinationTaskNotFound { id: TaskId },
    #[error("tag `{tag}` has a task {} already", list(ids))]
    TaskAlreadyExists { ids: Vec<TaskId>, tag: String },
    #[error("task {id} cannot become a subtask of itself")]
    IntoItself { id: TaskId },
    #[error("{from} ids to move and {to} destinations are not pairs")]
    IdCountMismatch { from: usize, to: usize },

    // Another tag has to be given.
    #[error("there is no tag `{tag}` to move from")]
    InvalidSourceTag { tag: String },
    #[error("tag `{tag}` cannot be moved to")]
    InvalidTargetTag { tag: String, source: TagError },
    #[error("the tasks are in tag `{tag}` already")]
    SourceTargetTagsSame { tag: String },

    // More has to be decided.
    #[error("{id} is a subtask, and only whole tasks move to another tag")]
    CannotMoveSubtask { id: TaskId },
    #[error("tasks would be parted from what they depend on: {}", pairs(links))]
    CrossTagDependencyConflicts { links: Vec<LostLink> },
    #[error("dependencies can be moved along or be ignored, not both")]
    ContradictoryOptions,
}

impl MoveError {
    /// The name by which programs know it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TaskNotFound { .. } => "TASK_NOT_FOUND",
            Self::SubtaskNotFound { .. } => "SUBTASK_NOT_FOUND",
            Self::ParentTaskNotFound { .. } => "PARENT_TASK_NOT_FOUND",
            Self::ParentTaskNoSubtasks { .. } => "PARENT_TASK_NO_SUBTASKS",
            Self::DestinationTaskNotFound { .. } => "DESTINATION_TASK_NOT_FOUND",
            Self::TaskAlreadyExists { .. } => "TASK_ALREADY_EXISTS",
            Self::IntoItself { .. } => "CANNOT_MOVE_INTO_ITSELF",
            Self::IdCountMismatch { .. } => "ID_COUNT_MISMATCH",
            Self::InvalidSourceTag { .. } => "INVALID_SOURCE_TAG",
            Self::InvalidTargetTag { .. } => "INVALID_TARGET_TAG",
            Self::SourceTargetTagsSame { .. } => "SOURCE_TARGET_TAGS_SAME",
            Self::CannotMoveSubtask { .. } => "CANNOT_MOVE_SUBTASK",
            Self::CrossTagDependencyConflicts { .. } => "CROSS_TAG_DEPENDENCY_CONFLICTS",
            Self::ContradictoryOptions => "CONTRADICTORY_OPTIONS",
        }
    }
}

fn list(ids: &[TaskId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn pairs(links: &[LostLink]) -> String {
    let pairs = links.iter().map(|it| format!("{} on {}", it.task, it.dependency));
    pairs.collect::<Vec<_>>().join(", ")
}
