//! The outline: one title for each task, from one constrained answer.
//!
//! Each title is asked for one part of the document, so that titles differ because what they are
//! about differs. Asked to divide the work itself, a small model repeats a few titles.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::chat::Sampling;
use tm_tasks::plan::alike;

use super::{ParsePrdError, Question, Session};
use crate::{
    event::Event,
    prompts::{PARSE_PRD_OUTLINE, PARSE_PRD_REPLACE, render},
    wording::title,
};

/// The longest title, in characters; the grammar ends it there.
const TITLE_MAX: usize = 80;

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
    let parts: Vec<usize> = numbers(session);
    (session.observer)(Event::Outlining { tasks: parts.len() });
    let started = Instant::now();
    let steps: Vec<Value> = session
        .parts
        .iter()
        .enumerate()
        .filter(|(_, it)| it.tasks > 1)
        .map(|(at, it)| json!({"part": at + 1, "tasks": it.tasks}))
        .collect();
    let question = Question {
        text: render(PARSE_PRD_OUTLINE, json!({"parts": session.parts.len(), "steps": steps}))?,
        schema: schema(&parts),
        sampling: Sampling { temperature: 0.2, ..Sampling::default() },
        max_tokens: u32::try_from(parts.len() * 60 + 100).unwrap_or(u32::MAX),
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

/// For each task the number of its part.
fn numbers(session: &Session<'_>) -> Vec<usize> {
    let parts = session.parts.iter().enumerate();
    parts.flat_map(|(at, part)| std::iter::repeat_n(at + 1, part.tasks)).collect()
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
    let question = Question {
        text: render(PARSE_PRD_REPLACE, json!({"titles": others, "requirements": requirements}))?,
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
    let answer = session.ask(&question, read).await.map_err(ParsePrdError::Outline)?;
    if let Some(repeated) = titles.get_mut(index) {
        *repeated = answer.value;
    }
    Ok(())
}

fn title_schema() -> Value {
    json!({"type": "string", "minLength": 12, "maxLength": TITLE_MAX})
}

/// One task after the other, each bound to its part.
fn schema(parts: &[usize]) -> Value {
    let task = |part: &usize| object(&json!({"part": {"const": part}, "title": title_schema()}));
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

/// An object with exactly these properties.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(|it| it.keys()).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests;
