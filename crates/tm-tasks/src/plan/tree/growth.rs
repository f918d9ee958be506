//! How a tree grows: level by level, from the whole document to its leaves.
//!
//! A level is a list of pieces. Some of them a model is asked about; whatever it answers, or whether it is asked at all, the pieces below a piece have all of its requirements,
//! each has fewer, and growth ends. Start at [`Growth::new`].

use std::{collections::HashSet, ops::Range};

use super::{
    DEPTH_MAX, Dropped, Made, Node, Reason, Requirement, Source, Stop, TitledBy, Tree,
    dependencies::{Dependencies, Kind, Leaf, dependencies},
    division::{ASKED_MAX, Division, partition},
};
use crate::{
    plan::words,
    prd::{Origin, Span},
};

/// A tree that is not finished.
#[derive(Debug)]
pub struct Growth<'a> {
    division: &'a Division<'a>,
    open: Vec<Piece>,
    done: Vec<Done>,
}

/// A piece of the document that may have to be divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its number among its siblings, and before it those of the pieces it is in.
    path: Vec<usize>,
    /// Positions in the [`Division`].
    pub range: Range<usize>,
    /// The titles of the pieces it is in, outermost first.
    pub ancestors: Vec<String>,
}

/// What a model says about a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub title: String,
    /// Whether it is one piece of work.
    pub reason: Reason,
    /// The position to cut it at if it is not.
    pub cut: usize,
}

#[derive(Debug)]
struct Done {
    piece: Piece,
    title: String,
    titled_by: TitledBy,
    reason: Reason,
    stop: Option<Stop>,
    children: usize,
}

impl Piece {
    /// `1.2` for the second part of the document.
    pub fn id(&self) -> String {
        let numbers: Vec<String> = self.path.iter().map(ToString::to_string).collect();
        numbers.join(".")
    }

    fn is_whole(&self) -> bool {
        self.path.len() == 1
    }
}

impl<'a> Growth<'a> {
    /// A tree of which nothing is known but its document.
    pub fn new(division: &'a Division<'a>) -> Self {
        let whole = Piece { path: vec![1], range: division.whole(), ancestors: Vec::new() };
        Self { division, open: vec![whole], done: Vec::new() }
    }

    /// The pieces of the level that is next, in the order of the document; none when all is done.
    pub fn level(&self) -> &[Piece] {
        &self.open
    }

    /// The positions of which a model is to choose one to cut a piece at; none when it is not to
    /// be asked about it. What is large goes by its headings, so that it is called the same
    /// whatever else changes in it.
    pub fn choices(&self, piece: &Piece) -> Vec<usize> {
        match piece.range.len() {
            2..=ASKED_MAX => self.division.choices(&piece.range),
            _ => Vec::new(),
        }
    }

    /// Goes on to the next level with an answer for each piece of this one, as far as there are
    /// answers.
    pub fn advance(&mut self, answers: Vec<Option<Answer>>) {
        let pieces = std::mem::take(&mut self.open);
        let answers = answers.into_iter().chain(std::iter::repeat(None));
        let mut titles: HashSet<(Vec<usize>, String)> = HashSet::new();
        for (piece, answer) in pieces.into_iter().zip(answers) {
            let (mut title, mut titled_by) = self.title(&piece, answer.as_ref());
            let siblings = piece.path.split_last().map(|it| it.1.to_vec()).unwrap_or_default();
            // Two pieces of one name cannot be told apart; their own words can.
            if !titles.insert((siblings, title.to_lowercase())) {
                (title, titled_by) = (self.division.name(&piece.range), TitledBy::Document);
            }
            let (reason, stop, parts) = self.divide(&piece, answer.as_ref());
            let ancestors = [piece.ancestors.as_slice(), std::slice::from_ref(&title)].concat();
            let children = parts.len();
            self.open.extend(parts.into_iter().zip(1..).map(|(range, number)| Piece {
                path: [piece.path.as_slice(), &[number]].concat(),
                range,
                ancestors: ancestors.clone(),
            }));
            self.done.push(Done { piece, title, titled_by, reason, stop, children });
        }
    }

    /// The pieces that were not divided, in the order of the document.
    pub fn leaves(&mut self) -> Vec<Leaf> {
        self.done.sort_by(|one, other| one.piece.path.cmp(&other.piece.path));
        let leaves = self.done.iter().filter(|it| it.children == 0);
        let leaf = |it: &Done| Leaf { title: it.title.clone(), positions: it.piece.range.clone() };
        leaves.map(leaf).collect()
    }

