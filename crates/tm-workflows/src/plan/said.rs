//! A task as a small model writes it: short texts one at a time, which it does better than long ones.
//!
//! What it is asked, and how often, is for those that ask.

use std::{collections::HashSet, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_tasks::{
    plan::{alike, assemble::Draft, terms::terms, words},
    script::count_words,
};

use crate::{
    asking::{object, text as text_of},
    language::{called, is_in_another, shortest},
    wording::{clause, ended, is_cut, title, without_number},
};

/// Longest texts, in characters; the grammar ends a text there.
const TITLE_MAX: usize = 72;
const DESCRIPTION_MAX: usize = 220;
const STEP_MAX: usize = 130;
const CHECK_MAX: usize = 140;

/// Words of a title that says what shall be, in place of what is to be done.
const DEMANDS: &[&str] = &["must", "shall", "should"];

/// How members of the answer look that a model wrote into one of its texts.
const MEMBERS: &[&str] = &["\":\"", "\": \"", "`:`", "when:", "then:"];

/// An answer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Said {
    title: String,
    description: String,
    steps: Vec<String>,
    check: Check,
    /// Empty where it was not asked for.
    #[serde(default)]
    priority: String,
}

/// A test in two halves, so that none is without something to see. Asked for what a tester does, a small
/// model tells to do the task; asked for what happens when it is done, it cannot.
#[derive(Debug, Clone, Deserialize)]
struct Check {
    when: String,
    then: String,
}

/// A task as it is read from an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) details: String,
    #[serde(rename = "testStrategy")]
    pub(super) test_strategy: String,
    priority: String,
}

impl Detail {
    /// The task with the requirements it answers for, word for word, so that no name or number
    /// of the document is lost on the way.
    pub(super) fn draft(self, requirements: &[&str]) -> Draft {
        Draft {
            title: self.title,
            description: self.description,
            details: self.details + &listed(requirements),
            test_strategy: self.test_strategy,
            priority: self.priority,
            ..Draft::default()
        }
    }
}

/// What the details of a task end with.
pub(super) fn listed(requirements: &[&str]) -> String {
    let heading = if requirements.is_empty() { "" } else { "\n\nRequirements:" };
    let each = requirements.iter().flat_map(|it| ["\n- ", it]);
    std::iter::once(heading).chain(each).collect()
}

/// What an answer is looked at with.
pub(super) struct Asked<'a> {
    /// What the task has to do.
    pub(super) requirements: &'a [String],
    /// Small models copy them.
    pub(super) examples: &'a str,
    pub(super) language: &'a str,
    /// Whether the requirements are in another language, so that a task has none of their words, whatever
    /// it is about.
    pub(super) is_translated: bool,
}

/// What makes a task useless though its form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weakness {
    pub(super) of: Member,
    /// In words for the model.
    pub(super) fault: String,
}

/// What of a task is to be written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Title,
    Check,
    All,
}

impl Asked<'_> {
    /// The task, and its weaknesses: one of all of it, or those of members that can be written alone.
    pub(super) fn read(&self, value: Value) -> Result<(Detail, Vec<Weakness>), String> {
        let said: Said = serde_json::from_value(value).map_err(|it| it.to_string())?;
        Ok((read(&said, self.language)?, weaknesses(&said, self)))
    }
}

fn weaknesses(said: &Said, asked: &Asked<'_>) -> Vec<Weakness> {
    let of = |of, fault: Option<String>| fault.map(|fault| Weakness { of, fault });
    if let Some(all) = of(Member::All, fault_of_all(said, asked)) {
        return vec![all];
    }
    let title = of(Member::Title, fault_of_title(&said.title, asked));
    title.into_iter().chain(of(Member::Check, fault_of_check(said, asked))).collect()
}

