//! `help`: every command under the heading it belongs to.
//!
//! What a command does is told by the command itself; only the headings are known here.

use clap::{Command, CommandFactory};

use super::Cli;
use crate::report::{
    Report, advice,
    text::{BOLD, CYAN, DIM, Text},
};

/// Show all commands, or how one of them is used
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// The command to explain
    command: Vec<String>,
}

/// Commands that are in none of these come last.
const SECTIONS: &[(&str, &[&str])] = &[
    (
        "Project Setup & Configuration",
        &["init", "models", "doctor", "bench", "lang", "rules", "migrate", "mcp", "help"],
    ),
    ("Task Generation", &["parse-prd", "prd", "eval", "generate"]),
    (
        "Task Management",
        &[
            "list",
            "set-status",
            "add-task",
            "update",
            "update-task",
            "remove-task",
            "move",
            "scope-up",
            "scope-down",
            "sync-readme",
        ],
    ),
    ("Subtask Management", &["add-subtask", "update-subtask", "remove-subtask", "clear-subtasks"]),
    (
        "Task Analysis & Breakdown",
        &["analyze-complexity", "complexity-report", "expand", "research", "recover", "kb"],
    ),
    ("Task Navigation & Viewing", &["next", "show", "start", "loop", "autopilot"]),
    ("Tag Management", &["tags", "add-tag", "use-tag", "delete-tag", "rename-tag", "copy-tag"]),
    (
        "Dependency Management",
        &["add-dependency", "remove-dependency", "validate-dependencies", "fix-dependencies"],
    ),
    (
        "Model Servers",
        &["backends", "route", "serve", "rollout", "rollback", "keys", "cache", "trace", "privacy"],
    ),
    ("Shell", &["completions", "man"]),
    ("History", &["history", "undo", "restore"]),
];
const REST: &str = "More";

const EXAMPLES: &[(&str, &str)] = &[
    ("task-master init", "set a project up in this directory"),
    ("task-master models pull", "fetch the model that answers"),
    ("task-master parse-prd requirements.md", "make tasks of a document"),
    ("task-master next", "see what to do now"),
    ("task-master set-status 3 done", "say that it is done"),
];

/// Runs `help`.
pub fn run(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    if args.command.is_empty() {
        print_all(&command, report);
        return Ok(());
    }
    let mut found = &mut command;
    for name in &args.command {
        found = found.find_subcommand_mut(name).ok_or_else(|| {
            let message = format!("there is no command `{}`", args.command.join(" "));
            advice(message, "see all of them with `task-master help`")
        })?;
    }
    let help = found.render_long_help().to_string();
    report.lines(help.trim_end().lines().map(Text::from));
    Ok(())
}

/// Shows all commands.
pub fn print(report: &mut Report) {
    print_all(&Cli::command(), report);
}

fn print_all(command: &Command, report: &mut Report) {
    if let Some(about) = command.get_about() {
        report.line(about.to_string());
    }
    report.blank();
    report.line(Text::styled(BOLD, "Usage:").and_text(" task-master COMMAND [OPTIONS]".into()));
    let visible = || command.get_subcommands().filter(|it| !it.is_hide_set());
    let widest = visible().map(|it| it.get_name().len()).max().unwrap_or(0);
    for (heading, commands) in sections(visible().collect()) {
        report.blank();
        report.line(Text::styled(BOLD, heading));
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let name = format!("  {:widest$}  ", command.get_name());
            report.line(Text::styled(CYAN, &name).and_text(about.as_str().into()));
        }
    }
    report.blank();
    report.line(Text::styled(BOLD, "Configuration"));
    report
        .line("  .taskmaster/config.json  models, language and defaults: task-master models, lang");
    report.line("  .env                     settings of the environment, such as TASKMASTER_TAG");
    report.blank();
    report.line(Text::styled(BOLD, "Quick Examples"));
    report.suggest_any(EXAMPLES);
    report.blank();
    report.line(Text::styled(DIM, "task-master help COMMAND tells more about a command."));
}

/// The commands under their headings, without headings that have none.
fn sections(commands: Vec<&Command>) -> Vec<(&'static str, Vec<&Command>)> {
    let mut rest = commands;
    let mut sections = Vec::new();
    for (heading, names) in SECTIONS {
        let mut found = Vec::new();
        for name in *names {
            if let Some(at) = rest.iter().position(|it| it.get_name() == *name) {
                found.push(rest.remove(at));
            }
        }
        sections.push((*heading, found));
    }
    sections.push((REST, rest));
    sections.retain(|it| !it.1.is_empty());
    sections
}
