//! A model that plays a script.
//!
//! It answers what the test wrote, in order or as a function of the request, and can fail in every
//! way a backend can: refuse, break off mid-answer, answer with nothing, never finish.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    chat::{ChatEvent, ChatRequest, FinishReason, Usage},
    embed::{EmbedRequest, Embeddings},
};

/// One answer to one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The whole text.
    Text(String),
    /// The whole text in pieces.
    Pieces(Vec<String>),
    /// This text, cut by the length limit.
    Cut(String),
    /// This text, then the backend breaks.
    Broken(String),
    /// Some tokens too many for the model.
    Overflow,
    /// Never a word.
    Stall,
}

type Script = Box<dyn FnMut(&ChatRequest) -> Reply + Send>;
type Vectors = Box<dyn Fn(&str) -> Option<Vec<f32>> + Send + Sync>;

/// A backend whose answers a test wrote.
pub struct ScriptedModel {
    info: ModelInfo,
    script: Mutex<Script>,
    seen: Mutex<Vec<ChatRequest>>,
    continues: bool,
    vectors: Option<Vectors>,
}

impl std::fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedModel").field("info", &self.info).finish_non_exhaustive()
    }
}

impl ScriptedModel {
    /// Answers each request with what `script` makes of it.
    pub fn new(script: impl FnMut(&ChatRequest) -> Reply + Send + 'static) -> Self {
        let info = ModelInfo {
            provider: "scripted".into(),
            model: "script".into(),
            context_tokens: 8192,
            parallel: 4,
            whole_answers: false,
        };
        Self {
            info,
            script: Mutex::new(Box::new(script)),
            seen: Mutex::default(),
            continues: false,
            vectors: None,
        }
    }

    /// Plays `replies` in order; breaks when they are used up.
    pub fn playing(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        Self::new(move |_| replies.pop().unwrap_or(Reply::Broken(String::new())))
    }

    /// The same model with another context size, in tokens.
    #[must_use]
    pub fn with_context(mut self, tokens: u32) -> Self {
        self.info.context_tokens = tokens;
        self
    }

    /// The same model, which goes on from the middle of an answer. The script sees that the last
    /// message is its own.
    #[must_use]
    pub fn continuing(mut self) -> Self {
        self.continues = true;
        self
    }

    /// The same model, which makes these vectors of texts, and breaks where there is none.
    #[must_use]
    pub fn with_vectors(
        mut self,
        vectors: impl Fn(&str) -> Option<Vec<f32>> + Send + Sync + 'static,
    ) -> Self {
        self.vectors = Some(Box::new(vectors));
        self
    }

    /// The same model, trusted with whole answers.
    #[must_use]
    pub fn with_whole_answers(mut self) -> Self {
        self.info.whole_answers = true;
        self
    }

    /// Every request so far, in order of arrival.
    pub fn seen(&self) -> Vec<ChatRequest> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn overflow(&self, prompt_tokens: u32, request: &ChatRequest) -> BackendError {
        BackendError::ContextOverflow {
            model: self.info.model.clone(),
            prompt_tokens,
            is_estimate: false,
            answer_tokens: request.max_tokens,
            limit: self.info.context_tokens,
        }
    }

    fn done(&self, request: &ChatRequest, text: &str, finish: FinishReason) -> ChatEvent {
        let prompt: u32 = request.messages.iter().map(|it| self.count_tokens(&it.content)).sum();
        let usage = Usage {
            prompt_tokens: prompt,
            completion_tokens: self.count_tokens(text),
            ..Usage::default()
        };
        ChatEvent::Done { finish, usage }
    }
}

#[async_trait]
impl Backend for ScriptedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn continues(&self) -> bool {
        self.continues
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let prompt: u32 = request.messages.iter().map(|it| self.count_tokens(&it.content)).sum();
        if prompt >= self.info.context_tokens {
            return Err(self.overflow(prompt, &request));
        }
        let reply = {
            let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
            script(&request)
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let model = self.info.model.clone();
        let events = match reply {
            Reply::Text(text) => {
                let done = self.done(&request, &text, FinishReason::Stop);
                vec![Ok(ChatEvent::Delta(text)), Ok(done)]
            }
            Reply::Pieces(pieces) => {
                let done = self.done(&request, &pieces.concat(), FinishReason::Stop);
                let pieces = pieces.into_iter().map(|it| Ok(ChatEvent::Delta(it)));
                pieces.chain([Ok(done)]).collect()
            }
            Reply::Cut(text) => {
                let done = self.done(&request, &text, FinishReason::Length);
                vec![Ok(ChatEvent::Delta(text)), Ok(done)]
            }
            Reply::Broken(text) => vec![
                Ok(ChatEvent::Delta(text)),
                Err(BackendError::Broken { model, reason: "the script says so".into() }),
            ],
            Reply::Overflow => return Err(self.overflow(self.info.context_tokens, &request)),
            Reply::Stall => return Ok(stream::pending().boxed()),
        };
        Ok(stream::iter(events).boxed())
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, BackendError> {
        let model = || self.info.model.clone();
        let vectors =
            self.vectors.as_ref().ok_or_else(|| BackendError::NoEmbeddings { model: model() })?;
        let broken =
            || BackendError::Broken { model: model(), reason: "the script says so".into() };
        let made = request.texts.iter().map(|it| vectors(it).ok_or_else(broken));
        Ok(Embeddings { vectors: made.collect::<Result<_, _>>()?, prompt_tokens: 1 })
    }
}
