//! The agent called again and again, a fresh conversation each time, until it says that all is
//! done, that it is stuck, or there have been enough rounds.
//!
//! What was done is in a progress file that every round reads and adds to. Start at
//! [`Iterate::run`]; dropping what it returns ends the agent.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tm_tasks::{
    status::Status,
    task::Task,
    timestamp::{Timestamp, iso_millis},
};
use tokio::{sync::mpsc, time};

use super::{AgentCommand, CLAUDE};
use crate::prompts::{self, Prompt, PromptError};

/// What the agent is asked to do, how often, and where.
#[derive(Debug, Clone)]
pub struct Iterate {
    pub iterations: u32,
    pub work: Work,
    pub tag: Option<String>,
    /// Where each round notes what it did.
    pub progress_file: PathBuf,
    /// The project, in which the agent works.
    pub root: PathBuf,
    /// Let docker keep the agent from everything else.
    pub sandbox: bool,
    /// Let the agent tell what it does while it does it.
    pub verbose: bool,
    pub pause: Duration,
}

/// What is to be done in every round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    Preset(Preset),
    /// The words of the user.
    Words(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Default,
    TestCoverage,
    Linting,
    Duplication,
    Entropy,
}

/// What came of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Round {
    Success,
    /// Everything is done, says the agent.
    Complete {
        reason: String,
    },
    /// A person is needed, says the agent.
    Blocked {
        reason: String,
    },
    /// The agent failed.
    Error {
        message: String,
    },
}

/// What came of all rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub rounds: u32,
    pub end: End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    AllComplete { reason: String },
    MaxIterations,
    Blocked { reason: String },
    Error { message: String },
    Interrupted,
}

/// What is told on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<'a> {
    RoundBegins {
        number: u32,
        of: u32,
    },
    /// A line of the agent's.
    Line(&'a str),
    RoundEnds {
        number: u32,
        round: &'a Round,
    },
}

/// Why the agent cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum IterateError {
    #[error("the program `{executable}` is not installed, or not in PATH")]
    NoAgent { executable: String },
    #[error("the program `{executable}` cannot be run")]
    Unrunnable { executable: String, source: io::Error },
    #[error("{path} cannot be written")]
    Progress { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Prompt(#[from] PromptError),
}

/// How long the agent rests between two rounds.
pub const PAUSE: Duration = Duration::from_secs(5);
/// Who fails as often in a row does so again.
const FAILURES_MAX: u32 = 3;
/// Lines that wait to be told.
const LINES_WAITING: usize = 64;
/// How often to look whether the agent, its output closed, has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Preset {
    pub const ALL: [Self; 5] =
        [Self::Default, Self::TestCoverage, Self::Linting, Self::Duplication, Self::Entropy];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::TestCoverage => "test-coverage",
            Self::Linting => "linting",
            Self::Duplication => "duplication",
            Self::Entropy => "entropy",
        }
    }

    fn prompt(self) -> Prompt {
        match self {
            Self::Default => prompts::LOOP_DEFAULT,
            Self::TestCoverage => prompts::LOOP_TEST_COVERAGE,
            Self::Linting => prompts::LOOP_LINTING,
            Self::Duplication => prompts::LOOP_DUPLICATION,
            Self::Entropy => prompts::LOOP_ENTROPY,
        }
    }
}

/// How many rounds there are when nobody says: one for each pending task and subtask.
pub fn rounds_for(tasks: &[Task], work: &Work) -> u32 {
    const OTHERWISE: u32 = 10;
    if *work != Work::Preset(Preset::Default) {
        return OTHERWISE;
    }
    let all = tasks.iter().flat_map(|it| it.subtasks().iter().chain([it]));
    let pending = all.filter(|it| it.status() == Status::Pending).count();
    u32::try_from(pending).ok().filter(|it| *it > 0).unwrap_or(OTHERWISE)
}

