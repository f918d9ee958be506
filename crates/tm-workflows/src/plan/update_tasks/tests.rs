use std::sync::Arc;

use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::{
    escalation::{Escalation, Other},
    plan::fixture::{Fixture, asking, faults, text, words},
};

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

#[tokio::test]
async fn a_weak_task_alone_is_written_again_and_the_better_answer_is_kept() {
    let fixture = Fixture::new();
    let weak = json!({"id": 3, "affected": true, "title": "T", "description": "D", "details": "D",
        "testStrategy": "S"});
    let good = json!({"id": 4, "affected": true, "title": "Draw the logo as SVG",
        "description": "The logo becomes an SVG file that the page loads.",
        "details": "Write `logo.svg` with a viewBox of 64 by 64 and load it in `index.html`.",
        "testStrategy": "Open the page and check that the logo is 64 pixels wide."});
    let small = ScriptedModel::new(move |request| {
        let is_logo = words(request).contains("Draw the logo");
        text(&json!({"tasks": [if is_logo { good.clone() } else { weak.clone() }]}))
    });
    let better = json!({"tasks": [{"id": 3, "title": "Store notes as JSON",
        "description": "Each note is one JSON file in the folder `notes`.",
        "details": "Write `notes/ID.json` through serde and rename it into place.",
        "testStrategy": "Save a note, read the file back and check that the text is equal."}]});
    let large = Arc::new(ScriptedModel::playing([text(&better)]).with_whole_answers());
    let other = Other::new("large".to_owned(), Arc::<ScriptedModel>::clone(&large));
    let escalation = Escalation::new(40, vec![other]);
    let asking = Asking { escalation: Some(&escalation), ..asking(&small) };
    let updated = update_tasks(asking, &fixture.place, &id("3"), "Use files").await.unwrap();
    assert_eq!(ids(&updated.changed), ["3", "4"]);
    assert_eq!(fixture.task(3)["title"], "Store notes as JSON");
    assert_eq!(fixture.task(4)["title"], "Draw the logo as SVG");
    assert!(words(&large.seen()[0]).contains("Do better than an earlier answer"));
    assert!(!words(&large.seen()[0]).contains("Draw the logo"));
    // Both tasks, and the weak one once more.
    assert_eq!((small.seen().len(), large.seen().len()), (3, 1));
    assert_eq!(escalation.below(), []);
    assert_eq!(fixture.commands(), ["update --from=3"], "one step");
}

#[tokio::test]
async fn a_weak_task_that_others_call_unconcerned_is_kept_and_said_to_be_weak() {
    let fixture = Fixture::new();
    let weak = json!({"id": 4, "affected": true, "title": "T", "description": "D", "details": "D",
        "testStrategy": "S"});
    let unconcerned = json!({"id": 4, "affected": false});
    let replies = [weak, unconcerned].map(|it| text(&json!({"tasks": [it]})));
    let model = ScriptedModel::playing(replies);
    let escalation = Escalation::new(60, Vec::new());
    let asking = Asking { escalation: Some(&escalation), ..asking(&model) };
    let updated = update_tasks(asking, &fixture.place, &id("4"), "Use files").await.unwrap();
    assert_eq!((ids(&updated.changed), model.seen().len()), (vec!["4".to_owned()], 2));
    let below = escalation.below();
    assert_eq!(below.iter().map(|it| it.what.as_str()).collect::<Vec<_>>(), ["task 4"]);
}
