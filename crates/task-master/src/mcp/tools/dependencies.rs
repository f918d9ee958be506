//! Tools for who waits for whom.

use serde_json::{Value, json};
use tm_tasks::{
    dependencies::{DependencyError, Issue, add_dependency, fix, remove_dependency, validate},
    document::Tag,
    id::TaskId,
};

use super::{FILE, PROJECT_ROOT, TAG, id_value};
use crate::mcp::{
    call::Call,
    envelope::Answer,
    parameter::Parameter,
    registry::{Effect, Tier, Tool},
};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "add_dependency",
        title: "Add Dependency",
        description: "Make a task wait for another.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: CHANGE,
        run: add,
    },
    Tool {
        name: "remove_dependency",
        title: "Remove Dependency",
        description: "Let a task wait no longer.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: CHANGE,
        run: remove,
    },
    Tool {
        name: "validate_dependencies",
        title: "Validate Dependencies",
        description: "Find dependencies that are missing, doubled or circular.",
        effect: Effect::Reads,
        tier: Tier::All,
        parameters: &[FILE, PROJECT_ROOT, TAG],
        run: check,
    },
    Tool {
        name: "fix_dependencies",
        title: "Fix Dependencies",
        description: "Remove the dependencies that validate_dependencies finds.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[FILE, PROJECT_ROOT, TAG],
        run: mend,
    },
];

const CHANGE: &[Parameter] = &[
    Parameter::text("id", "The task that waits").required(),
    Parameter::text("dependsOn", "What it waits for").required(),
    FILE,
    PROJECT_ROOT,
    TAG,
];

fn add(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let (id, on) = ids(call)?;
    let tag = call.tag().to_owned();
    let command = format!("add_dependency --id={id} --depends-on={on}");
    let change = call
        .workspace
        .change(&command, call.now(), |file| add_dependency(file, &tag, &id, &on))??;
    if !change.has_changed {
        call.report.note(&format!("task {id} waits for {on} already"));
    }
    let message = format!("Successfully added dependency: Task {id} now depends on {on}");
    answer(&message, &id, &on)
}

fn remove(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let (id, on) = ids(call)?;
    let tag = call.tag().to_owned();
    let command = format!("remove_dependency --id={id} --depends-on={on}");
    let change = call
        .workspace
        .change(&command, call.now(), |file| remove_dependency(file, &tag, &id, &on))??;
    if !change.has_changed {
        call.report.note(&format!("task {id} did not wait for {on}"));
    }
    let message = format!("Successfully removed dependency: Task {id} no longer depends on {on}");
    answer(&message, &id, &on)
}

fn ids(call: &Call<'_>) -> anyhow::Result<(TaskId, TaskId)> {
    Ok((call.arguments.required("id").parse()?, call.arguments.required("dependsOn").parse()?))
}

fn answer(message: &str, id: &TaskId, on: &TaskId) -> anyhow::Result<Answer> {
    Answer::new(&json!({
        "message": message,
        "taskId": id_value(id),
        "dependencyId": id_value(on),
    }))
}

/// What is wrong is in the answer: a list that nobody sees helps nobody.
fn check(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let file = call.workspace.read()?;
    let no_tag = || DependencyError::NoTag { tag: call.tag().to_owned() };
    let issues = validate(file.tag(call.tag()).map(Tag::tasks).ok_or_else(no_tag)?);
    let path = call.workspace.store.path().display().to_string();
    if issues.is_empty() {
        return Answer::new(&json!({
            "message": "Dependencies validated successfully",
            "tasksPath": path,
        }));
    }
    Answer::new(&json!({
        "message": format!("Dependencies with problems: {}", issues.len()),
        "tasksPath": path,
        "issues": issues.iter().map(told).collect::<Vec<_>>(),
    }))
}

fn mend(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let tag = call.tag().to_owned();
    let removed =
        call.workspace.change("fix_dependencies", call.now(), |file| fix(file, &tag))??;
    for issue in &removed {
        let Issue { task, dependency, problem } = issue;
        call.report.note(&format!("task {task} waits for {dependency} no longer: it {problem}"));
    }
    Answer::new(&json!({
        "message": "Dependencies fixed successfully",
        "tag": tag,
        "tasksPath": call.workspace.store.path().display().to_string(),
    }))
}

fn told(issue: &Issue) -> Value {
    json!({
        "taskId": issue.task.to_string(),
        "dependencyId": issue.dependency,
        "problem": issue.problem.to_string(),
    })
}
