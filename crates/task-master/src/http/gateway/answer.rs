//! One request of a client, from the model's first token to the last event.
//!
//! Fits the request into the model's context, watches for the texts that end the answer, reads
//! tool calls, and counts. Dropping what is returned here stops the model. Knows no protocol.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value;
use tm_llm::{
    backend::{Backend, BackendError, ChatStream},
    chat::{ChatEvent, ChatRequest, FinishReason, Usage},
    dialect::serve::{
        Answer, AnswerForm, ClientError, ClientRequest, Content, Writer, embeddings::EmbedCall,
        tools,
    },
    embed::{EmbedRequest, Embeddings},
    structured::{self, StructuredError},
};

use super::Gateway;

/// The most tokens of one answer. Clients name the limits of far larger models.
const ANSWER_TOKENS: u32 = 8192;
/// Tokens that a chat template adds around each message, at most.
const TEMPLATE_TOKENS: u32 = 12;

/// How many tokens the request's prompt is, about.
pub(super) fn prompt_tokens(backend: &dyn Backend, request: &ClientRequest) -> u32 {
    let messages = tools::instruct(&request.messages, &request.form);
    messages.iter().map(|it| backend.count_tokens(&it.content) + TEMPLATE_TOKENS).sum()
}

/// Vectors for the texts of a call, in the words of whoever called.
pub(super) async fn embed(
    gateway: Arc<Gateway>,
    endpoint: &'static str,
    call: &EmbedCall,
) -> Result<Value, ClientError> {
    let mut count = Count::begin(gateway, endpoint);
    let request = EmbedRequest {
        texts: call.texts.clone(),
        dimensions: call.dimensions,
        deadline: count.begun + count.gateway.timeout,
    };
    let embedded = count.gateway.embedder.embed(request).await.map_err(ClientError::from);
    let usage = |it: &Embeddings| Usage { prompt_tokens: it.prompt_tokens, ..Usage::default() };
    count.end(embedded.as_ref().map(usage));
    embedded.map(|it| call.answer(&it))
}

/// A request that is counted until it is dropped.
pub(super) struct Asked {
    request: ClientRequest,
    count: Count,
}

/// What becomes of a request, for the metrics.
struct Count {
    gateway: Arc<Gateway>,
    endpoint: &'static str,
    begun: Instant,
    has_text: bool,
    /// The client left when nothing else is said.
    status: u16,
}

impl Asked {
    pub(super) fn begin(
        gateway: Arc<Gateway>,
        endpoint: &'static str,
        request: ClientRequest,
    ) -> Self {
        Self { request, count: Count::begin(gateway, endpoint) }
    }

    pub(super) fn is_stream(&self) -> bool {
        self.request.stream
    }

    /// The whole answer, in the writer's words.
    pub(super) async fn whole(mut self, mut writer: Box<dyn Writer>) -> Result<Value, ClientError> {
        let answer = match &self.request.form {
            AnswerForm::Json(_) => self.ask_json().await,
            AnswerForm::Text | AnswerForm::Tools { .. } => self.ask().await,
        };
        self.count.end(answer.as_ref().map(|it| it.usage));
        answer.map(|it| writer.whole(&it))
    }

    /// The answer as it comes, in the writer's words. Fails only before the first of them.
    pub(super) async fn stream(
        mut self,
        mut writer: Box<dyn Writer>,
    ) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + use<>, ClientError> {
        let events = match self.start().await {
            Ok(events) => events,
            Err(error) => {
                self.count.end(Err(&error));
                return Err(error);
            }
        };
        let first = Bytes::from(writer.begin());
        let text = Text::new(&self.request);
        let live = Live { asked: self, writer, events, text, is_over: false };
        let rest = stream::unfold(live, |mut live| async move {
            let bytes = live.next().await?;
            Some((bytes, live))
        });
        let frames = stream::iter([first]).chain(rest);
        Ok(frames.filter(|it| std::future::ready(!it.is_empty())).map(Ok))
    }

