use serde_json::json;

use super::*;
use crate::document::TaskFile;

fn tasks() -> Vec<Task> {
    let text = json!({"master": {"tasks": [
        {"id": 1, "title": "Set up the database", "description": "SQLite holds all notes"},
        {"id": 2, "title": "Search notes", "description": "Find notes by word", "dependencies": [1]},
        {"id": 3, "title": "Export notes", "description": "One file a note", "dependencies": ["2"]},
        {"id": 4, "title": "Draw the logo", "description": "A pencil", "dependencies": [9, 4]},
    ]}});
    let file = TaskFile::parse(text.to_string()).unwrap();
    file.tag("master").unwrap().tasks().to_vec()
}

fn ids(tasks: &[&Task]) -> String {
    tasks.iter().map(|it| it.id().to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn tasks_that_share_rare_words_come_first_and_others_not_at_all() {
    let tasks = tasks();
    for (text, expected) in [
        ("Make searching faster", "2"),
        ("Move from SQLite to another database", "1"),
        ("A new logo", "4"),
        ("Export what a search found", "2 3"),
        ("Bake bread", ""),
        ("", ""),
    ] {
        assert_eq!(ids(&related(&tasks, text)), expected, "{text}");
    }
}

#[test]
fn what_a_task_waits_for_is_followed_through_others_and_around_circles() {
    let tasks = tasks();
    let of = |id: &str| ids(&prerequisites(&tasks, &[id.parse().unwrap()]));
    assert_eq!((of("3").as_str(), of("2.1").as_str(), of("4").as_str()), ("2 1", "1", ""));
}

#[test]
fn a_twin_says_the_same_in_other_words() {
    let tasks = tasks();
    let of = |title| twin(&tasks, title).map(|it| it.id().to_string());
    assert_eq!(of("Add searching of notes").as_deref(), Some("2"));
    assert_eq!(of("Import notes"), None);
}
