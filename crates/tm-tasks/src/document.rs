//! What a task file says: tags and their tasks.
//!
//! Files come in several forms: tags by name, one list at the root (`{"tasks": […], "metadata":
//! {…}}`), a bare list. They go back in the one they came in, unless their tags are named. What is
//! not a tag stays where it is. Reading and writing files is the store's business. Start at [`TaskFile`].

use std::{
    collections::{HashMap, HashSet},
    str::Utf8Error,
    sync::Arc,
};

use serde_json::{Value, json};

use crate::{
    id::{IdSpelling, TaskId},
    json::{self, Layout, Parsed, Part, Record},
    status::Status,
    task::Task,
    threads,
    timestamp::{Timestamp, iso_millis},
};

use list::List;

mod list;

/// The tag that tasks without one belong to.
pub const MASTER: &str = "master";

/// A whole task file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFile {
    form: Form,
    entries: Vec<Entry>,
}

/// One list of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    name: String,
    /// All that belongs to the tag; the text of `tasks` in it is only a placeholder.
    fields: Record,
    list: List,
}

/// Why a text is no task file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 { line: usize },
    #[error("line {line} holds a merge conflict that was never resolved")]
    MergeConflict { line: usize },
    #[error("it is not valid JSON: line {line}, column {column}: {reason}")]
    Syntax { line: usize, column: usize, reason: String },
    #[error("it holds neither tags nor a list of tasks, but {found}")]
    NotTasks { found: &'static str },
}

/// Why a tag cannot be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("there is a tag `{name}` already")]
    Exists { name: String },
    #[error("the task file uses `{name}` for something that is not a tag")]
    NameTaken { name: String },
}

/// From so many bytes on a file is worth several threads.
const LONG: usize = 1 << 20;

/// What some editors begin a file with.
const BYTE_ORDER_MARK: char = '\u{feff}';

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Tagged,
    /// The file is one tag, and has its fields at the root.
    Root,
    /// The file is the list of one tag.
    Array,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Tag {
        key: Box<str>,
        tag: Tag,
    },
    /// Tasks at the root of a file that has tags, too.
    Root {
        key: Box<str>,
        tag: Tag,
    },
    Other {
        key: Box<str>,
        value: Box<str>,
    },
}

