//! `complexity-report`, and what other commands show of a report.

use serde_json::json;

use crate::project::Project;

fn analysed(path: &str) -> Project {
    let project = Project::bakery();
    let report = json!({
        "meta": {
            "generatedAt": "2025-01-01T00:00:00.000Z",
            "tasksAnalyzed": 6,
            "thresholdScore": 5,
        },
        "complexityAnalysis": [
            analysis(4, "Mail customers when their bread is ready", 3, 2),
            analysis(2, "Ledger", 7, 4),
            analysis(3, "面包店的购物车 Warenkorb", 9, 6),
            analysis(1, "Repository", 5, 3),
            analysis(5, "Sign", 5, 3),
            analysis(77, "Drive-in", 8, 3),
        ],
    });
    project.write(path, report.to_string());
    project
}

fn analysis(task: u64, title: &str, score: u64, subtasks: u64) -> serde_json::Value {
    json!({
        "taskId": task,
        "taskTitle": title,
        "complexityScore": score,
        "recommendedSubtasks": subtasks,
        "expansionPrompt": "Layer by layer",
        "reasoning": "There are several parts that have to work together, and nobody knows all of them.",
    })
}

const MASTER: &str = ".taskmaster/reports/task-complexity-report.json";
const FESTIVAL: &str = ".taskmaster/reports/task-complexity-report_festival.json";

#[test]
fn a_narrow_terminal_shows_what_to_divide_and_how() {
    insta::assert_snapshot!(analysed(MASTER).run_in_columns(80, &["complexity-report"]).all());
}

#[test]
fn a_wide_terminal_shows_all_reasons() {
    insta::assert_snapshot!(analysed(MASTER).run_in_columns(200, &["complexity-report"]).all());
}

#[test]
fn each_tag_has_a_report_of_its_own() {
    let project = analysed(FESTIVAL);
    insta::assert_snapshot!(project.run(&["complexity-report"]).all());
    let run = project.run(&["complexity-report", "--tag", "festival"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("tag festival"), "{}", run.out);
    let other = "task-master expand --id=1 --num=3 --tag=festival";
    assert!(run.out.contains(other), "{}", run.out);
    project.write(".taskmaster/state.json", r#"{"currentTag": "festival"}"#);
    let current = project.run(&["complexity-report"]).out;
    assert!(current.contains("tag festival"), "{current}");
    assert!(current.contains("expand --id=1 --num=3") && !current.contains("--tag"), "{current}");
}

#[test]
fn any_report_can_be_shown() {
    let project = analysed("elsewhere/report.json");
    let run = project.run(&["complexity-report", "-f", "elsewhere/report.json"]);
    assert!(run.out.contains("task-master expand --id=3 --num=6"), "{}", run.all());
    let run = project.run(&["complexity-report", "-f", "nowhere.json"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("there is no complexity report"), "{}", run.err);
}

#[test]
fn a_broken_report_stops_this_command_and_no_other() {
    let project = Project::bakery();
    project.write(MASTER, "{ broken");
    let run = project.run(&["complexity-report"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("is no complexity report"), "{}", run.err);
    let run = project.run(&["list", "--json"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("warning: "), "{}", run.err);
}

#[test]
fn tasks_are_listed_and_shown_with_their_complexity() {
    let project = analysed(MASTER);
    let task = &project.json(&["list", "--json"])["tasks"][2];
    assert_eq!(task["complexity"], 9);
    assert_eq!(task["recommendedSubtasks"], 6);
    assert_eq!(task["expansionPrompt"], "Layer by layer");
    assert_eq!(project.json(&["show", "3", "--json"])["task"]["complexity"], 9);
    assert_eq!(project.json(&["list", "--json", "--all-tags"])["tasks"][2]["complexity"], 9);
    let wide = project.run_in_columns(160, &["list"]).out;
    assert!(wide.contains("Complexity"), "{wide}");
    let shown = project.run(&["show", "3"]).out;
    assert!(shown.contains("Complexity    9"), "{shown}");
    assert!(shown.contains("There are several parts"), "{shown}");
    assert!(!project.tasks().contains("complexity"));
}
