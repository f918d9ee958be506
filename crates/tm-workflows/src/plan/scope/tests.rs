use tm_llm::chat::ChatRequest;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, faults, text, words};

fn request(direction: Direction) -> Scope {
    Scope { direction, strength: Strength::Regular, prompt: "no new tables".into(), report: None }
}

fn is_division(request: &ChatRequest) -> bool {
    request.response_schema.as_ref().is_some_and(|it| it["properties"]["subtasks"].is_object())
}

fn task() -> Reply {
    text(&json!({
        "title": "Search and rank notes", "description": "Notes are found and ranked.",
        "details": "Use FTS5 and bm25.", "testStrategy": "Search for two words.", "priority": "low",
        "note": "more than was asked for",
    }))
}

fn subtasks() -> Reply {
    text(&json!({"subtasks": [
        {"id": 2, "title": "Rank the hits", "description": "Best first", "dependencies": [1],
         "details": "Use bm25.", "status": "done", "testStrategy": "Look."},
        {"id": 3, "title": "Mark words in the hits", "description": "Bold", "dependencies": [2],
         "details": "Use snippet().", "status": "pending"},
    ]}))
}

fn working() -> ScriptedModel {
    ScriptedModel::new(|request| if is_division(request) { subtasks() } else { task() })
}

fn ids(texts: &[&str]) -> Vec<TaskId> {
    texts.iter().map(|it| it.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_task_gets_new_texts_and_its_pending_subtasks_are_made_anew() {
    let fixture = Fixture::new();
    let model = working();
    let scoped =
        scope(asking(&model), &fixture.place, &ids(&["2"]), &request(Direction::Up)).await.unwrap();
    assert_eq!(scoped.tasks[0].task.title(), "Search and rank notes");
    let task = fixture.task(2);
    assert_eq!((&task["priority"], &task["status"]), (&json!("low"), &json!("in-progress")));
    assert_eq!((&task["unknown"], &task["metadata"]["ticket"]), (&json!(true), &json!("X-1")));
    insta::assert_json_snapshot!(task["subtasks"].as_array().unwrap().iter().map(|it| {
        json!([it["id"], it["title"], it["status"], it["dependencies"]]).to_string()
    }).collect::<Vec<_>>(), @r#"
    [
      "[1,\"Index notes\",\"done\",[]]",
      "[2,\"Rank the hits\",\"pending\",[1]]",
      "[3,\"Mark words in the hits\",\"pending\",[2]]"
    ]
    "#);
    assert_eq!(fixture.commands(), ["scope-up --id=2 --strength=regular"]);
    let seen = model.seen();
    assert!(words(&seen[0]).contains("no new tables") && words(&seen[0]).contains("larger"));
    // One stays, one is pending: six by the formula, of which one is there.
    assert_eq!(seen[1].response_schema.as_ref().unwrap()["properties"]["subtasks"]["minItems"], 7);
    assert!(words(&seen[1]).contains("Search and rank notes"), "{}", words(&seen[1]));
}

#[tokio::test]
async fn a_task_without_pending_subtasks_is_only_rewritten() {
    let fixture = Fixture::new();
    let model = working();
    scope(asking(&model), &fixture.place, &ids(&["4", "3"]), &request(Direction::Down))
        .await
        .unwrap();
    assert_eq!(model.seen().len(), 2);
    assert!(words(&model.seen()[0]).contains("smaller"));
    assert_eq!(
        (&fixture.task(3)["title"], &fixture.task(4)["title"]),
        (&json!("Search and rank notes"), &json!("Search and rank notes"))
    );
    assert_eq!(fixture.commands(), ["scope-down --id=4,3 --strength=regular"], "one step for both");
}

#[tokio::test]
async fn a_model_that_fails_at_any_question_changes_nothing() {
    let mut models = faults();
    models.push(ScriptedModel::new(|request| {
        if is_division(request) { Reply::Text("{}".into()) } else { task() }
    }));
    let mut first = true;
    models.push(ScriptedModel::new(move |_| {
        if std::mem::take(&mut first) { task() } else { Reply::Broken("{".into()) }
    }));
    for model in models {
        let fixture = Fixture::new();
        let before = fixture.text();
        let error =
            scope(asking(&model), &fixture.place, &ids(&["2", "4"]), &request(Direction::Up))
                .await
                .unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
}

#[tokio::test]
async fn a_task_that_does_not_exist_is_named_before_a_model_is_asked() {
    let fixture = Fixture::new();
    let model = working();
    let error = scope(asking(&model), &fixture.place, &ids(&["4", "77"]), &request(Direction::Up))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no task 77 in tag `master`");
    assert!(model.seen().is_empty());
}
