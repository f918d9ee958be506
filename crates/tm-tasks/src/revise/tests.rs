use super::*;
use crate::document::TaskFile;

fn tasks() -> Vec<Task> {
    let text = json!({"master": {"tasks": [
        {"id": 1, "title": "One", "description": "First", "dependencies": [], "priority": "high"},
        {"id": 2, "title": "Two", "description": "Second", "dependencies": [1], "status": "in-progress",
         "details": "Plan.\n<info added on 2030>\nKeep me.\n</info added on 2030>",
         "metadata": {"ticket": "X-1"}, "unknown": [1],
         "subtasks": [
            {"id": 1, "title": "A", "status": "done", "dependencies": []},
            {"id": 2, "title": "B", "status": "pending", "dependencies": [1], "own": true},
            {"id": 3, "title": "C", "status": "pending", "dependencies": [2]},
            {"id": 4, "title": "D", "status": "in-progress", "dependencies": [3, 1]},
         ]},
        {"id": 3, "title": "Three", "description": "Third", "dependencies": [2]},
    ]}});
    let file = TaskFile::parse(text.to_string()).unwrap();
    file.tag("master").unwrap().tasks().to_vec()
}

fn revised(revision: &Revision) -> Task {
    let tasks = tasks();
    let mut task = tasks[1].clone();
    revise(&mut task, revision, &tasks);
    task
}

fn draft(number: Option<u64>, title: &str) -> SubtaskDraft {
    SubtaskDraft { number, title: title.to_owned(), ..Default::default() }
}

#[test]
fn what_a_revision_does_not_say_stays() {
    assert_eq!(revised(&Revision::default()), tasks()[1]);
    let empty = Revision {
        title: Some(String::new()),
        description: Some("  ".into()),
        subtasks: Some(vec![]),
        priority: Some(Priority::Other("urgent".into())),
        ..Default::default()
    };
    assert_eq!(revised(&empty), tasks()[1]);
    let task = revised(&Revision { title: Some("Two again".into()), ..Default::default() });
    assert_eq!(task.title(), "Two again");
    assert_eq!(task.raw("unknown"), Some("[1]"));
    assert_eq!(task.raw("metadata"), Some(r#"{"ticket":"X-1"}"#));
    assert_eq!(task.raw("id"), Some("2"));
}

#[test]
fn notes_survive_new_details() {
    let task = revised(&Revision { details: Some("New plan.".into()), ..Default::default() });
    assert_eq!(
        task.details().unwrap(),
        "New plan.\n<info added on 2030>\nKeep me.\n</info added on 2030>"
    );
}

#[test]
fn dependencies_exist_and_close_no_circle() {
    for (wanted, expected) in
        [("1", "[1]"), ("", "[]"), ("3", "[]"), ("1 2 3 9 2.1", "[1]"), ("1 1", "[1]")]
    {
        let dependencies =
            wanted.split_whitespace().map(|it| it.parse().unwrap()).collect::<Vec<TaskId>>();
        let task = revised(&Revision { dependencies: Some(dependencies), ..Default::default() });
        assert_eq!(task.raw("dependencies"), Some(expected), "{wanted}");
    }
}

#[test]
fn subtasks_that_were_begun_or_finished_survive_and_finished_ones_as_they_were() {
    let drafts =
        vec![draft(Some(1), "Z"), draft(Some(2), "B again"), draft(None, "E"), draft(Some(9), "F")];
    let task = revised(&Revision { subtasks: Some(drafts), ..Default::default() });
    let shape: Vec<String> = task
        .subtasks()
        .iter()
        .map(|it| format!("{} {} {}", it.id(), it.title(), it.raw("dependencies").unwrap()))
        .collect();
    assert_eq!(
        shape,
        ["2.1 A []", "2.2 B again [1]", "2.4 D [1]", "2.5 E []", "2.6 F []"],
        "C was pending and is gone"
    );
    assert_eq!(task.subtasks()[1].raw("own"), Some("true"));
}

#[test]
fn a_status_is_set_where_the_revision_says_one() {
    let task = revised(&Revision { status: Some(Status::Blocked), ..Default::default() });
    assert_eq!(task.status(), Status::Blocked);
}
