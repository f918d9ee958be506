use proptest::prelude::*;
use serde_json::json;
use tm_tasks::document::TaskFile;

use super::*;

/// A workflow for task 2, whose subtasks have these statuses.
fn workflow(statuses: &[&str], max_attempts: u32) -> Result<Workflow, StepError> {
    let subtasks: Vec<Value> = statuses
        .iter()
        .enumerate()
        .map(|(index, status)| json!({ "id": index + 1, "title": format!("s{index}"), "status": status }))
        .collect();
    let file = json!([{ "id": 2, "title": "Oven: heat it!", "subtasks": subtasks }]);
    let file = TaskFile::parse(file.to_string()).unwrap();
    let task = file.tag("master").unwrap().tasks()[0].clone();
    Workflow::new(&task, "master", max_attempts, "2030-01-01T00:00:00Z".parse().unwrap())
}

fn tests(passed: u64, failed: u64) -> TestResults {
    TestResults { total: passed + failed, passed, failed, ..TestResults::default() }
}

/// `r`eports a failing test, `g`reen ones, `c`ommits; each letter must be allowed.
#[track_caller]
fn check(statuses: &[&str], steps: &str, expected: &str) {
    let mut workflow = workflow(statuses, 2).unwrap();
    for step in steps.chars() {
        match step {
            'r' => drop(workflow.complete(tests(0, 1), NothingFails::Refuse).unwrap()),
            'g' => drop(workflow.complete(tests(1, 0), NothingFails::Refuse).unwrap()),
            'c' => {
                workflow.check_commit().unwrap();
                workflow.advance();
            }
            's' => drop(workflow.complete(tests(1, 0), NothingFails::CompleteSubtask).unwrap()),
            _ => workflow.finalize().unwrap(),
        }
    }
    let current = workflow.current().unwrap();
    let progress = workflow.progress();
    let found = format!(
        "{:?} at {} ({:?}, {} of {}, {} %)",
        workflow.action(),
        current.id,
        current.status,
        progress.completed,
        progress.total,
        progress.percentage
    );
    assert_eq!(found, expected);
}

#[test]
fn each_subtask_goes_through_red_green_and_commit() {
    check(&["pending", "pending"], "", "GenerateTest at 1 (Pending, 0 of 2, 0 %)");
    check(&["pending", "pending"], "r", "ImplementCode at 1 (Pending, 0 of 2, 0 %)");
    check(&["pending", "pending"], "rg", "CommitChanges at 1 (Pending, 0 of 2, 0 %)");
    check(&["pending", "pending"], "rgc", "GenerateTest at 2 (Pending, 1 of 2, 50 %)");
    check(&["pending", "pending"], "rgcrgc", "FinalizeWorkflow at 2 (Completed, 2 of 2, 100 %)");
    check(&["pending"], "rgcf", "WorkflowComplete at 1 (Completed, 1 of 1, 100 %)");
}

#[test]
fn what_is_done_already_is_left_out() {
    check(
        &["done", "pending", "cancelled", "review"],
        "",
        "GenerateTest at 2 (Pending, 2 of 4, 50 %)",
    );
    check(
        &["done", "pending", "cancelled", "review"],
        "rgc",
        "GenerateTest at 4 (Pending, 3 of 4, 75 %)",
    );
    let resumed = workflow(&["done", "pending"], 3).unwrap().context.metadata;
    assert_eq!(resumed.resumed_from_subtask.as_deref(), Some("2"));
}

#[test]
fn a_subtask_that_needs_no_work_can_be_skipped() {
    check(&["pending", "pending"], "s", "GenerateTest at 2 (Pending, 1 of 2, 50 %)");
}

#[test]
fn failing_tests_use_up_attempts_and_passing_ones_still_help() {
    check(&["pending"], "rr", "ImplementCode at 1 (Pending, 0 of 1, 0 %)");
    check(&["pending"], "rrr", "ImplementCode at 1 (Failed, 0 of 1, 0 %)");
    check(&["pending"], "rrrr", "ImplementCode at 1 (Failed, 0 of 1, 0 %)");
    check(&["pending"], "rrrg", "CommitChanges at 1 (Pending, 0 of 1, 0 %)");
}

