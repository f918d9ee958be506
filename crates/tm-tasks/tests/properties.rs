//! Files of any content and ids of any spelling: no panic, and what was not understood is kept.

use std::fs;

use proptest::prelude::*;
use tm_tasks::{
    config::Config,
    dependencies::{add_dependency, fix},
    diff::diff,
    document::{Tag, TaskFile},
    graph::{Graph, next_task},
    id::TaskId,
    state::State,
    status::{Status, set_status},
    store::{LaterEdits, Store, StoreError},
};

/// JSON of about the right form, with values of about the right types.
fn nearly_tasks() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("1.0".to_owned()),
        Just("-0".to_owned()),
        Just("1e400".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("\"2.1\"".to_owned()),
        (0..4_u32).prop_map(|it| it.to_string()),
        "\"[a-z0-9. ]{0,4}\"",
    ];
    let key = prop::sample::select(vec![
        "id",
        "title",
        "status",
        "dependencies",
        "subtasks",
        "tasks",
        "master",
        "metadata",
        "x",
    ]);
    scalar.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|it| format!("[{}]", it.join(","))),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|it| {
                let members: Vec<String> =
                    it.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        fs::write(&path, &bytes).unwrap();
        drop(TaskFile::from_bytes(&bytes));
        drop(Config::load(&path));
        drop(State::load(&path));
        let store = Store::open(&path, folder.path().join("state"));
        drop(store.read());
        drop(store.history());
        prop_assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn nearly_a_task_file_survives_all_operations(
        text in nearly_tasks(),
        id in "[0-4](\\.[0-4])?",
        other in "[0-4](\\.[0-4])?",
    ) {
        let Ok(mut file) = TaskFile::parse(&text) else { return Ok(()) };
        let untouched = file.clone();
        let again = TaskFile::parse(file.to_text()).unwrap();
        prop_assert_eq!(again.to_text(), file.to_text());
        prop_assert!(diff(&untouched, &again).tasks.is_empty());
        let (id, other): (TaskId, TaskId) = (id.parse().unwrap(), other.parse().unwrap());
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let tags: Vec<String> = file.tags().map(|it| it.name().to_owned()).collect();
        for tag in &tags {
            let before = file.clone();
            if set_status(&mut file, tag, &id, &Status::Done, now).is_err() {
                prop_assert_eq!(&file, &before);
            }
            let before = file.clone();
            if add_dependency(&mut file, tag, &id, &other).is_err() {
                prop_assert_eq!(&file, &before);
            }
            drop(fix(&mut file, tag));
            let tasks = file.tag(tag).map(Tag::tasks).unwrap_or_default();
            let graph = Graph::new(tasks);
            drop((graph.cycles(), graph.missing(), next_task(tasks)));
        }
        drop(TaskFile::parse(file.to_text()).unwrap());
    }

    #[test]
    fn any_text_is_an_id_or_refused_and_ids_are_spelled_one_way(text in "[0-9a-zA-Z.,\\- \u{663}]{0,10}") {
        drop(TaskId::parse_list(&text));
        if let Ok(id) = text.parse::<TaskId>() {
            prop_assert_eq!(id.to_string().parse::<TaskId>().unwrap(), id);
        }
    }
}

proptest! {
    // Each of them waits for the disk many times.
    #![proptest_config(ProptestConfig {
        cases: 16,
        failure_persistence: None,
        ..Default::default()
    })]

    /// Whatever the changes were, each of them can be brought back.
    #[test]
    fn every_version_can_be_restored(titles in prop::collection::vec("[a-z\\\\\"é\u{1f35e}]{1,6}", 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.json");
        fs::write(&path, r#"{"master":{"tasks":[{"id":1,"title":"0"}]}}"#).unwrap();
        let store = Store::open(&path, folder.path().join("state"));
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let mut versions = Vec::new();
        for title in &titles {
            store
                .commit("title", now, |file| {
                    let tasks = file.tag_mut("master").unwrap().tasks_mut();
                    tasks[0].set("title", &serde_json::json!(title));
                    Ok::<(), StoreError>(())
                })
                .unwrap();
            versions.push(fs::read(&path).unwrap());
        }
        for change in store.history().unwrap() {
            let versions_of = store.versions(change.seq).unwrap();
            prop_assert_eq!(diff(&versions_of.before, &versions_of.after).tasks.len(), 1);
            store.restore(change.seq, now, LaterEdits::Keep).unwrap();
            let restored = fs::read(&path).unwrap();
            prop_assert!(versions.contains(&restored));
        }
    }
}
