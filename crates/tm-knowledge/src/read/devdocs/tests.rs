use super::*;

#[test]
fn every_page_has_its_title() {
    let archive = br#"{"hooks/usestate": "<h1>useState</h1>", "index": "<p>All.", "a\nb": "no"}"#;
    let index = br#"{"entries":[{"name":"useState","path":"hooks/usestate","type":"Hooks"},
        {"name":"useState.set","path":"hooks/usestate#set","type":"Hooks"}],"types":[]}"#;
    let pages = pages(archive, index).unwrap();
    let told: Vec<(&str, &str)> =
        pages.iter().map(|it| (&*it.name, it.title.as_deref().unwrap())).collect();
    assert_eq!(told, [("hooks/usestate", "useState"), ("index", "index")]);
}

#[test]
fn what_is_no_archive_is_an_error_and_not_a_panic() {
    let index: &[u8] = br#"{"entries":[]}"#;
    for archive in [&b"{"[..], b"[]", br#"{"a": 1}"#, b"\xff", b""] {
        assert!(matches!(pages(archive, index), Err(Unreadable::NotArchive(_))), "{archive:?}");
    }
    assert!(matches!(pages(b"{}", b"{}"), Err(Unreadable::NotArchive(_))));
    let many: BTreeMap<String, &str> = (0..=MOST_PAGES).map(|it| (it.to_string(), "")).collect();
    let many = serde_json::to_vec(&many).unwrap();
    assert_eq!(pages(&many, index), Err(Unreadable::TooLarge));
}

#[cfg(unix)]
#[test]
fn what_is_called_as_a_part_of_an_archive_and_is_no_file_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("inside/db.json");
    let index = archive.with_file_name("index.json");
    fs::create_dir(directory.path().join("inside")).unwrap();
    fs::write(&archive, r#"{"a": "<p>All."}"#).unwrap();
    fs::write(directory.path().join("names"), r#"{"entries":[]}"#).unwrap();
    let refuses =
        || !is_archive(&archive) && matches!(read(&archive), Err(Unreadable::NotArchive(_)));
    std::os::unix::fs::symlink("../names", &index).unwrap();
    assert!(refuses());
    fs::remove_file(&index).unwrap();
    // Who opens it waits for somebody who writes.
    assert!(std::process::Command::new("mkfifo").arg(&index).status().unwrap().success());
    assert!(refuses());
    fs::remove_file(&index).unwrap();
    fs::rename(directory.path().join("names"), &index).unwrap();
    assert!(is_archive(&archive) && read(&archive).is_ok());
}
