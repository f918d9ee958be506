//! What a model is asked about one piece of a document.
//!
//! Titles come before verdicts: a small model judges what it has just named. Verdicts and cuts are
//! enumerations, so an answer is at most a title long.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_tasks::plan::tree::{
    Reason,
    division::Division,
    growth::{Answer, Piece},
};

use crate::{
    asking::{object, text},
    prompts::{PromptError, Prompts, SPLIT_PRD_NODE},
    wording::title,
};

/// The longest answer, in tokens.
pub(super) const ANSWER_TOKENS: u32 = 120;

/// The longest title, in characters; the grammar ends it there.
const TITLE_MAX: usize = 80;

/// The longest requirement that is shown whole, and the characters of a longer one.
const TEXT_MAX: usize = 400;

/// A question that stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub(super) text: String,
    pub(super) schema: Value,
    /// Numbers of requirements that the second half may begin with.
    choices: Vec<usize>,
}

/// An answer as the model writes it and as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) title: String,
    work: Reason,
    /// The number of a requirement, the first of the piece being 1.
    cut: usize,
}

impl Question {
    /// What a piece is, and where to cut it; no question where there is no choice.
    pub(super) fn new(
        piece: &Piece,
        cuts: &[usize],
        division: &Division<'_>,
        prompts: &Prompts,
    ) -> Result<Option<Self>, PromptError> {
        if cuts.is_empty() {
            return Ok(None);
        }
        let choices: Vec<usize> = cuts.iter().map(|it| it - piece.range.start + 1).collect();
        let requirements: Vec<String> =
            piece.range.clone().map(|it| cut(division.text(it))).collect();
        let variables = json!({
            "ancestors": piece.ancestors,
            "requirements": requirements,
            "choices": choices,
        });
        let text = prompts.render(SPLIT_PRD_NODE, variables)?;
        Ok(Some(Self { text, schema: schema(&choices), choices }))
    }

    /// The answer, or what is wrong with it in words for the model.
    pub(super) fn read(&self, value: Value) -> Result<Said, String> {
        let said: Said = serde_json::from_value(value).map_err(|it| it.to_string())?;
        let title = title(&said.title, TITLE_MAX);
        // Counted in letters, because not every language puts spaces between words.
        if title.chars().filter(|it| it.is_alphanumeric()).count() < 4 {
            return Err(format!("its title says too little: “{title}”"));
        }
        if !Reason::ANSWERS.contains(&said.work) || !self.choices.contains(&said.cut) {
            return Err("it does not say what the work is, and where to cut it".to_owned());
        }
        Ok(Said { title, ..said })
    }
}

impl Said {
    /// The answer about a piece, with the cut as its position in the document.
    pub(super) fn answer(self, range: &Range<usize>) -> Answer {
        let cut = range.start + self.cut.saturating_sub(1);
        Answer { title: self.title, reason: self.work, cut }
    }
}

/// A requirement that is longer than a question should be is shown with a mark at its end.
fn cut(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(TEXT_MAX) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or(text);
    format!("{}…", head.rsplit_once(' ').map_or(head, |it| it.0))
}

fn schema(choices: &[usize]) -> Value {
    object(&json!({
        "title": text(10, TITLE_MAX),
        "work": {"type": "string", "enum": Reason::ANSWERS},
        "cut": {"type": "integer", "enum": choices},
    }))
}