fn fault_of_all(said: &Said, asked: &Asked<'_>) -> Option<String> {
    let (Check { when, then }, language) = (&said.check, asked.language);
    if is_in_another(&[&said.text(), when.trim(), then.trim()].join("\n"), language) {
        return Some(format!("it was not written in {language}"));
    }
    if alike(&said.description, &said.title) {
        return Some(format!(
            "its description says no more than the title: “{}”",
            said.description
        ));
    }
    let steps = steps(&said.steps);
    (steps.len() < 2).then(|| format!("its steps say the same: “{}”", steps.concat()))
}

fn fault_of_title(title: &str, asked: &Asked<'_>) -> Option<String> {
    let required: HashSet<String> = asked.requirements.iter().flat_map(|it| words(it)).collect();
    let fault = if !asked.is_translated && !words(title).any(|it| required.contains(&it)) {
        "is not about its requirements"
    } else if title.contains('|') {
        "is a row of a table"
    } else if says(title, DEMANDS) {
        "is a demand, not a piece of work"
    } else {
        return None;
    };
    Some(format!("its title “{title}” {fault}"))
}

fn fault_of_check(said: &Said, asked: &Asked<'_>) -> Option<String> {
    let (when, then) = (said.check.when.trim(), said.check.then.trim());
    let about: HashSet<String> = words(&said.text()).collect();
    let is_required = asked.requirements.iter().any(|it| it.contains(when));
    let is_copied = asked.examples.contains(when) && !is_required;
    let is_about = [when, then].into_iter().flat_map(terms).any(|it| about.contains(&it));
    if is_copied || !is_about {
        return Some(format!("its check is not about the task: “{when}”"));
    }
    let is_about_tasks =
        || says(&(asked.requirements.join("\n") + "\n" + &said.text()), &["task", "tasks"]);
    if says(&format!("{when} {then}"), &["task"]) && !is_about_tasks() {
        return Some(format!("its check says that the task is done, not what is seen: “{then}”"));
    }
    if alike(when, then) {
        return Some(format!("its check sees what it does: “{then}”"));
    }
    said.check.fault()
}

impl Said {
    /// All that is said of what is to be done.
    fn text(&self) -> String {
        [&self.title, &self.description, &self.steps.join("\n")].map(String::as_str).join("\n")
    }
}

impl Check {
    fn fault(&self) -> Option<String> {
        [&self.when, &self.then].into_iter().find_map(|it| text("check", it, CHECK_MAX).err())
    }

    fn strategy(&self, language: &str) -> String {
        let [when, then] = [&self.when, &self.then].map(|it| ended(&clause(it, CHECK_MAX)));
        match called(language).map(|it| it.expected) {
            // Full-width signs have their space in them.
            Some(expected) if expected.ends_with('：') => format!("{when}{expected}{then}"),
            Some(expected) => format!("{when} {expected} {then}"),
            // The order of the two says it.
            None => format!("{when} {then}"),
        }
    }
}

/// A task of which one member is written again, and what else there is of it stays: it takes a tenth of the
/// time, and what was good cannot become worse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mending<'a> {
    pub(super) detail: &'a Detail,
    pub(super) member: Member,
    pub(super) language: &'a str,
}

impl Mending<'_> {
    /// What the question for the task ends with, and the schema of its answer; none where all of the task
    /// is to be written.
    pub(super) fn question(&self) -> Option<(String, Value)> {
        let Detail { title, description, details, .. } = self.detail;
        let schema = match self.member {
            Member::Title => json!({"title": title_schema(self.language)}),
            Member::Check => json!({"check": check_schema(self.language)}),
            Member::All => return None,
        };
        let text = match self.member {
            Member::Title => format!(
                "This is written of it already:\n{description}\n{details}\nWrite only its \"title\"."
            ),
            Member::Check | Member::All => format!(
                "This is written of it already:\n{title}\n{description}\n{details}\nWrite only its \"check\"."
            ),
        };
        Some((text, object(&schema)))
    }

    /// The task with the answer to that.
    pub(super) fn read(&self, value: Value) -> Result<Detail, String> {
        let mended: Mended = serde_json::from_value(value).map_err(|it| it.to_string())?;
        let mut detail = self.detail.clone();
        match (self.member, mended) {
            (Member::Title, Mended { title: Some(title), .. }) => detail.title = tidied(&title),
            (Member::Check, Mended { check: Some(check), .. }) => match check.fault() {
                Some(fault) => return Err(fault),
                None => detail.test_strategy = check.strategy(self.language),
            },
            (Member::Title | Member::Check | Member::All, _) => {
                return Err("it is not what was asked for".to_owned());
            }
        }
        Ok(detail)
    }
}

