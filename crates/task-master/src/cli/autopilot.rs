//! `autopilot`: a failing test, code that makes it pass, a commit, for each subtask of a task.
//!
//! What may follow what is known to `tm_workflows::autopilot`; this prints it. With `--json`
//! failures are JSON, too, on standard error.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use tm_tasks::id::TaskId;
use tm_workflows::autopilot::{
    self, AutopilotError, Commit, Place, Start,
    git::GitError,
    machine::{Action, NothingFails, StepError, TestResults},
    session::SessionError,
    told::{Committed, Next, Started, WorkflowStatus},
};

use crate::{
    app::{self, App, Workspace},
    report::{
        Report, Told, advice,
        text::{BOLD, DIM, Text},
    },
};

/// Work on a task by tests: write a failing one, make it pass, commit, subtask by subtask
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,

    /// Say more about what is done
    #[arg(long, short, global = true)]
    verbose: bool,

    /// Use the project in this directory
    #[arg(long = "project-root", short, global = true, value_name = "PATH")]
    project: Option<PathBuf>,

    #[command(subcommand)]
    step: StepCommand,
}

#[derive(Debug, Subcommand)]
enum StepCommand {
    /// Begin to work on a task, on a branch of its own
    Start {
        /// The task, which must have subtasks
        task_id: String,

        /// Give up the workflow that is running
        #[arg(long, short)]
        force: bool,

        /// How often the tests of a subtask may fail
        #[arg(long, value_name = "NUMBER", default_value_t = 3)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        max_attempts: u32,
    },
    /// Go on with the workflow that is running
    Resume,
    /// Say what has to be done next
    Next,
    /// Report the results of the tests
    Complete {
        /// The numbers, such as `{"total":3,"passed":2,"failed":1,"skipped":0}`
        #[arg(long, short, value_name = "JSON")]
        results: Option<String>,

        /// How much of the code is covered, in per cent
        #[arg(long, short, value_name = "PERCENT")]
        coverage: Option<String>,
    },
    /// Commit the work on the current subtask
    Commit,
    /// Show how far the workflow is
    Status,
    /// End the workflow, everything being done
    Finalize,
    /// Give the workflow up; branch and commits stay
    Abort {
        /// Do not ask
        #[arg(long, short)]
        force: bool,
    },
}

#[derive(Debug, Serialize)]
struct Success<T> {
    success: bool,
    #[serde(flatten)]
    told: T,
}

/// Runs `autopilot`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let outcome = step(args, app, report);
    let Err(error) = outcome else { return Ok(()) };
    if !args.json {
        return Err(error);
    }
    report.error_json(&error);
    Err(Told.into())
}

fn step(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let home = workspace.environment.home.clone();
    let home = home
        .ok_or_else(|| advice("there is no home directory to keep the workflow in", "set HOME"))?;
    let place =
        Place { project: &workspace.project, store: &workspace.store, home: &home, now: app.now };
    match &args.step {
        StepCommand::Start { task_id, force, max_attempts } => {
            let request = start_request(task_id, *force, *max_attempts, &workspace)?;
            let started = autopilot::start(place, &request);
            args.tell(place, started, report, begun)
        }
        StepCommand::Resume => {
            args.tell(place, autopilot::resume(place), report, |it| it.message.to_owned())
        }
        StepCommand::Next => {
            let next = autopilot::next(place).map_err(explain)?;
            if args.json {
                report.json(&next);
            } else {
                print_next(&next, true, report);
            }
            Ok(())
        }
        StepCommand::Complete { results, coverage } => {
            let results = test_results(results.as_deref(), coverage.as_deref())?;
            let completed = autopilot::complete(place, results, NothingFails::Refuse);
            args.tell(place, completed, report, |it| it.message.clone())
        }
        StepCommand::Commit => {
            let committed = autopilot::commit(place, &Commit::default());
            let line = |it: &Committed| format!("{} {}", it.commit_hash, it.message);
            args.tell(place, committed, report, line)
        }
        StepCommand::Status => {
            match autopilot::status(place).map_err(explain)? {
                None => nothing_runs(args, report),
                // The one answer that does not say that it succeeded.
                Some(status) if args.json => report.json(&status),
                Some(status) => print_status(&status, args.verbose, report),
            }
            Ok(())
        }
        StepCommand::Finalize => finalize(args, place, report),
        StepCommand::Abort { force } => abort(args, *force, place, report),
    }
}

