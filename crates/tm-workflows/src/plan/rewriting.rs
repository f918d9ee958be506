//! Tasks that a model is asked to rewrite: what it is shown, what it is held to, what it said.
//!
//! A model is asked for as little as the change needs: a field that a small model need not repeat
//! is a field that it cannot spoil.

use serde::Deserialize;
use serde_json::{Value, json};
use tm_tasks::{
    id::TaskId,
    notes::split_notes,
    revise::{Revision, revise},
    status::Status,
    task::{Priority, Task},
};

use super::{
    expand::{Subtask, subtask_schema},
    number_or_text, one_of, task_id,
};
use crate::{
    asking::text,
    escalation::Grades,
    evaluate::grade,
    wording::{sentences, title},
};

/// Longest texts, in characters; more where a task's own are longer.
const TITLE_MAX: usize = 120;
const DESCRIPTION_MAX: usize = 400;
const DETAILS_MAX: usize = 1000;
const TEST_MAX: usize = 500;

/// What a text may grow by, and a title.
const GROWTH: usize = 300;
const TITLE_GROWTH: usize = 30;

/// The fields that are asked for beside title, description, details and test strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) status: bool,
    priority: bool,
    dependencies: bool,
    subtasks: bool,
}

/// A task as a model rewrote it; what it left out stays.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rewritten {
    pub(super) id: Option<Value>,
    /// Where it was asked: whether the change has to do with this task at all.
    pub(super) affected: Option<bool>,
    title: Option<String>,
    description: Option<String>,
    details: Option<String>,
    test_strategy: Option<String>,
    priority: Option<String>,
    status: Option<String>,
    dependencies: Option<Vec<Value>>,
    subtasks: Option<Vec<Subtask>>,
}

impl Asked {
    /// What a change in these words may be about. A large model is shown everything.
    pub(super) fn by(prompt: &str, whole_answers: bool) -> Self {
        let prompt = prompt.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|it| prompt.contains(it));
        Self {
            status: says(&["status"]),
            priority: whole_answers || says(&["priorit", "urgen"]),
            dependencies: whole_answers || says(&["depend"]),
            subtasks: whole_answers || says(&["subtask"]),
        }
    }

    /// The task as the model sees it.
    pub(super) fn show(self, task: &Task) -> Value {
        let details = task.details().unwrap_or_default();
        let mut shown = json!({
            "id": number_or_text(&task.id()),
            "title": task.title(),
            "description": task.description(),
            "details": split_notes(&details).0,
            "testStrategy": task.test_strategy().unwrap_or_default(),
        });
        if self.status {
            shown["status"] = json!(task.status().as_str());
        }
        if self.priority {
            shown["priority"] = json!(task.priority().map(|it| it.as_str().to_owned()));
        }
        if self.dependencies {
            shown["dependencies"] =
                task.dependencies().iter().map(number_or_text).collect::<Vec<_>>().into();
        }
        if self.subtasks {
            shown["subtasks"] = task.subtasks().iter().map(show_subtask).collect::<Vec<_>>().into();
        }
        shown
    }

    /// What an answer about one of these tasks is held to. `all` is the list that they are from.
    pub(super) fn properties(self, tasks: &[Task], all: &[Task]) -> Value {
        let mut properties = json!({ "id": ids(tasks) });
        self.add_fields(&mut properties, tasks, all);
        properties
    }

    /// The same for an answer that says that the task is concerned.
    pub(super) fn properties_if_affected(self, tasks: &[Task], all: &[Task]) -> Value {
        let mut properties = json!({"id": ids(tasks), "affected": {"const": true}});
        self.add_fields(&mut properties, tasks, all);
        properties
    }

    /// The same for an answer that says no more than that it is not.
    #[expect(clippy::unused_self, reason = "it belongs to the two above")]
    pub(super) fn properties_unless_affected(self, tasks: &[Task]) -> Value {
        json!({"id": ids(tasks), "affected": {"const": false}})
    }

    fn add_fields(self, properties: &mut Value, tasks: &[Task], all: &[Task]) {
        let own = |of: fn(&Task) -> String| {
            tasks.iter().map(|it| of(it).chars().count()).max().unwrap_or_default()
        };
        properties["title"] = text(1, TITLE_MAX.max(own(Task::title) + TITLE_GROWTH));
        let longest = |of, most: usize| most.max(own(of) + GROWTH);
        properties["description"] = text(1, longest(Task::description, DESCRIPTION_MAX));
        properties["details"] = text(0, longest(details, DETAILS_MAX));
        properties["testStrategy"] = text(0, longest(test_strategy, TEST_MAX));
        if self.status {
            let statuses: Vec<&str> = Status::SETTABLE.iter().map(Status::as_str).collect();
            properties["status"] = json!({"type": "string", "enum": statuses});
        }
        if self.priority {
            let priorities = ["critical", "high", "medium", "low"];
            properties["priority"] = json!({"type": "string", "enum": priorities});
        }
        if self.dependencies {
            let ids: Vec<Value> = all.iter().map(|it| number_or_text(&it.id())).collect();
            properties["dependencies"] =
                json!({"type": "array", "items": one_of(&ids), "maxItems": 8});
        }
        let subtasks = tasks.iter().map(|it| it.subtasks().len()).max().unwrap_or_default();
        if self.subtasks && subtasks > 0 {
            let most = subtasks + 5;
            let id = json!({"type": "integer", "minimum": 1});
            properties["subtasks"] = json!({
                "type": "array",
                "items": subtask_schema(&id, most),
                "maxItems": most,
            });
        }
    }

    /// How long an answer about this task can get, in tokens.
    pub(super) fn max_tokens(self, task: &Task) -> u32 {
        let texts = [task.title(), task.description(), details(task), test_strategy(task)];
        let own: usize = texts.iter().map(|it| it.len() + GROWTH).sum();
        let subtasks = if self.subtasks { task.subtasks().len() * 350 } else { 0 };
        u32::try_from(own / 3 + 300 + subtasks).unwrap_or(u32::MAX)
    }
}

