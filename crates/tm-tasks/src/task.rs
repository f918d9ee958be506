//! One task or subtask: a lenient view of what its file says about it.
//!
//! Reading never fails: what is missing or odd reads as empty and is listed by [`Task::faults`].
//! Setting a field replaces that field and nothing else. Which file the task is in is not known
//! here.

use std::{borrow::Cow, fmt, sync::OnceLock};

use serde_json::{Map, Value, json};

use crate::{
    id::{IdSpelling, Siblings, TaskId, own_id},
    json::{self, Layout, Parsed, Part, Record},
    status::Status,
};

/// A task, or a subtask of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    fields: Record,
    /// The element of the list, when it is not even an object.
    other: Option<Box<str>>,
    parent: Option<Box<str>>,
    read: Read,
}

/// What is asked of a task again and again, once somebody has asked: reading it every time would
/// take longer than reading the file. Says nothing that the fields do not say.
#[derive(Debug, Clone, Default)]
struct Read {
    id: OnceLock<TaskId>,
    status: OnceLock<Status>,
    dependencies: OnceLock<Vec<TaskId>>,
    subtasks: OnceLock<Vec<Task>>,
}

/// How urgent a task is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Priority {
    Critical,
    High,
    Medium,
    Low,
    /// What else a file says.
    Other(String),
}

/// What is wrong with a task as its file has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is not an object")]
    NotAnObject,
    #[error("{field} is required")]
    Required { field: &'static str },
    #[error("{field} is not {expected}")]
    WrongType { field: &'static str, expected: &'static str },
    #[error("invalid task status: {status}")]
    UnknownStatus { status: String },
    #[error("invalid task priority: {priority}")]
    UnknownPriority { priority: String },
}

/// Where a subtask may say which task it is a part of.
const PARENT_FIELDS: [&str; 2] = ["parentTaskId", "parentId"];

