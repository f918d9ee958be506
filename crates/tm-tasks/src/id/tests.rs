//! Ids from users, from files, and their order.

use super::*;

#[track_caller]
fn check_list(text: &str, expected: &str) {
    let found = match TaskId::parse_list(text) {
        Ok(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected);
}

#[test]
fn reads_what_users_type() {
    check_list("3", "3");
    check_list(" 3, 4.1 ,,5 ", "3 4.1 5");
    check_list("3,3,03", "3");
    check_list("abc12,ABC-012", "ABC-12");
}

#[test]
fn refuses_what_names_no_task_and_says_what_would() {
    let hint = "is not a task id: give a number such as 3, or 3.1 for a subtask";
    for text in ["x", "1.", ".1", "1.2.3", "-1", "1.x", "abc", "1 2", "é12", "ab1"] {
        check_list(text, &format!("`{text}` {hint}"));
    }
    check_list("", &format!("`` {hint}"));
    check_list("1,oops", &format!("`oops` {hint}"));
}

#[test]
fn orders_numbers_by_value_and_subtasks_after_their_task() {
    let mut ids: Vec<TaskId> =
        ["10", "9.10", "9.9", "9", "100", "2"].map(|it| it.parse().unwrap()).to_vec();
    ids.push(TaskId::top("later"));
    ids.push(TaskId::top("07"));
    ids.push(TaskId::top("7"));
    ids.sort();
    let sorted = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(sorted, "2 07 7 9 9.9 9.10 10 100 later");
}

#[track_caller]
fn check_own(json_text: &str, task: &str, subtask_of_7: &str) {
    assert_eq!(own_id(Some(json_text), None).to_string(), task);
    assert_eq!(own_id(Some(json_text), Some("7")).to_string(), subtask_of_7);
}

#[test]
fn reads_the_ids_that_files_hold() {
    check_own("3", "3", "7.3");
    check_own("3.0", "3", "7.3");
    check_own("3e0", "3", "7.3");
    check_own("\" 3 \"", "3", "7.3");
    check_own("\"7.3\"", "7.3", "7.3");
    check_own("7.3", "7.3", "7.3");
    check_own("\"design\"", "design", "7.design");
    check_own("12345678901234567890123", "12345678901234567890123", "7.12345678901234567890123");
    check_own("null", "", "7.");
    check_own("{}", "", "7.");
    check_own("\"\"", "", "7.");
}

#[track_caller]
fn check_reference(json_text: &str, in_task: Option<&str>, in_subtask_of_7: Option<&str>) {
    let text = |it: Option<TaskId>| it.map(|it| it.to_string());
    assert_eq!(text(TaskId::from_reference(json_text, None)).as_deref(), in_task);
    let siblings = Siblings { parent: "7", are_texts: false };
    assert_eq!(text(TaskId::from_reference(json_text, Some(siblings))).as_deref(), in_subtask_of_7);
}

#[test]
fn a_bare_number_in_a_subtask_names_its_sibling() {
    check_reference("2", Some("2"), Some("7.2"));
    check_reference("\"4.2\"", Some("4.2"), Some("4.2"));
    check_reference("4.2", Some("4.2"), Some("4.2"));
    check_reference("null", None, None);
    check_reference("[1]", None, None);
}

#[test]
fn a_bare_text_in_a_subtask_names_a_task_unless_its_siblings_are_texts_too() {
    check_reference("\"2\"", Some("2"), Some("2"));
    let siblings = Siblings { parent: "7", are_texts: true };
    let read = |text| TaskId::from_reference(text, Some(siblings)).map(|it| it.to_string());
    assert_eq!(read("\"2\"").as_deref(), Some("7.2"));
    assert_eq!(read("2").as_deref(), Some("2"));
    assert_eq!(read("\"4.2\"").as_deref(), Some("4.2"));
}
