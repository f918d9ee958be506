use std::{collections::BTreeMap, fs, path::Path};

use tempfile::TempDir;

use super::{
    Mode, Places, RulesError, add, detected, installed,
    profile::{PROFILES, find},
    remove, text,
};

struct Home {
    project: TempDir,
    home: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { project: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() }
    }

    fn places(&self) -> Places<'_> {
        Places { root: self.project.path(), home: Some(self.home.path()) }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Every file with its text.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for root in [self.project.path(), self.home.path()] {
            collect(root, root, &mut files);
        }
        files
    }
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// What a profile consists of, but for its slash commands, and how many of those there are.
fn layout(profile: &str, mode: Option<Mode>) -> String {
    let home = Home::new();
    add(home.places(), find(profile).unwrap(), mode).unwrap();
    let files = home.files();
    let is_command = |it: &&String| it.contains("command") || it.contains("prompts/");
    let others: Vec<&str> = files.keys().filter(|it| !is_command(it)).map(String::as_str).collect();
    format!("{} + {} commands", others.join(" "), files.keys().filter(is_command).count())
}

#[test]
fn each_profile_has_its_files() {
    let mut all = Vec::new();
    for profile in PROFILES {
        for (mode, word) in [(Some(Mode::Solo), "solo"), (Some(Mode::Team), "team"), (None, "all")]
        {
            all.push(format!("{} {word}: {}", profile.name, layout(profile.name, mode)));
        }
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn removing_leaves_nothing_of_ours_and_everything_of_the_users() {
    for profile in PROFILES {
        for mode in [None, Some(Mode::Solo), Some(Mode::Team)] {
            let home = Home::new();
            for path in ["CLAUDE.md", "AGENT.md", "AGENTS.md", "GEMINI.md", ".rules", ".roomodes"] {
                home.write(path, "# Mine\n");
            }
            home.write(".cursor/rules/mine.mdc", "mine");
            home.write(".cursor/mcp.json", "{\n  \"mcpServers\": {\n    \"a\": {}\n  }\n}\n");
            let before = home.files();
            add(home.places(), profile, mode).unwrap();
            assert_ne!(home.files(), before, "{}", profile.name);
            assert_eq!(installed(home.places()).len(), 1, "{}", profile.name);
            remove(home.places(), profile).unwrap();
            assert_eq!(home.files(), before, "{}", profile.name);
            assert_eq!(installed(home.places()).len(), 0, "{}", profile.name);
        }
    }
}

#[test]
fn a_section_stays_while_another_profile_has_it() {
    let home = Home::new();
    let (codex, opencode) = (find("codex").unwrap(), find("opencode").unwrap());
    add(home.places(), codex, None).unwrap();
    add(home.places(), opencode, None).unwrap();
    remove(home.places(), codex).unwrap();
    assert!(home.files().contains_key("AGENTS.md"));
    remove(home.places(), opencode).unwrap();
    assert!(home.files().is_empty());
}

#[test]
fn adding_again_changes_nothing() {
    for profile in PROFILES {
        let home = Home::new();
        add(home.places(), profile, None).unwrap();
        assert_eq!(add(home.places(), profile, None).unwrap().files_written, 0, "{}", profile.name);
    }
}

#[test]
fn another_mode_takes_the_place_of_the_first() {
    let home = Home::new();
    let cursor = find("cursor").unwrap();
    add(home.places(), cursor, Some(Mode::Solo)).unwrap();
    add(home.places(), cursor, Some(Mode::Team)).unwrap();
    let files = home.files();
    assert!(files.contains_key(".cursor/commands/tm/goham.md"));
    assert!(!files.contains_key(".cursor/commands/tm/parse-prd.md"));
}

#[test]
fn settings_with_comments_are_left_alone_and_the_entry_is_told() {
    let home = Home::new();
    home.write(".zed/settings.json", "{ // mine\n}");
    let outcome = add(home.places(), find("zed").unwrap(), Some(Mode::Solo)).unwrap();
    assert!(outcome.notes[0].contains("context_servers"), "{:?}", outcome.notes);
    assert_eq!(home.files()[".zed/settings.json"], "{ // mine\n}");
    assert_eq!(remove(home.places(), find("zed").unwrap()).unwrap().notes.len(), 1);
}

#[test]
fn an_import_of_the_users_own_is_enough() {
    let home = Home::new();
    home.write("CLAUDE.md", "See @./.taskmaster/CLAUDE.md\n");
    add(home.places(), find("claude").unwrap(), None).unwrap();
    assert_eq!(home.files()["CLAUDE.md"], "See @./.taskmaster/CLAUDE.md\n");
}

#[test]
fn editors_are_known_by_their_directories() {
    let home = Home::new();
    assert!(detected(home.project.path()).is_empty());
    home.write(".roo/x", "");
    home.write("GEMINI.md", "");
    let names: Vec<&str> = detected(home.project.path()).iter().map(|it| it.name).collect();
    assert_eq!(names, ["gemini", "roo"]);
}

#[test]
fn texts_are_put_into_the_words_of_an_editor() {
    for profile in PROFILES {
        for (path, text) in text::files(profile, None) {
            assert!(!text.contains("{{"), "{path}: {text}");
        }
    }
    assert_eq!(text::hooks().len(), 7);
    let home = Home::new();
    for name in ["claude", "cursor", "gemini", "roo"] {
        add(home.places(), find(name).unwrap(), Some(Mode::Solo)).unwrap();
    }
    let files = home.files();
    let forms = [
        ".claude/commands/tm/remove-subtasks.md",
        ".cursor/commands/tm/remove-subtasks.md",
        ".gemini/commands/tm/remove-subtasks.toml",
        ".roo/commands/tm-remove-subtasks.md",
    ];
    insta::assert_snapshot!(forms.map(|it| files[it].as_str()).join("\n~~~~\n"));
}

#[test]
fn what_is_in_the_way_is_an_error() {
    let home = Home::new();
    home.write(".cursor", "a file");
    let error = add(home.places(), find("cursor").unwrap(), None).unwrap_err();
    assert!(matches!(error, RulesError::Write { .. }), "{error}");
    let home = Home::new();
    fs::create_dir_all(home.project.path().join(".windsurf/rules/taskmaster.md")).unwrap();
    let error = add(home.places(), find("windsurf").unwrap(), None).unwrap_err();
    assert!(matches!(error, RulesError::Read { .. }), "{error}");
    let error = remove(home.places(), find("windsurf").unwrap()).unwrap_err();
    assert!(matches!(error, RulesError::Remove { .. }), "{error}");
}
