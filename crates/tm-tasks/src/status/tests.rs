//! One status changes; which others follow.

use super::*;

/// `check("pending[done,pending]", "1.2=done", "done[done,done]")`: task 1 with its subtasks.
#[track_caller]
fn check(before: &str, change: &str, after: &str) {
    let mut file = file(before);
    let (id, status) = change.split_once('=').unwrap();
    let status: Status = status.parse().unwrap();
    let result = set_status(&mut file, "master", &id.parse().unwrap(), &status, moment());
    let task = &file.tag("master").unwrap().tasks()[0];
    let subtasks: Vec<String> = task.subtasks().iter().map(|it| it.status().to_string()).collect();
    assert_eq!(format!("{}[{}]", task.status(), subtasks.join(",")), after);
    assert_eq!(result.unwrap().new, status);
}

fn file(task: &str) -> TaskFile {
    let (status, subtasks) = task.strip_suffix(']').unwrap().split_once('[').unwrap();
    let subtasks = subtasks.split(',').filter(|it| !it.is_empty()).enumerate();
    let subtasks: Vec<_> =
        subtasks.map(|(index, it)| json!({"id": index + 1, "status": it})).collect();
    let task = json!({"id": 1, "status": status, "subtasks": subtasks});
    TaskFile::parse(json!({"master": {"tasks": [task]}}).to_string()).unwrap()
}

fn moment() -> Timestamp {
    "2030-01-02T03:04:05.678999Z".parse().unwrap()
}

#[test]
fn a_task_leaves_its_subtasks_alone() {
    check("pending[pending,review]", "1=done", "done[pending,review]");
    check("done[done]", "1=pending", "pending[done]");
}

#[test]
fn a_task_is_done_when_all_its_subtasks_are() {
    check("in-progress[done,pending]", "1.2=done", "done[done,done]");
    check("pending[completed,pending]", "1.2=done", "done[completed,done]");
    check("review[pending]", "1.1=done", "done[done]");
}

#[test]
fn a_task_is_in_progress_once_a_subtask_is() {
    check("pending[pending,pending]", "1.1=in-progress", "in-progress[in-progress,pending]");
    check("pending[pending,pending]", "1.1=done", "in-progress[done,pending]");
    check("done[done,done]", "1.1=pending", "in-progress[pending,done]");
    check("deferred[blocked,review]", "1.1=in-progress", "in-progress[in-progress,review]");
}

#[test]
fn a_task_is_pending_when_all_its_subtasks_are() {
    check("in-progress[in-progress,pending]", "1.1=pending", "pending[pending,pending]");
}

#[test]
fn a_task_stays_as_it_is_when_its_subtasks_disagree() {
    check("blocked[pending,pending]", "1.1=review", "blocked[review,pending]");
    check("review[cancelled,pending]", "1.2=cancelled", "review[cancelled,cancelled]");
}

#[test]
fn all_seven_statuses_can_be_set() {
    for status in Status::SETTABLE {
        check("todo[]", &format!("1={status}"), &format!("{status}[]"));
    }
}

#[test]
fn what_is_set_already_changes_nothing() {
    for change in ["1=pending", "1.1=done"] {
        let mut after = file("pending[done,pending]");
        let (id, status) = change.split_once('=').unwrap();
        let status = status.parse().unwrap();
        let change =
            set_status(&mut after, "master", &id.parse().unwrap(), &status, moment()).unwrap();
        assert_eq!((change.old, change.parent), (status, None));
        assert_eq!(after, file("pending[done,pending]"));
    }
}

#[test]
fn the_change_of_a_subtask_dates_its_task_too() {
    let mut file = file("pending[pending,pending]");
    let id = "1.2".parse().unwrap();
    let change = set_status(&mut file, "master", &id, &Status::Done, moment()).unwrap();
    let parent = change.parent.unwrap();
    assert_eq!((parent.id, parent.new), (id.parent(), Status::InProgress));
    insta::assert_snapshot!(file.tag("master").unwrap().tasks()[0].to_json(), @r#"
    {
      "id": 1,
      "status": "in-progress",
      "subtasks": [
        {
          "id": 1,
          "status": "pending"
        },
        {
          "id": 2,
          "status": "done",
          "updatedAt": "2030-01-02T03:04:05.678Z"
        }
      ],
      "updatedAt": "2030-01-02T03:04:05.678Z"
    }
    "#);
}

#[test]
fn a_missing_task_or_tag_is_named() {
    let mut file = file("pending[]");
    let mut error = |tag: &str, id: &str| {
        let id = id.parse().unwrap();
        set_status(&mut file, tag, &id, &Status::Done, moment()).unwrap_err().to_string()
    };
    assert_eq!(error("master", "2"), "there is no task 2 in tag `master`");
    assert_eq!(error("master", "1.1"), "there is no task 1.1 in tag `master`");
    assert_eq!(error("other", "1"), "there is no tag `other`");
}

#[test]
fn only_the_seven_statuses_can_be_asked_for() {
    for text in ["completed", "todo", "Done", ""] {
        assert_eq!(
            text.parse::<Status>().unwrap_err().to_string(),
            format!(
                "`{text}` is not a status: use pending, in-progress, done, deferred, cancelled, \
                 blocked or review"
            )
        );
    }
}
