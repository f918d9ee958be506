//! `research`: a question about the project, answered in prose.
//!
//! Where documents say something about it, the answer comes out of them, with citations
//! ([`cited`]). Else the model is told what belongs to the question (tasks, files, the user's own
//! words), and the answer says that it rests on nothing else. Start at [`research`]; [`sources`]
//! reads what is told, [`session`] keeps what was answered.

use std::time::Instant;

use serde_json::{Value, json};
use tm_llm::{
    backend::{BackendError, complete},
    chat::{ChatRequest, Message, Sampling, Usage},
};
use tm_tasks::{id::TaskId, task::Task};

use self::{cited::Cited, library::Library, session::Exchange, sources::SourceFile};
use crate::{
    asking::{AskError, Asking},
    context::{Told, Topic, gather},
    event::Event,
    language::asked_in,
    prompts::{RESEARCH_QUESTION, RESEARCH_SYSTEM},
};

mod answers;
pub mod cited;
pub mod claims;
pub(crate) mod finding;
pub mod library;
pub(crate) mod looked_up;
mod nearest;
pub(crate) mod passages;
pub mod session;
pub mod sources;

/// A question and what belongs to it.
#[derive(Debug, Clone, Default)]
pub struct Research {
    pub query: String,
    /// Tasks and subtasks to tell in full.
    pub named: Vec<TaskId>,
    pub files: Vec<SourceFile>,
    /// What the user has to say about it.
    pub custom: Option<String>,
    /// The files of the project as [`sources::tree`] lists them.
    pub tree: Option<String>,
    pub detail: Detail,
    /// What was asked and answered before, the oldest first.
    pub earlier: Vec<Exchange>,
    pub documents: Documents,
}

/// What an answer may come from.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    pub libraries: Vec<Library>,
    /// When they say nothing, that is the answer, and the model is not asked what it believes.
    pub abstains: bool,
}

/// How long an answer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    Low,
    #[default]
    Medium,
    High,
}

/// An answer, and what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Researched {
    pub answer: String,
    pub told: Breakdown,
    pub usage: Usage,
    /// What was found in the documents; none when there were none to look in.
    pub cited: Option<Cited>,
}

/// What a part of the question takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    pub tokens: u32,
    pub characters: usize,
}

/// What the model was told, part by part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breakdown {
    pub custom: Option<Size>,
    pub tasks: Vec<Told>,
    /// Tasks that were named and had no room.
    pub left_out: Vec<TaskId>,
    /// Each file by its path.
    pub files: Vec<(String, Size)>,
    pub tree: Option<Size>,
    pub system: Size,
    /// The question with all that belongs to it.
    pub user: Size,
}

/// A text that is no level of detail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a level of detail: use low, medium or high")]
pub struct UnknownDetail {
    pub text: String,
}

/// What is said when there was nothing to look in.
const NO_DOCUMENTS: &str = "*No document was consulted: this answer rests on the model and on what \
                            it was told about the project.*";

/// What is said when the documents were of no help.
const NOTHING_FOUND: &str = "*The documents say nothing about this: the answer rests on the model \
                             and on what it was told about the project.*";

/// What is answered when nobody shall guess.
const NOT_KNOWN: &str = "Not in the knowledge base: no document was found to answer this.";

/// What follows it, so that a reader can see whether that is so.
const NEAREST: &str = "What comes nearest:";

/// Asks, and tells each piece of the answer as [`Event::Text`].
///
/// # Errors
/// [`AskError`]: what keeps the model from answering, or how much too long the question is. What
/// is named is never left out to make it shorter.
pub async fn research(
    asking: Asking<'_>,
    tasks: &[Task],
    request: &Research,
) -> Result<Researched, AskError> {
    let mut question = Question::new(&asking, tasks, request)?;
    let tell = |text: &str| (asking.observer)(Event::Text { text: text.to_owned() });
    if request.documents.libraries.is_empty() {
        return alone(asking, request, question, (None, NO_DOCUMENTS)).await;
    }
    let (text, cited, usage) = cited::answer(asking, request, &question.background).await?;
    let answer = match text {
        Some(answer) => answer,
        None if request.documents.abstains && !request.brings_its_own() => not_known(&cited),
        None => {
            let mut researched =
                alone(asking, request, question, (Some(cited), NOTHING_FOUND)).await?;
            researched.usage += usage;
            return Ok(researched);
        }
    };
    tell(&answer);
    // Files were searched and not told; the questions together are what was told.
    question.told.files.clear();
    question.told.tree = None;
    question.told.user.tokens = usage.prompt_tokens;
    Ok(Researched { answer, told: question.told, usage, cited: Some(cited) })
}

/// That nothing answers the question, and what comes nearest.
fn not_known(cited: &Cited) -> String {
    let nearest: Vec<String> =
        cited.nearest.iter().map(|it| format!("- {}", it.quoted())).collect();
    if nearest.is_empty() {
        return NOT_KNOWN.to_owned();
    }
    format!("{NOT_KNOWN} {NEAREST}\n\n{}", nearest.join("\n"))
}

/// Asks the model with nothing but what it is told, and says so.
async fn alone(
    asking: Asking<'_>,
    request: &Research,
    question: Question,
    (cited, notice): (Option<Cited>, &str),
) -> Result<Researched, AskError> {
    question.check(&asking, request)?;
    let chat = ChatRequest {
        messages: question.messages,
        response_schema: None,
        sampling: Sampling { temperature: 0.3, ..Sampling::default() },
        max_tokens: request.detail.tokens(&asking),
        deadline: Instant::now() + asking.timeout,
    };
    let on_text = |text: &str| (asking.observer)(Event::Text { text: text.to_owned() });
    let completion = complete(asking.backend, chat, &on_text).await?;
    let notice = format!("\n\n{notice}");
    on_text(&notice);
    Ok(Researched {
        answer: completion.text.trim().to_owned() + &notice,
        told: question.told,
        usage: completion.usage,
        cited,
    })
}