impl TaskFile {
    /// Reads the bytes of a file: a byte order mark and any line ends are fine, and an empty file
    /// has no tasks.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        match str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => Err(FormatError::not_utf8(bytes, error)),
        }
    }

    pub fn parse(text: impl Into<String>) -> Result<Self, FormatError> {
        Self::of_text(&Arc::new(text.into()))
    }

    /// Reads the text of a file, which is kept and not copied.
    pub(crate) fn of_text(text: &Arc<String>) -> Result<Self, FormatError> {
        if let Some(text) = text.strip_prefix(BYTE_ORDER_MARK) {
            return Self::parse(text);
        }
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parsed = Parsed::outline(Arc::clone(text)).map_err(|it| syntax_error(text, &it))?;
        let root = parsed.root();
        match root.text().bytes().next() {
            Some(b'{') => Ok(Self::from_object(root)),
            Some(b'[') => {
                let fields = Record::from_members([(r#""tasks""#, "[]")]);
                let tag = Tag { name: MASTER.to_owned(), fields, list: List::of(root) };
                Ok(Self { form: Form::Array, entries: vec![tag.into_entry()] })
            }
            Some(b'"') => Err(FormatError::NotTasks { found: "a text" }),
            _ => Err(FormatError::NotTasks { found: "a bare value" }),
        }
    }

    /// The file's text: two spaces a level and no line end at the end, as JavaScript prints it.
    pub fn to_text(&self) -> String {
        let mut layout = Layout::default();
        match (self.form, self.tags().next()) {
            (Form::Array, Some(tag)) => tag.list.lay_out(&mut layout),
            (Form::Root, Some(tag)) => tag.lay_out(&mut layout),
            (Form::Tagged | Form::Root | Form::Array, _) => self.lay_out_entries(&mut layout),
        }
        layout.into_text()
    }

    /// All tags in the file's order.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.entries.iter().filter_map(|it| match it {
            Entry::Tag { tag, .. } | Entry::Root { tag, .. } => Some(tag),
            Entry::Other { .. } => None,
        })
    }

    /// What `look` makes of each tag, in the file's order; of those of a large file at the same
    /// time.
    pub fn map_tags<'a, T: Send>(&'a self, look: impl Fn(&'a Tag) -> T + Sync) -> Vec<T> {
        let tags: Vec<&Tag> = self.tags().collect();
        if tags.iter().map(|it| it.list.text_len()).sum::<usize>() > LONG {
            threads::map(&tags, |it| look(it))
        } else {
            tags.into_iter().map(look).collect()
        }
    }

    pub fn tag(&self, name: &str) -> Option<&Tag> {
        self.tags().find(|it| it.name == name)
    }

    pub fn tag_mut(&mut self, name: &str) -> Option<&mut Tag> {
        let mut tags = self.entries.iter_mut().filter_map(|it| match it {
            Entry::Tag { tag, .. } | Entry::Root { tag, .. } => Some(tag),
            Entry::Other { .. } => None,
        });
        tags.find(|it| it.name == name)
    }

    /// The tag, created when there is none.
    pub fn tag_or_create(&mut self, name: &str, now: Timestamp) -> Result<&mut Tag, TagError> {
        if self.tag(name).is_none() {
            self.create_tag(name, now)?;
        }
        self.tag_mut(name).ok_or_else(|| TagError::NameTaken { name: name.to_owned() })
    }

    /// Adds an empty tag at the end. A file with one list at its root becomes a file with tags.
    pub fn create_tag(&mut self, name: &str, now: Timestamp) -> Result<(), TagError> {
        self.check_free(name)?;
        self.form = Form::Tagged;
        let mut fields = Record::default();
        fields.set("tasks", "[]");
        let mut tag = Tag { name: name.to_owned(), fields, list: List::default() };
        tag.describe(now);
        self.entries.push(tag.into_entry());
        Ok(())
    }

    /// Makes a file of a form without tags one with tags.
    pub(crate) fn name_tags(&mut self, now: Timestamp) {
        let is_one_tag = self.form != Form::Tagged;
        self.form = Form::Tagged;
        for entry in &mut self.entries {
            let tag = match entry {
                Entry::Root { tag, .. } => tag,
                Entry::Tag { tag, .. } if is_one_tag => tag,
                Entry::Tag { .. } | Entry::Other { .. } => continue,
            };
            if tag.fields.get("tasks").is_none() {
                tag.fields.set("tasks", "[]");
            }
            tag.describe(now);
            *entry = tag.clone().into_entry();
        }
    }

    /// Takes a tag out, and returns it.
    pub fn remove_tag(&mut self, name: &str) -> Option<Tag> {
        let is_it = |it: &Entry| match it {
            Entry::Tag { tag, .. } | Entry::Root { tag, .. } => tag.name == name,
            Entry::Other { .. } => false,
        };
        let place = self.entries.iter().position(is_it)?;
        match self.entries.remove(place) {
            Entry::Tag { tag, .. } | Entry::Root { tag, .. } => Some(tag),
            Entry::Other { .. } => None,
        }
    }

    /// Gives a tag another name, in its place among the others.
    pub fn rename_tag(&mut self, old: &str, new: &str) -> Result<(), TagError> {
        self.check_free(new)?;
        for entry in &mut self.entries {
            if let Entry::Tag { key, tag } = entry
                && tag.name == old
            {
                *key = json::encode(new).into();
                new.clone_into(&mut tag.name);
            }
        }
        Ok(())
    }

    /// Notes the time in every tag that is not as it was `before`.
    pub(crate) fn touch_changed(&mut self, before: &Self, now: Timestamp) {
        for entry in &mut self.entries {
            let (tag, is_root) = match entry {
                Entry::Tag { tag, .. } => (tag, self.form != Form::Tagged),
                Entry::Root { tag, .. } => (tag, true),
                Entry::Other { .. } => continue,
            };
            if before.tag(&tag.name) != Some(tag) {
                tag.touch(now, is_root);
            }
        }
    }

    fn check_free(&self, name: &str) -> Result<(), TagError> {
        if self.tag(name).is_some() {
            return Err(TagError::Exists { name: name.to_owned() });
        }
        let is_taken =
            |it: &Entry| matches!(it, Entry::Other { key, .. } if json::key_is(key, name));
        if self.entries.iter().any(is_taken) {
            return Err(TagError::NameTaken { name: name.to_owned() });
        }
        Ok(())
    }

    fn from_object(object: Part<'_>) -> Self {
        let root_tasks = list_of(object);
        let is_tagged = object.members().any(|it| list_of(it.1).is_some());
        if let Some(tasks) = root_tasks
            && !is_tagged
        {
            let tag = Tag::read(MASTER, object, tasks);
            return Self { form: Form::Root, entries: vec![tag.into_entry()] };
        }
        let mut file = Self::default();
        let mut places = HashMap::new();
        for (key, value) in object.members() {
            let entry = match (json::decode(key), list_of(value)) {
                (Some(name), Some(tasks)) => {
                    Entry::Tag { key: key.into(), tag: Tag::read(&name, value, tasks) }
                }
                _ => Entry::Other { key: key.into(), value: value.text().into() },
            };
            // Of members with the same name the last one counts, as in JavaScript.
            let place = *places.entry(json::decode(key)).or_insert(file.entries.len());
            match file.entries.get_mut(place) {
                Some(overruled) => *overruled = entry,
                None => file.entries.push(entry),
            }
        }
        if let Some(tasks) = root_tasks {
            file.adopt(List::of(tasks));
        }
        file
    }

    /// Tasks at the root beside tags belong to master.
    fn adopt(&mut self, list: List) {
        if list.tasks().is_empty() {
            return;
        }
        let is_root =
            |it: &Entry| matches!(it, Entry::Other { key, .. } if json::key_is(key, "tasks"));
        if let Some(master) = self.tag_mut(MASTER) {
            let known: HashSet<TaskId> = master.tasks().iter().map(Task::id).collect();
            let unknown = list.tasks().iter().filter(|it| !known.contains(&it.id()));
            master.tasks_mut().extend(unknown.cloned());
            self.entries.retain(|it| !is_root(it));
        } else if let Some(place) = self.entries.iter_mut().find(|it| is_root(it)) {
            let tag = Tag { name: MASTER.to_owned(), fields: Record::default(), list };
            *place = Entry::Root { key: r#""tasks""#.into(), tag };
        }
    }

    fn lay_out_entries(&self, layout: &mut Layout) {
        layout.push("{");
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                layout.push(",");
            }
            let (Entry::Tag { key, .. } | Entry::Root { key, .. } | Entry::Other { key, .. }) =
                entry;
            layout.push(key);
            layout.push(":");
            match entry {
                Entry::Tag { tag, .. } => tag.lay_out(layout),
                Entry::Root { tag, .. } => tag.list.lay_out(layout),
                Entry::Other { value, .. } => layout.push(value),
            }
        }
        layout.push("}");
    }
}

