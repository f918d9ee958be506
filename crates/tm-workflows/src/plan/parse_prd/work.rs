//! The parts of the work, and with `--research` what other documents say about each.
//!
//! What the planned document says itself is not looked up: the model has it already. Start at
//! [`Work::divided`].

use tm_llm::backend::Backend;
use tm_tasks::{
    plan::{
        parts::{Part, parts},
        pieces::Piece,
    },
    prd::Prd,
};

use super::{ParsePrd, ParsePrdError, large, titles};
use crate::{
    asking::{AskError, Asking},
    event::Observer,
    research::{
        looked_up::{Found, SENTENCES, lines, nearest, tell},
        passages::one_line,
    },
};

/// What is to be done.
pub(super) struct Work {
    pub(super) parts: Vec<Part>,
    /// What each begins with.
    pub(super) beginnings: Vec<String>,
    /// What each is divided in, where it is too large for one task.
    pub(super) pieces: Vec<Vec<Piece>>,
    /// The sentences of other documents that are nearest to each, one a line.
    pub(super) looked_up: Vec<String>,
}

/// Of a part, so many requirements are looked up.
const REQUIREMENTS: usize = 4;

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
        let beginnings = titles::beginnings(backend, prd, &parts);
        let pieces = large::pieces(prd, &parts);
        let mut looked_up = vec![String::new(); parts.len()];
        if request.documents.is_some() {
            let known = one_line(text);
            let asking = Asking {
                backend,
                language: &request.language,
                prompts: &request.prompts,
                timeout: request.timeout,
                observer,
                documents: request.documents.as_ref(),
                escalation: None,
            };
            let mut all = Vec::new();
            for (looked_up, part) in looked_up.iter_mut().zip(&parts) {
                let found = about(&asking, prd, part, &known).await?;
                *looked_up = lines(&found);
                all.extend(found);
            }
            tell(&asking, &all);
        }
        Ok(Self { parts, beginnings, pieces, looked_up })
    }
}

/// What is nearest to the first requirements of a part, and not in the `known` document.
async fn about(
    asking: &Asking<'_>,
    prd: &Prd,
    part: &Part,
    known: &str,
) -> Result<Vec<Found>, AskError> {
    let units = part.units.iter().filter_map(|it| prd.units.get(*it)).take(REQUIREMENTS);
    let requirements: Vec<&str> = units.map(|it| it.text.as_str()).collect();
    let each = SENTENCES / requirements.len().max(1);
    nearest(asking, &requirements, each, &|it| !known.contains(&it.words)).await
}

#[cfg(test)]
mod tests;
