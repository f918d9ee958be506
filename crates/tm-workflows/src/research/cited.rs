//! An answer out of documents, in which every sentence cites what says so.
//!
//! The model divides the question, says which sentences answer it (`reading`) and writes from those.
//! Code does what has to be right: it finds the passages, opens every quotation again, checks every
//! sentence against what it cites ([`claims`]), and stops. Nothing that a document says can
//! change that course: its sentences are only ever noted, quoted or left out. Start at `answer`.
//!
//! [`claims`]: super::claims

use std::{collections::HashSet, time::Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_knowledge::index::search::Hit;
use tm_llm::{chat::Usage, structured::StructuredError};

use super::{
    Detail, Research,
    claims::{Claim, Sentence},
    finding::{about, title},
    library::Library,
    passages::one_line,
};
use crate::{
    asking::{AskError, Asking, Question, Spent, object, text},
    event::Event,
    prompts::{RESEARCH_ANSWER, RESEARCH_PLAN},
};

mod reading;
mod written;

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cited {
    pub citations: Vec<Citation>,
    pub claims: Vec<Claim>,
    /// What is nearest to a question that nothing answers; not cited by anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<Citation>,
    pub rounds: Vec<Round>,
    pub stop: Stop,
    /// Whether a question was looked for without knowing what it means: passages that say the same
    /// in other words were not found then.
    pub by_words_alone: bool,
    /// Why passages stayed in the order in which they were found, where a model should have put them in a
    /// better one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unranked: Option<String>,
}

/// A passage that the answer cites as `[number]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Citation {
    pub number: usize,
    /// The root of its source, an absolute path.
    pub location: String,
    pub path: String,
    pub title: String,
    pub headings: Vec<String>,
    pub first_line: usize,
    pub last_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<usize>,
    pub quotes: Vec<Quote>,
}

/// Words of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub text: String,
    /// Bytes of the text that was read of the document.
    pub start: usize,
    pub end: usize,
}

/// What was looked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub questions: Vec<String>,
    pub passages: usize,
    /// Passages of which something was noted.
    pub notes: usize,
}

/// Why nothing more was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stop {
    /// There are as many notes as such an answer needs.
    Answered,
    /// The last round found nothing new.
    Saturated,
    Rounds,
    /// Half of the time is over, and the rest is for writing.
    Time,
    /// No document says anything about it.
    NotInKnowledgeBase,
}

/// A passage and what was noted of it.
#[derive(Debug, Clone)]
struct Note {
    hit: Hit,
    quotes: Vec<Quote>,
}

/// How much is looked for.
#[derive(Debug, Clone, Copy)]
struct Effort {
    questions: usize,
    passages: usize,
    sentences: usize,
    notes: usize,
    rounds: usize,
}

/// A model that has said more of a sentence says it again, and again.
const SAID_OF_A_QUOTE: usize = 2;

/// The longest answer.
const SENTENCES_MAX: usize = 24;

struct Search<'a> {
    asking: Asking<'a>,
    request: &'a Research,
    background: &'a str,
    effort: Effort,
    spent: Spent,
    /// Passages that were looked at, by library and chunk.
    seen: HashSet<(usize, i64)>,
    notes: Vec<Note>,
    /// What was nearest to the question where nothing answered it.
    nearest: Vec<Note>,
    rounds: Vec<Round>,
    by_words_alone: bool,
}

/// Answers from the documents; no text when they say nothing about the question.
pub(super) async fn answer(
    asking: Asking<'_>,
    request: &Research,
    background: &str,
) -> Result<(Option<String>, Cited, Usage), AskError> {
    let mut search = Search {
        asking,
        request,
        background,
        effort: Effort::of(request.detail),
        spent: Spent::default(),
        seen: HashSet::new(),
        notes: Vec::new(),
        nearest: Vec::new(),
        rounds: Vec::new(),
        by_words_alone: false,
    };
    let stop = search.look().await?;
    let (text, citations, claims) = if search.notes.is_empty() {
        (None, Vec::new(), Vec::new())
    } else {
        search.nearest.clear();
        let sentences = search.write().await?;
        let (text, citations, claims) = written::written(&sentences, &search.notes);
        (Some(text), citations, claims)
    };
    let Search { spent, nearest, rounds, by_words_alone, .. } = search;
    let nearest = (1..).zip(&nearest).map(|(number, it)| it.citation(number)).collect();
    let unranked = request.documents.libraries.iter().find_map(Library::unranked);
    let cited = Cited { citations, claims, nearest, rounds, stop, by_words_alone, unranked };
    Ok((text, cited, spent.usage()))
}

