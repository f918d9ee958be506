//! Tools in which a model writes about tasks that are there, or one more: `add_task`,
//! `expand_task`, `expand_all`, `update`, `update_task`, `update_subtask`.

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use tm_llm::chat::Usage;
use tm_tasks::{
    add::{self, TaskDraft},
    complexity::ComplexityReport,
    divide::Existing,
    id::TaskId,
    task::{Priority, Task},
};
use tm_workflows::{
    asking::Asking,
    plan::{
        add_task::{AddTask, add_task as write_task},
        change::{ChangeError, Place},
        expand::{Count, Expand, expand, expand_all as divide_all},
        update_subtask::update_subtask as note_subtask,
        update_task::{Updated, append_to_task, update_task as rewrite_task},
        update_tasks::update_tasks,
    },
};

use super::{
    FILE, PROJECT_ROOT, TAG,
    asking::{LOOKED_UP, PROMPT, ask, place, role},
    id_value,
};
use crate::{
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

const METADATA: Parameter = Parameter::text("metadata", "JSON object to merge into its metadata");

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "add_task",
        title: "Add Task",
        description: "Add a task: give prompt for a model to write it, or title and description.",
        effect: Effect::Adds,
        tier: Tier::Standard,
        parameters: &[
            Parameter::text("prompt", "What it is about"),
            Parameter::text("title", ""),
            Parameter::text("description", ""),
            Parameter::text("details", ""),
            Parameter::text("testStrategy", ""),
            Parameter::text("dependencies", "e.g. 1,3"),
            Parameter::text("priority", "high, medium or low"),
            FILE,
            PROJECT_ROOT,
            TAG,
            LOOKED_UP,
        ],
        run: add_task,
    },
    Tool {
        name: "expand_task",
        title: "Expand Task",
        description: "Divide a task into subtasks.",
        effect: Effect::Changes,
        tier: Tier::Core,
        parameters: &[
            Parameter::text("id", "").required(),
            Parameter::text("num", "How many subtasks, e.g. 5"),
            LOOKED_UP,
            PROMPT,
            FILE,
            PROJECT_ROOT,
            Parameter::flag("force", "Replace its subtasks"),
            TAG,
        ],
        run: expand_task,
    },
    Tool {
        name: "expand_all",
        title: "Expand All Tasks",
        description: "Divide all open tasks into subtasks.",
        effect: Effect::Changes,
        tier: Tier::Standard,
        parameters: &[
            Parameter::text("num", "How many subtasks each, e.g. 5"),
            LOOKED_UP,
            PROMPT,
            Parameter::flag("force", "Also those that have some"),
            FILE,
            ROOT,
            TAG,
        ],
        run: expand_all,
    },
    Tool {
        name: "update",
        title: "Update Tasks",
        description: "Rewrite all open tasks from one on after a change of plan.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("from", "The first task").required(),
            Parameter::text("prompt", "What has changed").required(),
            LOOKED_UP,
            FILE,
            ROOT,
            TAG,
        ],
        run: update,
    },
    Tool {
        name: "update_task",
        title: "Update Task",
        description: "Rewrite a task, or add a note to it.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("id", "").required(),
            Parameter::text("prompt", "What has changed"),
            LOOKED_UP,
            Parameter::flag("append", "Add a note instead"),
            METADATA,
            FILE,
            PROJECT_ROOT,
            TAG,
        ],
        run: update_task,
    },
    Tool {
        name: "update_subtask",
        title: "Update Subtask",
        description: "Add a dated note to a subtask.",
        effect: Effect::Changes,
        tier: Tier::Core,
        parameters: &[
            Parameter::text("id", "e.g. 3.1").required(),
            Parameter::text("prompt", "What to note"),
            LOOKED_UP,
            METADATA,
            FILE,
            PROJECT_ROOT,
            TAG,
        ],
        run: update_subtask,
    },
];

