//! Starts `task-master mcp`, the program of that name beside this one.
//!
//! A link to `task-master` by one of these names does the same. This is for systems and packages
//! without links.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::{Command, ExitCode},
};

/// Becomes the server.
pub(crate) fn start() -> ExitCode {
    let program = match program() {
        Ok(program) => program,
        Err(error) => return failed(&format!("error: cannot tell where this program is: {error}")),
    };
    let mut command = Command::new(&program);
    command.arg("mcp").args(env::args_os().skip(1));
    match run(command) {
        Ok(code) => code,
        Err(error) => failed(&format!(
            "error: cannot start {}: {error}\nhint: keep `task-master` beside this program",
            program.display()
        )),
    }
}

fn program() -> io::Result<PathBuf> {
    let name = format!("task-master{}", env::consts::EXE_SUFFIX);
    Ok(env::current_exe()?.with_file_name(name))
}

/// The same process, so that signals and standard input reach the server.
#[cfg(unix)]
fn run(mut command: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    Err(command.exec())
}

#[cfg(not(unix))]
fn run(mut command: Command) -> io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|it| u8::try_from(it).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

fn failed(message: &str) -> ExitCode {
    // There is nobody left to tell when standard error cannot be written.
    drop(writeln!(io::stderr(), "{message}"));
    ExitCode::FAILURE
}
