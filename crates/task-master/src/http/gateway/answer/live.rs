//! A stream on its way to the client: until its first word, and then to its end.

use std::{pin::Pin, time::Duration};

use axum::body::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tm_llm::{
    backend::{BackendError, ChatStream},
    chat::{ChatEvent, FinishReason, Usage},
    dialect::serve::{Answer, ClientError, Writer},
};
use tokio::time;

use super::{Asked, cut_off, text::Text};

/// So much of a stream goes to the client in one piece, if it came in one.
const TOGETHER_BYTES: usize = 16 << 10;

/// The request, and what its model begins to say.
pub(super) type Starting =
    Pin<Box<dyn Future<Output = (Asked, Result<ChatStream, ClientError>)> + Send>>;

/// What is sent to a client that was told that its answer comes.
pub(super) enum Flow {
    /// A model reads a long prompt, or has others to answer first.
    Starting {
        starting: Starting,
        writer: Box<dyn Writer>,
        silence: Duration,
    },
    Live(Box<Live>),
}

impl Flow {
    pub(super) async fn next(self) -> Option<(Bytes, Self)> {
        let (mut starting, writer, silence) = match self {
            Self::Starting { starting, writer, silence } => (starting, writer, silence),
            Self::Live(mut live) => {
                let bytes = live.next().await?;
                return Some((bytes, Self::Live(live)));
            }
        };
        let mut live = match time::timeout(silence, starting.as_mut()).await {
            Err(_) => {
                let bytes = writer.waiting();
                return Some((bytes.into(), Self::Starting { starting, writer, silence }));
            }
            Ok((asked, Ok(events))) => Live::new(asked, writer, events),
            Ok((asked, Err(error))) => {
                let mut live = Live::new(asked, writer, stream::empty().boxed());
                let bytes = live.fail(&error);
                live.settle().await;
                return Some((bytes.into(), Self::Live(Box::new(live))));
            }
        };
        let bytes = live.next().await?;
        Some((bytes, Self::Live(Box::new(live))))
    }
}

/// A stream that is under way.
pub(super) struct Live {
    asked: Asked,
    writer: Box<dyn Writer>,
    events: ChatStream,
    text: Text,
    /// What came of it, when that is not known to others yet.
    outcome: Option<Result<Answer, ClientError>>,
    begun: Begun,
    is_over: bool,
    /// How many were asked before it began.
    attempts: usize,
}

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Nothing,
    /// The first words are on their way.
    First,
    GoesOn,
}

impl Live {
    pub(super) fn new(asked: Asked, writer: Box<dyn Writer>, events: ChatStream) -> Self {
        Self {
            text: Text::new(&asked.request),
            attempts: asked.routed.attempts(),
            asked,
            writer,
            events,
            outcome: None,
            begun: Begun::Nothing,
            is_over: false,
        }
    }

    /// Tells others what came of it, when that is known.
    async fn settle(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            self.asked.settle(outcome.as_ref()).await;
        }
    }

    /// The next bytes for the client, if only none at all; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        if self.begun == Begun::First {
            self.begun = Begun::GoesOn;
            // What was written is sent when there is nothing more to write for a moment: the first
            // words do not wait for others that have come with them.
            tokio::task::yield_now().await;
        }
        let event = self.events.next().await;
        let mut bytes = self.write(event);
        if self.begun == Begun::Nothing && !bytes.is_empty() {
            self.begun = Begun::First;
        }
        // What is there already goes with it.
        while self.begun == Begun::GoesOn && !self.is_over && bytes.len() < TOGETHER_BYTES {
            let Some(event) = self.events.next().now_or_never() else { break };
            bytes.extend(self.write(event));
        }
        self.settle().await;
        Some(bytes.into())
    }

    fn write(&mut self, event: Option<Result<ChatEvent, BackendError>>) -> Vec<u8> {
        match event {
            Some(Ok(ChatEvent::Delta(delta))) => {
                self.asked.count.saw_text();
                let (shown, has_ended) = self.text.push(delta);
                let mut bytes = self.show(&shown);
                if has_ended {
                    bytes.extend(self.end(FinishReason::Stop, Usage::default()));
                }
                bytes
            }
            Some(Ok(ChatEvent::Reasoning(thought))) if self.text.may_think() => {
                self.text.think(&thought);
                self.writer.reasoning(&thought)
            }
            // It thinks again in the middle of its answer.
            Some(Ok(ChatEvent::Reasoning(_))) => Vec::new(),
            Some(Ok(ChatEvent::Done { finish, usage })) => {
                let rest = match self.text.end(finish) {
                    Ok(rest) => rest,
                    Err(error) => return self.fail(&error),
                };
                let mut bytes = self.show(&rest);
                bytes.extend(self.end(finish, usage));
                bytes
            }
            Some(Err(error)) => self.fail(&error.into()),
            None => self.fail(&cut_off(self.asked.backend())),
        }
    }

    fn show(&mut self, text: &str) -> Vec<u8> {
        if text.is_empty() { Vec::new() } else { self.writer.text(text) }
    }

    fn end(&mut self, finish: FinishReason, usage: Usage) -> Vec<u8> {
        match self.asked.finish(&mut self.text, finish, usage) {
            Ok(answer) => {
                self.is_over = true;
                self.asked.count.end(Ok(answer.usage));
                let mut bytes = self.took_over().unwrap_or_default();
                bytes.extend(self.writer.end(&answer));
                self.outcome = Some(Ok(answer));
                bytes
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Says who went on with the answer, if somebody else had begun it.
    fn took_over(&self) -> Option<Vec<u8>> {
        let routed = &self.asked.routed;
        let is_resumed = routed.attempts() > self.attempts;
        is_resumed.then(|| self.writer.comment(&format!("resumed on {}", routed.asked_last())))
    }

    fn fail(&mut self, error: &ClientError) -> Vec<u8> {
        self.is_over = true;
        self.asked.count.end(Err(error));
        self.outcome = Some(Err(error.clone()));
        self.writer.error(error)
    }
}