impl Task {
    /// A task of these fields, in this order.
    pub fn with_fields<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let mut record = Record::default();
        for (name, value) in fields {
            record.set(name, value.to_string());
        }
        Self { fields: record, other: None, parent: None, read: Read::default() }
    }

    /// Reads one element of a task list; with `parent`, one of that task's subtasks.
    pub(crate) fn parse(text: &str, parent: Option<&str>) -> Self {
        Self::of(Parsed::of_json(text.to_owned()).root(), parent)
    }

    /// The same for an element that is a part of a text.
    pub(crate) fn of(element: Part<'_>, parent: Option<&str>) -> Self {
        let fields = Record::of(element);
        let other = fields.is_none().then(|| element.text().into());
        Self {
            fields: fields.unwrap_or_default(),
            other,
            parent: parent.map(Into::into),
            read: Read::default(),
        }
    }

    /// `3`, or `3.1` for a subtask; the part that a file lacks is empty.
    pub fn id(&self) -> TaskId {
        self.read.id.get_or_init(|| own_id(self.raw("id"), self.parent.as_deref())).clone()
    }

    pub fn title(&self) -> String {
        self.text("title").unwrap_or_default()
    }

    pub fn description(&self) -> String {
        self.text("description").unwrap_or_default()
    }

    pub fn details(&self) -> Option<String> {
        self.text("details")
    }

    pub fn test_strategy(&self) -> Option<String> {
        self.text("testStrategy")
    }

    /// A task without a status is pending.
    pub fn status(&self) -> Status {
        let read = || self.said("status").map_or(Status::Pending, |it| Status::read(&it));
        self.read.status.get_or_init(read).clone()
    }

    pub fn priority(&self) -> Option<Priority> {
        self.said("priority").map(|it| Priority::read(&it))
    }

    /// What it waits for. A bare number in a subtask names its sibling.
    pub fn dependencies(&self) -> &[TaskId] {
        let read = || self.references().into_iter().filter_map(|it| it.1).collect();
        self.read.dependencies.get_or_init(read)
    }

    /// The elements of its list of dependencies as they are spelled, and what each of them names.
    pub(crate) fn references(&self) -> Vec<(&str, Option<TaskId>)> {
        let elements = self.fields.part("dependencies").into_iter().flat_map(Part::elements);
        let siblings = self.siblings();
        let texts = elements.map(Part::text);
        texts.map(|it| (it, TaskId::from_reference(it, siblings))).collect()
    }

    pub(crate) fn set_references(&mut self, spelled: &[String]) {
        let mut text = String::new();
        json::write_array(&mut text, spelled, |it, out| out.push_str(it));
        self.fields_mut().set("dependencies", text);
    }

    /// How this task's list of dependencies spells another task: `3` or `"3"`, as that one has it
    /// for its own id; `"3.1"` for a subtask. Within a subtask, where a bare number is a sibling,
    /// a task is `"3"`.
    pub fn reference_to(&self, other: &Self) -> Value {
        self.spell(&other.id(), other.raw("id").map(IdSpelling::of).unwrap_or_default())
    }

    /// How this task's list of dependencies spells an id, where tasks spell theirs like this.
    pub(crate) fn spell(&self, id: &TaskId, spelling: IdSpelling) -> Value {
        let spelling = match self.siblings() {
            Some(siblings) if siblings.are_texts => IdSpelling::Number,
            Some(_) => IdSpelling::Text,
            None => spelling,
        };
        id.to_json(spelling)
    }

    /// The id of one more subtask, and how the list spells it.
    pub(crate) fn next_subtask(&self) -> TaskId {
        let numbers =
            self.subtasks().iter().filter_map(|it| it.id().subtask()?.parse::<u64>().ok());
        self.id().child(numbers.max().unwrap_or(0) + 1)
    }

    /// How this task spells the id of a subtask: as the subtasks that are there do.
    pub(crate) fn spell_subtask(&self, id: &TaskId) -> Value {
        let own = id.subtask().unwrap_or_default();
        let last = self.subtasks().iter().rev().find_map(|it| it.raw("id"));
        match (last.and_then(json::decode), own.parse::<u64>()) {
            (Some(text), _) if text.contains('.') => json!(id.to_string()),
            (None, Ok(number)) => json!(number),
            (Some(_), _) | (None, Err(_)) => json!(own),
        }
    }

    /// Puts the task somewhere else: among the tasks, or among the subtasks of `parent`.
    ///
    /// What its list of dependencies says is another matter.
    pub(crate) fn settle(&mut self, parent: Option<&Self>, id: &Value) {
        self.set("id", id);
        let was_below = self.parent.is_some();
        self.parent = parent.map(|it| it.id().task().into());
        self.read = Read::default();
        for field in PARENT_FIELDS {
            match parent.and_then(|it| it.raw("id")) {
                None if was_below => self.remove(field),
                Some(id) if self.raw(field).is_some() => self.point_to_parent(field, id),
                None | Some(_) => {}
            }
        }
    }

    /// Lets the subtasks name the id that their task has by now.
    pub(crate) fn adopt_subtasks(&mut self) {
        let Some(id) = self.raw("id").map(str::to_owned) else { return };
        let mut subtasks = self.subtasks().to_vec();
        let mut has_changed = false;
        for subtask in &mut subtasks {
            for field in PARENT_FIELDS {
                if subtask.raw(field).is_some() {
                    subtask.point_to_parent(field, &id);
                    has_changed = true;
                }
            }
        }
        if has_changed {
            self.set_subtasks(&subtasks);
        }
    }

    fn point_to_parent(&mut self, field: &str, id: &str) {
        let is_text = self.raw(field).is_some_and(|it| it.starts_with('"'));
        let spelling = if is_text { IdSpelling::Text } else { IdSpelling::Number };
        let value = own_id(Some(id), None).to_json(spelling);
        self.set(field, &value);
    }

    fn siblings(&self) -> Option<Siblings<'_>> {
        let own = self.raw("id").and_then(json::decode);
        let are_texts = own.is_some_and(|it| !it.contains('.'));
        self.parent.as_deref().map(|parent| Siblings { parent, are_texts })
    }

    pub fn subtasks(&self) -> &[Self] {
        self.read.subtasks.get_or_init(|| {
            let id = self.id();
            let elements = self.fields.part("subtasks").into_iter().flat_map(Part::elements);
            elements.map(|it| Self::of(it, Some(id.task()))).collect()
        })
    }

    /// The text of any field: what a string says, a number or a truth value as it is spelled.
    pub fn text(&self, field: &str) -> Option<String> {
        self.said(field).map(Cow::into_owned)
    }

    fn said(&self, field: &str) -> Option<Cow<'_, str>> {
        let raw = self.raw(field)?;
        match raw.bytes().next()? {
            b'"' => json::unquote(raw),
            b'n' | b'[' | b'{' => None,
            _ => Some(raw.into()),
        }
    }

    /// The JSON of any field as the file spells it.
    pub fn raw(&self, field: &str) -> Option<&str> {
        self.fields.get(field)
    }

    /// All fields in the file's order, each with its JSON as the file spells it.
    pub fn fields(&self) -> impl Iterator<Item = (String, &str)> {
        self.fields.iter().map(|(key, value)| (json::decode(key).unwrap_or_default(), value))
    }

    /// The whole task as JSON, laid out like a task file.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        json::format(&text)
    }

    /// What a careful reader would complain about; empty for a sound task.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.other.is_some() {
            faults.push(Fault::NotAnObject);
            return faults;
        }
        let own = self.id();
        if own.subtask().unwrap_or_else(|| own.task()).is_empty() {
            faults.push(Fault::Required { field: "id" });
        }
        self.check_text("title", &mut faults);
        // Subtasks get by without a description and take the priority of their task.
        if self.parent.is_none() {
            self.check_text("description", &mut faults);
            match self.priority() {
                None => faults.push(Fault::Required { field: "priority" }),
                Some(Priority::Other(priority)) => faults.push(Fault::UnknownPriority { priority }),
                Some(Priority::Critical | Priority::High | Priority::Medium | Priority::Low) => {}
            }
        }
        match (self.said("status"), self.status()) {
            (None, _) => faults.push(Fault::Required { field: "status" }),
            (Some(_), Status::Other(status)) => faults.push(Fault::UnknownStatus { status }),
            (Some(_), _) => {}
        }
        for field in ["dependencies", "subtasks"] {
            if self.raw(field).is_some_and(|it| it != "null" && !it.starts_with('[')) {
                faults.push(Fault::WrongType { field, expected: "a list" });
            }
        }
        faults
    }

    pub fn set_status(&mut self, status: &Status) {
        self.set("status", &json!(status.as_str()));
    }

    pub fn set_subtasks(&mut self, subtasks: &[Self]) {
        let mut text = String::new();
        json::write_array(&mut text, subtasks, Self::write);
        self.fields_mut().set("subtasks", text);
    }

    /// Replaces one field, or adds it at the end.
    pub fn set(&mut self, field: &str, value: &Value) {
        self.fields_mut().set(field, value.to_string());
    }

    /// Sets several fields, each to this JSON.
    pub(crate) fn set_all(&mut self, fields: &[(&str, &str)]) {
        self.fields_mut().set_all(fields);
    }

    /// Puts these members into the task's own metadata; the others stay.
    pub fn merge_metadata(&mut self, members: &Map<String, Value>) {
        let there = self.raw("metadata").and_then(|it| serde_json::from_str(it).ok());
        let mut metadata: Map<String, Value> = there.unwrap_or_default();
        metadata.extend(members.clone());
        self.set("metadata", &Value::Object(metadata));
    }

    pub fn remove(&mut self, field: &str) {
        self.fields_mut().remove(field);
    }

    pub(crate) fn write(&self, out: &mut String) {
        match &self.other {
            None => self.fields.write(out),
            Some(text) => out.push_str(text),
        }
    }

    pub(crate) fn lay_out(&self, layout: &mut Layout) {
        match &self.other {
            None => self.fields.lay_out(layout),
            Some(text) => layout.push(text),
        }
    }

    fn check_text(&self, field: &'static str, faults: &mut Vec<Fault>) {
        match self.raw(field) {
            None | Some("null") => faults.push(Fault::Required { field }),
            Some(raw) if !raw.starts_with('"') => {
                faults.push(Fault::WrongType { field, expected: "a text" });
            }
            Some(_) if self.said(field).is_none_or(|it| it.trim().is_empty()) => {
                faults.push(Fault::Required { field });
            }
            Some(_) => {}
        }
    }

    /// What was no object becomes one when a field of it is set.
    fn fields_mut(&mut self) -> &mut Record {
        self.other = None;
        self.read = Read::default();
        &mut self.fields
    }
}

impl PartialEq for Read {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Read {}

impl Priority {
    pub fn read(text: &str) -> Self {
        match text {
            "critical" => Self::Critical,
            "high" => Self::High,
            "medium" => Self::Medium,
            "low" => Self::Low,
            other => Self::Other(other.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Other(text) => text,
        }
    }

    /// 4 for critical down to 1 for low; what nobody knows counts as medium.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Critical => 4,
            Self::High => 3,
            Self::Medium | Self::Other(_) => 2,
            Self::Low => 1,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
