//! A document's requirements in as many parts as there shall be tasks.
//!
//! Every requirement is in exactly one part, parts follow the document, and they end where its
//! chapters end as far as their sizes allow. A model that is asked to divide the work itself
//! repeats what it likes and forgets the rest; so it is divided here, and covered by construction.

use crate::prd::Prd;

/// Neighbouring requirements that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Indices of units, in the order of the document.
    pub units: Vec<usize>,
    /// How many tasks it is worth: more than one only where a document asks for less than the
    /// tasks that are wanted.
    pub tasks: usize,
}

/// Divides the requirements of `prd` among `tasks` tasks.
///
/// The best division by dynamic programming over all places where a part may end: parts of
/// about equal length that cross as few chapters as possible.
pub fn parts(prd: &Prd, tasks: usize) -> Vec<Part> {
    let units: Vec<usize> = prd.requirements().map(|it| it.0).collect();
    let count = tasks.min(units.len());
    let ends = best_ends(&Costs::new(prd, &units, count.max(1)), units.len(), count);
    let mut start = 0;
    let mut parts: Vec<Part> = Vec::with_capacity(count);
    for end in ends {
        let units = units.get(start..end).unwrap_or_default().to_vec();
        parts.push(Part { units, tasks: 1 });
        start = end;
    }
    for _ in count..tasks {
        // The longest for its tasks is the one to be done in steps.
        let length = |it: &Part| it.units.iter().map(|unit| words(prd, *unit)).sum::<f64>();
        let longest = parts.iter_mut().max_by(|one, other| {
            let share = |it: &Part| length(it) / as_float(it.tasks);
            share(one).total_cmp(&share(other))
        });
        if let Some(part) = longest {
            part.tasks += 1;
        }
    }
    parts
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
    fn new(prd: &Prd, units: &[usize], count: usize) -> Self {
        let mut before = vec![0.0];
        let mut turns = vec![0.0];
        let (mut sum, mut turned) = (0.0, 0.0);
        let mut last: Option<usize> = None;
        for unit in units {
            sum += words(prd, *unit);
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

fn words(prd: &Prd, unit: usize) -> f64 {
    // A line of two words is still a thing to do.
    as_float(prd.units.get(unit).map_or(0, |it| it.text.split_whitespace().count() + 6))
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
