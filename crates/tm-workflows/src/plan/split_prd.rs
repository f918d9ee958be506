//! `prd split`: a requirements document of any size becomes a tree of pieces of work.
//!
//! Code divides along headings down to pieces of a few requirements; the model names those, says
//! whether each is one piece of work, and at which of a few places to cut it if not. A question is
//! about one piece: it holds that piece's requirements and the titles above it, and nothing else of
//! the document. So no document is too long, and the answer to a question is of use as long as the
//! piece stays as it is. Start at [`split_prd`].

use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tm_llm::{
    chat::{ChatRequest, Message, Sampling, Usage},
    structured::{StructuredError, ask},
};
use tm_tasks::{
    digest::sha256_hex,
    plan::tree::{
        Made, Source, Tree,
        division::Division,
        growth::{Growth, Piece},
    },
    prd::{Origin, Prd, PrdError},
};

use crate::{
    asking::{Asking, Spent},
    event::Event,
    language::asked_in,
    prompts::{PromptError, SPLIT_PRD_NODE, SPLIT_PRD_SYSTEM},
};

use question::{Question, Said};

mod question;

/// What is to be divided, and how.
#[derive(Debug, Clone)]
pub struct SplitPrd {
    /// The document as it was read.
    pub document: Vec<u8>,
    /// What it is called in the tree.
    pub path: String,
    /// The program and its version.
    pub tool: String,
    pub seed: u64,
    /// How many questions may be asked; what nobody was asked about is a leaf that says so.
    pub budget: usize,
    /// All the model's work together ends after this.
    pub timeout: Duration,
    /// Where answers are kept; `None` keeps nothing.
    pub kept: Option<PathBuf>,
}

/// A tree, and what it took.
#[derive(Debug, Clone)]
pub struct Split {
    pub tree: Tree,
    /// How many of its questions were answered before.
    pub kept: usize,
    /// What the model did in this run.
    pub usage: Usage,
}

/// Why there is no tree.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error(transparent)]
    Document(#[from] PrdError),
    #[error("piece {id} of the document: {source}")]
    Piece { id: String, source: StructuredError },
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error("answers cannot be kept in {}", path.display())]
    Keep { path: PathBuf, source: std::io::Error },
}

/// Divides the document; without a model, as far as that goes.
///
/// Interrupted at any point (the future dropped, the process killed), the answers so far are in
/// `request.kept`, and a second call with the same request makes the same tree.
///
/// # Errors
/// [`SplitError`]; nothing is invented when the model fails.
pub async fn split_prd(
    asking: Option<Asking<'_>>,
    request: &SplitPrd,
) -> Result<Split, SplitError> {
    let (text, prd) = Prd::from_bytes(&request.document)?;
    let division = Division::new(&prd);
    let mut growth = Growth::new(&division);
    let mut session = None;
    if let Some(asking) = asking {
        (asking.observer)(Event::DocumentRead {
            title: prd.title.clone(),
            characters: text.chars().count(),
            requirements: division.whole().len(),
        });
        session = Some(Session::new(asking, request, &division)?);
    }
    while !growth.level().is_empty() {
        let answers = match &mut session {
            Some(session) => session.answers(&growth).await?,
            None => Vec::new(),
        };
        let choices = growth.level().iter().zip(answers);
        let answers = choices.map(|(piece, said)| said.map(|it| it.answer(&piece.range))).collect();
        growth.advance(answers);
    }
    let document = Source {
        path: request.path.clone(),
        title: prd.title.clone(),
        bytes: request.document.len(),
        sha256: sha256_hex(&request.document),
    };
    let made = made(request, session.as_ref());
    let tree = growth.finish(&Origin::of(&request.document), document, made);
    let (kept, usage) = session.map(|it| (it.kept, it.spent.usage())).unwrap_or_default();
    Ok(Split { tree, kept, usage })
}

fn made(request: &SplitPrd, session: Option<&Session<'_>>) -> Made {
    let asking = session.map(|it| it.asking);
    Made {
        tool: request.tool.clone(),
        model: asking.map(|it| it.backend.info().model.clone()),
        prompts: asking
            .map(|it| it.prompts.version_of(&[SPLIT_PRD_SYSTEM, SPLIT_PRD_NODE]))
            .unwrap_or_default(),
        language: asking.map(|it| it.language.to_owned()).unwrap_or_default(),
        seed: request.seed,
        budget: request.budget,
        questions: session.map_or(0, |it| it.asked),
    }
}

/// What all questions about one document share.
struct Session<'a> {
    asking: Asking<'a>,
    request: &'a SplitPrd,
    division: &'a Division<'a>,
    system: String,
    deadline: Instant,
    spent: Spent,
    /// How many questions the tree needed so far, and how many of them were answered before.
    asked: usize,
    kept: usize,
}

/// A question that is yet to be answered.
struct Open {
    key: String,
    piece: String,
    question: Question,
}

