//! Tasks that a model's answers change: where they are, and what can go wrong.
//!
//! The file is looked at before a model works, and read anew when its answer is written.

use std::fmt;

use tm_tasks::{
    add::AddTaskError,
    document::{Tag, TaskFile},
    id::TaskId,
    status::Status,
    store::{Quality, Store, StoreError},
    task::Task,
    timestamp::Timestamp,
};

use crate::{asking::AskError, evaluate::quality_of_change, prompts::PromptError};

/// A tag of a task file.
#[derive(Debug, Clone)]
pub struct Place {
    pub store: Store,
    pub tag: String,
}

/// Whether tasks that are new or other ones are scored, and what each is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scoring {
    None,
    Each { minimum: Option<u8> },
}

impl Scoring {
    fn minimum(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Each { minimum } => minimum,
        }
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The tag must be created, or another one named.
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    /// Another task must be named.
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("{id} is a subtask")]
    ASubtask { id: TaskId },
    #[error("{id} is not a subtask")]
    NotASubtask { id: TaskId },
    /// Its status must be set first.
    #[error("task {id} is {status}")]
    Finished { id: TaskId, status: Status },
    #[error("{requested} subtasks were asked for; between 1 and {most} can be made at once")]
    Count { requested: usize, most: usize },
    /// Another model may do better, or the same one later.
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("writing the tasks was interrupted")]
    Interrupted,
}

impl Place {
    /// The tag as it is now.
    pub(crate) async fn read(&self) -> Result<Tag, ChangeError> {
        let place = self.clone();
        blocking(move || place.store.read()?.tag(&place.tag).cloned().ok_or_else(|| place.no_tag()))
            .await
    }

    /// Changes the file: all of what `change` does, or nothing.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        command: impl fmt::Display,
        change: impl FnOnce(&mut TaskFile, Timestamp) -> Result<T, ChangeError> + Send + 'static,
    ) -> Result<T, ChangeError> {
        self.commit_measured(command.to_string(), change, Scoring::None).await
    }

    /// Changes the file as [`Self::commit`] does, and has the journal note how well the tasks are
    /// written that are new or other ones then, and what they were to reach.
    pub(crate) async fn commit_scored<T: Send + 'static>(
        &self,
        (command, minimum): (impl fmt::Display, Option<u8>),
        change: impl FnOnce(&mut TaskFile, Timestamp) -> Result<T, ChangeError> + Send + 'static,
    ) -> Result<T, ChangeError> {
        self.commit_measured(command.to_string(), change, Scoring::Each { minimum }).await
    }

    async fn commit_measured<T: Send + 'static>(
        &self,
        command: String,
        change: impl FnOnce(&mut TaskFile, Timestamp) -> Result<T, ChangeError> + Send + 'static,
        scoring: Scoring,
    ) -> Result<T, ChangeError> {
        let place = self.clone();
        let now = Timestamp::now();
        blocking(move || {
            place.store.commit_measured(&command, now, |file| {
                let before = file.tag(&place.tag).filter(|_| scoring != Scoring::None);
                let before = before.map(|it| it.tasks().to_vec());
                let value = change(file, now)?;
                let after = file.tag(&place.tag).map_or(&[][..], Tag::tasks);
                let quality = before.and_then(|it| quality_of_change(&it, after));
                let minimum = scoring.minimum();
                Ok((value, quality.map(|it| Quality { minimum, ..it })))
            })
        })
        .await
    }

    pub(crate) fn no_tag(&self) -> ChangeError {
        ChangeError::NoTag { tag: self.tag.clone() }
    }

    pub(crate) fn no_task(&self, id: &TaskId) -> ChangeError {
        ChangeError::NoTask { id: id.clone(), tag: self.tag.clone() }
    }

    /// The task of this id, which is no subtask.
    pub(crate) fn find_task(&self, tag: &Tag, id: &TaskId) -> Result<Task, ChangeError> {
        if id.is_subtask() {
            return Err(ChangeError::ASubtask { id: id.clone() });
        }
        self.find(tag, id)
    }

    /// The task or subtask of this id.
    pub(crate) fn find(&self, tag: &Tag, id: &TaskId) -> Result<Task, ChangeError> {
        tag.find(id).ok_or_else(|| self.no_task(id))
    }
}

impl From<PromptError> for ChangeError {
    fn from(error: PromptError) -> Self {
        Self::Ask(error.into())
    }
}

/// Only a tag that is gone can keep a task from being added whose words are there.
pub(crate) fn not_added(error: AddTaskError, place: &Place) -> ChangeError {
    match error {
        AddTaskError::NoTag { tag } => ChangeError::NoTag { tag },
        AddTaskError::Empty { .. } => place.no_tag(),
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChangeError> + Send + 'static,
) -> Result<T, ChangeError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ChangeError::Interrupted)?
}
