//! Autopilot: somebody else, an agent as a rule, writes tests and code for a task; this keeps the
//! order: a failing test, code that makes it pass, a commit, for one subtask after the other.
//!
//! `machine` knows what may follow what, `session` keeps it between two calls, `git` does what is
//! to be done in the repository. Each function here is one call of a command or a tool. Whoever
//! is killed between two of its steps calls it again. Start at [`start`].

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::json;
use tm_tasks::{
    id::TaskId,
    project::Project,
    status::{SetStatusError, Status, set_status},
    store::{Store, StoreError},
    task::Task,
    timestamp::Timestamp,
};

use git::{Git, GitError};
use machine::{NothingFails, Step, StepError, Subtask, TestResults, Workflow};
use session::{Session, SessionError, SessionLock};
use told::{Aborted, Committed, Completed, Finalized, Next, Resumed, Started, WorkflowStatus};

pub mod git;
pub mod machine;
pub mod message;
pub mod session;
pub mod told;

/// Where the work is done.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub project: &'a Project,
    pub store: &'a Store,
    /// The user's home directory.
    pub home: &'a Path,
    pub now: Timestamp,
}

/// What to work on.
#[derive(Debug, Clone)]
pub struct Start {
    pub task: TaskId,
    pub tag: String,
    /// How often the tests of a subtask may fail.
    pub max_attempts: u32,
    /// Give up the workflow that is running.
    pub replace: bool,
}