#[test]
fn what_comes_too_early_changes_nothing() {
    #[track_caller]
    fn check(steps: &str, act: fn(&mut Workflow) -> Result<(), StepError>, expected: &str) {
        let mut workflow = workflow(&["pending"], 3).unwrap();
        for step in steps.chars() {
            let results = if step == 'r' { tests(0, 1) } else { tests(1, 0) };
            workflow.complete(results, NothingFails::Refuse).unwrap();
        }
        let before = workflow.clone();
        assert_eq!(act(&mut workflow).unwrap_err().to_string(), expected);
        assert_eq!(workflow, before);
    }
    let green = |it: &mut Workflow| it.complete(tests(2, 0), NothingFails::Refuse).map(drop);
    check("", green, "none of the tests fails, and in the RED phase one must");
    check("rg", green, "this cannot be done in the COMMIT phase");
    check("", |it| it.check_commit(), "this cannot be done in the RED phase");
    check("r", |it| it.check_commit(), "this cannot be done in the GREEN phase");
    check("rg", Workflow::finalize, "subtasks are not done yet: 2.1");
}

#[test]
fn a_task_without_open_subtasks_has_no_workflow() {
    assert_eq!(workflow(&[], 3).unwrap_err().to_string(), "task 2 has no subtasks");
    let done = workflow(&["done", "completed"], 3).unwrap_err();
    assert_eq!(done.to_string(), "all subtasks of task 2 are done");
}

#[test]
fn branches_have_names_that_git_allows() {
    let name = |tag, title| branch_name(tag, &"7".parse().unwrap(), title);
    assert_eq!(name("master", "Set up: the Oven!"), "tm/master/task-7-set-up-the-oven");
    assert_eq!(name("a..b~^:?*[\\", ""), "tm/a-b/task-7");
    assert_eq!(name("!", "…"), "tm/tag/task-7");
    assert!(name("m", &"very long words ".repeat(20)).len() < 80);
}

#[test]
fn the_state_file_has_the_form_that_others_expect() {
    let mut workflow = workflow(&["done", "pending"], 3).unwrap();
    workflow.complete(tests(0, 1), NothingFails::Refuse).unwrap();
    insta::assert_json_snapshot!(workflow);
}

#[test]
fn fields_of_others_survive() {
    let text = json!({
        "phase": "SUBTASK_LOOP",
        "context": {
            "taskId": "2",
            "subtasks": [{ "id": "1", "title": "a", "status": "pending", "attempts": 0 }],
            "currentSubtaskIndex": 0,
            "currentTDDPhase": "RED",
            "branchName": "b",
            "errors": [],
            "metadata": { "startedAt": "x", "taskTitle": "t", "runner": "vitest" },
            "tag": "master",
            "worktree": "/w"
        },
        "version": 1
    });
    let workflow: Workflow = serde_json::from_value(text).unwrap();
    let written = serde_json::to_value(&workflow).unwrap();
    assert_eq!(written["context"]["metadata"]["runner"], "vitest");
    assert_eq!(written["context"]["worktree"], "/w");
    assert_eq!(written["version"], 1);
    assert_eq!(written["context"]["subtasks"][0]["maxAttempts"], 3);
}

proptest! {
    /// Whatever is reported: no panic, attempts stay in bounds, done subtasks stay done, and the
    /// end is reached exactly when all are.
    #[test]
    fn any_reports_keep_the_workflow_sound(
        subtasks in prop::collection::vec(prop::sample::select(vec!["pending", "done", "review"]), 1..5),
        steps in prop::collection::vec((0..4u8, 0..3u64, 0..3u64), 0..40),
        max_attempts in 1..4u32,
    ) {
        let Ok(mut workflow) = workflow(&subtasks, max_attempts) else { return Ok(()) };
        for (step, passed, failed) in steps {
            let before = workflow.clone();
            let result = match step {
                0 => workflow.complete(tests(passed, failed), NothingFails::Refuse).map(drop),
                1 => workflow.complete(tests(passed, failed), NothingFails::CompleteSubtask).map(drop),
                2 => workflow.check_commit().map(|()| workflow.advance()),
                _ => workflow.finalize(),
            };
            if result.is_err() {
                prop_assert_eq!(&workflow, &before);
            }
            prop_assert!(workflow.progress().completed >= before.progress().completed);
            for subtask in &workflow.context.subtasks {
                prop_assert!(subtask.attempts <= subtask.max_attempts);
            }
            let is_over = matches!(workflow.phase, Phase::Finalize | Phase::Complete);
            prop_assert_eq!(is_over, workflow.context.subtasks.iter().all(|it| !it.is_open()));
            let text = serde_json::to_string(&workflow).unwrap();
            prop_assert_eq!(serde_json::from_str::<Workflow>(&text).unwrap(), workflow.clone());
        }
    }
}
