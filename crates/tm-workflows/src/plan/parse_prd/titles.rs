//! Titles: what a part begins with before it has one, and another one for a task whose title says
//! what the title of an earlier one says.

use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::{backend::Backend, chat::Sampling, structured::StructuredError};
use tm_tasks::{
    plan::{alike, parts::Part},
    prd::{Prd, Unit},
    script::count_words,
};

use super::{ParsePrdError, Question, Session, large};
use crate::{
    asking::object,
    plan::said::{first_words, tidied, title_schema},
    prompts::PARSE_PRD_REPLACE,
};

/// How many words say what a part is about, and of how many requirements.
const ABOUT_WORDS: usize = 16;
const ABOUT_REQUIREMENTS: usize = 2;

#[derive(Deserialize)]
struct Titled {
    title: String,
}

/// What each part begins with, in fewer words where there are many.
pub(super) fn beginnings(backend: &dyn Backend, prd: &Prd, parts: &[Part]) -> Vec<String> {
    let in_words = |words| parts.iter().map(|it| beginning(prd, it, words)).collect::<Vec<_>>();
    let most = backend.info().context_tokens / 4;
    let fits = |all: &Vec<String>| backend.count_tokens(&all.join("\n")) <= most;
    let sizes = [ABOUT_WORDS, ABOUT_WORDS / 2];
    sizes.into_iter().map(in_words).find(fits).unwrap_or_else(|| in_words(ABOUT_WORDS / 4))
}

/// The heading above a part and the first words of its requirements.
fn beginning(prd: &Prd, part: &Part, words: usize) -> String {
    let units: Vec<&Unit> = part.units.iter().filter_map(|it| prd.units.get(*it)).collect();
    let words = words / units.len().clamp(1, ABOUT_REQUIREMENTS);
    let first = |it: &&Unit| it.text.split_whitespace().take(words).collect::<Vec<_>>().join(" ");
    let said: Vec<String> = units.iter().take(ABOUT_REQUIREMENTS).map(first).collect();
    let path = units.first().map(|it| prd.path(it.section)).unwrap_or_default();
    match path.as_slice() {
        // The title of the whole document says nothing about a part of it.
        [] | [_] => said.join("; "),
        [.., heading] => format!("{heading}: {}", said.join("; ")),
    }
}

/// A title for task `index` that none of `others` has.
pub(super) async fn another(
    session: &Session<'_>,
    index: usize,
    others: &[String],
) -> Result<String, ParsePrdError> {
    let requirements = session.requirements_of(index);
    let variables = if session.pieces_of(index).is_empty() {
        json!({"titles": others, "requirements": requirements})
    } else {
        json!({"titles": others, "requirements": large::shown(session, index)})
    };
    let question = Question {
        text: session.prompts.render(PARSE_PRD_REPLACE, variables)?,
        schema: object(&json!({"title": title_schema(session.language)})),
        sampling: Sampling { temperature: 0.7, ..Sampling::default() },
        max_tokens: 60,
    };
    let read = |value: Value| {
        let answer: Titled = serde_json::from_value(value).map_err(|it| it.to_string())?;
        match others.iter().find(|it| alike(it, &answer.title)) {
            Some(other) => Err(format!("“{}” is the same as “{other}”", answer.title)),
            None => Ok(tidied(&answer.title)),
        }
    };
    match (session.ask(&question, read).await, own_words(&requirements, others)) {
        (Ok(answer), _) => Ok(answer.value),
        (Err(StructuredError::Invalid { .. }), Some(words)) => Ok(words),
        (Err(source), _) => Err(ParsePrdError::Task { number: index + 1, source }),
    }
}

/// What the document says where the model finds no words that are not taken: the first
/// requirement that makes a title of its own.
fn own_words(requirements: &[&str], others: &[String]) -> Option<String> {
    let mut titles = requirements.iter().map(|it| first_words(it));
    titles.find(|title| count_words(title) >= 3 && !others.iter().any(|it| alike(it, title)))
}

#[cfg(test)]
mod tests;
