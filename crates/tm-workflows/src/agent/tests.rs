use serde_json::json;
use tm_tasks::document::{Tag, TaskFile};

use super::*;

fn tag() -> Tag {
    let tasks = json!([
        { "id": 1, "title": "Flour", "status": "done", "priority": "low" },
        { "id": 2, "title": "Oven", "status": "pending", "priority": "high", "details": "Hot.",
          "testStrategy": "Touch it.", "description": "Heat it", "subtasks": [
            { "id": 1, "title": "Switch", "status": "pending" },
            { "id": 2, "title": "Wait", "status": "in-progress" },
        ] },
        { "id": 3, "title": "Dough", "status": "in-progress" },
    ]);
    TaskFile::parse(tasks.to_string()).unwrap().tag("master").unwrap().clone()
}

#[test]
fn a_task_is_chosen_by_name_or_because_it_is_next() {
    #[track_caller]
    fn check(id: Option<&str>, expected: &str) {
        let id = id.map(|it| it.parse().unwrap());
        let chosen = choose(tag().tasks(), "master", id.as_ref());
        let found = match chosen {
            Ok(it) => format!("{} of {}", it.target().id(), it.task.id()),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }
    check(None, "2 of 2");
    check(Some("3"), "3 of 3");
    check(Some("2.1"), "2.1 of 2");
    check(Some("9"), "there is no task 9 in tag `master`");
    check(Some("2.9"), "there is no task 2.9 in tag `master`");
    assert_eq!(choose(&[], "master", None), Err(NoAssignment::NothingReady));
}

#[test]
fn other_work_in_progress_is_in_the_way_and_work_on_the_same_task_is_not() {
    let tag = tag();
    let check = |id: &str| {
        let chosen = choose(tag.tasks(), "master", Some(&id.parse().unwrap())).unwrap();
        check_alone(tag.tasks(), &chosen)
    };
    assert_eq!(check("2.1").unwrap_err().to_string(), "other work is in progress: 3");
    assert_eq!(check("3"), Ok(()));
}

#[test]
fn the_agent_is_told_all_about_the_task() {
    let prompt = |id: &str| {
        let chosen = choose(tag().tasks(), "master", Some(&id.parse().unwrap())).unwrap();
        chosen.prompt().unwrap()
    };
    insta::assert_snapshot!(prompt("2"));
    let part = prompt("2.1");
    assert!(part.starts_with("Work on subtask 2.1 of this project, \"Switch\""), "{part}");
    assert!(part.contains("--id=2.1 --status=done"), "{part}");
    assert!(part.contains("Priority: high"), "{part}");
}
