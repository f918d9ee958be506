//! How a plan says it, whatever it says: whether its tasks can be worked on.
//!
//! Needs neither the document nor another plan. Words that have nothing to do with each other do
//! not pass for a task: each part must take up what the others are about.

use std::collections::{BTreeSet, HashSet};

use tm_tasks::{graph::Graph, id::TaskId, plan::alike, task::Task};

use super::{
    matching::waits,
    said::{Said, length, mean, portion, share, statements, term_set},
};

/// Words with which somebody says what is seen, or looks. Beginnings, because words are inflected.
const OBSERVED: &[&str] = &[
    "assert",
    "check",
    "compar",
    "confirm",
    "ensur",
    "expect",
    "inspect",
    "measur",
    "observ",
    "return",
    "see",
    "show",
    "simulat",
    "test",
    "validat",
    "verif",
    "prüf",
    "zeig",
    "sicherstell",
    "erwart",
    "verwacht",
    "comprob",
    "prueba",
    "esperad",
    "attes",
    "attendu",
    "probar",
    "teste",
    "vérifi",
    "s'assur",
    "garant",
    "testa",
    "controle",
    "провер",
    "ожида",
    "тест",
    "убед",
    "确认",
    "验证",
    "测试",
    "预期",
    "預期",
    "検証",
    "確認",
    "テスト",
    "期待",
    "검증",
    "확인",
    "테스트",
    "예상",
];

/// Verbs of making something. A test that begins with one, and looks at nothing in that sentence, is the
/// work over again. Of 1,295 test strategies that strong models wrote one does, of 214 of a small one 41.
const MADE: &[&str] = &[
    "build",
    "configure",
    "create",
    "define",
    "deploy",
    "design",
    "develop",
    "enhance",
    "extend",
    "implement",
    "initialize",
    "install",
    "integrate",
    "optimize",
    "refactor",
    "set up",
    "setup",
];

/// Things that are made for a test.
const FOR_A_TEST: &[&str] =
    &["benchmark", "dummy", "example", "fixture", "mock", "sample", "scenario", "script"];

/// Words that a finished title does not end with.
const DANGLING: &[&str] =
    &["a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with"];

/// Tasks that share this much of their terms are one task.
const REPEATED: f64 = 0.8;

/// Whether the file is sound: fields that are there, ids that are their own, dependencies that
/// exist, come before and form no circle. The mean of the five.
pub(super) fn structure(plan: &[Task]) -> f64 {
    let ids: Vec<TaskId> = plan.iter().map(Task::id).collect();
    let own: HashSet<&TaskId> = ids.iter().collect();
    let sound = plan.iter().filter(|it| it.faults().is_empty()).count();
    let named: usize = plan.iter().map(|it| it.dependencies().len()).sum();
    let missing =
        plan.iter().flat_map(Task::dependencies).filter(|it| !own.contains(&it.parent())).count();
    let waits = waits(plan);
    let edges: usize = waits.iter().map(BTreeSet::len).sum();
    let backwards = waits.iter().enumerate().flat_map(|(own, it)| it.range(own..)).count();
    let is_acyclic = Graph::new(plan).cycles().is_empty();
    let without = |bad: usize, all: usize| if bad == 0 { 1.0 } else { 1.0 - portion(bad, all) };
    if plan.is_empty() {
        return 0.0;
    }
    let parts = [
        portion(sound, plan.len()),
        portion(own.len(), plan.len()),
        without(missing, named),
        without(backwards, edges),
        f64::from(is_acyclic),
    ];
    parts.iter().sum::<f64>() / 5.0
}

/// A title names the work in a line, ends where it should, and what it says is taken up below it.
pub(super) fn title(said: &Said) -> f64 {
    let title = said.title.trim();
    let last = title.rsplit(' ').next().unwrap_or_default();
    let ends = !title.ends_with(['.', ',', ':', ';', '…']) && !DANGLING.contains(&last);
    let fits = (2..=14).contains(&length(title)) && title.chars().count() <= 100;
    if ends && fits { taken_up(title, &said.body()) } else { 0.0 }
}

/// The description says what, the details say how: more than the description, nothing twice, and
/// about the same thing. The mean of the four, times how much of the description is taken up.
pub(super) fn details(said: &Said) -> f64 {
    let described = term_set(&[said.title.as_str(), &said.description].join(" "));
    let added = term_set(&said.details).difference(&described).count();
    let statements = statements(&said.details);
    let once: HashSet<&&str> = statements.iter().collect();
    let parts = [
        length(&said.description) >= 4,
        length(&said.details) >= 12,
        added >= 8,
        !statements.is_empty() && once.len() == statements.len(),
    ];
    let said_of = [said.title.as_str(), &said.description].join(" ");
    mean(parts.map(f64::from)).unwrap_or_default() * taken_up(&said_of, &said.details)
}

/// 1 for a test strategy that says what is looked at, is about this task and does not begin by doing it.
pub(super) fn test_strategy(said: &Said) -> f64 {
    let text = said.test_strategy.to_lowercase();
    let looks = has_word(&text, OBSERVED) && !makes(&text);
    let about = term_set(&[said.title.as_str(), &said.body()].join(" "));
    let is_about = share(&term_set(&text), &about) >= 0.25;
    f64::from(looks && is_about && length(&text) >= 5)
}

/// Whether the first sentence tells to make what is to be tested.
fn makes(strategy: &str) -> bool {
    let first = statements(strategy).first().copied().unwrap_or_default();
    let first = first.trim_start_matches(|it: char| !it.is_alphabetic());
    let begins = |verb: &&str| first.strip_prefix(verb).is_some_and(|it| it.starts_with(' '));
    MADE.iter().any(begins) && !has_word(first, OBSERVED) && !has_word(first, FOR_A_TEST)
}

fn has_word(text: &str, words: &[&str]) -> bool {
    text.split(char::is_whitespace)
        .map(|it| it.trim_start_matches(|it: char| !it.is_alphanumeric()))
        .any(|word| words.iter().any(|it| begins(word, it)))
}

/// The share of tasks that are none of those before them over again.
pub(super) fn distinct(plan: &[Said]) -> f64 {
    let terms: Vec<BTreeSet<String>> = plan.iter().map(|it| term_set(&it.whole())).collect();
    let mut repeated = 0;
    for (at, (said, own)) in plan.iter().zip(&terms).enumerate() {
        let is_same = |(other, its): (&Said, &BTreeSet<String>)| {
            let either = own.union(its).count();
            let near = portion(own.intersection(its).count(), either) >= REPEATED;
            near || (!term_set(&said.title).is_empty() && alike(&said.title, &other.title))
        };
        repeated += usize::from(plan.iter().zip(&terms).take(at).any(is_same));
    }
    portion(plan.len() - repeated, plan.len())
}

/// Half of the words is enough: the rest may be said in others.
fn taken_up(part: &str, whole: &str) -> f64 {
    (2.0 * share(&term_set(part), &term_set(whole))).min(1.0)
}

/// Words of scripts without spaces may begin anywhere.
fn begins(word: &str, with: &str) -> bool {
    if with.starts_with(|it: char| it >= '\u{3000}') {
        word.contains(with)
    } else {
        word.starts_with(with)
    }
}

#[cfg(test)]
mod tests;
