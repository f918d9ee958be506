//! Tags: which there are, which one is current, and making, renaming, copying and removing them.
//!
//! The tags are in the task file; which one is current is remembered in the state, which follows
//! the task file. Start at [`Tags`].

use std::path::Path;

use serde_json::json;

use crate::{
    document::{MASTER, Tag, TagError, TaskFile},
    graph::Graph,
    state::State,
    status::Status,
    store::{Store, StoreError},
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

/// The tags of a project, to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Tags<'a> {
    pub store: &'a Store,
    pub state_file: &'a Path,
    /// The tag that commands work on when none is named.
    pub current: &'a str,
    pub now: Timestamp,
}

/// One tag, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSummary {
    pub name: String,
    pub is_current: bool,
    pub tasks: usize,
    /// How many tasks can be worked on now.
    pub ready: usize,
    pub done: usize,
    /// How many tasks are done or cancelled.
    pub complete: usize,
    /// In the order of the list.
    pub statuses: Vec<(Status, usize)>,
    pub subtasks: usize,
    pub subtask_statuses: Vec<(Status, usize)>,
    pub created: Option<String>,
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedTag {
    pub name: String,
    pub description: String,
    pub tasks_copied: usize,
    /// The tag that the tasks come from.
    pub source: Option<String>,
    /// The tag that they were to come from, which does not exist.
    pub missing_source: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedTag {
    pub name: String,
    pub previous: String,
    pub tasks: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedTag {
    pub name: String,
    pub tasks: usize,
    /// Master is current now.
    pub was_current: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedTag {
    pub old: String,
    pub new: String,
    pub tasks: usize,
    pub was_current: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTag {
    pub source: String,
    pub target: String,
    pub tasks: usize,
    pub description: String,
}

/// Why tags cannot be changed. Nothing has changed in any case.
#[derive(Debug, thiserror::Error)]
pub enum TagsError {
    #[error("there is no tag `{name}`")]
    NoTag { name: String },
    /// Another name has to be found.
    #[error(transparent)]
    Taken(#[from] TagError),
    #[error("`{name}` is no name for a tag: use letters, digits, `-` and `_`")]
    BadName { name: String },
    #[error("the name `{name}` is reserved")]
    Reserved { name: String },
    #[error("tag `{MASTER}` can be neither removed nor renamed")]
    Master,
    /// Another branch has to be checked out.
    #[error("branch `{branch}` is where branches start from: it gets no tag of its own")]
    TrunkBranch { branch: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every tag, the current one first, then by name.
pub fn summaries(file: &TaskFile, current: &str) -> Vec<TagSummary> {
    let mut summaries = file.map_tags(|it| TagSummary::new(it, it.name() == current));
    summaries.sort_by(|one, another| {
        another.is_current.cmp(&one.is_current).then_with(|| one.name.cmp(&another.name))
    });
    summaries
}

/// What the tag of a branch is called.
pub fn name_for_branch(branch: &str) -> Result<String, TagsError> {
    let trunks = ["main", "master", "develop", "dev", "head"];
    if trunks.contains(&branch.to_ascii_lowercase().as_str()) {
        return Err(TagsError::TrunkBranch { branch: branch.to_owned() });
    }
    let is_kept = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let words = branch.split(|it| !is_kept(it)).filter(|it| !it.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let name: String = name.chars().take(NAME_MAX).collect();
    let name = name.trim_end_matches('-');
    check_name(name).map(|()| name.to_owned())
}

impl Tags<'_> {
    /// Makes a tag with copies of the tasks of `source`, or without tasks. A source that does not
    /// exist has none.
    pub fn add(
        &self,
        name: &str,
        source: Option<&str>,
        description: Option<&str>,
    ) -> Result<AddedTag, TagsError> {
        check_name(name)?;
        let description = match description.filter(|it| !it.trim().is_empty()) {
            Some(description) => description.to_owned(),
            None => format!("Tag created on {}", self.day()),
        };
        self.store.commit(&format!("tags add {name}"), self.now, |file| {
            let found = source.and_then(|it| file.tag(it)).map(|it| it.tasks().to_vec());
            let tag = create(file, name, self.now)?;
            tag.set_metadata("description", &json!(description));
            let is_missing = found.is_none();
            let tasks = found.unwrap_or_default();
            let source = source.map(str::to_owned);
            let (source, missing_source) = if is_missing { (None, source) } else { (source, None) };
            let added = AddedTag {
                name: name.to_owned(),
                description,
                tasks_copied: tasks.len(),
                source,
                missing_source,
            };
            *tag.tasks_mut() = tasks;
            Ok(added)
        })
    }

    /// Makes a tag that is called after a branch, and remembers which branch it is for.
    pub fn add_for_branch(
        &self,
        branch: &str,
        source: Option<&str>,
        description: Option<&str>,
    ) -> Result<AddedTag, TagsError> {
        let name = name_for_branch(branch)?;
        let for_branch = format!("Tag created from git branch \"{branch}\"");
        let added = self.add(&name, source, description.or(Some(&for_branch)))?;
        State::change(self.state_file, self.now, |it| it.set_branch_tag(branch, &name))?;
        Ok(added)
    }

    /// Makes a tag the current one.
    pub fn switch(&self, name: &str) -> Result<UsedTag, TagsError> {
        let file = self.store.read()?;
        let tasks = file.tag(name).ok_or_else(|| no_tag(name))?.tasks().len();
        self.remember(name)?;
        Ok(UsedTag { name: name.to_owned(), previous: self.current.to_owned(), tasks })
    }

    /// Removes a tag with all of its tasks. Without it, master is current.
    pub fn remove(&self, name: &str) -> Result<RemovedTag, TagsError> {
        if name == MASTER {
            return Err(TagsError::Master);
        }
        let command = format!("tags remove {name}");
        let removed = self
            .store
            .commit(&command, self.now, |file| file.remove_tag(name).ok_or_else(|| no_tag(name)))?;
        let was_current = name == self.current;
        if was_current {
            self.remember(MASTER)?;
        }
        Ok(RemovedTag { name: name.to_owned(), tasks: removed.tasks().len(), was_current })
    }

    /// Gives a tag another name. It stays current when it is.
    pub fn rename(&self, old: &str, new: &str) -> Result<RenamedTag, TagsError> {
        if old == MASTER {
            return Err(TagsError::Master);
        }
        check_name(new)?;
        let command = format!("tags rename {old} {new}");
        let tasks = self.store.commit(&command, self.now, |file| {
            file.tag(old).ok_or_else(|| no_tag(old))?;
            file.rename_tag(old, new)?;
            let tag = file.tag_mut(new).ok_or_else(|| no_tag(new))?;
            let renamed = json!({ "from": old, "date": iso_millis(self.now) });
            tag.set_metadata("renamed", &renamed);
            Ok::<_, TagsError>(tag.tasks().len())
        })?;
        let was_current = old == self.current;
        if was_current {
            self.remember(new)?;
        }
        Ok(RenamedTag { old: old.to_owned(), new: new.to_owned(), tasks, was_current })
    }

    /// Makes a tag with copies of all tasks of another one.
    pub fn copy(
        &self,
        source: &str,
        target: &str,
        description: Option<&str>,
    ) -> Result<CopiedTag, TagsError> {
        check_name(target)?;
        let description = match description.filter(|it| !it.trim().is_empty()) {
            Some(description) => description.to_owned(),
            None => format!("Copy of \"{source}\" created on {}", self.day()),
        };
        let tasks =
            self.store.commit(&format!("tags copy {source} {target}"), self.now, |file| {
                let tasks = file.tag(source).ok_or_else(|| no_tag(source))?.tasks().to_vec();
                let tag = create(file, target, self.now)?;
                tag.set_metadata("description", &json!(description));
                let copied = json!({ "tag": source, "date": iso_millis(self.now) });
                tag.set_metadata("copiedFrom", &copied);
                *tag.tasks_mut() = tasks;
                Ok::<_, TagsError>(tag.tasks().len())
            })?;
        Ok(CopiedTag { source: source.to_owned(), target: target.to_owned(), tasks, description })
    }

    fn remember(&self, name: &str) -> Result<(), StoreError> {
        State::change(self.state_file, self.now, |it| {
            it.set_current_tag(name, self.now);
            // Whoever switches between tags need not be told that there are tags.
            it.set_migration_notice_shown();
        })
    }

    /// As descriptions in existing files have it.
    fn day(&self) -> String {
        self.now.strftime("%-m/%-d/%Y").to_string()
    }
}

impl TagSummary {
    fn new(tag: &Tag, is_current: bool) -> Self {
        let tasks = tag.tasks();
        let graph = Graph::new(tasks);
        let statuses: Vec<Status> = tasks.iter().map(Task::status).collect();
        let subtasks: Vec<Status> =
            tasks.iter().flat_map(Task::subtasks).map(Task::status).collect();
        Self {
            name: tag.name().to_owned(),
            is_current,
            tasks: tasks.len(),
            ready: tasks.iter().filter(|it| graph.is_ready(it)).count(),
            done: statuses.iter().filter(|it| it.is_done()).count(),
            complete: statuses.iter().filter(|it| it.is_complete()).count(),
            subtasks: subtasks.len(),
            statuses: counts(statuses),
            subtask_statuses: counts(subtasks),
            created: tag.metadata("created"),
            description: tag.metadata("description"),
        }
    }
}

/// The longest name that is made from a branch.
const NAME_MAX: usize = 50;

fn counts(statuses: Vec<Status>) -> Vec<(Status, usize)> {
    let mut counts: Vec<(Status, usize)> = Vec::new();
    for status in statuses {
        match counts.iter_mut().find(|it| it.0 == status) {
            Some((_, number)) => *number += 1,
            None => counts.push((status, 1)),
        }
    }
    counts
}

fn check_name(name: &str) -> Result<(), TagsError> {
    let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    if name.is_empty() || !name.chars().all(is_fine) {
        return Err(TagsError::BadName { name: name.to_owned() });
    }
    if [MASTER, "main", "default"].contains(&name.to_ascii_lowercase().as_str()) {
        return Err(TagsError::Reserved { name: name.to_owned() });
    }
    Ok(())
}

fn create<'a>(
    file: &'a mut TaskFile,
    name: &str,
    now: Timestamp,
) -> Result<&'a mut Tag, TagsError> {
    file.create_tag(name, now)?;
    file.tag_mut(name).ok_or_else(|| no_tag(name))
}

fn no_tag(name: &str) -> TagsError {
    TagsError::NoTag { name: name.to_owned() }
}

#[cfg(test)]
mod tests;
