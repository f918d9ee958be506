//! Changes, their journal, and taking them back.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{document::MASTER, status::Status, task::Task};

/// A project folder and a state folder.
struct Setting {
    folder: TempDir,
    store: Store,
}

impl Setting {
    fn new() -> Self {
        // In memory where there is such a place: these tests write hundreds of times.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory } else { &std::env::temp_dir() };
        let folder = tempfile::tempdir_in(parent).unwrap();
        let file = folder.path().join("project/.taskmaster/tasks/tasks.json");
        let store = Store::open(file, folder.path().join("state"));
        Self { folder, store }
    }

    fn with(text: &str) -> Self {
        let setting = Self::new();
        fs::create_dir_all(setting.store.path().parent().unwrap()).unwrap();
        setting.write(text);
        setting
    }

    fn write(&self, text: &str) {
        fs::write(self.store.path(), text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.store.path()).unwrap()
    }

    /// Appends a task to master; its title is all it has.
    fn add(&self, title: &str) -> Result<(), StoreError> {
        self.store.commit(&format!("add {title}"), moment(), |file| {
            let master = file.tag_or_create(MASTER, moment()).unwrap();
            let mut task = master.tasks().first().cloned().unwrap_or_else(empty_task);
            task.set("title", &json!(title));
            master.tasks_mut().push(task);
            Ok(())
        })
    }

    fn titles(&self) -> String {
        let file = self.store.read().unwrap();
        let tasks = file.tag(MASTER).map_or(&[][..], |it| it.tasks());
        tasks.iter().map(Task::title).collect::<Vec<_>>().join(" ")
    }

    fn history(&self) -> String {
        let changes = self.store.history().unwrap();
        changes.iter().map(|it| format!("{}:{}", it.seq, it.command)).collect::<Vec<_>>().join(" ")
    }

    fn undo(&self, steps: usize) -> Result<Change, StoreError> {
        self.store.undo(steps, moment(), LaterEdits::Keep)
    }

