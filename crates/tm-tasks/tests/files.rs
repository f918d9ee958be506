//! Real and odd task files come back as they were.
//!
//! The fixtures here are small and ours. `TASK_MASTER_CORPUS` may name a folder of others, which
//! are read the same way.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tm_tasks::{
    document::{FormatError, TaskFile},
    graph::{Graph, next_task},
    json,
    project::Project,
    store::{Store, StoreError},
    task::Task,
};

#[test]
fn fixtures_come_back_byte_for_byte() {
    let files = json_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"));
    assert_eq!(files.len(), 6);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let file = TaskFile::parse(&text).unwrap();
        use_all_of(&file);
        assert_eq!(file.to_text(), text, "{}", path.display());
    }
}

#[test]
fn a_corpus_of_other_peoples_files_comes_back_in_value() {
    let Some(folder) = env::var_os("TASK_MASTER_CORPUS") else {
        eprintln!("SKIPPED: set TASK_MASTER_CORPUS to a folder of tasks.json files to read them");
        return;
    };
    let files = json_files(Path::new(&folder));
    let files = files.iter().filter(|it| it.ends_with("tasks.json"));
    let (mut read, mut refused) = (0, Vec::new());
    for path in files {
        let bytes = fs::read(path).unwrap();
        match TaskFile::from_bytes(&bytes) {
            Ok(file) => {
                use_all_of(&file);
                let text = String::from_utf8(bytes).unwrap();
                let same = same_in_value(&text, &file.to_text());
                assert!(same, "{} has changed", path.display());
                read += 1;
            }
            Err(error) => {
                let is_broken = serde_json::from_slice::<serde_json::Value>(&bytes).is_err();
                assert!(is_broken, "{}: {error}", path.display());
                refused.push(format!("{}: {error}", path.display()));
            }
        }
    }
    eprintln!("{read} files read, {} refused:\n{}", refused.len(), refused.join("\n"));
    assert!(read > 0, "no tasks.json below {}", folder.display());
}

#[test]
fn a_file_in_another_encoding_can_be_read_but_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.json");
    let text = b"{\"master\":{\"tasks\":[{\"id\":1,\"title\":\"caf\xe9\"}]}}";
    fs::write(&path, text).unwrap();
    let store = Store::open(&path, folder.path().join("state"));
    let file = store.read().unwrap();
    assert_eq!(file.tag("master").unwrap().tasks()[0].title(), "caf\u{fffd}");
    let moment = "2030-01-01T00:00:00Z".parse().unwrap();
    let result = store.commit("x", moment, |file| {
        file.tag_mut("master").unwrap().tasks_mut().clear();
        Ok::<(), StoreError>(())
    });
    let Err(StoreError::Format { source: FormatError::NotUtf8 { line: 1 }, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(fs::read(&path).unwrap(), text);
}

#[test]
fn a_thousand_tasks_are_read_in_milliseconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = Project::at(folder.path()).tasks_file();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let fixture = include_str!("fixtures/tagged.json");
    let file = TaskFile::parse(fixture).unwrap();
    let task = file.tag("master").unwrap().tasks()[1].to_json();
    let tasks = vec![task; 1000].join(",");
    fs::write(&path, json::format(&format!("{{\"master\":{{\"tasks\":[{tasks}]}}}}"))).unwrap();
    let store = Store::open(&path, folder.path().join("state"));
    let started = std::time::Instant::now();
    let file = store.read().unwrap();
    let read_ms = started.elapsed().as_secs_f64() * 1000.0;
    eprintln!("{read_ms:.1} ms for {} bytes", fs::metadata(&path).unwrap().len());
    assert_eq!(file.tag("master").unwrap().tasks().len(), 1000);
    // Unoptimised and on a busy machine; the bound that matters is ten times lower.
    assert!(read_ms < 500.0, "{read_ms} ms");
}

/// Calls all that only reads.
fn use_all_of(file: &TaskFile) {
    for tag in file.tags() {
        let tasks = tag.tasks();
        for task in tasks.iter().chain(tasks.iter().flat_map(Task::subtasks)) {
            let id = task.id();
            let _ =
                (task.title(), task.faults(), task.dependencies(), task.priority(), task.status());
            assert!(!tag.name().is_empty() || !id.to_string().is_empty());
        }
        let graph = Graph::new(tasks);
        let _ = (graph.cycles(), graph.missing(), next_task(tasks), tag.highest_id());
    }
}

/// The same but for layout, spelling included; an empty file has no tasks.
fn same_in_value(one: &str, another: &str) -> bool {
    let one = if one.trim().is_empty() { "{}" } else { one.trim_start_matches('\u{feff}') };
    let value = |it| serde_json::from_str::<serde_json::Value>(it).unwrap();
    json::format(one) == another && value(one) == value(another)
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|it| it == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}
