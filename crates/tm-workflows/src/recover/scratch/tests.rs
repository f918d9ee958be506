use std::process::Command;

use super::*;

/// A repository with a commit, a change, a new file, an ignored one and a link out of it.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, ".gitignore", "ignored\n");
    write(root, "app/code.py", "one\n");
    write(root, "gone.txt", "gone\n");
    git(root, &["init", "--quiet"]);
    git(root, &["add", "--all"]);
    git(root, &["commit", "--quiet", "--message=first"]);
    write(root, "app/code.py", "two\n");
    write(root, "new.txt", "new\n");
    write(root, "ignored", "secret\n");
    fs::remove_file(root.join("gone.txt")).unwrap();
    link(Path::new("/etc/passwd"), &root.join("away")).unwrap();
    link(Path::new("app/code.py"), &root.join("inside")).unwrap();
    directory
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn git(root: &Path, arguments: &[&str]) {
    let who = ["-c", "user.name=A", "-c", "user.email=a@localhost"];
    let output = Command::new("git").args(who).args(arguments).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every file with what it says, those of git included.
fn everything(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            found.extend(everything(&path));
        } else if metadata.is_file() {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn the_copy_is_the_work_tree_as_it_is_and_is_gone_afterwards() {
    let (repository, cache) = (repository(), tempfile::tempdir().unwrap());
    let scratch = Scratch::of(&repository.path().join("app"), cache.path()).await.unwrap();
    assert!(scratch.folder().ends_with("tree/app"));
    let tree = scratch.folder().parent().unwrap().to_path_buf();
    let read = |path: &str| fs::read_to_string(tree.join(path)).ok();
    assert_eq!(read("app/code.py").as_deref(), Some("two\n"));
    assert_eq!(read("new.txt").as_deref(), Some("new\n"));
    assert_eq!(read("inside").as_deref(), Some("two\n"));
    assert_eq!((read("gone.txt"), read("ignored"), read("away")), (None, None, None));
    assert_eq!(scratch.left_out(), ["away"]);
    drop(scratch);
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn whatever_is_done_in_the_copy_the_repository_stays_as_it_is() {
    let (repository, cache) = (repository(), tempfile::tempdir().unwrap());
    let before = everything(repository.path());
    let scratch = Scratch::of(repository.path(), cache.path()).await.unwrap();
    let tree = scratch.folder().to_path_buf();
    write(&tree, "app/code.py", "three\n");
    write(&tree, "made.txt", "made\n");
    write(&tree, "ignored", "built\n");
    let patch = scratch.patch().unwrap();
    assert_eq!(patch.paths, ["app/code.py", "made.txt"]);
    assert!(patch.text.contains("-two\n+three\n"), "{}", patch.text);
    git(&tree, &["commit", "--quiet", "--message=theirs"]);
    git(&tree, &["branch", "theirs"]);
    git(&tree, &["gc", "--quiet", "--prune=now"]);
    scratch.reset().unwrap();
    assert_eq!(fs::read_to_string(tree.join("app/code.py")).unwrap(), "two\n");
    assert!(!tree.join("made.txt").exists() && !tree.join("ignored").exists());
    assert_eq!(scratch.patch().unwrap().text, "");
    drop(scratch);
    assert!(everything(repository.path()) == before);
}

#[tokio::test]
async fn a_copy_that_lost_its_own_repository_does_not_find_the_one_around_it() {
    let repository = repository();
    let cache = repository.path().join("ignored-cache");
    let scratch = Scratch::of(repository.path(), &cache).await.unwrap();
    fs::remove_dir_all(scratch.folder().join(".git")).unwrap();
    assert!(scratch.reset().is_err());
    assert_eq!(fs::read_to_string(repository.path().join("app/code.py")).unwrap(), "two\n");
    assert!(repository.path().join("new.txt").exists());
}

#[tokio::test]
async fn without_a_commit_there_is_a_copy_and_without_a_repository_or_files_there_is_none() {
    let (empty, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(empty.path(), "code.py", "one\n");
    let error = Scratch::of(empty.path(), cache.path()).await.unwrap_err();
    assert!(matches!(error, ScratchError::Git(GitError::NoRepository { .. })), "{error}");
    git(empty.path(), &["init", "--quiet"]);
    let scratch = Scratch::of(empty.path(), cache.path()).await.unwrap();
    assert!(scratch.folder().join("code.py").exists());
    fs::create_dir(empty.path().join("nothing")).unwrap();
    let error = Scratch::of(&empty.path().join("nothing"), cache.path()).await.unwrap_err();
    assert!(matches!(error, ScratchError::Empty { .. }), "{error}");
    let error = Scratch::of(&empty.path().join("no-such"), cache.path()).await.unwrap_err();
    assert!(matches!(error, ScratchError::Copy { .. }), "{error}");
}

#[tokio::test]
async fn a_link_leads_out_when_it_climbs_too_far() {
    let check = |path: &str, target: &str, expected| {
        assert_eq!(leads_out(Path::new(path), Path::new(target)), expected, "{path} -> {target}");
    };
    check("a", "b", false);
    check("a/b", "../c", false);
    check("a", "../c", true);
    check("a/b", "../../c", true);
    check("a/b", "c/../../../d", true);
    check("a", "/etc", true);
}

#[tokio::test]
async fn a_patch_is_the_same_whatever_git_is_set_to() {
    let (repository, cache) = (repository(), tempfile::tempdir().unwrap());
    write(repository.path(), ".gitattributes", "*.py diff=odd\n");
    let scratch = Scratch::of(repository.path(), cache.path()).await.unwrap();
    let tree = scratch.folder();
    write(tree, "app/code.py", "three\n");
    for [name, value] in [
        ["diff.noprefix", "true"],
        ["diff.mnemonicPrefix", "true"],
        ["diff.relative", "true"],
        ["diff.odd.textconv", "echo odd"],
        ["diff.external", "false"],
        ["color.ui", "always"],
    ] {
        git(tree, &["config", name, value]);
    }
    let patch = scratch.patch().unwrap();
    assert!(patch.text.contains("--- a/app/code.py\n+++ b/app/code.py\n"), "{}", patch.text);
    assert!(patch.text.contains("-two\n+three\n"), "{}", patch.text);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_is_no_utf_8_is_said_to_be_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let (repository, cache) = (repository(), tempfile::tempdir().unwrap());
    fs::write(repository.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "").unwrap();
    let scratch = Scratch::of(repository.path(), cache.path()).await.unwrap();
    assert_eq!(scratch.left_out(), ["away", "caf\u{fffd}"]);
}
