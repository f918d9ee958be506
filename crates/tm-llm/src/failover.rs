//! Several models that stand in for each other, and share the work.
//!
//! The most wanted ones answer as long as they can. Those that are wanted alike share the work:
//! whoever is predicted to be done first is asked. When a model fails, the next one is asked the
//! same question, and whoever has failed is not asked again before it has rested. A model that has
//! enough to do is not given more: who asks then waits, and if too many wait already is told to
//! come back later. An answer that is cut off in the middle is gone on with (see `live`). What
//! each model did is counted, because a fallback is not a success, and whoever wants to know what
//! became of one request watches it with a [`Journey`]. Start at [`Failover`].

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, future::BoxFuture};
use tokio::sync::Notify;

use crate::{
    backend::{Backend, BackendError, ChatStream, ModelInfo, Pace},
    chat::{ChatEvent, ChatRequest, FinishReason, Message, Role, Usage},
    embed::{EmbedRequest, Embeddings, Relevances, RerankRequest},
    loading::{LoadError, Stay},
};
pub use breaker::Health;
use journey::Watch;
pub use journey::{Attempt, Journey, OnStep, Outcome, Setout, Step};
use live::{Begun, Live};
use load::Question;
pub use rounds::Rounds;
use rounds::{Missed, most_telling};
pub use seat::SeatReport;
use seat::{Seat, Turn};
pub use spent::Spent;

mod breaker;
mod journey;
mod live;
mod load;
mod queue;
mod rounds;
mod seam;
mod seat;
mod silence;
mod spent;

/// A model that may be asked, but is not loaded or connected to before it has to be.
///
/// Clones are the same model: what is known of it is shared.
#[derive(Clone)]
pub struct Candidate {
    /// The lower, the more wanted; equals share the work.
    rank: u32,
    /// What others call it who ask it too; none when nobody else can.
    place: Option<Arc<str>>,
    seat: Arc<Seat>,
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
    inner: Arc<Inner>,
    rounds: Rounds,
    watch: Watch,
}