    async fn ask(&mut self) -> Result<Answer, ClientError> {
        let mut events = self.start().await?;
        let mut text = Text::new(&self.request);
        while let Some(event) = events.next().await {
            match event? {
                ChatEvent::Delta(delta) => {
                    self.count.saw_text();
                    if text.push(&delta).1 {
                        return self.finish(&text, FinishReason::Stop, Usage::default());
                    }
                }
                ChatEvent::Done { finish, usage } => return self.finish(&text, finish, usage),
            }
        }
        Err(cut_off(&*self.count.gateway.backend))
    }

    /// JSON is validated, and repaired once.
    async fn ask_json(&mut self) -> Result<Answer, ClientError> {
        let backend = Arc::clone(&self.count.gateway.backend);
        let request = self.chat_request(&*backend)?;
        match structured::ask(&*backend, request, Ok, &|_| {}).await {
            Ok(answer) => Ok(Answer {
                content: Content::Text(answer.value.to_string()),
                finish: FinishReason::Stop,
                usage: answer.usage,
            }),
            Err(StructuredError::Backend(error)) => Err(error.into()),
            Err(error @ StructuredError::Schema(_)) => Err(ClientError::invalid(error.to_string())),
            Err(error @ StructuredError::Invalid { .. }) => {
                Err(ClientError::Failed { message: error.to_string() })
            }
        }
    }

    fn finish(
        &self,
        text: &Text,
        finish: FinishReason,
        mut usage: Usage,
    ) -> Result<Answer, ClientError> {
        let backend = &self.count.gateway.backend;
        let whole = text.whole();
        if whole.trim().is_empty() && finish == FinishReason::Stop && !text.has_ended {
            let model = backend.info().model.clone();
            return Err(BackendError::EmptyAnswer { model }.into());
        }
        if text.has_ended {
            // The model was stopped, and did not come to say what it took.
            usage.prompt_tokens = prompt_tokens(&**backend, &self.request);
            usage.completion_tokens = backend.count_tokens(&whole);
        }
        Ok(Answer { content: tools::read(&self.request.form, &whole)?, finish, usage })
    }

    /// Starts the model. A prompt that leaves less room than was asked for gets a shorter answer,
    /// which says so when it ends; one that leaves none is refused.
    async fn start(&self) -> Result<ChatStream, ClientError> {
        let backend = &self.count.gateway.backend;
        let request = self.chat_request(&**backend)?;
        match backend.stream(request.clone()).await {
            Err(BackendError::ContextOverflow { prompt_tokens, limit, .. })
                if prompt_tokens < limit =>
            {
                let max_tokens = limit - prompt_tokens;
                Ok(backend.stream(ChatRequest { max_tokens, ..request }).await?)
            }
            started => Ok(started?),
        }
    }

    fn chat_request(&self, backend: &dyn Backend) -> Result<ChatRequest, ClientError> {
        let ClientRequest { messages, form, sampling, max_tokens, .. } = &self.request;
        let prompt_tokens = prompt_tokens(backend, &self.request);
        let limit = backend.info().context_tokens;
        let model = || backend.info().model.clone();
        let room = limit.checked_sub(prompt_tokens).filter(|it| *it > 0);
        let room =
            room.ok_or_else(|| ClientError::TooLong { model: model(), prompt_tokens, limit })?;
        Ok(ChatRequest {
            messages: tools::instruct(messages, form),
            response_schema: tools::schema(form),
            sampling: sampling.clone(),
            max_tokens: max_tokens.unwrap_or(ANSWER_TOKENS).min(ANSWER_TOKENS).min(room),
            deadline: self.count.begun + self.count.gateway.timeout,
        })
    }
}

impl Count {
    fn begin(gateway: Arc<Gateway>, endpoint: &'static str) -> Self {
        gateway.metrics.begun();
        Self { gateway, endpoint, begun: Instant::now(), has_text: false, status: 499 }
    }

    fn saw_text(&mut self) {
        if !self.has_text {
            self.has_text = true;
            self.gateway.metrics.first_text(self.begun.elapsed());
        }
    }