    fn files(&self) -> Vec<String> {
        let directory = self.store.path().parent().unwrap();
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn empty_task() -> Task {
    let file = TaskFile::parse("[{}]").unwrap();
    file.tag(MASTER).unwrap().tasks()[0].clone()
}

fn moment() -> Timestamp {
    "2030-01-02T03:04:05.678Z".parse().unwrap()
}

#[test]
fn a_file_that_does_not_exist_has_no_tasks_and_reading_creates_nothing() {
    let setting = Setting::new();
    assert_eq!(setting.store.read().unwrap(), TaskFile::default());
    assert_eq!(setting.history(), "");
    assert!(!setting.folder.path().join("project").exists());
}

#[test]
fn the_first_change_creates_the_file_and_nothing_beside_it() {
    let setting = Setting::new();
    setting.add("a").unwrap();
    assert_eq!(setting.files(), ["tasks.json"]);
    insta::assert_snapshot!(setting.text(), @r#"
    {
      "master": {
        "tasks": [
          {
            "title": "a"
          }
        ],
        "metadata": {
          "created": "2030-01-02T03:04:05.678Z",
          "updated": "2030-01-02T03:04:05.678Z",
          "description": "Tasks for master context"
        }
      }
    }
    "#);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let text = r#"{"master":{"tasks":[]}}"#;
    let setting = Setting::with(text);
    let result = setting.store.commit("x", moment(), |file| {
        file.tag_mut(MASTER).unwrap().tasks_mut().push(empty_task());
        Err::<(), _>(callers_error())
    });
    assert!(matches!(result, Err(StoreError::NoSpace { .. })));
    assert_eq!(setting.text(), text);
    assert_eq!(setting.history(), "");
}

#[test]
fn a_change_that_fails_leaves_no_directories_behind() {
    let setting = Setting::new();
    let result = setting.store.commit("x", moment(), |_| Err::<(), _>(callers_error()));
    assert!(result.is_err());
    assert!(!setting.folder.path().join("project").exists());
    assert!(!setting.folder.path().join("state").exists());
}

/// Some error of the caller's own.
fn callers_error() -> StoreError {
    StoreError::NoSpace { path: "here".into() }
}

#[test]
fn a_change_of_nothing_writes_nothing() {
    let text = "{ \"master\":\r\n{\"tasks\":[{\"id\":1,\"status\":\"done\"}]} }\n";
    let setting = Setting::with(text);
    let change = setting.store.commit("x", moment(), |file| {
        let id = "1".parse().unwrap();
        let set = crate::status::set_status(file, MASTER, &id, &Status::Done, moment());
        Ok::<_, StoreError>(set.unwrap())
    });
    assert_eq!(change.unwrap().old, Status::Done);
    assert_eq!(setting.text(), text);
    assert_eq!(setting.history(), "");
}

#[test]
fn a_file_without_tags_gets_one_with_the_first_change_of_its_plan() {
    #[track_caller]
    fn check(text: &str, expected: &Value) {
        let setting = Setting::with(text);
        let done = setting.store.commit_progress("status", moment(), |file| {
            let id = "1".parse().unwrap();
            crate::status::set_status(file, MASTER, &id, &Status::Done, moment()).unwrap();
            Ok::<_, StoreError>(())
        });
        done.unwrap();
        let found: Value = serde_json::from_str(&setting.text()).unwrap();
        assert_eq!((&found["tasks"][0]["status"], found.get(MASTER)), (&json!("done"), None));
        setting.add("new").unwrap();
        let mut found: Value = serde_json::from_str(&setting.text()).unwrap();
        let tasks = found[MASTER]["tasks"].take();
        assert_eq!((tasks.as_array().unwrap().len(), &found), (2, expected));
        setting.undo(2).unwrap();
        assert_eq!(setting.text(), text);
    }
    let now = moment().to_string();
    let metadata = |name: &str, value: &str| {
        let mut metadata = json!({
            "created": now, "updated": now, "description": "Tasks for master context"
        });
        metadata[name] = json!(value);
        metadata
    };
    check(
        r#"{"tasks": [{"id": 1}], "metadata": {"version": "7"}}"#,
        &json!({ "master": { "tasks": null, "metadata": metadata("version", "7") } }),
    );
    check(
        r#"{"tasks": [{"id": 1}], "metadata": "mine"}"#,
        &json!({ "master": { "tasks": null, "metadata": "mine" } }),
    );
    check(
        r#"{"tasks": [{"id": 1}], "metadata": {}, "x": {"tasks": []}}"#,
        &json!({
            "master": { "tasks": null, "metadata": metadata("created", &now) },
            "metadata": {}, "x": { "tasks": [] }
        }),
    );
}

#[test]
fn what_does_not_parse_is_not_written_over() {
    for text in ["{\"master\": {\"tasks\": [", "<<<<<<< HEAD\n{}\n=======\n", "7"] {
        let setting = Setting::with(text);
        let result = setting.add("a");
        assert!(matches!(result, Err(StoreError::Format { .. })), "{result:?}");
        assert!(setting.store.read().is_err());
        assert_eq!(setting.text(), text);
    }
}

#[test]
fn changes_are_taken_back_one_after_the_other() {
    let setting = Setting::with(r#"{"master":{"tasks":[]}}"#);
    let original = setting.text();
    for title in ["a", "b", "c"] {
        setting.add(title).unwrap();
    }
    assert_eq!(setting.history(), "1:add a 2:add b 3:add c");
    assert_eq!(setting.undo(1).unwrap().command, "add c");
    assert_eq!(setting.titles(), "a b");
    assert_eq!(setting.undo(1).unwrap().command, "add b");
    assert_eq!(setting.titles(), "a");
    setting.add("d").unwrap();
    assert_eq!(setting.undo(2).unwrap().command, "add a");
    assert_eq!(setting.text(), original);
    let error = setting.undo(1).unwrap_err();
    assert!(matches!(error, StoreError::NoSuchChange { .. }), "{error}");
    assert_eq!(
        setting.history(),
        "1:add a 2:add b 3:add c 4:undo of add c 5:undo of add b 6:add d 7:undo of add a"
    );
}

#[test]
fn any_state_can_be_brought_back() {
    let setting = Setting::new();
    for title in ["a", "b"] {
        setting.add(title).unwrap();
    }
    setting.undo(2).unwrap();
    assert!(!setting.store.path().exists());
    setting.store.restore(2, moment(), LaterEdits::Keep).unwrap();
    assert_eq!(setting.titles(), "a b");
    setting.store.restore(1, moment(), LaterEdits::Keep).unwrap();
    assert_eq!(setting.titles(), "a");
    setting.undo(1).unwrap();
    assert_eq!(setting.titles(), "a b");
    let error = setting.store.restore(99, moment(), LaterEdits::Keep).unwrap_err();
    assert!(matches!(error, StoreError::NoSuchChange { .. }), "{error}");
}

#[test]
fn later_edits_are_not_lost_unasked_and_not_lost_for_good() {
    let setting = Setting::with("{}");
    setting.add("a").unwrap();
    setting.write(r#"{"master":{"tasks":[{"title":"mine"}]}}"#);
    let error = setting.undo(1).unwrap_err();
    assert!(matches!(error, StoreError::EditedSince { seq: 1, .. }), "{error}");
    let error = setting.store.restore(1, moment(), LaterEdits::Keep).unwrap_err();
    assert!(matches!(error, StoreError::EditedSince { seq: 1, .. }), "{error}");
    setting.add("b").unwrap();
    let error = setting.undo(2).unwrap_err();
    assert!(matches!(error, StoreError::EditedSince { seq: 1, .. }), "{error}");
    assert_eq!(setting.titles(), "mine b");
    setting.store.undo(2, moment(), LaterEdits::Overwrite).unwrap();
    assert_eq!(setting.text(), "{}");
    setting.store.restore(2, moment(), LaterEdits::Keep).unwrap();
    assert_eq!(setting.titles(), "mine b");
}

#[test]
fn a_file_that_was_destroyed_by_others_can_be_restored() {
    let setting = Setting::with("{}");
    setting.add("a").unwrap();
    setting.write("{ destroyed");
    setting.store.restore(1, moment(), LaterEdits::Overwrite).unwrap();
    assert_eq!(setting.titles(), "a");
}

#[test]
fn a_change_that_was_noted_but_never_made_is_not_in_the_history() {
    let setting = Setting::with("{}");
    setting.add("a").unwrap();
    let before = setting.text();
    setting.add("b").unwrap();
    // As after a crash between the journal and the file.
    setting.write(&before);
    assert_eq!(setting.history(), "1:add a");
    setting.add("c").unwrap();
    assert_eq!(setting.history(), "1:add a 3:add c");
    setting.undo(2).unwrap();
    assert_eq!(setting.text(), "{}");
}

#[test]
fn a_torn_line_of_the_journal_is_overlooked_and_replaced() {
    let setting = Setting::with("{}");
    setting.add("a").unwrap();
    let lines = fs::read_dir(setting.folder.path().join("state")).unwrap().next().unwrap();
    let lines = lines.unwrap().path().join("journal.jsonl");
    let whole = fs::read(&lines).unwrap();
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        fs::write(&lines, [&whole[..], &whole[..cut]].concat()).unwrap();
        assert_eq!(setting.history(), "1:add a");
    }
    setting.add("b").unwrap();
    assert_eq!(setting.history(), "1:add a 2:add b");
    setting.undo(2).unwrap();
}

#[test]
fn a_lost_copy_is_an_error_and_changes_nothing() {
    let setting = Setting::with("{}");
    setting.add("a").unwrap();
    let state = fs::read_dir(setting.folder.path().join("state")).unwrap().next().unwrap();
    let copies = state.unwrap().path().join("copies");
    for copy in fs::read_dir(copies).unwrap() {
        fs::write(copy.unwrap().path(), "damaged").unwrap();
    }
    let error = setting.undo(1).unwrap_err();
    assert!(matches!(error, StoreError::LostCopy { .. }), "{error}");
    assert_eq!(setting.titles(), "a");
}

#[test]
fn the_journal_forgets_what_is_old() {
    let setting = Setting::new();
    for index in 0..260 {
        setting
            .store
            .commit("x", moment(), |file| {
                let master = file.tag_or_create(MASTER, moment()).unwrap();
                *master.tasks_mut() = vec![empty_task()];
                master.tasks_mut()[0].set("id", &json!(index));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }
    let history = setting.store.history().unwrap();
    assert_eq!((history.first().unwrap().seq, history.last().unwrap().seq), (51, 260));
    let state = fs::read_dir(setting.folder.path().join("state")).unwrap().next().unwrap();
    let copies = fs::read_dir(state.unwrap().path().join("copies")).unwrap().count();
    // The oldest of them may stand on some that are older.
    assert!((211..=251).contains(&copies), "{copies}");
    setting.undo(210).unwrap();
    assert!(setting.text().contains("\"id\": 49\n"));
}

#[test]
fn a_link_stays_a_link_and_shares_its_journal() {
    let setting = Setting::with(r#"{"master":{"tasks":[]}}"#);
    let link = setting.folder.path().join("link.json");
    symlink("project/.taskmaster/tasks/tasks.json", &link).unwrap();
    let linked = Store::open(&link, setting.folder.path().join("state"));
    assert_eq!(fs::canonicalize(linked.path()).unwrap(), fs::canonicalize(&link).unwrap());
    setting.add("a").unwrap();
    assert_eq!(linked.history().unwrap().len(), 1);
    linked.undo(1, moment(), LaterEdits::Keep).unwrap();
    assert!(link.is_symlink());
    assert_eq!(setting.titles(), "");
}

#[test]
fn permissions_are_kept() {
    let setting = Setting::with("{}");
    for mode in [0o600, 0o664] {
        fs::set_permissions(setting.store.path(), fs::Permissions::from_mode(mode)).unwrap();
        setting.add("a").unwrap();
        let found = fs::metadata(setting.store.path()).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode);
    }
}

#[test]
fn the_leftovers_of_a_killed_writer_are_cleaned_up() {
    let setting = Setting::with("{}");
    let leftover = setting.store.path().with_file_name(".tasks.json.task-master-tmp");
    let victim = setting.folder.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, &leftover).unwrap();
    setting.add("a").unwrap();
    assert_eq!(setting.files(), ["tasks.json"]);
    assert_eq!(fs::read_to_string(victim).unwrap(), "untouched");
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_and_the_file_is_intact() {
    let setting = Setting::with("{}");
    let blocker = setting.store.path().with_file_name(".tasks.json.task-master-tmp");
    fs::create_dir_all(blocker.join("in the way")).unwrap();
    let error = setting.add("a").unwrap_err();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    assert_eq!(setting.text(), "{}");
    assert_eq!(setting.history(), "");
}

#[test]
fn without_a_journal_nothing_is_changed() {
    let setting = Setting::with("{}");
    fs::write(setting.folder.path().join("state"), "a file").unwrap();
    let error = setting.add("a").unwrap_err();
    assert!(
        matches!(error, StoreError::Unwritable { .. } | StoreError::Unreadable { .. }),
        "{error}"
    );
    assert_eq!(setting.text(), "{}");
}

#[test]
fn a_file_that_is_a_directory_is_an_error() {
    let setting = Setting::new();
    fs::create_dir_all(setting.store.path()).unwrap();
    assert!(matches!(setting.store.read(), Err(StoreError::Unreadable { .. })));
    assert!(matches!(setting.add("a"), Err(StoreError::Unreadable { .. })));
}

#[test]
fn a_lock_that_is_never_released_is_waited_for_only_so_long() {
    let setting = Setting::with("{}");
    let holder = fs::File::open(setting.store.path().parent().unwrap()).unwrap();
    holder.lock().unwrap();
    let store = setting.store.clone().with_lock_wait(Duration::from_millis(20));
    let result = store.commit("x", moment(), |_| Ok::<_, StoreError>(()));
    assert!(matches!(result, Err(StoreError::Busy { waited_s: 0, .. })), "{result:?}");
    drop(holder);
    assert!(store.commit("x", moment(), |_| Ok::<_, StoreError>(())).is_ok());
}

#[test]
fn how_good_a_change_is_stays_with_it_and_not_in_the_file() {
    let setting = Setting::new();
    let task = TaskQuality { id: "1".to_owned(), percent: 40 };
    let quality = Quality { percent: 70, tasks: vec![task], minimum: None };
    let written = setting.store.commit_measured("plan", moment(), |file| {
        file.tag_or_create(MASTER, moment()).unwrap().tasks_mut().push(empty_task());
        Ok::<_, StoreError>(((), Some(quality.clone())))
    });
    written.unwrap();
    setting.add("one").unwrap();
    let noted: Vec<_> = setting.store.history().unwrap().into_iter().map(|it| it.quality).collect();
    assert_eq!(noted, [Some(quality), None]);
    assert!(!setting.text().contains("percent"));
}
