//! One request of a client, from the model's first token to the last event.
//!
//! Fits the request into the model's context, watches for the texts that end the answer, reads
//! tool calls, and counts. Dropping what is returned here stops the model. Knows no protocol.

use std::sync::Arc;

use super::{
    Door,
    cached::{self, Keeping, Known, Lookup, Made},
    client::Client,
    count::Count,
    routing::Routed,
    shadow,
};
use axum::body::Body;
use futures_util::{StreamExt as _, stream};
use live::{Flow, Live, Starting};
use pump::pumped;
use text::Text;
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, Pace, TEMPLATE_TOKENS},
    chat::{ChatEvent, ChatRequest, FinishReason, Sampling, Usage},
    dialect::serve::{
        Answer, AnswerForm, ClientError, ClientRequest, WithoutReasoning, Writer, tools,
    },
    failover::Failover,
    structured::{self, StructuredError},
};
use tokio::time;

mod live;
mod pump;
mod text;

/// The most tokens of one answer. Clients name the limits of far larger models.
const ANSWER_TOKENS: u32 = 8192;
/// More than a template says before the first message.
const PREAMBLE_TOKENS: u32 = 100;
/// A seed of ours is below this, because some servers read no larger one.
const SEEDS: u64 = 1 << 31;

/// How many tokens the request's prompt is, about.
pub(super) fn prompt_tokens(backend: &dyn Backend, request: &ClientRequest) -> u32 {
    backend.prompt_tokens(&tools::instruct(&request.messages, &request.form))
}

/// A request that is counted until it is dropped.
pub(super) struct Asked {
    request: ClientRequest,
    pub(super) routed: Arc<Routed>,
    pub(super) client: Client,
    keeping: Keeping,
    count: Count,
    /// Everybody who is asked draws with it.
    seed: u64,
    /// Whether the client chose the limit of the answer.
    is_limit_wanted: bool,
}

/// An answer for the client, and what a stream of it is called in HTTP.
pub(super) struct Written {
    pub(super) body: Result<(&'static str, Body), ClientError>,
    pub(super) lookup: Lookup,
}

impl Asked {
    /// Opens the models that the request names.
    pub(super) async fn begin(
        client: Client,
        door: Door,
        mut request: ClientRequest,
    ) -> Result<Self, ClientError> {
        let mut count = Count::begin(&client, door, &request.model);
        let conversation = Some(shadow::conversation(&request.messages));
        let routed = count.route(&client, &request.model, conversation).await?;
        let most = client.gateway.players.answer_tokens(routed.played_by).min(ANSWER_TOKENS);
        let is_limit_wanted = request.max_tokens.is_some_and(|it| it <= most);
        request.max_tokens = Some(request.max_tokens.map_or(most, |it| it.min(most)));
        let seed = seed(&request);
        let keeping = Keeping::default();
        Ok(Self { request, routed, client, keeping, count, seed, is_limit_wanted })
    }

    /// Who answers; known in full when the answer is there.
    pub(super) fn routed(&self) -> Arc<Routed> {
        Arc::clone(&self.routed)
    }

    fn backend(&self) -> &Failover {
        &self.routed.backend
    }

    pub(super) fn prompt_tokens(&self) -> u32 {
        prompt_tokens(self.backend(), &self.request)
    }

    pub(super) fn is_stream(&self) -> bool {
        self.request.stream
    }

    /// The answer in the writer's words: what is known already, or what the model says.
    pub(super) async fn written(
        mut self,
        writer: impl FnOnce(&Self) -> Box<dyn Writer>,
    ) -> Written {
        let question = || cached::question(&self.request);
        match cached::look(&self.client, &self.routed, question).await {
            Ok(Known::Given(made)) => {
                let writer = self.showing(writer(&self));
                return self.given(made, writer);
            }
            Ok(Known::Unknown(keeping)) => self.keeping = keeping,
            Err(error) => {
                self.count.end(Err(&error));
                return Written { body: Err(error), lookup: Lookup::Miss };
            }
        }
        let lookup = self.keeping.lookup();
        self.count.looked_up(&lookup);
        // A model that is not in memory cannot count.
        if let Err(error) = self.backend().prepare().await {
            let error = error.into();
            self.count.end(Err(&error));
            self.settle(Err(&error)).await;
            return Written { body: Err(error), lookup };
        }
        let writer = self.showing(writer(&self));
        let kind = writer.stream_type();
        let body = if self.is_stream() {
            self.stream(writer).await
        } else {
            self.whole(writer).await.map(Body::from)
        };
        Written { body: body.map(|it| (kind, it)), lookup }
    }

    /// A writer that tells no more than the client wants to know.
    fn showing(&self, writer: Box<dyn Writer>) -> Box<dyn Writer> {
        if self.request.with_reasoning { writer } else { Box::new(WithoutReasoning(writer)) }
    }