impl Search<'_> {
    /// Looks for passages and makes notes of them, round after round.
    async fn look(&mut self) -> Result<Stop, AskError> {
        let started = Instant::now();
        let mut questions = vec![self.request.query.trim().to_owned()];
        let passages = self.find(&questions).await?;
        if passages.is_empty() && self.request.detail == Detail::Low {
            return Ok(Stop::NotInKnowledgeBase);
        }
        if self.request.detail != Detail::Low {
            questions.extend(self.plan(false).await?);
        }
        let mut found = passages;
        loop {
            found.extend(self.find(&questions).await?);
            found.truncate(self.effort.passages);
            let before = self.notes.len();
            self.read(&found).await?;
            let notes = self.notes.len() - before;
            self.rounds.push(Round { questions, passages: found.len(), notes });
            let is_last = self.rounds.len() == self.effort.rounds;
            let is_late = started.elapsed() > self.asking.timeout / 2;
            match self.notes.len() {
                _ if self.is_answered() => return Ok(Stop::Answered),
                0 if is_last || is_late => return Ok(Stop::NotInKnowledgeBase),
                _ if is_late => return Ok(Stop::Time),
                _ if is_last => return Ok(Stop::Rounds),
                count if count > 0 && notes == 0 => return Ok(Stop::Saturated),
                _ => {}
            }
            questions = self.plan(true).await?;
            found = Vec::new();
        }
    }

    /// What to look for: smaller questions, or other words for it.
    async fn plan(&self, found_nothing: bool) -> Result<Vec<String>, AskError> {
        let earlier: Vec<&str> = self.request.earlier.iter().map(|it| it.query.as_str()).collect();
        let variables = json!({
            "background": self.background,
            "earlier": earlier,
            "query": self.request.query.trim(),
            "found_nothing": found_nothing,
            "most": self.effort.questions,
        });
        let list = json!({
            "type": "array", "items": text(4, 160), "minItems": 1, "maxItems": self.effort.questions,
        });
        let question = Question {
            text: self.asking.prompts.render(RESEARCH_PLAN, variables)?,
            schema: object(&json!({"questions": list})),
            accepted: json!({"type": "object", "required": ["questions"], "properties": {
                "questions": {"type": "array", "items": {"type": "string"}}}}),
            temperature: 0.2,
            max_tokens: 300,
        };
        let most = self.effort.questions;
        let read = move |answer: Value| Ok(strings(&answer["questions"], most));
        or_nothing(self.asking.object(question, &self.spent, read).await)
    }

    /// Passages that are about one of the questions and were not looked at before.
    async fn find(&mut self, questions: &[String]) -> Result<Vec<Hit>, AskError> {
        let mut lists = Vec::new();
        for question in questions {
            for (number, library) in self.request.documents.libraries.iter().enumerate() {
                let (whole, most) = (&self.request.query, self.effort.passages);
                let about = about(library, question, whole, most).await?;
                self.by_words_alone |= about.by_words_alone;
                if let Some(error) = about.failed {
                    let text = format!("a question was looked for by its words alone: {error}");
                    (self.asking.observer)(Event::Note { text });
                }
                let hits = about.hits.into_iter().map(|it| (number, it));
                lists.push(hits.collect::<Vec<_>>().into_iter());
            }
        }
        // The best of each, then the second best of each.
        let mut found = Vec::new();
        while found.len() < self.effort.passages {
            let next: Vec<_> = lists.iter_mut().filter_map(Iterator::next).collect();
            if next.is_empty() {
                break;
            }
            let mut new = next;
            new.retain(|(number, it)| self.seen.insert((*number, it.chunk)));
            found.extend(self.opened(new).await?);
        }
        Ok(found)
    }

    /// Those whose library still says the same when it is asked again.
    async fn opened(&self, found: Vec<(usize, Hit)>) -> Result<Vec<Hit>, AskError> {
        let mut opened = Vec::new();
        for (number, hit) in found {
            let library: Option<&Library> = self.request.documents.libraries.get(number);
            if let Some(library) = library
                && library.text(hit.chunk).await?.as_ref() == Some(&hit.text)
            {
                opened.push(hit);
            }
        }
        Ok(opened)
    }

    /// Sentences that the model makes of the notes, with the notes that it cites.
    async fn write(&self) -> Result<Vec<Sentence>, AskError> {
        let notes: Vec<Value> = self
            .notes
            .iter()
            .enumerate()
            .map(|(index, note)| {
                json!({"number": index + 1, "title": title(&note.hit), "text": note.text()})
            })
            .collect();
        let variables = json!({
            "background": self.background,
            "notes": notes,
            "query": self.request.query.trim(),
            "length": self.request.detail.length(),
        });
        let cited = json!({"type": "array", "minItems": 1, "maxItems": 4, "items":
            {"type": "integer", "minimum": 1, "maximum": self.notes.len()}});
        let sentence = object(&json!({"text": text(8, 400), "notes": cited}));
        let noted: usize = self.notes.iter().map(|it| it.quotes.len()).sum();
        let most = (noted * SAID_OF_A_QUOTE).min(SENTENCES_MAX);
        let list = json!({"type": "array", "items": sentence, "minItems": 1, "maxItems": most});
        let question = Question {
            text: self.asking.prompts.render(RESEARCH_ANSWER, variables)?,
            schema: object(&json!({"sentences": list})),
            accepted: json!({"type": "object", "required": ["sentences"], "properties": {
                "sentences": {"type": "array", "items": {"type": "object", "required": ["text"]}}}}),
            temperature: 0.2,
            max_tokens: self.request.detail.tokens(&self.asking),
        };
        let read = |answer: Value| {
            let sentences = answer["sentences"].as_array().cloned().unwrap_or_default();
            Ok(sentences.iter().filter_map(sentence_of).collect::<Vec<_>>())
        };
        or_nothing(self.asking.object(question, &self.spent, read).await)
    }
}

