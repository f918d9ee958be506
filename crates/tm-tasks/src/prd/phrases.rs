//! What headings and demands are known by, in the languages that documents are written in.
//!
//! The phrases are in `phrases.txt`. What follows from them is decided where they are looked for.

use std::{collections::HashMap, sync::LazyLock};

use crate::script::is_unspaced;

/// What a phrase tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tells {
    /// A heading over what is not to be built.
    Excluded,
    /// A heading over requirements, whatever stands above it.
    Required,
    /// A heading over what explains.
    Context,
    /// A heading over the steps in which a product is to be built.
    Steps,
    /// A heading over what all else stands on.
    First,
    /// A heading over what comes when all else is there.
    Last,
    /// A heading over what everything is built with: tasks that do not name it use something else.
    BuiltWith,
    /// A sentence that demands something.
    Demand,
}

const NAMES: &[(&str, Tells)] = &[
    ("excluded", Tells::Excluded),
    ("required", Tells::Required),
    ("context", Tells::Context),
    ("steps", Tells::Steps),
    ("first", Tells::First),
    ("last", Tells::Last),
    ("built with", Tells::BuiltWith),
    ("demand", Tells::Demand),
];

static PHRASES: LazyLock<HashMap<Tells, Vec<&str>>> =
    LazyLock::new(|| read(include_str!("phrases.txt")));

impl Tells {
    /// The phrase in a heading that tells it.
    pub(crate) fn in_heading(self, heading: &str) -> Option<&'static str> {
        let heading = heading.to_lowercase();
        let bare = without_number(&heading);
        self.phrases().find(|it| match it.strip_prefix('=') {
            Some(whole) => bare == whole,
            None => heading.contains(it),
        })
    }

    /// Whether a sentence has a word that tells it.
    pub(crate) fn is_in_sentence(self, sentence: &str) -> bool {
        let padded = format!(" {} ", sentence.to_lowercase());
        self.phrases().any(|it| {
            if it.starts_with(is_unspaced) {
                padded.contains(it)
            } else {
                padded.contains(&format!(" {it} "))
            }
        })
    }

    fn phrases(self) -> impl Iterator<Item = &'static str> {
        PHRASES.get(&self).into_iter().flatten().copied()
    }
}

/// A heading without its number and its marks: of `2. Ziele`, `一、目标` and `목표:` the word.
fn without_number(heading: &str) -> &str {
    let numerals = "一二三四五六七八九十";
    let bare = match heading.split_once('、') {
        Some((number, rest)) if number.chars().all(|it| numerals.contains(it)) => rest,
        _ => heading,
    };
    bare.trim_matches(|it: char| !it.is_alphabetic())
}

fn read(text: &'static str) -> HashMap<Tells, Vec<&'static str>> {
    let mut phrases: HashMap<Tells, Vec<&str>> = HashMap::new();
    let mut tells = None;
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            tells = NAMES.iter().find(|it| it.0 == name).map(|it| it.1);
        } else if let (Some(tells), Some((_, list))) = (tells, line.split_once(": ")) {
            phrases.entry(tells).or_default().extend(list.split("; "));
        }
    }
    phrases
}

#[cfg(test)]
mod tests;