impl<'a> Session<'a> {
    fn new(
        asking: Asking<'a>,
        request: &'a SplitPrd,
        division: &'a Division<'a>,
    ) -> Result<Self, SplitError> {
        if let Some(folder) = &request.kept {
            std::fs::create_dir_all(folder)
                .map_err(|source| SplitError::Keep { path: folder.clone(), source })?;
        }
        Ok(Self {
            asking,
            request,
            division,
            system: asking
                .prompts
                .render(SPLIT_PRD_SYSTEM, json!({"language": asking.language}))?,
            deadline: Instant::now() + request.timeout,
            spent: Spent::default(),
            asked: 0,
            kept: 0,
        })
    }

    /// An answer for each piece of the level, where one is wanted and the budget allows it.
    ///
    /// Equal questions are one, whatever a model would have said the second time: the same
    /// document must have the same tree.
    async fn answers(&mut self, growth: &Growth<'_>) -> Result<Vec<Option<Said>>, SplitError> {
        let mut keys: Vec<Option<String>> = Vec::with_capacity(growth.level().len());
        let mut known: HashMap<String, Option<Said>> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        for piece in growth.level() {
            let Some(question) = self.question(piece, growth)? else {
                keys.push(None);
                continue;
            };
            let key = self.key(&question);
            keys.push(Some(key.clone()));
            if known.contains_key(&key) || self.asked >= self.request.budget {
                continue;
            }
            self.asked += 1;
            let said = self.kept_answer(&key, &question);
            self.kept += usize::from(said.is_some());
            if said.is_none() {
                open.push(Open { key: key.clone(), piece: piece.id(), question });
            }
            known.insert(key, said);
        }
        let asked: Vec<(String, Said)> = self.ask_all(open).await?;
        known.extend(asked.into_iter().map(|(key, said)| (key, Some(said))));
        let answer = |key: Option<String>| key.and_then(|it| known.get(&it).cloned().flatten());
        Ok(keys.into_iter().map(answer).collect())
    }

    fn question(
        &self,
        piece: &Piece,
        growth: &Growth<'_>,
    ) -> Result<Option<Question>, PromptError> {
        Question::new(piece, &growth.choices(piece), self.division, self.asking.prompts)
    }

    /// Asks as many at once as the backend works on, and keeps each answer as it comes.
    async fn ask_all(&self, open: Vec<Open>) -> Result<Vec<(String, Said)>, SplitError> {
        if !open.is_empty() {
            // All that were asked, so that the count goes on from level to level.
            (self.asking.observer)(Event::Began { things: self.asked - self.kept });
        }
        let ask = |open: Open| async move {
            let said = self.ask(&open).await?;
            self.keep(&open.key, &said)?;
            let what = format!("{:<9}  {}", open.piece, said.title);
            (self.asking.observer)(Event::StepDone { what, note: None });
            Ok((open.key, said))
        };
        let parallel = self.asking.parallel();
        stream::iter(open).map(ask).buffer_unordered(parallel).try_collect().await
    }

    async fn ask(&self, open: &Open) -> Result<Said, SplitError> {
        let request = ChatRequest {
            messages: vec![
                Message::system(&self.system),
                Message::user(asked_in(self.asking.language, &open.question.text)),
            ],
            response_schema: Some(open.question.schema.clone()),
            sampling: Sampling { seed: self.request.seed, ..Sampling::default() },
            max_tokens: question::ANSWER_TOKENS,
            deadline: self.deadline,
        };
        let on_text = |_: &str| (self.asking.observer)(Event::Tokens { count: 1 });
        let answer = ask(self.asking.backend, request, |it| open.question.read(it), &on_text)
            .await
            .map_err(|source| SplitError::Piece { id: open.piece.clone(), source })?;
        self.spent.add(answer.usage);
        Ok(answer.value)
    }

    /// What an answer is to: anything else would be the answer to another question.
    fn key(&self, question: &Question) -> String {
        let model = &self.asking.backend.info().model;
        let schema = question.schema.to_string();
        let seed = self.request.seed.to_string();
        let asked = [model, &seed, &self.system, &question.text, &schema].map(String::as_str);
        sha256_hex(asked.join("\0").as_bytes())
    }

    fn kept_answer(&self, key: &str, question: &Question) -> Option<Said> {
        let folder = self.request.kept.as_ref()?;
        let value = super::kept::read(&folder.join(format!("{key}.json")))?;
        // What lies on a disk is no better than what a model says.
        question.read(value).ok()
    }

    fn keep(&self, key: &str, said: &Said) -> Result<(), SplitError> {
        let Some(folder) = &self.request.kept else { return Ok(()) };
        let file = folder.join(format!("{key}.json"));
        super::kept::write(&file, said)
            .map_err(|source| SplitError::Keep { path: file.clone(), source })
    }
}

#[cfg(test)]
mod tests;
