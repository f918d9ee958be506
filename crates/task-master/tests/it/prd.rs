//! `prd`: documents divided and checked, and their requirements looked up in the tasks.

use std::{fs, process::Stdio, thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer, configure},
    project::Project,
};

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

/// Nine requirements in three chapters.
const SHOP: &str = "\
# Shop
## Catalogue
- books have titles and authors
- covers are scaled to 400 pixels
- covers are kept on disk
## Loans
- a book is lent for four weeks
- a loan is returned with one tap
- overdue loans are mailed, see Mail
## Mail
- mail goes through SMTP
- failed mail is tried three times
- failed mail is shown to Ada
";

/// Calls each piece by its first requirement, and one of three is two pieces of work.
fn librarian() -> ModelServer {
    ModelServer::start(|question| {
        let asked = question["messages"][1]["content"].as_str().unwrap();
        let numbered = |number: &str| asked.lines().find_map(|it| it.strip_prefix(number));
        let title = format!("Build that {:.69}", numbered("1. ").unwrap());
        let work = numbered("3. ").map_or("one component", |_| "several features");
        Answer::Says(json!({"title": title, "work": work, "cut": 2}).to_string())
    })
}

fn divided() -> (Project, ModelServer) {
    let project = Project::empty();
    project.write("shop.md", SHOP);
    let server = librarian();
    let run = server.run(&project, &["prd", "split", "shop.md", "--out", "out", "--seed", "7"]);
    assert_eq!(run.code, 0, "{}", run.all());
    (project, server)
}