const ROOT: Parameter = Parameter::text("projectRoot", "Absolute path of the project");

fn add_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let arguments = call.arguments;
    let dependencies = dependencies(call);
    let priority = priority(call);
    if let Some(prompt) = arguments.text("prompt") {
        let request = AddTask { prompt: prompt.to_owned(), priority, dependencies };
        let place = place(call);
        let answered = ask(call, role(call), "add-task", async |asking| {
            write_task(asking, &place, &request).await
        })?;
        if let Some((id, title)) = &answered.value.twin {
            call.report.warn(&format!("task {id} has nearly the same title: {title}"));
        }
        let task = &answered.value.added.task;
        return added(task, &answered.telemetry, &call.tag_info()?);
    }
    let (Some(title), Some(description)) = (arguments.text("title"), arguments.text("description"))
    else {
        let message = "nothing says what the task is about";
        return Err(advice(message, "Pass prompt, or title and description").into());
    };
    let text = |name| arguments.text(name).unwrap_or_default().to_owned();
    let draft = TaskDraft {
        title: title.to_owned(),
        description: description.to_owned(),
        details: text("details"),
        test_strategy: text("testStrategy"),
        priority,
        dependencies,
    };
    let tag = call.tag().to_owned();
    let command = format!("add_task --title={title}");
    let done =
        call.workspace.change(&command, call.now(), |file| add::add_task(file, &tag, &draft))??;
    for id in &done.missing {
        call.report.warn(&format!("there is no task {id}; it is left out of the dependencies"));
    }
    added(&done.task, &Value::Null, &Value::Null)
}

fn added(task: &Task, telemetry: &Value, tag_info: &Value) -> anyhow::Result<Answer> {
    let id = task.id();
    Answer::new(&json!({
        "taskId": id_value(&id),
        "message": format!("Successfully added new task #{id}"),
        "telemetryData": telemetry,
        "tagInfo": tag_info,
    }))
}

fn dependencies(call: &mut Call<'_>) -> Vec<TaskId> {
    let (ids, errors) = TaskId::parse_each(call.arguments.text("dependencies").unwrap_or_default());
    for error in errors {
        call.report.warn(&format!("{error}; it is left out of the dependencies"));
    }
    ids
}

/// What nobody knows is the project's default.
fn priority(call: &mut Call<'_>) -> Priority {
    let default = call.workspace.config.globals().default_priority;
    let Some(text) = call.arguments.text("priority") else { return default };
    let priority = Priority::read(&text.to_ascii_lowercase());
    if let Priority::Other(text) = priority {
        call.report.warn(&format!("`{text}` is not a priority; the task gets {default}"));
        return default;
    }
    priority
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Expanded {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    task: Box<RawValue>,
    subtasks_added: usize,
    has_existing_subtasks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    telemetry_data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_info: Option<Value>,
}

/// Unlike the command, this refuses what is done, and leaves a task that is divided as it is.
fn expand_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let id: TaskId = call.arguments.required("id").parse()?;
    let request = request(call)?;
    let file = call.workspace.read()?;
    let tag = call.tag().to_owned();
    let task = file.tag(&tag).and_then(|it| it.find(&id));
    let task = task.ok_or_else(|| ChangeError::NoTask { id: id.clone(), tag })?;
    let status = task.status();
    if status.is_done() {
        return Err(ChangeError::Finished { id, status }.into());
    }
    let had = task.subtasks().len();
    if had > 0 && request.existing == Existing::Append {
        return Answer::new(&Expanded {
            message: Some(format!("Task {id} already has subtasks. Expansion skipped.")),
            task: raw(&task)?,
            subtasks_added: 0,
            has_existing_subtasks: true,
            telemetry_data: None,
            tag_info: None,
        });
    }
    let place = place(call);
    let answered = ask(call, role(call), "expand-task", async |asking| {
        expand(asking, &place, &id, &request).await
    })?;
    Answer::new(&Expanded {
        message: None,
        task: raw(&answered.value.task)?,
        subtasks_added: answered.value.added,
        has_existing_subtasks: answered.value.had > 0,
        telemetry_data: Some(answered.telemetry),
        tag_info: Some(call.tag_info()?),
    })
}