impl FormatError {
    pub(crate) fn not_utf8(bytes: &[u8], error: Utf8Error) -> Self {
        let valid = bytes.iter().take(error.valid_up_to());
        Self::NotUtf8 { line: 1 + valid.filter(|it| **it == b'\n').count() }
    }
}

impl Tag {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn tasks(&self) -> &[Task] {
        self.list.tasks()
    }

    pub fn tasks_mut(&mut self) -> &mut Vec<Task> {
        self.list.tasks_mut()
    }

    /// The task or subtask of this id; the first one where a file has several.
    pub fn find(&self, id: &TaskId) -> Option<Task> {
        let task = self.tasks().iter().find(|it| it.id() == id.parent())?;
        if id.is_subtask() {
            task.subtasks().iter().find(|it| it.id() == *id).cloned()
        } else {
            Some(task.clone())
        }
    }

    /// Changes the task or subtask of this id, and returns what `change` says; nothing where there
    /// is none.
    pub fn change<T>(&mut self, id: &TaskId, change: impl FnOnce(&mut Task) -> T) -> Option<T> {
        let task = self.tasks_mut().iter_mut().find(|it| it.id() == id.parent())?;
        if !id.is_subtask() {
            return Some(change(task));
        }
        let mut subtasks = task.subtasks().to_vec();
        let value = change(subtasks.iter_mut().find(|it| it.id() == *id)?);
        task.set_subtasks(&subtasks);
        Some(value)
    }

