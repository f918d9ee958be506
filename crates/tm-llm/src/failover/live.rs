//! One answer on its way from whoever gives it.
//!
//! Exactly one end. When the stream is cut, somebody else goes on where it stopped, and whoever
//! reads sees no seam: a model that can go on from the middle is given the beginning, and one that
//! cannot answers anew, which joins only if it says the same. Otherwise the cut is told as what it
//! is. Start at [`Live::into_stream`].

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};

use super::{Inner, Journey, load::Question, seam::Seam, seat::Turn};
use crate::{
    backend::{BackendError, ChatStream, Pace},
    chat::{ChatEvent, ChatRequest, FinishReason, Message, Role, Usage},
};

/// How often one answer is taken over.
const RESUMED_MOST: u32 = 8;

pub(super) struct Live {
    inner: Arc<Inner>,
    request: ChatRequest,
    turn: Turn,
    events: ChatStream,
    seam: Seam,
    /// What was shown so far.
    shown: String,
    ready: VecDeque<Result<ChatEvent, BackendError>>,
    resumed: u32,
    /// The longest silence so far.
    longest_gap: Duration,
    is_over: bool,
    journey: Option<Arc<Journey>>,
}

/// Somebody has begun to answer.
pub(super) struct Begun {
    pub(super) turn: Turn,
    pub(super) first: ChatEvent,
    pub(super) rest: ChatStream,
}

impl Live {
    pub(super) fn new(inner: Arc<Inner>, request: ChatRequest, begun: Begun) -> Self {
        let events = stream::iter([Ok(begun.first)]).chain(begun.rest).boxed();
        Self {
            inner,
            request,
            turn: begun.turn,
            events,
            seam: Seam::Closed,
            shown: String::new(),
            ready: VecDeque::new(),
            resumed: 0,
            longest_gap: Duration::ZERO,
            is_over: false,
            journey: None,
        }
    }

    pub(super) fn noting(self, journey: Option<Arc<Journey>>) -> Self {
        Self { journey, ..self }
    }

    pub(super) fn into_stream(self) -> ChatStream {
        let next = |mut live: Self| async move {
            let event = live.next().await?;
            Some((event, live))
        };
        stream::unfold(self, next).boxed()
    }

    async fn next(&mut self) -> Option<Result<ChatEvent, BackendError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            match self.listen().await {
                Some(Ok(ChatEvent::Delta(delta))) => match self.seam.pass(delta) {
                    Ok(new) => self.show(new),
                    Err(_) => self.cut(self.diverged()).await,
                },
                Some(Ok(ChatEvent::Reasoning(thought))) => {
                    self.ready.push_back(Ok(ChatEvent::Reasoning(thought)));
                }
                // It thought, and came to nothing.
                Some(Ok(ChatEvent::Done { finish: FinishReason::Stop, .. })) if self.is_empty() => {
                    self.cut(BackendError::EmptyAnswer { model: self.turn.seat().name.clone() })
                        .await;
                }
                Some(Ok(ChatEvent::Done { finish, usage })) => match self.seam.finish() {
                    Ok(rest) => {
                        self.show(rest);
                        self.end(finish, usage);
                    }
                    Err(_) => self.cut(self.diverged()).await,
                },
                Some(Err(error)) => self.cut(error).await,
                None => self.cut(self.broken("the stream ended before the answer did")).await,
            }
        }
    }

    /// What comes next, or that nothing does for far longer than was usual.
    async fn listen(&mut self) -> Option<Result<ChatEvent, BackendError>> {
        let least = self.inner.least_silence();
        let patience = self.longest_gap.saturating_mul(20).max(least);
        let begun = Instant::now();
        let next = self.inner.listen(self.turn.seat(), patience, self.events.next()).await;
        self.longest_gap = self.longest_gap.max(begun.elapsed());
        next.unwrap_or_else(|error| Some(Err(error)))
    }

    fn show(&mut self, new: String) {
        if !new.is_empty() {
            self.shown.push_str(&new);
            self.ready.push_back(Ok(ChatEvent::Delta(new)));
        }
    }

    fn end(&mut self, finish: FinishReason, usage: Usage) {
        self.is_over = true;
        self.turn.succeeded(&usage, finish);
        self.inner.spent(self.turn.seat(), usage);
        if let Some(journey) = &self.journey {
            journey.answered(&self.request, &self.shown);
        }
        self.ready.push_back(Ok(ChatEvent::Done { finish, usage }));
    }

    /// The answer has stopped in the middle: somebody else goes on, or it ends with this error.
    async fn cut(&mut self, error: BackendError) {
        self.turn.failed(&error);
        if !error.is_transient() || self.resumed >= RESUMED_MOST || !self.resume().await {
            self.is_over = true;
            if let Some(journey) = &self.journey {
                journey.gives_up(&error);
            }
            self.ready.push_back(Err(error));
        }
    }

    async fn resume(&mut self) -> bool {
        self.resumed += 1;
        let failed = Arc::clone(self.turn.seat());
        // Whoever just failed comes after everybody else.
        let mut tried = vec![failed];
        let question = Question::of(&self.request);
        loop {
            let Ok(Some(turn)) = self.inner.turn(&tried, question, self.request.deadline).await
            else {
                break;
            };
            tried.push(Arc::clone(turn.seat()));
            if self.go_on(turn).await {
                return true;
            }
        }
        match self.inner.turn(&[], question, self.request.deadline).await {
            Ok(Some(turn)) => self.go_on(turn).await,
            Ok(None) | Err(_) => false,
        }
    }

    async fn go_on(&mut self, turn: Turn) -> bool {
        let Ok(backend) = turn.seat().backend().await else { return false };
        // In the middle of a document that has a schema nobody can be held to the rest of it.
        let goes_on = backend.continues() && self.request.response_schema.is_none();
        let mut request = self.request.clone();
        if goes_on && !self.shown.is_empty() {
            request.max_tokens =
                request.max_tokens.saturating_sub(backend.count_tokens(&self.shown)).max(1);
            request.messages.push(Message::assistant(self.shown.clone()));
        }
        let seat = Arc::clone(turn.seat());
        match self.inner.ask(turn.noting(self.journey.clone()), &request, Pace::Streamed).await {
            Ok(begun) => {
                self.seam =
                    if goes_on { Seam::overlap(&self.shown) } else { Seam::replay(&self.shown) };
                self.events = stream::iter([Ok(begun.first)]).chain(begun.rest).boxed();
                self.turn = begun.turn;
                self.longest_gap = Duration::ZERO;
                seat.took_over();
                true
            }
            Err(_) => false,
        }
    }

    /// Whether nothing was said, although nothing had been said before either.
    fn is_empty(&self) -> bool {
        let goes_on = self.request.messages.last().is_some_and(|it| it.role == Role::Assistant);
        self.shown.is_empty() && !self.seam.holds() && !goes_on
    }

    fn diverged(&self) -> BackendError {
        self.broken("it began the answer anew, and it became another one")
    }

    fn broken(&self, reason: &str) -> BackendError {
        BackendError::Broken { model: self.turn.seat().name.clone(), reason: reason.to_owned() }
    }
}