    /// An answer that somebody has made already.
    fn given(mut self, made: Result<Made, ClientError>, writer: Box<dyn Writer>) -> Written {
        let by = made.as_ref().map(|it| it.by.clone()).unwrap_or_default();
        let lookup = Lookup::Hit { by };
        self.count.looked_up(&lookup);
        let answer = made.and_then(|it| cached::given(it.answer));
        let kind = writer.stream_type();
        let body = answer.map(|it| (kind, replayed(&it, writer, &self.request)));
        self.count.end(body.as_ref().map(|_| Usage::default()));
        Written { body, lookup }
    }

    /// The whole answer.
    async fn whole(mut self, mut writer: Box<dyn Writer>) -> Result<String, ClientError> {
        let answer = match &self.request.form {
            AnswerForm::Json(_) => self.ask_json().await,
            AnswerForm::Text | AnswerForm::Tools { .. } => self.ask().await,
        };
        self.count.end(answer.as_ref().map(|it| it.usage));
        self.settle(answer.as_ref()).await;
        answer.map(|it| writer.whole(&it))
    }

    /// The answer as it comes. Fails only before the first of it.
    async fn stream(self, mut writer: Box<dyn Writer>) -> Result<Body, ClientError> {
        let (is_shared, silence) = (self.keeping.is_shared(), self.client.gateway.silence);
        let mut starting: Starting = Box::pin(async move {
            let events = self.start(Pace::Streamed).await;
            (self, events)
        });
        let (flow, first) = match time::timeout(silence, starting.as_mut()).await {
            Ok((asked, Ok(events))) => {
                let first = writer.begin();
                (Flow::Live(Box::new(Live::new(asked, writer, events))), first)
            }
            Ok((mut asked, Err(error))) => {
                asked.count.end(Err(&error));
                asked.settle(Err(&error)).await;
                return Err(error);
            }
            // Who waits is told that the answer is worked on; what fails now is told in the stream.
            Err(_) => {
                let mut first = writer.begin();
                first.extend(writer.waiting());
                (Flow::Starting { starting, writer, silence }, first)
            }
        };
        let rest = stream::unfold(flow, Flow::next);
        let frames = stream::iter([first.into()]).chain(rest);
        let frames = frames.filter(|it| std::future::ready(!it.is_empty())).map(Ok);
        Ok(if is_shared { Body::from_stream(pumped(frames)) } else { Body::from_stream(frames) })
    }

    /// Keeps the answer if that may be, and tells those who wait for it.
    async fn settle(&mut self, answer: Result<&Answer, &ClientError>) {
        if let Ok(answer) = answer {
            shadow::compare(self, answer);
        }
        let keeping = std::mem::take(&mut self.keeping);
        if keeping.is_for_nobody() {
            return;
        }
        let may_keep = answer.is_ok_and(|it| cached::is_sound(&self.request, it))
            && self.routed.is_as_wanted();
        let outcome = answer.map_err(Clone::clone).and_then(cached::kept);
        keeping.settle(outcome, may_keep, self.routed.asked_last()).await;
    }

    async fn ask(&mut self) -> Result<Answer, ClientError> {
        // A text that ends the answer stops the model as soon as it is seen.
        let pace = if self.request.stop.is_empty() { Pace::AtOnce } else { Pace::Streamed };
        let mut events = self.start(pace).await?;
        let mut text = Text::new(&self.request);
        while let Some(event) = events.next().await {
            match event? {
                ChatEvent::Delta(delta) => {
                    self.count.saw_text();
                    if text.push(delta).1 {
                        return self.finish(&mut text, FinishReason::Stop, Usage::default());
                    }
                }
                ChatEvent::Reasoning(thought) => text.think(&thought),
                ChatEvent::Done { finish, usage } => {
                    text.end(finish)?;
                    return self.finish(&mut text, finish, usage);
                }
            }
        }
        Err(cut_off(self.backend()))
    }

    /// JSON is validated, and repaired once.
    async fn ask_json(&self) -> Result<Answer, ClientError> {
        let request = self.chat_request();
        let ask = async |request| {
            structured::ask_even_cut(self.backend(), request, self.is_limit_wanted).await
        };
        let mut asked = ask(request.clone()).await;
        if let Err(StructuredError::Backend(error)) = &asked
            && let Some(shorter) = shorter(request, error)
        {
            asked = ask(shorter).await;
        }
        self.keep();
        match asked {
            Ok(answer) => {
                let mut text = Text::new(&self.request);
                text.push(answer.value);
                text.end(answer.finish)?;
                let stopped_by = text.ended_by.take();
                let finish = if stopped_by.is_some() { FinishReason::Stop } else { answer.finish };
                let (text, calls) = (text.whole(), Vec::new());
                let (reasoning, usage) = (String::new(), answer.usage);
                Ok(Answer { reasoning, text, calls, finish, stopped_by, usage })
            }
            Err(StructuredError::Backend(error)) => Err(error.into()),
            Err(error @ StructuredError::Schema(_)) => Err(ClientError::invalid(error.to_string())),
            Err(error @ StructuredError::Invalid { .. }) => {
                Err(ClientError::Failed { message: error.to_string() })
            }
        }
    }

