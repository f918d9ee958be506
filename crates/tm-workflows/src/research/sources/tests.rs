use super::*;

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("src/main.rs", "fn main() {}"),
        ("src/a/b/c/d/e.rs", ""),
        ("node_modules/x/index.js", ""),
        (".env.local", "KEY=1"),
        ("README.md", "# Notes"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn the_list_has_what_people_wrote_down_to_five_levels() {
    let folder = project();
    insta::assert_snapshot!(tree(folder.path()), @"
    README.md
    src/
      a/
        b/
          c/
            d/
      main.rs
    ");
}

#[test]
fn a_long_list_says_how_much_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..LINES_MAX + 7 {
        fs::write(folder.path().join(number.to_string()), "").unwrap();
    }
    assert!(tree(folder.path()).ends_with("\n… and 7 more"));
}

#[test]
fn a_file_is_read_whole_or_not_at_all() {
    let folder = project();
    let root = folder.path();
    let file = read_file(root, "src/main.rs").unwrap();
    assert_eq!((file.path.as_str(), file.text.as_str()), ("src/main.rs", "fn main() {}"));
    fs::write(root.join("large.txt"), "x".repeat(50_001)).unwrap();
    fs::write(root.join("noise"), [0xff, 0xfe]).unwrap();
    fs::write(root.join("zero"), "a\0b").unwrap();
    for (path, expected) in [
        ("gone.md", "there is no file gone.md"),
        ("src", "src is a directory"),
        ("large.txt", "large.txt has 51 kB; a file that belongs to a question has at most 50 kB"),
        ("noise", "noise is not text"),
        ("zero", "zero is not text"),
        ("README.md/x", "README.md/x cannot be read"),
    ] {
        assert_eq!(read_file(root, path).unwrap_err().to_string(), expected);
    }
}
