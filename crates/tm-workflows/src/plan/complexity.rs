//! `analyze-complexity`: how hard each open task is, and how it is best divided.
//!
//! A model that is trusted with whole answers is asked about many tasks at once, a small one about
//! each task on its own, several at a time on a prefix that its backend reads once. A task that
//! the model leaves out is marked as such and counts as of medium difficulty. Start at
//! [`analyze`].

use std::path::PathBuf;

use tm_llm::chat::Usage;
use tm_tasks::{
    complexity::{ComplexityReport, NewAnalysis, ReportError, Run, record},
    document::Tag,
    id::TaskId,
    status::Status,
    task::Task,
    timestamp::Timestamp,
};

use super::change::{ChangeError, Place};
use crate::{
    asking::{AskError, Asking, Spent},
    event::Event,
};

mod question;

/// What is to be analysed, and how.
#[derive(Debug, Clone)]
pub struct Analyze {
    pub selection: Selection,
    /// Where the report is.
    pub report: PathBuf,
    /// From which score on a task is worth dividing, 1 to 10. Only noted.
    pub threshold: u8,
    pub project_name: String,
    pub used_research: bool,
}

/// Which tasks; of those, the open ones are analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    All,
    These(Vec<TaskId>),
    /// Ids from and to these numbers, both included.
    Range {
        from: u64,
        to: u64,
    },
}

/// What was found out.
#[derive(Debug, Clone)]
pub struct Analyzed {
    /// As it is in the file now.
    pub report: ComplexityReport,
    /// The tasks that were looked at.
    pub tasks: Vec<TaskId>,
    /// Those that the model left out.
    pub left_out: Vec<TaskId>,
    pub skipped: Vec<Skipped>,
    pub usage: Usage,
}

/// A task that was named and not analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub id: TaskId,
    /// Nothing when there is no such task.
    pub status: Option<Status>,
}

/// Why nothing was analysed. The report is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    #[error("the tag `{tag}` has no tasks")]
    NoTasks { tag: String },
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// What a task gets that the model left out. Other programs know the words of the reason.
const SCORE: u8 = 5;
const SUBTASKS: u64 = 3;
const REASON: &str = "Automatically added due to missing analysis in AI response.";

/// Analyses the open tasks among those selected, and adds what was found to the report.
///
/// # Errors
/// [`AnalyzeError`]; the report is as it was then.
pub async fn analyze(
    asking: Asking<'_>,
    place: &Place,
    request: &Analyze,
) -> Result<Analyzed, AnalyzeError> {
    let tag = place.read().await?;
    if tag.tasks().is_empty() {
        return Err(AnalyzeError::NoTasks { tag: place.tag.clone() });
    }
    ComplexityReport::find(&request.report)?;
    let tasks: Vec<Task> = tag.tasks().iter().filter(|it| request.wants(it)).cloned().collect();
    let skipped = request.skipped(&tag, &tasks);
    let spent = Spent::default();
    let mut analyses = if tasks.is_empty() {
        Vec::new()
    } else {
        (asking.observer)(Event::Began { things: tasks.len() });
        if asking.backend.info().whole_answers {
            question::together(asking, &tag, &tasks, &spent).await?
        } else {
            question::one_by_one(asking, &tag, &tasks, &spent).await?
        }
    };
    let is_missing = |it: &&Task| !analyses.iter().any(|found| found.task_id == it.id());
    let missing: Vec<&Task> = tasks.iter().filter(is_missing).collect();
    let left_out = missing.iter().map(|it| it.id()).collect();
    analyses.extend(missing.into_iter().map(stand_in));
    let run = Run {
        analyses,
        looked_at: tasks.len(),
        threshold: request.threshold,
        project_name: request.project_name.clone(),
        used_research: request.used_research,
    };
    let report = record(&request.report, &run, tag.tasks(), Timestamp::now())?;
    let tasks = tasks.iter().map(Task::id).collect();
    Ok(Analyzed { report, tasks, left_out, skipped, usage: spent.usage() })
}

impl Analyze {
    fn wants(&self, task: &Task) -> bool {
        let is_open =
            matches!(task.status(), Status::Pending | Status::InProgress | Status::Blocked);
        let id = task.id();
        is_open
            && match &self.selection {
                Selection::All => true,
                Selection::These(ids) => ids.contains(&id),
                Selection::Range { from, to } => {
                    id.number().is_some_and(|it| (*from..=*to).contains(&it))
                }
            }
    }

    /// Those that were named, and why they are not looked at.
    fn skipped(&self, tag: &Tag, chosen: &[Task]) -> Vec<Skipped> {
        let Selection::These(ids) = &self.selection else { return Vec::new() };
        let left = ids.iter().filter(|id| !chosen.iter().any(|it| it.id() == **id));
        left.map(|id| Skipped { id: id.clone(), status: tag.find(id).map(|it| it.status()) })
            .collect()
    }
}

fn stand_in(task: &Task) -> NewAnalysis {
    let title = task.title();
    NewAnalysis {
        task_id: task.id(),
        score: SCORE,
        recommended_subtasks: SUBTASKS,
        expansion_prompt: format!("Break down this task with a focus on {}.", title.to_lowercase()),
        reasoning: REASON.to_owned(),
        task_title: title,
    }
}

impl From<AskError> for AnalyzeError {
    fn from(error: AskError) -> Self {
        Self::Change(error.into())
    }
}

#[cfg(test)]
mod tests;
