//! What was tried, and what became of it. Start at [`Attempt`].

use std::fmt;

use serde::{Serialize, Serializer};

use super::{
    doubt::Doubt,
    proposal::end_of,
    step::{Action, Step},
};

/// Some steps from the clean state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Attempt {
    pub steps: Vec<Tried>,
    /// What was different in the end, as a patch.
    pub patch: String,
    pub resolved: bool,
}

/// A step, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// None when the model named none that could be used.
    pub step: Option<Step>,
    pub became: Became,
    /// The end of what was printed.
    pub output: String,
}

/// What became of a step; for people and in JSON that is in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// The check passed.
    Passed,
    /// The check passed, and nothing else speaks for it.
    Unproved(Doubt),
    /// A command, the proof or the check did not.
    Failed(String),
    /// It was not allowed, or not possible.
    NotDone(String),
    /// The user said so.
    NotWanted,
    /// The model named none.
    NoStep(String),
    /// The check passed, for what proves nothing.
    DoesNotCount(String),
}

impl Attempt {
    pub(super) fn note(&mut self, step: Option<Step>, became: Became) {
        self.steps.push(Tried { step, became, output: String::new() });
    }
}

impl Tried {
    /// Whether anything was run, or was to be.
    pub fn is_tried(&self) -> bool {
        self.step.is_some() && self.became != Became::NotWanted
    }

    /// For the model that has to think of something else.
    pub(super) fn told(&self) -> Option<String> {
        let step = self.step.as_ref()?;
        let what = match &step.action {
            Action::Run(command) => format!("`{command}` was run."),
            Action::Edit(edit) => {
                format!("{} was changed to:\n{}\n", edit.path, edit.new.join("\n"))
            }
        };
        let last = self.output.lines().rev().find(|it| !it.trim().is_empty()).unwrap_or_default();
        Some(format!("{what} Then {}: {}", self.became, end_of(last)))
    }
}

impl fmt::Display for Became {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("the check passed"),
            Self::Unproved(doubt) => write!(f, "the check passed, which proves nothing: {doubt}"),
            Self::Failed(how) => f.write_str(how),
            Self::NotDone(why) => write!(f, "was not done: {why}"),
            Self::NotWanted => f.write_str("was not wanted"),
            Self::NoStep(why) => write!(f, "the model named no step: {why}"),
            Self::DoesNotCount(why) => write!(f, "does not count: {why}"),
        }
    }
}

impl Serialize for Became {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
