//! One part of the work, written out as a task.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_llm::{
    chat::Sampling,
    structured::{Answer, StructuredError},
};
use tm_tasks::{
    plan::{alike, assemble::Draft, terms::terms, words},
    script::count_words,
};

use super::{ParsePrdError, Question, Session, large, titles};
use crate::{
    asking::object,
    event::Event,
    language::{called, is_in_another, shortest},
    prompts::PARSE_PRD_DETAIL,
    wording::{clause, ended, is_cut, without_number},
};

/// Longest texts, in characters; the grammar ends a text there.
const DESCRIPTION_MAX: usize = 220;
const STEP_MAX: usize = 130;
const CHECK_MAX: usize = 140;

/// Fewer steps say too little; more are for `expand`.
const STEPS: std::ops::RangeInclusive<usize> = 3..=5;

/// How members of the answer look that a model wrote into one of its texts.
const MEMBERS: &[&str] = &["\":\"", "\": \"", "`:`"];

/// More requirements than this would bury the question.
pub(super) const REQUIREMENTS_SHOWN: usize = 12;

/// A task as the model writes it: short texts one at a time, which it does better than long ones.
#[derive(Debug, Deserialize)]
struct Said {
    title: String,
    description: String,
    steps: Vec<String>,
    check: Check,
    priority: String,
}

/// A test in two halves, so that none is without something to see. Asked for what a tester does, a small
/// model tells to do the task; asked for what happens when it is done, it cannot.
#[derive(Debug, Deserialize)]
struct Check {
    when: String,
    then: String,
}

/// What the model wrote about a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) title: String,
    description: String,
    details: String,
    #[serde(rename = "testStrategy")]
    test_strategy: String,
    priority: String,
}

impl Detail {
    /// The task with the requirements it answers for, word for word, so that no name or number
    /// of the document is lost on the way.
    pub(super) fn draft(self, requirements: &[&str]) -> Draft {
        Draft {
            title: self.title,
            description: self.description,
            details: self.details + &listed(requirements),
            test_strategy: self.test_strategy,
            priority: self.priority,
            ..Draft::default()
        }
    }
}

/// What the details of a task end with.
pub(super) fn listed(requirements: &[&str]) -> String {
    let heading = if requirements.is_empty() { "" } else { "\n\nRequirements:" };
    let each = requirements.iter().flat_map(|it| ["\n- ", it]);
    std::iter::once(heading).chain(each).collect()
}

