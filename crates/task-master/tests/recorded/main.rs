//! What the program that this one replaces did, done again by this one.
//!
//! Each scenario lays files down, runs commands, and says how they ended, what they printed as
//! JSON and what became of the files; it was recorded from the original. `allow.json` names those
//! in which we differ on purpose, with the reason, which docs/differences.md has as well. The
//! commands that ask a model are tested where their model is. Start at [`replay`].

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;

mod compare;
mod mask;

use compare::{compare_file, json_differences, level};
use mask::Mask;

/// A file before a command, or after.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    Json(Value),
    Text(String),
    /// One of `fixtures.json`.
    Fixture(String),
    /// Its content is our own.
    Exists(()),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    files: BTreeMap<String, Content>,
    #[serde(default)]
    home_files: BTreeMap<String, Content>,
    #[serde(default)]
    env: BTreeMap<String, Option<String>>,
    /// Files that nobody compares.
    #[serde(default)]
    ignored: Vec<String>,
    steps: Vec<Step>,
    /// What is different afterwards; nothing for a file that is gone.
    #[serde(default)]
    after: BTreeMap<String, Option<Content>>,
    home_after: Option<BTreeMap<String, Content>>,
    #[serde(default)]
    file_has: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    argv: Vec<String>,
    /// Whether it succeeds; nothing where that is not compared.
    ok: Option<bool>,
    json: Option<Value>,
    #[serde(default)]
    stdout_has: Vec<String>,
    #[serde(default)]
    stdout_lacks: Vec<String>,
}

/// A directory for one scenario.
struct Place {
    _directory: tempfile::TempDir,
    project: PathBuf,
    home: PathBuf,
    mask: Mask,
}

fn data(name: &str) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    fs::read_to_string(here.join(name)).unwrap()
}

/// Does what the scenarios of a group say, and lists all that came out differently.
#[track_caller]
fn replay(group: &str) {
    let scenarios: Vec<Scenario> =
        serde_json::from_str(&data(&format!("scenarios/{group}.json"))).unwrap();
    let fixtures = serde_json::from_str(&data("scenarios/fixtures.json")).unwrap();
    let allowed: BTreeMap<String, String> = serde_json::from_str(&data("allow.json")).unwrap();
    let mut faults = Vec::new();
    for scenario in &scenarios {
        let found = differences(scenario, &fixtures);
        if allowed.contains_key(&scenario.name) {
            if found.is_empty() {
                faults.push(format!("{}: is in allow.json and differs in nothing", scenario.name));
            }
        } else {
            faults.extend(found.iter().map(|it| format!("{}: {it}", scenario.name)));
        }
    }
    assert!(faults.is_empty(), "{} differences\n{}", faults.len(), faults.join("\n"));
}

