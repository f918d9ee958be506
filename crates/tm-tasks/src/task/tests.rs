//! Lenient reading, faults, and fields that stay as they are.

use super::*;

#[track_caller]
fn check_faults(text: &str, expected: &str) {
    let faults: Vec<String> =
        Task::parse(text, None).faults().iter().map(ToString::to_string).collect();
    assert_eq!(faults.join("; "), expected);
}

#[test]
fn a_sound_task_has_no_faults() {
    for priority in ["critical", "high", "medium", "low"] {
        for status in
            ["pending", "in-progress", "done", "deferred", "cancelled", "blocked", "completed"]
        {
            let text = json!({
                "id": 1, "title": "t", "description": "d", "status": status, "priority": priority
            });
            check_faults(&text.to_string(), "");
        }
    }
}

#[test]
fn says_what_is_wrong_with_a_task() {
    check_faults(
        "{}",
        "id is required; title is required; description is required; priority is required; \
         status is required",
    );
    check_faults(
        r#"{"id":1,"title":"  ","description":null,"status":"todo","priority":"highest"}"#,
        "title is required; description is required; invalid task priority: highest; \
         invalid task status: todo",
    );
    check_faults(
        r#"{"id":1,"title":7,"description":[],"status":60,"priority":"low","dependencies":"1","subtasks":{}}"#,
        "title is not a text; description is not a text; invalid task status: 60; \
         dependencies is not a list; subtasks is not a list",
    );
    check_faults("17", "it is not an object");
    check_faults("null", "it is not an object");
}

#[test]
fn a_subtask_needs_no_description_and_no_priority() {
    let task = Task::parse(r#"{"id":1,"title":"t","status":"pending"}"#, Some("4"));
    assert_eq!(task.faults(), []);
    assert_eq!(task.id().to_string(), "4.1");
}

#[test]
fn odd_values_read_as_what_they_most_likely_mean() {
    let task = Task::parse(
        r#"{"id":"3","title":404,"details":null,"status":null,"dependencies":[1,"2",2.1,null,{}],
            "subtasks":[{"id":1.0,"dependencies":[2,"3.3"]},5,null]}"#,
        None,
    );
    assert_eq!(task.id().to_string(), "3");
    assert_eq!(task.title(), "404");
    assert_eq!(task.description(), "");
    assert_eq!(task.details(), None);
    assert_eq!(task.status(), Status::Pending);
    assert_eq!(task.priority(), None);
    let ids = |task: &Task| -> Vec<String> {
        task.dependencies().iter().map(ToString::to_string).collect()
    };
    assert_eq!(ids(&task), ["1", "2", "2.1"]);
    let subtasks = task.subtasks();
    assert_eq!(subtasks.len(), 3);
    assert_eq!(subtasks[0].id().to_string(), "3.1");
    assert_eq!(ids(&subtasks[0]), ["3.2", "3.3"]);
}

#[test]
fn lists_that_are_none_read_as_empty() {
    for value in ["null", "7", "{}", "\"1,2\""] {
        let text = format!(r#"{{"id":1,"dependencies":{value},"subtasks":{value}}}"#);
        let task = Task::parse(&text, None);
        assert_eq!((task.dependencies().len(), task.subtasks().len()), (0, 0), "{text}");
    }
}

#[test]
fn setting_a_field_touches_no_other() {
    let mut task = Task::parse(
        r#"{"x":1.10, "id":"7","status" : "todo","y":{ "\u00e9":[1e3,"\ud800"] },"title":"a\/b"}"#,
        None,
    );
    task.set_status(&Status::Done);
    task.set("updatedAt", &json!("now"));
    task.remove("title");
    let mut text = String::new();
    task.write(&mut text);
    assert_eq!(
        text,
        r#"{"x":1.10,"id":"7","status":"done","y":{ "\u00e9":[1e3,"\ud800"] },"updatedAt":"now"}"#
    );
}

#[test]
fn subtasks_that_are_set_keep_what_is_not_understood() {
    let mut task = Task::parse(r#"{"id":1,"subtasks":[7,{"id":"1.1","n":1.50},null],"z":0}"#, None);
    let mut subtasks = task.subtasks().to_vec();
    subtasks[1].set_status(&Status::Review);
    task.set_subtasks(&subtasks);
    let mut text = String::new();
    task.write(&mut text);
    assert_eq!(
        text,
        r#"{"id":1,"subtasks":[7,{"id":"1.1","n":1.50,"status":"review"},null],"z":0}"#
    );
}

#[test]
fn what_was_no_object_becomes_one_when_a_field_is_set() {
    let mut task = Task::parse("17", None);
    task.set("id", &json!(1));
    assert_eq!(task.to_json(), "{\n  \"id\": 1\n}");
}

#[test]
fn all_fields_can_be_walked_in_order() {
    let task = Task::parse(r#"{"b":1,"\u0061":[ 2 ]}"#, None);
    let fields: Vec<(String, &str)> = task.fields().collect();
    assert_eq!(fields, [("b".to_owned(), "1"), ("a".to_owned(), "[ 2 ]")]);
}
