//! Tools that change the structure of a plan: `add_subtask`, `remove_task`, `remove_subtask`,
//! `clear_subtasks`, `move_task`.

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use tm_tasks::{
    add::{SubtaskDraft, add_subtask as add},
    document::{Tag, TaskFile},
    id::TaskId,
    relocate::{CrossTagMove, Links, Moved, make_subtask, make_tasks, move_tasks, move_to_tag},
    remove::{
        RemoveError, Whose, clear_subtasks as clear, delete_generated, remove_subtasks,
        remove_tasks,
    },
    status::Status,
    task::Task,
};

use super::{FILE, PROJECT_ROOT, TAG, id_value};
use crate::{
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

const SKIP_GENERATE: Parameter = Parameter::flag("skipGenerate", "No effect");

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "add_subtask",
        title: "Add Subtask",
        description: "Add a subtask: give title, or taskId to make a task one.",
        effect: Effect::Changes,
        tier: Tier::Standard,
        parameters: &[
            Parameter::text("id", "The task it is part of").required(),
            Parameter::text("taskId", "A task to make a subtask"),
            Parameter::text("title", ""),
            Parameter::text("description", ""),
            Parameter::text("details", ""),
            Parameter::text("status", "pending if left out"),
            Parameter::text("dependencies", "e.g. 1,3"),
            FILE,
            SKIP_GENERATE,
            PROJECT_ROOT,
            TAG,
        ],
        run: add_subtask,
    },
    Tool {
        name: "remove_task",
        title: "Remove Task",
        description: "Remove tasks or subtasks for good.",
        effect: Effect::Changes,
        tier: Tier::Standard,
        parameters: &[
            Parameter::text("id", "e.g. 3, 3.1, or 3,4.1").required(),
            FILE,
            PROJECT_ROOT,
            Parameter::flag("confirm", "No effect"),
            TAG,
        ],
        run: remove_task,
    },
    Tool {
        name: "remove_subtask",
        title: "Remove Subtask",
        description: "Remove a subtask, or make it a task.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("id", "e.g. 3.1").required(),
            Parameter::flag("convert", "Make it a task"),
            FILE,
            SKIP_GENERATE,
            PROJECT_ROOT,
            TAG,
        ],
        run: remove_subtask,
    },
    Tool {
        name: "clear_subtasks",
        title: "Clear Subtasks",
        description: "Remove all subtasks of tasks.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("id", "e.g. 3,4"),
            Parameter::flag("all", "Of every task"),
            FILE,
            PROJECT_ROOT,
            TAG,
        ],
        run: clear_subtasks,
    },
    Tool {
        name: "move_task",
        title: "Move Task",
        description: "Move tasks or subtasks to other ids, or tasks to another tag.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("from", "e.g. 3 or 3.1; several: 3,4").required(),
            Parameter::text("to", "An id for each"),
            FILE,
            PROJECT_ROOT,
            TAG,
            Parameter::text("fromTag", ""),
            Parameter::text("toTag", ""),
            Parameter::flag("withDependencies", "To another tag: move what they wait for, too"),
            Parameter::flag("ignoreDependencies", "To another tag: drop such dependencies"),
        ],
        run: move_task,
    },
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubtaskAdded {
    message: String,
    subtask: Box<RawValue>,
}

