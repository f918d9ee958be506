//! `kb`: documents are added, found, checked and forgotten.

use std::{fs, process::Stdio, thread};

use serde_json::{Value, json};

use crate::project::Project;

fn project() -> Project {
    let project = Project::bakery();
    project.write("docs/oven.md", "# Oven\n\n## Heating\n\nThe oven is heated for two hours.\n");
    project.write("docs/orders.txt", "Customers order until six in the evening.\n");
    project.write("src/oven.rs", "fn preheatOven() {\n    wait(7200);\n}\n");
    project.write(".gitignore", "private/\n");
    project.write("private/note.md", "The oven is insured.\n");
    project
}

fn paths(found: &Value) -> Vec<&str> {
    found["hits"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect()
}

#[test]
fn the_project_itself_is_added_and_found_again() {
    let project = project();
    let run = project.run(&["kb", "add"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("✓ project: 3 documents (3 new, 0 changed, 0 gone)"), "{}", run.out);
    assert_eq!(project.read(".taskmaster/knowledge/.gitignore"), "*\n");

    let found = project.json(&["kb", "search", "How is the oven heated?", "--json"]);
    assert_eq!(paths(&found), ["docs/oven.md", "src/oven.rs"]);
    let hit = &found["hits"][0];
    let text = project.read("docs/oven.md");
    let bound = |it: &str| usize::try_from(hit["span"][it].as_u64().unwrap()).unwrap();
    assert_eq!(text[bound("start")..bound("end")], *hit["text"].as_str().unwrap());

    let only_code = project.json(&["kb", "search", "oven", "--kind=code", "--json"]);
    assert_eq!(paths(&only_code), ["src/oven.rs"]);
    let run = project.run(&["kb", "search", "heated"]);
    assert!(run.out.contains("1 docs/oven.md:1-5  project"), "{}", run.out);
    let run = project.run(&["kb", "search", "submarine"]);
    assert_eq!((run.code, run.out.as_str()), (0, "Nothing in the documents has these words.\n"));
}

#[test]
fn what_changed_is_read_again_and_what_was_cited_is_kept_until_then() {
    let project = project();
    project.run(&["kb", "add", "docs", "--licence=CC0-1.0", "--origin=handbook"]);
    project.write("docs/oven.md", "The oven is gone.\n");
    fs::remove_file(project.path("project/docs/orders.txt")).unwrap();

    let verified = project.json(&["kb", "verify", "--json"]);
    assert_eq!(verified["holds"], true);
    assert_eq!(
        (&verified["verified"]["changed"], &verified["verified"]["missing"]),
        (&json!(["oven.md"]), &json!(["orders.txt"]))
    );
    assert_eq!(verified["verified"]["unlicensed"], json!([]));

    let updated = project.json(&["kb", "update", "--json"]);
    assert_eq!(updated["sources"][0]["result"]["changed"], 1);
    assert_eq!(updated["sources"][0]["result"]["removed"], 1);
    assert_eq!(paths(&project.json(&["kb", "search", "heated", "--json"])), [""; 0]);

    let stats = project.json(&["kb", "stats", "--json"]);
    assert_eq!((&stats["documents"], &stats["chunks"]), (&json!(1), &json!(1)));
    let export = project.run(&["kb", "export"]);
    let line: Value = serde_json::from_str(export.out.lines().next().unwrap()).unwrap();
    assert_eq!((&line["text"], &line["licence"]), (&json!("The oven is gone."), &json!("CC0-1.0")));
}

#[test]
fn a_source_is_listed_and_forgotten() {
    let project = project();
    assert!(project.run(&["kb", "list"]).out.starts_with("There are no documents yet."));
    project.run(&["kb", "add", "docs", "src/oven.rs"]);
    let sources = project.json(&["kb", "list", "--json"]);
    let names: Vec<&Value> =
        sources["sources"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["docs", "oven.rs"]);
    let run = project.run(&["kb", "rm", "docs"]);
    assert_eq!(run.out, "✓ docs forgotten, with 2 documents; the files are as they were\n");
    assert_eq!(paths(&project.json(&["kb", "search", "oven", "--json"])), ["oven.rs"]);
    assert!(project.exists("docs/oven.md"));
}

#[test]
fn a_source_of_which_nothing_can_be_read_is_an_error_that_names_it_and_says_why() {
    let project = project();
    project.write("half.zim", "ZIM\u{4}, and nothing more");
    let run = project.run(&["kb", "add", "half.zim", "docs"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("half.zim was not read: it is no ZIM archive"), "{}", run.err);
    assert!(run.err.contains("nothing could be read of half.zim"), "{}", run.err);
    assert!(run.out.contains("✓ docs: 2 documents"), "the other one is read: {}", run.out);
    assert_eq!(project.run(&["kb", "rm", "half.zim"]).code, 0);
    assert_eq!(project.run(&["kb", "update"]).code, 0);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_way_out() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = project();
        let run = project.run(&[&["kb"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{expected:?} is not in {}", run.err);
        assert!(!project.exists(".taskmaster/knowledge"), "{}", run.all());
    }
    check(&["add", "gone"], "error: there is nothing at gone\nhint: ");
    check(&["search", "oven"], "error: there is no knowledge base at ");
    check(&["search", "oven", "--kind=film"], "error: `film` is no kind of document");
    check(&["search", "oven", "--since=monday"], "error: `monday` is not a day\nhint: ");
    check(&["verify"], "hint: add documents with `task-master kb add`");
}

#[test]
fn a_knowledge_base_that_is_none_says_how_to_make_it_again() {
    let project = project();
    project.write(".taskmaster/knowledge/index.sqlite", "no database, but more than 16 bytes");
    let run = project.run(&["kb", "stats"]);
    assert!(run.err.starts_with("error: the knowledge base is damaged"), "{}", run.err);
    assert!(run.err.contains("hint: delete .taskmaster/knowledge and add"), "{}", run.err);
}

#[test]
fn a_citation_that_does_not_hold_is_a_failure() {
    let project = project();
    project.run(&["kb", "add", "docs/oven.md"]);
    let file = project.path("project/.taskmaster/knowledge/index.sqlite");
    let bytes = fs::read(&file).unwrap();
    let at = bytes.windows(9).position(|it| it == b"two hours").unwrap();
    let mut changed = bytes;
    changed[at] = b'T';
    fs::write(&file, changed).unwrap();
    let run = project.run(&["kb", "verify"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("these chunks say something else: 1"), "{}", run.err);
}

#[test]
fn who_is_killed_while_reading_loses_at_most_the_last_batch() {
    const FILES: u64 = 2_000;
    const BATCH: u64 = 64;
    let project = Project::empty();
    for number in 0..FILES {
        let text = format!("# Oven {number}\n\nIt is heated for {number} minutes.\n");
        project.write(&format!("docs/{number}.md"), text);
    }
    // SQLite writes here first.
    let log = project.path("project/.taskmaster/knowledge/index.sqlite-wal");
    let state = || fs::metadata(&log).and_then(|it| Ok((it.len(), it.modified()?))).ok();
    let (mut known, mut kills, mut patience) = (0, 0, 3);
    while known < FILES {
        let mut command = project.command(&["kb", "add", "docs", "--no-vectors"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (mut seen, mut writes) = (state(), 0);
        while writes < patience && child.try_wait().unwrap().is_none() {
            let now = state();
            writes += usize::from(now != seen);
            seen = now;
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let documents = project.json(&["kb", "stats", "--json"])["documents"].as_u64().unwrap();
        assert!(documents >= known, "{documents} of {known} are left");
        assert!(documents.is_multiple_of(BATCH) || documents == FILES, "half a batch: {documents}");
        assert_eq!(project.json(&["kb", "verify", "--json"])["holds"], true);
        kills += usize::from(documents > known && documents < FILES);
        // One batch may be many writes: whoever is killed in it each time comes to no end.
        patience = if documents > known { 3 } else { patience * 2 };
        known = documents;
    }
    assert!(kills > 3, "it was done before it could be killed");
    let updated = project.json(&["kb", "update", "--no-vectors", "--json"]);
    assert_eq!(updated["sources"][0]["result"]["unchanged"], FILES);
}
