//! Tools that look: `get_tasks`, `get_task`, `next_task`.

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use tm_tasks::{
    document::Tag,
    graph::next_task_of_clients,
    id::TaskId,
    status::{self, Status},
    task::Task,
};

use super::{FILE, PROJECT_ROOT, TAG};
use crate::{
    cli::record::TaskRecord,
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_tasks",
        title: "Get Tasks",
        description: "List tasks with counts. Long lists: use fields, limit and offset.",
        effect: Effect::Reads,
        tier: Tier::Core,
        parameters: &[
            PROJECT_ROOT,
            Parameter::text("status", "Only these, e.g. pending,in-progress"),
            Parameter::flag("withSubtasks", "false leaves them out"),
            TAG,
            Parameter::text("fields", "Only these fields, e.g. title,status"),
            Parameter::whole("limit", 1, i64::MAX, "At most so many tasks"),
            Parameter::whole("offset", 0, i64::MAX, "Leave out so many first"),
        ],
        run: get_tasks,
    },
    Tool {
        name: "get_task",
        title: "Get Task",
        description: "Show all of one task, or of several.",
        effect: Effect::Reads,
        tier: Tier::Core,
        parameters: &[
            Parameter::text("id", "e.g. 3, a subtask 3.1, or 3,4.1").required(),
            Parameter::text("status", "Only subtasks of these"),
            PROJECT_ROOT,
            TAG,
        ],
        run: get_task,
    },
    Tool {
        name: "next_task",
        title: "Next Task",
        description: "Find the task to work on next.",
        effect: Effect::Reads,
        tier: Tier::Core,
        parameters: &[
            FILE,
            Parameter::text("complexityReport", "Another complexity report"),
            PROJECT_ROOT,
            TAG,
        ],
        run: next_task,
    },
];

#[derive(Serialize)]
struct Found<'a> {
    tasks: Vec<Box<RawValue>>,
    filter: &'a str,
    stats: Stats,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<Page>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    total: usize,
    completed: usize,
    in_progress: usize,
    pending: usize,
    blocked: usize,
    deferred: usize,
    cancelled: usize,
    review: usize,
    completion_percentage: Value,
    subtasks: SubtaskStats,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubtaskStats {
    total: usize,
    completed: usize,
    in_progress: usize,
    pending: usize,
    blocked: usize,
    deferred: usize,
    cancelled: usize,
    completion_percentage: Value,
}

/// Which of the tasks that were found are in the answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    offset: usize,
    returned: usize,
    matching: usize,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<usize>,
}

fn get_tasks(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let filter = call.arguments.text("status").unwrap_or("all");
    let statuses = status::read_filter(filter)?;
    let with_subtasks = call.arguments.choice("withSubtasks").unwrap_or(true);
    let file = call.read_annotated()?;
    let tasks = file.tag(call.tag()).map(Tag::tasks).unwrap_or_default();
    let found: Vec<&Task> =
        tasks.iter().filter(|it| statuses.is_empty() || statuses.contains(&it.status())).collect();
    let page = page(call, found.len());
    let (offset, returned) = page.as_ref().map_or((0, found.len()), |it| (it.offset, it.returned));
    let shown = found.iter().skip(offset).take(returned);
    let fields: Option<Vec<&str>> =
        call.arguments.text("fields").map(|it| it.split(',').map(str::trim).collect());
    let records = shown.map(|it| record(it, with_subtasks, fields.as_deref()));
    Answer::new(&Found {
        tasks: records.collect::<anyhow::Result<_>>()?,
        filter,
        stats: stats(tasks.len(), &found, with_subtasks),
        page,
    })
}

/// Nothing when all is wanted.
fn page(call: &Call<'_>, matching: usize) -> Option<Page> {
    let number = |name| call.arguments.whole(name).and_then(|it| usize::try_from(it).ok());
    let (limit, offset) = (number("limit"), number("offset"));
    if limit.is_none() && offset.is_none() {
        return None;
    }
    let offset = offset.unwrap_or(0).min(matching);
    let returned = limit.unwrap_or(matching).min(matching - offset);
    let end = offset + returned;
    let next_offset = (end < matching).then_some(end);
    Some(Page { offset, returned, matching, next_offset })
}

fn record(
    task: &Task,
    with_subtasks: bool,
    fields: Option<&[&str]>,
) -> anyhow::Result<Box<RawValue>> {
    let mut record = TaskRecord::new(task);
    if with_subtasks {
        record = record.with_subtasks(task.subtasks());
    }
    let Some(fields) = fields else {
        return Ok(serde_json::value::to_raw_value(&record)?);
    };
    let mut value = serde_json::to_value(&record)?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| name == "id" || fields.contains(&name.as_str()));
    }
    Ok(serde_json::value::to_raw_value(&value)?)
}

