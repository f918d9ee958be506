//! `cargo xtask measure`: what commands of a program cost, on projects of many tasks.
//!
//! Any program that takes the same commands can be measured, such as the one that this one
//! replaces. Time is from start to end, the median of several runs; memory is the peak of one more.
//! Needs Linux. Start at [`run`].

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use self::project::Project;
use crate::steps::say;

mod project;
mod server;

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    pub programs: Vec<PathBuf>,
    pub tasks: u32,
    pub tags: u32,
}

/// Runs of one command, unless they take too long.
const RUNS: usize = 15;
const RUNS_LEAST: usize = 3;
/// When to stop with fewer runs.
const LONG: Duration = Duration::from_secs(20);

/// What everybody does all day. Alternatives take turns, so that each run changes something;
/// `{n}` is the number of the run.
const COMMANDS: &[&[&str]] = &[
    &["--version"],
    &["list"],
    &["next"],
    &["set-status --id=5 --status=review", "set-status --id=5 --status=in-progress"],
];

/// What else is done in a project with many tags.
const MORE_COMMANDS: &[&[&str]] = &[
    &["list --json"],
    &["list --with-subtasks"],
    &["list --ready"],
    &["list --all-tags"],
    &["show 50"],
    &["tags"],
    &["validate-dependencies"],
    &["generate"],
    &["sync-readme"],
    &["add-task --title=More --description=Still"],
    &["add-subtask --parent=7 --title=More"],
    &["add-dependency --id=90 --depends-on=3", "remove-dependency --id=90 --depends-on=3"],
    &["move --from=150 --to=900", "move --from=900 --to=150"],
    &["clear-subtasks --id=6{n}"],
    &["remove-task --id=10{n} --yes"],
    &["remove-subtask --id=11{n}.2"],
    &["fix-dependencies"],
    &["tags add new-{n}"],
    &["tags copy tag-3 copy-{n}"],
    &["tags rename tag-4 other", "tags rename other tag-4"],
    &["tags remove tag-2{n} --yes"],
    &["tags use tag-1", "tags use master"],
    &["history"],
    &["set-status --id=5 --status=review", "undo"],
];

/// Measures each program and prints a table.
pub fn run(measure: &Measure) -> anyhow::Result<()> {
    let tags = if measure.tags == 1 { "tag" } else { "tags" };
    say(&format!("{} tasks in {} {tags}\n", measure.tasks, measure.tags));
    say("| program | command | median ms | runs | peak MiB |\n|---|---|--:|--:|--:|");
    let more = if measure.tags > 1 { MORE_COMMANDS } else { &[] };
    for program in &measure.programs {
        let program = &std::path::absolute(program).context("no directory to start from")?;
        for alternatives in COMMANDS.iter().chain(more) {
            let project = Project::lay_out(measure.tasks, measure.tags)?;
            let number = Cell::new(0);
            let once = || {
                number.set(number.get() + 1);
                command(program, alternatives, number.get(), &project)
            };
            let cost = cost(|| timed(&mut once()?), || peak_kib(&mut once()?))?;
            let words = alternatives.first().copied().unwrap_or_default();
            let name = words.split(' ').filter(|it| !it.contains('=')).collect::<Vec<_>>();
            print(program, &name.join(" ").replace(" new-{n}", " new"), &cost);
        }
        let project = Project::lay_out(measure.tasks, measure.tags)?;
        let mut peak = None;
        let cost = cost(
            || {
                let (taken, kib) = server::start_and_list(program, &project)?;
                peak = kib;
                Ok(taken)
            },
            || Ok(None),
        )?;
        print(program, "MCP: start and `tools/list`", &Cost { peak_kib: peak, ..cost });
    }
    Ok(())
}

/// What came out.
#[derive(Debug)]
struct Cost {
    median: Duration,
    runs: usize,
    peak_kib: Option<u64>,
}

/// Runs until it is enough. The first run warms the disk's cache and is the one for memory.
fn cost(
    mut timed: impl FnMut() -> anyhow::Result<Duration>,
    peak_kib: impl FnOnce() -> anyhow::Result<Option<u64>>,
) -> anyhow::Result<Cost> {
    let peak_kib = peak_kib()?;
    let started = Instant::now();
    let mut times = Vec::new();
    while times.len() < RUNS && (times.len() < RUNS_LEAST || started.elapsed() < LONG) {
        times.push(timed()?);
    }
    Ok(Cost { runs: times.len(), median: median(times), peak_kib })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn command(
    program: &Path,
    alternatives: &[&str],
    number: usize,
    project: &Project,
) -> anyhow::Result<Command> {
    let words = alternatives.get(number % alternatives.len()).context("no command")?;
    let mut command = Command::new(program);
    command.args(words.replace("{n}", &number.to_string()).split(' '));
    project.enter(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

fn timed(command: &mut Command) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    let taken = started.elapsed();
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(taken)
}

/// The most memory that the command had, as GNU time tells; nothing where that is not there.
fn peak_kib(command: &mut Command) -> anyhow::Result<Option<u64>> {
    let directory = command.get_current_dir().context("no directory")?;
    let told = directory.join("peak-kib");
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%M", "-o"]).arg(&told).arg(command.get_program()).args(command.get_args());
    time.current_dir(directory);
    time.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    time.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if time.status().is_err() {
        timed(command)?;
        return Ok(None);
    }
    let told = fs::read_to_string(&told).unwrap_or_default();
    Ok(told.lines().next_back().and_then(|it| it.trim().parse().ok()))
}

fn print(program: &Path, what: &str, cost: &Cost) {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let ms = cost.median.as_secs_f64() * 1000.0;
    let peak = cost.peak_kib.map_or_else(|| "?".to_owned(), mib);
    say(&format!("| {name} | {what} | {ms:.1} | {} | {peak} |", cost.runs));
}

fn mib(kib: u64) -> String {
    format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests;
