//! `loop`: calls the `claude` program round after round, a piece of work each time.
//!
//! What it is told, and when it is enough, is known to `tm_workflows::agent::iterate`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::Context;
use tm_tasks::{document::Tag, timestamp::Timestamp};
use tm_workflows::agent::iterate::{
    End, Iterate, IterateError, Outcome, PAUSE, Preset, Round, Told as Happened, Work, rounds_for,
};

use crate::{
    app::{App, Workspace},
    interruption::interruption,
    report::{
        Interrupted, Report, advice,
        text::{BOLD, DIM, Text},
    },
};

/// Let Claude Code work in a loop, one piece of work a round
#[derive(Debug, clap::Args)]
pub struct Args {
    /// At most so many rounds; one for each pending task when it is not given
    #[arg(long, short = 'n', value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    iterations: Option<u32>,

    /// default, test-coverage, linting, duplication or entropy, or a file with a prompt
    #[arg(long, short, value_name = "PRESET|PATH", default_value = "default")]
    prompt: String,

    /// Where each round notes what it did
    #[arg(long, value_name = "PATH", default_value = ".taskmaster/progress.txt")]
    progress_file: PathBuf,

    /// The tag whose tasks are done
    #[arg(long, short)]
    tag: Option<String>,

    /// Use the project in this directory
    #[arg(long, value_name = "PATH")]
    project: Option<PathBuf>,

    /// Keep the agent in a sandbox of docker
    #[arg(long)]
    sandbox: bool,

    /// Do not show what the agent says
    #[arg(long)]
    no_output: bool,

    /// Show what the agent does while it does it
    #[arg(long, short)]
    verbose: bool,
}

/// Runs `loop`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let work = work(&args.prompt, &workspace)?;
    let file = workspace.read()?;
    let tag = workspace.tag(args.tag.as_deref());
    let tasks = file.tag(&tag).map(Tag::tasks).unwrap_or_default();
    let iterate = Iterate {
        iterations: args.iterations.unwrap_or_else(|| rounds_for(tasks, &work)),
        work,
        tag: args.tag.clone(),
        progress_file: workspace.project.root().join(&args.progress_file),
        root: workspace.project.root().to_path_buf(),
        sandbox: args.sandbox,
        verbose: args.verbose,
        pause: PAUSE,
    };
    iterate.note_start(app.now).map_err(explain)?;
    let outcome = rounds(&iterate, !args.no_output, report);
    let ended = match &outcome {
        Ok(outcome) => outcome.clone(),
        Err(error) => Outcome { rounds: 0, end: End::Error { message: error.to_string() } },
    };
    iterate.note_end(&ended, Timestamp::now()).map_err(explain)?;
    tell_end(&outcome?, report)
}

/// A preset, or what a file says.
fn work(prompt: &str, workspace: &Workspace) -> anyhow::Result<Work> {
    if let Some(preset) = Preset::ALL.into_iter().find(|it| it.name() == prompt) {
        return Ok(Work::Preset(preset));
    }
    let here = workspace.environment.working_dir.join(prompt);
    let path = if here.exists() { here } else { workspace.project.root().join(prompt) };
    let names = Preset::ALL.map(Preset::name).join(", ");
    let hint = format!("name a file, or one of {names}");
    let words = fs::read_to_string(&path)
        .with_context(|| advice(format!("there is no prompt {}", path.display()), hint.as_str()))?;
    if words.trim().is_empty() {
        return Err(advice(format!("the prompt {} is empty", path.display()), hint).into());
    }
    Ok(Work::Words(words))
}

/// All rounds, or as many as there were when the user had enough.
fn rounds(iterate: &Iterate, shows_output: bool, report: &mut Report) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut number = 0;
    let told = Mutex::new(report);
    let tell = |happened: Happened<'_>| {
        if let Ok(mut report) = told.lock() {
            print(&happened, shows_output, &mut report);
        }
    };
    let outcome = runtime.block_on(async {
        let interrupted = interruption();
        tokio::select! {
            // The agent in the same terminal hears it, too, and its end is no outcome.
            biased;
            () = interrupted => None,
            outcome = iterate.run(&mut number, &tell) => Some(outcome),
        }
    });
    match outcome {
        Some(outcome) => outcome.map_err(explain),
        None => Ok(Outcome { rounds: number, end: End::Interrupted }),
    }
}

fn print(happened: &Happened<'_>, shows_output: bool, report: &mut Report) {
    match happened {
        Happened::RoundBegins { number, of } => {
            report.line(Text::styled(BOLD, &format!("Round {number} of {of}")));
        }
        Happened::Line(line) if shows_output => report.line(Text::plain(line)),
        Happened::Line(_) => {}
        Happened::RoundEnds { number, round } => {
            let round = match round {
                Round::Success => "success".to_owned(),
                Round::Complete { reason } => format!("complete: {reason}"),
                Round::Blocked { reason } => format!("blocked: {reason}"),
                Round::Error { message } => format!("error: {message}"),
            };
            report.line(Text::styled(DIM, &format!("Round {number}: {round}")));
        }
    }
    report.flush();
}

fn tell_end(outcome: &Outcome, report: &mut Report) -> anyhow::Result<()> {
    let rounds = outcome.rounds;
    match &outcome.end {
        End::AllComplete { reason } => {
            report.done(format!("All complete after {rounds} rounds: {reason}"));
        }
        End::MaxIterations => {
            report.done(format!("{rounds} rounds were made, as many as were asked for"));
            report.suggest("task-master list", "see what is left");
        }
        End::Blocked { reason } => {
            let message = format!("blocked after {rounds} rounds: {reason}");
            return Err(advice(message, "help with that, and start the loop again").into());
        }
        End::Error { message } => {
            let message = format!("given up after {rounds} rounds: {message}");
            return Err(advice(message, "run the agent by hand to see what is wrong").into());
        }
        End::Interrupted => {
            return Err(Interrupted { state: "what finished rounds did is kept" }.into());
        }
    }
    Ok(())
}

fn explain(error: IterateError) -> anyhow::Error {
    let hint = match &error {
        IterateError::NoAgent { executable } => match Path::new(executable) {
            it if it == Path::new("docker") => "install docker, or leave out --sandbox",
            _ => "install Claude Code",
        },
        IterateError::Unrunnable { .. } => "see what its permissions are",
        IterateError::Progress { .. } => "name another file with --progress-file",
        IterateError::Prompt(_) => "this is a fault of ours; try another prompt",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
