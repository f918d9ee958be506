//! What autopilot answers: the documents that commands and tools print.
//!
//! Nothing happens here. Members are named as other programs expect them, and the short messages are
//! those that they look for; longer advice is in our own words.

use serde::{Serialize, Serializer};

use super::machine::{
    Action, Phase, Progress, Step, Subtask, SubtaskStatus, TddPhase, TestResults, Workflow,
};

/// A workflow has begun.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub message: &'static str,
    /// The branch was not there before.
    #[serde(skip)]
    pub is_new_branch: bool,
    pub task_id: String,
    pub title: String,
    pub phase: Phase,
    pub tdd_phase: Option<TddPhase>,
    pub branch_name: String,
    pub subtasks: usize,
    pub current_subtask: Option<String>,
}

/// How far a workflow is.
#[derive(Debug, Clone, Serialize)]
pub struct WorkflowStatus {
    #[serde(flatten)]
    pub position: Position,
    pub subtasks: Vec<SubtaskState>,
    pub metadata: StartedAt,
}

/// What of it changes with each step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    pub task_id: String,
    pub phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tdd_phase: Option<TddPhase>,
    pub branch_name: String,
    pub progress: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_subtask: Option<CurrentSubtask>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentSubtask {
    #[serde(serialize_with = "as_number")]
    pub id: String,
    pub title: String,
    pub attempts: u32,
    pub max_attempts: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct SubtaskState {
    #[serde(serialize_with = "as_number")]
    pub id: String,
    pub title: String,
    pub status: SubtaskStatus,
    pub attempts: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartedAt {
    pub started_at: String,
    pub task_title: String,
}

/// A workflow goes on.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resumed {
    pub message: &'static str,
    pub task_id: String,
    pub phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tdd_phase: Option<TddPhase>,
    pub branch_name: String,
    pub progress: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_subtask: Option<NextSubtask>,
}

/// What has to be done.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Next {
    pub action: Action,
    pub description: &'static str,
    pub phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tdd_phase: Option<TddPhase>,
    pub task_id: String,
    pub branch_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtask: Option<NextSubtask>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_test_results: Option<TestResults>,
    pub next_steps: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct NextSubtask {
    #[serde(serialize_with = "as_number")]
    pub id: String,
    pub title: String,
    pub attempts: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct SubtaskName {
    #[serde(serialize_with = "as_number")]
    pub id: String,
    pub title: String,
}

/// A phase was completed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Completed {
    pub message: String,
    /// A phase of the cycle, or `FINALIZE` after the last subtask.
    pub next_phase: String,
    pub test_results: TestResults,
    /// The title of the one that it is about.
    pub subtask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<&'static str>,
    /// The subtask needed no work.
    #[serde(skip)]
    pub is_subtask_done: bool,
}

/// A subtask was committed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Committed {
    /// The first line of the commit's message.
    pub message: String,
    pub commit_hash: String,
    pub subtask: SubtaskName,
    pub progress: Progress,
    /// What comes next, in words.
    pub next_action: &'static str,
    /// The whole message of the commit.
    #[serde(skip)]
    pub full_message: String,
    #[serde(skip)]
    pub is_last: bool,
}

/// A workflow was ended, everything being done.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finalized {
    pub message: &'static str,
    #[serde(flatten)]
    pub status: WorkflowStatus,
    pub next_action: Action,
    pub next_steps: String,
}

/// A workflow was given up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Aborted {
    pub message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_subtask: Option<SubtaskName>,
    pub note: &'static str,
}

impl Started {
    pub(super) fn new(workflow: &Workflow, is_new: bool) -> Self {
        let context = &workflow.context;
        Self {
            message: "TDD workflow started",
            is_new_branch: is_new,
            task_id: context.task_id.clone(),
            title: context.metadata.task_title.clone(),
            phase: workflow.phase,
            tdd_phase: context.tdd_phase,
            branch_name: context.branch_name.clone(),
            subtasks: context.subtasks.len(),
            current_subtask: workflow.current().map(|it| it.title.clone()),
        }
    }
}

impl WorkflowStatus {
    pub fn new(workflow: &Workflow) -> Self {
        let context = &workflow.context;
        let position = Position {
            task_id: context.task_id.clone(),
            phase: workflow.phase,
            tdd_phase: context.tdd_phase,
            branch_name: context.branch_name.clone(),
            progress: workflow.progress(),
            current_subtask: open(workflow).map(|it| CurrentSubtask {
                id: it.id.clone(),
                title: it.title.clone(),
                attempts: it.attempts,
                max_attempts: it.max_attempts,
            }),
        };
        Self {
            position,
            subtasks: context.subtasks.iter().map(state).collect(),
            metadata: StartedAt {
                started_at: context.metadata.started_at.clone(),
                task_title: context.metadata.task_title.clone(),
            },
        }
    }
}

impl Resumed {
    pub(super) fn new(workflow: &Workflow) -> Self {
        let context = &workflow.context;
        Self {
            message: "Workflow resumed",
            task_id: context.task_id.clone(),
            phase: workflow.phase,
            tdd_phase: context.tdd_phase,
            branch_name: context.branch_name.clone(),
            progress: workflow.progress(),
            current_subtask: open(workflow).map(NextSubtask::new),
        }
    }
}

impl NextSubtask {
    fn new(subtask: &Subtask) -> Self {
        Self { id: subtask.id.clone(), title: subtask.title.clone(), attempts: subtask.attempts }
    }
}