impl Rewritten {
    pub(super) fn names(&self) -> Option<TaskId> {
        task_id(self.id.as_ref()?)
    }

    /// What of it is put into the task. A status is taken only where it was asked for.
    pub(super) fn revision(self, asked: Asked) -> Revision {
        let status = self.status.filter(|_| asked.status);
        Revision {
            title: self.title.map(|it| title(&it, TITLE_MAX)),
            description: self.description.map(|it| sentences(&it, DESCRIPTION_MAX)),
            details: self.details.map(|it| split_notes(&it).0),
            test_strategy: self.test_strategy.map(|it| sentences(&it, TEST_MAX)),
            priority: self.priority.map(|it| Priority::read(&it)),
            status: status.and_then(|it| it.parse().ok()),
            dependencies: self.dependencies.map(|it| it.iter().filter_map(task_id).collect()),
            subtasks: self.subtasks.map(|it| it.into_iter().map(Subtask::draft).collect()),
        }
    }
}

/// How well a task is written once this is put into it.
pub(super) fn revised(task: &Task, revision: &Revision, tasks: &[Task]) -> Grades {
    let mut task = task.clone();
    revise(&mut task, revision, tasks);
    let texts = [task.title(), task.description(), details(&task), test_strategy(&task)];
    Grades::of([grade(texts.each_ref().map(String::as_str))])
}

fn ids(tasks: &[Task]) -> Value {
    let ids: Vec<Value> = tasks.iter().map(|it| number_or_text(&it.id())).collect();
    one_of(&ids)
}

fn details(task: &Task) -> String {
    task.details().unwrap_or_default()
}

fn test_strategy(task: &Task) -> String {
    task.test_strategy().unwrap_or_default()
}

fn show_subtask(subtask: &Task) -> Value {
    let number = subtask.id().subtask().and_then(|it| it.parse::<u64>().ok());
    json!({
        "id": number,
        "title": subtask.title(),
        "description": subtask.description(),
        "dependencies": subtask.dependencies().iter().filter_map(|it| it.subtask()?.parse::<u64>().ok()).collect::<Vec<_>>(),
        "details": split_notes(&subtask.details().unwrap_or_default()).0,
        "status": subtask.status().as_str(),
    })
}