fn add_subtask(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let arguments = call.arguments;
    let parent: TaskId = arguments.required("id").parse()?;
    let (workspace, tag, now) = (call.workspace, call.tag().to_owned(), call.now());
    if let Some(task) = arguments.text("taskId") {
        let id: TaskId = task.parse()?;
        let command = format!("add_subtask --id={parent} --task-id={id}");
        let moved =
            workspace.change(&command, now, |file| make_subtask(file, &tag, &id, &parent))??;
        warn_of_loss(call, &moved);
        return Answer::new(&SubtaskAdded {
            message: format!("Task {id} successfully converted to a subtask of task {parent}"),
            subtask: raw(&moved.task)?,
        });
    }
    let Some(title) = arguments.text("title") else {
        let message = "nothing says what the subtask is";
        return Err(advice(message, "Pass title, or taskId").into());
    };
    let text = |name| arguments.text(name).unwrap_or_default().to_owned();
    let (dependencies, errors) = TaskId::parse_each(&text("dependencies"));
    let draft = SubtaskDraft {
        title: title.to_owned(),
        description: text("description"),
        details: text("details"),
        status: arguments.text("status").map_or(Ok(Status::Pending), str::parse)?,
        dependencies,
    };
    let command = format!("add_subtask --id={parent} --title={title}");
    let added = workspace.change(&command, now, |file| add(file, &tag, &parent, &draft))??;
    for error in errors {
        call.report.warn(&format!("{error}; it is left out of the dependencies"));
    }
    for id in &added.missing {
        call.report.warn(&format!("there is no task {id}; it is left out of the dependencies"));
    }
    Answer::new(&SubtaskAdded {
        message: format!("New subtask {} successfully created", added.subtask.id()),
        subtask: raw(&added.subtask)?,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TasksRemoved {
    total_tasks: usize,
    successful: usize,
    failed: usize,
    removed_tasks: Vec<Value>,
    message: String,
    tasks_path: String,
    tag: String,
}

/// All of them, or none when one does not exist: an agent that is wrong about one may be wrong
/// about the others.
fn remove_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let ids = TaskId::parse_list(call.arguments.required("id"))?;
    let (workspace, tag) = (call.workspace, call.tag().to_owned());
    let command = format!("remove_task --id={}", join(&ids));
    let removal = workspace.change(&command, call.now(), |file| {
        let removal = remove_tasks(file, &tag, &ids)?;
        match removal.missing.first() {
            None => Ok(removal),
            Some(id) => Err(RemoveError::NoTask { id: id.clone(), tag: tag.clone() }),
        }
    })??;
    let directory = workspace.project.directory().join("tasks");
    if let Err(error) = delete_generated(&directory, &tag, &removal.removed) {
        call.report.warn(&format!("a generated file is left in {}: {error}", directory.display()));
    }
    let lines = ids.iter().map(|id| {
        let kind = if id.is_subtask() { "subtask" } else { "task" };
        format!("Successfully removed {kind} {id} from tag '{tag}'")
    });
    Answer::new(&TasksRemoved {
        total_tasks: ids.len(),
        successful: ids.len(),
        failed: 0,
        removed_tasks: removal.removed.iter().map(as_it_was).collect::<anyhow::Result<_>>()?,
        message: lines.collect::<Vec<_>>().join("\n"),
        tasks_path: workspace.store.path().display().to_string(),
        tag: tag.clone(),
    })
}

/// A removed task; a subtask says whose it was.
fn as_it_was(task: &Task) -> anyhow::Result<Value> {
    let mut value: Value = serde_json::from_str(&task.to_json())?;
    let id = task.id();
    if let (true, Some(members)) = (id.is_subtask(), value.as_object_mut()) {
        members.insert("parentTaskId".to_owned(), id_value(&id.parent()));
    }
    Ok(value)
}

#[derive(Serialize)]
struct SubtaskRemoved {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Box<RawValue>>,
}

fn remove_subtask(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let id: TaskId = call.arguments.required("id").parse()?;
    let (workspace, tag, now) = (call.workspace, call.tag().to_owned(), call.now());
    let ids = [id.clone()];
    if call.arguments.flag("convert") {
        let command = format!("remove_subtask --id={id} --convert");
        let moved = workspace.change(&command, now, |file| make_tasks(file, &tag, &ids))??;
        let moved = moved.first().ok_or_else(|| RemoveError::NoSubtask { id: id.clone() })?;
        warn_of_loss(call, moved);
        return Answer::new(&SubtaskRemoved {
            message: format!("Subtask {id} successfully converted to task #{}", moved.to),
            task: Some(raw(&moved.task)?),
        });
    }
    let command = format!("remove_subtask --id={id}");
    workspace.change(&command, now, |file| remove_subtasks(file, &tag, &ids))??;
    let message = format!("Subtask {id} successfully removed");
    Answer::new(&SubtaskRemoved { message, task: None })
}

fn clear_subtasks(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let whose = match (call.arguments.flag("all"), call.arguments.text("id")) {
        (true, _) => Whose::All,
        (false, Some(ids)) => Whose::These(TaskId::parse_list(ids)?),
        (false, None) => {
            return Err(advice("no task is named", "Pass id, or all").into());
        }
    };
    let tag = call.tag().to_owned();
    let (removal, cleared) = call.workspace.change("clear_subtasks", call.now(), |file| {
        let removal = clear(file, &tag, &whose)?;
        Ok::<_, RemoveError>((removal, without_subtasks(file, &tag, &whose)))
    })??;
    match removal.missing.first() {
        Some(id) if cleared.is_empty() => {
            return Err(RemoveError::NoTask { id: id.clone(), tag }.into());
        }
        None if cleared.is_empty() => {
            let message = format!("there are no tasks in tag `{tag}`");
            return Err(advice(message, "Name another tag; see list_tags").into());
        }
        _ => {}
    }
    for id in &removal.missing {
        call.report.warn(&format!("there is no task {id} in tag `{tag}`"));
    }
    let number = cleared.len();
    Answer::new(&json!({
        "message": format!("Successfully cleared subtasks from {number} task(s) in tag '{tag}'"),
        "tasksCleared": cleared,
        "tag": tag,
    }))
}

/// Those that were meant, all of which have no subtasks now.
fn without_subtasks(file: &TaskFile, tag: &str, whose: &Whose) -> Vec<Value> {
    let is_meant = |it: &&Task| match whose {
        Whose::All => true,
        Whose::These(ids) => ids.contains(&it.id()),
    };
    let tasks = file.tag(tag).map(Tag::tasks).unwrap_or_default().iter();
    tasks
        .filter(is_meant)
        .map(|it| json!({ "id": id_value(&it.id()), "title": it.title() }))
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemMoved {
    message: String,
    moved_item: Box<RawValue>,
}

#[derive(Serialize)]
struct ItemsMoved {
    moves: Vec<ItemMoved>,
    message: String,
}

fn move_task(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let from = TaskId::parse_list(call.arguments.required("from"))?;
    let from_tag = call.arguments.text("fromTag").unwrap_or(call.tag()).to_owned();
    if let Some(to_tag) = call.arguments.text("toTag").filter(|it| *it != from_tag) {
        return move_across(call, from, from_tag, to_tag.to_owned());
    }
    let Some(to) = call.arguments.text("to") else {
        return Err(advice("nothing says where to move it", "Pass to, or toTag").into());
    };
    let to = TaskId::parse_list(to)?;
    // Lists of different lengths are told in other words, as clients know it from the original.
    let are_pairs = from.len() == to.len();
    // As many as there are pairs of.
    let pairs = from.len().min(to.len());
    let (from, to) = (from.get(..pairs).unwrap_or_default(), to.get(..pairs).unwrap_or_default());
    let command = format!("move_task --from={} --to={}", join(from), join(to));
    let results = call
        .workspace
        .change(&command, call.now(), |file| move_tasks(file, &from_tag, from, to))??;
    let is_list = call.arguments.required("from").contains(',');
    let (mut moves, mut failures) = (Vec::new(), Vec::new());
    for (from, to, result) in results {
        match result {
            Ok(moved) => {
                warn_of_loss(call, &moved);
                let kind = if from.is_subtask() { "subtask" } else { "task" };
                let message = if is_list && are_pairs {
                    format!("Moved {kind} {from} to new ID {to}")
                } else {
                    format!("Successfully moved task/subtask {from} to {to}")
                };
                moves.push(ItemMoved { message, moved_item: raw(&moved.task)? });
            }
            Err(error) => failures.push(format!("{from} stays where it is: {error}")),
        }
    }
    if !failures.is_empty() {
        let done: Vec<&str> = moves.iter().map(|it| it.message.as_str()).collect();
        let hint = format!("These were moved: {}", done.join(", "));
        return Err(advice(failures.join("; "), hint).into());
    }
    match moves.pop() {
        Some(only) if !is_list => Answer::new(&only),
        last => {
            moves.extend(last);
            let [from, to] = ["from", "to"].map(|it| call.arguments.text(it).unwrap_or_default());
            let message = if are_pairs {
                format!("Successfully moved task/subtask {from} to {to}")
            } else {
                format!("Successfully moved {} tasks", moves.len())
            };
            Answer::new(&ItemsMoved { moves, message })
        }
    }
}

fn move_across(
    call: &mut Call<'_>,
    ids: Vec<TaskId>,
    from_tag: String,
    to_tag: String,
) -> anyhow::Result<Answer> {
    let follow = call.arguments.flag("withDependencies");
    let ignore = call.arguments.flag("ignoreDependencies");
    let links = Links::from_options(follow, ignore)?;
    let command = format!("move_task --from={} --to-tag={to_tag}", join(&ids));
    let request = CrossTagMove { ids, from_tag, to_tag, links };
    let now = call.now();
    let moved = call.workspace.change(&command, now, |file| move_to_tag(file, &request, now))??;
    for link in &moved.left_behind {
        call.report.warn(&format!("{} does not wait for {} any more", link.task, link.dependency));
    }
    let CrossTagMove { from_tag, to_tag, .. } = &request;
    let tasks: Vec<Value> = moved
        .moved
        .iter()
        .map(|it| json!({ "id": it.id().to_string(), "fromTag": from_tag, "toTag": to_tag }))
        .collect();
    Answer::new(&json!({
        "message": format!(
            "Successfully moved {} task(s) from \"{from_tag}\" to \"{to_tag}\"", tasks.len()
        ),
        "movedTasks": tasks,
        "moveOptions": { "withDependencies": follow, "ignoreDependencies": ignore },
        "sourceTag": from_tag,
        "targetTag": to_tag,
    }))
}

fn warn_of_loss(call: &mut Call<'_>, moved: &Moved) {
    for link in &moved.lost {
        call.report.warn(&format!("{} does not wait for {} any more", link.task, link.dependency));
    }
    for subtask in &moved.lost_subtasks {
        call.report.warn(&format!("subtask {} is gone: {}", subtask.id(), subtask.title()));
    }
}

fn raw(task: &Task) -> anyhow::Result<Box<RawValue>> {
    Ok(RawValue::from_string(task.to_json())?)
}

fn join(ids: &[TaskId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