/// Asks for task `index`.
pub(super) async fn detail(session: &Session<'_>, index: usize) -> Result<Detail, ParsePrdError> {
    let requirements = large::shown(session, index);
    let mut question = question(session, index, &requirements)?;
    let examples = question.text.clone();
    let asked = Asked {
        requirements: &requirements,
        examples: &examples,
        language: session.language,
        is_translated: session.is_translated,
    };
    let read = |value: Value| {
        let said: Said = serde_json::from_value(value).map_err(|it| it.to_string())?;
        let weakness = weakness(&said, &asked);
        Ok((read(&said, session.language)?, weakness))
    };
    let failed = |source| ParsePrdError::Task { number: index + 1, source };
    let mut answer = session.ask(&question, read).await.map_err(failed)?;
    if let (None, (_, Some(weakness))) = (&answer.repaired, &answer.value) {
        // What is merely weak is asked for once more, and better than nothing if that fails.
        question = question.once_more(weakness);
        match session.ask(&question, read).await {
            Ok(again) => answer = Answer { repaired: Some(weakness.clone()), ..again },
            Err(StructuredError::Invalid { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let mut detail = answer.value.0;
    detail.title = session.own_title(index, detail.title).await?;
    let (title, repaired) = (detail.title.clone(), answer.repaired.is_some());
    (session.observer)(Event::TaskWritten { number: index + 1, title, repaired });
    Ok(detail)
}

/// Asks for task `index` again, because of a fault of what there is.
pub(super) async fn again(
    session: &Session<'_>,
    index: usize,
    requirements: &[String],
    fault: &str,
) -> Result<Detail, ParsePrdError> {
    let question = question(session, index, requirements)?.once_more(fault);
    let read = |value: Value| {
        let said: Said = serde_json::from_value(value).map_err(|it| it.to_string())?;
        read(&said, session.language)
    };
    let answer = session.ask(&question, read).await;
    let failed = |source| ParsePrdError::Task { number: index + 1, source };
    answer.map(|it| it.value).map_err(failed)
}

/// The question for task `index`, of which these requirements are shown.
fn question(
    session: &Session<'_>,
    index: usize,
    requirements: &[String],
) -> Result<Question, ParsePrdError> {
    let (part, step, steps) = session.place(index);
    let variables = json!({
        "parts": session.work.beginnings,
        "number": part,
        "requirements": requirements,
        "step": step,
        "steps": steps,
        "documents": session.work.looked_up.get(part - 1),
    });
    Ok(Question {
        text: session.prompts.render(PARSE_PRD_DETAIL, variables)?,
        schema: schema(session.language),
        sampling: Sampling { temperature: 0.3, seed: seed(index), ..Sampling::default() },
        max_tokens: 700,
    })
}

impl Question {
    /// The same after an answer that is not good enough. The same draw would give the same answer.
    fn once_more(self, fault: &str) -> Self {
        let seed = self.sampling.seed.wrapping_add(1);
        Self {
            text: format!("{}\n\nDo better than an earlier answer: {fault}.", self.text),
            sampling: Sampling { seed, temperature: 0.6, ..self.sampling },
            ..self
        }
    }
}

/// What an answer is looked at with.
struct Asked<'a> {
    requirements: &'a [String],
    /// Small models copy them.
    examples: &'a str,
    language: &'a str,
    /// Whether the document is in another language, so that a task has none of its words, whatever it is
    /// about.
    is_translated: bool,
}

/// What makes a task useless though its form is right, in words for the model.
fn weakness(said: &Said, asked: &Asked<'_>) -> Option<String> {
    let Asked { requirements, examples, language, is_translated } = *asked;
    let (when, then) = (said.check.when.trim(), said.check.then.trim());
    let task =
        [&said.title, &said.description, &said.steps.join("\n")].map(String::as_str).join("\n");
    if is_in_another(&[task.as_str(), when, then].join("\n"), language) {
        return Some(format!("it was not written in {language}"));
    }
    let asked: HashSet<String> = requirements.iter().flat_map(|it| words(it)).collect();
    if !is_translated && !words(&said.title).any(|it| asked.contains(&it)) {
        return Some(format!("its title “{}” is not about its requirements", said.title));
    }
    if alike(&said.description, &said.title) {
        return Some(format!(
            "its description says no more than the title: “{}”",
            said.description
        ));
    }
    let steps = steps(&said.steps);
    if steps.len() < 2 {
        return Some(format!("its steps say the same: “{}”", steps.concat()));
    }
    let about: HashSet<String> = words(&task).collect();
    let is_required = requirements.iter().any(|it| it.contains(when));
    let is_copied = examples.contains(when) && !is_required;
    let is_about = [when, then].into_iter().flat_map(terms).any(|it| about.contains(&it));
    if is_copied || !is_about {
        return Some(format!("its check is not about the task: “{when}”"));
    }
    if alike(when, then) {
        return Some(format!("its check sees what it does: “{then}”"));
    }
    [when, then].into_iter().find_map(|it| text("check", it, CHECK_MAX).err())
}

fn read(said: &Said, language: &str) -> Result<Detail, String> {
    let description = text("description", &said.description, DESCRIPTION_MAX)?;
    let steps = steps(&said.steps).into_iter().enumerate();
    let numbered: Vec<String> = steps.map(|(at, it)| format!("{}. {it}", at + 1)).collect();
    let Check { when, then } = &said.check;
    let [when, then] = [when, then].map(|it| ended(&clause(it, CHECK_MAX)));
    let test_strategy = match called(language).map(|it| it.expected) {
        // Full-width signs have their space in them.
        Some(expected) if expected.ends_with('：') => format!("{when}{expected}{then}"),
        Some(expected) => format!("{when} {expected} {then}"),
        // The order of the two says it.
        None => format!("{when} {then}"),
    };
    Ok(Detail {
        title: titles::tidied(&said.title),
        description,
        details: numbered.join("\n"),
        test_strategy,
        priority: said.priority.clone(),
    })
}

/// A text of whole sentences, or what is wrong with it in words for the model.
fn text(name: &str, said: &str, longest: usize) -> Result<String, String> {
    let text = clause(said, longest);
    if count_words(&text) < 4 {
        return Err(format!("its {name} says too little: “{text}”"));
    }
    Ok(text)
}

/// The steps without numbers, each of them once.
fn steps(said: &[String]) -> Vec<String> {
    let mut steps: Vec<String> = Vec::with_capacity(said.len());
    let mut was_cut = false;
    for step in said {
        // A model whose step the grammar ended writes the rest of it as the next one.
        let goes_on = was_cut && step.trim_start().starts_with(char::is_lowercase);
        was_cut = is_cut(step.trim(), STEP_MAX);
        // One that ends a member and begins the next is none.
        let is_form = step.trim_start().starts_with(['}', ']']);
        if goes_on || is_form || MEMBERS.iter().any(|it| step.contains(it)) {
            continue;
        }
        let step = step.trim().lines().next().unwrap_or_default();
        let step = ended(without_number(&clause(step, STEP_MAX)));
        if !steps.iter().any(|it| it.to_lowercase() == step.to_lowercase()) {
            steps.push(step);
        }
    }
    steps
}

fn schema(language: &str) -> Value {
    let text = |least: usize, most: usize| json!({"type": "string", "minLength": shortest(least, language), "maxLength": most});
    object(&json!({
        "title": titles::schema(language),
        "description": text(20, DESCRIPTION_MAX),
        "steps": {
            "type": "array",
            "items": text(15, STEP_MAX),
            "minItems": STEPS.start(),
            "maxItems": STEPS.end(),
        },
        "check": object(&json!({"when": text(15, CHECK_MAX), "then": text(15, CHECK_MAX)})),
        "priority": {"enum": ["high", "medium", "low"]},
    }))
}

/// Tasks written at the same time should not draw the same words.
fn seed(index: usize) -> u64 {
    Sampling::default().seed.wrapping_add(u64::try_from(index).unwrap_or_default())
}

#[cfg(test)]
mod tests;
