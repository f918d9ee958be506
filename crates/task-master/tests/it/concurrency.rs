//! Many processes at work on one project.

use std::{collections::HashSet, thread};

use serde_json::{Value, json};

use crate::project::Project;

const PROCESSES: usize = 8;
const ROUNDS: usize = 4;

fn project() -> Project {
    let task = |id: usize| {
        json!({
            "id": id, "title": format!("Oven {id}"), "description": "d", "status": "pending",
            "priority": "medium", "dependencies": [], "subtasks": [
                { "id": 1, "title": "Heat", "description": "d", "status": "pending" }
            ]
        })
    };
    let first = task(PROCESSES + 1);
    let tasks: Vec<Value> = (1..=PROCESSES).map(task).chain([first]).collect();
    Project::with_tasks(&json!(tasks))
}

/// Each process changes a task of its own and adds to what all share. Whatever was acknowledged
/// must be there afterwards.
fn work(project: &Project, number: usize) {
    let done = |arguments: &[&str]| {
        let run = project.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.all());
    };
    let all = (PROCESSES + 1).to_string();
    for round in 0..ROUNDS {
        let status = ["in-progress", "review", "pending", "done"][round % 4];
        done(&["set-status", &format!("--id={number}"), &format!("--status={status}")]);
        done(&["add-task", &format!("--title=Loaf {number}.{round}"), "--description=d"]);
        done(&["list", "--json"]);
    }
    done(&["set-status", &format!("--id={number}.1"), "--status=done"]);
    done(&["add-dependency", &format!("--id={number}"), &format!("--depends-on={all}")]);
    done(&["tags", "add", &format!("oven-{number}")]);
}

#[test]
fn what_was_acknowledged_is_there_and_can_all_be_taken_back() {
    let project = project();
    let before = project.tasks();
    thread::scope(|scope| {
        for number in 1..=PROCESSES {
            let project = &project;
            scope.spawn(move || work(project, number));
        }
    });

    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    let tasks = file["master"]["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), PROCESSES + 1 + PROCESSES * ROUNDS);
    let ids: HashSet<&Value> = tasks.iter().map(|it| &it["id"]).collect();
    assert_eq!(ids.len(), tasks.len(), "an id was given twice");
    let titles: HashSet<&str> = tasks.iter().map(|it| it["title"].as_str().unwrap()).collect();
    for number in 1..=PROCESSES {
        for round in 0..ROUNDS {
            assert!(titles.contains(&*format!("Loaf {number}.{round}")), "{number}.{round}");
        }
        let task = &tasks[number - 1];
        assert_eq!(task["status"], "done", "{task}");
        assert_eq!(task["subtasks"][0]["status"], "done", "{task}");
        assert_eq!(task["dependencies"], json!([PROCESSES + 1]), "{task}");
        assert!(file[format!("oven-{number}")]["tasks"].is_array(), "{number}");
    }

    let changes = project.json(&["history", "--json", "-n", "1000"])["changes"].clone();
    let count = changes.as_array().unwrap().len();
    assert_eq!(count, PROCESSES * (2 * ROUNDS + 3));
    assert_eq!(project.run(&["undo", "-n", &count.to_string()]).code, 0);
    assert_eq!(project.tasks(), before);
}
