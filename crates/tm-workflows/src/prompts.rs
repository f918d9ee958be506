//! Prompts: Markdown files with typed variables, rendered by one function.
//!
//! Each prompt is a file in `prompts/`, compiled in; a project may have its own of the same name in
//! place of it. A change of wording is a change of the version where answers are saved, so that work
//! under other words is not taken up again. Start at [`Prompts`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use tm_tasks::digest::sha256_hex;

/// One prompt file.
#[derive(Debug, Clone, Copy)]
pub struct Prompt {
    name: &'static str,
    text: &'static str,
}

macro_rules! prompt {
    ($file:literal) => {
        Prompt { name: $file, text: include_str!(concat!("../prompts/", $file, ".md")) }
    };
}

pub(crate) const ADD_TASK: Prompt = prompt!("add_task");
pub(crate) const AGENT_START: Prompt = prompt!("start/task");
pub(crate) const LOOP_FRAME: Prompt = prompt!("loop/frame");
pub(crate) const LOOP_DEFAULT: Prompt = prompt!("loop/default");
pub(crate) const LOOP_TEST_COVERAGE: Prompt = prompt!("loop/test-coverage");
pub(crate) const LOOP_LINTING: Prompt = prompt!("loop/linting");
pub(crate) const LOOP_DUPLICATION: Prompt = prompt!("loop/duplication");
pub(crate) const LOOP_ENTROPY: Prompt = prompt!("loop/entropy");
pub(crate) const ASKING_SYSTEM: Prompt = prompt!("asking/system");
pub(crate) const COMPLEXITY_TASK: Prompt = prompt!("complexity_task");
pub(crate) const COMPLEXITY_WHOLE: Prompt = prompt!("complexity_whole");
/// A measure: no project has its own.
pub(crate) const EVALUATE_SAYS: Prompt = prompt!("evaluate/says");
pub(crate) const EXPAND: Prompt = prompt!("expand");
pub(crate) const EXPAND_PART: Prompt = prompt!("expand_part");
pub(crate) const NOTE_SUBTASK: Prompt = prompt!("note_subtask");
pub(crate) const NOTE_TASK: Prompt = prompt!("note_task");
pub(crate) const PARSE_PRD_SYSTEM: Prompt = prompt!("parse_prd/system");
pub(crate) const PARSE_PRD_DOCUMENT: Prompt = prompt!("parse_prd/document");
pub(crate) const PARSE_PRD_REPLACE: Prompt = prompt!("parse_prd/replace");
pub(crate) const PARSE_PRD_DETAIL: Prompt = prompt!("parse_prd/detail");
pub(crate) const PARSE_PRD_WHOLE: Prompt = prompt!("parse_prd/whole");
pub(crate) const RECOVER_SITUATION: Prompt = prompt!("recover/situation");
pub(crate) const RECOVER_CHOICE: Prompt = prompt!("recover/choice");
pub(crate) const RECOVER_EDIT: Prompt = prompt!("recover/edit");
pub(crate) const RECOVER_WRITE: Prompt = prompt!("recover/write");
pub(crate) const RESEARCH_SYSTEM: Prompt = prompt!("research/system");
pub(crate) const RESEARCH_QUESTION: Prompt = prompt!("research/question");
pub(crate) const RESEARCH_PLAN: Prompt = prompt!("research/plan");
pub(crate) const RESEARCH_ANSWERS: Prompt = prompt!("research/answers");
pub(crate) const RESEARCH_ANSWER: Prompt = prompt!("research/answer");

pub(crate) const SPLIT_PRD_SYSTEM: Prompt = prompt!("split_prd/system");
pub(crate) const SPLIT_PRD_NODE: Prompt = prompt!("split_prd/node");
pub(crate) const SCOPE: Prompt = prompt!("scope");
pub(crate) const UPDATE_TASK: Prompt = prompt!("update_task");
pub(crate) const UPDATE_TASKS: Prompt = prompt!("update_tasks");

/// Those whose answers are kept for later.
const SAVED: [Prompt; 4] =
    [PARSE_PRD_SYSTEM, PARSE_PRD_DOCUMENT, PARSE_PRD_REPLACE, PARSE_PRD_DETAIL];

/// Those that a project may have its own of: all that models are asked here.
const REPLACEABLE: &[Prompt] = &[
    ADD_TASK,
    ASKING_SYSTEM,
    COMPLEXITY_TASK,
    COMPLEXITY_WHOLE,
    EXPAND,
    EXPAND_PART,
    NOTE_SUBTASK,
    NOTE_TASK,
    PARSE_PRD_SYSTEM,
    PARSE_PRD_DOCUMENT,
    PARSE_PRD_REPLACE,
    PARSE_PRD_DETAIL,
    PARSE_PRD_WHOLE,
    RECOVER_SITUATION,
    RECOVER_CHOICE,
    RECOVER_EDIT,
    RECOVER_WRITE,
    RESEARCH_SYSTEM,
    RESEARCH_QUESTION,
    RESEARCH_PLAN,
    RESEARCH_ANSWERS,
    RESEARCH_ANSWER,
    SCOPE,
    SPLIT_PRD_SYSTEM,
    SPLIT_PRD_NODE,
    UPDATE_TASK,
    UPDATE_TASKS,
];

