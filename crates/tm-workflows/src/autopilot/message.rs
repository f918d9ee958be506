//! What a commit of autopilot says about itself.
//!
//! Pure. Start at [`generate`].

use std::path::{Component, Path};

use super::machine::{Subtask, Workflow};

/// The message for the work on a subtask that changed these files.
pub fn generate(workflow: &Workflow, subtask: &Subtask, files: &[String]) -> String {
    let title = subtask.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let subject = format!("feat({}): {title}", scope(files));
    let task = &workflow.context.task_id;
    let results = workflow.context.last_test_results.unwrap_or_default();
    format!(
        "{subject}\n\n\
         Task: {task}\n\
         Phase: COMMIT\n\
         Tests: {passed} passing, {failed} failing\n\n\
         [taskId:{task}]\n\
         [subtaskId:{id}]\n\
         [phase:COMMIT]\n\
         [tddCycle:complete]\n",
        id = workflow.full_id(subtask),
        passed = results.passed,
        failed = results.failed,
    )
}

/// The part of the project that most of the files belong to; of equals the one that says most.
pub fn scope(files: &[String]) -> &'static str {
    let scopes: Vec<&str> = files.iter().filter_map(|it| scope_of(Path::new(it))).collect();
    let votes = |scope: &str| scopes.iter().filter(|it| **it == scope).count();
    let (scope, votes) =
        SCOPES.iter().rev().map(|it| (*it, votes(it))).max_by_key(|it| it.1).unwrap_or_default();
    if votes == 0 { "repo" } else { scope }
}

/// Those that say most come first.
const SCOPES: &[&str] =
    &["cli", "core", "mcp", "workflow", "git", "storage", "auth", "test", "docs", "config", "deps"];

/// What a directory or the start of a file's name stands for.
const WORDS: &[(&str, &[&str])] = &[
    ("cli", &["cli", "commands"]),
    ("mcp", &["mcp", "mcp-server"]),
    ("workflow", &["workflow", "workflows"]),
    ("git", &["git"]),
    ("storage", &["storage", "store", "database", "db"]),
    ("auth", &["auth", "login", "session"]),
    ("core", &["core", "lib"]),
];

const DEPENDENCIES: &[&str] = &[
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "cargo.toml",
    "cargo.lock",
    "go.mod",
    "go.sum",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "requirements.txt",
    "gemfile",
    "gemfile.lock",
    "composer.json",
    "composer.lock",
];

const SETTINGS: &[&str] = &["yml", "yaml", "toml", "ini", "conf", "env", "properties"];

fn scope_of(path: &Path) -> Option<&'static str> {
    let parts: Vec<String> = path
        .components()
        .filter_map(|it| match it {
            Component::Normal(name) => Some(name.to_string_lossy().to_lowercase()),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => None,
        })
        .collect();
    let (name, directories) = parts.split_last()?;
    // Ours is changed by every commit.
    if directories.iter().any(|it| it == ".taskmaster") {
        return None;
    }
    let is_in = |names: &[&str]| directories.iter().any(|it| names.contains(&it.as_str()));
    let mut words = name.split(['.', '_', '-']);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if is_in(&["test", "tests", "__tests__", "spec", "specs"])
        || words.any(|it| matches!(it, "test" | "tests" | "spec"))
    {
        return Some("test");
    }
    if DEPENDENCIES.contains(&name.as_str()) {
        return Some("deps");
    }
    if is_in(&["doc", "docs"]) || matches!(extension, "md" | "rst" | "adoc") {
        return Some("docs");
    }
    if is_in(&["config", ".github"])
        || name.starts_with('.')
        || name.contains("config")
        || SETTINGS.contains(&extension)
    {
        return Some("config");
    }
    let stem = name.split('.').next().unwrap_or_default();
    let is_about = |names: &&[&str]| is_in(names) || names.contains(&stem);
    WORDS.iter().find(|(_, names)| is_about(names)).map(|(scope, _)| *scope)
}

#[cfg(test)]
mod tests;
