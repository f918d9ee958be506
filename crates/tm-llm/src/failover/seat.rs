//! One model that may be asked: opened when it is needed, and watched.
//!
//! A seat is shared by every list of models that it is on, so that what is known of the model and
//! what it is doing are known to all of them.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::{Notify, OnceCell};

use super::{
    Attempt, Journey, Open, Outcome,
    breaker::{Breaker, Health, Standing},
    load::{Load, Question},
};
use crate::{
    backend::{Backend, BackendError, ModelInfo},
    chat::{ChatRequest, FinishReason, Usage},
};

/// Questions that one model is asked at a time, unless somebody says otherwise. Servers queue on
/// their own; this keeps the queue where it can still go elsewhere.
const LIMIT: u32 = 32;

/// An answer that takes no longer is asked for in one piece, if nobody looks at it before the end:
/// little is lost when it has to be asked for again.
const QUICK: Duration = Duration::from_secs(2);

pub(super) struct Seat {
    pub(super) name: String,
    open: Open,
    backend: OnceCell<Arc<dyn Backend>>,
    state: Mutex<State>,
    limit: u32,
    counts: Counts,
}

#[derive(Debug, Default)]
struct State {
    breaker: Breaker,
    load: Load,
}

/// How questions ended.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
    resumed: AtomicU64,
}

/// What is known of one model, to be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatReport {
    pub name: String,
    /// The lower, the more wanted; equals share the load.
    pub rank: u32,
    pub is_open: bool,
    /// `well`, `rested` (about to be tried), `resting` or `excluded`.
    pub standing: &'static str,
    /// What went wrong last.
    pub last_error: Option<String>,
    pub in_flight: u32,
    pub limit: u32,
    /// Predicted seconds of the work under way.
    pub outstanding_s: f64,
    /// Measured; none before the first answer.
    pub tokens_per_s: Option<f64>,
    pub answered: u64,
    pub failed: u64,
    /// Answers that it took over in the middle.
    pub resumed: u64,
}

/// One question under way at one model. Dropping it gives the place free.
pub(super) struct Turn {
    seat: Arc<Seat>,
    predicted: f64,
    begun: Instant,
    queued: Duration,
    freed: Arc<Notify>,
    has_ended: bool,
    first_word: Option<Duration>,
    journey: Option<Arc<Journey>>,
}

/// Why a model that was chosen is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTurn {
    /// It has no place free.
    Full,
    /// It has failed since, or somebody else tries it: choose again.
    Worse,
}

impl Seat {
    pub(super) fn new(name: String, open: Open, limit: Option<u32>) -> Self {
        Self {
            name,
            open,
            backend: OnceCell::new(),
            state: Mutex::default(),
            limit: limit.unwrap_or(LIMIT).max(1),
            counts: Counts::default(),
        }
    }

    pub(super) async fn backend(&self) -> Result<&Arc<dyn Backend>, BackendError> {
        self.backend.get_or_try_init(|| (self.open)()).await
    }

    /// The same for a request whose pictures the model is shown.
    pub(super) async fn backend_for(
        &self,
        request: &ChatRequest,
    ) -> Result<&Arc<dyn Backend>, BackendError> {
        let backend = self.backend().await?;
        if request.images().all(|it| backend.can_see(it)) {
            return Ok(backend);
        }
        let reason = "it reads text alone, and the request has images".to_owned();
        Err(BackendError::Refused { model: backend.info().model.clone(), reason })
    }

    /// The same, in memory or connected to.
    pub(super) async fn ready(&self) -> Result<&Arc<dyn Backend>, BackendError> {
        let backend = self.backend().await?;
        backend.prepare().await?;
        Ok(backend)
    }

    pub(super) fn opened(&self) -> Option<&Arc<dyn Backend>> {
        self.backend.get()
    }

    pub(super) fn info(&self) -> Option<&ModelInfo> {
        self.opened().map(|it| it.info())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        self.state().breaker.standing(now)
    }