impl Cited {
    /// No document said anything.
    pub(crate) fn nothing() -> Self {
        let stop = Stop::NotInKnowledgeBase;
        let (citations, claims, nearest, rounds) = Default::default();
        Self { citations, claims, nearest, rounds, stop, by_words_alone: false, unranked: None }
    }
}

impl Effort {
    fn of(detail: Detail) -> Self {
        match detail {
            Detail::Low => Self { questions: 1, passages: 4, sentences: 3, notes: 1, rounds: 1 },
            Detail::Medium => Self { questions: 2, passages: 8, sentences: 8, notes: 3, rounds: 2 },
            Detail::High => Self { questions: 4, passages: 12, sentences: 16, notes: 6, rounds: 3 },
        }
    }
}

impl Note {
    /// All that was noted, in one line.
    fn text(&self) -> String {
        let quotes: Vec<String> = self.quotes.iter().map(|it| one_line(&it.text)).collect();
        quotes.join(" … ")
    }
}

/// A model that gives no usable list has found nothing; one that does not answer is an error.
fn or_nothing<T>(
    answer: Result<tm_llm::structured::Answer<Vec<T>>, AskError>,
) -> Result<Vec<T>, AskError> {
    match answer {
        Ok(answer) => Ok(answer.value),
        Err(AskError::Object(StructuredError::Invalid { .. })) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn strings(list: &Value, most: usize) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    let texts = texts.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    texts.take(most).collect()
}

fn numbers_of(list: &Value) -> Vec<usize> {
    let numbers = list.as_array().into_iter().flatten().filter_map(Value::as_u64);
    numbers.filter_map(|it| usize::try_from(it).ok()).collect()
}

fn sentence_of(value: &Value) -> Option<Sentence> {
    let text = written::without_marks(value.get("text")?.as_str()?);
    (!text.is_empty()).then(|| Sentence { text, notes: numbers_of(&value["notes"]) })
}

#[cfg(test)]
mod tests;
