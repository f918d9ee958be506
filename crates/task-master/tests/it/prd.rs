//! `prd coverage`: requirements looked up in the tasks.

use serde_json::json;

use crate::project::Project;

fn project() -> Project {
    let project = Project::with_tasks(&json!([
        {"id": 1, "title": "Search notes", "details": "- find notes by word with SQLite FTS5"},
        {"id": 2, "title": "Sync", "details": "When there are conflicts, keep both versions."},
    ]));
    project.write(
        "prd.md",
        "# Notes\n## Search\n- find notes by word with SQLite FTS5\n- answer within 50 ms\n\
         ## Sync\n- conflicts keep both versions\n",
    );
    project
}

#[test]
fn requirements_are_listed_with_the_tasks_that_cover_them() {
    let run = project().run(&["prd", "coverage", "prd.md"]);
    insta::assert_snapshot!(run.all(), @"
    exit 0
    --- out
    Notes  tag master
    ✓ find notes by word with SQLite FTS5  task 1
    – answer within 50 ms
    ✓ conflicts keep both versions  task 2

    2 of 3 requirements are covered
    --- err
    ");
}

#[test]
fn json_says_how_well_each_is_covered() {
    let covered = project().json(&["prd", "coverage", "prd.md", "--json"]);
    assert_eq!((&covered["requirements"], &covered["covered"]), (&json!(3), &json!(2)));
    assert_eq!(
        covered["items"][0],
        json!({
            "requirement": "find notes by word with SQLite FTS5",
            "section": ["Notes", "Search"],
            "covered": true,
            "tasks": [{"id": "1", "match": "verbatim", "score": 1.0}],
        })
    );
    assert_eq!(
        (&covered["items"][1]["covered"], &covered["items"][1]["tasks"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(covered["items"][2]["tasks"][0]["match"], "words");
}

#[test]
fn documents_and_tags_that_are_none_are_refused() {
    let project = project();
    project.write("empty.md", "");
    for (arguments, expected) in [
        (["empty.md", "--tag=master"], "because: the document is empty"),
        (["gone.md", "--tag=master"], "error: cannot read /project/gone.md"),
        (["prd.md", "--tag=cellar"], "error: there is no tag `cellar`"),
    ] {
        let run = project.run(&[&["prd", "coverage"], arguments.as_slice()].concat());
        assert_eq!(run.code, 1);
        assert!(run.err.contains(expected), "{}", run.err);
    }
}