/// What to commit, and how.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// These files only, instead of all.
    pub files: Option<Vec<String>>,
    /// In place of the message that is made.
    pub message: Option<String>,
}

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AutopilotError {
    /// `start` comes first.
    #[error("no workflow is running")]
    NoWorkflow,
    /// It has to be finished or given up.
    #[error("a workflow for task {task} is running")]
    Running { task: String },
    /// Something else comes first.
    #[error(transparent)]
    Step(#[from] StepError),
    #[error("{failed} tests fail; that was attempt {attempts} of {max_attempts}")]
    StillFailing { failed: u64, attempts: u32, max_attempts: u32 },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("{id} is a subtask; a workflow is for a whole task")]
    NotATask { id: TaskId },
    #[error("the working tree is not clean: {}", listed(paths))]
    Dirty { paths: Vec<PathBuf> },
    #[error("the branch {found} is checked out, and the workflow is on {expected}")]
    WrongBranch { expected: String, found: String },
    #[error("nothing has changed since the last commit")]
    NothingToCommit,
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Status(#[from] SetStatusError),
}

/// Begins to work on a task: a branch of its own, the task in progress.
pub fn start(place: Place<'_>, request: &Start) -> Result<Started, AutopilotError> {
    let session = place.session();
    let lock = session.lock()?;
    match session.load() {
        Ok(None) => {}
        Ok(Some(_)) | Err(SessionError::Damaged { .. }) if request.replace => {}
        Ok(Some(running)) => {
            return Err(AutopilotError::Running { task: running.context.task_id });
        }
        Err(error) => return Err(error.into()),
    }
    let git = Git::open(place.project.root())?;
    // So that nobody is taken to another branch in vain.
    let planned = plan(place, request)?;
    let paths = git.changes()?;
    if !paths.is_empty() {
        return Err(AutopilotError::Dirty { paths });
    }
    session.back_up(place.now, &lock)?;
    let left = git.branch()?.or(git.revision("HEAD")?);
    let is_new = git.check_out(&planned.context.branch_name)?;
    let begun = begin(place, request, &session, &lock);
    if begun.is_err()
        && let Some(left) = left
    {
        // The first error is the one to tell.
        git.check_out(&left).ok();
    }
    let workflow = begun?;
    let details = json!({
        "taskId": workflow.context.task_id,
        "branchName": workflow.context.branch_name,
        "newBranch": is_new,
    });
    session.note("workflow:started", details, place.now)?;
    Ok(Started::new(&workflow, is_new))
}

/// The workflow that is running, after a look at where it stands.
pub fn resume(place: Place<'_>) -> Result<Resumed, AutopilotError> {
    let workflow = place.running()?;
    check_branch(&Git::open(place.project.root())?, &workflow)?;
    Ok(Resumed::new(&workflow))
}

/// How far the workflow is; nothing when none is running.
pub fn status(place: Place<'_>) -> Result<Option<WorkflowStatus>, AutopilotError> {
    Ok(place.session().load()?.as_ref().map(WorkflowStatus::new))
}

/// What has to be done next.
pub fn next(place: Place<'_>) -> Result<Next, AutopilotError> {
    Ok(Next::new(&place.running()?))
}

/// Takes the results of the tests, and goes on to the next phase if they allow it.
pub fn complete(
    place: Place<'_>,
    results: TestResults,
    nothing_fails: NothingFails,
) -> Result<Completed, AutopilotError> {
    let session = place.session();
    let lock = session.lock()?;
    let mut workflow = place.running()?;
    let phase = workflow.context.tdd_phase;
    let step = workflow.complete(results, nothing_fails)?;
    if let Step::SubtaskDone(subtask) = &step {
        mark(place, &workflow, subtask)?;
    }
    session.save(&workflow, &lock)?;
    let details = json!({ "phase": phase, "results": workflow.context.last_test_results });
    session.note("phase:reported", details, place.now)?;
    if let Step::StillFailing { failed, attempts, max_attempts } = step {
        return Err(AutopilotError::StillFailing { failed, attempts, max_attempts });
    }
    Ok(Completed::new(&workflow, &step))
}

/// Commits the work on the current subtask, which is done with that.
///
/// The task file says so before the commit is made, so that the commit has it, and says what it
/// said before when there is none.
pub fn commit(place: Place<'_>, request: &Commit) -> Result<Committed, AutopilotError> {
    let session = place.session();
    let lock = session.lock()?;
    let mut workflow = place.running()?;
    workflow.check_commit()?;
    let subtask = workflow.current().cloned().ok_or(AutopilotError::NoWorkflow)?;
    let git = Git::open(place.project.root())?;
    check_branch(&git, &workflow)?;
    git.stage(request.files.as_deref())?;
    let head = git.revision("HEAD")?.unwrap_or_default();
    let staged = git.staged()?;
    if staged.is_empty() {
        // The commit may be there, made by a call that was killed before it could say so.
        let base = workflow.context.pending_commit.clone().filter(|it| *it != head);
        base.ok_or(AutopilotError::NothingToCommit)?;
        mark(place, &workflow, &subtask)?;
    } else {
        workflow.context.pending_commit = Some(head);
        session.save(&workflow, &lock)?;
        let message = request.message.clone();
        let message = message.unwrap_or_else(|| message::generate(&workflow, &subtask, &staged));
        let marked = mark(place, &workflow, &subtask)?;
        let again = if request.files.is_none() { git.stage(None) } else { Ok(()) };
        if let Err(error) = again.and_then(|()| git.commit(&message)) {
            unmark(place, &workflow, &marked)?;
            return Err(error.into());
        }
    }
    workflow.advance();
    session.save(&workflow, &lock)?;
    let (hash, message) = (git.short("HEAD")?, git.message("HEAD")?);
    let committed = Committed::new(&workflow, &subtask, hash, message);
    let details = json!({
        "subtaskId": subtask.id, "commitHash": committed.commit_hash, "message": committed.message
    });
    session.note("subtask:committed", details, place.now)?;
    Ok(committed)
}

/// Ends a workflow of which everything is done and committed.
pub fn finalize(place: Place<'_>) -> Result<Finalized, AutopilotError> {
    let session = place.session();
    let lock = session.lock()?;
    let mut workflow = place.running()?;
    workflow.finalize()?;
    let git = Git::open(place.project.root())?;
    check_branch(&git, &workflow)?;
    let mut paths = git.changes()?;
    // What we wrote there ourselves, after the last commit.
    paths.retain(|it| !is_same_file(it, place.store.path()));
    if !paths.is_empty() {
        return Err(AutopilotError::Dirty { paths });
    }
    let task = TaskId::top(&workflow.context.task_id);
    set(place, &workflow.context.tag, &task, &Status::Done)?;
    session.remove(&lock)?;
    let details = json!({ "taskId": workflow.context.task_id });
    session.note("workflow:completed", details, place.now)?;
    Ok(Finalized::new(&workflow))
}

/// Gives the workflow up. Branch, commits and the task stay as they are. Nothing when none is
/// running.
pub fn abort(place: Place<'_>) -> Result<Option<Aborted>, AutopilotError> {
    let session = place.session();
    let lock = session.lock()?;
    let workflow = match session.load() {
        Ok(None) => return Ok(None),
        Ok(Some(workflow)) => Some(workflow),
        Err(SessionError::Damaged { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    session.back_up(place.now, &lock)?;
    session.remove(&lock)?;
    let task = workflow.as_ref().map(|it| it.context.task_id.clone());
    session.note("workflow:aborted", json!({ "taskId": task }), place.now)?;
    Ok(Some(Aborted::new(workflow.as_ref())))
}

impl Place<'_> {
    fn session(&self) -> Session {
        Session::of(self.home, self.project.root())
    }

    fn running(&self) -> Result<Workflow, AutopilotError> {
        self.session().load()?.ok_or(AutopilotError::NoWorkflow)
    }
}

/// The workflow as it would begin now.
fn plan(place: Place<'_>, request: &Start) -> Result<Workflow, AutopilotError> {
    if request.task.is_subtask() {
        return Err(AutopilotError::NotATask { id: request.task.clone() });
    }
    let file = place.store.read()?;
    let task = file.tag(&request.tag).and_then(|it| it.find(&request.task));
    let task = task.ok_or_else(|| AutopilotError::NoTask {
        id: request.task.clone(),
        tag: request.tag.clone(),
    })?;
    Ok(Workflow::new(&task, &request.tag, request.max_attempts, place.now)?)
}

/// Another branch may have another task file.
fn begin(
    place: Place<'_>,
    request: &Start,
    session: &Session,
    lock: &SessionLock,
) -> Result<Workflow, AutopilotError> {
    let workflow = plan(place, request)?;
    session.save(&workflow, lock)?;
    if let Err(error) = set(place, &request.tag, &request.task, &Status::InProgress) {
        session.remove(lock)?;
        return Err(error);
    }
    Ok(workflow)
}

fn check_branch(git: &Git, workflow: &Workflow) -> Result<(), AutopilotError> {
    let expected = workflow.context.branch_name.clone();
    let found = git.branch()?.unwrap_or_else(|| "no branch".to_owned());
    if found == expected { Ok(()) } else { Err(AutopilotError::WrongBranch { expected, found }) }
}

/// A task before and after its subtask was marked as done.
struct Marked {
    before: Task,
    after: Task,
}

/// Notes in the task file that a subtask is done; its task follows.
fn mark(
    place: Place<'_>,
    workflow: &Workflow,
    subtask: &Subtask,
) -> Result<Marked, AutopilotError> {
    let (tag, id) = (&workflow.context.tag, workflow.full_id(subtask));
    place.store.commit_progress(&format!("autopilot: {id} is done"), place.now, |file| {
        let no_task = || AutopilotError::NoTask { id: id.clone(), tag: tag.clone() };
        let task = |file: &tm_tasks::document::TaskFile| {
            file.tag(tag).and_then(|it| it.find(&id.parent())).ok_or_else(no_task)
        };
        let before = task(file)?;
        set_status(file, tag, &id, &Status::Done, place.now)?;
        let after = task(file)?;
        Ok(Marked { before, after })
    })
}

/// Takes a mark back, unless somebody else has changed the task in the meantime.
fn unmark(place: Place<'_>, workflow: &Workflow, marked: &Marked) -> Result<(), AutopilotError> {
    place.store.commit_progress("autopilot: it was not committed", place.now, |file| {
        let tasks = file.tag_mut(&workflow.context.tag);
        let mut tasks = tasks.into_iter().flat_map(|it| it.tasks_mut().iter_mut());
        // Layout changes when it is written.
        let after = marked.after.to_json();
        if let Some(task) = tasks.find(|it| it.to_json() == after) {
            *task = marked.before.clone();
        }
        Ok(())
    })
}

fn set(place: Place<'_>, tag: &str, task: &TaskId, status: &Status) -> Result<(), AutopilotError> {
    place.store.commit_progress(&format!("autopilot: {task} is {status}"), place.now, |file| {
        set_status(file, tag, task, status, place.now)?;
        Ok(())
    })
}

fn is_same_file(one: &Path, another: &Path) -> bool {
    let real = |it: &Path| -> io::Result<PathBuf> { it.canonicalize() };
    one == another || matches!((real(one), real(another)), (Ok(one), Ok(another)) if one == another)
}

/// The first few.
fn listed(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> = paths.iter().take(SHOWN).map(|it| it.display().to_string()).collect();
    let more = paths.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
}
