//! The requirements of a task that has too many of them, in pieces that are its subtasks.
//!
//! The pieces are leaves of the document's tree, as its headings divide it; what of a leaf belongs
//! to another task is left out, and small ones that come one after the other are put together. No
//! model is asked, so the same document always has the same pieces. Start at [`Pieces::new`].

use std::collections::HashSet;

use super::{
    parts::kind_of_steps,
    titles::{TITLE_MAX, of_heading, of_requirement},
    tree::{
        division::{ASKED_MAX, Division},
        growth::Growth,
    },
};
use crate::prd::Prd;

/// More subtasks than this are no task that a person can oversee.
const PIECES_MAX: usize = 30;

/// The smallest pieces that the headings of a document make of it: the units of each.
#[derive(Debug)]
pub struct Pieces(Vec<Vec<usize>>);

/// Requirements that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub title: String,
    /// Indices in [`Prd::units`], in the order of the document.
    pub units: Vec<usize>,
}

impl Pieces {
    pub fn new(prd: &Prd) -> Self {
        let division = Division::new(prd);
        let mut growth = Growth::new(&division);
        while !growth.level().is_empty() {
            growth.advance(Vec::new());
        }
        let leaves = growth.leaves().into_iter();
        Self(leaves.map(|it| division.units(&it.positions).to_vec()).collect())
    }

    /// The pieces of a task that has these units, each of them in one piece.
    pub fn among(&self, units: &[usize], prd: &Prd) -> Vec<Piece> {
        let own: HashSet<usize> = units.iter().copied().collect();
        let mut pieces: Vec<Vec<usize>> = Vec::new();
        for leaf in &self.0 {
            let piece: Vec<usize> = leaf.iter().copied().filter(|it| own.contains(it)).collect();
            match pieces.last_mut() {
                _ if piece.is_empty() => {}
                Some(last) if go_together(last, &piece, prd) => last.extend(piece),
                _ => pieces.push(piece),
            }
        }
        let placed: HashSet<usize> = pieces.iter().flatten().copied().collect();
        let others: Vec<usize> = units.iter().copied().filter(|it| !placed.contains(it)).collect();
        if !others.is_empty() {
            // Steps of the work are not always requirements, and come before what they need.
            pieces.insert(0, others);
        }
        while pieces.len() > PIECES_MAX {
            let pairs = pieces.windows(2).map(|it| it.iter().map(Vec::len).sum::<usize>());
            let Some((at, _)) = pairs.enumerate().min_by_key(|it| it.1) else { break };
            let next = pieces.remove(at + 1);
            pieces.get_mut(at).into_iter().for_each(|it| it.extend(next.iter()));
        }
        titled(pieces, prd)
    }
}

/// Whether both are in one chapter, and few enough to be done together.
fn go_together(one: &[usize], next: &[usize], prd: &Prd) -> bool {
    let chapter = |units: &[usize]| {
        units.first().map(|it| path(prd, *it).into_iter().take(2).collect::<Vec<_>>())
    };
    one.len() + next.len() <= ASKED_MAX && chapter(one) == chapter(next)
}

fn titled(pieces: Vec<Vec<usize>>, prd: &Prd) -> Vec<Piece> {
    let mut titles = HashSet::new();
    let piece = |units: Vec<usize>| {
        let mut title = title(&units, prd);
        // Two pieces of one name cannot be told apart; their own words can.
        if !titles.insert(title.to_lowercase()) {
            title = first_words(&units, prd);
            titles.insert(title.to_lowercase());
        }
        Piece { title, units }
    };
    pieces.into_iter().map(piece).collect()
}

/// The heading over all of them, or those over the first and the last, or the first one's own
/// words where there is none but that of the whole document.
fn title(units: &[usize], prd: &Prd) -> String {
    let paths: Vec<Vec<&str>> = units.iter().map(|it| path(prd, *it)).collect();
    let (Some(first), Some(last)) = (paths.first(), paths.last()) else { return String::new() };
    let is_common = |depth: &usize| paths.iter().all(|it| it.get(..*depth) == first.get(..*depth));
    let common = (1..=first.len()).take_while(is_common).last().unwrap_or_default();
    // All tasks have steps, so what is over those tells no task from another.
    let section = units.first().and_then(|it| prd.units.get(*it)).map(|it| it.section);
    let is_step = section.is_some_and(|it| kind_of_steps(prd, it).is_some());
    if is_step || units.len() == 1 || first.len() < 2 || last.len() < 2 {
        return first_words(units, prd);
    }
    let heading = |path: &[&str]| path.last().map(|it| of_heading(it)).unwrap_or_default();
    let over_all = heading(first.get(..common).unwrap_or_default());
    let both = format!("{} – {}", heading(first), heading(last));
    match common {
        0 | 1 if both.chars().count() <= TITLE_MAX => both,
        0 | 1 => heading(first),
        _ if over_all.is_empty() => first_words(units, prd),
        _ => over_all,
    }
}

fn path(prd: &Prd, unit: usize) -> Vec<&str> {
    prd.units.get(unit).map(|it| prd.path(it.section)).unwrap_or_default()
}

fn first_words(units: &[usize], prd: &Prd) -> String {
    let first = units.first().and_then(|it| prd.units.get(*it));
    of_requirement(first.map_or("", |it| it.text.as_str()))
}

#[cfg(test)]
mod tests;
