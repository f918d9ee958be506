//! `set_task_status`: says what tasks are up to.

use serde_json::{Value, json};
use tm_tasks::{
    id::TaskId,
    status::{SetStatusError, Status, StatusChange, set_status},
    store::StoreError,
};

use super::{PROJECT_ROOT, TAG};
use crate::{
    app::explain,
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "set_task_status",
    title: "Set Task Status",
    description: "Set the status of tasks or subtasks.",
    effect: Effect::Changes,
    tier: Tier::Core,
    parameters: &[
        Parameter::text("id", "e.g. 3, 3.1, or 3,4.1").required(),
        Parameter::one_of("status", STATUSES, "").required(),
        PROJECT_ROOT,
        TAG,
    ],
    run: set_task_status,
}];

const STATUSES: &[&str] =
    &["pending", "done", "in-progress", "review", "deferred", "cancelled", "blocked"];

/// The tasks before the first that does not exist are changed; the error names it.
fn set_task_status(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let ids = TaskId::parse_list(call.arguments.required("id"))?;
    let status: Status = call.arguments.required("status").parse()?;
    let command = format!("set_task_status --id={} --status={status}", join(&ids));
    let (tag, now) = (call.tag(), call.now());
    let (changes, failure) = call
        .workspace
        .store
        .commit_progress(&command, now, |file| {
            let mut changes: Vec<StatusChange> = Vec::new();
            for id in &ids {
                match set_status(file, tag, id, &status, now) {
                    Ok(change) => changes.push(change),
                    Err(error) => return Ok::<_, StoreError>((changes, Some(error))),
                }
            }
            Ok((changes, None))
        })
        .map_err(explain)?;
    if let Some(error) = failure {
        return Err(failed(&changes, error));
    }
    let tasks: Vec<Value> = changes.iter().map(told).collect();
    let message = format!("Successfully updated {} task(s) to \"{status}\"", tasks.len());
    Answer::new(&json!({ "message": message, "tasks": tasks }))
}

fn told(change: &StatusChange) -> Value {
    json!({
        "success": true,
        "oldStatus": change.old.as_str(),
        "newStatus": change.new.as_str(),
        "taskId": change.id.to_string(),
    })
}

fn failed(changes: &[StatusChange], error: SetStatusError) -> anyhow::Error {
    let changed: Vec<TaskId> = changes.iter().map(|it| it.id.clone()).collect();
    let hint = if changed.is_empty() {
        "Nothing was changed".to_owned()
    } else {
        format!("{} was changed before that", join(&changed))
    };
    anyhow::Error::new(error).context(advice("Failed to set task status", hint))
}

fn join(ids: &[TaskId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
