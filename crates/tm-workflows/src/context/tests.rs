use serde_json::json;
use tm_tasks::document::TaskFile;
use tm_testkit::model::ScriptedModel;

use super::*;

fn tasks() -> Vec<Task> {
    let text = json!({"master": {"tasks": [
        {"id": 1, "title": "Set up the database", "description": "SQLite holds all notes", "status": "done"},
        {"id": 2, "title": "Search notes", "description": "Find notes by word", "dependencies": [1],
         "details": "Use FTS5.", "testStrategy": "Search for a word.",
         "subtasks": [{"id": 1, "title": "Index notes", "status": "done"}]},
        {"id": 3, "title": "Export notes", "description": "One file for each note", "dependencies": [2]},
        {"id": 4, "title": "Draw the logo", "description": "A pencil"},
    ]}});
    let file = TaskFile::parse(text.to_string()).unwrap();
    file.tag("master").unwrap().tasks().to_vec()
}

fn gathered(topic: Topic<'_>) -> Context {
    gather(&ScriptedModel::playing([]), &tasks(), topic)
}

#[test]
fn named_tasks_are_told_in_full_then_what_they_wait_for_then_what_is_related() {
    let named = ["2".parse().unwrap(), "2.1".parse().unwrap(), "77".parse().unwrap()];
    let context =
        gathered(Topic { words: "export the logo", named: &named, shown: None, tokens_max: 1000 });
    insta::assert_snapshot!(context.text, @r"
    Task 2 (pending): Search notes
    Description: Find notes by word
    Details: Use FTS5.
    Test strategy: Search for a word.
    Waits for: 1
    Subtasks: 
    - 2.1 (done): Index notes
    Task 2.1 (done): Index notes
    - Task 1 (done): Set up the database. SQLite holds all notes
    - Task 3 (pending): Export notes. One file for each note
    - Task 4 (pending): Draw the logo. A pencil
    ");
    assert!(context.left_out.is_empty());
    assert_eq!(context.tokens, context.tasks.iter().map(|it| it.tokens).sum::<u32>());
}

#[test]
fn the_task_that_is_shown_already_is_not_told_again() {
    let shown = "3".parse().unwrap();
    let context =
        gathered(Topic { words: "export", named: &[], shown: Some(&shown), tokens_max: 1000 });
    let ids: Vec<String> = context.tasks.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, ["2", "1"], "what it waits for is enough");
}

#[test]
fn nothing_is_told_beyond_the_budget_and_what_was_named_is_missed() {
    let named = ["2".parse().unwrap(), "4".parse().unwrap()];
    let context = gathered(Topic { words: "notes", named: &named, shown: None, tokens_max: 21 });
    let ids: Vec<String> = context.tasks.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, ["2"], "in one line");
    assert_eq!(context.left_out, ["4".parse().unwrap()]);
    assert!(context.tokens <= 21);
}

#[test]
fn long_texts_are_cut_and_say_so() {
    assert_eq!(cut("  häuser und gärten ", 7), "häuser …");
    assert_eq!(cut("short", 7), "short");
}

#[test]
fn an_outline_has_all_titles_or_is_none() {
    let model = ScriptedModel::playing([]);
    let text = outline(&model, &tasks(), 1000).unwrap();
    assert!(text.starts_with("- Task 1: Set up the database\n- Task 2: Search notes\n"), "{text}");
    let tokens = model.count_tokens(&text);
    assert_eq!(outline(&model, &tasks(), tokens), Some(text));
    assert_eq!(outline(&model, &tasks(), tokens - 1), None);
}
