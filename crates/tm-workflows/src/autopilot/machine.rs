//! Test-driven work on one task as a state machine: for each subtask a failing test, code that
//! makes it pass, a commit.
//!
//! Pure: what is on the disk, in the repository or on a clock is not known here. The form is that
//! of the state file. Start at [`Workflow`].

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tm_tasks::{
    id::TaskId,
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

/// The work on one task, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    pub phase: Phase,
    pub context: Context,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    pub task_id: String,
    pub subtasks: Vec<Subtask>,
    pub current_subtask_index: usize,
    #[serde(rename = "currentTDDPhase", skip_serializing_if = "Option::is_none")]
    pub tdd_phase: Option<TddPhase>,
    #[serde(default)]
    pub branch_name: String,
    #[serde(default)]
    pub tag: String,
    #[serde(default)]
    pub errors: Vec<Value>,
    pub metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_test_results: Option<TestResults>,
    /// The commit that the one under way builds on. Whoever finds it here was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_commit: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub started_at: String,
    pub task_title: String,
    /// The first subtask that was open when the work began, when some were done already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_from_subtask: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subtask {
    /// Its number within the task.
    pub id: String,
    pub title: String,
    pub status: SubtaskStatus,
    #[serde(default)]
    pub attempts: u32,
    #[serde(default = "default_attempts")]
    pub max_attempts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    Preflight,
    BranchSetup,
    SubtaskLoop,
    Finalize,
    Complete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TddPhase {
    /// A test is to be written, and to fail.
    Red,
    /// Code is to be written, and all tests are to pass.
    Green,
    /// All of it is to be committed.
    Commit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubtaskStatus {
    /// Also while it is worked on: which one that is, the workflow's index tells.
    Pending,
    /// In files of other versions.
    InProgress,
    Completed,
    /// All attempts are used up; passing tests still complete it.
    Failed,
}

/// What a run of the tests came to. Numbers that are not given are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TestResults {
    #[serde(default)]
    pub total: u64,
    #[serde(default)]
    pub passed: u64,
    #[serde(default)]
    pub failed: u64,
    #[serde(default)]
    pub skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<TddPhase>,
}

/// What to make of tests of which none fails when one ought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NothingFails {
    Refuse,
    /// What the subtask asks for is there already.
    CompleteSubtask,
}

/// What results of a step lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Next(TddPhase),
    /// The subtask was done without any change.
    SubtaskDone(Subtask),
    /// An attempt is used up.
    StillFailing {
        failed: u64,
        attempts: u32,
        max_attempts: u32,
    },
}

/// What has to happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    GenerateTest,
    ImplementCode,
    CommitChanges,
    FinalizeWorkflow,
    WorkflowComplete,
}

/// Why a step cannot be taken. The workflow is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("task {task} has no subtasks")]
    NoSubtasks { task: TaskId },
    #[error("all subtasks of task {task} are done")]
    AllDone { task: TaskId },
    #[error("this cannot be done in the {at} phase")]
    WrongPhase { at: String, action: Action },
    #[error("none of the tests fails, and in the RED phase one must")]
    NothingFails,
    #[error("subtasks are not done yet: {}", ids.join(", "))]
    Unfinished { ids: Vec<String> },
}

/// How many of the subtasks are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub completed: usize,
    pub total: usize,
    /// The number of the current one, from 1.
    pub current: usize,
    pub percentage: usize,
}

const fn default_attempts() -> u32 {
    3
}

impl Workflow {
    /// Work on a task that has something to do: its subtasks, the done ones included.
    pub fn new(
        task: &Task,
        tag: &str,
        max_attempts: u32,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        let id = task.id();
        let subtasks: Vec<Subtask> =
            task.subtasks().iter().map(|it| subtask(it, max_attempts)).collect();
        if subtasks.is_empty() {
            return Err(StepError::NoSubtasks { task: id });
        }
        let first = subtasks.iter().position(Subtask::is_open);
        let first = first.ok_or_else(|| StepError::AllDone { task: id.clone() })?;
        let resumed_from = subtasks.get(first).filter(|_| first > 0).map(|it| it.id.clone());
        let title = task.title();
        Ok(Self {
            phase: Phase::SubtaskLoop,
            context: Context {
                branch_name: branch_name(tag, &id, &title),
                task_id: id.to_string(),
                subtasks,
                current_subtask_index: first,
                tdd_phase: Some(TddPhase::Red),
                tag: tag.to_owned(),
                errors: Vec::new(),
                metadata: Metadata {
                    started_at: iso_millis(now),
                    task_title: title,
                    resumed_from_subtask: resumed_from,
                    rest: Map::new(),
                },
                last_test_results: None,
                pending_commit: None,
                rest: Map::new(),
            },
            rest: Map::new(),
        })
    }

    /// The subtask that is worked on; the last one when all are done.
    pub fn current(&self) -> Option<&Subtask> {
        let index = self.context.current_subtask_index;
        self.context.subtasks.get(index).or(self.context.subtasks.last())
    }

    /// The id of the task, and that of a subtask of it as everybody else knows it.
    pub fn full_id(&self, subtask: &Subtask) -> TaskId {
        let number = subtask.id.rsplit('.').next().unwrap_or_default();
        TaskId::top(&self.context.task_id).child(number)
    }

    pub fn action(&self) -> Action {
        match (self.phase, self.context.tdd_phase) {
            (Phase::Complete, _) => Action::WorkflowComplete,
            (Phase::Finalize, _) => Action::FinalizeWorkflow,
            (_, Some(TddPhase::Green)) => Action::ImplementCode,
            (_, Some(TddPhase::Commit)) => Action::CommitChanges,
            (_, Some(TddPhase::Red) | None) => Action::GenerateTest,
        }
    }

