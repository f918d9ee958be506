use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, faults, text, words};

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn rewritten(task: &Value) -> Reply {
    text(&json!({"task": task}))
}

#[tokio::test]
async fn a_task_is_rewritten_and_keeps_what_was_not_asked_about() {
    let fixture = Fixture::new();
    let before = fixture.task(2);
    let model = ScriptedModel::playing([rewritten(&json!({
        "id": 99,
        "title": "Search all notes",
        "description": "Find notes by word and date",
        "details": "Use FTS5 and an index on dates.",
        "testStrategy": null,
        "status": "done",
        "subtasks": null,
        "dependencies": [1, 3, 77],
    }))]);
    let updated =
        update_task(asking(&model), &fixture.place, &id("2"), "Search by date").await.unwrap();
    assert!(updated.is_changed);
    let mut expected = before;
    expected["title"] = json!("Search all notes");
    expected["description"] = json!("Find notes by word and date");
    expected["details"] = json!("Use FTS5 and an index on dates.");
    assert_eq!(fixture.task(2), expected, "3 waits for 2, and 77 is nowhere");
}

#[tokio::test]
async fn a_status_is_asked_for_and_taken_only_when_the_user_speaks_of_it() {
    for (prompt, expected) in [("Set the status to review", "review"), ("Review it", "pending")] {
        let fixture = Fixture::new();
        let model = ScriptedModel::playing([rewritten(&json!({"status": "review"}))]);
        update_task(asking(&model), &fixture.place, &id("4"), prompt).await.unwrap();
        assert_eq!(fixture.task(4)["status"], expected);
        let schema = model.seen()[0].response_schema.clone().unwrap();
        let task = &schema["properties"]["task"]["properties"];
        assert_eq!(task["status"].is_object(), expected == "review");
        assert!(task["priority"].is_null(), "a small model is asked for as little as can be");
    }
}

#[tokio::test]
async fn a_large_model_may_change_everything_but_what_is_finished() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([rewritten(&json!({
        "priority": "critical",
        "dependencies": [],
        "subtasks": [{"id": 2, "title": "Rank hits by date"}, {"title": "Page through hits"}],
    }))])
    .with_whole_answers();
    update_task(asking(&model), &fixture.place, &id("2"), "Newest first").await.unwrap();
    let task = fixture.task(2);
    assert_eq!((&task["priority"], &task["dependencies"]), (&json!("critical"), &json!([])));
    let titles: Vec<&str> =
        task["subtasks"].as_array().unwrap().iter().filter_map(|it| it["title"].as_str()).collect();
    assert_eq!(titles, ["Index notes", "Rank hits by date", "Page through hits"]);
    assert_eq!(task["subtasks"][0]["status"], "done");
}

#[tokio::test]
async fn an_answer_that_changes_nothing_writes_nothing() {
    let fixture = Fixture::new();
    let before = fixture.text();
    let model = ScriptedModel::playing([rewritten(&json!({"title": "Draw the logo"}))]);
    let updated = update_task(asking(&model), &fixture.place, &id("4"), "Nothing").await.unwrap();
    assert!(!updated.is_changed);
    assert_eq!((fixture.text(), fixture.commands().len()), (before, 0));
}

#[tokio::test]
async fn a_note_is_added_to_the_details_and_nothing_else_changes() {
    let fixture = Fixture::new();
    let mut expected = fixture.task(3);
    let model = ScriptedModel::playing([Reply::Text("Use CommonMark.\n".into())]);
    append_to_task(asking(&model), &fixture.place, &id("3"), "Which dialect?").await.unwrap();
    let details = fixture.task(3)["details"].as_str().unwrap().to_owned();
    let (plain, notes) = tm_tasks::notes::split_notes(&details);
    assert_eq!((plain.as_str(), notes.len()), ("Write Markdown.", 1));
    assert!(notes[0].contains(">\nUse CommonMark.\n</info added on "), "{}", notes[0]);
    expected["details"] = json!(details);
    assert_eq!(fixture.task(3), expected);
    assert!(words(&model.seen()[0]).contains("Which dialect?"));
    assert_eq!(model.seen()[0].response_schema, None);
}

#[tokio::test]
async fn finished_and_missing_tasks_cost_no_answer() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([]);
    let error = update_task(asking(&model), &fixture.place, &id("1"), "x").await.unwrap_err();
    assert_eq!(error.to_string(), "task 1 is done");
    let error = append_to_task(asking(&model), &fixture.place, &id("1"), "x").await.unwrap_err();
    assert!(matches!(error, ChangeError::Finished { .. }), "{error}");
    let error = update_task(asking(&model), &fixture.place, &id("77"), "x").await.unwrap_err();
    assert!(matches!(error, ChangeError::NoTask { .. }), "{error}");
    let error = update_task(asking(&model), &fixture.place, &id("2.2"), "x").await.unwrap_err();
    assert_eq!(error.to_string(), "2.2 is a subtask");
    assert!(model.seen().is_empty());
}

#[tokio::test]
async fn a_model_that_fails_changes_nothing() {
    for model in faults() {
        let fixture = Fixture::new();
        let before = fixture.text();
        let error = update_task(asking(&model), &fixture.place, &id("2"), "x").await.unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
    for reply in [Reply::Text(" ".into()), Reply::Broken("Half a".into()), Reply::Overflow] {
        let fixture = Fixture::new();
        let before = fixture.text();
        let model = ScriptedModel::playing([reply]);
        let error =
            append_to_task(asking(&model), &fixture.place, &id("2"), "x").await.unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
}
