//! Tasks as `list` and `next` give them to other programs.
//!
//! The shapes are those of the program that this one replaces: ids are strings, unknown fields
//! are left out. `show` gives tasks as their file has them instead.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::{RawValue, to_raw_value};
use tm_tasks::{
    graph::NextTask,
    task::{Priority, Task},
};

/// One task.
#[derive(Debug, Serialize)]
pub(crate) struct TaskRecord<'a> {
    id: String,
    title: String,
    description: String,
    status: String,
    priority: String,
    dependencies: Vec<String>,
    #[serde(flatten)]
    texts: Fields<'a>,
    subtasks: Vec<Box<RawValue>>,
    #[serde(flatten)]
    rest: Fields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<Vec<String>>,
    #[serde(rename = "tagName", skip_serializing_if = "Option::is_none")]
    tag_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

/// A subtask that is to be worked on next.
#[derive(Debug, Serialize)]
pub(crate) struct SubtaskRecord<'a> {
    id: String,
    title: String,
    status: String,
    priority: String,
    dependencies: Vec<String>,
    #[serde(rename = "parentId")]
    parent_id: String,
    #[serde(flatten)]
    texts: Fields<'a>,
    subtasks: [(); 0],
}

/// Members of an object, their values as they are spelled.
#[derive(Debug, Default)]
struct Fields<'a>(Vec<(String, Value<'a>)>);

#[derive(Debug)]
enum Value<'a> {
    Raw(&'a RawValue),
    Text(String),
}

impl<'a> TaskRecord<'a> {
    pub(crate) fn new(task: &'a Task) -> Self {
        Self {
            id: task.id().to_string(),
            title: task.title(),
            description: task.description(),
            status: task.status().to_string(),
            priority: task.priority().unwrap_or(Priority::Medium).to_string(),
            dependencies: strings(task),
            texts: Fields::of(task, &["details", "testStrategy"]),
            subtasks: Vec::new(),
            rest: Fields::of(task, REST),
            blocks: None,
            tag_name: None,
            faults: task.faults().iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn with_subtasks(mut self, subtasks: &[Task]) -> Self {
        let records = subtasks.iter().map(Fields::of_subtask);
        self.subtasks = records.filter_map(|it| to_raw_value(&it).ok()).collect();
        self
    }

    pub(crate) fn with_blocks(mut self, blocks: Vec<String>) -> Self {
        self.blocks = Some(blocks);
        self
    }

    pub(crate) fn with_tag_name(mut self, tag: &str) -> Self {
        self.tag_name = Some(tag.to_owned());
        self
    }
}

impl<'a> SubtaskRecord<'a> {
    pub(crate) fn new(next: &'a NextTask) -> Self {
        let task = &next.task;
        Self {
            id: task.id().to_string(),
            title: task.title(),
            status: task.status().to_string(),
            priority: next.priority.to_string(),
            dependencies: strings(task),
            parent_id: task.id().parent().to_string(),
            texts: Fields::of(task, &["description", "details"]),
            subtasks: [],
        }
    }
}

impl<'a> Fields<'a> {
    fn of(task: &'a Task, names: &[&str]) -> Self {
        let field = |name: &&str| {
            let raw = task.raw(name).filter(|it| *it != "null")?;
            Some(((*name).to_owned(), Value::Raw(serde_json::from_str(raw).ok()?)))
        };
        Self(names.iter().filter_map(field).collect())
    }

    /// All that a file says about a subtask, its id as a string.
    fn of_subtask(subtask: &'a Task) -> Self {
        let field = |(name, raw): (String, &'a str)| {
            let value = if name == "id" {
                Value::Text(subtask.text("id").unwrap_or_default())
            } else {
                Value::Raw(serde_json::from_str(raw).ok()?)
            };
            // The program that this one replaces writes this where it knows of no parent.
            let is_void = name == "parentId" && raw == r#""undefined""#;
            (!is_void).then_some((name, value))
        };
        Self(subtask.fields().filter_map(field).collect())
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match value {
                Value::Raw(raw) => map.serialize_entry(name, raw)?,
                Value::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

/// What is passed on where a task has it.
const REST: &[&str] = &[
    "createdAt",
    "updatedAt",
    "effort",
    "actualEffort",
    "tags",
    "assignee",
    "databaseId",
    "complexity",
    "recommendedSubtasks",
    "expansionPrompt",
    "complexityReasoning",
    "metadata",
];

fn strings(task: &Task) -> Vec<String> {
    task.dependencies().iter().map(ToString::to_string).collect()
}
