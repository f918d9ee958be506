use std::{process::Command, sync::Arc};

use super::*;
use crate::recover::scratch::Scratch;

/// A repository with a changed file and a deleted one to come, and the patch for both and a new one.
async fn patched() -> (tempfile::TempDir, tempfile::TempDir, Arc<Scratch>, Patch) {
    let (repository, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(repository.path().join("code.py"), "one\n").unwrap();
    fs::write(repository.path().join("old.py"), "old\n").unwrap();
    Command::new("git").args(["init", "-q"]).current_dir(repository.path()).output().unwrap();
    let scratch = Scratch::of(repository.path(), cache.path()).await.unwrap();
    fs::write(scratch.folder().join("code.py"), "two\n").unwrap();
    fs::write(scratch.folder().join("new.py"), "new\n").unwrap();
    fs::remove_file(scratch.folder().join("old.py")).unwrap();
    let patch = scratch.patch().unwrap();
    (repository, cache, scratch, patch)
}

fn read(directory: &tempfile::TempDir) -> [Option<String>; 3] {
    ["code.py", "old.py", "new.py"].map(|it| fs::read_to_string(directory.path().join(it)).ok())
}

#[tokio::test]
async fn what_is_kept_stays_and_what_is_not_is_put_back() {
    let (repository, _cache, _scratch, patch) = patched().await;
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

#[tokio::test]
async fn a_file_that_changed_meanwhile_keeps_all_of_the_patch_out() {
    let (repository, _cache, _scratch, patch) = patched().await;
    fs::write(repository.path().join("code.py"), "mine\n").unwrap();
    let before = read(&repository);
    assert!(matches!(Applied::to(repository.path(), &patch), Err(GitError::Failed { .. })));
    assert_eq!(read(&repository), before);
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_in_a_directory_that_went_with_it_is_put_back_and_a_link_stays_one() {
    let (repository, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = repository.path();
    for directory in ["only/deep", "data"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::write(root.join("only/deep/code.py"), "mine\n").unwrap();
    fs::write(root.join("data/a"), "a\n").unwrap();
    fs::write(root.join("file"), "file\n").unwrap();
    link(Path::new("data/a"), &root.join("link")).unwrap();
    Command::new("git").args(["init", "-q"]).current_dir(root).output().unwrap();
    let scratch = Scratch::of(root, cache.path()).await.unwrap();
    let tree = scratch.folder();
    fs::remove_dir_all(tree.join("only")).unwrap();
    for path in ["link", "file"] {
        fs::remove_file(tree.join(path)).unwrap();
    }
    fs::write(tree.join("link"), "no link\n").unwrap();
    link(Path::new("data/a"), &tree.join("file")).unwrap();
    let applied = Applied::to(root, &scratch.patch().unwrap()).unwrap();
    assert!(!root.join("only").exists());
    applied.take_back().unwrap();
    assert_eq!(fs::read_to_string(root.join("only/deep/code.py")).unwrap(), "mine\n");
    assert_eq!(fs::read_link(root.join("link")).unwrap(), Path::new("data/a"));
    assert!(root.join("file").symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(root.join("data/a")).unwrap(), "a\n");
}

#[tokio::test]
async fn what_cannot_be_put_back_is_kept_beside_it() {
    let (repository, _cache, _scratch, patch) = patched().await;
    let applied = Applied::to(repository.path(), &patch).unwrap();
    // The check made something of its own in its place.
    fs::create_dir(repository.path().join("old.py")).unwrap();
    let error = applied.take_back().unwrap_err().to_string();
    let (_, kept) = error.split_once("what it said is in ").unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "old\n");
    assert_eq!(fs::read_to_string(repository.path().join("code.py")).unwrap(), "one\n");
}