impl Args {
    /// Prints what a step came to, and what comes next.
    fn tell<T: Serialize>(
        &self,
        place: Place<'_>,
        told: Result<T, AutopilotError>,
        report: &mut Report,
        line: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let told = told.map_err(explain)?;
        if self.json {
            report.json(&Success { success: true, told });
            return Ok(());
        }
        report.done(line(&told));
        print_next(&autopilot::next(place).map_err(explain)?, self.verbose, report);
        Ok(())
    }
}

fn begun(started: &Started) -> String {
    let branch =
        if started.is_new_branch { "a new branch" } else { "its branch, which was there already" };
    format!("Task {} is worked on, on {branch}", started.task_id)
}

/// What to try about a step that was not taken.
pub(crate) fn explain(error: AutopilotError) -> anyhow::Error {
    let hint = match error {
        AutopilotError::Store(error) => return app::explain(error),
        AutopilotError::NoWorkflow => "begin one with `task-master autopilot start TASK`",
        AutopilotError::Running { .. } => {
            "go on with `task-master autopilot next`, or give it up with `task-master autopilot \
             abort`; `start --force` does that at once"
        }
        AutopilotError::StillFailing { attempts, max_attempts, .. } => {
            if attempts < max_attempts {
                "mend the code, run the tests and report again"
            } else {
                "no attempts are left: have a person look at it; once all tests pass, report again"
            }
        }
        AutopilotError::NotATask { .. } => "name the task that it belongs to",
        AutopilotError::NoTask { .. } | AutopilotError::Status(_) => {
            "see which tasks there are with `task-master list`"
        }
        AutopilotError::Dirty { .. } => "commit or stash what has changed, new files included",
        AutopilotError::WrongBranch { .. } => "check the branch of the workflow out with git",
        AutopilotError::NothingToCommit => "write the test and the code first",
        AutopilotError::Step(ref error) => step_hint(error),
        AutopilotError::Git(ref error) => git_hint(error),
        AutopilotError::Session(ref error) => match error {
            SessionError::Busy => "try again when it has ended",
            SessionError::Damaged { .. } => {
                "give it up with `task-master autopilot abort`; a copy is kept"
            }
            SessionError::Unreadable { .. } | SessionError::Unwritable { .. } => {
                "see who owns it and what its permissions are"
            }
        },
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}

fn step_hint(error: &StepError) -> &'static str {
    match error {
        StepError::NoSubtasks { .. } => "divide it with `task-master expand --id=TASK`",
        StepError::AllDone { .. } => "see what is left with `task-master next`",
        StepError::NothingFails => "write a test that fails, or see that the tests were run at all",
        StepError::Unfinished { .. } => "see what comes next with `task-master autopilot next`",
        StepError::WrongPhase { action, .. } => match action {
            Action::GenerateTest | Action::ImplementCode => {
                "report the results of the tests with `task-master autopilot complete`"
            }
            Action::CommitChanges => "commit with `task-master autopilot commit`",
            Action::FinalizeWorkflow => "end it with `task-master autopilot finalize`",
            Action::WorkflowComplete => "begin another one with `task-master autopilot start TASK`",
        },
    }
}

fn git_hint(error: &GitError) -> &'static str {
    match error {
        GitError::Missing => "install git",
        GitError::NoRepository { .. } => "make it one with `git init` and a first commit",
        GitError::TimedOut { .. } => "see whether one of its hooks waits for something",
        GitError::Failed { .. } | GitError::Io(_) => {
            "nothing was committed; put right what git says, and do it again"
        }
    }
}

fn start_request(
    task: &str,
    replace: bool,
    max_attempts: u32,
    workspace: &Workspace,
) -> anyhow::Result<Start> {
    let task: TaskId = task.parse()?;
    Ok(Start { task, tag: workspace.tag(None), max_attempts, replace })
}

