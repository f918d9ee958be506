use std::process::Command;

use super::*;
use crate::recover::scratch::Scratch;

/// A repository with a changed file and a deleted one to come, and the patch for both and a new one.
fn patched() -> (tempfile::TempDir, tempfile::TempDir, Scratch, Patch) {
    let (repository, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(repository.path().join("code.py"), "one\n").unwrap();
    fs::write(repository.path().join("old.py"), "old\n").unwrap();
    Command::new("git").args(["init", "-q"]).current_dir(repository.path()).output().unwrap();
    let scratch = Scratch::of(repository.path(), cache.path()).unwrap();
    fs::write(scratch.folder().join("code.py"), "two\n").unwrap();
    fs::write(scratch.folder().join("new.py"), "new\n").unwrap();
    fs::remove_file(scratch.folder().join("old.py")).unwrap();
    let patch = scratch.patch().unwrap();
    (repository, cache, scratch, patch)
}

fn read(directory: &tempfile::TempDir) -> [Option<String>; 3] {
    ["code.py", "old.py", "new.py"].map(|it| fs::read_to_string(directory.path().join(it)).ok())
}

#[test]
fn what_is_kept_stays_and_what_is_not_is_put_back() {
    let (repository, _cache, _scratch, patch) = patched();
    let before = read(&repository);
    let applied = Applied::to(repository.path(), &patch).unwrap();
    assert_eq!(read(&repository), [Some("two\n".to_owned()), None, Some("new\n".to_owned())]);
    applied.take_back().unwrap();
    assert_eq!(read(&repository), before);
    drop(Applied::to(repository.path(), &patch).unwrap());
    assert_eq!(read(&repository), before);
    Applied::to(repository.path(), &patch).unwrap().keep();
    assert_eq!(read(&repository)[0].as_deref(), Some("two\n"));
}

#[test]
fn a_file_that_changed_meanwhile_keeps_all_of_the_patch_out() {
    let (repository, _cache, _scratch, patch) = patched();
    fs::write(repository.path().join("code.py"), "mine\n").unwrap();
    let before = read(&repository);
    assert!(matches!(Applied::to(repository.path(), &patch), Err(GitError::Failed { .. })));
    assert_eq!(read(&repository), before);
}
