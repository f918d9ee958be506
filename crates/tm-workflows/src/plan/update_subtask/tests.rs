use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, words};

#[tokio::test]
async fn a_note_is_added_to_the_subtask_and_nothing_else_changes() {
    let fixture = Fixture::new();
    let mut expected = fixture.task(2);
    let model = ScriptedModel::playing([Reply::Text("Prefer recent notes.".into())]);
    let id = "2.2".parse().unwrap();
    let updated =
        update_subtask(asking(&model), &fixture.place, &id, "What about age?").await.unwrap();
    assert_eq!(updated.task.id(), id);
    let details = fixture.task(2)["subtasks"][1]["details"].as_str().unwrap().to_owned();
    assert!(details.starts_with("Use bm25.\n<info added on 20"), "{details}");
    assert!(details.contains(">\nPrefer recent notes.\n</info added on 20"), "{details}");
    expected["subtasks"][1]["details"] = json!(details);
    assert_eq!(fixture.task(2), expected);
    let question = &model.seen()[0];
    assert!(words(question).contains("The subtask before: 2.1 (done): Index notes"));
    assert!(!words(question).contains("The subtask after"));
    assert_eq!(fixture.commands(), ["update-subtask --id=2.2"]);
}

#[tokio::test]
async fn tasks_and_missing_subtasks_are_refused_before_the_model_works() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([]);
    for (id, reason) in
        [("2", "2 is not a subtask"), ("2.9", "there is no task 2.9 in tag `master`")]
    {
        let id = id.parse().unwrap();
        let error = update_subtask(asking(&model), &fixture.place, &id, "x").await.unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
    assert!(model.seen().is_empty());
}

#[tokio::test]
async fn a_model_that_fails_changes_nothing() {
    for reply in [Reply::Text(" ".into()), Reply::Broken("Half a".into()), Reply::Overflow] {
        let fixture = Fixture::new();
        let before = fixture.text();
        let model = ScriptedModel::playing([reply]);
        let id = "2.2".parse().unwrap();
        let error = update_subtask(asking(&model), &fixture.place, &id, "x").await.unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
}