fn test_results(results: Option<&str>, coverage: Option<&str>) -> anyhow::Result<TestResults> {
    const HINT: &str =
        r#"give them as in --results '{"total":3,"passed":2,"failed":1,"skipped":0}'"#;
    let results = results.ok_or_else(|| advice("there are no test results", HINT))?;
    let parsed = serde_json::from_str(results)
        .map_err(|it| anyhow::Error::new(it).context(advice("these are no test results", HINT)))?;
    let mut parsed: TestResults = parsed;
    if let Some(coverage) = coverage {
        let percent = coverage.trim_end_matches('%').parse().ok();
        let percent = percent.filter(|it| (0.0..=100.0).contains(it));
        parsed.coverage = Some(percent.ok_or_else(|| {
            advice(format!("`{coverage}` is no coverage"), "give a number from 0 to 100")
        })?);
    }
    Ok(parsed)
}

fn finalize(args: &Args, place: Place<'_>, report: &mut Report) -> anyhow::Result<()> {
    let finalized = autopilot::finalize(place).map_err(explain)?;
    if args.json {
        report.json(&Success { success: true, told: finalized });
    } else {
        report.done(format!("Task {} is done", finalized.status.position.task_id));
        report.line(finalized.next_steps);
    }
    Ok(())
}

fn abort(args: &Args, force: bool, place: Place<'_>, report: &mut Report) -> anyhow::Result<()> {
    if !force && !args.json && report.is_interactive() {
        let running = autopilot::status(place).ok().flatten();
        if running.is_some() && !report.ask("Give the workflow up?", false) {
            report.line("It goes on.");
            return Ok(());
        }
    }
    match autopilot::abort(place).map_err(explain)? {
        None => nothing_runs(args, report),
        Some(aborted) if args.json => report.json(&Success { success: true, told: aborted }),
        Some(aborted) => {
            report.done(aborted.message);
            report.line(Text::styled(DIM, aborted.note));
        }
    }
    Ok(())
}

fn nothing_runs(args: &Args, report: &mut Report) {
    let message = "No active workflow";
    if args.json {
        report.json(&json!({ "active": false, "message": message }));
    } else {
        report.line(format!("{message}."));
        report.suggest("task-master autopilot start TASK", "begin one");
    }
}

fn print_next(next: &Next, with_steps: bool, report: &mut Report) {
    let columns = report.columns().unwrap_or(LINE_MAX).min(LINE_MAX);
    if let Some(subtask) = &next.subtask {
        let phase = next.tdd_phase.map_or_else(|| next.phase.to_string(), |it| it.to_string());
        let title = format!("{}.{} {}", next.task_id, subtask.id, subtask.title);
        let line = Text::styled(DIM, &format!("{phase}  ")).and(BOLD, &title);
        report.line(line.fit(columns));
    }
    report.line(Text::styled(BOLD, "Next: ").and_text(next.description.into()));
    if with_steps {
        report.lines(Text::plain(&next.next_steps).wrap(columns));
    }
}

fn print_status(status: &WorkflowStatus, verbose: bool, report: &mut Report) {
    let position = &status.position;
    let progress = position.progress;
    report
        .line(Text::styled(BOLD, &format!("{} {}", position.task_id, status.metadata.task_title)));
    let phase =
        status.position.tdd_phase.map_or_else(|| position.phase.to_string(), |it| it.to_string());
    report.line(format!(
        "{phase} on {}, {} of {} subtasks done ({} %)",
        position.branch_name, progress.completed, progress.total, progress.percentage
    ));
    if let Some(current) = &position.current_subtask {
        report.line(format!(
            "Now {}.{} {}, attempt {} of {}",
            position.task_id,
            current.id,
            current.title,
            (current.attempts + 1).min(current.max_attempts),
            current.max_attempts
        ));
    }
    if verbose {
        for subtask in &status.subtasks {
            let state = serde_json::to_value(subtask.status).unwrap_or_default();
            let state = state.as_str().unwrap_or_default().to_owned();
            report
                .line(format!("  {}.{} {} ({state})", position.task_id, subtask.id, subtask.title));
        }
    }
    report.suggest("task-master autopilot next", "what to do now");
}

/// Long lines are hard to read, however wide the terminal is.
const LINE_MAX: usize = 100;
