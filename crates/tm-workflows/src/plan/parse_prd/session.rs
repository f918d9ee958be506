//! What all questions about one document share, and how they are asked.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use serde_json::{Value, json};
use tm_llm::{
    backend::Backend,
    chat::{ChatRequest, Message, Sampling, Usage},
    structured::{Answer, StructuredError, ask},
};
use tm_tasks::{
    plan::{alike, pieces::Piece},
    prd::Prd,
};

use super::{ParsePrd, ParsePrdError, background, titles, work::Work};
use crate::{
    event::{Event, Observer},
    language::{asked_in, is_in_another},
    prompts::{PARSE_PRD_DOCUMENT, PARSE_PRD_SYSTEM, Prompts},
};

/// What all questions about one document share.
pub(super) struct Session<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) prd: &'a Prd,
    pub(super) work: &'a Work,
    /// Those of the tasks that are written so far; held while one is looked for.
    pub(super) titles: tokio::sync::Mutex<Vec<String>>,
    pub(super) prompts: &'a Prompts,
    pub(super) language: &'a str,
    /// Whether the document is in another language.
    pub(super) is_translated: bool,
    pub(super) system: String,
    pub(super) document: String,
    pub(super) deadline: Instant,
    pub(super) observer: Observer<'a>,
    pub(super) usage: Mutex<Usage>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        backend: &'a dyn Backend,
        request: &'a ParsePrd,
        prd: &'a Prd,
        work: &'a Work,
        observer: Observer<'a>,
    ) -> Result<Self, ParsePrdError> {
        let document = background::fitting(backend, prd);
        let prompts = &request.prompts;
        Ok(Self {
            backend,
            prd,
            work,
            titles: tokio::sync::Mutex::default(),
            prompts,
            language: &request.language,
            is_translated: {
                let said: Vec<&str> = prd.units.iter().map(|it| it.text.as_str()).collect();
                is_in_another(&said.join("\n"), &request.language)
            },
            system: prompts.render(PARSE_PRD_SYSTEM, json!({"language": request.language}))?,
            document: prompts
                .render(PARSE_PRD_DOCUMENT, json!({"document": document.trim_end()}))?,
            deadline: Instant::now() + request.timeout,
            observer,
            usage: Mutex::default(),
        })
    }

    /// Asks about the document. Every question starts with the same words, so that a backend
    /// that keeps prefixes reads the document once.
    pub(super) async fn ask<T>(
        &self,
        question: &Question,
        read: impl Fn(Value) -> Result<T, String>,
    ) -> Result<Answer<T>, StructuredError> {
        let request = ChatRequest {
            messages: vec![
                Message::system(&self.system),
                Message::user(asked_in(
                    self.language,
                    &format!("{}\n\n{}", self.document, question.text),
                )),
            ],
            response_schema: Some(question.schema.clone()),
            sampling: question.sampling.clone(),
            max_tokens: question.max_tokens,
            deadline: self.deadline,
        };
        let on_text = |_: &str| (self.observer)(Event::Tokens { count: 1 });
        let answer = ask(self.backend, request, read, &on_text).await?;
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) += answer.usage;
        Ok(answer)
    }

    /// How many questions the backend works on together.
    pub(super) fn parallel(&self) -> usize {
        usize::try_from(self.backend.info().parallel).unwrap_or(1).max(1)
    }

    pub(super) fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A title that no other task has, in place of `title` if one has it.
    pub(super) async fn own_title(
        &self,
        index: usize,
        title: String,
    ) -> Result<String, ParsePrdError> {
        let mut titles = self.titles.lock().await;
        let is_taken = titles.iter().any(|it| alike(it, &title));
        let own = if is_taken { titles::another(self, index, &titles).await? } else { title };
        titles.push(own.clone());
        Ok(own)
    }

    /// For each task the index of its part, and which step of it the task is.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (usize, usize)> {
        let parts = self.work.parts.iter().enumerate();
        parts.flat_map(|(at, part)| (1..=part.tasks).map(move |step| (at, step)))
    }

    /// The number of a task's part, which step of it the task is, and of how many.
    pub(super) fn place(&self, task: usize) -> (usize, usize, usize) {
        let (part, step) = self.tasks().nth(task).unwrap_or((0, 1));
        (part + 1, step, self.work.parts.get(part).map_or(1, |it| it.tasks))
    }

    /// The pieces of a task that is too large to be done in one go.
    pub(super) fn pieces_of(&self, task: usize) -> &'a [Piece] {
        let part = self.tasks().nth(task).and_then(|it| self.work.pieces.get(it.0));
        part.map(Vec::as_slice).unwrap_or_default()
    }

    /// The words of the requirements that a task is about.
    pub(super) fn requirements_of(&self, task: usize) -> Vec<&'a str> {
        let part = self.tasks().nth(task).and_then(|it| self.work.parts.get(it.0));
        let units = part.map(|it| it.units.as_slice()).unwrap_or_default();
        units.iter().filter_map(|it| self.prd.units.get(*it)).map(|it| it.text.as_str()).collect()
    }
}

/// One question about the document.
pub(super) struct Question {
    pub(super) text: String,
    pub(super) schema: Value,
    pub(super) sampling: Sampling,
    pub(super) max_tokens: u32,
}
