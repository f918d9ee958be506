//! What git knows about the project, by way of the `git` executable.

use std::{path::Path, process::Command};

use crate::report::{Advice, advice};

/// The branch that is checked out; `HEAD` where a commit is checked out instead.
pub fn current_branch(root: &Path) -> Result<String, Advice> {
    let hint = "name the tag yourself, such as `task-master tags add NAME`";
    let asked = Command::new("git")
        .args(["symbolic-ref", "--quiet", "--short", "HEAD"])
        .current_dir(root)
        .output();
    let output = asked.map_err(|error| advice(format!("git does not start: {error}"), hint))?;
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        // There is a repository, and no branch.
        Some(1) => Ok("HEAD".to_owned()),
        _ => Err(advice(format!("{} is in no git repository", root.display()), hint)),
    }
}
