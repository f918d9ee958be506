//! A document's requirements in as many parts as there shall be tasks.
//!
//! Every requirement is in exactly one part. A document that says in which steps it is to be built
//! is divided by these steps, any other by its chapters; what the rest of the document says about
//! a step goes where it has most words in common. A model that is asked to divide the work itself
//! repeats what it likes and forgets the rest; so it is divided here, and covered by construction.

use super::terms::{Counts, Weights, count, weigh};
use crate::{
    prd::{Prd, Unit},
    script::count_words,
};
pub(super) use leading::kind_of_steps;

mod leading;

/// Requirements that are worked on together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Indices of units: first those that the part was made for, then what else is said about it,
    /// both in the order of the document.
    pub units: Vec<usize>,
    /// How many tasks it is worth: more than one only where a document asks for less than the
    /// tasks that are wanted.
    pub tasks: usize,
}

/// Less has a unit in common with a step that it is about something else.
const ABOUT_STEP: f64 = 0.08;

/// Divides the requirements of `prd` among `tasks` tasks.
///
/// The best division by dynamic programming over all places where a part may end: parts of
/// about equal length, with what else is said about them, that cross as few chapters as possible.
pub fn parts(prd: &Prd, tasks: usize) -> Vec<Part> {
    let leading = leading::units(prd, tasks);
    let others: Vec<usize> =
        prd.requirements().map(|it| it.0).filter(|it| !leading.contains(it)).collect();
    let count = tasks.min(leading.len());
    let lengths = lengths(prd, &leading, &others);
    let costs = Costs::new(prd, &leading, &lengths, count.max(1));
    let mut parts = cut(&leading, &costs, count);
    join(prd, &mut parts, &others);
    for _ in count..tasks {
        // The longest for its tasks is the one to be done in steps.
        let length = |it: &Part| it.units.iter().map(|unit| length(prd, *unit)).sum::<f64>();
        let longest = parts.iter_mut().max_by(|one, other| {
            let share = |it: &Part| length(it) / as_float(it.tasks);
            share(one).total_cmp(&share(other))
        });
        if let Some(part) = longest {
            part.tasks += 1;
        }
    }
    parts.into_iter().flat_map(|it| divided(prd, it)).collect()
}

/// Consecutive units in `count` parts.
fn cut(units: &[usize], costs: &Costs, count: usize) -> Vec<Part> {
    let mut start = 0;
    let part = |end: usize| {
        let units = units.get(start..end).unwrap_or_default().to_vec();
        start = end;
        Part { units, tasks: 1 }
    };
    best_ends(costs, units.len(), count).into_iter().map(part).collect()
}

/// A part that is worth several tasks, in as many, as far as it has units.
fn divided(prd: &Prd, part: Part) -> Vec<Part> {
    let count = part.tasks.min(part.units.len());
    if count < 2 {
        return vec![part];
    }
    let lengths: Vec<f64> = part.units.iter().map(|it| length(prd, *it)).collect();
    let costs = Costs::new(prd, &part.units, &lengths, count);
    let mut parts = cut(&part.units, &costs, count);
    if let Some(last) = parts.last_mut() {
        last.tasks += part.tasks - count;
    }
    parts
}

/// How much each leading unit says, and what others say about it.
fn lengths(prd: &Prd, leading: &[usize], others: &[usize]) -> Vec<f64> {
    let mut lengths: Vec<f64> = leading.iter().map(|it| length(prd, *it)).collect();
    let said = weigh(&prd.units.iter().map(|it| said(prd, it)).collect::<Vec<_>>());
    for other in others {
        let Some(other_said) = said.get(*other) else { continue };
        let likeness = |it: &usize| said.get(*it).map_or(0.0, |it| it.cosine(other_said));
        let about = nearest(leading.iter().map(likeness));
        if let Some((at, likeness)) = about
            && likeness > ABOUT_STEP
            && let Some(total) = lengths.get_mut(at)
        {
            *total += length(prd, *other);
        }
    }
    lengths
}