    fn end(&mut self, usage: Result<Usage, &ClientError>) {
        self.status = match usage {
            Ok(usage) => {
                self.gateway.metrics.used(&usage);
                200
            }
            Err(error) => error.status(),
        };
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        let took: Duration = self.begun.elapsed();
        self.gateway.metrics.ended(self.endpoint, self.status, took);
    }
}

/// A stream that is under way.
struct Live {
    asked: Asked,
    writer: Box<dyn Writer>,
    events: ChatStream,
    text: Text,
    is_over: bool,
}

impl Live {
    /// The next bytes for the client, if only none at all; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        Some(match self.events.next().await {
            Some(Ok(ChatEvent::Delta(delta))) => {
                self.asked.count.saw_text();
                let (shown, has_ended) = self.text.push(&delta);
                let mut bytes = self.show(&shown);
                if has_ended {
                    bytes.extend(self.end(FinishReason::Stop, Usage::default()));
                }
                bytes.into()
            }
            Some(Ok(ChatEvent::Done { finish, usage })) => {
                let rest = self.text.rest();
                let mut bytes = self.show(&rest);
                bytes.extend(self.end(finish, usage));
                bytes.into()
            }
            Some(Err(error)) => self.fail(&error.into()).into(),
            None => self.fail(&cut_off(&*self.asked.count.gateway.backend)).into(),
        })
    }

    /// A tool call is shown when it is whole.
    fn show(&mut self, text: &str) -> Vec<u8> {
        let is_call = matches!(self.asked.request.form, AnswerForm::Tools { .. });
        if text.is_empty() || is_call { Vec::new() } else { self.writer.text(text) }
    }

    fn end(&mut self, finish: FinishReason, usage: Usage) -> Vec<u8> {
        match self.asked.finish(&self.text, finish, usage) {
            Ok(answer) => {
                self.is_over = true;
                self.asked.count.end(Ok(answer.usage));
                let is_tools = matches!(self.asked.request.form, AnswerForm::Tools { .. });
                let mut bytes = match &answer.content {
                    Content::Text(reply) if is_tools => self.writer.text(reply),
                    Content::Text(_) | Content::ToolCall { .. } => Vec::new(),
                };
                bytes.extend(self.writer.end(&answer));
                bytes
            }
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &ClientError) -> Vec<u8> {
        self.is_over = true;
        self.asked.count.end(Err(error));
        self.writer.error(error)
    }
}

/// The answer so far, and what may not be shown yet because it may begin a text that ends it.
#[derive(Debug, Default)]
struct Text {
    shown: String,
    held: String,
    stop: Vec<String>,
    has_ended: bool,
}

impl Text {
    fn new(request: &ClientRequest) -> Self {
        let stop = request.stop.iter().filter(|it| !it.is_empty()).cloned().collect();
        Self { stop, ..Self::default() }
    }

    /// Takes more text; what can be shown now, and whether the answer ends here.
    fn push(&mut self, delta: &str) -> (String, bool) {
        self.held.push_str(delta);
        let end = self.stop.iter().filter_map(|it| self.held.find(it.as_str())).min();
        self.has_ended = end.is_some();
        let show = end.unwrap_or_else(|| self.held.len() - self.half_of_a_stop());
        let rest = self.held.split_off(show);
        let shown =
            std::mem::replace(&mut self.held, if end.is_some() { String::new() } else { rest });
        self.shown.push_str(&shown);
        (shown, self.has_ended)
    }

    /// What was held back for nothing.
    fn rest(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        self.shown.push_str(&rest);
        rest
    }

    fn whole(&self) -> String {
        format!("{}{}", self.shown, self.held)
    }

    /// How many bytes at the end begin one of the texts that end the answer.
    fn half_of_a_stop(&self) -> usize {
        let starts = self.stop.iter().flat_map(|stop| {
            stop.char_indices().skip(1).map(|(at, _)| stop.get(..at).unwrap_or_default())
        });
        starts.filter(|it| self.held.ends_with(it)).map(str::len).max().unwrap_or(0)
    }
}

fn cut_off(backend: &dyn Backend) -> ClientError {
    let model = backend.info().model.clone();
    BackendError::Broken { model, reason: "the stream ended before the answer did".into() }.into()
}

#[cfg(test)]
mod tests;
