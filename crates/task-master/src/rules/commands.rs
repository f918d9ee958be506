//! Slash commands: one text each, put into the form that an editor reads.
//!
//! A text begins with its description and, where it takes any, a line about its arguments.

use super::{Mode, profile::CommandFormat};

/// A slash command.
#[derive(Debug)]
pub(super) struct SlashCommand {
    pub(super) name: &'static str,
    text: &'static str,
    audience: Audience,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Everybody,
    Solo,
    Team,
}

/// Where a text stands for what the user types after the command.
const ARGUMENTS: &str = "$ARGUMENTS";

impl SlashCommand {
    /// Without a mode, everything is there.
    pub(super) fn is_for(&self, mode: Option<Mode>) -> bool {
        match (mode, self.audience) {
            (None, _) | (_, Audience::Everybody) => true,
            (Some(Mode::Solo), audience) => audience == Audience::Solo,
            (Some(Mode::Team), audience) => audience == Audience::Team,
        }
    }

    pub(super) fn file_name(&self, prefix: &str, format: CommandFormat) -> String {
        let extension = if format == CommandFormat::Toml { "toml" } else { "md" };
        format!("{prefix}{}.{extension}", self.name)
    }

    pub(super) fn render(&self, format: CommandFormat) -> String {
        let (head, body) = self.text.split_once("\n\n").unwrap_or((self.text, ""));
        let (description, arguments) = match head.split_once("\nArguments: ") {
            Some((description, arguments)) => (description, Some(arguments)),
            None => (head, None),
        };
        match format {
            CommandFormat::Plain => self.text.to_owned(),
            CommandFormat::Body => {
                let what = arguments.map(|it| format!("Arguments: {it}\n\n")).unwrap_or_default();
                format!("{what}{}", body.replace(ARGUMENTS, "the arguments"))
            }
            CommandFormat::Toml => {
                let body = body.replace(ARGUMENTS, "{{args}}");
                format!("description = \"{description}\"\nprompt = \"\"\"\n{body}\"\"\"\n")
            }
            CommandFormat::FrontMatter => {
                let hint = arguments.map(|it| format!("argument-hint: \"{it}\"\n"));
                let hint = hint.unwrap_or_default();
                format!("---\ndescription: \"{description}\"\n{hint}---\n\n{body}")
            }
        }
    }
}

macro_rules! slash_commands {
    ($($audience:ident: $($name:literal)+;)+) => {
        /// All of them.
        pub(super) const COMMANDS: &[SlashCommand] = &[$($(SlashCommand {
            name: $name,
            text: include_str!(concat!("assets/commands/", $name, ".md")),
            audience: Audience::$audience,
        }),+),+];
    };
}

slash_commands! {
    Everybody: "command-pipeline" "help" "learn" "list-tasks" "list-tasks-by-status"
        "list-tasks-with-subtasks" "next-task" "project-status" "show-task" "smart-workflow"
        "tm-main" "to-cancelled" "to-deferred" "to-done" "to-in-progress" "to-pending"
        "to-review" "update-single-task" "update-task" "update-tasks-from-id";
    Solo: "add-dependency" "add-subtask" "add-task" "analyze-complexity" "analyze-project"
        "auto-implement-tasks" "complexity-report" "convert-task-to-subtask" "expand-all-tasks"
        "expand-task" "fix-dependencies" "init-project" "init-project-quick"
        "install-taskmaster" "parse-prd" "parse-prd-with-research" "quick-install-taskmaster"
        "remove-all-subtasks" "remove-dependency" "remove-subtask" "remove-subtasks"
        "remove-task" "setup-models" "sync-readme" "validate-dependencies" "view-models";
    Team: "goham";
}