/// Puts each of the other units into the part that it has most in common with.
fn join(prd: &Prd, parts: &mut [Part], others: &[usize]) {
    let of_part = |part: &Part| {
        let mut counts = Counts::new();
        for unit in part.units.iter().filter_map(|it| prd.units.get(*it)) {
            for (word, count) in said(prd, unit) {
                *counts.entry(word).or_default() += count;
            }
        }
        counts
    };
    let units = others.iter().filter_map(|it| prd.units.get(*it)).map(|it| said(prd, it));
    let weights = weigh(&parts.iter().map(of_part).chain(units).collect::<Vec<Counts>>());
    let (parts_said, units_said) = weights.split_at(parts.len().min(weights.len()));
    for (unit, own) in others.iter().zip(units_said) {
        let likeness = parts_said.iter().map(|it: &Weights| it.cosine(own));
        if let Some(part) = nearest(likeness).and_then(|it| parts.get_mut(it.0)) {
            part.units.push(*unit);
        }
    }
}

/// Where the greatest likeness is, the first of equals, and how great.
fn nearest(likeness: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    likeness.enumerate().reduce(|best, it| if it.1 > best.1 { it } else { best })
}

/// The words of a unit and of the heading above it.
fn said(prd: &Prd, unit: &Unit) -> Counts {
    let path = prd.path(unit.section);
    count(path.last().copied().into_iter().chain([unit.text.as_str()]))
}

/// What makes a part a bad one.
struct Costs {
    /// Words before each unit, and before the end.
    before: Vec<f64>,
    /// Chapters begun up to each unit, the outer ones counting more.
    turns: Vec<f64>,
    target: f64,
}

impl Costs {
    fn new(prd: &Prd, units: &[usize], lengths: &[f64], count: usize) -> Self {
        let mut before = vec![0.0];
        let mut turns = vec![0.0];
        let (mut sum, mut turned) = (0.0, 0.0);
        let mut last: Option<usize> = None;
        for (unit, length) in units.iter().zip(lengths) {
            sum += length;
            before.push(sum);
            let section = prd.units.get(*unit).map(|it| it.section);
            turned += match (last, section) {
                (Some(last), Some(now)) if last != now => distance(prd, last, now),
                _ => 0.0,
            };
            last = section;
            turns.push(turned);
        }
        Self { before, turns, target: sum / as_float(count) }
    }

    /// Of a part that holds the units from `start` up to `end`.
    fn of(&self, start: usize, end: usize) -> f64 {
        let at = |list: &[f64], index: usize| list.get(index).copied().unwrap_or_default();
        let length = (at(&self.before, end) - at(&self.before, start)) / self.target;
        let crossed = at(&self.turns, end) - at(&self.turns, start + 1);
        (length - 1.0).powi(2) + crossed
    }
}

/// A change of chapter costs as much as a part of twice the length, one of paragraph half of it.
fn distance(prd: &Prd, one: usize, other: usize) -> f64 {
    let common = prd.path(one).iter().zip(prd.path(other)).filter(|(a, b)| **a == *b).count();
    let depth = prd.path(one).len().max(prd.path(other).len());
    if depth <= common + 1 && common > 1 { 0.4 } else { 0.8 }
}

fn length(prd: &Prd, unit: usize) -> f64 {
    // A line of two words is still a thing to do.
    as_float(prd.units.get(unit).map_or(0, |it| count_words(&it.text) + 6))
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Where the parts end: `count` ascending positions, the last one `units`.
fn best_ends(costs: &Costs, units: usize, count: usize) -> Vec<usize> {
    // best[n]: the cost of the first n units in the parts so far, and where the last one starts.
    let mut best: Vec<f64> = vec![f64::INFINITY; units + 1];
    if let Some(first) = best.first_mut() {
        *first = 0.0;
    }
    let mut starts: Vec<Vec<usize>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut next = vec![f64::INFINITY; units + 1];
        let mut from = vec![0; units + 1];
        for (end, (next, from)) in next.iter_mut().zip(&mut from).enumerate() {
            for (start, cost) in best.iter().enumerate().take(end).filter(|it| it.1.is_finite()) {
                let cost = cost + costs.of(start, end);
                if cost < *next {
                    (*next, *from) = (cost, start);
                }
            }
        }
        best = next;
        starts.push(from);
    }
    let mut ends = Vec::with_capacity(count);
    let mut end = units;
    for from in starts.iter().rev() {
        ends.push(end);
        end = from.get(end).copied().unwrap_or_default();
    }
    ends.reverse();
    ends
}

#[cfg(test)]
mod tests;
