//! What the parts of a document are made of, before all else is put into them.
//!
//! That is the steps which the document gives, or its chapters but for those that only say again
//! what others say. Start at [`units`].

use std::{cmp::Ordering, collections::BTreeMap};

use super::{as_float, length, said};
use crate::{
    plan::terms::{Weights, weigh},
    prd::{Prd, UnitKind, phrases::Tells},
    script::count_words,
};

/// Steps stand for the whole work where there are so many of them for each task.
const STEPS_PER_TASK: f64 = 0.8;

/// A chapter that has so much in common with longer ones says it again.
const REPEATS: f64 = 0.2;

/// Chapters are left out only where so many units are left for each task.
const UNITS_PER_TASK: f64 = 1.5;

/// The units that the parts are made of: the steps of the work where the document has enough of
/// them, otherwise all requirements. Where several chapters give the steps, they say the same
/// in other words, and the longest one leads.
pub(super) fn units(prd: &Prd, tasks: usize) -> Vec<usize> {
    let mut kinds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, unit) in prd.units.iter().enumerate() {
        let is_step = unit.kind != UnitKind::Excluded && count_words(&unit.text) >= 3;
        if let Some(kind) = kind_of_steps(prd, unit.section).filter(|_| is_step) {
            kinds.entry(kind).or_default().push(at);
        }
    }
    let is_enough = |it: &Vec<usize>| as_float(it.len()) >= as_float(tasks) * STEPS_PER_TASK;
    let words = |it: &Vec<usize>| it.iter().map(|unit| length(prd, *unit)).sum::<f64>();
    let longest = kinds.into_values().filter(is_enough);
    let longest = longest.max_by(|one, other| words(one).total_cmp(&words(other)));
    longest.unwrap_or_else(|| {
        let mut requirements: Vec<usize> = prd.requirements().map(|it| it.0).collect();
        requirements.sort_by_cached_key(|it| prd.units.get(*it).map(|it| rank(prd, it.section)));
        without_repeats(prd, requirements, tasks)
    })
}

/// Without the chapters that say again what longer ones say: user flows, acceptance criteria, what
/// the first version has. What is left is enough for the tasks.
fn without_repeats(prd: &Prd, mut units: Vec<usize>, tasks: usize) -> Vec<usize> {
    let enough = as_float(tasks) * UNITS_PER_TASK;
    let mut chapters = chapters(prd, &units);
    loop {
        let spare = |it: &&Chapter| as_float(units.len() - it.units.len()) >= enough;
        let rated = chapters.iter().filter(spare).map(|it| (it.repeats(&chapters), it.at));
        let most = rated.max_by(|one, other| one.0.total_cmp(&other.0));
        let Some((_, at)) = most.filter(|it| it.0 > REPEATS) else { return units };
        for it in chapters.extract_if(.., |it| it.at == at) {
            units.retain(|unit| !it.units.contains(unit));
        }
    }
}

/// What is below one heading right below the title of the document.
struct Chapter {
    /// Its place among all chapters.
    at: usize,
    units: Vec<usize>,
    words: f64,
    /// For each of its units, how much it has in common with the unit of each chapter that is most
    /// like it.
    likeness: Vec<Vec<f64>>,
}

impl Chapter {
    /// How much its units have in common with what a longer chapter says, from 0 to 1.
    fn repeats(&self, among: &[Self]) -> f64 {
        let longer = || among.iter().filter(|it| it.words > self.words);
        let most = |likeness: &Vec<f64>| {
            longer().filter_map(|it| likeness.get(it.at)).copied().fold(0.0, f64::max)
        };
        self.likeness.iter().map(most).sum::<f64>() / as_float(self.units.len())
    }
}

fn chapters(prd: &Prd, units: &[usize]) -> Vec<Chapter> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for unit in units {
        let path = prd.units.get(*unit).map(|it| prd.path(it.section)).unwrap_or_default();
        if let Some(chapter) = path.iter().find(|it| **it != prd.title) {
            places.entry(chapter).or_default().push(*unit);
        }
    }
    let said = weigh(&prd.units.iter().map(|it| said(prd, it)).collect::<Vec<_>>());
    // Each term with the chapters and the units that have it.
    let mut having: BTreeMap<&str, Vec<(usize, usize, f64)>> = BTreeMap::new();
    for (chapter, unit) in
        places.values().enumerate().flat_map(|(at, it)| it.iter().map(move |unit| (at, *unit)))
    {
        for (term, weight) in said.get(unit).into_iter().flat_map(Weights::iter) {
            having.entry(term).or_default().push((chapter, unit, weight));
        }
    }
    let likeness = |unit: &usize| {
        let mut most = vec![0.0; places.len()];
        let Some(own) = said.get(*unit) else { return most };
        let length = own.length();
        let mut shared: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        for (term, weight) in own.iter() {
            for (chapter, other, its) in having.get(term).into_iter().flatten() {
                *shared.entry((*chapter, *other)).or_default() += weight * its;
            }
        }
        for ((chapter, other), shared) in shared {
            let cosine = shared / (length * said.get(other).map_or(1.0, Weights::length));
            if let Some(most) = most.get_mut(chapter) {
                *most = cosine.max(*most);
            }
        }
        most
    };
    let chapter = |(at, units): (usize, &Vec<usize>)| Chapter {
        at,
        units: units.clone(),
        words: units.iter().map(|it| length(prd, *it)).sum(),
        likeness: units.iter().map(likeness).collect(),
    };
    places.values().enumerate().map(chapter).collect()
}

/// When the chapter of a section is worked on, by the innermost heading that tells.
fn rank(prd: &Prd, section: usize) -> Ordering {
    let rank = |title: &&str| {
        let tells = |it: Tells| it.in_heading(title).is_some();
        if tells(Tells::Last) {
            Some(Ordering::Greater)
        } else {
            tells(Tells::First).then_some(Ordering::Less)
        }
    };
    prd.path(section).iter().rev().find_map(rank).unwrap_or(Ordering::Equal)
}

/// What the outermost chapter around a section that gives steps of the work calls them.
pub(in crate::plan) fn kind_of_steps(prd: &Prd, section: usize) -> Option<&'static str> {
    prd.path(section).iter().find_map(|it| Tells::Steps.in_heading(it))
}