#[test]
fn a_document_is_divided_into_a_tree_that_people_can_read() {
    let (project, _server) = divided();
    insta::assert_snapshot!(project.read("out/prd-tree.md"), @"
    # Shop

    9 requirements of `shop.md` in 6 pieces of work, divided by main (seed 7).

    - **1 Shop**
      - **1.1 Build that books have titles and authors**
        - **1.1.1 books have titles and authors**
          - R1: books have titles and authors
        - **1.1.2 Build that covers are scaled to 400 pixels**: one piece of work
          - R2: covers are scaled to 400 pixels
          - R3: covers are kept on disk
      - **1.2 Build that a book is lent for four weeks**
        - **1.2.1 a book is lent for four weeks** (after 1.1.1)
          - R4: a book is lent for four weeks
        - **1.2.2 Build that a loan is returned with one tap**: one piece of work (after 1.1.2, 1.3.1)
          - R5: a loan is returned with one tap
          - R6: overdue loans are mailed, see Mail
      - **1.3 Build that mail goes through SMTP**
        - **1.3.1 mail goes through SMTP**
          - R7: mail goes through SMTP
        - **1.3.2 Build that failed mail is tried three times**: one piece of work (after 1.3.1)
          - R8: failed mail is tried three times
          - R9: failed mail is shown to Ada
    ");
    let coverage: Value = serde_json::from_str(&project.read("out/coverage.json")).unwrap();
    assert_eq!((&coverage["covered"], &coverage["coverage"]), (&json!(9), &json!(1.0)));
    let tree: Value = serde_json::from_str(&project.read("out/prd-tree.json")).unwrap();
    assert_eq!(tree["document"]["path"], "shop.md");
    assert_eq!((&tree["made"]["seed"], &tree["made"]["model"]), (&json!(7), &json!("main")));
    let first = &tree["requirements"][0];
    let span = |end: &str| usize::try_from(first["span"][end].as_u64().unwrap()).unwrap();
    assert_eq!(&SHOP[span("start")..span("end")], "- books have titles and authors");
}

#[test]
fn the_same_document_is_divided_the_same_without_asking_again() {
    let (project, server) = divided();
    let asked = server.questions();
    assert_eq!(asked, 6);
    let run = project.run(&["prd", "split", "shop.md", "--out", "again", "--seed", "7"]);
    assert_eq!((run.code, server.questions()), (0, asked), "{}", run.all());
    assert!(run.out.contains("6 questions, 6 of them answered before"), "{}", run.out);
    for file in ["prd-tree.json", "prd-tree.md", "coverage.json"] {
        assert_eq!(project.read(&format!("out/{file}")), project.read(&format!("again/{file}")));
    }
}

/// 200 KB: 250 chapters of eight requirements.
fn tome() -> String {
    let chapter = |chapter: usize| {
        let requirement = |number: usize| {
            format!(
                "- part {number} of component {chapter} keeps what it is told, and {} ms later \
                 says on this machine whether it has\n",
                chapter * 10 + number
            )
        };
        format!("## Component {chapter}\n") + &(0..8).map(requirement).collect::<String>()
    };
    "# Tome\n".to_owned() + &(0..250).map(chapter).collect::<String>()
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_document_killed_again_and_again_becomes_the_same_tree() {
    const KILLS: usize = 20;
    let server = librarian();
    let split = |project: &Project| {
        configure(project, server.port());
        let arguments = "prd split tome.md --out out --seed 7 --budget 5000";
        let arguments: Vec<&str> = arguments.split(' ').collect();
        project.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let [whole, killed] = [Project::empty(), Project::empty()];
    let mut peak_kib = 0;
    for project in [&whole, &killed] {
        project.write("tome.md", tome());
    }
    let mut child = split(&whole);
    let status = loop {
        let file = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = file.lines().find_map(|it| it.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        peak_kib = peak.and_then(|it| it.trim().parse().ok()).unwrap_or(peak_kib);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        pause();
    };
    let questions = server.questions();
    assert!(status.success() && questions > 20 * KILLS, "{status}, {questions} questions");
    assert!(peak_kib > 0 && peak_kib < 300 * 1024, "{peak_kib} KiB");

    for _ in 0..KILLS {
        let mut child = split(&killed);
        let until = server.questions() + fastrand::usize(0..questions / KILLS);
        while server.questions() < until {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!killed.exists("out"));
    }
    assert!(split(&killed).wait().unwrap().success());
    for file in ["prd-tree.json", "prd-tree.md", "coverage.json"] {
        assert_eq!(killed.read(&format!("out/{file}")), whole.read(&format!("out/{file}")));
    }
}

#[test]
fn a_tree_is_compared_with_its_document() {
    let (project, _server) = divided();
    for command in ["check", "verify"] {
        let run = project.run(&["prd", command, "out"]);
        assert_eq!(
            (run.code, run.out.as_str()),
            (0, "✓ 10 nodes, 3 deep, 9 of 9 requirements (coverage 1.00)\n")
        );
    }
    project.write("shop.md", SHOP.replace("400 pixels", "300 pixels"));
    let run = project.run(&["prd", "check", "out"]);
    insta::assert_snapshot!(run.all(), @"
    exit 1
    --- out
    ✗ shop.md has changed since
    ✗ R2 is not at bytes 52 to 85 of the document: covers are scaled to 400 pixels
    ✗ the document says what no node has: covers are scaled to 300 pixels
    3 faults; 10 nodes, 3 deep, 9 of 9 requirements (coverage 1.00)
    --- err
    ");
    project.write("moved.md", SHOP);
    fs::remove_file(project.path("project/shop.md")).unwrap();
    let run = project.run(&["prd", "check", "out"]);
    assert!(run.code == 1 && run.out.contains("name it with --document"), "{}", run.all());
    let run = project.run(&["prd", "check", "out", "--document", "moved.md"]);
    assert_eq!(run.code, 0, "{}", run.all());
    project.write("out/coverage.json", "{}");
    let run = project.run(&["prd", "check", "out", "--document", "moved.md"]);
    assert!(run.code == 1 && run.out.contains("there is no coverage.json"), "{}", run.all());
}

#[test]
fn what_is_wrong_with_a_document_is_told_and_is_a_failure() {
    let project = Project::empty();
    project.write(
        "prd.md",
        "# Notes\n## Search\n- find notes by word\n## Sync\n## Find\n- Find notes by word\n",
    );
    let run = project.run(&["prd", "check", "prd.md"]);
    insta::assert_snapshot!(run.all(), @"
    exit 1
    --- out
    ✗ bytes 55 to 75: R1 says the same: Find notes by word
    ✗ nothing stands below the heading “Sync”
    2 faults; 2 requirements, 4 headings, 76 bytes
    --- err
    note: there is no project in /project; `task-master init` sets one up
    ");
    project.write("good.md", SHOP);
    let run = project.run(&["prd", "check", "good.md", "--json"]);
    let found: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &found["faults"]), (0, &json!([])), "{}", run.all());
}

#[test]
fn leaves_become_tasks_of_the_project() {
    let (project, _server) = divided();
    let run = project.run(&["prd", "export", "out"]);
    assert_eq!(run.out, project.read("out/prd-tree.md"));
    let json = project.json(&["prd", "export", "out", "--format", "json"]);
    assert_eq!(json, serde_json::from_str::<Value>(&project.read("out/prd-tree.json")).unwrap());

    let tasks = |project: &Project| {
        let file: Value = serde_json::from_str(&project.tasks()).unwrap();
        file["master"]["tasks"].as_array().unwrap().clone()
    };
    let run = project.run(&["prd", "export", "out", "--format", "tasks"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let made = tasks(&project);
    let facts: Vec<String> = made
        .iter()
        .map(|it| format!("{} {} {}", it["id"], it["title"], it["dependencies"]))
        .collect();
    insta::assert_snapshot!(facts.join("\n"), @r#"
    1 "books have titles and authors" []
    2 "Build that covers are scaled to 400 pixels" []
    3 "a book is lent for four weeks" [1]
    4 "mail goes through SMTP" []
    5 "Build that a loan is returned with one tap" [2,4]
    6 "Build that failed mail is tried three times" [4]
    "#);
    let details: String = made.iter().filter_map(|it| it["details"].as_str()).collect();
    assert!(details.contains("\n- covers are scaled to 400 pixels\n- covers are kept on disk"));

    let run = project.run(&["prd", "export", "out", "--format", "tasks"]);
    assert_eq!((run.code, tasks(&project).len()), (0, made.len()));
    assert!(run.err.contains("add --append to keep them"), "{}", run.err);
    project.run(&["prd", "export", "out", "--format", "tasks", "--append"]);
    assert_eq!(tasks(&project).len(), made.len() * 2);
    project.run(&["undo"]);
    assert_eq!(tasks(&project), made);
}

#[test]
fn without_a_question_a_document_is_divided_along_its_headings() {
    let project = Project::empty();
    project.write("shop.md", SHOP);
    let run = project.run(&["prd", "split", "shop.md", "--out", "out", "--budget", "0"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("nobody was asked about 3 leaves"), "{}", run.err);
    assert_eq!(project.run(&["prd", "check", "out"]).code, 0);
}

#[test]
fn models_that_fail_make_no_tree() {
    for answer in [
        Answer::Says("I would rather not.".into()),
        Answer::Says(String::new()),
        Answer::Fails(500),
    ] {
        let project = Project::empty();
        project.write("shop.md", SHOP);
        let server = ModelServer::start(move |_| answer.clone());
        let run = server.run(&project, &["prd", "split", "shop.md", "--out", "out"]);
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains("error: ") && run.err.contains("\nhint: "), "{}", run.err);
        assert!(!project.exists("out"));
    }
}

#[test]
fn folders_without_a_tree_and_documents_that_are_none_are_refused() {
    let project = Project::empty();
    project.write("empty.md", "");
    project.write("out/prd-tree.json", "{}");
    project.write("none/notes.txt", "");
    project.write("file", "");
    project.write("shop.md", SHOP);
    for (arguments, expected) in [
        (vec!["split", "empty.md", "--out", "o"], "because: the document is empty"),
        (vec!["split", "gone.md", "--out", "o"], "error: cannot read /project/gone.md"),
        (vec!["split", "shop.md", "--out", "file", "--budget", "0"], "error: /project/file"),
        (vec!["check", "empty.md"], "because: the document is empty"),
        (vec!["check", "out"], "error: /project/out/prd-tree.json is not a tree"),
        (vec!["check", "none"], "error: there is no tree in /project/none"),
        (vec!["export", "none"], "error: there is no tree in /project/none"),
    ] {
        let run = project.run(&[&["prd"], arguments.as_slice()].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{expected}: {}", run.err);
        assert!(run.err.contains("\nhint: "), "{}", run.err);
    }
}

/// A process is watched from outside, and must not be slowed down by that.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "nothing is waited for that could tell")]
fn pause() {
    thread::sleep(Duration::from_millis(5));
}