    pub(super) fn health(&self) -> Health {
        self.state().breaker.health(Instant::now())
    }

    pub(super) fn told_to_rest(&self, left: Duration) {
        self.state().breaker.told_to_rest(Instant::now(), left);
    }

    pub(super) fn is_full(&self) -> bool {
        self.state().load.in_flight() >= self.limit
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn reason(&self) -> String {
        self.state().breaker.reason().to_owned()
    }

    /// When a question asked now is predicted to be answered.
    pub(super) fn finish_s(&self, question: Question) -> f64 {
        let parallel = f64::from(self.info().map_or(1, |it| it.parallel.max(1)));
        let state = self.state();
        state.load.outstanding_s() / parallel + state.load.predict_s(question)
    }

    /// Whether somebody has waited for it in vain since then.
    pub(super) fn has_been_silent_since(&self, moment: Instant) -> bool {
        self.state().breaker.has_been_silent_since(moment)
    }

    /// It is given up for having said nothing since `begun`: of all who waited for it then, the
    /// first counts.
    pub(super) fn fell_silent(&self, begun: Instant, now: Instant) {
        let mut state = self.state();
        if !state.breaker.has_been_silent_since(begun) {
            state.breaker.fell_silent(now);
            state.load.fell_silent();
        }
    }

    /// Whether it is known to be at work while it says nothing.
    pub(super) async fn is_at_work(&self, silence: Duration) -> bool {
        match self.opened() {
            Some(backend) => backend.is_at_work(silence).await,
            None => true,
        }
    }

    /// Whether its answer will be there so soon that nothing is gained by watching it come.
    pub(super) fn is_quick(&self, question: Question) -> bool {
        self.state().load.longest(question).is_some_and(|it| it <= QUICK)
    }

    pub(super) fn failed(&self, error: &BackendError) {
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        self.state().breaker.failed(Instant::now(), error);
    }

    /// What was asked without a turn, to be told.
    pub(super) fn attempt(&self, ended: Result<Usage, &BackendError>, begun: Instant) -> Attempt {
        let info = self.info();
        Attempt {
            name: self.name.clone(),
            provider: info.map(|it| it.provider.clone()).unwrap_or_default(),
            model: info.map_or_else(|| self.name.clone(), |it| it.model.clone()),
            outcome: match ended {
                Ok(usage) => Outcome::Answered(usage, FinishReason::Stop),
                Err(error) => Outcome::Failed(error.kind()),
            },
            why: ended.err().map(BackendError::in_our_words).unwrap_or_default(),
            after: Duration::ZERO,
            queued: Duration::ZERO,
            first_word: None,
            took: begun.elapsed(),
        }
    }

    /// Notes what became of a question for which nobody stands in.
    pub(super) fn answered_alone(
        &self,
        journey: Option<Arc<Journey>>,
        begun: Instant,
        prompt_tokens: Result<u32, &BackendError>,
    ) {
        let Some(journey) = journey else { return };
        let usage = |prompt_tokens| Usage { prompt_tokens, ..Usage::default() };
        journey.has([self.attempt(prompt_tokens.map(usage), begun)]);
        prompt_tokens.err().inspect(|it| journey.gives_up(it));
    }

    pub(super) fn took_over(&self) {
        self.counts.resumed.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a place, when there is one and the model is as well as when it was chosen: of several
    /// who chose it at once, one may have seen it fail meanwhile, or be the one who tries it.
    pub(super) fn begin(
        self: &Arc<Self>,
        question: Question,
        chosen_as: Standing,
        freed: &Arc<Notify>,
    ) -> Result<Turn, NoTurn> {
        let begun = Instant::now();
        let mut state = self.state();
        if state.breaker.standing(begun) > chosen_as {
            return Err(NoTurn::Worse);
        }
        if state.load.in_flight() >= self.limit {
            return Err(NoTurn::Full);
        }
        state.breaker.begin(begun);
        let predicted = state.load.begin(question);
        drop(state);
        Ok(Turn {
            seat: Arc::clone(self),
            predicted,
            begun,
            queued: Duration::ZERO,
            freed: Arc::clone(freed),
            has_ended: false,
            first_word: None,
            journey: None,
        })
    }

    pub(super) fn report(&self, rank: u32) -> SeatReport {
        let state = self.state();
        let standing = match state.breaker.standing(Instant::now()) {
            Standing::Well => "well",
            Standing::Rested => "rested",
            Standing::Resting => "resting",
            Standing::Excluded => "excluded",
        };
        let reason = state.breaker.reason();
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        SeatReport {
            name: self.name.clone(),
            rank,
            is_open: self.opened().is_some(),
            standing,
            last_error: (!reason.is_empty()).then(|| reason.to_owned()),
            in_flight: state.load.in_flight(),
            limit: self.limit,
            outstanding_s: state.load.outstanding_s(),
            tokens_per_s: state.load.decode_rate(),
            answered: count(&self.counts.answered),
            failed: count(&self.counts.failed),
            resumed: count(&self.counts.resumed),
        }
    }
}

impl Turn {
    pub(super) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// The same after a wait for the place.
    pub(super) fn queued(mut self, queued: Duration) -> Self {
        self.queued = queued;
        self
    }

    /// The same, and what becomes of it is noted.
    pub(super) fn noting(mut self, journey: Option<Arc<Journey>>) -> Self {
        if let Some(journey) = &journey {
            journey.asks(&self.seat.name);
        }
        self.journey = journey;
        self
    }

    /// How long to wait for the first word while somebody else could answer: far longer than it
    /// should take, and never less than `least`. Who has yet to say a word may be one that says
    /// nothing before it is done, and gets longer each time.
    pub(super) fn first_word_patience(&self, question: Question, least: Duration) -> Duration {
        let parallel = f64::from(self.seat.info().map_or(1, |it| it.parallel.max(1)));
        let state = self.seat.state();
        let before = (state.load.outstanding_s() - self.predicted).max(0.0) / parallel;
        let reading = state.load.slowest_reading_s(question);
        let usual = match state.load.first_word() {
            Some(usual) => usual.saturating_mul(8).max(least),
            None => least.saturating_mul(state.load.chances()),
        };
        drop(state);
        let more = Duration::try_from_secs_f64(before + reading).unwrap_or(Duration::MAX);
        usual.saturating_add(more)
    }

    /// The model has begun to answer.
    pub(super) fn has_spoken(&mut self) {
        let waited = self.begun.elapsed();
        self.first_word = Some(waited);
        self.seat.state().load.first_word_after(waited);
    }

    pub(super) fn succeeded(&mut self, usage: &Usage, finish: FinishReason) {
        self.has_ended = true;
        self.seat.counts.answered.fetch_add(1, Ordering::Relaxed);
        let mut state = self.seat.state();
        state.breaker.succeeded(Instant::now());
        state.load.measure(usage);
        drop(state);
        self.note(Outcome::Answered(*usage, finish), String::new());
    }

    pub(super) fn failed(&mut self, error: &BackendError) {
        self.has_ended = true;
        self.seat.failed(error);
        self.note(Outcome::Failed(error.kind()), error.in_our_words());
    }

    fn note(&self, outcome: Outcome, why: String) {
        let Some(journey) = &self.journey else { return };
        journey.ends(Attempt {
            outcome,
            why,
            after: journey.until(self.begun),
            queued: self.queued,
            first_word: self.first_word,
            ..self.seat.attempt(Ok(Usage::default()), self.begun)
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.seat.state();
        state.load.end(self.predicted);
        if !self.has_ended {
            state.breaker.abandoned(Instant::now());
        }
        drop(state);
        if !self.has_ended {
            self.note(Outcome::Abandoned, String::new());
        }
        self.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
