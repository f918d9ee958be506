//! `generate`: a Markdown file for each task.

use serde_json::json;
use tm_tasks::generate::{Generated, generate as write};

use super::{PROJECT_ROOT, TAG, in_project};
use crate::mcp::{
    call::Call,
    envelope::Answer,
    parameter::Parameter,
    registry::{Effect, Tier, Tool},
};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "generate",
    title: "Generate Task Files",
    description: "Write a Markdown file for each task.",
    effect: Effect::Changes,
    tier: Tier::All,
    parameters: &[Parameter::text("output", "Another directory"), PROJECT_ROOT, TAG],
    run: generate,
}];

fn generate(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let directory = match call.arguments.text("output") {
        Some(output) => in_project(call, output),
        None => call.workspace.project.directory().join("tasks"),
    };
    let file = call.workspace.read()?;
    let generated = match file.tag(call.tag()) {
        Some(tag) => write(tag, &directory)?,
        None => Generated { directory, ..Generated::default() },
    };
    for failure in &generated.failures {
        call.report.warn(&format!("task {} has no file: {}", failure.task, failure.reason));
    }
    Answer::new(&json!({
        "message": format!("Successfully generated {} task file(s)", generated.count),
        "count": generated.count,
        "directory": generated.directory,
        "orphanedFilesRemoved": generated.orphans_removed,
    }))
}
