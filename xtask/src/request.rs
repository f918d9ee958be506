//! What was asked for on the command line.
//!
//! Three commands with few flags between them: read by hand, because an argument parser would take
//! longer to build than everything else here.

use std::{ffi::OsString, path::PathBuf};

use crate::{measure::Measure, process::root};

pub const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  demo [--prd FILE]    Build task-master and turn a requirements document into tasks with it
                       [default: examples/home-library.md]
  test [-- ARGS...]    Run the whole test suite; ARGS go to the test runner
  measure [--tasks N] [--tags N] PROGRAM...
                       What commands of each program cost in a project of so many tasks
                       [default: 1000 tasks in 1 tag]";

#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Demo { prd: PathBuf },
    Test { arguments: Vec<OsString> },
    Measure(Measure),
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
        ["measure", rest @ ..] => measure(rest).map(Request::Measure),
        ["demo" | "test", unknown, ..] => Err(format!("there is no argument {unknown:?}")),
        [unknown, ..] => Err(format!("there is no command {unknown:?}")),
    }
}

fn measure(words: &[&str]) -> Result<Measure, String> {
    let mut measure = Measure { programs: Vec::new(), tasks: 1000, tags: 1 };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let number = match word {
            "--tasks" => &mut measure.tasks,
            "--tags" => &mut measure.tags,
            unknown if unknown.starts_with('-') => {
                return Err(format!("there is no argument {unknown:?}"));
            }
            program => {
                measure.programs.push(program.into());
                continue;
            }
        };
        let text = words.next().unwrap_or_default();
        let wanted = text.parse().ok().filter(|it| *it > 0);
        *number = wanted.ok_or_else(|| format!("{word} wants a number, not {text:?}"))?;
    }
    if measure.programs.is_empty() { Err("measure which program?".to_owned()) } else { Ok(measure) }
}

#[cfg(test)]
mod tests;