struct Inner {
    seats: Vec<Candidate>,
    /// The seat that answered last.
    current: AtomicUsize,
    on_switch: OnSwitch,
    /// Which switches were told.
    told: Mutex<BTreeSet<(usize, usize)>>,
    spent: Mutex<Vec<Spent>>,
    /// A place was given free.
    freed: Arc<Notify>,
    waiting: AtomicU32,
    /// See [`Rounds::silence`].
    silence: Mutex<Duration>,
}

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
        failover.prepare().await?;
        Ok(failover)
    }

    /// Opens nobody before they are asked.
    pub fn unopened(candidates: Vec<Candidate>, on_switch: OnSwitch) -> Self {
        let rounds = Rounds::default();
        let inner = Inner {
            seats: candidates,
            current: AtomicUsize::new(0),
            on_switch,
            told: Mutex::default(),
            spent: Mutex::default(),
            freed: Arc::default(),
            waiting: AtomicU32::new(0),
            silence: Mutex::new(rounds.silence),
        };
        Self { inner: Arc::new(inner), rounds, watch: Watch::Nobody }
    }

    /// The same with other waits.
    #[must_use]
    pub fn with_rounds(self, rounds: Rounds) -> Self {
        *self.inner.silence.lock().unwrap_or_else(PoisonError::into_inner) = rounds.silence;
        Self { rounds, ..self }
    }

    /// The same models, for one request that is watched.
    #[must_use]
    pub fn watched(&self, journey: Arc<Journey>) -> Self {
        Self { inner: Arc::clone(&self.inner), rounds: self.rounds, watch: Watch::One(journey) }
    }

    /// The same models, and every request is watched with a journey of its own.
    #[must_use]
    pub fn watching_each(self, setout: Setout) -> Self {
        Self { watch: Watch::each(setout), ..self }
    }

    /// What was spent so far, by the models that answered; empty when none did.
    pub fn spent(&self) -> Vec<Spent> {
        self.inner.spent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of each model, the most wanted first.
    pub fn report(&self) -> Vec<SeatReport> {
        self.inner.seats.iter().map(|it| it.seat.report(it.rank)).collect()
    }

    /// How the models stand that others may ask too, by what they call them.
    pub fn health(&self) -> impl Iterator<Item = (&str, Health)> {
        let seats = self.inner.seats.iter();
        seats.filter_map(|it| Some((it.place.as_deref()?, it.seat.health())))
    }

    /// Others have seen a model fail: it rests here too, unless it does already.
    pub fn told_to_rest(&self, place: &str, left: Duration) {
        let same = self.inner.seats.iter().filter(|it| it.place.as_deref() == Some(place));
        same.for_each(|it| it.seat.told_to_rest(left));
    }

    /// Has a model in memory for as long as is said, wherever it is.
    ///
    /// # Errors
    /// [`LoadError::NoModel`] when nobody who was opened has this name, [`LoadError::Fixed`] where that
    /// cannot be decided from here.
    pub async fn keep(&self, name: &str, stay: Stay) -> Result<(), LoadError> {
        let seats = self.inner.seats.iter().map(|it| &it.seat);
        let backend = seats.filter(|it| it.name == name).find_map(|it| it.opened());
        let model = || LoadError::NoModel { model: name.to_owned() };
        backend.ok_or_else(model)?.keep(stay).await
    }

    /// How many questions wait for a place.
    pub fn waiting(&self) -> u32 {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    /// Whether anybody was opened, so that [`Backend::info`] is known.
    pub fn is_open(&self) -> bool {
        self.inner.current().is_some()
    }

    /// Opens everybody, to see who can be; in the order of [`Failover::report`].
    pub async fn try_all(&self) -> Vec<Result<ModelInfo, BackendError>> {
        let tries = self.inner.seats.iter().map(|it| async {
            let opened = it.seat.backend().await.map(|backend| backend.info().clone());
            opened.inspect_err(|error| it.seat.failed(error))
        });
        futures_util::future::join_all(tries).await
    }

    /// The answer of the first one that gives one; everybody gets several chances.
    async fn answer(&self, request: ChatRequest, pace: Pace) -> Result<ChatStream, BackendError> {
        let journey = self.watch.journey();
        let mut first_error = None;
        for round in 0..self.rounds.most {
            let missed = match self.round(&request, pace, journey.as_ref()).await {
                Ok(events) => return Ok(events),
                Err(missed) => missed,
            };
            let (can_wait, wait) =
                (missed.may_pass(), self.rounds.wait_after(round, &missed.errors));
            if first_error.is_none() {
                first_error = most_telling(missed.errors);
            }
            let is_last = round + 1 == self.rounds.most;
            if !can_wait || is_last || Instant::now() + wait >= request.deadline {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        let error = first_error.unwrap_or_else(none);
        if let Some(journey) = journey {
            journey.gives_up(&error);
        }
        Err(error)
    }

    /// One chance for everybody; none when nobody is left, too many wait already, or time is up.
    async fn round(
        &self,
        request: &ChatRequest,
        pace: Pace,
        journey: Option<&Arc<Journey>>,
    ) -> Result<ChatStream, Missed> {
        let question = Question::of(request);
        let (mut missed, mut tried) = (Missed::default(), Vec::new());
        loop {
            let turn = match self.inner.turn(&tried, question, request.deadline).await {
                Ok(Some(turn)) => turn,
                Ok(None) => return Err(missed),
                Err(error) => return Err(missed.over(error)),
            };
            tried.push(Arc::clone(turn.seat()));
            let turn = turn.noting(journey.cloned());
            match self.inner.ask(turn, request, pace).await {
                Ok(begun) => {
                    let live = Live::new(Arc::clone(&self.inner), request.clone(), begun)
                        .noting(journey.cloned());
                    return Ok(live.into_stream());
                }
                Err(error) => {
                    if matches!(error, BackendError::DeadlineExceeded { .. }) {
                        return Err(missed.over(error));
                    }
                    missed.errors.push(error);
                }
            }
        }
    }
}

impl Inner {
    /// Who answered last, or would answer first.
    fn current(&self) -> Option<&Arc<dyn Backend>> {
        self.seats.get(self.current.load(Ordering::Relaxed)).and_then(|it| it.seat.opened())
    }

    /// Says that somebody less wanted is asked than whoever answered last.
    fn announce(&self, at: usize) {
        let current = self.current.load(Ordering::Relaxed);
        let (Some(from), Some(to)) = (self.seats.get(current), self.seats.get(at)) else { return };
        // Those who share the work take turns, which is no news.
        if at <= current {
            return;
        }
        let reason = from.seat.reason();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if reason.is_empty() || !told.insert((current, at)) {
            return;
        }
        drop(told);
        (self.on_switch)(&Switch { from: &from.seat.name, to: &to.seat.name, reason: &reason });
    }

    /// Asks one model, and waits for its first word: until then nobody has seen anything, and
    /// another one can answer instead.
    async fn ask(
        &self,
        mut turn: Turn,
        request: &ChatRequest,
        pace: Pace,
    ) -> Result<Begun, BackendError> {
        let at = self.seats.iter().position(|it| Arc::ptr_eq(&it.seat, turn.seat()));
        self.announce(at.unwrap_or(0));
        // A model that is taken into memory says nothing for longer than usual.
        if let Err(error) = turn.seat().ready().await {
            turn.failed(&error);
            return Err(error);
        }
        let question = Question::of(request);
        let is_quick = pace == Pace::AtOnce && turn.seat().is_quick(question);
        let pace = if is_quick { Pace::AtOnce } else { Pace::Streamed };
        let patience = turn.first_word_patience(question, self.least_silence());
        match self.first_word(turn.seat(), request, pace, patience).await {
            Ok((first, rest)) => {
                turn.has_spoken();
                self.current.store(at.unwrap_or(0), Ordering::Relaxed);
                Ok(Begun { turn, first, rest })
            }
            Err(error) => {
                turn.failed(&error);
                Err(error)
            }
        }
    }

    /// The first of an answer that is one, and the rest.
    async fn first_word(
        &self,
        seat: &Arc<Seat>,
        request: &ChatRequest,
        pace: Pace,
        patience: Duration,
    ) -> Result<(ChatEvent, ChatStream), BackendError> {
        let backend = seat.backend_for(request).await?;
        let goes_on = request.messages.last().is_some_and(|it| it.role == Role::Assistant);
        let coming = async {
            let mut events = match pace {
                Pace::Streamed => backend.stream(request.clone()).await?,
                Pace::AtOnce => backend.at_once(request.clone()).await?,
            };
            Ok((events.next().await, events))
        };
        let (mut first, mut events) = self.listen(seat, patience, coming).await??;
        // It thinks, or has only begun to.
        while matches!(&first, Some(Ok(ChatEvent::Delta(text))) if text.is_empty()) {
            first = self.listen(seat, patience, events.next()).await?;
        }
        let model = || backend.info().model.clone();
        let reason = "it ended the stream before the first word".to_owned();
        match first.ok_or_else(|| BackendError::Broken { model: model(), reason })?? {
            // Whoever goes on from the middle may find that all was said.
            ChatEvent::Done { finish: FinishReason::Stop, .. } if !goes_on => {
                Err(BackendError::EmptyAnswer { model: model() })
            }
            first @ (ChatEvent::Delta(_) | ChatEvent::Reasoning(_) | ChatEvent::Done { .. }) => {
                Ok((first, events))
            }
        }
    }

    fn spent(&self, seat: &Seat, usage: Usage) {
        let Some(info) = seat.info() else { return };
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent::add(&mut spent, &info.provider, &info.model, usage);
    }
}

#[async_trait]
impl Backend for Failover {
    fn info(&self) -> &ModelInfo {
        self.inner.current().map_or(&NOBODY, |it| it.info())
    }

    /// Opens the first one that can be, unless whoever answered last is ready to.
    async fn prepare(&self) -> Result<(), BackendError> {
        let inner = &self.inner;
        if let Some(current) = inner.current()
            && current.prepare().await.is_ok()
        {
            return Ok(());
        }
        let (mut first_error, mut attempts) = (None, Vec::new());
        for (at, candidate) in inner.seats.iter().enumerate() {
            inner.announce(at);
            let begun = Instant::now();
            match candidate.seat.ready().await {
                Ok(_) => {
                    inner.current.store(at, Ordering::Relaxed);
                    self.watch.opened_after(attempts);
                    return Ok(());
                }
                Err(error) => {
                    candidate.seat.failed(&error);
                    attempts.push(candidate.seat.attempt(Err(&error), begun));
                    first_error.get_or_insert(error);
                }
            }
        }
        let error = first_error.unwrap_or_else(none);
        self.watch.gave_up_after(attempts, &error);
        Err(error)
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.answer(request, Pace::Streamed).await
    }

    async fn at_once(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.answer(request, Pace::AtOnce).await
    }

    /// Vectors of two models cannot be compared, so only the most wanted one is asked.
    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, BackendError> {
        let first = self.inner.seats.first().ok_or_else(none)?;
        let (journey, begun) = (self.watch.journey(), Instant::now());
        let embedded = async { first.seat.backend().await?.embed(request).await }.await;
        let tokens = embedded.as_ref().map(|it| it.prompt_tokens);
        first.seat.answered_alone(journey, begun, tokens);
        embedded
    }

    async fn rerank(&self, request: RerankRequest) -> Result<Relevances, BackendError> {
        let first = self.inner.seats.first().ok_or_else(none)?;
        let (journey, begun) = (self.watch.journey(), Instant::now());
        let ranked = async { first.seat.backend().await?.rerank(request).await }.await;
        let tokens = ranked.as_ref().map(|it| it.prompt_tokens);
        first.seat.answered_alone(journey, begun, tokens);
        ranked
    }

    fn count_tokens(&self, text: &str) -> u32 {
        match self.inner.current() {
            Some(backend) => backend.count_tokens(text),
            None => u32::try_from(text.len()).unwrap_or(u32::MAX),
        }
    }

    fn prompt_tokens(&self, messages: &[Message]) -> u32 {
        self.inner.current().map_or(0, |it| it.prompt_tokens(messages))
    }
}

impl Candidate {
    /// A model that is opened when it is needed, and is asked no more than `limit` questions at a
    /// time.
    pub fn new(name: impl Into<String>, open: Open, limit: Option<u32>) -> Self {
        Self { rank: 0, place: None, seat: Arc::new(Seat::new(name.into(), open, limit)) }
    }

    /// A model that is there already.
    pub fn opened(backend: Arc<dyn Backend>) -> Self {
        let name = backend.info().model.clone();
        let open: Open = Box::new(move || {
            let backend = Arc::clone(&backend);
            Box::pin(async move { Ok(backend) })
        });
        Self::new(name, open, None)
    }

    /// The same model, wanted so much: 0 is most, and equals share the work.
    #[must_use]
    pub fn with_rank(self, rank: u32) -> Self {
        Self { rank, ..self }
    }

    /// The same model, which others can ask who call it this.
    #[must_use]
    pub fn with_place(self, place: &str) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.seat.name
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.inner.seats.iter().map(Candidate::name).collect();
        f.debug_struct("Failover").field("candidates", &names).finish_non_exhaustive()
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.seat.name).finish_non_exhaustive()
    }
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
