//! Several models that stand in for each other.
//!
//! The most wanted one answers as long as it can; when it cannot, the next one is asked the same
//! question, and whoever has failed is not asked again before the others. What is busy or out of
//! reach may be better in a moment, so everybody gets another chance, a few times. An answer that
//! breaks off after its first word is an error: whoever asked has seen that word. What each model
//! did is counted, because a fallback is not a success. Start at [`Failover`].

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, future::BoxFuture, stream};
use tokio::sync::OnceCell;

use crate::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    chat::{ChatEvent, ChatRequest, Usage},
    embed::{EmbedRequest, Embeddings},
};

/// A model that may be asked, but is not loaded or connected to before it has to be.
pub struct Candidate {
    /// What people call it.
    pub name: String,
    pub open: Open,
}

/// Loads a model, or connects to its server.
pub type Open =
    Box<dyn Fn() -> BoxFuture<'static, Result<Arc<dyn Backend>, BackendError>> + Send + Sync>;

/// One model gave up and another one is asked.
#[derive(Debug)]
pub struct Switch<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub reason: &'a str,
}

/// Is told of every switch, once.
pub type OnSwitch = Arc<dyn Fn(&Switch<'_>) + Send + Sync>;

/// A backend that is made of several, the most wanted first.
pub struct Failover {
    seats: Vec<Seat>,
    /// The seat that answered last.
    current: AtomicUsize,
    on_switch: OnSwitch,
    /// Which switches were told.
    told: Mutex<BTreeSet<(usize, usize)>>,
    rounds: Rounds,
    spent: Arc<Mutex<Vec<Spent>>>,
}

/// How often everybody gets another chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    pub most: u32,
    /// The wait before the second round; it doubles from there on.
    pub wait: Duration,
}

/// What one model did.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    pub provider: String,
    pub model: String,
    /// How many answers it finished.
    pub answers: u32,
    /// All answers together.
    pub usage: Usage,
}

struct Seat {
    candidate: Candidate,
    backend: OnceCell<Arc<dyn Backend>>,
    health: Arc<Mutex<Health>>,
}

#[derive(Debug, Default)]
struct Health {
    state: State,
    /// What went wrong last.
    reason: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Well,
    /// It failed in a way that passes.
    Failed,
    /// It will fail like that for as long as the process lives.
    Excluded,
}

/// No server is waited for longer than this, whatever it asks for.
const WAIT_MOST: Duration = Duration::from_secs(30);