/// The prompts of a project: ours, and its own in place of some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompts {
    own: BTreeMap<&'static str, String>,
}

/// The prompts as they come.
pub static OURS: Prompts = Prompts { own: BTreeMap::new() };

/// A prompt that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    #[error("the prompt {name} cannot be rendered: {reason}")]
    Render { name: &'static str, reason: String },
    #[error("there is no prompt {name} that {} could take the place of", path.display())]
    NoSuchPrompt { name: String, path: PathBuf },
    #[error("{} is no template: {reason}", path.display())]
    Template { path: PathBuf, reason: String },
    #[error("{} has a variable {variable}, and what there is is {known}", path.display())]
    Variable { path: PathBuf, variable: String, known: String },
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

impl Prompts {
    /// Reads a project's own prompts: `expand.md` takes the place of the prompt `expand`,
    /// `parse_prd/detail.md` that of `parse_prd/detail`. Without the folder there are none.
    ///
    /// # Errors
    /// When a file has the name of no prompt, or a variable that its prompt does not have.
    pub fn read(folder: &Path) -> Result<Self, PromptError> {
        let mut own = BTreeMap::new();
        for (name, path) in files(folder, "")? {
            let Some(prompt) = REPLACEABLE.iter().find(|it| it.name == name) else {
                return Err(PromptError::NoSuchPrompt { name, path });
            };
            let text = fs::read_to_string(&path)
                .map_err(|source| PromptError::Unreadable { path: path.clone(), source })?;
            check(*prompt, &text, path)?;
            own.insert(prompt.name, text);
        }
        Ok(Self { own })
    }

    /// Fills in the variables. A variable that the prompt names and `variables` lacks is an error.
    ///
    /// # Errors
    /// When the template or the variables are at fault.
    pub(crate) fn render(
        &self,
        prompt: Prompt,
        variables: impl Serialize,
    ) -> Result<String, PromptError> {
        render_text(prompt.name, self.text(prompt), variables)
    }

    /// Changes whenever the words of a prompt do whose answers are kept for later.
    pub(crate) fn version(&self) -> String {
        self.version_of(&SAVED)
    }

    /// Changes whenever the words of these prompts do.
    pub(crate) fn version_of(&self, prompts: &[Prompt]) -> String {
        let words: String = prompts.iter().flat_map(|it| [it.name, self.text(*it)]).collect();
        sha256_hex(words.as_bytes())
    }

    fn text(&self, prompt: Prompt) -> &str {
        self.own.get(prompt.name).map_or(prompt.text, String::as_str)
    }
}

/// Fills in the variables of a prompt that no project replaces.
///
/// # Errors
/// When the template or the variables are at fault.
pub fn render(prompt: Prompt, variables: impl Serialize) -> Result<String, PromptError> {
    render_text(prompt.name, prompt.text, variables)
}

fn render_text(
    name: &'static str,
    text: &str,
    variables: impl Serialize,
) -> Result<String, PromptError> {
    let fail = |it: minijinja::Error| PromptError::Render { name, reason: it.to_string() };
    let environment = environment(text).map_err(fail)?;
    let template = environment.get_template(TEMPLATE).map_err(fail)?;
    template.render(minijinja::value::Serde(variables)).map(|it| it.trim().to_owned()).map_err(fail)
}

/// What the one template of an environment is called.
const TEMPLATE: &str = "prompt";

fn environment(text: &str) -> Result<Environment<'_>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_template(TEMPLATE, text)?;
    Ok(environment)
}

/// A prompt of a project may only ask for what the one in its place is given.
fn check(prompt: Prompt, text: &str, path: PathBuf) -> Result<(), PromptError> {
    let known = variables(prompt.text).unwrap_or_default();
    let named = variables(text)
        .map_err(|it| PromptError::Template { path: path.clone(), reason: it.to_string() })?;
    match named.difference(&known).next() {
        None => Ok(()),
        Some(variable) => Err(PromptError::Variable {
            path,
            variable: variable.clone(),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        }),
    }
}

fn variables(text: &str) -> Result<BTreeSet<String>, minijinja::Error> {
    let environment = environment(text)?;
    let named = environment.get_template(TEMPLATE)?.undeclared_variables(false);
    Ok(named.into_iter().collect())
}

/// The Markdown files of a folder, each with its place in it without the ending.
fn files(folder: &Path, above: &str) -> Result<Vec<(String, PathBuf)>, PromptError> {
    let unreadable = |source| PromptError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{above}{stem}");
        if path.is_dir() {
            found.extend(files(&path, &format!("{name}/"))?);
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
