//! Rules for the documents people read first.

use std::{fs, path::Path};

use crate::{assert_none, files, root};

/// A map that takes longer to read than this is no map.
const MOST_LINES: usize = 200;

/// Where the links in a Markdown text lead, without those in code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            // Every second piece between backquotes is code.
            let prose = line.split('`').step_by(2);
            found.extend(prose.flat_map(|it| it.split("](").skip(1)).filter_map(target));
        }
    }
    found
}

fn target(after_bracket: &str) -> Option<&str> {
    let (target, _) = after_bracket.split_once(')')?;
    target.split_whitespace().next()
}

/// Links to files that are not there. Links to other machines are nobody's business here.
fn dead_links(document: &Path, text: &str) -> Vec<String> {
    let directory = document.parent().unwrap();
    let is_dead = |link: &&str| {
        let is_elsewhere = link.contains("://") || link.starts_with("mailto:");
        let path = link.split('#').next().unwrap();
        !is_elsewhere && !path.is_empty() && !directory.join(path).exists()
    };
    let dead = links(text).into_iter().filter(is_dead);
    dead.map(|it| format!("{}: nothing is at {it}", document.display())).collect()
}

#[test]
fn links_lead_somewhere() {
    let root = root();
    // What tests read may be as broken as they like.
    let is_ours = |path: &&std::path::PathBuf| {
        !path.strip_prefix(&root).unwrap().components().any(|it| it.as_os_str() == "tests")
    };
    let documents = files(&root, "md");
    let faults: Vec<String> = documents
        .iter()
        .filter(is_ours)
        .flat_map(|path| dead_links(path, &fs::read_to_string(path).unwrap()))
        .collect();
    assert_none(&faults);
}

#[test]
fn what_a_newcomer_looks_for_is_there() {
    let names =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE-MIT", "LICENSE-APACHE"];
    let missing: Vec<String> =
        names.iter().filter(|it| !root().join(it).is_file()).map(ToString::to_string).collect();
    assert_none(&missing);
}

#[test]
fn the_map_is_short() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines < MOST_LINES, "ARCHITECTURE.md has {lines} lines: what is not map?");
}

#[test]
fn a_dead_link_is_found() {
    let text = "[a](main.rs) [b](gone.md#part) [c](https://example.org/x) [d](#here)\n\
                `[e](code.md)` ![f](gone.png \"title\")\n```\n[g](block.md)\n```\n";
    assert_eq!(
        links(text),
        ["main.rs", "gone.md#part", "https://example.org/x", "#here", "gone.png"]
    );
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tidy/documents.rs");
    let dead = dead_links(&here, text);
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert!(dead[0].ends_with("nothing is at gone.md#part"), "{dead:?}");
}