impl Iterate {
    /// Calls the agent round after round. The caller writes the end with [`Iterate::note_end`],
    /// also when it does not wait for the last round.
    pub async fn run(
        &self,
        rounds: &mut u32,
        tell: &(dyn Fn(Told<'_>) + Sync),
    ) -> Result<Outcome, IterateError> {
        let mut failures = 0;
        for number in 1..=self.iterations {
            if number > 1 {
                time::sleep(self.pause).await;
            }
            tell(Told::RoundBegins { number, of: self.iterations });
            *rounds = number;
            let round = self.round(number, tell).await?;
            tell(Told::RoundEnds { number, round: &round });
            failures = if matches!(round, Round::Error { .. }) { failures + 1 } else { 0 };
            let end = match round {
                Round::Complete { reason } => End::AllComplete { reason },
                Round::Blocked { reason } => End::Blocked { reason },
                Round::Error { message } if failures == FAILURES_MAX => End::Error { message },
                Round::Error { .. } | Round::Success => continue,
            };
            return Ok(Outcome { rounds: number, end });
        }
        Ok(Outcome { rounds: self.iterations, end: End::MaxIterations })
    }

    /// Begins the notes of this run.
    pub fn note_start(&self, now: Timestamp) -> Result<(), IterateError> {
        let work = match &self.work {
            Work::Preset(preset) => preset.name(),
            Work::Words(_) => "a prompt of your own",
        };
        let tag = self.tag.as_deref().map(|it| format!(", tag {it}")).unwrap_or_default();
        self.note(&format!(
            "# Loop of {}: {work}, at most {} rounds{tag}\n",
            iso_millis(now),
            self.iterations
        ))
    }

    /// Ends the notes of this run.
    pub fn note_end(&self, outcome: &Outcome, now: Timestamp) -> Result<(), IterateError> {
        let end = match &outcome.end {
            End::AllComplete { reason } => format!("all_complete: {reason}"),
            End::MaxIterations => "max_iterations".to_owned(),
            End::Blocked { reason } => format!("blocked: {reason}"),
            End::Error { message } => format!("error: {message}"),
            End::Interrupted => "interrupted".to_owned(),
        };
        let moment = iso_millis(now);
        self.note(&format!("# Ended {moment} after {} rounds, {end}\n\n", outcome.rounds))
    }

    /// What the agent is called with in a round.
    pub fn command(&self, number: u32) -> Result<AgentCommand, PromptError> {
        let mut args = vec!["-p".to_owned(), self.prompt(number)?];
        args.push("--dangerously-skip-permissions".to_owned());
        if self.verbose {
            args.extend(["--output-format", "stream-json", "--verbose"].map(str::to_owned));
        }
        let executable = if self.sandbox {
            let wrapped = ["sandbox", "run", CLAUDE].map(str::to_owned);
            args = wrapped.into_iter().chain(args).collect();
            "docker"
        } else {
            CLAUDE
        };
        Ok(AgentCommand { executable: executable.to_owned(), args, cwd: self.root.clone() })
    }

    fn prompt(&self, number: u32) -> Result<String, PromptError> {
        #[derive(Serialize)]
        struct Variables<'a> {
            progress_file: String,
            iteration: u32,
            iterations: u32,
            tag: &'a str,
            task: String,
        }
        #[derive(Serialize)]
        struct PresetVariables<'a> {
            tag: &'a str,
        }
        let tag = self.tag.as_deref().unwrap_or_default();
        let file = self.progress_file.strip_prefix(&self.root).unwrap_or(&self.progress_file);
        let task = match &self.work {
            Work::Preset(preset) => prompts::render(preset.prompt(), PresetVariables { tag })?,
            Work::Words(words) => words.trim().to_owned(),
        };
        let variables = Variables {
            progress_file: file.display().to_string(),
            iteration: number,
            iterations: self.iterations,
            tag,
            task,
        };
        prompts::render(prompts::LOOP_FRAME, variables)
    }

    async fn round(
        &self,
        number: u32,
        tell: &(dyn Fn(Told<'_>) + Sync),
    ) -> Result<Round, IterateError> {
        let mut agent = Agent::start(&self.command(number)?)?;
        let mut said = String::new();
        while let Some(line) = agent.lines.recv().await {
            let text = if self.verbose { words_of(&line) } else { Some(line) };
            let Some(text) = text else { continue };
            tell(Told::Line(&text));
            said.push_str(&text);
            said.push('\n');
        }
        let status = agent.wait().await;
        Ok(judge(&said, status))
    }

    fn note(&self, text: &str) -> Result<(), IterateError> {
        let write = || -> io::Result<()> {
            if let Some(directory) = self.progress_file.parent() {
                fs::create_dir_all(directory)?;
            }
            let mut options = OpenOptions::new();
            let mut file = options.append(true).create(true).open(&self.progress_file)?;
            file.write_all(text.as_bytes())
        };
        write()
            .map_err(|source| IterateError::Progress { path: self.progress_file.clone(), source })
    }
}

/// An agent at work. It ends when this is dropped.
#[derive(Debug)]
struct Agent {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Agent {
    fn start(command: &AgentCommand) -> Result<Self, IterateError> {
        let executable = command.executable.clone();
        let spawned = Command::new(&executable)
            .args(&command.args)
            .current_dir(&command.cwd)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = spawned.map_err(|source| {
            if source.kind() == ErrorKind::NotFound && Path::new(&command.cwd).is_dir() {
                IterateError::NoAgent { executable }
            } else {
                IterateError::Unrunnable { executable, source }
            }
        })?;
        let (sender, lines) = mpsc::channel(LINES_WAITING);
        if let Some(out) = child.stdout.take() {
            // Ends with the output of the agent, or when nobody listens any more.
            thread::spawn(move || pass_on(out, &sender));
        }
        Ok(Self { child, lines })
    }

    async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn pass_on(out: ChildStdout, sender: &mpsc::Sender<String>) {
    for line in BufReader::new(out).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
        if sender.blocking_send(line).is_err() {
            return;
        }
    }
}

/// What an agent says counts even if it fails afterwards.
fn judge(said: &str, status: io::Result<ExitStatus>) -> Round {
    if let Some(reason) = marked(said, "loop-complete") {
        return Round::Complete { reason };
    }
    if let Some(reason) = marked(said, "loop-blocked") {
        return Round::Blocked { reason };
    }
    match status {
        Ok(status) if status.success() => Round::Success,
        Ok(status) => Round::Error { message: format!("the agent ended with {status}") },
        Err(error) => Round::Error { message: format!("the agent was lost: {error}") },
    }
}

/// What stands between the last pair of these marks.
fn marked(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once(&format!("<{name}>"))?;
    let (reason, _) = rest.split_once(&format!("</{name}>"))?;
    Some(reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Of a line of `stream-json`, what the agent says to people; a line in another form is one of
/// its own.
fn words_of(line: &str) -> Option<String> {
    let Ok(event) = serde_json::from_str::<Value>(line) else {
        return Some(line.to_owned());
    };
    if event["type"] != "assistant" {
        return None;
    }
    let parts = event["message"]["content"].as_array()?;
    let words = parts.iter().filter_map(|it| match it["type"].as_str()? {
        "text" => it["text"].as_str().map(str::to_owned),
        "tool_use" => it["name"].as_str().map(|name| format!("[{name}]")),
        _ => None,
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join("\n"))
}

#[cfg(test)]
mod tests;
