use tempfile::TempDir;

use super::*;

fn exchange(query: &str, answer: &str) -> Exchange {
    Exchange { query: query.into(), answer: answer.into() }
}

fn session(exchanges: &[Exchange]) -> Session<'_> {
    Session { exchanges, model: "tiny", at: "2030-01-31T12:00:00Z".parse().unwrap() }
}

#[test]
fn a_session_reads_well() {
    let exchanges = [
        exchange("How to \"cache\"?\nIn Rust.", "# Answer\n\nLike this.\n"),
        exchange("Why?", "Because."),
    ];
    insta::assert_snapshot!(session(&exchanges).to_markdown(), @r#"
    ---
    title: "How to \"cache\"?"
    query: "How to \"cache\"?\nIn Rust."
    date: 2030-01-31
    time: 12:00:00
    timestamp: 2030-01-31T12:00:00.000Z
    exchanges: 2
    ---

    # How to "cache"?

    ## Initial query

    How to "cache"?
    In Rust.

    ## Response

    # Answer

    Like this.

    ## Follow-up 1

    Why?

    ## Response to follow-up 1

    Because.

    ---

    *Answered by tiny*
    "#);
}

#[test]
fn files_are_named_after_the_day_and_the_question_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("docs/research");
    let names = |query: &str| {
        let exchanges = [exchange(query, "So.")];
        let path = session(&exchanges).save_new(&directory).unwrap();
        path.file_name().unwrap().to_string_lossy().into_owned()
    };
    assert_eq!(names("How to cache?"), "2030-01-31_how-to-cache.md");
    assert_eq!(names("How to cache?"), "2030-01-31_how-to-cache-2.md");
    assert_eq!(names("../../Größe?"), "2030-01-31_größe.md");
    assert_eq!(names("???"), "2030-01-31_research.md");
    assert_eq!(names(&"word ".repeat(30)).len(), "2030-01-31_.md".len() + 49);
}

#[test]
fn only_files_in_directories_of_the_project_are_destinations() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("docs")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
    assert_eq!(destination(root, "docs/a.md").unwrap(), root.join("docs/a.md"));
    assert_eq!(destination(root, "./a.md").unwrap(), root.join("./a.md"));
    for (path, expected) in [
        ("/tmp/a.md", "is not a path inside the project"),
        ("../a.md", "is not a path inside the project"),
        ("docs/../a.md", "is not a path inside the project"),
        ("link/a.md", "is not a path inside the project"),
        ("", "is not a path inside the project"),
        ("gone/a.md", "there is no directory"),
        ("docs", "is a directory"),
    ] {
        let error = destination(root, path).unwrap_err().to_string();
        assert!(error.contains(expected), "{path}: {error}");
    }
}

fn store(folder: &TempDir) -> Store {
    let file = folder.path().join("tasks.json");
    let tasks = r#"{"master": {"tasks": [{"id": 2, "details": "Old.", "subtasks": [{"id": 1}]}]}}"#;
    fs::write(&file, tasks).unwrap();
    Store::open(file, folder.path().join("journal"))
}

#[test]
fn an_answer_becomes_a_note_in_a_task_or_subtask() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let exchanges = [exchange("How?", "Like this.")];
    let noted = |id: &str| {
        let id = id.parse().unwrap();
        session(&exchanges).save_to_task(&store, "master", &id).unwrap().details().unwrap()
    };
    assert_eq!(
        noted("2"),
        "Old.\n<info added on 2030-01-31T12:00:00.000Z>\nResearch: How?\n\nLike this.\n\n\
         (Answered by tiny)\n\
         </info added on 2030-01-31T12:00:00.000Z>"
    );
    assert!(noted("2.1").starts_with("<info added on "));
}

#[test]
fn what_cannot_be_saved_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let exchanges = [exchange("How?", "Like this.")];
    let session = session(&exchanges);
    let error = session.save_to_task(&store, "master", &"9".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there is no task 9 in tag `master`");
    let error = session.save_to_task(&store, "beta", &"2".parse().unwrap()).unwrap_err();
    assert!(matches!(error, SaveError::NoTask { .. }));
    let error = session.save(&folder.path().join("gone/a.md")).unwrap_err();
    assert!(matches!(error, SaveError::Unwritable { .. }), "{error}");
    let error = session.save_new(&folder.path().join("tasks.json")).unwrap_err();
    assert!(matches!(error, SaveError::Unwritable { .. }), "{error}");
}
