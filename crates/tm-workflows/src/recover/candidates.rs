//! Which files a model is shown for a check that fails, and which of them a step may change.
//!
//! Code decides that: what decides whether the check passes is not changed by whoever wants it to. Start
//! at [`choose`].

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
};

use tm_knowledge::terms;

use crate::research::sources::SourceFile;

/// What must stay as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// The command that must pass.
    pub(crate) check: &'a str,
    /// Where the check runs, from the root of the repository.
    pub(crate) folder: &'a Path,
    /// Whether tests and what the check names may be changed all the same.
    pub(crate) changes_tests: bool,
}

/// A file as it is shown: some of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// From the folder.
    pub(crate) path: String,
    pub(crate) may_change: bool,
    /// Which of its lines these are, counted from 1.
    pub(crate) first: usize,
    pub(crate) lines: Vec<String>,
    pub(crate) is_whole: bool,
}

/// More files than this only confuse.
const CHANGED_MAX: usize = 6;
const KEPT_MAX: usize = 2;

/// More lines of one file are an excerpt.
const LINES_MAX: usize = 60;

/// Where tests are by custom.
const TEST_DIRECTORIES: &[&str] =
    &["test", "tests", "__tests__", "spec", "specs", "testdata", "fixtures", "e2e"];

/// Which tests there are, and how they are run, is said in these.
const RUNNERS: &[&str] = &[
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "setup.cfg",
    "tox.ini",
    "pytest.ini",
    "noxfile.py",
    "pyproject.toml",
    "package.json",
    "tsconfig.json",
    "Cargo.toml",
    "build.rs",
    "go.mod",
    "pom.xml",
    "Rakefile",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    "check.sh",
];

impl Rules<'_> {
    /// Whether a file, seen from the folder, has a say in whether the check passes.
    pub(crate) fn keeps(self, path: &str) -> bool {
        self.keeps_either(path, &self.folder.join(path))
    }

    /// The same for a file seen from the root, which may be outside of the folder.
    pub(crate) fn keeps_from_root(self, path: &str) -> bool {
        let inside = Path::new(path).strip_prefix(self.folder).ok().and_then(Path::to_str);
        self.keeps_either(inside.unwrap_or(path), Path::new(path))
    }

    fn keeps_either(self, path: &str, from_root: &Path) -> bool {
        let is_ours = path.split('/').any(|it| it == ".git" || it == ".taskmaster");
        let is_meant = || {
            let mut words = words(self.check);
            words.any(|it| resolved(self.folder, it).is_some_and(|it| it == from_root))
        };
        is_ours
            || !self.changes_tests && (is_test(path) || is_named(self.check, path) || is_meant())
    }
}

/// The files to show, those first that have most to do with what was printed. `near` are those that
/// documents were found in.
pub(crate) fn choose(
    files: &[SourceFile],
    rules: Rules<'_>,
    output: &str,
    near: &[String],
) -> Vec<Shown> {
    let named = |it: &SourceFile| last_mention(output, &it.path);
    let mut tests = deciding(files, rules, output);
    tests.truncate(KEPT_MAX);

    let mut told: String = tests.iter().map(|it| it.text.as_str()).collect();
    told.push_str(rules.check);
    // Documentation is seldom what is wrong, and looked up besides.
    let may_change =
        |it: &&SourceFile| !rules.keeps(&it.path) && (is_code(&it.path) || named(it).is_some());
    let ours: Vec<&SourceFile> = files.iter().filter(may_change).collect();
    let first: Vec<usize> = ours
        .iter()
        .map(|it| {
            let of = |holds: bool, worth: usize| if holds { worth } else { 0 };
            of(named(it).is_some(), 4)
                + of(mentions(&told, &it.path), 3)
                + of(near.contains(&it.path), 1)
        })
        .collect();
    // What these use in turn.
    let used: String =
        ours.iter().zip(&first).filter(|it| *it.1 > 0).map(|it| it.0.text.as_str()).collect();
    let mut ranked: Vec<(usize, &SourceFile)> = ours
        .iter()
        .zip(first)
        .map(|(it, worth)| (worth + usize::from(mentions(&used, &it.path)), *it))
        .collect();
    ranked.sort_by_key(|(worth, it)| {
        (std::cmp::Reverse((*worth, is_code(&it.path), named(it))), it.path.as_str())
    });
    ranked.truncate(CHANGED_MAX);

    let words: HashSet<String> = terms::words(&format!("{output}\n{told}")).collect();
    let show = |file: &SourceFile, may_change| excerpt(file, may_change, output, &words);
    let changed = ranked.into_iter().map(|it| show(it.1, true));
    tests.into_iter().map(|it| show(it, false)).chain(changed).collect()
}