fn expand_all(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let request = request(call)?;
    let place = place(call);
    let answered = ask(call, role(call), "expand-all-tasks", async |asking| {
        divide_all(asking, &place, &request).await
    })?;
    let all = answered.value;
    for (id, error) in &all.failed {
        call.report.warn(&format!("task {id} was not divided: {error}"));
    }
    let (expanded, failed) = (all.expanded.len(), all.failed.len());
    // Tasks that have subtasks already are none of those that this is about.
    let message = format!(
        "Expand all operation completed. Expanded: {expanded}, Failed: {failed}, Skipped: 0"
    );
    Answer::new(&json!({
        "message": message,
        "details": {
            "expandedCount": expanded,
            "failedCount": failed,
            "skippedCount": 0,
            "tasksToExpand": expanded + failed,
        },
        "telemetryData": answered.telemetry,
    }))
}

/// How a call wants tasks to be divided.
fn request(call: &Call<'_>) -> anyhow::Result<Expand> {
    let default = call.workspace.config.globals().default_subtasks;
    let count = match call.arguments.text("num") {
        None => Count::Recommended { otherwise: usize::try_from(default).unwrap_or(5) },
        Some(number) => match number.parse() {
            Ok(0) => Count::Free,
            Ok(number) => Count::Exactly(number),
            Err(_) => {
                let message = format!("num is `{number}`");
                return Err(advice(message, "Give a whole number, such as 5").into());
            }
        },
    };
    let is_forced = call.arguments.flag("force");
    Ok(Expand {
        count,
        prompt: call.arguments.text("prompt").unwrap_or_default().to_owned(),
        existing: if is_forced { Existing::Replace } else { Existing::Append },
        report: ComplexityReport::find(&call.workspace.project.complexity_report(call.tag()))?,
    })
}

