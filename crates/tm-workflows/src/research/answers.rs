//! Whether a sentence answers a question, or is only about the same thing: as far as code can tell.
//!
//! How many guests a hall holds is not answered by a sentence without a number, and a sentence that
//! means nearly the same as the question, or has most of its words, is rarely about something
//! else. Between the two, whoever calls asks a model. Start at [`answers`].

use tm_knowledge::terms;

use super::passages::{asked_for, coverage};

/// A sentence with so many words of the question is taken to answer it, where no model knows what
/// they mean.
const MOST_WORDS: f64 = 0.5;

/// A question with more words that matter asks for more than one sentence says.
const ONE_FACT: usize = 8;

/// After `how`, these ask for a number.
const COUNTED: &[&str] =
    &["many", "much", "long", "often", "large", "big", "soon", "quickly", "fast"];

/// Numbers and times that have no digit.
const NUMBERS: &[&str] = &[
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "dozen",
    "hundred",
    "thousand",
    "half",
    "third",
    "quarter",
    "once",
    "twice",
    "never",
    "always",
    "ever",
    "every",
    "each",
    "until",
    "daily",
    "hourly",
    "weekly",
    "monthly",
    "yearly",
    "nightly",
    "none",
    "nothing",
    "all",
    "unlimited",
];

/// Whether the sentence, which stands under `title`, answers the question; none when that cannot be
/// told. `nearness` is how near the two are, and how near is enough.
pub(super) fn answers(
    question: &str,
    title: &str,
    sentence: &str,
    nearness: Option<(f64, f64)>,
) -> Option<bool> {
    if asks_for_much(question) {
        return Some(true);
    }
    if asks_for_a_number(question) && !has_a_number(sentence) {
        return Some(false);
    }
    let is_enough = nearness.map_or_else(
        || coverage(&asked_for(question), &format!("{title}\n{sentence}")) >= MOST_WORDS,
        |(cosine, enough)| cosine >= enough,
    );
    is_enough.then_some(true)
}

/// Whether no single sentence can answer it.
pub(super) fn asks_for_much(question: &str) -> bool {
    asked_for(question).len() > ONE_FACT
}

fn asks_for_a_number(question: &str) -> bool {
    let words: Vec<String> = terms::words(question).collect();
    words.windows(2).any(|it| match it {
        [how, what] => how == "how" && COUNTED.contains(&what.as_str()),
        _ => false,
    })
}

fn has_a_number(sentence: &str) -> bool {
    terms::words(sentence)
        .any(|it| it.chars().any(char::is_numeric) || NUMBERS.contains(&it.as_str()))
}

#[cfg(test)]
mod tests;
