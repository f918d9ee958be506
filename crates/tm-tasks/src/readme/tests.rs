//! What an export says, and what it leaves of a README.

use serde_json::json;

use super::*;
use crate::document::TaskFile;

fn moment() -> Timestamp {
    "2030-01-02T03:04:05Z".parse().unwrap()
}

fn bakery() -> Tag {
    let tasks = json!([
        { "id": 1, "title": "Repository", "status": "done", "priority": "high", "complexity": 3 },
        { "id": 2, "title": "Ledger | of <b>breads</b>\n", "status": "in-progress",
          "dependencies": [1], "priority": "high", "subtasks": [
            { "id": 1, "title": "Table", "status": "done" },
            { "id": 2, "title": "Form", "dependencies": [1, "1"] },
          ] },
        { "id": 3, "title": "购物车", "dependencies": [1, 2], "priority": "medium" },
        { "id": 4, "title": "Fax", "status": "cancelled", "priority": "low" },
        { "id": 5, "title": "Card", "status": "review" },
    ]);
    let file = TaskFile::parse(json!({ "v2": { "tasks": tasks } }).to_string()).unwrap();
    file.tag("v2").unwrap().clone()
}

#[test]
fn an_export_says_how_far_the_tag_is_and_lists_its_tasks() {
    let selection = Selection { with_subtasks: true, statuses: Vec::new() };
    insta::assert_snapshot!(export(&bakery(), &selection, moment()));
}

#[test]
fn a_status_filter_is_named_and_counts_nothing_out() {
    let selection = Selection { with_subtasks: false, statuses: vec![Status::Review] };
    let text = export(&bakery(), &selection, moment());
    assert!(text.contains("without subtasks · status filter: review"), "{text}");
    assert!(text.contains("| 5 | Card |") && !text.contains("| 3 |"), "{text}");
    assert!(text.contains("| Done | 1 |"), "{text}");
    let selection = Selection { statuses: vec![Status::Blocked], ..selection };
    assert!(export(&bakery(), &selection, moment()).contains("no tasks"));
}

#[test]
fn the_export_takes_the_place_of_the_last_one_and_nothing_else_changes() {
    #[track_caller]
    fn check(readme: Option<&str>, expected: &str) {
        let expected = expected.replace('{', START).replace('}', END);
        let readme = readme.map(|it| it.replace('{', START).replace('}', END));
        let once = insert(readme.as_deref(), "Bakery", "NEW");
        assert_eq!(once, expected);
        assert_eq!(insert(Some(&once), "Bakery", "NEW"), once);
    }
    check(None, "# Bakery\n\n{\nNEW\n}\n");
    check(Some(""), "{\nNEW\n}\n");
    check(Some("# Mine"), "# Mine\n\n{\nNEW\n}\n");
    check(Some("# Mine\n\nText\n\n\n"), "# Mine\n\nText\n\n{\nNEW\n}\n");
    check(Some("a\r\n{\nold\n}\r\n  z "), "a\r\n{\nNEW\n}\r\n  z ");
    check(Some("a { b\n{\nold\n}z"), "a { b\n{\nNEW\n}z");
    check(Some("a } b\n"), "a } b\n\n{\nNEW\n}\n");
    check(Some("} a {\nold\n} b }"), "} a {\nNEW\n} b }");
}

#[test]
fn a_title_cannot_end_the_export() {
    let text = json!({ "v2": { "tasks": [{ "id": 1, "title": END }] } }).to_string();
    let file = TaskFile::parse(&text).unwrap();
    let text = export(file.tag("v2").unwrap(), &Selection::default(), moment());
    assert!(!text.contains(END), "{text}");
}

#[test]
fn a_readme_is_made_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("README.md");
    sync(&path, "Bakery", "NEW").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, insert(None, "Bakery", "NEW"));
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("README.md");
    fs::write(&path, b"caf\xe9").unwrap();
    let error = sync(&path, "Bakery", "NEW").unwrap_err();
    assert!(matches!(error, ReadmeError::NotUtf8 { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"caf\xe9");
    let error = sync(folder.path(), "Bakery", "NEW").unwrap_err();
    assert!(matches!(error, ReadmeError::Unreadable { .. }), "{error}");
}
