//! `history` and `undo`.

use serde_json::json;

use crate::{model_server::ModelServer, project::Project};

#[test]
fn a_change_can_be_taken_back() {
    let project = Project::bakery();
    let before = project.tasks();
    project.run(&["set-status", "--id=3", "--status=done"]);
    assert_ne!(project.tasks(), before);
    let run = project.run(&["undo"]);
    insta::assert_snapshot!(run.all());
    assert_eq!(project.tasks(), before);
}

#[test]
fn history_numbers_changes_from_the_latest() {
    let project = Project::bakery();
    assert!(project.run(&["history"]).out.contains("No changes are known."));
    project.run(&["set-status", "--id=3", "--status=done"]);
    project.run(&["set-status", "--id=3", "--status=review"]);
    let history = project.json(&["history", "--json"]);
    assert_eq!(history["changes"][0]["seq"], 2);
    assert_eq!(history["changes"][0]["command"], "set-status --id=3 --status=review");
    assert_eq!(history["changes"][1]["seq"], 1);
    let run = project.run(&["history", "-n", "1"]);
    assert!(
        run.out.contains("--status=review") && !run.out.contains("--status=done"),
        "{}",
        run.out
    );
}

#[test]
fn any_earlier_version_can_be_brought_back() {
    let project = Project::bakery();
    project.run(&["set-status", "--id=3", "--status=done"]);
    let wanted = project.tasks();
    project.run(&["set-status", "--id=3", "--status=review"]);
    project.run(&["set-status", "--id=4", "--status=done"]);
    let run = project.run(&["undo", "--to=1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.tasks(), wanted);
}

#[test]
fn edits_by_hand_are_lost_only_by_force() {
    let project = Project::bakery();
    let before = project.tasks();
    project.run(&["set-status", "--id=3", "--status=done"]);
    let edited = project.tasks().replace("Gift cards", "Vouchers");
    project.write(".taskmaster/tasks/tasks.json", &edited);
    let run = project.run(&["undo"]);
    insta::assert_snapshot!(run.all());
    assert_eq!(project.tasks(), edited);
    assert_eq!(project.run(&["undo", "--force"]).code, 0);
    assert_eq!(project.tasks(), before);
}

#[test]
fn a_file_that_was_broken_by_hand_can_be_brought_back() {
    let project = Project::bakery();
    project.run(&["set-status", "--id=3", "--status=done"]);
    let wanted = project.tasks();
    project.write(".taskmaster/tasks/tasks.json", "{ broken");
    assert_eq!(project.run(&["history"]).code, 0);
    assert_eq!(project.run(&["undo", "--to=1", "--force"]).code, 0);
    assert_eq!(project.tasks(), wanted);
}

#[test]
fn without_changes_there_is_nothing_to_take_back() {
    insta::assert_snapshot!(Project::bakery().run(&["undo"]).all());
}

#[test]
fn a_change_is_told_field_by_field() {
    let project = Project::bakery();
    project.run(&["set-status", "--id=2.2", "--status=done"]);
    let told = project.json(&["history", "1", "--json"]);
    assert_eq!(told["change"]["command"], "set-status --id=2.2 --status=done");
    let tasks = told["difference"]["tasks"].as_array().unwrap();
    let changed: Vec<_> = tasks.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(changed, ["2", "2.2"]);
    let status = &tasks[1]["fields"][0];
    assert_eq!(status["field"], "status");
    assert_eq!((&status["before"], &status["after"]), (&"pending".into(), &"done".into()));
    let run = project.run(&["history", "1"]);
    assert!(run.out.contains("    status: pending → done\n"), "{}", run.out);
    assert_eq!(project.run(&["history", "9"]).code, 1);
}

#[test]
fn an_earlier_version_is_restored_and_that_can_be_taken_back() {
    let project = Project::bakery();
    project.run(&["set-status", "--id=3", "--status=done"]);
    let wanted = project.tasks();
    project.run(&["set-status", "--id=4", "--status=done"]);
    let latest = project.tasks();
    let run = project.run(&["restore", "1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.tasks(), wanted);
    assert_eq!(project.run(&["undo"]).code, 0);
    assert_eq!(project.tasks(), latest);
    let run = project.run(&["restore", "99"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("has no change 99"), "{}", run.err);
    assert_eq!(project.tasks(), latest);
}

#[test]
fn restoring_over_edits_by_hand_needs_force() {
    let project = Project::bakery();
    project.run(&["set-status", "--id=3", "--status=done"]);
    let wanted = project.tasks();
    let edited = wanted.replace("Gift cards", "Vouchers");
    project.write(".taskmaster/tasks/tasks.json", &edited);
    assert_eq!(project.run(&["restore", "1"]).code, 1);
    assert_eq!(project.tasks(), edited);
    assert_eq!(project.run(&["restore", "1", "--force"]).code, 0);
    assert_eq!(project.tasks(), wanted);
}

#[test]
fn what_a_change_wrote_is_shown_with_its_quality() {
    let project = Project::empty();
    project.write("prd.md", "# Notes\n- find notes by word\n");
    let server = ModelServer::saying(&json!({"tasks": [{
        "id": 1, "title": "Find notes by word", "description": "Find every note by a word in it.",
        "details": "Keep an index of words beside the notes, rank what is found, and show the \
                    best note first with its word marked.",
        "testStrategy": "Search for a word and check that its note is shown first.",
        "priority": "high", "dependencies": [], "status": "pending",
    }]}));
    let run = server.run(&project, &["parse-prd", "prd.md", "-n", "1"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("\n  quality "), "{}", run.out);
    let change = &project.json(&["history", "--json"])["changes"][0];
    assert!(change["quality"]["percent"].as_u64().unwrap() > 0, "{change}");
    assert_eq!(change["quality"]["tasks"][0]["id"], "1");
    for arguments in [&["history"][..], &["history", "1"]] {
        assert!(project.run(arguments).out.contains("quality "), "{arguments:?}");
    }
    project.run(&["set-status", "1", "done"]);
    assert!(project.json(&["history", "--json"])["changes"][0]["quality"].is_null());
}