/// Of all tasks only the number counts those that the filter hides.
fn stats(total: usize, found: &[&Task], with_subtasks: bool) -> Stats {
    let tasks: Vec<Status> = found.iter().map(|it| it.status()).collect();
    let subtasks: Vec<Status> = if with_subtasks {
        found.iter().flat_map(|it| it.subtasks()).map(Task::status).collect()
    } else {
        Vec::new()
    };
    let count = |of: &[Status], status: &Status| of.iter().filter(|it| *it == status).count();
    let tasks_that = |status| count(&tasks, &status);
    let subtasks_that = |status| count(&subtasks, &status);
    Stats {
        total,
        completed: tasks_that(Status::Done),
        in_progress: tasks_that(Status::InProgress),
        pending: tasks_that(Status::Pending),
        blocked: tasks_that(Status::Blocked),
        deferred: tasks_that(Status::Deferred),
        cancelled: tasks_that(Status::Cancelled),
        review: tasks_that(Status::Review),
        completion_percentage: percentage(tasks_that(Status::Done), total),
        subtasks: SubtaskStats {
            total: subtasks.len(),
            completed: subtasks_that(Status::Done),
            in_progress: subtasks_that(Status::InProgress),
            pending: subtasks_that(Status::Pending),
            blocked: subtasks_that(Status::Blocked),
            deferred: subtasks_that(Status::Deferred),
            cancelled: subtasks_that(Status::Cancelled),
            completion_percentage: percentage(subtasks_that(Status::Done), subtasks.len()),
        },
    }
}

/// A whole number where it is one, as JavaScript prints it.
fn percentage(part: usize, whole: usize) -> Value {
    if whole == 0 {
        return json!(0);
    }
    if (part * 100).is_multiple_of(whole) {
        return json!(part * 100 / whole);
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 tasks")]
    let percentage = part as f64 / whole as f64 * 100.0;
    json!(percentage)
}

fn get_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let asked = call.arguments.required("id");
    let ids = TaskId::parse_list(asked)?;
    let statuses = status::read_filter(call.arguments.text("status").unwrap_or("all"))?;
    let file = call.read_annotated()?;
    let tag = file.tag(call.tag());
    let found: Vec<Box<RawValue>> = ids
        .iter()
        .filter_map(|it| tag?.find(it))
        .map(|it| Ok(RawValue::from_string(with_subtasks_of(it, &statuses).to_json())?))
        .collect::<anyhow::Result<_>>()?;
    match found.as_slice() {
        [] => {
            let message = format!("No tasks found for ID(s): {asked}");
            Err(advice(message, "See which tasks there are with get_tasks").into())
        }
        [task] if !asked.contains(',') => Answer::new(task),
        tasks => Answer::new(&tasks),
    }
}

/// The task, of its subtasks only those of these statuses.
fn with_subtasks_of(mut task: Task, statuses: &[Status]) -> Task {
    if !statuses.is_empty() && !task.subtasks().is_empty() {
        let kept: Vec<Task> =
            task.subtasks().iter().filter(|it| statuses.contains(&it.status())).cloned().collect();
        task.set_subtasks(&kept);
    }
    task
}

fn next_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let file = call.workspace.read()?;
    let tasks = file.tag(call.tag()).map(Tag::tasks).unwrap_or_default();
    let Some(next) = next_task_of_clients(tasks) else {
        let message = "No eligible next task found. All tasks are either completed or have \
                       unsatisfied dependencies";
        return Answer::new(&json!({ "message": message, "nextTask": null }));
    };
    let task = &next.task;
    let id = task.id();
    let mut shown: Map<String, Value> = Map::new();
    if id.is_subtask() {
        let dependencies: Vec<String> =
            task.dependencies().iter().map(ToString::to_string).collect();
        let parent = id.parent();
        shown.insert("id".to_owned(), json!(id.to_string()));
        shown.insert("title".to_owned(), json!(task.title()));
        shown.insert("status".to_owned(), json!(task.status().as_str()));
        shown.insert("priority".to_owned(), json!(next.priority.as_str()));
        shown.insert("dependencies".to_owned(), json!(dependencies));
        shown.insert(
            "parentId".to_owned(),
            parent.number().map_or_else(|| json!(parent.to_string()), Value::from),
        );
    } else {
        shown = serde_json::from_str(&task.to_json()).context("the task is no object")?;
    }
    let kind = if id.is_subtask() { "subtask" } else { "task" };
    let steps = format!(
        "Start with set_task_status (id {id}, in-progress), and set it to done when this {kind} \
         is finished. get_task shows all of it."
    );
    Answer::new(&json!({
        "nextTask": shown,
        "isSubtask": id.is_subtask(),
        "nextSteps": steps,
    }))
}
