//! What became of each request to a model: who asked, who was asked, and how that ended.
//!
//! One record a request, whoever makes it. It says nothing of what was asked or answered, and no
//! key is in it: what a server said is left out as well, because servers repeat what they are sent.
//! A request is watched by a [`Watcher`]; its record is kept when nobody watches any more.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tm_llm::{
    chat::{ChatRequest, FinishReason, Usage},
    dialect::serve::ClientError,
    failover::{Attempt, Journey, Outcome, Setout, Step},
    rollout::Arm,
};
use tm_tasks::timestamp::{Timestamp, iso_millis};

pub use copies::Copies;
pub use log::{Log, Past, path};

mod copies;
mod log;

/// How long a name of a client may be.
const NAME_CHARACTERS: usize = 100;

/// Which door a request came through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A command of the command line.
    #[default]
    Cli,
    /// A tool of the MCP server.
    Mcp,
    /// An endpoint of the gateway.
    Gateway,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    pub via: Via,
    /// The command, the tool or the endpoint.
    pub name: String,
    pub project: Option<PathBuf>,
    /// What the call is known by when it is made again.
    pub key: u64,
    /// Where models are on trial for it: who answers.
    pub arm: Option<Arm>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Answered,
    Failed,
    /// Whoever asked did not wait for the end.
    #[default]
    Abandoned,
}

/// What is kept of one request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    pub id: String,
    /// When it was made.
    pub time: String,
    pub via: Via,
    /// The command, the tool or the endpoint.
    pub by: String,
    pub project: Option<PathBuf>,
    pub role: Option<String>,
    /// The model as whoever asked named it.
    pub asked_for: Option<String>,
    pub ending: Ending,
    /// What a client of the gateway was told.
    pub status: Option<u16>,
    pub error: Option<Failure>,
    /// `hit`, `miss` or `bypass`; for the gateway alone.
    pub cache: Option<String>,
    /// Who answered, or made the answer that was kept.
    pub backend: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub attempts: Vec<Asked>,
    /// All waits for a place together, of ours and of the servers.
    pub queued_s: f64,
    pub first_token_s: Option<f64>,
    pub took_s: f64,
    pub prompt_tokens: u32,
    /// How many of the prompt's tokens were already held.
    pub cached_tokens: u32,
    pub completion_tokens: u32,
    /// `stop` or `length`.
    pub finish: Option<String>,
    /// `candidate` or `incumbent`, where a command has models on trial.
    pub trial: Option<String>,
    /// Nobody was shown the answer: it was compared.
    pub compared: Option<Compared>,
}

/// An answer of models on trial, beside that which was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The request that was answered.
    pub with: String,
    /// How many of the words are the same, from 0 to 1; none when there was no answer of theirs.
    pub likeness: Option<f64>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: String,
    /// In no words but ours.
    pub why: Option<String>,
}

/// One model, asked once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The model, with its address where it has one.
    pub backend: String,
    pub provider: String,
    pub model: String,
    pub ending: Ending,
    pub error: Option<Failure>,
    /// From the request to this attempt.
    pub after_s: f64,
    pub queued_s: f64,
    pub first_token_s: Option<f64>,
    pub took_s: f64,
    pub prompt_tokens: u32,
    pub cached_tokens: u32,
    pub completion_tokens: u32,
    pub finish: Option<String>,
}

/// Watches one request. The record is kept when all who hold it are done.
pub struct Watcher {
    log: Arc<Log>,
    begun: Instant,
    record: Mutex<Record>,
}

/// A name that no other request has.
pub fn new_id() -> String {
    format!("{:016x}{:08x}", fastrand::u64(..), fastrand::u32(..))
}

/// Watches each request of a caller, one record for each.
pub fn each(
    log: Arc<Log>,
    caller: Caller,
    role: Option<&'static str>,
    hear: Option<Hear>,
) -> Setout {
    Arc::new(move || {
        let watcher = Watcher::begin(&log, &caller, new_id());
        watcher.note(|it| it.role = role.map(str::to_owned));
        let hear = hear.clone();
        Arc::new(Journey::new(Arc::new(move |step| {
            if let (Step::Answered { request, text }, Some(hear)) = (step, &hear) {
                hear(watcher.id(), request, text);
            }
            watcher.step(step);
        })))
    })
}

/// Is told of each answer: the id of its request, what was asked and what was said.
pub type Hear = Arc<dyn Fn(String, &ChatRequest, &str) + Send + Sync>;

impl Watcher {
    pub fn begin(log: &Arc<Log>, caller: &Caller, id: String) -> Arc<Self> {
        let record = Record {
            id,
            time: iso_millis(Timestamp::now()),
            via: caller.via,
            by: caller.name.clone(),
            project: caller.project.clone(),
            trial: caller.arm.map(|it| it.as_str().to_owned()),
            ..Record::default()
        };
        Arc::new(Self { log: Arc::clone(log), begun: Instant::now(), record: Mutex::new(record) })
    }

