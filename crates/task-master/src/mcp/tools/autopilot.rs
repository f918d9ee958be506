//! The tools of autopilot: a failing test, code that makes it pass, a commit, for each subtask.

use serde::Serialize;
use serde_json::json;
use tm_workflows::autopilot::{
    self, AutopilotError, Commit, Place, Start,
    machine::{Action, NothingFails},
    told::Position,
};

use super::PROJECT_ROOT;
use crate::{
    cli::autopilot::explain,
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::{Arguments, Parameter},
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "autopilot_start",
        title: "Start Autopilot Workflow",
        description: "Begin to work on a task by tests, on a branch of its own.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("taskId", "A task with subtasks").required(),
            PROJECT_ROOT,
            Parameter::number("maxAttempts", "Per subtask; 3 if left out"),
            Parameter::flag("force", "Give up the running workflow"),
        ],
        run: start,
    },
    Tool {
        name: "autopilot_resume",
        title: "Resume Autopilot Workflow",
        description: "Go on with the running workflow.",
        effect: Effect::Reads,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT],
        run: resume,
    },
    Tool {
        name: "autopilot_next",
        title: "Get Next Autopilot Action",
        description: "Say what to do next.",
        effect: Effect::Reads,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT],
        run: next,
    },
    Tool {
        name: "autopilot_status",
        title: "Get Autopilot Status",
        description: "Show how far the workflow is.",
        effect: Effect::Reads,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT],
        run: status,
    },
    Tool {
        name: "autopilot_complete_phase",
        title: "Complete Autopilot Phase",
        description: "Report test results: some must fail in RED, none in GREEN.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT, Parameter::object("testResults", RESULTS, "").required()],
        run: complete,
    },
    Tool {
        name: "autopilot_commit",
        title: "Commit Autopilot Changes",
        description: "Commit the current subtask's test and code.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            PROJECT_ROOT,
            Parameter::texts("files", "Only these"),
            Parameter::text("customMessage", "Instead of the generated message"),
        ],
        run: commit,
    },
    Tool {
        name: "autopilot_finalize",
        title: "Finalize Autopilot Workflow",
        description: "End the workflow when all subtasks are done.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT],
        run: finalize,
    },
    Tool {
        name: "autopilot_abort",
        title: "Abort Autopilot Workflow",
        description: "Give the workflow up; branch and commits stay.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT],
        run: abort,
    },
];

const RESULTS: &[Parameter] = &[
    Parameter::number("total", "").required(),
    Parameter::number("passed", "").required(),
    Parameter::number("failed", "").required(),
    Parameter::number("skipped", ""),
];

/// A step was made, and what comes next.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stepped {
    message: String,
    #[serde(flatten)]
    position: Position,
    next_action: Action,
    action_description: &'static str,
    next_steps: String,
}

/// What `autopilot_next` says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NextAction {
    action: Action,
    action_description: &'static str,
    #[serde(flatten)]
    position: Position,
    next_steps: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CommitMade {
    commit_message: String,
    commit_hash: String,
    is_complete: bool,
    #[serde(flatten)]
    stepped: Stepped,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GivenUp {
    message: &'static str,
    had_workflow: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

fn start(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let attempts = call.arguments.whole("maxAttempts").unwrap_or(3);
    let max_attempts = u32::try_from(attempts).ok().filter(|it| *it > 0).ok_or_else(|| {
        advice(format!("maxAttempts is {attempts}"), "Give a whole number from 1 on")
    })?;
    let request = Start {
        task: call.arguments.required("taskId").parse()?,
        tag: call.tag().to_owned(),
        max_attempts,
        replace: call.arguments.flag("force"),
    };
    answer(call, |place| {
        let started = autopilot::start(place, &request)?;
        stepped(place, format!("Workflow started for task {}", started.task_id))
    })
}

fn resume(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| stepped(place, autopilot::resume(place)?.message.to_owned()))
}

fn next(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| {
        let next = autopilot::next(place)?;
        Ok(NextAction {
            action: next.action,
            action_description: next.description,
            position: position(place)?,
            next_steps: next.next_steps,
        })
    })
}

fn status(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, position)
}

/// Where nothing fails, what the subtask asks for is there already: it is done.
fn complete(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let results = call.arguments.object("testResults");
    let number = |name| Arguments::whole(&results, name).unwrap_or(0);
    let results = serde_json::from_value(json!({
        "total": number("total"),
        "passed": number("passed"),
        "failed": number("failed"),
        "skipped": number("skipped"),
    }))?;
    answer(call, |place| {
        let completed = autopilot::complete(place, results, NothingFails::CompleteSubtask)?;
        let mut message = format!("Phase completed. Transitioned to {}", completed.next_phase);
        if completed.is_subtask_done {
            message = format!("{message}. {}", completed.message);
        }
        stepped(place, message)
    })
}

fn commit(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let files: Vec<String> = call.arguments.texts("files").into_iter().map(str::to_owned).collect();
    let request = Commit {
        files: (!files.is_empty()).then_some(files),
        message: call.arguments.text("customMessage").map(str::to_owned),
    };
    answer(call, |place| {
        let committed = autopilot::commit(place, &request)?;
        Ok(CommitMade {
            commit_message: committed.full_message,
            commit_hash: committed.commit_hash,
            is_complete: committed.is_last,
            stepped: stepped(place, "Commit created and workflow advanced".to_owned())?,
        })
    })
}

fn finalize(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| {
        let done = autopilot::finalize(place)?;
        Ok(Stepped {
            message: "Workflow completed successfully".to_owned(),
            position: done.status.position,
            next_action: done.next_action,
            action_description: autopilot::told::description(done.next_action),
            next_steps: done.next_steps,
        })
    })
}

/// Where no workflow is running, there is nothing to do, and that is no failure.
fn abort(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| {
        let aborted = autopilot::abort(place)?;
        let had_workflow = aborted.is_some();
        Ok(GivenUp {
            message: aborted.as_ref().map_or("No active workflow to abort", |it| it.message),
            had_workflow,
            note: aborted.as_ref().map(|it| it.note),
            task_id: aborted.as_ref().and_then(|it| it.task_id.clone()),
            branch_name: aborted.and_then(|it| it.branch_name),
        })
    })
}

fn stepped(place: Place<'_>, message: String) -> Result<Stepped, AutopilotError> {
    let next = autopilot::next(place)?;
    Ok(Stepped {
        message,
        position: position(place)?,
        next_action: next.action,
        action_description: next.description,
        next_steps: next.next_steps,
    })
}

/// What a client keeps of the workflow for long is left out: it can be asked for.
fn position(place: Place<'_>) -> Result<Position, AutopilotError> {
    autopilot::status(place)?.map(|it| it.position).ok_or(AutopilotError::NoWorkflow)
}

fn answer<T: Serialize>(
    call: &Call<'_>,
    step: impl FnOnce(Place<'_>) -> Result<T, AutopilotError>,
) -> anyhow::Result<Answer> {
    let workspace = call.workspace;
    let home = workspace.environment.home.as_deref();
    let home = home
        .ok_or_else(|| advice("there is no home directory to keep the workflow in", "Set HOME"))?;
    let place =
        Place { project: &workspace.project, store: &workspace.store, home, now: call.now() };
    Answer::new(&step(place).map_err(explain)?)
}
