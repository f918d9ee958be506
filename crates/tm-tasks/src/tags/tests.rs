//! Tags in the file, and the one that is current.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

/// A task file with master and `v2`, of which the current one is given.
struct Place {
    folder: TempDir,
    store: Store,
    current: String,
}

impl Place {
    fn new(current: &str) -> Self {
        Self::with_text(
            current,
            &json!({
                "master": { "tasks": [{ "id": 1, "status": "done" }] },
                "v2": {
                    "tasks": [
                        { "id": 1, "status": "done", "subtasks": [{ "id": 1 }, { "id": 2 }] },
                        { "id": 2, "status": "cancelled" },
                        { "id": 3, "dependencies": [1, 2] },
                        { "id": 4, "dependencies": [3] },
                    ],
                    "metadata": { "description": "The next one", "colour": "red" },
                    "owner": "Ada",
                },
                "x-notes": "not a tag",
            })
            .to_string(),
        )
    }

    fn with_text(current: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tasks.json");
        fs::write(&file, text).unwrap();
        let store = Store::open(&file, folder.path().join("journal"));
        Self { folder, store, current: current.to_owned() }
    }

    fn with<T>(&self, work: impl FnOnce(&Tags<'_>) -> T) -> T {
        let state_file = self.folder.path().join("state.json");
        let now = "2030-01-02T03:04:05Z".parse().unwrap();
        let (store, current) = (&self.store, &self.current);
        work(&Tags { store, state_file: &state_file, current, now })
    }

    fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn tags(&self) -> Value {
        self.json("tasks.json")
    }

    fn current_tag(&self) -> Value {
        self.json("state.json")["currentTag"].clone()
    }
}

#[test]
fn tags_are_counted_the_current_one_first() {
    let place = Place::new("v2");
    let summaries = summaries(&place.store.read().unwrap(), "v2");
    let [v2, master] = summaries.as_slice() else { panic!("{summaries:?}") };
    assert_eq!((master.name.as_str(), master.is_current), ("master", false));
    assert!(v2.is_current);
    assert_eq!((v2.tasks, v2.ready, v2.done, v2.complete, v2.subtasks), (4, 1, 1, 2, 2));
    let expected = [(Status::Done, 1), (Status::Cancelled, 1), (Status::Pending, 2)];
    assert_eq!(v2.statuses, expected);
    assert_eq!(v2.description.as_deref(), Some("The next one"));
}

#[test]
fn a_new_tag_is_empty_or_starts_with_copies() {
    let place = Place::new("master");
    let added = place.with(|it| it.add("v3", None, None)).unwrap();
    assert_eq!((added.tasks_copied, added.source), (0, None));
    let moment = "2030-01-02T03:04:05.000Z";
    assert_eq!(
        place.tags()["v3"],
        json!({ "tasks": [], "metadata": {
            "created": moment, "updated": moment, "description": "Tag created on 1/2/2030",
        } })
    );
    let added = place.with(|it| it.add("v4", Some("v2"), Some("More"))).unwrap();
    assert_eq!((added.tasks_copied, added.source.as_deref()), (4, Some("v2")));
    assert_eq!(place.tags()["v4"]["tasks"], place.tags()["v2"]["tasks"]);
    assert_eq!(place.tags()["v4"]["metadata"]["description"], "More");
    let added = place.with(|it| it.add("v5", Some("nope"), None)).unwrap();
    assert_eq!((added.tasks_copied, added.missing_source.as_deref()), (0, Some("nope")));
    assert_eq!(place.current_tag(), Value::Null);
}

#[test]
fn a_file_with_one_list_at_its_root_becomes_a_file_with_tags() {
    let place = Place::with_text("master", r#"{"tasks":[{"id":1}],"metadata":{"x":1}}"#);
    place.with(|it| it.add("v2", Some("master"), None)).unwrap();
    assert_eq!(place.tags()["master"]["tasks"], json!([{ "id": 1 }]));
    assert_eq!(place.tags()["v2"]["tasks"], json!([{ "id": 1 }]));
}

#[test]
fn a_branch_gets_a_tag_of_its_own() {
    let place = Place::new("master");
    let added = place.with(|it| it.add_for_branch("feature/Pay_by-CARD!", None, None)).unwrap();
    assert_eq!(added.name, "feature-pay_by-card");
    assert_eq!(
        place.json("state.json")["branchTagMapping"],
        json!({ "feature/Pay_by-CARD!": "feature-pay_by-card" })
    );
    for (branch, expected) in [
        ("main", None),
        ("HEAD", None),
        ("dev", None),
        ("///", None),
        ("Main", None),
        ("Develop", None),
        ("feat/a.b_c--d", Some("feat-a-b_c-d")),
        ("x/_a-/b#1", Some("x-_a-b-1")),
        ("mains", Some("mains")),
        (&"x".repeat(80), Some(&*"x".repeat(50))),
    ] {
        assert_eq!(name_for_branch(branch).ok().as_deref(), expected, "{branch}");
    }
}

#[test]
fn switching_remembers_the_tag() {
    let place = Place::new("master");
    let used = place.with(|it| it.switch("v2")).unwrap();
    assert_eq!((used.previous.as_str(), used.tasks), ("master", 4));
    assert_eq!(place.current_tag(), "v2");
}

#[test]
fn removing_the_current_tag_leads_back_to_master() {
    let place = Place::new("v2");
    let removed = place.with(|it| it.remove("v2")).unwrap();
    assert_eq!((removed.tasks, removed.was_current), (4, true));
    assert_eq!(place.current_tag(), "master");
    assert_eq!(place.tags().as_object().unwrap().keys().collect::<Vec<_>>(), ["master", "x-notes"]);
    let place = Place::new("master");
    assert!(!place.with(|it| it.remove("v2")).unwrap().was_current);
    assert_eq!(place.current_tag(), Value::Null);
}

#[test]
fn renaming_keeps_all_that_belongs_to_the_tag() {
    let place = Place::new("v2");
    let before = place.tags();
    let renamed = place.with(|it| it.rename("v2", "v3")).unwrap();
    assert_eq!((renamed.tasks, renamed.was_current), (4, true));
    assert_eq!(place.current_tag(), "v3");
    let after = place.tags();
    let names: Vec<&String> = after.as_object().unwrap().keys().collect();
    assert_eq!(names, ["master", "v3", "x-notes"]);
    assert_eq!(after["v3"]["tasks"], before["v2"]["tasks"]);
    assert_eq!(after["v3"]["owner"], "Ada");
    assert_eq!(after["v3"]["metadata"]["colour"], "red");
    let renamed = json!({ "from": "v2", "date": "2030-01-02T03:04:05.000Z" });
    assert_eq!(after["v3"]["metadata"]["renamed"], renamed);
}

#[test]
fn a_copy_says_what_it_is_a_copy_of() {
    let place = Place::new("master");
    let copied = place.with(|it| it.copy("v2", "v3", None)).unwrap();
    assert_eq!(copied.tasks, 4);
    let v3 = &place.tags()["v3"];
    assert_eq!(v3["tasks"], place.tags()["v2"]["tasks"]);
    assert_eq!(v3["metadata"]["description"], "Copy of \"v2\" created on 1/2/2030");
    let origin = json!({ "tag": "v2", "date": "2030-01-02T03:04:05.000Z" });
    assert_eq!(v3["metadata"]["copiedFrom"], origin);
    place.with(|it| it.copy("master", "v4", Some("Mine"))).unwrap();
    assert_eq!(place.tags()["v4"]["metadata"]["description"], "Mine");
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    #[track_caller]
    fn check(expected: &str, work: impl FnOnce(&Tags<'_>) -> Result<(), TagsError>) {
        let place = Place::new("v2");
        let before = place.tags();
        assert_eq!(place.with(work).unwrap_err().to_string(), expected);
        assert_eq!(place.tags(), before);
        assert_eq!(place.current_tag(), Value::Null);
    }
    let reserved = |name: &str| format!("the name `{name}` is reserved");
    let bad =
        |name: &str| format!("`{name}` is no name for a tag: use letters, digits, `-` and `_`");
    check(&reserved("Main"), |it| it.add("Main", None, None).map(drop));
    check(&reserved("default"), |it| it.rename("v2", "default").map(drop));
    check(&reserved("master"), |it| it.copy("v2", "master", None).map(drop));
    check(&bad(""), |it| it.add("", None, None).map(drop));
    check(&bad("a b"), |it| it.add("a b", None, None).map(drop));
    check(&bad("../x"), |it| it.rename("v2", "../x").map(drop));
    check("there is a tag `v2` already", |it| it.add("v2", None, None).map(drop));
    check("there is a tag `v2` already", |it| it.rename("v2", "v2").map(drop));
    check("there is a tag `v2` already", |it| it.copy("master", "v2", None).map(drop));
    check("the task file uses `x-notes` for something that is not a tag", |it| {
        it.rename("v2", "x-notes").map(drop)
    });
    check("there is no tag `v9`", |it| it.switch("v9").map(drop));
    check("there is no tag `v9`", |it| it.remove("v9").map(drop));
    check("there is no tag `v9`", |it| it.rename("v9", "v10").map(drop));
    check("there is no tag `v9`", |it| it.copy("v9", "v10", None).map(drop));
    let master = "tag `master` can be neither removed nor renamed";
    check(master, |it| it.remove("master").map(drop));
    check(master, |it| it.rename("master", "v10").map(drop));
    let trunk = "branch `main` is where branches start from: it gets no tag of its own";
    check(trunk, |it| it.add_for_branch("main", None, None).map(drop));
}
