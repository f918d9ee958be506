//! Reports of every age, and what a run leaves of them.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::document::TaskFile;

fn moment() -> Timestamp {
    "2030-01-02T03:04:05Z".parse().unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn analysis(task: u64, score: u8) -> NewAnalysis {
    NewAnalysis {
        task_id: TaskId::top(task),
        task_title: format!("Task {task}"),
        score,
        recommended_subtasks: 3,
        expansion_prompt: "By layer".to_owned(),
        reasoning: "Many parts".to_owned(),
    }
}

fn run(analyses: Vec<NewAnalysis>) -> Run {
    let looked_at = analyses.len();
    let project_name = "Bakery".to_owned();
    Run { analyses, looked_at, threshold: 5, project_name, used_research: false }
}

fn tasks(ids: impl IntoIterator<Item = u64>) -> Vec<Task> {
    ids.into_iter().map(|it| Task::parse(&json!({ "id": it }).to_string(), None)).collect()
}

fn ids(report: &ComplexityReport) -> Vec<String> {
    report.analyses().iter().map(|it| it.task_id().to_string()).collect()
}

const OLD: &str = r#"{
  "meta": { "generatedAt": "2025-01-01T00:00:00.000Z", "thresholdScore": "6", "author": "Ada" },
  "complexityAnalysis": [
    { "taskId": "2", "taskTitle": "Ovens", "complexityScore": 8.50, "recommendedSubtasks": "4",
      "expansionPrompt": "By oven", "complexityReasoning": "Hot", "mood": "grim" },
    { "id": 7, "title": "Sign", "complexityScore": "2", "reasoning": "Paint" },
    "odd"
  ],
  "notes": [1.10]
}"#;

#[test]
fn reports_of_every_age_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    fs::write(&path, OLD).unwrap();
    let report = ComplexityReport::read(&path).unwrap();
    assert_eq!(report.meta().threshold, Some(6));
    let oven = report.analysis(&id("2")).unwrap();
    assert_eq!(oven.score(), Some(8.5));
    assert_eq!(oven.band(), Band::High);
    assert_eq!(oven.recommended_subtasks(), Some(4));
    assert_eq!(oven.expansion_prompt().as_deref(), Some("By oven"));
    assert_eq!(oven.reasoning().as_deref(), Some("Hot"));
    let sign = report.analysis(&id("7")).unwrap();
    assert_eq!((sign.task_title().as_str(), sign.band()), ("Sign", Band::Low));
    assert_eq!(sign.reasoning().as_deref(), Some("Paint"));
    assert_eq!(report.analysis(&id("3")), None);
}

#[test]
fn a_first_run_that_has_nothing_to_look_at_counts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    record(&path, &run(vec![]), &tasks([2, 3]), moment()).unwrap();
    let report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let meta: Vec<&String> = report["meta"].as_object().unwrap().keys().collect();
    let said = ["generatedAt", "tasksAnalyzed", "thresholdScore", "projectName", "usedResearch"];
    assert_eq!(meta, said);
    assert_eq!(report["complexityAnalysis"], json!([]));
}

#[test]
fn a_run_adds_to_what_is_known_and_keeps_what_it_does_not_understand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    fs::write(&path, OLD).unwrap();
    record(&path, &run(vec![analysis(3, 5)]), &tasks([2, 3]), moment()).unwrap();
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap());
}

#[test]
fn the_first_run_makes_the_report_and_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports/report.json");
    assert!(ComplexityReport::find(&path).unwrap().is_none());
    assert!(matches!(ComplexityReport::read(&path), Err(ReportError::Missing { .. })));
    record(&path, &run(vec![analysis(3, 5)]), &tasks([3]), moment()).unwrap();
    let report = ComplexityReport::find(&path).unwrap().unwrap();
    assert_eq!(report.to_json(), fs::read_to_string(&path).unwrap());
    assert_eq!(report.meta().tasks_analyzed, Some(1));
}

#[test]
fn a_file_that_is_no_report_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    fs::write(&path, "{ broken").unwrap();
    assert!(matches!(ComplexityReport::find(&path), Err(ReportError::NotAReport { .. })));
    let error = record(&path, &run(vec![]), &[], moment()).unwrap_err();
    assert!(matches!(error, ReportError::NotAReport { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ broken");
    let error = ComplexityReport::read(folder.path()).unwrap_err();
    assert!(matches!(error, ReportError::Unreadable { .. }), "{error}");
}

#[test]
fn tasks_are_shown_with_what_is_known_about_them() {
    let text = r#"{"master":{"tasks":[{"id":"2","complexity":1},{"id":3}]}}"#;
    let mut file = TaskFile::parse(text).unwrap();
    let report = ComplexityReport::from_record(Record::parse(OLD).unwrap());
    report.annotate(file.tag_mut("master").unwrap());
    let task = |text| file.tag("master").unwrap().find(&id(text)).unwrap();
    // A number is written as the report has it.
    assert_eq!(
        task("2").to_json(),
        json::format(
            r#"{"id":"2","complexity":8.50,"recommendedSubtasks":"4","expansionPrompt":"By oven","complexityReasoning":"Hot"}"#
        )
    );
    assert_eq!(task("3").to_json(), "{\n  \"id\": 3\n}");
}

proptest! {
    #[test]
    fn after_a_run_every_task_is_known_at_most_once_and_none_is_forgotten(
        old in prop::collection::btree_set(1_u64..12, 0..8),
        new in prop::collection::btree_set(1_u64..12, 0..8),
        all in prop::collection::btree_set(1_u64..12, 0..12),
    ) {
        let mut report = ComplexityReport::default();
        let every: Vec<Task> = tasks(1..12);
        report.merge(&run(old.iter().map(|it| analysis(*it, 2)).collect()), &every, moment());
        report.merge(&run(new.iter().map(|it| analysis(*it, 9)).collect()), &tasks(all.clone()), moment());
        let mut found = ids(&report);
        found.sort();
        let kept = old.iter().filter(|it| all.contains(it) && !new.contains(it));
        let mut expected: Vec<String> = kept.chain(&new).map(ToString::to_string).collect();
        expected.sort();
        prop_assert_eq!(found, expected);
        for task in &new {
            prop_assert_eq!(report.analysis(&TaskId::top(task)).unwrap().score(), Some(9.0));
        }
        let read = ComplexityReport::from_record(report.to_record());
        prop_assert_eq!(read.to_json(), report.to_json());
    }
}