    pub fn id(&self) -> String {
        self.record().id.clone()
    }

    /// Takes note of a step on the way.
    pub fn step(&self, step: Step<'_>) {
        match step {
            Step::Ended(attempt) => self.record().attempts.push(Asked::of(attempt)),
            // What was said is not kept.
            Step::Answered { .. } => {}
            Step::GaveUp(error) => {
                let why = Some(error.in_our_words());
                self.record().error = Some(Failure { kind: error.kind().to_owned(), why });
            }
        }
    }

    /// Takes note of what only the caller knows.
    pub fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record());
    }

    /// The model as whoever asked named it.
    pub fn asked_for(&self, model: &str) {
        let name: String = model.chars().take(NAME_CHARACTERS).collect();
        self.record().asked_for = Some(name);
    }

    /// The first text has been shown.
    pub fn spoke(&self) {
        let after = seconds(self.begun.elapsed());
        self.record().first_token_s.get_or_insert(after);
    }

    /// What a client was told in the end, which counts for more than what single attempts say.
    pub fn told(&self, status: u16, ended: Result<&Usage, &ClientError>) {
        let mut record = self.record();
        record.status = Some(status);
        record.took_s = seconds(self.begun.elapsed());
        match ended {
            Ok(usage) => {
                record.ending = Ending::Answered;
                record.prompt_tokens = usage.prompt_tokens;
                record.cached_tokens = usage.cached_tokens;
                record.completion_tokens = usage.completion_tokens;
            }
            Err(error) => {
                record.ending = Ending::Failed;
                let kind = error.kind().to_owned();
                record.error.get_or_insert(Failure { kind, why: None });
            }
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut record = std::mem::take(&mut *self.record());
        if record.took_s == 0.0 {
            record.took_s = seconds(self.begun.elapsed());
        }
        record.conclude();
        self.log.keep(record);
    }
}

impl Record {
    /// What follows from the attempts, where the caller has not said otherwise.
    fn conclude(&mut self) {
        self.queued_s = self.attempts.iter().map(|it| it.queued_s).sum();
        let spoke = |it: &Asked| it.first_token_s.map(|first| it.after_s + first);
        self.first_token_s = self.first_token_s.or_else(|| self.attempts.iter().find_map(spoke));
        let answered = self.attempts.iter().rev().find(|it| it.ending == Ending::Answered);
        if self.status.is_none() && !self.attempts.is_empty() {
            self.ending = self.attempts.last().map(|it| it.ending).unwrap_or_default();
            let sum =
                |of: fn(&Asked) -> u32| self.attempts.iter().map(of).fold(0, u32::saturating_add);
            self.prompt_tokens = sum(|it| it.prompt_tokens);
            self.cached_tokens = sum(|it| it.cached_tokens);
            self.completion_tokens = sum(|it| it.completion_tokens);
        }
        if self.status.is_none() && self.error.is_some() && self.ending != Ending::Answered {
            self.ending = Ending::Failed;
        }
        if self.ending != Ending::Answered {
            return;
        }
        self.error = None;
        // A model that was stopped because its answer was complete did not come to say so.
        let stopped = || self.attempts.last().filter(|it| it.ending == Ending::Abandoned);
        if let Some(it) = answered.or_else(stopped) {
            self.backend = Some(it.backend.clone());
            self.provider = Some(it.provider.clone());
            self.model = Some(it.model.clone());
            self.finish = Some(it.finish.clone().unwrap_or_else(|| "stop".to_owned()));
        }
    }
}

impl Asked {
    fn of(attempt: &Attempt) -> Self {
        let mut asked = Self {
            backend: attempt.name.clone(),
            provider: attempt.provider.clone(),
            model: attempt.model.clone(),
            ending: Ending::Abandoned,
            error: None,
            after_s: seconds(attempt.after),
            queued_s: seconds(attempt.queued),
            first_token_s: attempt.first_word.map(seconds),
            took_s: seconds(attempt.took),
            prompt_tokens: 0,
            cached_tokens: 0,
            completion_tokens: 0,
            finish: None,
        };
        match attempt.outcome {
            Outcome::Answered(usage, finish) => {
                asked.ending = Ending::Answered;
                asked.queued_s += seconds(usage.queued);
                asked.prompt_tokens = usage.prompt_tokens;
                asked.cached_tokens = usage.cached_tokens;
                asked.completion_tokens = usage.completion_tokens;
                asked.finish = Some(finish_name(finish).to_owned());
            }
            Outcome::Failed(kind) => {
                asked.ending = Ending::Failed;
                let why = Some(attempt.why.clone());
                asked.error = Some(Failure { kind: kind.to_owned(), why });
            }
            Outcome::Abandoned => {}
        }
        asked
    }
}

impl Ending {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Via {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Mcp => "mcp",
            Self::Gateway => "gateway",
        }
    }
}

fn finish_name(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

/// To the microsecond.
fn seconds(duration: Duration) -> f64 {
    Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)).as_secs_f64()
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("record", &self.record).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