/// What the check runs, as far as the check or what was printed names it: what the check names first.
pub(super) fn deciding<'a>(
    files: &'a [SourceFile],
    rules: Rules<'_>,
    output: &str,
) -> Vec<&'a SourceFile> {
    let kept = |it: &&SourceFile| rules.keeps(&it.path) && is_code(&it.path);
    let named = |it: &SourceFile| last_mention(output, &it.path);
    let mut tests: Vec<&SourceFile> = files.iter().filter(kept).collect();
    tests.sort_by_key(|it| (!is_named(rules.check, &it.path), std::cmp::Reverse(named(it))));
    tests.retain(|it| is_named(rules.check, &it.path) || named(it).is_some());
    tests
}

/// Whether what was printed or the check names a file, which is looked up fast.
pub(crate) fn is_named_by<'a>(output: &'a str, check: &'a str) -> impl Fn(&str) -> bool + 'a {
    let is_apart = |it: char| !(it.is_alphanumeric() || "_-.".contains(it));
    let names: HashSet<&str> = output.split(is_apart).map(|it| it.trim_matches('.')).collect();
    move |path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        names.contains(name.trim_matches('.')) || is_named(check, path)
    }
}

pub(super) fn is_code(path: &str) -> bool {
    let extension = Path::new(path).extension().unwrap_or_default();
    !["md", "markdown", "rst", "adoc", "html"].iter().any(|it| extension == *it)
}

fn is_test(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or_default();
    let lower = stem.to_ascii_lowercase();
    let middle = name.split('.').nth(1).unwrap_or_default();
    directory.split('/').any(|it| TEST_DIRECTORIES.contains(&it))
        || RUNNERS.contains(&name)
        || ["jest.config", "vitest.config", ".mocharc"].iter().any(|it| name.starts_with(it))
        || ["test", "tests", "spec"].contains(&lower.as_str())
        || ["test_", "test-"].iter().any(|it| lower.starts_with(it))
        || ["_test", "-test", "_spec", "-spec"].iter().any(|it| lower.ends_with(it))
        || ["Test", "Tests", "Spec"].iter().any(|it| stem.ends_with(it))
        || ["test", "spec"].contains(&middle)
}

/// Whether a command names a file, by its path or as a module.
fn is_named(command: &str, path: &str) -> bool {
    words(command).any(|word| {
        let word = word.trim_start_matches("./");
        let module = word.replace('.', "/") + ".py";
        word == path || module == path || path.ends_with(&format!("/{word}"))
    })
}

fn words(command: &str) -> impl Iterator<Item = &str> {
    let separates = |it: char| it.is_whitespace() || "'\"`;|&()<>=,:".contains(it);
    command.split(separates).filter(|it| !it.is_empty())
}

/// What a path means in a folder, from the root; none when it leads out of that.
fn resolved(folder: &Path, word: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in folder.join(word).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => path.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// Where a text says the name of a file last.
fn last_mention(text: &str, path: &str) -> Option<usize> {
    let name = path.rsplit('/').next().unwrap_or(path);
    text.rmatch_indices(name).map(|it| it.0).find(|at| is_apart(text, *at, name))
}

/// Whether a text names a file, perhaps without its ending as imports do.
fn mentions(text: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    !stem.is_empty() && text.match_indices(stem).any(|(at, _)| is_apart(text, at, stem))
}

fn is_apart(text: &str, at: usize, word: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    let before = text.get(..at).and_then(|it| it.chars().next_back());
    let after = text.get(at + word.len()..).and_then(|it| it.chars().next());
    !before.is_some_and(is_part) && !after.is_some_and(is_part)
}

/// All lines of a file, or those about which something was printed.
fn excerpt(file: &SourceFile, may_change: bool, output: &str, words: &HashSet<String>) -> Shown {
    let lines: Vec<&str> = file.text.lines().collect();
    let start = if lines.len() <= LINES_MAX {
        0
    } else if let Some(number) = line_number(output, &file.path) {
        number.saturating_sub(LINES_MAX / 2)
    } else {
        let shared = |start: usize| {
            let piece = lines.iter().skip(start).take(LINES_MAX).flat_map(|it| terms::words(it));
            piece.filter(|it| words.contains(it)).collect::<HashSet<_>>().len()
        };
        let starts = (0..lines.len()).step_by(LINES_MAX / 4);
        // The first one of the best.
        starts.max_by_key(|it| (shared(*it), std::cmp::Reverse(*it))).unwrap_or(0)
    };
    let start = start.min(lines.len().saturating_sub(LINES_MAX));
    let shown = lines.iter().skip(start).take(LINES_MAX).map(|it| (*it).to_owned());
    Shown {
        path: file.path.clone(),
        may_change,
        first: start + 1,
        lines: shown.collect(),
        is_whole: lines.len() <= LINES_MAX,
    }
}

/// The number that follows the last mention of a file in its line.
fn line_number(output: &str, path: &str) -> Option<usize> {
    let rest = output.get(last_mention(output, path)?..)?.lines().next()?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let digits = rest.get(name.len()..)?.trim_start_matches(|it: char| !it.is_ascii_digit());
    digits.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests;