fn differences(scenario: &Scenario, fixtures: &BTreeMap<String, Content>) -> Vec<String> {
    let place = Place::new();
    let resolve = |content: &Content| match content {
        Content::Fixture(name) => fixtures.get(name).unwrap().clone(),
        Content::Json(_) | Content::Text(_) | Content::Exists(()) => content.clone(),
    };
    let resolved = |files: &BTreeMap<String, Content>| -> BTreeMap<String, Content> {
        files.iter().map(|(path, it)| (path.clone(), resolve(it))).collect()
    };
    let mut files = resolved(&scenario.files);
    let home_files = resolved(&scenario.home_files);
    place.lay(&place.project, &files);
    place.lay(&place.home, &home_files);
    let mut faults: Vec<String> =
        scenario.steps.iter().flat_map(|it| place.step(it, &scenario.env)).collect();
    for (path, after) in &scenario.after {
        match after {
            Some(content) => drop(files.insert(path.clone(), resolve(content))),
            None => drop(files.remove(path)),
        }
    }
    faults.extend(place.compare(&place.project, &files, &scenario.ignored));
    if let Some(after) = &scenario.home_after {
        faults.extend(place.compare(&place.home, &resolved(after), &scenario.ignored));
    }
    for (path, needles) in &scenario.file_has {
        let text = fs::read_to_string(place.project.join(path)).unwrap_or_default();
        let missing = needles.iter().filter(|it| !text.contains(it.as_str()));
        faults.extend(missing.map(|it| format!("{path} lacks {it:?}")));
    }
    faults
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let [project, home, temporary] = ["project", "home", "tmp"].map(|it| top.join(it));
        for directory in [&project, &home, &temporary] {
            fs::create_dir(directory).unwrap();
        }
        let mask = Mask::new(&[
            (&project, "<DIR>"),
            (&home, "<HOME>"),
            (&temporary, "<TMP>"),
            (&top, "<TOP>"),
        ]);
        Self { _directory: directory, project, home, mask }
    }

    fn lay(&self, root: &Path, files: &BTreeMap<String, Content>) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = match content {
                Content::Json(value) => serde_json::to_string_pretty(value).unwrap(),
                Content::Text(text) => text.clone(),
                Content::Fixture(_) | Content::Exists(()) => continue,
            };
            fs::write(path, self.fill_in(&text)).unwrap();
        }
    }

    fn fill_in(&self, text: &str) -> String {
        let directory = |it: &Path| it.to_str().unwrap().to_owned();
        text.replace("{DIR}", &directory(&self.project)).replace("{HOME}", &directory(&self.home))
    }

    fn step(&self, step: &Step, env: &BTreeMap<String, Option<String>>) -> Vec<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_task-master"));
        command.args(step.argv.iter().map(|it| self.fill_in(it))).current_dir(&self.project);
        command.env_clear().stdin(Stdio::null()).env("HOME", &self.home).env("NO_COLOR", "1");
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("SHELL", "/bin/bash");
        command.env("TMPDIR", self.home.with_file_name("tmp")).env("GIT_CONFIG_NOSYSTEM", "1");
        for (name, value) in env {
            match value {
                Some(value) => command.env(name, self.fill_in(value)),
                None => command.env_remove(name),
            };
        }
        let output = command.output().unwrap();
        let out = self.mask.text(&String::from_utf8_lossy(&output.stdout));
        let line = step.argv.join(" ");
        let mut faults = Vec::new();
        if step.ok.is_some_and(|it| it != output.status.success()) {
            let err = String::from_utf8_lossy(&output.stderr);
            faults.push(format!("`{line}` ended with {}: {err}", output.status));
        }
        if let Some(wanted) = &step.json {
            match serde_json::from_str::<Value>(&out) {
                Ok(found) => faults.extend(
                    json_differences(&level(wanted), &level(&self.mask.json(&found)))
                        .iter()
                        .map(|it| format!("`{line}` printed {it}")),
                ),
                Err(error) => faults.push(format!("`{line}` printed no JSON document: {error}")),
            }
        }
        let missing = step.stdout_has.iter().filter(|it| !out.contains(it.as_str()));
        faults.extend(missing.map(|it| format!("`{line}` does not print {it:?}")));
        let unwanted = step.stdout_lacks.iter().filter(|it| out.contains(it.as_str()));
        faults.extend(unwanted.map(|it| format!("`{line}` prints {it:?}")));
        faults
    }

    /// Compares what is there with what should be.
    fn compare(
        &self,
        root: &Path,
        wanted: &BTreeMap<String, Content>,
        ignored: &[String],
    ) -> Vec<String> {
        let mut found = BTreeMap::new();
        self.collect(root, root, &mut found);
        let counts = |path: &&String| !ignored.iter().any(|it| mask::fits(path, it));
        let mut faults = Vec::new();
        for path in wanted.keys().filter(counts).filter(|it| !found.contains_key(*it)) {
            faults.push(format!("{path} is missing"));
        }
        for (path, bytes) in found.iter().filter(|(path, _)| counts(path)) {
            match wanted.get(path) {
                Some(wanted) => faults.extend(compare_file(path, wanted, bytes, &self.mask)),
                None => faults.push(format!("{path} should not be there")),
            }
        }
        faults
    }

    fn collect(&self, root: &Path, directory: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|it| it != ".git") {
                    self.collect(root, &path, found);
                }
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.insert(self.mask.text(name), fs::read(&path).unwrap());
            }
        }
    }
}

/// One test a group, named after the first word of its commands.
macro_rules! groups {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_group_has_a_test() {
            let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/scenarios");
            let tested = [$(stringify!($name)),*];
            for entry in fs::read_dir(here).unwrap() {
                let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
                assert!(name == "fixtures" || tested.contains(&name.as_str()), "{name}");
            }
        }
    };
}

groups! {
    add clear cli complexity custom fix generate init list malformed migrate models move_ next no remove set show tags validate
}