    pub fn progress(&self) -> Progress {
        let total = self.context.subtasks.len();
        let completed = self.context.subtasks.iter().filter(|it| !it.is_open()).count();
        Progress {
            completed,
            total,
            current: (self.context.current_subtask_index + 1).min(total),
            percentage: (completed * 200 + total).checked_div(2 * total).unwrap_or(0),
        }
    }

    /// Takes the results of the tests in the RED or the GREEN phase.
    pub fn complete(
        &mut self,
        results: TestResults,
        nothing_fails: NothingFails,
    ) -> Result<Step, StepError> {
        let (Action::GenerateTest | Action::ImplementCode, Some(phase)) =
            (self.action(), self.context.tdd_phase)
        else {
            return Err(self.wrong_phase());
        };
        if phase == TddPhase::Red && results.failed == 0 && nothing_fails == NothingFails::Refuse {
            return Err(StepError::NothingFails);
        }
        self.context.last_test_results = Some(TestResults { phase: Some(phase), ..results });
        match (phase, results.failed) {
            (TddPhase::Red, 0) => {
                let done = self.current().cloned();
                self.advance();
                Ok(done.map_or(Step::Next(TddPhase::Red), Step::SubtaskDone))
            }
            (TddPhase::Red, _) => Ok(self.enter(TddPhase::Green)),
            (_, 0) => {
                self.set_current_status(SubtaskStatus::Pending);
                Ok(self.enter(TddPhase::Commit))
            }
            (_, failed) => Ok(self.use_up_attempt(failed)),
        }
    }

    /// Whether a commit is what comes next.
    pub fn check_commit(&self) -> Result<(), StepError> {
        if self.action() == Action::CommitChanges { Ok(()) } else { Err(self.wrong_phase()) }
    }

    /// Goes on to the next subtask, the current one being done.
    pub fn advance(&mut self) {
        self.set_current_status(SubtaskStatus::Completed);
        self.context.pending_commit = None;
        if let Some(next) = self.context.subtasks.iter().position(Subtask::is_open) {
            self.context.current_subtask_index = next;
            self.context.tdd_phase = Some(TddPhase::Red);
        } else {
            self.context.current_subtask_index = self.context.subtasks.len();
            self.context.tdd_phase = None;
            self.phase = Phase::Finalize;
        }
    }

    /// Ends the work, all subtasks being done.
    pub fn finalize(&mut self) -> Result<(), StepError> {
        let open = self.context.subtasks.iter().filter(|it| it.is_open());
        let ids: Vec<String> = open.map(|it| self.full_id(it).to_string()).collect();
        if !ids.is_empty() {
            return Err(StepError::Unfinished { ids });
        }
        self.phase = Phase::Complete;
        self.context.tdd_phase = None;
        Ok(())
    }

    fn enter(&mut self, phase: TddPhase) -> Step {
        self.context.tdd_phase = Some(phase);
        Step::Next(phase)
    }

    fn use_up_attempt(&mut self, failed: u64) -> Step {
        let index = self.context.current_subtask_index;
        let Some(subtask) = self.context.subtasks.get_mut(index) else {
            return Step::StillFailing { failed, attempts: 0, max_attempts: 0 };
        };
        subtask.attempts = subtask.attempts.saturating_add(1).min(subtask.max_attempts);
        if subtask.is_exhausted() {
            subtask.status = SubtaskStatus::Failed;
        }
        let (attempts, max_attempts) = (subtask.attempts, subtask.max_attempts);
        Step::StillFailing { failed, attempts, max_attempts }
    }

    fn set_current_status(&mut self, status: SubtaskStatus) {
        if let Some(subtask) = self.context.subtasks.get_mut(self.context.current_subtask_index) {
            subtask.status = status;
        }
    }

    fn wrong_phase(&self) -> StepError {
        let at = self.context.tdd_phase.map_or_else(|| self.phase.to_string(), |it| it.to_string());
        StepError::WrongPhase { at, action: self.action() }
    }
}

impl Subtask {
    pub fn is_open(&self) -> bool {
        self.status != SubtaskStatus::Completed
    }

    pub fn is_exhausted(&self) -> bool {
        self.attempts >= self.max_attempts
    }
}

fn subtask(task: &Task, max_attempts: u32) -> Subtask {
    let is_complete = task.status().is_complete();
    Subtask {
        id: task.id().subtask().unwrap_or_default().to_owned(),
        title: task.title(),
        status: if is_complete { SubtaskStatus::Completed } else { SubtaskStatus::Pending },
        attempts: 0,
        max_attempts,
    }
}

/// `tm/<tag>/task-<id>-<title>`, of what git allows in the name of a branch.
pub fn branch_name(tag: &str, id: &TaskId, title: &str) -> String {
    const TITLE_MAX: usize = 50;
    let tag = slug(tag, TITLE_MAX);
    let tag = if tag.is_empty() { "tag".to_owned() } else { tag };
    let title = slug(title, TITLE_MAX);
    let dash = if title.is_empty() { "" } else { "-" };
    format!("tm/{tag}/task-{id}{dash}{title}")
}

fn slug(text: &str, most: usize) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.chars().count() >= most {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preflight => "PREFLIGHT",
            Self::BranchSetup => "BRANCH_SETUP",
            Self::SubtaskLoop => "SUBTASK_LOOP",
            Self::Finalize => "FINALIZE",
            Self::Complete => "COMPLETE",
        })
    }
}

impl fmt::Display for TddPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Red => "RED",
            Self::Green => "GREEN",
            Self::Commit => "COMMIT",
        })
    }
}

#[cfg(test)]
mod tests;
