//! Rules for each Rust file: its header, its length, its name, its promises.

use std::{fs, path::Path};

use crate::{assert_none, files, root};

/// Without tests. A longer file has two subjects.
const MOST_LINES: usize = 500;

/// Names that say nothing about what is inside, and so attract everything.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "types", "helpers", "helper", "prelude", "manager", "misc", "shared",
];

/// What is wrong with a file at `path`, which begins at the repository.
fn faults(path: &Path, text: &str) -> Vec<String> {
    let is_unit_test = path.ends_with("tests.rs");
    let is_test = is_unit_test || path.components().any(|it| it.as_os_str() == "tests");
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let mut names = path.with_extension("");
    let mut has_empty_name = false;
    while let Some(name) = names.file_name() {
        has_empty_name |= EMPTY_NAMES.iter().any(|it| name == *it);
        names.pop();
    }
    let rules = [
        (is_unit_test || text.starts_with("//!"), "open with `//!`: what is this file for?"),
        (!path.ends_with("mod.rs"), "name it after its module, not mod.rs"),
        (is_test || code.lines().count() <= MOST_LINES, "over 500 lines: what is its own subject?"),
        (!text.lines().any(is_empty_promise), "say in which issue it will be done: TODO(#12)"),
        (!has_empty_name, "name it after what is inside"),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, advice)| format!("{}: {advice}", path.display())).collect()
}

/// A comment that puts something off without an issue.
fn is_empty_promise(line: &str) -> bool {
    let Some((_, comment)) = line.split_once("//") else { return false };
    let comment = comment.trim_start_matches(['/', '!', ' ']);
    ["TODO", "FIXME", "XXX"].iter().any(|it| comment.starts_with(it)) && !comment.contains("(#")
}

#[test]
fn sources_are_tidy() {
    let root = root();
    let paths = ["crates", "xtask"].map(|it| files(&root.join(it), "rs")).concat();
    assert!(paths.len() > 50, "only {} files were looked at", paths.len());
    let faults: Vec<String> = paths
        .iter()
        .flat_map(|path| {
            faults(path.strip_prefix(&root).unwrap(), &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert_none(&faults);
}

#[test]
fn an_untidy_source_is_found() {
    #[track_caller]
    fn check(path: &str, text: &str, expected: usize) {
        assert_eq!(faults(Path::new(path), text).len(), expected, "{path}");
    }
    let promise = ["//! Good.\n// TO", "DO later\n"].concat();
    let kept_promise = ["//! Good.\n    work(); // TO", "DO(#12): later\n"].concat();
    let long = format!("//! Long.\n{}", "\n".repeat(MOST_LINES));

    check("crates/a/src/a.rs", "//! Good.\n", 0);
    check("crates/a/src/a.rs", "use x;\n", 1);
    check("crates/a/src/a/tests.rs", "use x;\n", 0);
    check("crates/a/src/a/mod.rs", "//! Good.\n", 1);
    check("crates/a/src/a.rs", &promise, 1);
    check("crates/a/src/a.rs", &kept_promise, 0);
    check("crates/a/src/a.rs", &long, 1);
    check("crates/a/src/a/tests.rs", &long, 0);
    check("crates/a/tests/it/main.rs", &long, 0);
    check("crates/a/tests/it/main.rs", "mod a;\n", 1);
    check("crates/a/src/utils.rs", "//! Good.\n", 1);
    check("crates/a/src/helpers/a.rs", "//! Good.\n", 1);
    check("crates/common/src/lib.rs", "use x;\n", 2);
}
