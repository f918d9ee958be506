use super::*;

fn write(root: &Path, path: &str, text: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn what_a_person_wrote_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for path in [
        "README.md",
        "docs/a.html",
        "src/main.rs",
        "src/app.min.js",
        "logo.png",
        "private/note.md",
        "node_modules/x/README.md",
        ".taskmaster/docs/prd.md",
        ".env",
        "secrets.yaml",
        "package-lock.json",
    ] {
        write(root, path, b"text");
    }
    write(root, ".gitignore", b"private/\n");
    write(root, "large.txt", &vec![b'a'; 2_000_001]);
    let walked = files(root);
    let names: Vec<_> = walked.files.iter().map(|it| it.to_str().unwrap()).collect();
    assert_eq!(names, ["README.md", "docs/a.html", "src/main.rs"]);
    let skipped: Vec<_> = walked.skipped.iter().map(|it| it.0.to_str().unwrap()).collect();
    assert_eq!(skipped, ["large.txt", "secrets.yaml"]);
}

#[test]
fn an_archive_may_be_large_and_has_to_be_whole() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let archive = crate::read::zim::made::wiki(&[]);
    write(root, "wiki.zim", &archive);
    let file = fs::OpenOptions::new().write(true).open(root.join("wiki.zim")).unwrap();
    file.set_len(3_000_000_000).unwrap();
    write(root, "cut.zimaa", &archive);
    write(root, "cut.zimab", b"the rest");
    write(root, "notebook.zim", b"[Notebook]");
    let walked = files(root);
    assert_eq!(walked.files, [PathBuf::from("wiki.zim")]);
    assert_eq!(walked.skipped.len(), 1);
    assert_eq!(walked.skipped[0].0, Path::new("cut.zimaa"));
    assert!(walked.skipped[0].1.contains("join its parts"), "{:?}", walked.skipped);
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_source() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "outside/secret.md", b"text");
    write(directory.path(), "inside/a.md", b"text");
    let inside = directory.path().join("inside");
    std::os::unix::fs::symlink("../outside", inside.join("link")).unwrap();
    std::os::unix::fs::symlink("../outside/secret.md", inside.join("b.md")).unwrap();
    assert_eq!(files(&inside).files, [PathBuf::from("a.md")]);
}

#[test]
fn a_single_file_is_a_source() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a.md", b"text");
    assert_eq!(files(&directory.path().join("a.md")).files, [PathBuf::new()]);
    assert_eq!(files(&directory.path().join("gone.md")).files, Vec::<PathBuf>::new());
}
