//! One question to a model, as all workflows ask it.
//!
//! A question has two schemas: what a model that can be held to one is held to, and what is taken
//! from those that cannot. The first bounds every list and text, because a small model does not
//! stop by itself; the second is only the shape, because a large one may say more than was asked
//! for. Start at [`Asking`].

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_knowledge::index::IndexError;
use tm_llm::{
    backend::{Backend, BackendError, complete},
    chat::{ChatRequest, Message, Sampling, Usage},
    structured::{Answer, StructuredError, ask_accepting},
};

use crate::{
    escalation::{Escalation, Grades},
    event::{Event, Observer},
    language::asked_in,
    prompts::{ASKING_SYSTEM, PromptError, Prompts},
    research::Documents,
};

/// Who is asked, in which language, for how long, and who watches.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub backend: &'a dyn Backend,
    /// The language of all texts, such as `English`.
    pub language: &'a str,
    /// What is asked.
    pub prompts: &'a Prompts,
    /// Each question is answered within this.
    pub timeout: Duration,
    pub observer: Observer<'a>,
    /// Where what a task is about is looked up; none where the user did not ask for that.
    pub documents: Option<&'a Documents>,
    /// What tasks are to reach, where the user said so.
    pub escalation: Option<&'a Escalation>,
}

/// A question whose answer is an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub text: String,
    /// What a model is held to.
    pub schema: Value,
    /// What is taken.
    pub accepted: Value,
    pub temperature: f32,
    pub max_tokens: u32,
}

/// What the answers to several questions took.
#[derive(Debug, Default)]
pub struct Spent(Mutex<Usage>);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Object(#[from] StructuredError),
    #[error(transparent)]
    Text(#[from] BackendError),
    #[error(transparent)]
    Documents(#[from] IndexError),
    #[error(transparent)]
    Prompt(#[from] PromptError),
}

impl Question {
    /// The same, to be answered better than it was, whose `fault` is told.
    pub(crate) fn once_more(self, fault: &str) -> Self {
        let text = format!("{}\n\nDo better than an earlier answer: {fault}.", self.text);
        Self { text, temperature: self.temperature.max(0.6), ..self }
    }
}

/// What a laptop reads in some seconds.
const FEW_TOKENS: u32 = 900;

/// What a large model takes in without losing the question.
const MANY_TOKENS: u32 = 6000;

impl Asking<'_> {
    /// Asks until the answer has the accepted shape and `read` takes it: twice at most.
    pub async fn object<T>(
        &self,
        question: Question,
        spent: &Spent,
        read: impl Fn(Value) -> Result<T, String>,
    ) -> Result<Answer<T>, AskError> {
        let mut request = self.request(&question.text, question.max_tokens, "JSON")?;
        request.response_schema = Some(question.schema);
        request.sampling.temperature = question.temperature;
        let on_text = |_: &str| (self.observer)(Event::Tokens { count: 1 });
        let answer =
            ask_accepting(self.backend, request, &question.accepted, read, &on_text).await?;
        spent.add(answer.usage);
        Ok(answer)
    }

    /// Asks as [`Self::object`] does, and has what is below the minimum written again by whoever may
    /// do better. `what` is what the answer is called.
    pub(crate) async fn best<T>(
        &self,
        (what, question): (&str, Question),
        spent: &Spent,
        read: impl Fn(Value) -> Result<T, String>,
        grades: impl Fn(&T) -> Grades,
    ) -> Result<Answer<T>, AskError> {
        let again = question.clone();
        let mut answers = [self.object(question, spent, &read).await?];
        if let Some(escalation) = self.escalation {
            let ask = async |backend: &dyn Backend, _: usize, fault: &'static str| {
                let question = again.clone().once_more(fault);
                let answer = Asking { backend, ..*self }.object(question, spent, &read).await?;
                Ok::<_, AskError>(Answer { repaired: Some(fault.to_owned()), ..answer })
            };
            let of = |it: &Answer<T>| grades(&it.value);
            escalation.improve((self.backend, self.observer), &mut answers, of, ask).await;
            escalation.settle(what, &of(&answers[0]));
        }
        let [answer] = answers;
        Ok(answer)
    }

    /// What each task is to reach, in percent.
    pub(crate) fn minimum(&self) -> Option<u8> {
        self.escalation.map(|it| it.minimum)
    }

    /// Asks for a text.
    pub async fn text(
        &self,
        question: String,
        max_tokens: u32,
        spent: &Spent,
    ) -> Result<String, AskError> {
        self.text_drawn((question, &[]), max_tokens, Sampling::default(), spent).await
    }

    /// Asks for a text whose words are chosen this way. What was said after the question is the model's
    /// and ours, in turns.
    pub async fn text_drawn(
        &self,
        (question, since): (String, &[Message]),
        max_tokens: u32,
        sampling: Sampling,
        spent: &Spent,
    ) -> Result<String, AskError> {
        let mut request = self.request(&question, max_tokens, "text")?;
        request.messages.extend_from_slice(since);
        let request = ChatRequest { sampling, ..request };
        let on_text = |_: &str| (self.observer)(Event::Tokens { count: 1 });
        let completion = complete(self.backend, request, &on_text).await?;
        spent.add(completion.usage);
        Ok(completion.text.trim().to_owned())
    }

    /// How many questions the backend works on together.
    pub fn parallel(&self) -> usize {
        usize::try_from(self.backend.info().parallel).unwrap_or(1).max(1)
    }

    /// How many tokens a question may spend on what is only context.
    pub fn context_tokens(&self) -> u32 {
        let info = self.backend.info();
        let most = if info.whole_answers { MANY_TOKENS } else { FEW_TOKENS };
        most.min(info.context_tokens / 4)
    }

    fn request(
        &self,
        question: &str,
        max_tokens: u32,
        form: &str,
    ) -> Result<ChatRequest, PromptError> {
        let variables = json!({"language": self.language, "form": form});
        let system = self.prompts.render(ASKING_SYSTEM, variables)?;
        Ok(ChatRequest {
            messages: vec![
                Message::system(system),
                Message::user(asked_in(self.language, question)),
            ],
            response_schema: None,
            sampling: Sampling::default(),
            max_tokens,
            deadline: Instant::now() + self.timeout,
        })
    }
}

impl std::fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").field("backend", self.backend.info()).finish_non_exhaustive()
    }
}

impl Spent {
    pub(crate) fn add(&self, usage: Usage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += usage;
    }

    /// All answers together.
    pub fn usage(&self) -> Usage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The schema of an object with exactly these properties.
pub fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(|it| it.keys()).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

/// The schema of a text of at least `shortest` and at most `longest` characters.
pub fn text(shortest: usize, longest: usize) -> Value {
    json!({"type": "string", "minLength": shortest, "maxLength": longest})
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
