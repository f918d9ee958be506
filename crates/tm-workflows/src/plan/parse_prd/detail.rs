//! One part of the work, written out as a task.

use std::ops::RangeInclusive;

use serde_json::json;
use tm_llm::{chat::Sampling, structured::StructuredError};

use super::{ParsePrdError, Question, Session, large};
use crate::{
    asking::object,
    event::Event,
    plan::said::{Asked, Detail, Member, Mending, Weakness, properties},
    prompts::PARSE_PRD_DETAIL,
};

/// Fewer steps say too little; more are for `expand`.
const STEPS: RangeInclusive<usize> = 3..=5;

/// More requirements than this would bury the question.
pub(super) const REQUIREMENTS_SHOWN: usize = 12;

/// Asks for task `index`.
pub(super) async fn detail(session: &Session<'_>, index: usize) -> Result<Detail, ParsePrdError> {
    let requirements = large::shown(session, index);
    let question = question(session, (index, &requirements), false)?;
    let examples = question.text.clone();
    let asked = session.asked(&requirements, &examples);
    let failed = |source| ParsePrdError::Task { number: index + 1, source };
    let answer = session.ask(&question, |it| asked.read(it)).await.map_err(failed)?;
    let ((mut detail, weaknesses), mut repaired) = (answer.value, answer.repaired.is_some());
    // What is merely weak is asked for once more, and better than nothing if that fails.
    let weaknesses = if repaired { Vec::new() } else { weaknesses };
    for weakness in &weaknesses {
        match mended(session, (index, &requirements), &detail, weakness).await {
            Ok(better) => (detail, repaired) = (better, true),
            Err(ParsePrdError::Task { source: StructuredError::Invalid { .. }, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    detail.title = session.own_title(index, detail.title).await?;
    let title = detail.title.clone();
    (session.observer)(Event::TaskWritten { number: index + 1, title, repaired });
    Ok(detail)
}

/// Asks for what is weak of task `index` again.
async fn mended(
    session: &Session<'_>,
    (index, requirements): (usize, &[String]),
    detail: &Detail,
    weakness: &Weakness,
) -> Result<Detail, ParsePrdError> {
    let mending = Mending { detail, member: weakness.of, language: session.language };
    let Some((rest, schema)) = mending.question() else {
        return again(session, index, requirements, &weakness.fault).await;
    };
    let question = question(session, (index, requirements), weakness.of == Member::Check)?;
    let text = format!("{}\n\n{rest}", question.text);
    let question = Question { text, schema, ..question }.once_more(&weakness.fault);
    let answer = session.ask(&question, |it| mending.read(it)).await;
    answer.map(|it| it.value).map_err(|source| ParsePrdError::Task { number: index + 1, source })
}

/// Asks for task `index` again, because of a fault of what there is.
pub(super) async fn again(
    session: &Session<'_>,
    index: usize,
    requirements: &[String],
    fault: &str,
) -> Result<Detail, ParsePrdError> {
    let question = question(session, (index, requirements), true)?.once_more(fault);
    let asked = session.asked(requirements, "");
    let answer = session.ask(&question, |it| asked.read(it)).await;
    let failed = |source| ParsePrdError::Task { number: index + 1, source };
    answer.map(|it| it.value.0).map_err(failed)
}

/// The question for a task, of which these requirements are shown. Who is asked again has seen the
/// examples, and may have copied one.
fn question(
    session: &Session<'_>,
    (index, requirements): (usize, &[String]),
    again: bool,
) -> Result<Question, ParsePrdError> {
    let (part, step, steps) = session.place(index);
    let variables = json!({
        "parts": session.work.beginnings,
        "number": part,
        "requirements": requirements,
        "step": step,
        "steps": steps,
        "documents": session.work.looked_up.get(part - 1),
        "again": again,
    });
    let mut properties = properties(session.language, STEPS);
    properties["priority"] = json!({"enum": ["high", "medium", "low"]});
    Ok(Question {
        text: session.prompts.render(PARSE_PRD_DETAIL, variables)?,
        schema: object(&properties),
        sampling: Sampling { temperature: 0.3, seed: seed(index), ..Sampling::default() },
        max_tokens: 700,
    })
}

impl Session<'_> {
    /// What the answer to a question about these requirements is looked at with.
    fn asked<'a>(&'a self, requirements: &'a [String], examples: &'a str) -> Asked<'a> {
        let Self { language, is_translated, .. } = *self;
        Asked { requirements, examples, language, is_translated }
    }
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

/// Tasks written at the same time should not draw the same words.
fn seed(index: usize) -> u64 {
    Sampling::default().seed.wrapping_add(u64::try_from(index).unwrap_or_default())
}
