use std::{path::Path, sync::Mutex};

use serde_json::{Value, json};
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{Fixture, asking, faults, text, words};

fn request(report: PathBuf) -> Analyze {
    Analyze {
        selection: Selection::All,
        report,
        threshold: 6,
        project_name: "Notes".into(),
        used_research: false,
    }
}

fn entry(id: u64, score: f64) -> Value {
    json!({
        "taskId": id, "taskTitle": format!("Task {id}"), "complexityScore": score,
        "recommendedSubtasks": 4, "expansionPrompt": "By layer.", "reasoning": "Many parts.",
    })
}

fn together(entries: &[Value]) -> ScriptedModel {
    let reply = text(&json!({ "complexityAnalysis": entries }));
    ScriptedModel::new(move |_| reply.clone()).with_whole_answers()
}

/// A folder for reports that does not exist yet.
fn report() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports/report.json");
    (folder, path)
}

/// Id and score of each entry of the report.
fn scores(path: &Path) -> Vec<(String, f64)> {
    let report = ComplexityReport::read(path).unwrap();
    let of = |it: &tm_tasks::complexity::Analysis| {
        (it.task_id().to_string(), it.score().unwrap_or_default())
    };
    report.analyses().iter().map(of).collect()
}

fn ids(ids: &[TaskId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn open_tasks_are_analysed_in_one_answer_and_what_is_missing_is_marked() {
    let fixture = Fixture::new();
    let (_folder, path) = report();
    // Task 1 is done and nobody asked for it; there is no task 9.
    let model = together(&[entry(3, 8.0), entry(1, 2.0), entry(9, 9.0), entry(3, 1.0)]);
    let analyzed = analyze(asking(&model), &fixture.place, &request(path.clone())).await.unwrap();
    assert_eq!(model.seen().len(), 1);
    assert_eq!(ids(&analyzed.tasks), ["2", "3", "4"]);
    assert_eq!(ids(&analyzed.left_out), ["2", "4"]);
    let expected = [("3", 8.0), ("1", 2.0), ("2", 5.0), ("4", 5.0)];
    assert_eq!(scores(&path), expected.map(|(id, score)| (id.to_owned(), score)));
    let missing = analyzed.report.analysis(&"2".parse().unwrap()).unwrap().clone();
    assert_eq!(missing.reasoning().unwrap(), REASON);
    assert_eq!(
        missing.expansion_prompt().unwrap(),
        "Break down this task with a focus on search notes."
    );
    let meta = analyzed.report.meta();
    assert_eq!(
        (meta.tasks_analyzed, meta.total_tasks, meta.threshold),
        (Some(3), Some(4), Some(6))
    );
}

/// What a working small model says about one task.
fn about_one(request: &tm_llm::chat::ChatRequest) -> Reply {
    let score = if task_of(request).contains("Draw the logo") { 2 } else { 7 };
    text(&json!({
        "reasoning": "It has a few parts.", "complexityScore": score,
        "recommendedSubtasks": 3, "expansionPrompt": "One subtask for each part.",
    }))
}

fn task_of(request: &tm_llm::chat::ChatRequest) -> &str {
    words(request).split_once("<task>\n").unwrap().1
}

#[tokio::test]
async fn a_small_model_is_asked_about_each_task_after_the_same_words() {
    let fixture = Fixture::new();
    let (_folder, path) = report();
    let model = ScriptedModel::new(|request| {
        if task_of(request).starts_with("Task 4") {
            return Reply::Text("It is easy.".into());
        }
        about_one(request)
    });
    let failed = Mutex::new(Vec::new());
    let observer = |event| {
        if let Event::StepFailed { what, .. } = event {
            failed.lock().unwrap().push(what);
        }
    };
    let asking = Asking { observer: &observer, ..asking(&model) };
    let analyzed = analyze(asking, &fixture.place, &request(path.clone())).await.unwrap();
    let expected = [("2", 7.0), ("3", 7.0), ("4", 5.0)];
    assert_eq!(scores(&path), expected.map(|(id, score)| (id.to_owned(), score)));
    assert_eq!(
        (ids(&analyzed.left_out), failed.lock().unwrap().clone()),
        (vec!["4".to_owned()], vec!["task 4".to_owned()])
    );
    let prefix =
        |it: &tm_llm::chat::ChatRequest| words(it).split_once("<task>").unwrap().0.to_owned();
    let prefixes: Vec<String> = model.seen().iter().map(prefix).collect();
    assert!(prefixes.iter().all(|it| *it == prefixes[0]));
}

#[tokio::test]
async fn a_model_that_fails_leaves_the_report_as_it_was() {
    for whole in [true, false] {
        for model in faults() {
            let model = if whole { model.with_whole_answers() } else { model };
            let fixture = Fixture::new();
            let (_folder, path) = report();
            let error =
                analyze(asking(&model), &fixture.place, &request(path.clone())).await.unwrap_err();
            assert!(matches!(error, AnalyzeError::Change(ChangeError::Ask(_))), "{error}");
            assert!(!path.exists());
        }
    }
}

#[tokio::test]
async fn only_what_is_selected_is_analysed_and_the_rest_of_the_report_stays() {
    let fixture = Fixture::new();
    let (_folder, path) = report();
    let model = ScriptedModel::new(about_one);
    for (selection, expected, skipped) in [
        (Selection::All, "2 3 4", ""),
        (Selection::Range { from: 3, to: 9 }, "3 4", ""),
        (Selection::These(vec![TaskId::top(4), TaskId::top(1), TaskId::top(8)]), "4", "1 done, 8"),
        (Selection::These(vec![TaskId::top(1)]), "", "1 done"),
    ] {
        let request = Analyze { selection, ..request(path.clone()) };
        let analyzed = analyze(asking(&model), &fixture.place, &request).await.unwrap();
        assert_eq!(ids(&analyzed.tasks).join(" "), expected);
        let name = |it: &Skipped| match &it.status {
            Some(status) => format!("{} {status}", it.id),
            None => it.id.to_string(),
        };
        assert_eq!(analyzed.skipped.iter().map(name).collect::<Vec<_>>().join(", "), skipped);
        assert_eq!(scores(&path).len(), 3);
    }
    assert_eq!(model.seen().len(), 3 + 2 + 1);
}

#[tokio::test]
async fn nothing_is_asked_without_tasks_or_with_a_report_that_is_none() {
    let fixture = Fixture::with(&json!({"master": {"tasks": []}}));
    let (_folder, path) = report();
    let model = ScriptedModel::new(|_| Reply::Stall);
    let error = analyze(asking(&model), &fixture.place, &request(path.clone())).await.unwrap_err();
    assert_eq!(error.to_string(), "the tag `master` has no tasks");

    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "My report").unwrap();
    let error =
        analyze(asking(&model), &Fixture::new().place, &request(path.clone())).await.unwrap_err();
    assert!(matches!(error, AnalyzeError::Report(ReportError::NotAReport { .. })), "{error}");
    assert!(model.seen().is_empty());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "My report");
}

#[tokio::test]
async fn more_tasks_than_a_model_can_hold_are_asked_about_in_several_questions() {
    let task = |id: u64| json!({"id": id, "title": "Store values", "details": "word ".repeat(200)});
    let tasks: Vec<Value> = (1..=20).map(task).collect();
    let fixture = Fixture::with(&json!({"master": {"tasks": tasks}}));
    let (_folder, path) = report();
    let entries: Vec<Value> = (1..=20).map(|id| entry(id, 3.0)).collect();
    let model = together(&entries).with_context(6000);
    let analyzed = analyze(asking(&model), &fixture.place, &request(path.clone())).await.unwrap();
    assert!(model.seen().len() > 2, "{} questions", model.seen().len());
    assert_eq!((analyzed.left_out.len(), scores(&path).len()), (0, 20));
}
