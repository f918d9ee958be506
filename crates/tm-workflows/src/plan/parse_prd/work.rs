//! The parts of the work, and with `--research` what other documents say about each.
//!
//! What the planned document says itself is not looked up: the model has it already. Start at
//! [`Work::divided`].

use tm_llm::backend::Backend;
use tm_tasks::{
    plan::parts::{Part, parts},
    prd::Prd,
};

use super::{ParsePrd, ParsePrdError, titles};
use crate::{
    asking::{AskError, Asking},
    event::{Event, Observer},
    research::looked_up::look_up,
};

/// What is to be done.
pub(super) struct Work {
    pub(super) parts: Vec<Part>,
    /// What each begins with.
    pub(super) beginnings: Vec<String>,
    /// The sentences of other documents that are nearest to each, one a line.
    pub(super) looked_up: Vec<String>,
}

/// Of a part, so many requirements are looked up, and so many sentences for all of them.
const REQUIREMENTS: usize = 4;
const SENTENCES: usize = 8;

impl Work {
    /// Divides the work into parts for `count` tasks, and looks each up where that is wanted.
    pub(super) async fn divided(
        backend: &dyn Backend,
        request: &ParsePrd,
        (text, prd): (&str, &Prd),
        count: usize,
        observer: Observer<'_>,
    ) -> Result<Self, ParsePrdError> {
        let parts = parts(prd, count);
        let beginnings = parts.iter().map(|it| titles::beginning(prd, it)).collect();
        let mut looked_up = vec![String::new(); parts.len()];
        if request.documents.is_some() {
            let asking = Asking {
                backend,
                language: &request.language,
                prompts: &request.prompts,
                timeout: request.timeout,
                observer,
                documents: request.documents.as_ref(),
            };
            let mut places: Vec<String> = Vec::new();
            for (lines, part) in looked_up.iter_mut().zip(&parts) {
                *lines = about(&asking, prd, part, (text, &mut places)).await?;
            }
            observer(Event::Note { text: told(places) });
        }
        Ok(Self { parts, beginnings, looked_up })
    }
}

/// What is nearest to the first requirements of a part. Their places are added to `places`.
async fn about(
    asking: &Asking<'_>,
    prd: &Prd,
    part: &Part,
    (text, places): (&str, &mut Vec<String>),
) -> Result<String, AskError> {
    let units = part.units.iter().filter_map(|it| prd.units.get(*it)).take(REQUIREMENTS);
    let most = SENTENCES / part.units.len().clamp(1, REQUIREMENTS);
    let mut lines: Vec<String> = Vec::new();
    for unit in units {
        let said = look_up(asking, &unit.text, text).await?;
        let new: Vec<String> = said.lines.into_iter().filter(|it| !lines.contains(it)).collect();
        lines.extend(new.into_iter().take(most));
        places.extend(said.places);
    }
    Ok(lines.join("\n"))
}

/// Where it was looked up, for the user.
fn told(mut places: Vec<String>) -> String {
    places.sort();
    places.dedup();
    if places.is_empty() {
        "no other document says anything about this".to_owned()
    } else {
        format!("looked up in {}", places.join(", "))
    }
}

#[cfg(test)]
mod tests;
