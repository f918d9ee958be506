//! What a fresh project consists of, and the lines that go into files of the user's own.
//!
//! Pure: which files there are already is told, nothing is written.

pub(super) const ENV_EXAMPLE: &str = include_str!("templates/env.example");
pub(super) const EXAMPLE_PRD: &str = include_str!("templates/example_prd.txt");
pub(super) const EXAMPLE_PRD_GRAPH: &str = include_str!("templates/example_prd_rpg.txt");

/// What is kept out of version control, under one heading each.
const IGNORED: &[(&str, &[&str])] = &[
    (
        "Logs",
        &["logs", "*.log", "npm-debug.log*", "yarn-debug.log*", "yarn-error.log*", "dev-debug.log"],
    ),
    ("Dependency directories", &["node_modules/"]),
    ("Environment variables", &[".env"]),
    (
        "Editor directories and files",
        &[".idea", ".vscode", "*.suo", "*.ntvs*", "*.njsproj", "*.sln", "*.sw?"],
    ),
    ("OS specific", &[".DS_Store"]),
];
const TASK_FILES: (&str, &[&str]) = ("Task files", &["tasks.json", "tasks/"]);

/// What `.gitignore` lacks, to be added at its end; empty when it has everything.
pub(super) fn missing_ignores(existing: &str, ignore_tasks: bool) -> String {
    let known: Vec<&str> = existing.lines().map(str::trim).collect();
    let mut parts = Vec::new();
    let tasks = ignore_tasks.then_some(&TASK_FILES);
    for (heading, lines) in IGNORED.iter().chain(tasks) {
        let missing: Vec<&str> = lines.iter().copied().filter(|it| !known.contains(it)).collect();
        if !missing.is_empty() {
            parts.push(format!("# {heading}\n{}\n", missing.join("\n")));
        }
    }
    let text = parts.join("\n");
    if existing.is_empty() || text.is_empty() { text } else { apart(existing, &text) }
}

/// What the start-up file of a shell lacks; empty when it has everything.
pub(super) fn missing_aliases(existing: &str, date: &str) -> String {
    let has =
        |name: &str| existing.lines().any(|it| it.trim().starts_with(&format!("alias {name}=")));
    let missing: Vec<String> = ["tm", "taskmaster"]
        .iter()
        .filter(|it| !has(it))
        .map(|it| format!("alias {it}='task-master'\n"))
        .collect();
    if missing.is_empty() {
        return String::new();
    }
    apart(existing, &format!("# Task Master aliases added on {date}\n{}", missing.concat()))
}

/// A text to be added after an empty line.
fn apart(existing: &str, text: &str) -> String {
    let end = if existing.is_empty() || existing.ends_with('\n') { "" } else { "\n" };
    format!("{end}\n{text}")
}

#[cfg(test)]
mod tests;
