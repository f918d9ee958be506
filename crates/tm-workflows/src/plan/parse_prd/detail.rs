//! One task of the outline, written out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_llm::chat::Sampling;
use tm_tasks::plan::assemble::Draft;

use super::{ParsePrdError, Question, Session};
use crate::{
    event::Event,
    prompts::{PARSE_PRD_DETAIL, render},
    wording::sentences,
};

/// Longest texts, in characters; the grammar ends a text there.
const DESCRIPTION_MAX: usize = 220;
const DETAILS_MAX: usize = 800;
const TEST_MAX: usize = 360;

/// More requirements than this would bury the question.
const REQUIREMENTS_SHOWN: usize = 12;

/// What the model wrote about a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Detail {
    description: String,
    details: String,
    #[serde(rename = "testStrategy")]
    test_strategy: String,
    priority: String,
    #[serde(default)]
    dependencies: Vec<usize>,
}

impl Detail {
    /// The task with the requirements it answers for, word for word, so that no name or number
    /// of the document is lost on the way.
    pub(super) fn draft(self, title: String, requirements: &[&str]) -> Draft {
        let mut details = self.details;
        details.push_str("\n\nRequirements:");
        for requirement in requirements {
            details.push_str("\n- ");
            details.push_str(requirement);
        }
        Draft {
            title,
            description: self.description,
            details,
            test_strategy: self.test_strategy,
            priority: self.priority,
            // 1-based in what the model says.
            after: self.dependencies.iter().filter_map(|it| it.checked_sub(1)).collect(),
            after_existing: Vec::new(),
        }
    }
}

/// Asks for task `index` of the outline.
pub(super) async fn detail(
    session: &Session<'_>,
    titles: &[String],
    index: usize,
) -> Result<Detail, ParsePrdError> {
    let title = titles.get(index).cloned().unwrap_or_default();
    let mut requirements = session.requirements_of(index);
    requirements.truncate(REQUIREMENTS_SHOWN);
    let question = Question {
        text: render(
            PARSE_PRD_DETAIL,
            json!({
                "titles": titles,
                "number": index + 1,
                "title": title,
                "requirements": requirements,
            }),
        )?,
        schema: schema(index),
        sampling: Sampling { temperature: 0.3, seed: seed(index), ..Sampling::default() },
        max_tokens: 700,
    };
    let answer = session.ask(&question, read).await.map_err(|source| ParsePrdError::Task {
        number: index + 1,
        title: title.clone(),
        source,
    })?;
    let repaired = answer.repaired.is_some();
    (session.observer)(Event::TaskWritten { number: index + 1, title, repaired });
    Ok(answer.value)
}

fn read(value: Value) -> Result<Detail, String> {
    let mut detail: Detail = serde_json::from_value(value).map_err(|it| it.to_string())?;
    for (name, text, longest) in [
        ("description", &mut detail.description, DESCRIPTION_MAX),
        ("details", &mut detail.details, DETAILS_MAX),
        ("testStrategy", &mut detail.test_strategy, TEST_MAX),
    ] {
        *text = sentences(text, longest);
        if text.split_whitespace().count() < 4 {
            return Err(format!("its {name} says too little: “{text}”"));
        }
    }
    detail.dependencies.sort_unstable();
    detail.dependencies.dedup();
    Ok(detail)
}

fn schema(index: usize) -> Value {
    let text = |shortest: usize, longest: usize| json!({"type": "string", "minLength": shortest, "maxLength": longest});
    let mut properties = json!({
        "description": text(20, DESCRIPTION_MAX),
        "details": text(80, DETAILS_MAX),
        "testStrategy": text(30, TEST_MAX),
        "priority": {"enum": ["high", "medium", "low"]},
    });
    let mut required = vec!["description", "details", "testStrategy", "priority"];
    if index > 0 {
        required.push("dependencies");
        // Only earlier tasks can be named, so no cycle can be written.
        properties["dependencies"] = json!({
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": index},
            "maxItems": 3,
        });
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Tasks written at the same time should not draw the same words.
fn seed(index: usize) -> u64 {
    Sampling::default().seed.wrapping_add(u64::try_from(index).unwrap_or_default())
}

#[cfg(test)]
mod tests;
