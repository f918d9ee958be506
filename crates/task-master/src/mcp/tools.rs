//! The tools, a file for each group of them.
//!
//! A tool is thin: it reads its arguments, calls the function that the command of the same name
//! calls, and puts the result into the shape that clients know. Descriptions are short, since
//! every client pays for them.

use std::path::PathBuf;

use serde_json::Value;
use tm_tasks::id::TaskId;

use super::{call::Call, parameter::Parameter, registry::Tool};

mod analysis;
mod asking;
mod autopilot;
mod complexity;
mod dependencies;
mod generate;
mod initialize;
mod plan;
mod read;
mod research;
mod setup;
mod status;
mod structure;
mod tags;
mod writing;

/// All tools.
pub(super) fn all() -> impl Iterator<Item = &'static Tool> {
    [
        read::TOOLS,
        status::TOOLS,
        plan::TOOLS,
        writing::TOOLS,
        complexity::TOOLS,
        dependencies::TOOLS,
        tags::TOOLS,
        autopilot::TOOLS,
        setup::TOOLS,
        initialize::TOOLS,
        structure::TOOLS,
        analysis::TOOLS,
        research::TOOLS,
        generate::TOOLS,
    ]
    .into_iter()
    .flatten()
}

const PROJECT_ROOT: Parameter =
    Parameter::text("projectRoot", "Absolute path of the project").required();

const TAG: Parameter = Parameter::text("tag", "Instead of the current tag");

const FILE: Parameter = Parameter::tasks_file("file", "Another tasks file");

/// `path` within the project, unless it is one on its own.
fn in_project(call: &Call<'_>, path: &str) -> PathBuf {
    call.workspace.project.root().join(path)
}

/// A number where an id is one, as clients expect it.
fn id_value(id: &TaskId) -> Value {
    id.number().map_or_else(|| Value::from(id.to_string()), Value::from)
}
