use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, faults, text, words};

fn request(count: usize, existing: Existing) -> Expand {
    Expand { count: Count::Exactly(count), prompt: String::new(), existing, report: None }
}

fn subtask(id: u64, title: &str, dependencies: &[u64]) -> Value {
    json!({
        "id": id,
        "title": title,
        "description": format!("Subtask {id} is done."),
        "dependencies": dependencies,
        "details": "Write it. Keep it small and tested.",
        "status": "done",
        "testStrategy": "Run it.",
    })
}

fn two(first: u64) -> Reply {
    let one = subtask(first, "Write the file", &[first + 7]);
    let other = subtask(first + 1, "Name the file after the note", &[first, first + 1]);
    text(&json!({"subtasks": [one, other]}))
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn titles(task: &Value) -> Vec<&str> {
    task["subtasks"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_task_gets_pending_subtasks_that_wait_only_for_earlier_ones() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([two(1)]);
    let request = request(2, Existing::Append);
    let expanded = expand(asking(&model), &fixture.place, &id("3"), &request).await.unwrap();
    assert_eq!((expanded.added, expanded.had), (2, 0));
    insta::assert_json_snapshot!(fixture.task(3)["subtasks"], @r#"
    [
      {
        "id": 1,
        "title": "Write the file",
        "description": "Subtask 1 is done.",
        "dependencies": [],
        "details": "Write it. Keep it small and tested.",
        "status": "pending",
        "testStrategy": "Run it."
      },
      {
        "id": 2,
        "title": "Name the file after the note",
        "description": "Subtask 2 is done.",
        "dependencies": [
          1
        ],
        "details": "Write it. Keep it small and tested.",
        "status": "pending",
        "testStrategy": "Run it."
      }
    ]
    "#);
    let question = &model.seen()[0];
    assert!(words(question).contains("Write exactly 2 subtasks"), "{}", words(question));
    let list = &question.response_schema.as_ref().unwrap()["properties"]["subtasks"];
    assert_eq!((&list["minItems"], &list["maxItems"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn questions_about_different_tasks_are_the_same_up_to_the_task() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([two(3), two(1)]);
    for task in ["2", "3"] {
        let request = request(2, Existing::Append);
        expand(asking(&model), &fixture.place, &id(task), &request).await.unwrap();
    }
    let [one, other] = [0, 1].map(|at| words(&model.seen()[at]).to_owned());
    let shared = one.split_once("<task>").unwrap().0;
    assert!(shared.contains("Task 2") && shared.contains("\"testStrategy\": one"), "{shared}");
    assert!(other.starts_with(shared), "{other}");
}

#[tokio::test]
async fn subtasks_are_added_after_those_that_are_there_or_take_their_place() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([two(3), two(1)]);
    let append = request(2, Existing::Append);
    expand(asking(&model), &fixture.place, &id("2"), &append).await.unwrap();
    let expected = ["Index notes", "Rank hits", "Write the file", "Name the file after the note"];
    assert_eq!(titles(&fixture.task(2)), expected);
    assert!(words(&model.seen()[0]).contains("\n2. Rank hits\n"), "{}", words(&model.seen()[0]));
    assert!(words(&model.seen()[0]).contains("2 more subtasks"));

    let replace = request(2, Existing::Replace);
    let expanded = expand(asking(&model), &fixture.place, &id("2"), &replace).await.unwrap();
    assert_eq!(titles(&fixture.task(2)), expected[2..]);
    assert_eq!((expanded.had, fixture.task(2)["unknown"].clone()), (4, json!(true)));
}

#[tokio::test]
async fn the_report_says_how_many_and_what_to_tell_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let report = json!({"complexityAnalysis": [{"taskId": 3, "recommendedSubtasks": 4,
        "expansionPrompt": "One for each format.", "reasoning": "Formats differ."}]});
    std::fs::write(&path, report.to_string()).unwrap();
    let request = |count| Expand {
        count,
        prompt: "Think of umlauts.".into(),
        existing: Existing::Append,
        report: ComplexityReport::find(&path).unwrap(),
    };
    for (count, task, expected) in [
        (Count::Recommended { otherwise: 5 }, "3", "exactly 4 subtasks"),
        (Count::Recommended { otherwise: 5 }, "4", "exactly 5 subtasks"),
        (Count::Exactly(2), "3", "exactly 2 subtasks"),
        (Count::Free, "3", "as many subtasks as the task needs"),
    ] {
        let fixture = Fixture::new();
        let model = ScriptedModel::playing([two(1)]);
        expand(asking(&model), &fixture.place, &id(task), &request(count)).await.unwrap();
        let seen = model.seen();
        assert!(words(&seen[0]).contains(expected), "{expected}: {}", words(&seen[0]));
        assert!(words(&seen[0]).contains("The user says: Think of umlauts."));
        let is_advised = words(&seen[0]).contains("How to divide it: One for each format.");
        assert_eq!(is_advised, task == "3");
        // However many come, they are taken.
        assert_eq!(titles(&fixture.task(task.parse().unwrap())).len(), 2);
    }
}

#[tokio::test]
async fn a_repeated_title_is_asked_for_again_and_then_merged() {
    let same = || {
        let three = [
            subtask(1, "Write the file", &[]),
            subtask(2, "Write a file", &[1]),
            subtask(3, "Check the file", &[2, 1]),
        ];
        text(&json!({"subtasks": three}))
    };
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([same(), two(1)]);
    let request = request(2, Existing::Append);
    expand(asking(&model), &fixture.place, &id("3"), &request).await.unwrap();
    assert_eq!(titles(&fixture.task(3)), ["Write the file", "Name the file after the note"]);
    assert!(model.seen()[1].messages[3].content.contains("is there twice"));

    let model = ScriptedModel::playing([same(), same()]);
    expand(asking(&model), &fixture.place, &id("4"), &request).await.unwrap();
    assert_eq!(titles(&fixture.task(4)), ["Write the file", "Check the file"]);
    assert_eq!(fixture.task(4)["subtasks"][1]["dependencies"], json!([1]));
}

#[tokio::test]
async fn all_open_tasks_without_subtasks_are_divided_and_each_is_a_change_of_its_own() {
    let fixture = Fixture::new();
    let model = ScriptedModel::new(|_| two(1));
    let request = request(2, Existing::Append);
    let all = expand_all(asking(&model), &fixture.place, &request).await.unwrap();
    let ids: Vec<String> = all.expanded.iter().map(|it| it.task.id().to_string()).collect();
    assert_eq!((ids, all.failed.len(), all.skipped), (vec!["3".into(), "4".into()], 0, 1));
    let mut commands = fixture.commands();
    commands.sort();
    assert_eq!(commands, ["expand --all (3)", "expand --all (4)"]);

    let replace = Expand { existing: Existing::Replace, ..request };
    let all = expand_all(asking(&model), &fixture.place, &replace).await.unwrap();
    assert_eq!((all.expanded.len(), all.skipped), (3, 0), "all but the one that is done");
}

#[tokio::test]
async fn a_task_that_fails_does_not_keep_the_others_from_being_divided() {
    let fixture = Fixture::new();
    let model = ScriptedModel::new(|request| {
        if words(request).contains("(pending): Export notes\n") {
            Reply::Broken("{".into())
        } else {
            two(1)
        }
    });
    let request = request(2, Existing::Append);
    let all = expand_all(asking(&model), &fixture.place, &request).await.unwrap();
    assert_eq!((all.expanded.len(), all.failed.len()), (1, 1));
    assert_eq!(all.failed[0].0, id("3"));
    assert_eq!(titles(&fixture.task(3)).len(), 0);
    assert_eq!(titles(&fixture.task(4)).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_finished_stays_when_the_rest_is_interrupted() {
    let fixture = Fixture::new();
    let model = ScriptedModel::new(|request| {
        if words(request).contains("(pending): Export notes\n") { Reply::Stall } else { two(1) }
    });
    let request = request(2, Existing::Append);
    let work = expand_all(asking(&model), &fixture.place, &request);
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(5), work).await;
    assert!(waiting.is_err());
    assert_eq!((titles(&fixture.task(3)).len(), titles(&fixture.task(4)).len()), (0, 2));
}

#[tokio::test]
async fn a_model_that_fails_changes_nothing() {
    for model in faults() {
        let fixture = Fixture::new();
        let before = fixture.text();
        let request = request(2, Existing::Replace);
        let error = expand(asking(&model), &fixture.place, &id("2"), &request).await.unwrap_err();
        assert!(matches!(error, ChangeError::Ask(_)), "{error}");
        assert_eq!(fixture.text(), before);
    }
}

#[tokio::test]
async fn counts_and_ids_that_make_no_sense_are_refused_before_the_model_works() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([]);
    let many = request(31, Existing::Append);
    let error = expand(asking(&model), &fixture.place, &id("3"), &many).await.unwrap_err();
    assert!(matches!(error, ChangeError::Count { requested: 31, .. }), "{error}");
    let error = expand_all(asking(&model), &fixture.place, &many).await.unwrap_err();
    assert!(matches!(error, ChangeError::Count { requested: 31, .. }), "{error}");
    let error = expand(asking(&model), &fixture.place, &id("77"), &request(2, Existing::Append))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no task 77 in tag `master`");
    let error = expand(asking(&model), &fixture.place, &id("2.2"), &request(2, Existing::Append))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "2.2 is a subtask");
    assert!(model.seen().is_empty());
}

#[tokio::test]
async fn the_journal_says_how_well_the_subtasks_are_written() {
    let fixture = Fixture::new();
    let model = ScriptedModel::playing([two(1)]);
    let request = request(2, Existing::Append);
    expand(asking(&model), &fixture.place, &id("3"), &request).await.unwrap();
    let change = fixture.place.store.history().unwrap().pop().unwrap();
    let scored = change.quality.unwrap().tasks.into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(scored, ["3.1", "3.2"]);
}