fn update(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let from: TaskId = call.arguments.required("from").parse()?;
    let prompt = call.arguments.required("prompt").to_owned();
    let place = place(call);
    let answered = ask(call, role(call), "update-tasks", async |asking| {
        update_tasks(asking, &place, &from, &prompt).await
    })?;
    for (id, reason) in &answered.value.failed {
        call.report.warn(&format!("task {id} stays as it was: {reason}"));
    }
    let updated = answered.value.changed.len();
    Answer::new(&json!({
        "message": format!("Successfully updated {updated} tasks."),
        "tasksPath": tasks_path(call),
        "updatedCount": updated,
        "telemetryData": answered.telemetry,
        "tagInfo": call.tag_info()?,
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskUpdate {
    message: String,
    task_id: String,
    tasks_path: String,
    use_research: bool,
    updated: bool,
    updated_task: Box<RawValue>,
    telemetry_data: Value,
    tag_info: Value,
}

fn update_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let id: TaskId = call.arguments.required("id").parse()?;
    let append = call.arguments.flag("append");
    let answered = words(call, &id, "update-task", async |asking, place, prompt| {
        let updated = if append {
            append_to_task(asking, &place, &id, &prompt).await
        } else {
            rewrite_task(asking, &place, &id, &prompt).await
        };
        match updated {
            Ok(updated) => Ok(Some(updated)),
            Err(ChangeError::Finished { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    })?;
    let updated = answered.0.filter(|it| it.is_changed);
    let Some(updated) = updated else {
        let message = format!("Task {id} was not updated (likely already completed).");
        return Answer::new(&json!({
            "message": message,
            "taskId": id.to_string(),
            "updated": false,
            "telemetryData": answered.1,
        }));
    };
    Answer::new(&TaskUpdate {
        message: format!("Successfully updated task with ID {id} based on the prompt"),
        task_id: id.to_string(),
        tasks_path: tasks_path(call),
        use_research: call.arguments.flag("research"),
        updated: true,
        updated_task: raw(&updated.task)?,
        tag_info: tag_info(call, &answered.1)?,
        telemetry_data: answered.1,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubtaskUpdate {
    message: String,
    subtask_id: String,
    parent_id: String,
    subtask: Box<RawValue>,
    tasks_path: String,
    use_research: bool,
    telemetry_data: Value,
    tag_info: Value,
}

fn update_subtask(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let id: TaskId = call.arguments.required("id").parse()?;
    if !id.is_subtask() {
        return Err(ChangeError::NotASubtask { id }.into());
    }
    let answered = words(call, &id, "update-subtask", async |asking, place, prompt| {
        note_subtask(asking, &place, &id, &prompt).await.map(Some)
    })?;
    let updated = answered.0.ok_or_else(|| ChangeError::NotASubtask { id: id.clone() })?;
    Answer::new(&SubtaskUpdate {
        message: format!("Successfully updated subtask with ID {id}"),
        subtask_id: id.to_string(),
        parent_id: id.parent().to_string(),
        subtask: raw(&updated.task)?,
        tasks_path: tasks_path(call),
        use_research: call.arguments.flag("research"),
        tag_info: tag_info(call, &answered.1)?,
        telemetry_data: answered.1,
    })
}

/// Has a model write what the prompt asks for, then merges the metadata that is given.
fn words(
    call: &mut Call<'_>,
    id: &TaskId,
    command: &str,
    work: impl AsyncFnOnce(Asking<'_>, Place, String) -> Result<Option<Updated>, ChangeError>,
) -> anyhow::Result<(Option<Updated>, Value)> {
    let metadata = metadata(call)?;
    let (mut updated, mut telemetry) = (None, Value::Null);
    if let Some(prompt) = call.arguments.text("prompt").map(str::to_owned) {
        let place = place(call);
        let answered =
            ask(call, role(call), command, async |asking| work(asking, place, prompt).await)?;
        (updated, telemetry) = (answered.value, answered.telemetry);
    } else if metadata.is_none() {
        return Err(advice("nothing says what has changed", "Pass prompt").into());
    }
    if let Some(members) = metadata {
        let tag = call.tag().to_owned();
        let no_task = || ChangeError::NoTask { id: id.clone(), tag: tag.clone() };
        let task = call.workspace.change(command, call.now(), |file| {
            let changed = file.tag_mut(&tag).and_then(|it| {
                it.change(id, |task| {
                    task.merge_metadata(&members);
                    task.clone()
                })
            });
            changed.ok_or_else(no_task)
        })??;
        updated = Some(Updated { task, is_changed: true, usage: Usage::default() });
    }
    Ok((updated, telemetry))
}

/// Shorter where no model was asked.
fn tag_info(call: &Call<'_>, telemetry: &Value) -> anyhow::Result<Value> {
    if telemetry.is_null() { Ok(json!({ "tag": call.tag() })) } else { call.tag_info() }
}

/// The metadata that a call gives, if it may.
fn metadata(call: &Call<'_>) -> anyhow::Result<Option<Map<String, Value>>> {
    let Some(text) = call.arguments.text("metadata") else { return Ok(None) };
    let variable = "TASK_MASTER_ALLOW_METADATA_UPDATES";
    if call.workspace.environment.variable(variable) != Some("true") {
        let message = "metadata may not be changed here";
        return Err(advice(message, format!("Set {variable}=true to allow it")).into());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(Some(members)),
        Ok(_) | Err(_) => Err(advice("metadata is not a JSON object", "Pass one as text").into()),
    }
}

fn raw(task: &Task) -> anyhow::Result<Box<RawValue>> {
    Ok(RawValue::from_string(task.to_json())?)
}

fn tasks_path(call: &Call<'_>) -> String {
    call.workspace.store.path().display().to_string()
}
