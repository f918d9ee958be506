use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, faults, text, words};

fn request(dependencies: &[&str]) -> AddTask {
    AddTask {
        prompt: "Search in exported notes".into(),
        priority: Priority::High,
        dependencies: dependencies.iter().map(|it| it.parse().unwrap()).collect(),
    }
}

fn answer(title: &str, dependencies: &Value) -> Reply {
    text(&json!({
        "title": title,
        "description": "Exported notes are found, too.",
        "details": "Read the exported files. Add them to the index.",
        "testStrategy": "Export a note and search for a word in it.",
        "dependencies": dependencies,
    }))
}

#[tokio::test]
async fn a_request_becomes_the_next_task() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([answer("Search exported notes.", &json!([3, 2, 88, 3]))]);
    let written = add_task(asking(&model), &fixture.place, &request(&[])).await.unwrap();
    assert_eq!(written.added.task.id().to_string(), "5");
    insta::assert_json_snapshot!(fixture.task(5), @r#"
    {
      "id": 5,
      "title": "Search exported notes",
      "description": "Exported notes are found, too.",
      "details": "Read the exported files. Add them to the index.",
      "testStrategy": "Export a note and search for a word in it.",
      "status": "pending",
      "dependencies": [
        2,
        3
      ],
      "priority": "high",
      "subtasks": []
    }
    "#);
    assert_eq!(fixture.commands(), ["add-task --prompt=Search in exported notes"]);
    assert!(written.usage.completion_tokens > 0);
}

#[tokio::test]
async fn the_model_sees_related_tasks_and_can_name_only_those() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([answer("Search exported notes", &json!([]))]);
    add_task(asking(&model), &fixture.place, &request(&[])).await.unwrap();
    let seen = model.seen();
    assert!(words(&seen[0]).contains("- Task 3 (pending): Export notes. One file a note\n"));
    assert!(!words(&seen[0]).contains("logo"), "{}", words(&seen[0]));
    let schema = seen[0].response_schema.as_ref().unwrap();
    assert_eq!(
        schema["properties"]["dependencies"]["items"],
        json!({"type": "integer", "enum": [2, 3]})
    );
}

#[tokio::test]
async fn what_the_user_says_a_task_waits_for_holds_unless_the_model_says_more() {
    for (named, said, expected) in [
        (vec!["4"], json!([]), json!([4])),
        (vec!["4"], json!(null), json!([4])),
        (vec!["4"], json!(["#3"]), json!([3])),
        (vec!["4", "99"], json!([99]), json!([4])),
    ] {
        let fixture = Fixture::new();
        let model = ScriptedModel::playing([answer("Colour the hits", &said)]);
        let written = add_task(asking(&model), &fixture.place, &request(&named)).await.unwrap();
        assert_eq!(fixture.task(5)["dependencies"], expected, "{named:?} {said}");
        assert_eq!(written.added.missing.is_empty(), named.len() == 1 || said.is_null());
    }
}

#[tokio::test]
async fn a_task_that_is_there_already_is_told() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([answer("Implement searching of notes", &json!([]))]);
    let written = add_task(asking(&model), &fixture.place, &request(&[])).await.unwrap();
    assert_eq!(written.twin, Some(("2".parse().unwrap(), "Search notes".into())));
}

#[tokio::test]
async fn a_model_that_fails_adds_nothing() {
    for model in faults() {
        let fixture = Fixture::new();
        let before = fixture.text();
        let error = add_task(asking(&model), &fixture.place, &request(&[])).await.unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
    let blank = ScriptedModel::new(|_| answer(" \"\" ", &json!([])));
    let fixture = Fixture::new();
    let error = add_task(asking(&blank), &fixture.place, &request(&[])).await.unwrap_err();
    assert!(error.to_string().contains("its title is empty"), "{error}");
}

#[tokio::test]
async fn a_tag_or_a_file_that_cannot_be_used_costs_no_answer() {
    let model = ScriptedModel::playing([]);
    let mut fixture = Fixture::new();
    fixture.place.tag = "none".into();
    let error = add_task(asking(&model), &fixture.place, &request(&[])).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no tag `none`");
    let broken = Fixture::with(&json!("no tasks"));
    let error = add_task(asking(&model), &broken.place, &request(&[])).await.unwrap_err();
    assert!(matches!(error, ChangeError::Store(_)), "{error}");
    assert!(model.seen().is_empty());
}
