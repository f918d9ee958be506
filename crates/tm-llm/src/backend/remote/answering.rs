//! One answer on its way from a server.
//!
//! Exactly one end: an event that says so, or an error. A stream that stops before the server has
//! said that the answer is complete is an error, however much of it is there.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::time::timeout;

use super::{
    Server,
    reply::Pieces,
    told::Told,
    window::{Admitted, Counted, overflow},
};
use crate::{
    backend::{BackendError, ChatStream},
    chat::{ChatEvent, FinishReason, Usage},
    dialect::{
        ask::{Dialect, Fault, Piece, Reader},
        frames::{Frames, Framing},
        reasoning::Thoughts,
    },
};

/// What an answer must keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) asked: Instant,
    pub(super) deadline: Instant,
    /// It was asked for in one piece.
    pub(super) is_whole: bool,
    /// The window that the server was told, in tokens, where it can be told.
    pub(super) window: Option<u32>,
    pub(super) admitted: Admitted,
    pub(super) answer_tokens: u32,
    pub(super) context_tokens: u32,
}

/// An answer under way. Dropping it closes the connection, which ends the server's work.
pub(super) struct Answering {
    server: Arc<Server>,
    limits: Limits,
    pieces: Pieces,
    frames: Frames,
    /// There is nothing more to read.
    has_ended: bool,
    /// Something came that is more than a sign of life.
    has_heard: bool,
    reader: Reader,
    thoughts: Thoughts,
    told: Told,
    ready: VecDeque<Result<ChatEvent, BackendError>>,
    clock: Clock,
    /// What has come, and what was said in it.
    bytes_received: usize,
    bytes_said: usize,
}

/// When the parts of an answer arrived.
#[derive(Debug)]
struct Clock {
    asked: Instant,
    first_word: Option<Instant>,
    last_bytes: Instant,
    longest_gap: Duration,
    /// The answer comes in one piece, which says nothing of when its first word was there.
    is_whole: bool,
}

/// The most bytes that a token is said in, and sent in with all that is around it. A server that
/// exceeds that does not keep to what it was asked for.
const SAID_BYTES: usize = 64;
const SENT_BYTES: usize = 4096;
/// Not every server counts what it thinks, or knows the limit.
const SLACK_TOKENS: usize = 4096;

/// A stream that was never silent for long is not given up sooner. Where somebody else could go on,
/// [`crate::failover`] is less patient.
const STALL_LEAST: Duration = Duration::from_secs(30);

impl Answering {
    pub(super) fn new(
        server: Arc<Server>,
        limits: Limits,
        framing: Framing,
        pieces: Pieces,
    ) -> Self {
        Self {
            reader: Reader::new(server.provider.dialect),
            server,
            limits,
            pieces,
            clock: Clock::start(limits.asked, limits.is_whole || framing == Framing::Whole),
            frames: Frames::new(framing),
            has_ended: false,
            has_heard: false,
            thoughts: Thoughts::default(),
            told: Told::Nothing,
            ready: VecDeque::new(),
            bytes_received: 0,
            bytes_said: 0,
        }
    }

    /// The same of a server that was told of tools like this.
    pub(super) fn telling(self, told: Told) -> Self {
        let reader = self.reader;
        let reader = if told == Told::Nothing { reader } else { reader.telling_tools() };
        Self { reader, told, ..self }
    }

    pub(super) fn into_stream(self) -> ChatStream {
        let next = |mut answering: Self| async move {
            let event = answering.next().await?;
            Some((event, answering))
        };
        stream::unfold(self, next).boxed()
    }