impl Failover {
    /// Opens the first candidate that can be opened.
    ///
    /// # Errors
    /// Why the first one cannot, when none can; [`BackendError::Refused`] when there is none.
    pub async fn open(
        candidates: Vec<Candidate>,
        on_switch: OnSwitch,
    ) -> Result<Self, BackendError> {
        let failover = Self::unopened(candidates, on_switch);
        let mut first_error = None;
        for at in 0..failover.seats.len() {
            failover.announce(at);
            match failover.backend(at).await {
                Ok(_) => {
                    failover.current.store(at, Ordering::Relaxed);
                    return Ok(failover);
                }
                Err(error) => {
                    failover.give_up(at, &error);
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(first_error.unwrap_or_else(none))
    }

    /// Opens nobody before they are asked.
    pub fn unopened(candidates: Vec<Candidate>, on_switch: OnSwitch) -> Self {
        let seats = candidates.into_iter().map(Seat::new).collect();
        let (current, told, spent) = (AtomicUsize::new(0), Mutex::default(), Arc::default());
        Self { seats, current, on_switch, told, rounds: Rounds::default(), spent }
    }

    /// The same with other waits.
    #[must_use]
    pub fn with_rounds(mut self, rounds: Rounds) -> Self {
        self.rounds = rounds;
        self
    }

    /// What was spent so far, by the models that answered; empty when none did.
    pub fn spent(&self) -> Vec<Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn backend(&self, at: usize) -> Result<&Arc<dyn Backend>, BackendError> {
        let seat = self.seats.get(at).ok_or_else(none)?;
        seat.backend.get_or_try_init(|| (seat.candidate.open)()).await
    }

    /// Those who may be asked, the ones that have not failed first, then in their own order.
    fn order(&self) -> Vec<usize> {
        let with = |state: State| {
            let seats = self.seats.iter().enumerate();
            seats.filter(move |(_, it)| it.health().state == state).map(|(at, _)| at)
        };
        with(State::Well).chain(with(State::Failed)).collect()
    }

    fn give_up(&self, at: usize, error: &BackendError) {
        if let Some(seat) = self.seats.get(at) {
            seat.health().note(error);
        }
    }

    /// Says that somebody less wanted is asked than whoever answered last.
    fn announce(&self, at: usize) {
        let current = self.current.load(Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if at <= current || !told.insert((current, at)) {
            return;
        }
        drop(told);
        if let (Some(from), Some(to)) = (self.seats.get(current), self.seats.get(at)) {
            let reason = from.health().reason.clone();
            let (from, to) = (&from.candidate.name, &to.candidate.name);
            (self.on_switch)(&Switch { from, to, reason: &reason });
        }
    }

    /// Asks one candidate, and waits for its first word: until then nobody has seen anything, and
    /// another one can answer instead.
    async fn ask(&self, at: usize, request: &ChatRequest) -> Result<ChatStream, BackendError> {
        let backend = self.backend(at).await?;
        let mut events = backend.stream(request.clone()).await?;
        let model = backend.info().model.clone();
        let reason = "it ended the stream before the first word".to_owned();
        let first = events.next().await.ok_or(BackendError::Broken { model, reason })??;
        self.current.store(at, Ordering::Relaxed);
        let health = self.seats.get(at).map(|it| Arc::clone(&it.health)).unwrap_or_default();
        let watch = watch(backend.info(), health, Arc::clone(&self.spent));
        Ok(stream::iter([Ok(first)]).chain(events).inspect(watch).boxed())
    }

    /// One chance for everybody; none when nobody is left, or time is up.
    async fn round(&self, request: &ChatRequest) -> Result<ChatStream, Vec<BackendError>> {
        let mut errors = Vec::new();
        for at in self.order() {
            self.announce(at);
            match self.ask(at, request).await {
                Ok(events) => return Ok(events),
                Err(error) => {
                    self.give_up(at, &error);
                    let is_over = matches!(error, BackendError::DeadlineExceeded { .. });
                    errors.push(error);
                    if is_over {
                        break;
                    }
                }
            }
        }
        Err(errors)
    }
}

#[async_trait]
impl Backend for Failover {
    fn info(&self) -> &ModelInfo {
        let current = self.seats.get(self.current.load(Ordering::Relaxed));
        let opened = current.and_then(|it| it.backend.get());
        opened.map_or(&NOBODY, |it| it.info())
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let mut first_error = None;
        for round in 0..self.rounds.most {
            let errors = match self.round(&request).await {
                Ok(events) => return Ok(events),
                Err(errors) => errors,
            };
            let is_over =
                errors.iter().any(|it| matches!(it, BackendError::DeadlineExceeded { .. }));
            let can_wait = !is_over && errors.iter().any(BackendError::is_transient);
            let wait = self.rounds.wait_after(round, &errors);
            // What went wrong at the most wanted one is what can be mended.
            if first_error.is_none() {
                first_error = errors.into_iter().next();
            }
            let is_last = round + 1 == self.rounds.most;
            if !can_wait || is_last || Instant::now() + wait >= request.deadline {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        Err(first_error.unwrap_or_else(none))
    }

    /// Vectors of two models cannot be compared, so only the most wanted one is asked.
    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, BackendError> {
        self.backend(0).await?.embed(request).await
    }

    fn count_tokens(&self, text: &str) -> u32 {
        let current = self.seats.get(self.current.load(Ordering::Relaxed));
        match current.and_then(|it| it.backend.get()) {
            Some(backend) => backend.count_tokens(text),
            None => u32::try_from(text.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Candidate {
    /// A model that is there already.
    pub fn opened(backend: Arc<dyn Backend>) -> Self {
        let name = backend.info().model.clone();
        let open: Open = Box::new(move || {
            let backend = Arc::clone(&backend);
            Box::pin(async move { Ok(backend) })
        });
        Self { name, open }
    }
}

impl Seat {
    fn new(candidate: Candidate) -> Self {
        Self { candidate, backend: OnceCell::new(), health: Arc::default() }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health {
    fn note(&mut self, error: &BackendError) {
        self.state = failed(error);
        self.reason = error.to_string();
    }
}

impl Default for Rounds {
    fn default() -> Self {
        Self { most: 3, wait: Duration::from_secs(1) }
    }
}

impl Rounds {
    /// The wait after a round: what a server asks for, or twice as long as the last, and up to
    /// half as much again, so that those who failed together do not come back together.
    fn wait_after(self, round: u32, errors: &[BackendError]) -> Duration {
        let asked = errors.iter().filter_map(|it| {
            if let BackendError::Busy { retry_after, .. } = it { *retry_after } else { None }
        });
        let wait = self.wait.saturating_mul(1 << round.min(8));
        let wait = asked.min().unwrap_or(wait).min(WAIT_MOST);
        wait + wait.mul_f64(fastrand::f64() / 2.0)
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.seats.iter().map(|it| it.candidate.name.as_str()).collect();
        f.debug_struct("Failover").field("candidates", &names).finish_non_exhaustive()
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an error means for the questions to come.
fn failed(error: &BackendError) -> State {
    match error {
        BackendError::Load { .. }
        | BackendError::OutOfMemory { .. }
        | BackendError::Unauthorized { .. }
        | BackendError::ModelMissing { .. }
        | BackendError::NotLocal { .. } => State::Excluded,
        BackendError::Busy { .. }
        | BackendError::Unreachable { .. }
        | BackendError::Broken { .. }
        | BackendError::EmptyAnswer { .. } => State::Failed,
        // It is the question that was wrong.
        BackendError::ContextOverflow { .. }
        | BackendError::Refused { .. }
        | BackendError::NoEmbeddings { .. }
        | BackendError::DeadlineExceeded { .. } => State::Well,
    }
}

/// Counts what an answer took, and remembers who broke off or finished one.
fn watch(
    info: &ModelInfo,
    health: Arc<Mutex<Health>>,
    spent: Arc<Mutex<Vec<Spent>>>,
) -> impl FnMut(&Result<ChatEvent, BackendError>) + Send + 'static {
    let (provider, model) = (info.provider.clone(), info.model.clone());
    move |event| match event {
        Ok(ChatEvent::Delta(_)) => {}
        Ok(ChatEvent::Done { usage, .. }) => {
            let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
            add(&mut spent, &provider, &model, *usage);
            health.lock().unwrap_or_else(PoisonError::into_inner).state = State::Well;
        }
        Err(error) => health.lock().unwrap_or_else(PoisonError::into_inner).note(error),
    }
}

fn add(spent: &mut Vec<Spent>, provider: &str, model: &str, usage: Usage) {
    let found = spent.iter_mut().find(|it| it.provider == provider && it.model == model);
    if let Some(found) = found {
        found.answers += 1;
        found.usage += usage;
        return;
    }
    spent.push(Spent { provider: provider.to_owned(), model: model.to_owned(), answers: 1, usage });
}

/// The model of a failover that nobody answers for.
static NOBODY: ModelInfo = ModelInfo {
    provider: String::new(),
    model: String::new(),
    context_tokens: 0,
    parallel: 1,
    whole_answers: false,
};

fn none() -> BackendError {
    BackendError::Refused {
        model: "nobody".to_owned(),
        reason: "there is no model that may be asked".to_owned(),
    }
}
