//! `models --setup`: asks which model is to play each role.

use tm_llm::catalogue::{
    Catalogue,
    store::{ModelStore, Presence},
};
use tm_tasks::config::{Config, Role};

use super::roles::set_one;
use crate::{
    app::{App, Workspace},
    backend::EMBEDDED,
    report::{
        Report, advice,
        text::{BOLD, Text},
    },
    roles::Wanted,
};

/// One line of the list that is chosen from.
#[derive(Debug)]
enum Choice<'a> {
    Keep,
    Nobody,
    /// A model that runs on this machine.
    Here {
        id: &'a str,
        is_installed: bool,
    },
    /// A model on a server of this kind.
    Server(&'static str),
    /// A model that is known by its name.
    Named,
}

/// Runs `models --setup`.
pub(super) fn run(
    app: &App,
    catalogue: &Catalogue,
    store: &ModelStore,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !report.is_interactive() {
        let hint = "run it in a terminal, or name models with --set-main, --set-research and \
                    --set-fallback";
        return Err(advice("there is nobody to ask", hint).into());
    }
    let workspace = app.open(None, report)?;
    for role in Role::ALL {
        let choices = choices(role, catalogue, store);
        report.line(Text::styled(BOLD, &format!("The {} model", role.as_str())));
        for (index, choice) in choices.iter().enumerate() {
            report.line(format!("  {:>2}  {}", index + 1, describe(choice, &workspace, role)));
        }
        // A model that cannot be set is asked for again.
        while !take(number(&choices, report), role, &workspace, report)? {}
    }
    Ok(())
}

fn choices<'a>(role: Role, catalogue: &'a Catalogue, store: &ModelStore) -> Vec<Choice<'a>> {
    let mut choices = vec![Choice::Keep];
    if role == Role::Fallback {
        choices.push(Choice::Nobody);
    }
    let writing = catalogue.models().iter().filter(|it| it.writes());
    choices.extend(writing.map(|it| Choice::Here {
        id: &it.id,
        is_installed: matches!(store.presence(it), Presence::Present { .. }),
    }));
    choices.extend(["ollama", "lmstudio", "openai-compatible"].map(Choice::Server));
    choices.push(Choice::Named);
    choices
}

fn describe(choice: &Choice, workspace: &Workspace, role: Role) -> String {
    match choice {
        Choice::Keep => match workspace.config.model(role) {
            Some(model) => format!("keep {}/{}", model.provider, model.model_id),
            None => "keep it open".to_owned(),
        },
        Choice::Nobody => "nobody".to_owned(),
        Choice::Here { id, is_installed: true } => format!("{id}, which is here"),
        Choice::Here { id, is_installed: false } => format!("{id}, to be fetched"),
        Choice::Server(provider) => format!("a model on a server: {provider}"),
        Choice::Named => "another known model, by its name".to_owned(),
    }
}

/// Enter, and whatever is no number of the list, keeps what is.
fn number<'a>(choices: &'a [Choice<'a>], report: &mut Report) -> &'a Choice<'a> {
    let answer = report.answer("Number [1]:");
    let index = answer.and_then(|it| it.parse::<usize>().ok()?.checked_sub(1));
    index.and_then(|it| choices.get(it)).unwrap_or(&Choice::Keep)
}

/// Whether the choice could be made.
fn take(
    choice: &Choice,
    role: Role,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<bool> {
    let set = |id: &str, provider, base_url: Option<&str>, report: &mut Report| {
        let wanted = Wanted { role, model_id: id, provider, base_url };
        set_one(workspace, wanted, report)
    };
    match choice {
        Choice::Keep => Ok(true),
        Choice::Nobody => {
            Config::change(&workspace.project.config_file(), |it| it.remove_model(role))?;
            Ok(true)
        }
        Choice::Here { id, is_installed } => {
            if !is_installed {
                report.note(&format!("fetch it with `task-master models pull {id}`"));
            }
            set(id, Some(EMBEDDED), None, report)
        }
        Choice::Server(provider) => {
            let Some(id) = report.answer("The name of the model:") else { return Ok(true) };
            let base_url = report.answer("The address of the server (Enter for the usual one):");
            set(&id, Some(provider), base_url.as_deref(), report)
        }
        Choice::Named => {
            let Some(id) = report.answer("The name of the model:") else { return Ok(true) };
            set(&id, None, None, report)
        }
    }
}
