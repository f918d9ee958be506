//! The outline: one title for each task, from one constrained answer.
//!
//! Each title is asked for one part of the document, so that titles differ because what they are
//! about differs. Asked to divide the work itself, a small model repeats a few titles. The grammar
//! writes what a part is about before its title: otherwise the titles of a long document drift away
//! from their parts.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::{chat::Sampling, structured::StructuredError};
use tm_tasks::{
    plan::{alike, parts::Part},
    prd::{Prd, Unit},
};

use super::{ParsePrdError, Question, Session, object};
use crate::{
    event::Event,
    prompts::{PARSE_PRD_OUTLINE, PARSE_PRD_REPLACE},
    wording::title,
};

/// The longest title, in characters; the grammar ends it there.
const TITLE_MAX: usize = 80;

/// How many words say what a part is about, and of how many requirements.
const ABOUT_WORDS: usize = 30;
const ABOUT_REQUIREMENTS: usize = 4;

#[derive(Deserialize)]
struct Outline {
    tasks: Vec<Titled>,
}

#[derive(Deserialize)]
struct Titled {
    title: String,
}

/// Asks for the titles and mends repeated ones.
pub(super) async fn outline(session: &Session<'_>) -> Result<Vec<String>, ParsePrdError> {
    let parts: Vec<(usize, String)> = about(session);
    (session.observer)(Event::Outlining { tasks: parts.len() });
    let started = Instant::now();
    let steps: Vec<Value> = session
        .parts
        .iter()
        .enumerate()
        .filter(|(_, it)| it.tasks > 1)
        .map(|(at, it)| json!({"part": at + 1, "tasks": it.tasks}))
        .collect();
    let variables = json!({"parts": session.parts.len(), "steps": steps});
    let question = Question {
        text: session.prompts.render(PARSE_PRD_OUTLINE, variables)?,
        schema: schema(&parts),
        sampling: Sampling { temperature: 0.2, ..Sampling::default() },
        max_tokens: u32::try_from(parts.len() * 120 + 100).unwrap_or(u32::MAX),
    };
    let read = |value: Value| {
        let outline: Outline = serde_json::from_value(value).map_err(|it| it.to_string())?;
        Ok(outline.tasks.iter().map(|it| title(&it.title, TITLE_MAX)).collect::<Vec<_>>())
    };
    let answer = session.ask(&question, read).await.map_err(ParsePrdError::Outline)?;
    let mut titles = answer.value;
    for index in 1..titles.len() {
        replace_if_repeated(session, &mut titles, index).await?;
    }
    (session.observer)(Event::Outlined { titles: titles.clone(), took: started.elapsed() });
    Ok(titles)
}

/// For each task the number of its part, and what that is about.
fn about(session: &Session<'_>) -> Vec<(usize, String)> {
    let parts = session.parts.iter().enumerate();
    let about = parts.map(|(at, part)| ((at + 1, beginning(session.prd, part)), part.tasks));
    about.flat_map(|(about, tasks)| std::iter::repeat_n(about, tasks)).collect()
}

/// The heading above a part and the first words of its requirements.
fn beginning(prd: &Prd, part: &Part) -> String {
    let units: Vec<&Unit> = part.units.iter().filter_map(|it| prd.units.get(*it)).collect();
    let words = ABOUT_WORDS / units.len().clamp(1, ABOUT_REQUIREMENTS);
    let first = |it: &&Unit| it.text.split_whitespace().take(words).collect::<Vec<_>>().join(" ");
    let said: Vec<String> = units.iter().take(ABOUT_REQUIREMENTS).map(first).collect();
    let path = units.first().map(|it| prd.path(it.section)).unwrap_or_default();
    match path.as_slice() {
        // The title of the whole document says nothing about a part of it.
        [] | [_] => said.join("; "),
        [.., heading] => format!("{heading}: {}", said.join("; ")),
    }
}

/// A title that says what an earlier one says is asked for again, with what it should be about.
async fn replace_if_repeated(
    session: &Session<'_>,
    titles: &mut [String],
    index: usize,
) -> Result<(), ParsePrdError> {
    let (earlier, rest) = titles.split_at(index);
    let Some((repeated, later)) = rest.split_first() else { return Ok(()) };
    if !earlier.iter().any(|it| alike(it, repeated)) {
        return Ok(());
    }
    let others = [earlier, later].concat();
    let requirements = session.requirements_of(index);
    let variables = json!({"titles": others, "requirements": requirements});
    let question = Question {
        text: session.prompts.render(PARSE_PRD_REPLACE, variables)?,
        schema: object(&json!({"title": title_schema()})),
        sampling: Sampling { temperature: 0.7, ..Sampling::default() },
        max_tokens: 60,
    };
    let read = |value: Value| {
        let answer: Titled = serde_json::from_value(value).map_err(|it| it.to_string())?;
        match others.iter().find(|it| alike(it, &answer.title)) {
            Some(other) => Err(format!("“{}” is the same as “{other}”", answer.title)),
            None => Ok(title(&answer.title, TITLE_MAX)),
        }
    };
    let mended = match (session.ask(&question, read).await, own_words(&requirements, &others)) {
        (Ok(answer), _) => answer.value,
        (Err(StructuredError::Invalid { .. }), Some(words)) => words,
        (Err(error), _) => return Err(ParsePrdError::Outline(error)),
    };
    if let Some(repeated) = titles.get_mut(index) {
        *repeated = mended;
    }
    Ok(())
}

/// What the document says where the model finds no words that are not taken: the first
/// requirement that makes a title of its own.
fn own_words(requirements: &[&str], others: &[String]) -> Option<String> {
    let beginning = |it: &&str| it.chars().take(TITLE_MAX).collect::<String>();
    let mut titles = requirements.iter().map(|it| title(&beginning(it), TITLE_MAX));
    titles.find(|title| {
        title.split_whitespace().count() >= 3 && !others.iter().any(|it| alike(it, title))
    })
}

fn title_schema() -> Value {
    json!({"type": "string", "minLength": 12, "maxLength": TITLE_MAX})
}

/// One task after the other, each bound to its part.
fn schema(parts: &[(usize, String)]) -> Value {
    let task = |(part, about): &(usize, String)| {
        object(&json!({
            "part": {"const": part},
            "about": {"const": about},
            "title": title_schema(),
        }))
    };
    let tasks: Vec<Value> = parts.iter().map(task).collect();
    object(&json!({
        "tasks": {
            "type": "array",
            "prefixItems": tasks,
            "items": false,
            "minItems": parts.len(),
            "maxItems": parts.len(),
        },
    }))
}

#[cfg(test)]
mod tests;
