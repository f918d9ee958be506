//! What was asked for on the command line.
//!
//! Two commands with one flag between them: read by hand, because an argument parser would take
//! longer to build than everything else here.

use std::{ffi::OsString, path::PathBuf};

use crate::process::root;

pub const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  demo [--prd FILE]    Build task-master and turn a requirements document into tasks with it
                       [default: examples/home-library.md]
  test [-- ARGS...]    Run the whole test suite; ARGS go to the test runner";

#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Demo { prd: PathBuf },
    Test { arguments: Vec<OsString> },
    Help,
}

/// Reads the arguments after `cargo xtask`.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let arguments: Vec<OsString> = arguments.collect();
    let words: Vec<&str> = arguments.iter().map(|it| it.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        [] => Err("which command?".to_owned()),
        ["help" | "-h" | "--help", ..] | [_, "-h" | "--help"] => Ok(Request::Help),
        ["demo"] => Ok(Request::Demo { prd: root().join("examples/home-library.md") }),
        ["demo", "--prd"] => Err("--prd wants a file".to_owned()),
        ["demo", "--prd", _] => {
            let prd = arguments.into_iter().nth(2).unwrap_or_default();
            Ok(Request::Demo { prd: prd.into() })
        }
        ["test"] => Ok(Request::Test { arguments: Vec::new() }),
        ["test", "--", ..] => {
            Ok(Request::Test { arguments: arguments.into_iter().skip(2).collect() })
        }
        ["demo" | "test", unknown, ..] => Err(format!("there is no argument {unknown:?}")),
        [unknown, ..] => Err(format!("there is no command {unknown:?}")),
    }
}

#[cfg(test)]
mod tests;
