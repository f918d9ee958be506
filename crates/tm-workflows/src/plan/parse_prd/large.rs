//! Tasks of documents that are larger than a plan that people can oversee.
//!
//! Such a task has more requirements than a model is shown at once. The model is told what its
//! pieces are, and the pieces become its subtasks, which hold the requirements word for word. What
//! a piece is, code decides: see [`tm_tasks::plan::pieces`].

use tm_tasks::{
    divide::SubtaskDraft,
    plan::{
        assemble::Draft,
        parts::Part,
        pieces::{Piece, Pieces},
    },
    prd::Prd,
};

use super::{Session, detail::REQUIREMENTS_SHOWN};
use crate::plan::said::listed;

/// More requirements than this make a document large: sixteen for each of twenty tasks.
const REQUIREMENTS: usize = 320;

/// How much of a requirement is shown where there is no room for more, in characters.
const SHOWN_CHARACTERS: usize = 400;

pub(super) fn is_large(requirements: usize) -> bool {
    requirements > REQUIREMENTS
}

/// For each part what it is divided in; nothing where one task does all of it.
pub(super) fn pieces(prd: &Prd, parts: &[Part]) -> Vec<Vec<Piece>> {
    if !is_large(prd.requirements().count()) {
        return Vec::new();
    }
    let pieces = Pieces::new(prd);
    let of_part = |part: &Part| {
        let is_divided = part.tasks == 1 && part.units.len() > REQUIREMENTS_SHOWN;
        if is_divided { pieces.among(&part.units, prd) } else { Vec::new() }
    };
    parts.iter().map(of_part).collect()
}

/// What a model is shown of the requirements of a task: the first ones, or how its pieces begin.
pub(super) fn shown(session: &Session<'_>, task: usize) -> Vec<String> {
    let pieces = session.pieces_of(task);
    let mut shown: Vec<String> = if pieces.is_empty() {
        let requirements = session.requirements_of(task).into_iter();
        requirements.take(REQUIREMENTS_SHOWN).map(str::to_owned).collect()
    } else {
        let every = pieces.len().div_ceil(REQUIREMENTS_SHOWN);
        pieces.iter().step_by(every).map(|it| beginning(session.prd, it)).collect()
    };
    let most = session.backend.info().context_tokens / 4;
    if session.backend.count_tokens(&shown.join("\n")) > most {
        shown.iter_mut().for_each(cut);
    }
    shown
}

fn beginning(prd: &Prd, piece: &Piece) -> String {
    let first = piece.units.first().and_then(|it| prd.units.get(*it));
    let first = first.map_or("", |it| it.text.as_str());
    // A piece of one requirement is called after it.
    if first.starts_with(piece.title.trim_end_matches('…')) {
        first.to_owned()
    } else {
        format!("{}: {first}", piece.title)
    }
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(SHOWN_CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
}

/// Moves the requirements of large tasks into subtasks.
pub(super) fn into_subtasks(session: &Session<'_>, drafts: &mut [Draft]) {
    for (task, draft) in drafts.iter_mut().enumerate() {
        let pieces = session.pieces_of(task);
        let requirements = session.requirements_of(task);
        let own = draft.details.strip_suffix(&listed(&requirements));
        let Some(own) = own.filter(|_| pieces.len() > 1) else { continue };
        let (all, subtasks) = (requirements.len(), pieces.len());
        draft.details = format!("{own}\n\nRequirements: {all}, in {subtasks} subtasks.");
        draft.subtasks = pieces.iter().map(|it| subtask(session.prd, it)).collect();
    }
}

fn subtask(prd: &Prd, piece: &Piece) -> SubtaskDraft {
    let units: Vec<_> = piece.units.iter().filter_map(|it| prd.units.get(*it)).collect();
    let requirements: Vec<&str> = units.iter().map(|it| it.text.as_str()).collect();
    let path = units.first().map(|it| prd.path(it.section)).unwrap_or_default();
    // The title of the whole document says nothing about a piece of it.
    let place = path.get(1..).unwrap_or_default().join(" > ");
    let count = requirements.len();
    let noun = if count == 1 { "requirement" } else { "requirements" };
    let description = match place.as_str() {
        "" => format!("{count} {noun}"),
        place => format!("{place}: {count} {noun}"),
    };
    SubtaskDraft {
        title: piece.title.clone(),
        description,
        details: listed(&requirements).trim_start().to_owned(),
        ..SubtaskDraft::default()
    }
}

#[cfg(test)]
mod tests;
