//! Prompts: Markdown files with typed variables, rendered by one function.
//!
//! Each prompt is a file in `prompts/`, compiled in. A change of wording is a change of
//! [`version`] where answers are saved, so that work under other words is not taken up again.

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use tm_tasks::digest::sha256_hex;

/// One prompt file.
#[derive(Debug, Clone, Copy)]
pub struct Prompt {
    name: &'static str,
    text: &'static str,
}

macro_rules! prompt {
    ($file:literal) => {
        Prompt { name: $file, text: include_str!(concat!("../prompts/", $file, ".md")) }
    };
}

pub(crate) const ADD_TASK: Prompt = prompt!("add_task");
pub(crate) const AGENT_START: Prompt = prompt!("start/task");
pub(crate) const LOOP_FRAME: Prompt = prompt!("loop/frame");
pub(crate) const LOOP_DEFAULT: Prompt = prompt!("loop/default");
pub(crate) const LOOP_TEST_COVERAGE: Prompt = prompt!("loop/test-coverage");
pub(crate) const LOOP_LINTING: Prompt = prompt!("loop/linting");
pub(crate) const LOOP_DUPLICATION: Prompt = prompt!("loop/duplication");
pub(crate) const LOOP_ENTROPY: Prompt = prompt!("loop/entropy");
pub(crate) const ASKING_SYSTEM: Prompt = prompt!("asking/system");
pub(crate) const COMPLEXITY_TASK: Prompt = prompt!("complexity_task");
pub(crate) const COMPLEXITY_WHOLE: Prompt = prompt!("complexity_whole");
pub(crate) const EXPAND: Prompt = prompt!("expand");
pub(crate) const NOTE_SUBTASK: Prompt = prompt!("note_subtask");
pub(crate) const NOTE_TASK: Prompt = prompt!("note_task");
pub(crate) const PARSE_PRD_SYSTEM: Prompt = prompt!("parse_prd/system");
pub(crate) const PARSE_PRD_DOCUMENT: Prompt = prompt!("parse_prd/document");
pub(crate) const PARSE_PRD_OUTLINE: Prompt = prompt!("parse_prd/outline");
pub(crate) const PARSE_PRD_REPLACE: Prompt = prompt!("parse_prd/replace");
pub(crate) const PARSE_PRD_DETAIL: Prompt = prompt!("parse_prd/detail");
pub(crate) const PARSE_PRD_WHOLE: Prompt = prompt!("parse_prd/whole");
pub(crate) const RESEARCH_SYSTEM: Prompt = prompt!("research/system");
pub(crate) const RESEARCH_QUESTION: Prompt = prompt!("research/question");
pub(crate) const RESEARCH_PLAN: Prompt = prompt!("research/plan");
pub(crate) const RESEARCH_SELECT: Prompt = prompt!("research/select");
pub(crate) const RESEARCH_ANSWER: Prompt = prompt!("research/answer");

pub(crate) const SCOPE: Prompt = prompt!("scope");
pub(crate) const UPDATE_TASK: Prompt = prompt!("update_task");
pub(crate) const UPDATE_TASKS: Prompt = prompt!("update_tasks");

/// Those whose answers are kept for later.
const SAVED: [Prompt; 5] =
    [PARSE_PRD_SYSTEM, PARSE_PRD_DOCUMENT, PARSE_PRD_OUTLINE, PARSE_PRD_REPLACE, PARSE_PRD_DETAIL];

/// A prompt that cannot be rendered with the variables it was given.
#[derive(Debug, thiserror::Error)]
#[error("the prompt {name} cannot be rendered: {reason}")]
pub struct PromptError {
    name: &'static str,
    reason: String,
}

/// Fills in the variables. A variable that the prompt names and `variables` lacks is an error.
///
/// # Errors
/// When the template or the variables are at fault.
pub fn render(prompt: Prompt, variables: impl Serialize) -> Result<String, PromptError> {
    let fail = |it: minijinja::Error| PromptError { name: prompt.name, reason: it.to_string() };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_template(prompt.name, prompt.text).map_err(fail)?;
    let template = environment.get_template(prompt.name).map_err(fail)?;
    template.render(minijinja::value::Serde(variables)).map(|it| it.trim().to_owned()).map_err(fail)
}

/// Changes whenever the words of a prompt do whose answers are kept for later.
pub fn version() -> String {
    let words: String = SAVED.iter().flat_map(|it| [it.name, it.text]).collect();
    sha256_hex(words.as_bytes())
}

#[cfg(test)]
mod tests;