/// An answer with one member.
#[derive(Debug, Deserialize)]
struct Mended {
    title: Option<String>,
    check: Option<Check>,
}

/// Whether a text has one of these words.
fn says(text: &str, any: &[&str]) -> bool {
    let mut words = text.split(|it: char| !it.is_alphanumeric());
    words.any(|word| any.iter().any(|it| word.eq_ignore_ascii_case(it)))
}

fn read(said: &Said, language: &str) -> Result<Detail, String> {
    let description = text("description", &said.description, DESCRIPTION_MAX)?;
    let steps = steps(&said.steps).into_iter().enumerate();
    let numbered: Vec<String> = steps.map(|(at, it)| format!("{}. {it}", at + 1)).collect();
    Ok(Detail {
        title: tidied(&said.title),
        description,
        details: numbered.join("\n"),
        test_strategy: said.check.strategy(language),
        priority: said.priority.clone(),
    })
}

/// A text of whole sentences, or what is wrong with it in words for the model.
fn text(name: &str, said: &str, longest: usize) -> Result<String, String> {
    let text = clause(said, longest);
    if count_words(&text) < 4 {
        return Err(format!("its {name} says too little: “{text}”"));
    }
    Ok(text)
}

/// The steps without numbers, each of them once.
fn steps(said: &[String]) -> Vec<String> {
    let mut steps: Vec<String> = Vec::with_capacity(said.len());
    let mut was_cut = false;
    for step in said {
        // A model whose step the grammar ended writes the rest of it as the next one.
        let goes_on = was_cut && step.trim_start().starts_with(char::is_lowercase);
        was_cut = is_cut(step.trim(), STEP_MAX);
        // One that ends a member and begins the next is none.
        let is_form = step.trim_start().starts_with(['}', ']']);
        if goes_on || is_form || MEMBERS.iter().any(|it| step.contains(it)) {
            continue;
        }
        let step = step.trim().lines().next().unwrap_or_default();
        let step = ended(without_number(&clause(step, STEP_MAX)));
        if !steps.iter().any(|it| it.to_lowercase() == step.to_lowercase()) {
            steps.push(step);
        }
    }
    steps
}

/// The schema of an answer with so many steps, by its members; it may be asked for more.
pub(super) fn properties(language: &str, steps: RangeInclusive<usize>) -> Value {
    let text = |least: usize, most: usize| text_of(shortest(least, language), most);
    json!({
        "title": title_schema(language),
        "description": text(20, DESCRIPTION_MAX),
        "steps": {
            "type": "array",
            "items": text(15, STEP_MAX),
            "minItems": steps.start(),
            "maxItems": steps.end(),
        },
        "check": check_schema(language),
    })
}

fn check_schema(language: &str) -> Value {
    let half = text_of(shortest(15, language), CHECK_MAX);
    object(&json!({"when": half, "then": half}))
}

pub(super) fn title_schema(language: &str) -> Value {
    text_of(shortest(12, language), TITLE_MAX)
}

/// A title as a person would end it, of no more characters than others have.
pub(super) fn tidied(said: &str) -> String {
    title(said, TITLE_MAX)
}

/// A title of the first words of a text.
pub(super) fn first_words(text: &str) -> String {
    tidied(&text.chars().take(TITLE_MAX).collect::<String>())
}

#[cfg(test)]
mod tests;