impl Research {
    /// Whether something was named that the model may answer from.
    fn brings_its_own(&self) -> bool {
        !self.files.is_empty()
            || !self.named.is_empty()
            || self.custom.is_some()
            || self.tree.is_some()
    }
}

struct Question {
    messages: Vec<Message>,
    told: Breakdown,
    /// What is told beside files.
    background: String,
}

impl Question {
    fn new(asking: &Asking<'_>, tasks: &[Task], request: &Research) -> Result<Self, AskError> {
        let size = |text: &str| Size {
            tokens: asking.backend.count_tokens(text),
            characters: text.chars().count(),
        };
        let context = gather(
            asking.backend,
            tasks,
            Topic {
                words: &request.query,
                named: &request.named,
                shown: None,
                tokens_max: asking.context_tokens(),
            },
        );
        let files: Vec<Value> =
            request.files.iter().map(|it| json!({"path": it.path, "text": it.text})).collect();
        let user = asking.prompts.render(
            RESEARCH_QUESTION,
            json!({
                "query": request.query.trim(),
                "custom": request.custom,
                "files": files,
                "tree": request.tree,
                "tasks": context.text,
            }),
        )?;
        let system = asking.prompts.render(
            RESEARCH_SYSTEM,
            json!({"language": asking.language, "length": request.detail.length()}),
        )?;
        let told = Breakdown {
            custom: request.custom.as_deref().map(size),
            tasks: context.tasks.clone(),
            left_out: context.left_out.clone(),
            files: request.files.iter().map(|it| (it.path.clone(), size(&it.text))).collect(),
            tree: request.tree.as_deref().map(size),
            system: size(&system),
            user: size(&user),
        };
        let mut messages = vec![Message::system(system)];
        for exchange in &request.earlier {
            messages.push(Message::user(&exchange.query));
            messages.push(Message::assistant(&exchange.answer));
        }
        messages.push(Message::user(asked_in(asking.language, &user)));
        let custom = request.custom.iter().map(String::as_str);
        let background: Vec<&str> =
            custom.chain([context.text.as_str()]).filter(|it| !it.trim().is_empty()).collect();
        Ok(Self { messages, told, background: background.join("\n\n") })
    }

    /// Servers cut what is too long, and say nothing about it.
    fn check(&self, asking: &Asking<'_>, request: &Research) -> Result<(), BackendError> {
        let info = asking.backend.info();
        let count = |it: &Message| asking.backend.count_tokens(&it.content);
        let prompt_tokens: u32 = self.messages.iter().map(count).sum();
        let answer_tokens = request.detail.tokens(asking);
        if prompt_tokens.saturating_add(answer_tokens) <= info.context_tokens {
            return Ok(());
        }
        Err(BackendError::ContextOverflow {
            model: info.model.clone(),
            prompt_tokens,
            // Who counts is known to the backend.
            is_estimate: true,
            answer_tokens,
            limit: info.context_tokens,
        })
    }
}

impl Detail {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// What the model is told about it.
    fn length(self) -> &'static str {
        match self {
            Self::Low => "You answer in one short paragraph.",
            Self::Medium => "You answer in a few short paragraphs or lists.",
            Self::High => {
                "You answer in detail: what to do and how, what else could be done, and what \
                 speaks for and against it."
            }
        }
    }

    /// How many tokens an answer may take, half of what the model can hold at most.
    fn tokens(self, asking: &Asking<'_>) -> u32 {
        let tokens = match self {
            Self::Low => 400,
            Self::Medium => 1000,
            Self::High => 2400,
        };
        tokens.min(asking.backend.info().context_tokens / 2)
    }
}

impl std::str::FromStr for Detail {
    type Err = UnknownDetail;

    fn from_str(text: &str) -> Result<Self, UnknownDetail> {
        let all = [Self::Low, Self::Medium, Self::High];
        let found = all.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| UnknownDetail { text: text.to_owned() })
    }
}

impl Breakdown {
    /// All that was told beside the question.
    pub fn context(&self) -> Size {
        let tasks = self.tasks.iter();
        let tasks = tasks.map(|it| Size { tokens: it.tokens, characters: it.characters });
        let files = self.files.iter().map(|it| it.1);
        let parts = tasks.chain(files).chain(self.custom).chain(self.tree);
        parts.fold(Size::default(), |all, it| Size {
            tokens: all.tokens + it.tokens,
            characters: all.characters + it.characters,
        })
    }

    /// The parts as JSON, with the names that tools give them.
    pub fn to_json(&self) -> Value {
        let size = |it: Size| json!({"tokens": it.tokens, "characters": it.characters});
        let task = |it: &Told| {
            let mut told = json!({
                "id": it.id.to_string(),
                "type": if it.id.is_subtask() { "subtask" } else { "task" },
                "title": it.title,
                "tokens": it.tokens,
                "characters": it.characters,
            });
            if let (Some(title), Some(members)) = (&it.parent_title, told.as_object_mut()) {
                members.insert("parentTitle".to_owned(), json!(title));
            }
            told
        };
        let file = |(path, size): &(String, Size)| json!({"path": path, "tokens": size.tokens, "characters": size.characters});
        json!({
            "total": self.context().tokens,
            "customContext": self.custom.map(size),
            "tasks": self.tasks.iter().map(task).collect::<Vec<_>>(),
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "projectTree": self.tree.map(size),
        })
    }
}

#[cfg(test)]
mod tests;
