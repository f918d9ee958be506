use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::catalogue::Catalogue;

const WEIGHTS: &[u8] = b"GGUF and so on";

/// A model whose file is [`WEIGHTS`], in a store of its own.
struct Fixture {
    model: Model,
    store: ModelStore,
    _directory: TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let mut model = Catalogue::builtin().unwrap().models()[0].clone();
    model.id = "tiny".into();
    model.size_bytes = WEIGHTS.len() as u64;
    model.sha256 = Some(Digest::finish(Sha256::new_with_prefix(WEIGHTS)));
    let store = ModelStore::new(directory.path().join("models"));
    Fixture { model, store, _directory: directory }
}

impl Fixture {
    fn install(&self) -> Installed {
        fs::create_dir_all(self.store.directory()).unwrap();
        fs::write(self.store.part_path("tiny"), WEIGHTS).unwrap();
        self.store.publish("tiny", self.model.sha256.unwrap(), "somewhere").unwrap()
    }

    fn damage(&self, content: &[u8]) -> String {
        fs::write(self.store.path("tiny"), content).unwrap();
        let file = File::options().append(true).open(self.store.path("tiny")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let error = self.store.find(&self.model).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        error.to_string()
    }
}

#[test]
fn a_missing_model_comes_with_the_command_that_fetches_it() {
    let fixture = fixture();
    let error = fixture.store.find(&fixture.model).unwrap_err();
    insta::assert_snapshot!(
        error,
        @"the model tiny is not installed; `task-master models pull tiny` fetches it"
    );
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Absent);
}

#[test]
fn what_is_published_is_found() {
    let fixture = fixture();
    let installed = fixture.install();
    assert_eq!(fixture.store.find(&fixture.model).unwrap(), installed);
    assert_eq!(fs::read(&installed.path).unwrap(), WEIGHTS);
    assert_eq!(installed.source, "somewhere");
    assert!(!fixture.store.part_path("tiny").exists());
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Present { bytes: 14 });
}

#[test]
fn a_truncated_file_is_damaged() {
    let fixture = fixture();
    fixture.install();
    let error = fixture.damage(&WEIGHTS[..5]);
    assert!(error.contains("it has 5 bytes of 14"), "{error}");
    assert!(error.contains("`task-master models pull tiny --force` replaces it"), "{error}");
    assert!(error.contains("`task-master models rm tiny` removes it"), "{error}");
}

#[test]
fn a_changed_file_of_the_same_size_is_damaged() {
    let fixture = fixture();
    fixture.install();
    let error = fixture.damage(b"GGUF and so in");
    assert!(error.contains("its SHA-256 is"), "{error}");
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Changed { bytes: 14 });
}

#[test]
fn a_file_that_was_only_touched_is_checked_and_found() {
    let fixture = fixture();
    let installed = fixture.install();
    let file = File::options().append(true).open(&installed.path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Changed { bytes: 14 });
    assert_eq!(fixture.store.find(&fixture.model).unwrap(), installed);
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Present { bytes: 14 });
}

#[test]
fn a_lost_or_broken_record_is_made_anew() {
    let fixture = fixture();
    let installed = fixture.install();
    for spoil in [fs::remove_file(fixture.store.record_path("tiny")), {
        fs::write(fixture.store.record_path("tiny"), "{")
    }] {
        spoil.unwrap();
        let found = fixture.store.find(&fixture.model).unwrap();
        assert_eq!((found.path, found.source), (installed.path.clone(), String::new()));
    }
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Present { bytes: 14 });
}

#[test]
fn without_a_digest_in_the_catalogue_the_record_counts() {
    let mut fixture = fixture();
    let installed = fixture.install();
    fixture.model.sha256 = None;
    fixture.model.size_bytes = 20;
    assert_eq!(fixture.store.find(&fixture.model).unwrap(), installed);
    fs::remove_file(fixture.store.record_path("tiny")).unwrap();
    let error = fixture.store.find(&fixture.model).unwrap_err().to_string();
    assert!(error.contains("nothing is known of what it should be"), "{error}");
}

#[test]
fn removing_takes_what_is_there_of_a_model() {
    let fixture = fixture();
    fixture.install();
    fs::write(fixture.store.part_path("tiny"), "half").unwrap();
    fs::create_dir(fixture.store.pieces_path("tiny")).unwrap();
    fs::write(fixture.store.pieces_path("tiny").join("a.whl"), "piece").unwrap();

    assert_eq!(fixture.store.remove(&fixture.model).unwrap(), 14 + 4 + 5);

    let left = fs::read_dir(fixture.store.directory()).unwrap();
    let left: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, [".tiny.lock"]);
    let error = fixture.store.remove(&fixture.model).unwrap_err();
    assert!(matches!(error, StoreError::NotInstalled { .. }), "{error}");
}

#[test]
fn half_a_model_is_not_a_model() {
    let fixture = fixture();
    fs::create_dir_all(fixture.store.directory()).unwrap();
    fs::write(fixture.store.part_path("tiny"), "half").unwrap();
    assert_eq!(fixture.store.presence(&fixture.model), Presence::Partial { bytes: 4 });
    assert!(matches!(
        fixture.store.find(&fixture.model).unwrap_err(),
        StoreError::NotInstalled { .. }
    ));
}

#[test]
fn a_model_that_is_being_fetched_cannot_be_removed() {
    let fixture = fixture();
    fixture.install();
    let lock = fixture.store.try_lock("tiny").unwrap().unwrap();
    let error = fixture.store.remove(&fixture.model).unwrap_err();
    insta::assert_snapshot!(error, @"the model tiny is being fetched by another process");
    drop(lock);
    fixture.store.remove(&fixture.model).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let fixture = fixture();
    fs::write(fixture.store.directory(), "a file").unwrap();
    let error = fixture.store.try_lock("tiny").unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(error.to_string().ends_with(".tiny.lock"), "{error}");
}
