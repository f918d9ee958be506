//! The rules themselves: one text each, put into the words and the form of an editor.

use serde_json::{Value, json};

use super::{
    Mode,
    profile::{Front, Profile, RuleFiles},
};

/// A rule as it is written down once for all editors.
#[derive(Debug)]
struct Rule {
    name: &'static str,
    /// When an editor that loads rules by need should load it.
    description: &'static str,
    text: &'static str,
    audience: Audience,
    /// Whether it is about Task Master, and not about rules.
    is_about_tasks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Solo,
    Team,
    /// Those who work with hooks.
    Kiro,
}

/// How rules are written; its file is named after the editor.
const RULES_OF_RULES: &str = "cursor_rules";

const RULES: [Rule; 6] = [
    Rule {
        name: RULES_OF_RULES,
        description: "How rules are written and kept",
        text: include_str!("assets/rules/cursor_rules.md"),
        audience: Audience::Solo,
        is_about_tasks: false,
    },
    Rule {
        name: "dev_workflow",
        description: "How to develop with the tasks of this project",
        text: include_str!("assets/rules/dev_workflow.md"),
        audience: Audience::Solo,
        is_about_tasks: true,
    },
    Rule {
        name: "self_improve",
        description: "When rules are added, changed and taken out",
        text: include_str!("assets/rules/self_improve.md"),
        audience: Audience::Solo,
        is_about_tasks: false,
    },
    Rule {
        name: "taskmaster",
        description: "The tools and commands of Task Master",
        text: include_str!("assets/rules/taskmaster.md"),
        audience: Audience::Solo,
        is_about_tasks: true,
    },
    Rule {
        name: "hamster",
        description: "How several people share the tasks of this project",
        text: include_str!("assets/rules/hamster.md"),
        audience: Audience::Team,
        is_about_tasks: true,
    },
    Rule {
        name: "taskmaster_hooks_workflow",
        description: "What the hooks of Task Master do",
        text: include_str!("assets/rules/taskmaster_hooks_workflow.md"),
        audience: Audience::Kiro,
        is_about_tasks: true,
    },
];

/// What goes into files such as `AGENTS.md`.
pub(super) const INSTRUCTIONS: &str = include_str!("assets/rules/instructions.md");

/// The modes of editors that have modes, with what each is told.
pub(super) const MODES: [(&str, &str); 6] = [
    ("architect", include_str!("assets/modes/architect.md")),
    ("ask", include_str!("assets/modes/ask.md")),
    ("code", include_str!("assets/modes/code.md")),
    ("debug", include_str!("assets/modes/debug.md")),
    ("orchestrator", include_str!("assets/modes/orchestrator.md")),
    ("test", include_str!("assets/modes/test.md")),
];

/// The modes that an editor does not have by itself.
pub(super) const MODES_FILE: &str = include_str!("assets/modes/modes.json");

/// The rule files of a profile: where they go, and what is in them.
pub(super) fn files(profile: &Profile, mode: Option<Mode>) -> Vec<(String, String)> {
    let Some(files) = &profile.rules else { return Vec::new() };
    RULES
        .iter()
        .filter(|it| is_for(it, profile, mode))
        .map(|it| (path(it, profile, files), render(it, profile, files)))
        .collect()
}

fn is_for(rule: &Rule, profile: &Profile, mode: Option<Mode>) -> bool {
    match rule.audience {
        Audience::Solo => mode != Some(Mode::Team),
        Audience::Team => mode != Some(Mode::Solo),
        Audience::Kiro => mode != Some(Mode::Team) && profile.name == "kiro",
    }
}

fn path(rule: &Rule, profile: &Profile, files: &RuleFiles) -> String {
    let name = match rule.name {
        RULES_OF_RULES => format!("{}_rules", profile.name),
        name => name.to_owned(),
    };
    let below = if files.nested && rule.is_about_tasks { "taskmaster/" } else { "" };
    format!("{}/{below}{name}.{}", files.directory, files.extension)
}

fn render(rule: &Rule, profile: &Profile, files: &RuleFiles) -> String {
    let link = format!("`taskmaster.{}`", files.extension);
    let text = rule
        .text
        .replace("{{link:taskmaster}}", &link)
        .replace("{{editor}}", profile.title)
        .replace("{{name}}", profile.name)
        .replace("{{directory}}", files.directory)
        .replace("{{extension}}", files.extension);
    format!("{}{text}", front(rule, files.front))
}

fn front(rule: &Rule, front: Front) -> String {
    let description = rule.description;
    let lines = match front {
        Front::Nothing => return String::new(),
        Front::Cursor => format!("description: {description}\nglobs: **/*\nalwaysApply: true\n"),
        Front::Always => "alwaysApply: true\n".to_owned(),
        Front::Windsurf => "trigger: always_on\n".to_owned(),
        Front::VsCode => format!("description: \"{description}\"\napplyTo: \"**\"\n"),
        Front::Kiro => "inclusion: always\n".to_owned(),
    };
    format!("---\n{lines}---\n\n")
}

/// The hooks: the name of each file, and what is in it.
pub(super) fn hooks() -> Vec<(String, String)> {
    // A test reads the file; a build whose file is broken has no hooks.
    let hooks: Vec<Value> =
        serde_json::from_str(include_str!("assets/hooks.json")).unwrap_or_default();
    let file = |hook: &Value| {
        let name = format!("{}.kiro.hook", hook.get("file")?.as_str()?);
        let document = json!({
            "enabled": true,
            "name": hook.get("name")?,
            "description": hook.get("description")?,
            "version": "1",
            "when": hook.get("when")?,
            "then": { "type": "askAgent", "prompt": hook.get("prompt")? }
        });
        Some((name, format!("{document:#}\n")))
    };
    hooks.iter().filter_map(file).collect()
}