impl Next {
    pub(super) fn new(workflow: &Workflow) -> Self {
        let action = workflow.action();
        Self {
            action,
            description: description(action),
            phase: workflow.phase,
            tdd_phase: workflow.context.tdd_phase,
            task_id: workflow.context.task_id.clone(),
            branch_name: workflow.context.branch_name.clone(),
            subtask: open(workflow).map(NextSubtask::new),
            last_test_results: workflow.context.last_test_results,
            next_steps: steps(workflow),
        }
    }
}

impl Completed {
    pub(super) fn new(workflow: &Workflow, step: &Step) -> Self {
        let done = match step {
            Step::SubtaskDone(subtask) => Some(subtask),
            Step::Next(_) | Step::StillFailing { .. } => None,
        };
        let next_phase = match workflow.context.tdd_phase {
            Some(phase) => phase.to_string(),
            None => workflow.phase.to_string(),
        };
        let results = workflow.context.last_test_results.unwrap_or_default();
        let message = match done {
            Some(done) => format!(
                "No test fails: what subtask {} asks for is there already, and it is done",
                workflow.full_id(done)
            ),
            None => format!("{} phase completed", phase_of(results)),
        };
        Self {
            message,
            next_phase,
            test_results: results,
            is_subtask_done: done.is_some(),
            subtask: done.or_else(|| workflow.current()).map(|it| it.title.clone()),
            suggestion: match done {
                Some(_) => Some("See that a test covers it before you go on"),
                None if workflow.action() == Action::CommitChanges => Some("Run: autopilot commit"),
                None => None,
            },
        }
    }
}

impl Committed {
    pub(super) fn new(
        workflow: &Workflow,
        subtask: &Subtask,
        commit_hash: String,
        full_message: String,
    ) -> Self {
        let is_last = workflow.action() == Action::FinalizeWorkflow;
        Self {
            message: full_message.lines().next().unwrap_or_default().to_owned(),
            commit_hash,
            subtask: name(subtask),
            progress: workflow.progress(),
            next_action: if is_last {
                "All subtasks complete. Run: autopilot finalize"
            } else {
                "Start next subtask with RED phase"
            },
            full_message,
            is_last,
        }
    }
}

impl Finalized {
    pub(super) fn new(workflow: &Workflow) -> Self {
        Self {
            message: "Workflow completed",
            status: WorkflowStatus::new(workflow),
            next_action: workflow.action(),
            next_steps: steps(workflow),
        }
    }
}

impl Aborted {
    pub(super) fn new(workflow: Option<&Workflow>) -> Self {
        Self {
            message: "Workflow aborted",
            task_id: workflow.map(|it| it.context.task_id.clone()),
            branch_name: workflow.map(|it| it.context.branch_name.clone()),
            progress: workflow.map(Workflow::progress),
            last_subtask: workflow.and_then(Workflow::current).map(name),
            note: "The branch, its commits and the working tree are as they were",
        }
    }
}

/// Subtasks have numbers, as in the task file; whatever else stays a text.
fn as_number<S: Serializer>(id: &str, to: S) -> Result<S::Ok, S::Error> {
    match id.parse::<u64>() {
        Ok(number) => to.serialize_u64(number),
        Err(_) => to.serialize_str(id),
    }
}

fn phase_of(results: TestResults) -> String {
    results.phase.unwrap_or(TddPhase::Red).to_string()
}

fn open(workflow: &Workflow) -> Option<&Subtask> {
    workflow.current().filter(|it| it.is_open())
}

fn name(subtask: &Subtask) -> SubtaskName {
    SubtaskName { id: subtask.id.clone(), title: subtask.title.clone() }
}

fn state(subtask: &Subtask) -> SubtaskState {
    SubtaskState {
        id: subtask.id.clone(),
        title: subtask.title.clone(),
        status: subtask.status,
        attempts: subtask.attempts,
    }
}

/// What an action is, in a few words.
pub fn description(action: Action) -> &'static str {
    match action {
        Action::GenerateTest => "Generate failing test for current subtask",
        Action::ImplementCode => "Implement feature to make tests pass",
        Action::CommitChanges => "Commit RED-GREEN cycle changes",
        Action::FinalizeWorkflow => "Finalize and complete the workflow",
        Action::WorkflowComplete => "All subtasks completed",
    }
}

/// What to do in so many words, for an agent that knows nothing else.
fn steps(workflow: &Workflow) -> String {
    let subtask = open(workflow);
    let title = subtask.map(|it| it.title.clone()).unwrap_or_default();
    let results =
        r#"`autopilot complete --results '{"total":N,"passed":N,"failed":N,"skipped":N}'`"#;
    match workflow.action() {
        Action::GenerateTest => format!(
            "1. Write a test for \"{title}\", and no other code. 2. Run the tests: at least one \
             must fail, for the reason you expect. 3. Report the numbers with {results}."
        ),
        Action::ImplementCode => {
            let left = subtask.map_or(0, |it| it.max_attempts.saturating_sub(it.attempts));
            let warning = match left {
                0 => " No attempts are left: have a person look at it.".to_owned(),
                left => format!(" {left} attempts are left."),
            };
            format!(
                "1. Write the least code that makes the tests for \"{title}\" pass. 2. Run all \
                 tests: none may fail. 3. Report the numbers with {results}.{warning}"
            )
        }
        Action::CommitChanges => format!(
            "1. See with `git status` that only what belongs to \"{title}\" has changed. \
             2. Commit it with `autopilot commit`."
        ),
        Action::FinalizeWorkflow => {
            "1. Run all tests once more. 2. End the workflow with `autopilot finalize`.".to_owned()
        }
        Action::WorkflowComplete => format!(
            "Look through the branch {} and merge it, or open a pull request.",
            workflow.context.branch_name
        ),
    }
}
