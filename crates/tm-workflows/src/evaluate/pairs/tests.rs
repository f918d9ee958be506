use tempfile::TempDir;

use super::*;

const TASKS: &str = r#"{"ui": {"tasks": [{"id": 1, "title": "Draw"}]},
                        "master": {"tasks": [{"id": 1, "title": "Store"}]}}"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn a_pair_is_read_with_what_it_says_about_itself() {
    let about = r#"{"tag": "master", "prd_language": "ru", "tasks_language": "en", "more": [1],
                    "model_config_at_commit": {"main": {"modelId": "gpt-4o"}}}"#;
    let folder = folder(&[
        ("b/prd.txt", "- store notes"),
        ("b/tasks.json", TASKS),
        ("a/prd.md", "- store notes"),
        ("a/tasks.json", TASKS),
        ("a/pair.json", about),
        (".git/config", ""),
        ("README.md", "what this is"),
    ]);
    let pairs = read_pairs(folder.path(), None).unwrap();
    let titles: Vec<String> = pairs.iter().map(|it| it.baseline[0].title()).collect();
    assert_eq!(titles, ["Store", "Draw"], "the named tag, else the first");
    assert_eq!((pairs[0].name.as_str(), pairs[0].model.as_deref()), ("a", Some("gpt-4o")));
    assert_eq!(pairs[0].document_language.as_deref(), Some("ru"));
    let chosen = read_pairs(folder.path(), Some(&["b".to_owned()])).unwrap();
    assert_eq!(chosen.len(), 1);
}

#[test]
fn what_is_no_pair_is_an_error() {
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &str) {
        let folder = folder(files);
        let error = read_pairs(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    check(&[], "there are no pairs in ");
    check(&[("a/tasks.json", TASKS)], "has no document");
    check(&[("a/prd.md", " "), ("a/tasks.json", TASKS)], "prd.md cannot be used");
    check(&[("a/prd.md", "- store notes")], "tasks.json cannot be read");
    check(&[("a/prd.md", "- store notes"), ("a/tasks.json", "{")], "tasks.json cannot be used");
    check(&[("a/prd.md", "- store notes"), ("a/tasks.json", "[]")], "tasks.json has no tasks");
    let about = [("a/prd.md", "- store notes"), ("a/tasks.json", TASKS), ("a/pair.json", "[")];
    check(&about, "pair.json does not say");
    let missing = read_pairs(folder(&about).path(), Some(&["c".to_owned()])).unwrap_err();
    assert!(matches!(missing, PairError::NoSuchPair { name, .. } if name == "c"));
    assert!(matches!(read_pairs(Path::new("/nowhere"), None), Err(PairError::Unreadable { .. })));
}
