//! How long a server takes until a client knows its tools.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::project::Project;

/// What a client says first, a line each.
const GREETING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"measure","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;

/// The time until the tools are there, and the most memory that the server had by then.
pub(super) fn start_and_list(
    program: &Path,
    project: &Project,
) -> anyhow::Result<(Duration, Option<u64>)> {
    let mut command = server(program);
    project.enter(&mut command);
    command.env("TASK_MASTER_TOOLS", "all");
    let started = Instant::now();
    let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = process.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let listed = converse(&mut process);
    let (taken, peak) = (started.elapsed(), peak_kib(process.id()));
    process.kill().and_then(|()| process.wait()).context("the server does not end")?;
    listed?;
    Ok((taken, peak))
}

fn converse(process: &mut Child) -> anyhow::Result<()> {
    let mut input = process.stdin.take().context("the server does not listen")?;
    let output = process.stdout.take().context("the server does not answer")?;
    let mut answers = BufReader::new(output).lines();
    writeln!(input, "{GREETING}")?;
    answer_to(1, &mut answers)?;
    writeln!(input, "{INITIALIZED}\n{QUESTION}")?;
    let tools = answer_to(2, &mut answers)?;
    if !tools.contains("\"get_tasks\"") {
        bail!("that are no tools: {tools}");
    }
    Ok(())
}

fn answer_to(
    id: u32,
    answers: &mut impl Iterator<Item = std::io::Result<String>>,
) -> anyhow::Result<String> {
    let id = format!("\"id\":{id}");
    for line in answers {
        let line = line?;
        if line.contains(&id) && line.contains("\"result\"") {
            return Ok(line);
        }
    }
    bail!("the server went away")
}

/// Beside the program, under its name with `-ai`, or a command of its own.
fn server(program: &Path) -> Command {
    let mut name = program.file_name().unwrap_or_default().to_owned();
    name.push("-ai");
    let beside: PathBuf = program.with_file_name(name);
    if beside.exists() {
        return Command::new(beside);
    }
    let mut command = Command::new(program);
    command.arg("mcp");
    command
}

fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
