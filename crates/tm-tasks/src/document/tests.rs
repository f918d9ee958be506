//! Forms of files, and what a change leaves alone.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::status::set_status;

fn moment() -> Timestamp {
    "2030-01-02T03:04:05.678Z".parse().unwrap()
}

/// `master(1,2) other()`: tags and the ids of their tasks.
fn summary(text: &str) -> String {
    match TaskFile::parse(text) {
        Ok(file) => {
            let ids = |tag: &Tag| -> Vec<String> {
                tag.tasks().iter().map(|it| it.id().to_string()).collect()
            };
            let tags = file.tags().map(|it| format!("{}({})", it.name(), ids(it).join(",")));
            tags.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(summary(text), expected);
}

#[test]
fn every_form_of_file_is_read() {
    check("", "");
    check(" \n", "");
    check("{}", "");
    check("\u{feff}{\r\n}\r\n", "");
    check(r#"{"b":{"tasks":[{"id":2}]},"a":{"tasks":[],"metadata":{}}}"#, "b(2) a()");
    check(r#"{"tasks":[{"id":1},{"id":"2"}],"metadata":{}}"#, "master(1,2)");
    check(r#"{"project":{},"tasks":[]}"#, "master()");
    check(r#"[{"id":1}]"#, "master(1)");
    check("[]", "master()");
    check(r#"{"v":1,"tags":{"master":{}},"note":{"tasks":7}}"#, "");
    check(r#"{"a":{"tasks":[]},"a":{"tasks":[{"id":1}]}}"#, "a(1)");
}

#[test]
fn tasks_at_the_root_belong_to_master() {
    check(r#"{"tasks":[],"x":{"tasks":[{"id":1}]}}"#, "x(1)");
    check(r#"{"tasks":[{"id":3}],"x":{"tasks":[]}}"#, "master(3) x()");
    check(
        r#"{"tasks":[{"id":1},{"id":3}],"master":{"tasks":[{"id":1},{"id":2}]}}"#,
        "master(1,2,3)",
    );
}

#[test]
fn tasks_at_the_root_stay_there_unless_master_has_some_too() {
    let rename = |it: &mut TaskFile| {
        it.tag_mut(MASTER).unwrap().tasks_mut()[0].set("title", &json!("new"));
    };
    let beside = changed(r#"{"tasks":[{"id":3}],"metadata":{},"x":{"tasks":[]}}"#, rename);
    assert!(beside.starts_with("{\n  \"tasks\": [\n    {\n      \"id\": 3,"), "{beside}");
    assert!(beside.contains("\"metadata\": {},"), "{beside}");
    let both = changed(r#"{"tasks":[{"id":3}],"master":{"tasks":[{"id":1}]}}"#, rename);
    assert!(both.starts_with("{\n  \"master\": {"), "{both}");
    assert_eq!(summary(&both), "master(1,3)");
}

#[test]
fn what_is_no_task_file_is_an_error_that_says_where() {
    check("{\n  \"a\": 1,\n}", "it is not valid JSON: line 3, column 1: trailing comma");
    check("{}\0\0", "it is not valid JSON: line 1, column 3: trailing characters");
    check(
        r#"{"master":{"tasks":[{"id":"#,
        "it is not valid JSON: line 1, column 26: EOF while parsing a value",
    );
    check("// c\n{}", "it is not valid JSON: line 1, column 1: expected value");
    check(
        "{\n<<<<<<< HEAD\n\"a\":1\n=======\n>>>>>>> b\n}",
        "line 2 holds a merge conflict that was never resolved",
    );
    check("7", "it holds neither tags nor a list of tasks, but a bare value");
    check("\"x\"", "it holds neither tags nor a list of tasks, but a text");
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_that_says_where() {
    let error = |bytes: &[u8]| TaskFile::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(error(b"{\n\"a\":\n\"caf\xe9\"}"), "line 3 is not UTF-8 text");
    assert_eq!(error(b"\xff\xfe{\0}\0"), "line 1 is not UTF-8 text");
}

fn changed(text: &str, change: impl FnOnce(&mut TaskFile)) -> String {
    let before = TaskFile::parse(text).unwrap();
    let mut file = before.clone();
    change(&mut file);
    file.touch_changed(&before, moment());
    file.to_text()
}

#[test]
fn a_new_tag_has_metadata_and_comes_last() {
    let text = changed(r#"{"b":{"tasks":[]},"n":1}"#, |it| {
        it.create_tag("a", moment()).unwrap();
    });
    insta::assert_snapshot!(text, @r#"
    {
      "b": {
        "tasks": []
      },
      "n": 1,
      "a": {
        "tasks": [],
        "metadata": {
          "created": "2030-01-02T03:04:05.678Z",
          "updated": "2030-01-02T03:04:05.678Z",
          "description": "Tasks for a context"
        }
      }
    }
    "#);
}

#[test]
fn a_second_tag_turns_a_single_list_into_master() {
    let add = |it: &mut TaskFile| it.create_tag("b", moment()).unwrap();
    let text = changed(r#"{"v":1,"tasks":[{"id":1}],"metadata":{"x":1}}"#, add);
    assert_eq!(summary(&text), "master(1) b()");
    assert!(text.starts_with("{\n  \"master\": {\n    \"v\": 1,\n    \"tasks\": ["), "{text}");
    assert_eq!(summary(&changed(r#"[{"id":1}]"#, add)), "master(1) b()");
}

#[test]
fn a_name_that_is_in_use_is_refused() {
    let mut file = TaskFile::parse(r#"{"master":{"tasks":[]},"version":"2"}"#).unwrap();
    let error = |it: Result<(), TagError>| it.unwrap_err().to_string();
    assert_eq!(error(file.create_tag("master", moment())), "there is a tag `master` already");
    assert_eq!(
        error(file.create_tag("version", moment())),
        "the task file uses `version` for something that is not a tag"
    );
    assert!(file.tag_or_create("version", moment()).is_err());
    assert!(file.tag_or_create("master", moment()).is_ok());
}

#[test]
fn a_changed_tag_is_dated_and_counted_and_no_other_is() {
    let text = include_str!("../../tests/fixtures/tagged.json");
    let text = changed(text, |it| {
        let id = "2".parse().unwrap();
        set_status(it, "master", &id, &Status::Done, moment()).unwrap();
    });
    let file = TaskFile::parse(&text).unwrap();
    let tag = file.tag("master").unwrap();
    insta::assert_snapshot!(json::format(tag.fields.get("metadata").unwrap()), @r#"
    {
      "version": "1.0.0",
      "lastModified": "2030-01-02T03:04:05.678Z",
      "taskCount": 2,
      "completedCount": 2,
      "tags": [
        "master"
      ],
      "created": "2028-01-01T00:00:00.000Z",
      "updated": "2030-01-02T03:04:05.678Z"
    }
    "#);
    let other = file.tag("phase-2").unwrap();
    assert_eq!(other.metadata("updated").unwrap(), "2028-01-01T00:00:00.000Z");
}

#[test]
fn metadata_is_not_invented_at_the_root_and_not_overwritten_when_it_is_no_object() {
    let clear = |it: &mut TaskFile| it.tag_mut("master").unwrap().tasks_mut().clear();
    assert_eq!(changed(r#"{"tasks":[{}]}"#, clear), "{\n  \"tasks\": []\n}");
    assert_eq!(changed("[{}]", clear), "[]");
    assert_eq!(
        changed(r#"{"master":{"tasks":[{}],"metadata":7}}"#, clear),
        "{\n  \"master\": {\n    \"tasks\": [],\n    \"metadata\": 7\n  }\n}"
    );
}

#[test]
fn the_highest_id_is_that_of_the_numbered_tasks() {
    let highest =
        |tasks: &str| TaskFile::parse(tasks).unwrap().tag("master").map_or(0, Tag::highest_id);
    assert_eq!(highest("[]"), 0);
    assert_eq!(highest(r#"[{"id":3},{"id":"12"},{"id":4.0},{"id":"x"},{}]"#), 12);
}

#[test]
fn a_subtask_is_found_by_its_id_however_it_is_spelled() {
    let file = TaskFile::parse(include_str!("../../tests/fixtures/odd.json")).unwrap();
    let title =
        |id: &str| file.tag("master").unwrap().find(&id.parse().unwrap()).map(|it| it.title());
    assert_eq!(title("23.1").as_deref(), Some("a number with a point"));
    assert_eq!(title("23.2").as_deref(), Some("a dotted text"));
    assert_eq!(title("23.1755699093000").as_deref(), Some("a time"));
    assert_eq!(title("22").as_deref(), Some("lone \u{fffd} surrogate"));
    assert_eq!(title("23.9"), None);
    assert_eq!(title("9.1"), None);
}

fn scalar() -> impl Strategy<Value = String> {
    let spelled = select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0",
        "7",
        "1.10",
        "1e3",
        "2E-5",
        "12345678901234567890123",
        r#""""#,
        r#""\ud800""#,
        r#""\u00e9\/\\\"""#,
        r#""pending""#,
        r#""done""#,
        r#""completed""#,
        r#""todo""#,
        r#""2.1""#,
        r#""7""#,
    ]);
    prop_oneof![spelled.prop_map(str::to_owned), any::<String>().prop_map(|it| json::encode(&it))]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        let names = select(vec!["id", "tasks", "status", "x", "\\u0061", "metadata"]);
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|it| format!("[{}]", it.join(","))),
            prop::collection::btree_map(names, inner, 0..3).prop_map(object),
        ]
    })
}

fn object(members: BTreeMap<&'static str, String>) -> String {
    let members = members.into_iter().map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn task(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let names = select(vec![
        "id",
        "title",
        "description",
        "status",
        "priority",
        "details",
        "dependencies",
        "updatedAt",
        "unknown",
    ]);
    let fields = prop::collection::btree_map(names, value(), 0..6);
    let sound = (1..4_u8, select(Status::SETTABLE.to_vec()), vec(inner, 0..3));
    (fields, sound, any::<bool>())
        .prop_map(|(mut fields, (id, status, subtasks), is_sound)| {
            if is_sound {
                fields.insert("id", id.to_string());
                fields.insert("status", format!("\"{status}\""));
                fields.insert("subtasks", format!("[{}]", subtasks.join(",")));
            }
            object(fields)
        })
        .boxed()
}

/// Files as nobody would write them, but somebody's program might.
fn file() -> impl Strategy<Value = String> {
    let subtask = prop_oneof![4 => task(Just("{}".to_owned()).boxed()), 1 => value()].boxed();
    let task = prop_oneof![6 => task(subtask), 1 => value()];
    let tasks = vec(task, 0..4).prop_map(|it| format!("[{}]", it.join(",")));
    let names = select(vec!["created", "updated", "lastModified", "completedCount", "x"]);
    let metadata = prop_oneof![
        3 => prop::collection::btree_map(names, scalar(), 0..4).prop_map(object),
        1 => value(),
    ];
    let tag = (tasks.clone(), metadata, value()).prop_map(|(tasks, metadata, other)| {
        format!(r#"{{"other":{other},"tasks":{tasks},"metadata":{metadata}}}"#)
    });
    let tag = tag.boxed();
    let tagged = (vec(tag.clone(), 1..3), scalar()).prop_map(|(tags, other)| {
        let names = ["master", "caf\\u00e9"];
        let tags = tags.iter().zip(names).map(|(tag, name)| format!("\"{name}\":{tag}"));
        format!("{{{},\"version\":{other}}}", tags.collect::<Vec<_>>().join(","))
    });
    prop_oneof![3 => tagged, 1 => tag, 1 => tasks]
}

/// Every scalar of a JSON text with its path.
fn leaves(value: Part<'_>, path: &str, found: &mut BTreeMap<String, String>) {
    if value.is_object() {
        found.insert(path.to_owned(), "{}".to_owned());
        for (key, value) in value.members() {
            leaves(value, &format!("{path}/{}", json::decode(key).unwrap()), found);
        }
    } else if value.is_array() {
        found.insert(path.to_owned(), format!("[{}]", value.elements().count()));
        for (index, element) in value.elements().enumerate() {
            leaves(element, &format!("{path}/{index}"), found);
        }
    } else {
        found.insert(path.to_owned(), value.text().to_owned());
    }
}

/// The paths at which two texts differ.
fn differences(one: &str, another: &str) -> Vec<String> {
    let mut before = BTreeMap::new();
    let mut after = BTreeMap::new();
    leaves(Parsed::read(one.to_owned().into()).unwrap().root(), "", &mut before);
    leaves(Parsed::read(another.to_owned().into()).unwrap().root(), "", &mut after);
    let paths = before.keys().chain(after.keys());
    let mut paths: Vec<String> =
        paths.filter(|it| before.get(*it) != after.get(*it)).cloned().collect();
    paths.dedup();
    paths
}

/// Whether setting the status of a task, or of a subtask of it, may change this path.
fn may_change(path: &str, index: usize, in_subtask: bool) -> bool {
    let path = path.strip_prefix("/master").unwrap_or(path);
    if let Some(field) = path.strip_prefix("/metadata") {
        let counted = ["", "/updated", "/lastModified", "/taskCount", "/completedCount"];
        return counted.contains(&field);
    }
    let task = path.strip_prefix("/tasks").unwrap_or(path).strip_prefix(&format!("/{index}"));
    let Some(mut field) = task else { return false };
    if in_subtask && let Some(subtask) = field.strip_prefix("/subtasks/") {
        field = subtask.trim_start_matches(|it: char| it.is_ascii_digit());
    }
    field.starts_with("/status") || field == "/updatedAt" || field.starts_with("/updatedAt/")
}

proptest! {
    #[test]
    fn a_file_comes_back_as_it_was(text in file()) {
        let canonical = json::format(&text);
        prop_assert_eq!(TaskFile::parse(&text).unwrap().to_text(), canonical.clone());
        let windows = format!("\u{feff}{}\r\n", canonical.replace('\n', "\r\n"));
        prop_assert_eq!(TaskFile::parse(&windows).unwrap().to_text(), canonical);
    }

    #[test]
    fn reading_never_panics(text in file(), cut in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = text.into_bytes();
        let index = cut.index(bytes.len());
        bytes[index] = byte;
        for bytes in [&bytes[..], &bytes[..index]] {
            if let Ok(file) = TaskFile::from_bytes(bytes) {
                for task in file.tags().flat_map(Tag::tasks) {
                    task.faults();
                    task.subtasks().iter().for_each(|it| drop((it.dependencies(), it.faults())));
                }
                crate::graph::next_task(file.tag(MASTER).map_or(&[], Tag::tasks));
                prop_assert_eq!(TaskFile::parse(file.to_text()).unwrap().to_text(), file.to_text());
            }
        }
    }

    #[test]
    fn a_status_is_all_that_set_status_changes(
        text in file(),
        id in 1..4_u8,
        subtask in prop::option::of(1..4_u8),
        status in select(Status::SETTABLE.to_vec()),
    ) {
        let before = TaskFile::parse(&text).unwrap();
        let mut after = before.clone();
        let mut wanted = TaskId::top(id);
        if let Some(subtask) = subtask {
            wanted = wanted.child(subtask);
        }
        let result = set_status(&mut after, MASTER, &wanted, &status, moment());
        after.touch_changed(&before, moment());
        let differences = differences(&before.to_text(), &after.to_text());
        let Ok(change) = result else {
            prop_assert!(differences.is_empty(), "{differences:?}");
            return Ok(());
        };
        let tasks = before.tag(MASTER).unwrap().tasks();
        let index = tasks.iter().position(|it| it.id() == wanted.parent()).unwrap();
        for path in &differences {
            prop_assert!(may_change(path, index, subtask.is_some()), "{path} of {differences:?}");
        }
        prop_assert_eq!(after.tag(MASTER).unwrap().find(&wanted).unwrap().status(), status.clone());
        prop_assert_eq!(change.new, status);
    }
}