    /// The finished tree.
    pub fn finish(mut self, origin: &Origin, document: Source, made: Made) -> Tree {
        let leaves = self.leaves();
        let is_leaf = |it: &&Done| it.children == 0;
        let ids: Vec<String> = self.done.iter().filter(is_leaf).map(|it| it.piece.id()).collect();
        let Dependencies { after, dropped } = dependencies(self.division, &leaves);
        let id = |leaf: usize| ids.get(leaf).cloned().unwrap_or_default();
        let mut after = after.into_iter();
        let nodes = self.done.iter().map(|it| {
            let waits_for = if it.children == 0 { after.next() } else { None };
            let waits_for = waits_for.unwrap_or_default().into_iter().map(id).collect();
            self.node(it, origin, waits_for)
        });
        Tree {
            document,
            made,
            requirements: self.requirements(origin),
            nodes: nodes.collect(),
            dropped_dependencies: dropped
                .into_iter()
                .map(|(from, to, kind)| Dropped { from: id(from), to: id(to), because: why(kind) })
                .collect(),
        }
    }

    fn title(&self, piece: &Piece, answer: Option<&Answer>) -> (String, TitledBy) {
        match answer.filter(|_| piece.range.len() > 1) {
            Some(answer) if self.repeats(&answer.title, piece) => {
                (self.division.name(&piece.range), TitledBy::Document)
            }
            Some(answer) => (answer.title.clone(), TitledBy::Model),
            None if piece.is_whole() => (self.division.prd().title.clone(), TitledBy::Document),
            None => (self.division.name(&piece.range), TitledBy::Document),
        }
    }

    /// Whether a title says no more than those above it, and nothing of the piece's own requirements:
    /// small models like to say again what the product is called.
    fn repeats(&self, title: &str, piece: &Piece) -> bool {
        let above: HashSet<String> = piece.ancestors.iter().flat_map(|it| words(it)).collect();
        let said: HashSet<String> =
            piece.range.clone().flat_map(|it| words(self.division.text(it))).collect();
        let title: HashSet<String> = words(title).collect();
        let (again, new): (Vec<&String>, Vec<&String>) =
            title.iter().partition(|it| above.contains(*it));
        again.len() >= new.len().max(1) && !new.into_iter().any(|it| said.contains(it))
    }

    /// Why a piece is divided or not, and its parts.
    fn divide(
        &self,
        piece: &Piece,
        answer: Option<&Answer>,
    ) -> (Reason, Option<Stop>, Vec<Range<usize>>) {
        let range = &piece.range;
        let (reason, parts) = match (range.len(), answer) {
            (0 | 1, _) => return (Reason::OneRequirement, Some(Stop::OneUnit), Vec::new()),
            (2..=ASKED_MAX, None) => return (Reason::NotAsked, Some(Stop::Budget), Vec::new()),
            (2..=ASKED_MAX, Some(answer)) if answer.reason.is_atomic() => {
                return (answer.reason, Some(Stop::Atomic), Vec::new());
            }
            (2..=ASKED_MAX, Some(answer)) => (answer.reason, partition(range, &[answer.cut])),
            _ => (Reason::ManyRequirements, partition(range, &self.division.cuts(range))),
        };
        if piece.path.len() >= DEPTH_MAX {
            return (reason, Some(Stop::Depth), Vec::new());
        }
        // Cuts that are none, which nobody may give, leave two halves.
        let middle = range.start + range.len() / 2;
        let parts = parts.unwrap_or_else(|| vec![range.start..middle, middle..range.end]);
        (reason, None, parts)
    }

    fn node(&self, done: &Done, origin: &Origin, depends_on: Vec<String>) -> Node {
        let id = done.piece.id();
        let range = &done.piece.range;
        let span = |position: usize| self.span(position, origin);
        Node {
            depth: done.piece.path.len(),
            title: done.title.clone(),
            titled_by: done.titled_by,
            requirements: range.clone().map(requirement_id).collect(),
            span: Span {
                start: span(range.start).start,
                end: range.clone().map(|it| span(it).end).max().unwrap_or_default(),
            },
            atomic: done.reason.is_atomic(),
            reason: done.reason,
            stop: done.stop,
            depends_on,
            children: (1..=done.children).map(|it| format!("{id}.{it}")).collect(),
            id,
        }
    }

    fn requirements(&self, origin: &Origin) -> Vec<Requirement> {
        let prd = self.division.prd();
        let units = self.division.units(&self.division.whole());
        let requirement = |(position, unit): (usize, &usize)| {
            let unit = prd.units.get(*unit)?;
            Some(Requirement {
                id: requirement_id(position),
                span: origin.span(&unit.span),
                section: prd.path(unit.section).into_iter().map(str::to_owned).collect(),
                text: unit.text.clone(),
            })
        };
        units.iter().enumerate().filter_map(requirement).collect()
    }

    fn span(&self, position: usize, origin: &Origin) -> Span {
        let unit = self.division.units(&(position..position + 1)).first();
        let unit = unit.and_then(|it| self.division.prd().units.get(*it));
        unit.map_or(Span { start: 0, end: 0 }, |it| origin.span(&it.span))
    }
}

fn requirement_id(position: usize) -> String {
    format!("R{}", position + 1)
}

fn why(kind: Kind) -> String {
    let said = match kind {
        Kind::Reference => "its text refers to it",
        Kind::Words => "they share words",
    };
    format!("{said}, and it waits for this one already")
}

#[cfg(test)]
mod tests;
