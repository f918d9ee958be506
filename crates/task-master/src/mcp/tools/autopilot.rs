//! The tools of autopilot: a failing test, code that makes it pass, a commit, for each subtask.

use serde::Serialize;
use serde_json::json;
use tm_workflows::autopilot::{
    self, AutopilotError, Commit, Place, Start, machine::NothingFails, told::WorkflowStatus,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NextAction {
    action: autopilot::machine::Action,
    action_description: &'static str,
    #[serde(flatten)]
    status: WorkflowStatus,
    next_steps: String,
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
    answer(call, |place| autopilot::start(place, &request))
}

fn resume(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, autopilot::resume)
}

fn next(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| {
        let next = autopilot::next(place)?;
        Ok(NextAction {
            action: next.action,
            action_description: next.description,
            status: autopilot::status(place)?.ok_or(AutopilotError::NoWorkflow)?,
            next_steps: next.next_steps,
        })
    })
}

fn status(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| autopilot::status(place)?.ok_or(AutopilotError::NoWorkflow))
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
    answer(call, |place| autopilot::complete(place, results, NothingFails::CompleteSubtask))
}

fn commit(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let files: Vec<String> = call.arguments.texts("files").into_iter().map(str::to_owned).collect();
    let request = Commit {
        files: (!files.is_empty()).then_some(files),
        message: call.arguments.text("customMessage").map(str::to_owned),
    };
    answer(call, |place| autopilot::commit(place, &request))
}

fn finalize(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, autopilot::finalize)
}

fn abort(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    answer(call, |place| autopilot::abort(place)?.ok_or(AutopilotError::NoWorkflow))
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
