//! Which sentences of the passages answer the question.
//!
//! A small model that shall choose among sentences chooses badly; what a question means is nearer to
//! what answers it than to the rest. So code puts the sentences in order, and the model is only
//! asked about the first of them, one by one, where code does not know. Start at `Search::read`.

use std::time::Instant;

use futures_util::future::try_join_all;
use serde_json::json;
use tm_knowledge::{index::search::Hit, terms};
use tm_llm::{
    backend::{BackendError, complete},
    chat::{ChatRequest, Message, Sampling},
};

use super::{
    super::{
        answers::{answers, asks_for_much},
        finding::title,
        nearest::{Candidate, candidates, sort},
        passages::one_line,
    },
    Note, Quote, Search,
};
use crate::{asking::AskError, event::Event, prompts::RESEARCH_ANSWERS};

/// When none of so many answers the question, none of the others is believed to.
const FIRST: usize = 3;

/// For `yes` or `no`, however they are divided into tokens.
const VERDICT_TOKENS: u32 = 4;

/// Sentences that are noted of one passage at most.
const QUOTES_MAX: usize = 4;

impl Search<'_> {
    /// Notes the sentences that answer the question.
    pub(super) async fn read(&mut self, passages: &[Hit]) -> Result<(), AskError> {
        let mut candidates = candidates(passages);
        self.sort(&mut candidates).await;
        candidates.truncate(self.effort.sentences);
        let rest = candidates.split_off(FIRST.min(candidates.len()));
        let nearest: Vec<Note> = candidates.iter().map(Candidate::note).collect();
        let mut answering = self.answering(candidates).await?;
        if answering.is_empty() {
            // Those of the question itself, and not of other words for it.
            if self.nearest.is_empty() {
                self.nearest = nearest;
            }
            return Ok(());
        }
        answering.extend(self.answering(rest).await?);
        self.notes.extend(notes(passages, &answering));
        Ok(())
    }

    /// Puts the one that is nearest to the question first.
    async fn sort(&mut self, candidates: &mut [Candidate<'_>]) {
        let libraries = &self.request.documents.libraries;
        if let Some(error) = sort(libraries, self.request.query.trim(), candidates).await {
            let text = format!("sentences were chosen by their words alone: {error}");
            (self.asking.observer)(Event::Note { text });
        }
    }

    /// Those that answer the question.
    async fn answering<'a>(
        &self,
        candidates: Vec<Candidate<'a>>,
    ) -> Result<Vec<Candidate<'a>>, AskError> {
        let verdicts = try_join_all(candidates.iter().map(|it| self.answers(it))).await?;
        let kept = candidates.into_iter().zip(verdicts).filter(|(_, answers)| *answers);
        Ok(kept.map(|(it, _)| it).collect())
    }

    async fn answers(&self, candidate: &Candidate<'_>) -> Result<bool, AskError> {
        let query = self.request.query.trim();
        let (title, sentence) = (title(candidate.hit), one_line(&candidate.quote.text));
        let enough = self.request.documents.libraries.iter().find_map(|it| it.model()?.answers);
        let nearness = candidate.cosine.zip(enough);
        if let Some(known) = answers(query, &title, &sentence, nearness) {
            return Ok(known);
        }
        let variables = json!({"query": query, "title": title, "sentence": sentence});
        let text = self.asking.prompts.render(RESEARCH_ANSWERS, variables)?;
        // Asked for a word and told nothing else, a small model judges better than for JSON in the
        // part of an engineer, where it nearly always says no.
        let request = ChatRequest {
            messages: vec![Message::user(text)],
            response_schema: None,
            sampling: Sampling { temperature: 0.0, ..Sampling::default() },
            max_tokens: VERDICT_TOKENS,
            deadline: Instant::now() + self.asking.timeout,
        };
        // One that does not keep to yes and no has said nothing against it.
        match complete(self.asking.backend, request, &|_| ()).await {
            Ok(completion) => {
                self.spent.add(completion.usage);
                Ok(terms::words(&completion.text).next().as_deref() != Some("no"))
            }
            Err(BackendError::EmptyAnswer { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the notes are all that such a question needs.
    pub(super) fn is_answered(&self) -> bool {
        let asks_for_one_fact = !asks_for_much(&self.request.query);
        self.notes.len() >= self.effort.notes || asks_for_one_fact && !self.notes.is_empty()
    }
}

impl Candidate<'_> {
    fn note(&self) -> Note {
        Note { hit: self.hit.clone(), quotes: vec![self.quote.clone()] }
    }
}

/// What was noted of each passage, in their order.
fn notes(passages: &[Hit], noted: &[Candidate<'_>]) -> Vec<Note> {
    let of = |hit: &Hit| {
        let noted = noted.iter().filter(|it| std::ptr::eq(it.hit, hit));
        let mut quotes: Vec<Quote> = noted.map(|it| it.quote.clone()).take(QUOTES_MAX).collect();
        quotes.sort_by_key(|it| it.start);
        Note { hit: hit.clone(), quotes }
    };
    passages.iter().map(of).filter(|it| !it.quotes.is_empty()).collect()
}
