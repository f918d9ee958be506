//! The names of tasks: `7`, or `7.2` for a subtask.
//!
//! Files hold ids as numbers, as strings, even as `2.0`; they are compared as text here, ordered
//! as numbers where they are numbers, and never rewritten. Start at [`TaskId`].

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr, sync::Arc};

use serde_json::{Value, json};

use crate::json;

/// Names a task, or a subtask within its task.
///
/// Every id of a list is asked for many times, so copies share their text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskId {
    task: Arc<str>,
    subtask: Option<Arc<str>>,
}

/// How a list of tasks spells its ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdSpelling {
    /// `7`
    #[default]
    Number,
    /// `"7"`
    Text,
}

/// A text that names no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a task id: give a number such as 3, or 3.1 for a subtask")]
pub struct IdError {
    pub text: String,
}

impl TaskId {
    /// The id of a top-level task.
    pub fn top(task: impl fmt::Display) -> Self {
        Self { task: task.to_string().into(), subtask: None }
    }

    /// The id of a subtask of this task.
    #[must_use]
    pub fn child(&self, subtask: impl fmt::Display) -> Self {
        Self { task: self.task.clone(), subtask: Some(subtask.to_string().into()) }
    }

    /// The id of the task that this is, or is a subtask of.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self { task: self.task.clone(), subtask: None }
    }

    /// The part before the dot.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The part after the dot, for a subtask.
    pub fn subtask(&self) -> Option<&str> {
        self.subtask.as_deref()
    }

    pub fn is_subtask(&self) -> bool {
        self.subtask.is_some()
    }

    /// The number of a top-level task whose id is one.
    pub fn number(&self) -> Option<u64> {
        if self.is_subtask() { None } else { self.task.parse().ok() }
    }

    /// Reads what a user typed: `3,4.1, 5`. Repeated ids are kept once.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, IdError> {
        let mut ids = Vec::new();
        for part in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let id = part.parse()?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.is_empty() { Err(IdError { text: text.to_owned() }) } else { Ok(ids) }
    }

    /// Reads what a user typed, and keeps apart what is no id in it. An empty text names nothing.
    pub fn parse_each(text: &str) -> (Vec<Self>, Vec<IdError>) {
        let mut ids = Vec::new();
        let mut errors = Vec::new();
        for part in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            match part.parse() {
                Ok(id) if ids.contains(&id) => {}
                Ok(id) => ids.push(id),
                Err(error) => errors.push(error),
            }
        }
        (ids, errors)
    }

    /// The id as a file has it: one with a dot, or with letters, is a text in any case.
    pub(crate) fn to_json(&self, spelling: IdSpelling) -> Value {
        match (spelling, self.number()) {
            (IdSpelling::Number, Some(number)) => json!(number),
            _ => json!(self.to_string()),
        }
    }

    /// A reference as a file spells it, for a subtask with the siblings that a bare one may name.
    pub(crate) fn from_reference(json_text: &str, siblings: Option<Siblings<'_>>) -> Option<Self> {
        let text = id_text(json_text)?;
        let id = |task: &str, subtask: Option<&str>| Self {
            task: task.into(),
            subtask: subtask.map(Into::into),
        };
        if let Some((task, subtask)) = text.rsplit_once('.') {
            return Some(id(task, Some(subtask)));
        }
        let is_text = json_text.starts_with('"');
        Some(match siblings.filter(|it| it.are_texts == is_text) {
            Some(siblings) => id(siblings.parent, Some(&text)),
            None => id(&text, None),
        })
    }
}

/// The subtasks beside a subtask. What is spelled as their ids are names one of them, what is
/// spelled otherwise names a task: beside subtask `2`, `1` is a sibling and `"1"` is a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Siblings<'a> {
    pub(crate) parent: &'a str,
    /// Their ids are `"1"`, as few files have them. Ids such as `"2.1"` go with numbers.
    pub(crate) are_texts: bool,
}

/// The id of a task or subtask of its own, as a file spells it.
///
/// Some files name a subtask `"2.1"` within task 2: only the last part counts there.
pub(crate) fn own_id(json_text: Option<&str>, parent: Option<&str>) -> TaskId {
    let text = json_text.and_then(id_text).unwrap_or_default();
    let last = || text.rsplit_once('.').map_or(&*text, |(_, last)| last);
    match parent {
        None => TaskId { task: (&*text).into(), subtask: None },
        Some(parent) => TaskId { task: parent.into(), subtask: Some(last().into()) },
    }
}

impl FromStr for TaskId {
    type Err = IdError;

    /// Digits, or digits with a dot in between; also `ABC-12`, as hosted trackers number tasks.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError { text: text.to_owned() };
        let trimmed = text.trim();
        let (task, subtask) = match trimmed.split_once('.') {
            Some((task, subtask)) => (task, Some(subtask)),
            None => (trimmed, None),
        };
        let subtask = subtask.map(|it| whole_number(it).ok_or_else(error)).transpose()?;
        let task = whole_number(task).or_else(|| tracker_id(task)).ok_or_else(error)?;
        Ok(Self { task: task.into(), subtask: subtask.map(Into::into) })
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subtask {
            None => f.write_str(&self.task),
            Some(subtask) => write!(f, "{}.{subtask}", self.task),
        }
    }
}

impl Ord for TaskId {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_parts(&self.task, &other.task).then_with(|| match (&self.subtask, &other.subtask) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(another)) => compare_parts(one, another),
        })
    }
}

impl PartialOrd for TaskId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers by value and before words; `07` right after `7`.
fn compare_parts(one: &str, another: &str) -> Ordering {
    fn key(part: &str) -> (bool, usize, &str, &str) {
        if part.bytes().all(|it| it.is_ascii_digit()) {
            let digits = part.trim_start_matches('0');
            (false, digits.len(), digits, part)
        } else {
            (true, 0, part, part)
        }
    }
    key(one).cmp(&key(another))
}

fn whole_number(text: &str) -> Option<String> {
    if text.is_empty() || !text.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let digits = text.trim_start_matches('0');
    Some(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() })
}

fn tracker_id(text: &str) -> Option<String> {
    let (letters, digits) = text.split_at_checked(3)?;
    let number = whole_number(digits.strip_prefix('-').unwrap_or(digits))?;
    let is_prefix = letters.bytes().all(|it| it.is_ascii_alphabetic());
    is_prefix.then(|| format!("{}-{number}", letters.to_ascii_uppercase()))
}

impl IdSpelling {
    /// How the text of an id in JSON is spelled.
    pub(crate) fn of(json_text: &str) -> Self {
        if json_text.starts_with('"') { Self::Text } else { Self::Number }
    }
}

/// The text of an id in JSON: `7`, `7.0`, `7e0` and `"7"` are all the same one.
fn id_text(json_text: &str) -> Option<Cow<'_, str>> {
    if json_text.bytes().all(|it| it.is_ascii_digit()) {
        return Some(json_text.into());
    }
    if let Some(text) = json::unquote(json_text) {
        let text = text.trim();
        return (!text.is_empty()).then(|| text.to_owned().into());
    }
    let number: f64 = json_text.parse().ok()?;
    number.is_finite().then(|| number.to_string().into())
}

#[cfg(test)]
mod tests;