    /// The highest number that a task has for its id; 0 without tasks.
    pub fn highest_id(&self) -> u64 {
        self.tasks().iter().filter_map(|it| it.id().number()).max().unwrap_or(0)
    }

    /// How new ids are spelled, so that they look like those that are there.
    pub fn id_spelling(&self) -> IdSpelling {
        let last = self.tasks().iter().rev().find_map(|it| it.raw("id"));
        last.map(IdSpelling::of).unwrap_or_default()
    }

    /// A text in the tag's metadata, such as `description` or `created`.
    pub fn metadata(&self, field: &str) -> Option<String> {
        json::decode(Record::parse(self.fields.get("metadata")?)?.get(field)?)
    }

    /// Replaces one field of the tag's metadata, or adds it at the end.
    pub fn set_metadata(&mut self, field: &str, value: &Value) {
        let metadata = self.fields.get("metadata").and_then(Record::parse);
        let mut metadata = metadata.unwrap_or_default();
        metadata.set(field, value.to_string());
        self.fields.set("metadata", metadata.to_text());
    }

    fn read(name: &str, object: Part<'_>, tasks: Part<'_>) -> Self {
        let placeholders = object.members().map(|(key, value)| {
            (key, if json::key_is(key, "tasks") { "[]" } else { value.text() })
        });
        let fields = Record::from_members(placeholders);
        Self { name: name.to_owned(), fields, list: List::of(tasks) }
    }

    /// Adds what every tag says about itself, where it does not yet.
    fn describe(&mut self, now: Timestamp) {
        if self.fields.get("metadata").is_some_and(|it| it != "null" && Record::parse(it).is_none())
        {
            return;
        }
        let moment = json!(iso_millis(now));
        for (field, value) in [
            ("created", &moment),
            ("updated", &moment),
            ("description", &json!(format!("Tasks for {} context", self.name))),
        ] {
            if self.metadata(field).is_none() {
                self.set_metadata(field, value);
            }
        }
    }

    fn into_entry(self) -> Entry {
        Entry::Tag { key: json::encode(&self.name).into(), tag: self }
    }

    /// Other fields that count or date the tasks are kept right where a file has them.
    fn touch(&mut self, now: Timestamp, is_root: bool) {
        let metadata = match self.fields.get("metadata") {
            None | Some("null") if is_root => return,
            None | Some("null") => Some(Record::default()),
            Some(text) => Record::parse(text),
        };
        let Some(mut metadata) = metadata else { return };
        let moment = json::encode(&iso_millis(now));
        metadata.set("updated", moment.clone());
        let completed = self.tasks().iter().map(Task::status).filter(Status::is_done).count();
        for (field, value) in [
            ("lastModified", moment),
            ("taskCount", self.tasks().len().to_string()),
            ("completedCount", completed.to_string()),
        ] {
            if metadata.get(field).is_some() {
                metadata.set(field, value);
            }
        }
        self.fields.set("metadata", metadata.to_text());
    }

    fn lay_out(&self, layout: &mut Layout) {
        layout.push("{");
        for (index, (key, value)) in self.fields.iter().enumerate() {
            if index > 0 {
                layout.push(",");
            }
            layout.push(key);
            layout.push(":");
            if json::key_is(key, "tasks") {
                self.list.lay_out(layout);
            } else {
                layout.push(value);
            }
        }
        layout.push("}");
    }
}

/// A tag is an object with a list of tasks: this one.
fn list_of(object: Part<'_>) -> Option<Part<'_>> {
    object.member("tasks").filter(|it| it.is_array())
}

fn syntax_error(text: &str, error: &serde_json::Error) -> FormatError {
    let conflict = text.lines().position(|it| it.starts_with("<<<<<<< "));
    if let Some(index) = conflict {
        return FormatError::MergeConflict { line: index + 1 };
    }
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(&*message, |(reason, _)| reason);
    FormatError::Syntax { line: error.line(), column: error.column(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