    fn finish(
        &self,
        text: &mut Text,
        finish: FinishReason,
        mut usage: Usage,
    ) -> Result<Answer, ClientError> {
        let backend = self.backend();
        let (whole, calls) = (text.whole(), std::mem::take(&mut text.calls));
        let is_empty = whole.trim().is_empty() && calls.is_empty();
        if is_empty && finish == FinishReason::Stop && text.ended_by.is_none() {
            let model = backend.info().model.clone();
            return Err(BackendError::EmptyAnswer { model }.into());
        }
        if text.ended_by.is_some() || (usage.completion_tokens == 0 && !is_empty) {
            // The model was stopped and did not come to say what it took, or its server never says.
            let written = calls.iter().map(|it| it.arguments.as_str()).chain([whole.as_str()]);
            usage.prompt_tokens = self.prompt_tokens();
            usage.completion_tokens = written.map(|it| backend.count_tokens(it)).sum();
        }
        let (reasoning, stopped_by) = (std::mem::take(&mut text.thoughts), text.ended_by.take());
        Ok(Answer { reasoning, text: whole, calls, finish, stopped_by, usage })
    }

    /// Starts the model. A prompt that leaves less room than was asked for gets a shorter answer,
    /// which says so when it ends; one that leaves none is refused.
    async fn start(&self, pace: Pace) -> Result<ChatStream, ClientError> {
        let backend = self.backend();
        let ask = async |request| match pace {
            Pace::Streamed => backend.stream(request).await,
            Pace::AtOnce => backend.at_once(request).await,
        };
        let mut begun = ask(self.chat_request()).await;
        if let Err(error) = &begun
            && let Some(shorter) = shorter(self.chat_request(), error)
        {
            begun = ask(shorter).await;
        }
        self.keep();
        Ok(begun?)
    }

    /// Whoever was asked stays in memory as long as the client says.
    fn keep(&self) {
        if let Some(keep_alive) = self.client.keep_alive {
            let (backend, last) = (&self.routed.backend, self.routed.asked_last());
            self.client.gateway.keep(backend, &last, Some(keep_alive));
        }
    }

    /// Whoever is asked first may have no room for it; then somebody else may have.
    pub(super) fn chat_request(&self) -> ChatRequest {
        let ClientRequest { messages, form, sampling, max_tokens, .. } = &self.request;
        let messages = tools::instruct(messages, form).into_owned();
        let limit = self.backend().info().context_tokens;
        let max_tokens = max_tokens.unwrap_or(ANSWER_TOKENS);
        // Some templates begin with words of their own.
        let around =
            PREAMBLE_TOKENS + TEMPLATE_TOKENS * u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let bytes: usize = messages.iter().map(|it| it.content.len()).sum();
        // No token is shorter than a byte: most prompts need not be counted.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(around);
        let fits = bytes.saturating_add(max_tokens) <= limit;
        let max_tokens = if fits {
            max_tokens
        } else {
            let room = limit.checked_sub(self.backend().prompt_tokens(&messages));
            room.filter(|it| *it > 0).map_or(max_tokens, |it| it.min(max_tokens))
        };
        ChatRequest {
            messages,
            response_schema: tools::schema(form),
            sampling: Sampling { seed: self.seed, ..sampling.clone() },
            max_tokens,
            deadline: self.count.begun + self.count.gateway.timeout,
        }
    }
}

/// What an answer is drawn with: what the client says, else another one for each answer.
fn seed(request: &ClientRequest) -> u64 {
    let is_drawn = request.sampling.temperature > 0.0;
    let ours = || if is_drawn { fastrand::u64(..SEEDS) } else { request.sampling.seed };
    request.seed.unwrap_or_else(ours)
}

/// The same request for an answer that fits beside the prompt, where there is room for one.
fn shorter(request: ChatRequest, error: &BackendError) -> Option<ChatRequest> {
    let BackendError::ContextOverflow { prompt_tokens, limit, .. } = error else { return None };
    let max_tokens = limit.checked_sub(*prompt_tokens).filter(|it| *it > 0)?;
    (max_tokens < request.max_tokens).then_some(ChatRequest { max_tokens, ..request })
}

/// An answer that was given before, as if it came now.
fn replayed(answer: &Answer, mut writer: Box<dyn Writer>, request: &ClientRequest) -> Body {
    if !request.stream {
        return Body::from(writer.whole(answer));
    }
    let mut bytes = writer.begin();
    if !answer.reasoning.is_empty() {
        bytes.extend(writer.reasoning(&answer.reasoning));
    }
    if !answer.text.is_empty() {
        bytes.extend(writer.text(&answer.text));
    }
    bytes.extend(writer.end(answer));
    Body::from(bytes)
}

fn cut_off(backend: &dyn Backend) -> ClientError {
    let model = backend.info().model.clone();
    BackendError::Broken { model, reason: "the stream ended before the answer did".into() }.into()
}
