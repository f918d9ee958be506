//! The tools, a file for each group of them.
//!
//! A tool is thin: it reads its arguments, calls the function that the command of the same name
//! calls, and puts the result into the shape that clients know. Descriptions are short, since
//! every client pays for them.

use super::{parameter::Parameter, registry::Tool};

mod read;
mod status;

/// All tools.
pub(super) fn all() -> impl Iterator<Item = &'static Tool> {
    [read::TOOLS, status::TOOLS].into_iter().flatten()
}

const PROJECT_ROOT: Parameter =
    Parameter::text("projectRoot", "Absolute path of the project").required();

const TAG: Parameter = Parameter::text("tag", "Instead of the current tag");

const FILE: Parameter = Parameter::text("file", "Another tasks file");