    async fn next(&mut self) -> Option<Result<ChatEvent, BackendError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.has_ended {
                return None;
            }
            let left = self.limits.deadline.saturating_duration_since(Instant::now());
            let patience = self.patience().min(left);
            // What never stops coming would never be late.
            if left.is_zero() {
                self.fail(self.server.silent(patience, self.limits.deadline));
                continue;
            }
            // What is there already needs no clock.
            let come = match self.pieces.next().now_or_never() {
                Some(come) => Ok(come),
                None => timeout(patience, self.pieces.next()).await,
            };
            match come {
                Ok(Some(Ok(bytes))) => self.take(&bytes),
                Ok(Some(Err(reason))) => self.end(Some(&reason)),
                Ok(None) => {
                    let frames = std::mem::replace(&mut self.frames, Frames::new(Framing::Whole));
                    if let Some(frame) = frames.finish() {
                        self.read(&frame);
                    }
                    self.end(None);
                }
                // Some servers do not hang up.
                Err(_) if self.reader.end().is_some() => self.end(None),
                Err(_) => self.fail(self.server.silent(patience, self.limits.deadline)),
            }
        }
    }

    fn patience(&self) -> Duration {
        let patience = self.server.patience;
        match self.clock.usual_gap() {
            Some(gap) => patience.next.min(gap.saturating_mul(20).max(STALL_LEAST)),
            None => patience.first,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.clock.heard();
        self.bytes_received += bytes.len();
        if self.bytes_received > self.limits.most_bytes(SENT_BYTES) {
            return self.fail(self.broken("it sends more than it was asked for"));
        }
        let mut frames = std::mem::replace(&mut self.frames, Frames::new(Framing::Whole));
        let pushed = frames.push(bytes, |frame| self.read(frame));
        self.frames = frames;
        match pushed {
            Err(error) => self.fail(self.broken(&error.to_string())),
            Ok(()) if self.reader.is_over() && !self.has_ended => {
                self.pieces.has_all();
                self.end(None);
            }
            Ok(())
                if self.ready.is_empty()
                    && !self.has_ended
                    && std::mem::take(&mut self.has_heard) =>
            {
                self.ready.push_back(Ok(ChatEvent::Delta(String::new())));
            }
            Ok(()) => {}
        }
    }

    fn read(&mut self, frame: &str) {
        if self.has_ended {
            return;
        }
        self.has_heard = true;
        match self.reader.read(frame) {
            Ok(pieces) => {
                for piece in pieces {
                    if self.has_ended {
                        return;
                    }
                    self.clock.first_word.get_or_insert_with(Instant::now);
                    match piece {
                        Piece::Text(text) => {
                            let answer = self.thoughts.strip(text).into_owned();
                            let thought = self.thoughts.thought();
                            self.think(thought);
                            let answer = self.told.words(answer);
                            self.say(answer);
                        }
                        Piece::Reasoning(thought) => self.think(thought.into_owned()),
                    }
                }
            }
            // What comes after the end of an answer takes nothing away from it.
            Err(_) if self.reader.end().is_some() => {}
            Err(fault) => self.fail(self.failed(fault)),
        }
    }

    fn think(&mut self, thought: String) {
        if !thought.is_empty() {
            self.ready.push_back(Ok(ChatEvent::Reasoning(thought)));
        }
    }

    fn say(&mut self, text: String) {
        self.bytes_said += text.len();
        if self.bytes_said > self.limits.most_bytes(SAID_BYTES) {
            return self.fail(self.broken("it says more than it was asked for"));
        }
        if !text.is_empty() {
            self.ready.push_back(Ok(ChatEvent::Delta(text)));
        }
    }

    /// The stream is over: the answer is complete, or else broken.
    fn end(&mut self, broken: Option<&str>) {
        if self.has_ended {
            return;
        }
        let Some((finish, usage)) = self.reader.end() else {
            let reason = broken.unwrap_or("the stream ended before the answer did");
            return self.fail(self.broken(reason));
        };
        if let Some(error) = self.overflow(finish, usage) {
            return self.fail(error);
        }
        let calls = match self.reader.calls() {
            Ok(calls) => calls,
            Err(fault) => return self.fail(self.failed(fault)),
        };
        let rest = self.told.words(std::mem::take(&mut self.thoughts).finish());
        let rest = rest + &self.told.end(&calls);
        self.say(rest);
        if self.has_ended {
            return;
        }
        self.has_ended = true;
        let usage = self.clock.complete(usage);
        self.ready.push_back(Ok(ChatEvent::Done { finish, usage }));
    }

    fn fail(&mut self, error: BackendError) {
        self.has_ended = true;
        self.ready.push_back(Err(error));
    }

    fn broken(&self, reason: &str) -> BackendError {
        BackendError::Broken { model: self.server.model.clone(), reason: reason.to_owned() }
    }

    fn failed(&self, fault: Fault) -> BackendError {
        let Limits { admitted, context_tokens, answer_tokens, .. } = self.limits;
        self.server.failed(fault, (admitted.counted, context_tokens), answer_tokens)
    }

    /// A prompt that was cut, or an answer that ended at the end of the window rather than at its
    /// own limit.
    fn overflow(&self, finish: FinishReason, usage: Usage) -> Option<BackendError> {
        let Limits { admitted, window, context_tokens, answer_tokens, .. } = self.limits;
        let read = usage.prompt_tokens;
        let counts_all = matches!(self.server.provider.dialect, Dialect::OpenAi | Dialect::Ollama);
        if counts_all && admitted.was_cut(window, read) {
            let limit = if read == 0 { context_tokens } else { read };
            return Some(overflow(&self.server, admitted.counted, answer_tokens, limit));
        }
        let limit = window?;
        let is_cut = finish == FinishReason::Length;
        let is_short = usage.completion_tokens < answer_tokens;
        let counted = Counted { tokens: read, is_estimate: false };
        (is_cut && is_short).then(|| overflow(&self.server, counted, answer_tokens, limit))
    }
}

impl Limits {
    /// The most bytes of an answer, at so many a token.
    fn most_bytes(&self, each: usize) -> usize {
        let tokens = usize::try_from(self.answer_tokens).unwrap_or(usize::MAX);
        tokens.saturating_add(SLACK_TOKENS).saturating_mul(each)
    }
}

impl Clock {
    fn start(asked: Instant, is_whole: bool) -> Self {
        let now = Instant::now();
        Self { asked, first_word: None, last_bytes: now, longest_gap: Duration::ZERO, is_whole }
    }

    fn heard(&mut self) {
        if self.first_word.is_some() {
            self.longest_gap = self.longest_gap.max(self.last_bytes.elapsed());
        }
        self.last_bytes = Instant::now();
    }

    /// The longest silence so far between words; none before the first.
    fn usual_gap(&self) -> Option<Duration> {
        self.first_word.map(|_| self.longest_gap)
    }

    /// Servers that measure know better.
    fn complete(&self, mut usage: Usage) -> Usage {
        let first_word = self.first_word.filter(|_| !self.is_whole).unwrap_or(self.asked);
        if usage.prefill.is_zero() {
            usage.prefill = first_word.saturating_duration_since(self.asked);
        }
        if usage.decode.is_zero() {
            usage.decode = first_word.elapsed();
        }
        usage
    }
}
