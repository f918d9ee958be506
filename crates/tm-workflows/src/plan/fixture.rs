//! A task file for tests of workflows, and a model that reads their questions.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tm_llm::chat::ChatRequest;
use tm_tasks::store::Store;
use tm_testkit::model::{Reply, ScriptedModel};

use super::change::Place;
pub(super) use crate::asking::fixture::asking;

pub(super) struct Fixture {
    folder: TempDir,
    pub(super) place: Place,
}

impl Fixture {
    /// A notes program: 1 done, 2 in progress with a finished and an open subtask, 3 and 4 open.
    pub(super) fn new() -> Self {
        Self::with(&json!({"master": {"tasks": [
            {"id": 1, "title": "Set up the store", "description": "SQLite", "status": "done",
             "dependencies": [], "priority": "high", "details": "Use WAL.", "testStrategy": "Open it.", "subtasks": []},
            {"id": 2, "title": "Search notes", "description": "Find notes by word", "status": "in-progress",
             "dependencies": [1], "priority": "high", "details": "Use FTS5.", "testStrategy": "Search.",
             "metadata": {"ticket": "X-1"}, "unknown": true,
             "subtasks": [
                {"id": 1, "title": "Index notes", "description": "An index", "status": "done", "dependencies": [], "details": "Fill it."},
                {"id": 2, "title": "Rank hits", "description": "Best first", "status": "pending", "dependencies": [1], "details": "Use bm25."},
             ]},
            {"id": 3, "title": "Export notes", "description": "One file a note", "status": "pending",
             "dependencies": [2], "priority": "medium", "details": "Write Markdown.", "testStrategy": "Export.", "subtasks": []},
            {"id": 4, "title": "Draw the logo", "description": "A pencil", "status": "pending",
             "dependencies": [], "priority": "low", "details": "", "testStrategy": "", "subtasks": []},
        ], "metadata": {"created": "2025-01-01T00:00:00.000Z"}}}))
    }

    pub(super) fn with(file: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tasks.json"), file.to_string()).unwrap();
        let store = Store::open(folder.path().join("tasks.json"), folder.path().join("journal"));
        Self { folder, place: Place { store, tag: "master".into() } }
    }

    /// The file as it is now.
    pub(super) fn text(&self) -> String {
        fs::read_to_string(self.folder.path().join("tasks.json")).unwrap()
    }

    /// A task of the tag, the first one being 1.
    pub(super) fn task(&self, number: usize) -> Value {
        let file: Value = serde_json::from_str(&self.text()).unwrap();
        file["master"]["tasks"][number - 1].clone()
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.place.store.history().unwrap().into_iter().map(|it| it.command).collect()
    }
}

pub(super) fn text(value: &Value) -> Reply {
    Reply::Text(value.to_string())
}

/// What the model is asked.
pub(super) fn words(request: &ChatRequest) -> &str {
    &request.messages[1].content
}

/// Every way in which a model can fail, one by one.
pub(super) fn faults() -> Vec<ScriptedModel> {
    let always = |reply: Reply| ScriptedModel::new(move |_| reply.clone());
    vec![
        always(Reply::Text(String::new())),
        always(Reply::Text("I would rather not.".into())),
        always(Reply::Text(r#"{"nothing": "here"}"#.into())),
        always(Reply::Text("[]".into())),
        always(Reply::Cut(r#"{"title": "Add"#.into())),
        always(Reply::Broken(r#"{"title": "Add"#.into())),
        always(Reply::Overflow),
    ]
}
