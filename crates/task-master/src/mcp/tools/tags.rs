//! Tools for tags: lists of tasks side by side.

use serde_json::{Map, Value, json};
use tm_tasks::{
    document::MASTER,
    status::Status,
    tags::{TagSummary, Tags, TagsError, summaries},
};

use super::{FILE, PROJECT_ROOT};
use crate::{
    app::explain,
    git::current_branch,
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
};

const NAME: Parameter = Parameter::text("name", "").required();

const DESCRIPTION: Parameter = Parameter::text("description", "What it is for");

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "list_tags",
        title: "List Tags",
        description: "List tags and what their tasks are up to.",
        effect: Effect::Reads,
        tier: Tier::All,
        parameters: &[Parameter::flag("showMetadata", "Always shown"), FILE, PROJECT_ROOT],
        run: list_tags,
    },
    Tool {
        name: "add_tag",
        title: "Add Tag",
        description: "Add a tag, empty or with copies of tasks.",
        effect: Effect::Adds,
        tier: Tier::All,
        parameters: &[
            NAME,
            Parameter::flag("copyFromCurrent", "Copy the current tag's tasks"),
            Parameter::text("copyFromTag", "Copy this tag's tasks"),
            Parameter::flag("fromBranch", "Name it after the git branch"),
            DESCRIPTION,
            FILE,
            PROJECT_ROOT,
        ],
        run: add_tag,
    },
    Tool {
        name: "delete_tag",
        title: "Delete Tag",
        description: "Delete a tag with all of its tasks.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[NAME, Parameter::flag("yes", "Nothing is asked"), FILE, PROJECT_ROOT],
        run: delete_tag,
    },
    Tool {
        name: "use_tag",
        title: "Use Tag",
        description: "Make a tag the current one.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[NAME, FILE, PROJECT_ROOT],
        run: use_tag,
    },
    Tool {
        name: "rename_tag",
        title: "Rename Tag",
        description: "Give a tag another name.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("oldName", "").required(),
            Parameter::text("newName", "").required(),
            FILE,
            PROJECT_ROOT,
        ],
        run: rename_tag,
    },
    Tool {
        name: "copy_tag",
        title: "Copy Tag",
        description: "Copy a tag with all of its tasks.",
        effect: Effect::Adds,
        tier: Tier::All,
        parameters: &[
            Parameter::text("sourceName", "").required(),
            Parameter::text("targetName", "").required(),
            DESCRIPTION,
            FILE,
            PROJECT_ROOT,
        ],
        run: copy_tag,
    },
];

fn list_tags(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let file = call.workspace.read()?;
    let tags = summaries(&file, call.tag());
    Answer::new(&json!({
        "tags": tags.iter().map(told).collect::<Vec<_>>(),
        "currentTag": call.tag(),
        "totalTags": tags.len(),
        "message": format!("Found {} tag(s)", tags.len()),
    }))
}

fn told(tag: &TagSummary) -> Value {
    json!({
        "name": tag.name,
        "isCurrent": tag.is_current,
        "taskCount": tag.tasks,
        "completedTasks": tag.complete,
        "statusBreakdown": counts(&tag.statuses),
        "subtaskCounts": {
            "totalSubtasks": tag.subtasks,
            "subtasksByStatus": counts(&tag.subtask_statuses),
        },
        "created": tag.created,
        "description": tag.description,
    })
}

fn counts(counts: &[(Status, usize)]) -> Map<String, Value> {
    counts.iter().map(|(status, number)| (status.to_string(), Value::from(*number))).collect()
}

fn add_tag(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let description = call.arguments.text("description");
    let from_branch = call.arguments.flag("fromBranch");
    let current = call.arguments.flag("copyFromCurrent").then(|| call.tag().to_owned());
    let named = call.arguments.text("copyFromTag").map(str::to_owned);
    let source = named.or(current);
    let branch = from_branch.then(|| current_branch(call.workspace.project.root())).transpose()?;
    let added = change(call, |tags| match &branch {
        Some(branch) => tags.add_for_branch(branch, source.as_deref(), description),
        None => tags.add(call.arguments.required("name"), source.as_deref(), description),
    })?;
    if let Some(missing) = &added.missing_source {
        call.report
            .warn(&format!("there is no tag `{missing}` to copy from; the new one is empty"));
    }
    let message = format!("Successfully created tag \"{}\"", added.name);
    if let Some(branch) = branch {
        return Answer::new(&json!({
            "branchName": branch,
            "tagName": added.name,
            "created": true,
            "mappingUpdated": true,
            "message": format!("{message} from git branch \"{branch}\""),
        }));
    }
    Answer::new(&json!({
        "tagName": added.name,
        "created": true,
        "tasksCopied": added.tasks_copied,
        "sourceTag": added.source,
        "description": added.description,
        "message": message,
    }))
}

fn delete_tag(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let removed = change(call, |tags| tags.remove(call.arguments.required("name")))?;
    let current = if removed.was_current { MASTER } else { call.tag() };
    let answer = Answer::new(&json!({
        "tagName": removed.name,
        "deleted": true,
        "tasksDeleted": removed.tasks,
        "wasCurrentTag": removed.was_current,
        "switchedToMaster": removed.was_current,
        "message": format!("Successfully deleted tag \"{}\"", removed.name),
    }))?;
    Ok(answer.about_tag(current))
}

fn use_tag(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let used = change(call, |tags| tags.switch(call.arguments.required("name")))?;
    let answer = Answer::new(&json!({
        "tagName": used.name,
        "switched": true,
        "previousTag": used.previous,
        "taskCount": used.tasks,
        "message": format!("Successfully switched to tag \"{}\"", used.name),
    }))?;
    Ok(answer.about_tag(&used.name))
}

fn rename_tag(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let arguments = call.arguments;
    let renamed = change(call, |tags| {
        tags.rename(arguments.required("oldName"), arguments.required("newName"))
    })?;
    let current = if renamed.was_current { renamed.new.as_str() } else { call.tag() };
    let answer = Answer::new(&json!({
        "oldName": renamed.old,
        "newName": renamed.new,
        "renamed": true,
        "taskCount": renamed.tasks,
        "wasCurrentTag": renamed.was_current,
        "message": format!(
            "Successfully renamed tag from \"{}\" to \"{}\"", renamed.old, renamed.new
        ),
    }))?;
    Ok(answer.about_tag(current))
}

fn copy_tag(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let arguments = call.arguments;
    let copied = change(call, |tags| {
        let names = (arguments.required("sourceName"), arguments.required("targetName"));
        tags.copy(names.0, names.1, arguments.text("description"))
    })?;
    Answer::new(&json!({
        "sourceName": copied.source,
        "targetName": copied.target,
        "copied": true,
        "description": copied.description,
        "message": format!(
            "Successfully copied tag from \"{}\" to \"{}\"", copied.source, copied.target
        ),
    }))
}

fn change<T>(
    call: &Call<'_>,
    work: impl FnOnce(&Tags<'_>) -> Result<T, TagsError>,
) -> anyhow::Result<T> {
    let tags = Tags {
        store: &call.workspace.store,
        state_file: &call.workspace.project.state_file(),
        current: call.tag(),
        now: call.now(),
    };
    work(&tags).map_err(|error| {
        if let TagsError::Store(error) = error { explain(error) } else { error.into() }
    })
}
