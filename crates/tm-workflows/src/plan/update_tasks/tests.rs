use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, faults, text, words};

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn ids(tasks: &[Task]) -> Vec<String> {
    tasks.iter().map(|it| it.id().to_string()).collect()
}

#[tokio::test]
async fn a_small_model_is_asked_about_each_open_task_and_says_whether_it_is_concerned() {
    let fixture = Fixture::new();
    let logo = fixture.task(4);
    let model = ScriptedModel::new(|request| {
        let is_logo = words(request).contains("Draw the logo");
        text(&if is_logo {
            json!({"tasks": [{"id": 4, "affected": false}]})
        } else {
            json!({"tasks": [{"id": 3, "affected": true, "title": "T", "description": "As JSON",
                "details": "D", "testStrategy": "S"}]})
        })
    });
    let updated = update_tasks(asking(&model), &fixture.place, &id("2"), "JSON").await.unwrap();
    assert_eq!((updated.considered, ids(&updated.changed)), (3, vec!["2".into(), "3".into()]));
    assert_eq!(model.seen().len(), 3);
    assert_eq!(fixture.task(4), logo);
    assert_eq!(fixture.task(3)["description"], "As JSON");
    assert_eq!(fixture.task(2)["subtasks"].as_array().unwrap().len(), 2);
    assert_eq!(fixture.commands(), ["update --from=2"], "one step");
}

#[tokio::test]
async fn a_large_model_is_asked_once_and_nulls_wipe_nothing() {
    let fixture = Fixture::new();
    let mut expected = fixture.task(2);
    expected["title"] = json!("Search notes in Postgres");
    let model = ScriptedModel::playing([text(&json!({"tasks": [
        {"id": "2", "title": "Search notes in Postgres", "description": null, "details": null,
         "priority": null, "subtasks": null, "status": "done", "dependencies": null},
        {"id": 1, "title": "It is done"},
        {"id": 88, "title": "It is nowhere"},
    ]}))])
    .with_whole_answers();
    let updated =
        update_tasks(asking(&model), &fixture.place, &id("1"), "Use Postgres").await.unwrap();
    assert_eq!((updated.considered, ids(&updated.changed)), (3, vec!["2".into()]));
    assert_eq!(
        (fixture.task(2), fixture.task(1)["title"].clone()),
        (expected, json!("Set up the store"))
    );
}

#[tokio::test]
async fn a_task_that_fails_stays_and_the_others_are_written() {
    let fixture = Fixture::new();
    let model = ScriptedModel::new(|request| {
        if words(request).contains("Draw the logo") {
            return Reply::Broken("{".into());
        }
        text(&json!({"tasks": [{"id": 0, "description": "New"}]}))
    });
    let updated = update_tasks(asking(&model), &fixture.place, &id("3"), "x").await.unwrap();
    assert_eq!(ids(&updated.changed), ["3"]);
    assert_eq!(updated.failed.iter().map(|it| it.0.clone()).collect::<Vec<_>>(), [id("4")]);
}

#[tokio::test]
async fn a_model_that_fails_changes_nothing() {
    for model in faults() {
        let fixture = Fixture::new();
        let before = fixture.text();
        let error = update_tasks(asking(&model), &fixture.place, &id("1"), "x").await.unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
}

#[tokio::test]
async fn no_open_task_is_no_question() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([]);
    let updated = update_tasks(asking(&model), &fixture.place, &id("5"), "x").await.unwrap();
    assert_eq!((updated.considered, updated.changed.len(), model.seen().len()), (0, 0, 0));
}
