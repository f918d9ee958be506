//! `rollout` and `rollback`: the requests of a role or a command move to other models step by step,
//! and back at once.

use tm_llm::rollout::Trial;
use tm_tasks::config::Role;

use crate::{
    app::{App, Workspace},
    report::{
        Advice, Report, advice,
        table::Table,
        text::{BOLD, DIM, Text},
    },
    rollout::{Change, RolloutError, Running, State, Trials, commands::COMMANDS},
};

/// Try the models of one role in the place of another's, for a share of what is asked
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Give a share of a role's conversations, or of a command's runs, to the models of another role
    Set(SetArgs),
    /// Show what is on trial, and what was changed
    Show,
    /// Say why the last trial ended that ended by itself
    Why,
    /// Take the last change back; a second time, make it again
    Undo,
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    /// Such as main=25% for what the gateway is asked, or expand=25% for a command
    #[arg(value_name = "NAME=SHARE", value_parser = share)]
    share: (String, u8),

    /// The role whose models are tried
    #[arg(long, value_name = "ROLE", value_parser = role)]
    to: Role,

    /// Ask them beside, compare what they say, and show none of it
    #[arg(long)]
    shadow: bool,

    /// Let the share grow by itself, through 5, 25 and 50 to 100 percent, while they do well
    #[arg(long, conflicts_with = "shadow")]
    auto: bool,
}

/// End all trials at once: every role is answered by its own models again
#[derive(Debug, clap::Args)]
pub struct BackArgs {
    /// What it does in any case: nothing is waited for
    #[arg(long)]
    now: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `rollout`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let trials = trials(&workspace);
    match &args.action {
        Action::Set(set) => {
            let state = start(set, &trials)?;
            shown(&state, args.json, report);
        }
        Action::Show => shown(&trials.read().map_err(told)?, args.json, report),
        Action::Why => why(&trials.read().map_err(told)?, args.json, report),
        Action::Undo => {
            let state = trials.undo().map_err(told)?;
            if !args.json {
                let what = state.history.last().map_or("", |it| it.what.as_str());
                report.done(what);
            }
            shown(&state, args.json, report);
        }
    }
    Ok(())
}

/// Runs `rollback`.
pub fn run_back(args: &BackArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    // It is said to be quick, and is so without.
    let BackArgs { now: _, json } = *args;
    let workspace = app.open(None, report)?;
    let trials = trials(&workspace);
    let changed = trials.change("rolled back", None, Running::clear).map_err(told)?;
    match changed {
        Some(state) if json => report.json(&state),
        None if json => report.json(&trials.read().map_err(told)?),
        Some(_) => {
            report.done("every role is answered by its own models");
            report.suggest("task-master rollout undo", "take that back");
        }
        None => report.line("Nothing was on trial."),
    }
    Ok(())
}

fn trials(workspace: &Workspace) -> Trials {
    Trials::of_project(workspace.project.root())
}

fn start(set: &SetArgs, trials: &Trials) -> anyhow::Result<State> {
    let ((name, percent), candidate) = (set.share.clone(), set.to);
    if name == candidate.as_str() {
        let message = format!("{name} cannot be tried in its own place");
        return Err(advice(message, "name another role with --to").into());
    }
    let trial = Trial {
        candidate: candidate.as_str().to_owned(),
        percent,
        is_shadow: set.shadow,
        is_automatic: set.auto,
    };
    let what = format!("{name} {}", in_words(&trial));
    let put = |running: &mut Running| {
        if percent == 0 {
            running.remove(&name);
        } else {
            running.insert(name, trial);
        }
    };
    match trials.change(&what, None, put).map_err(told)? {
        Some(state) => Ok(state),
        None => trials.read().map_err(told),
    }
}

fn in_words(trial: &Trial) -> String {
    let Trial { candidate, percent, is_shadow, is_automatic } = trial;
    match (is_shadow, is_automatic) {
        (true, _) => format!("{percent} % beside, by {candidate}"),
        (false, true) => format!("{percent} % and more by itself, by {candidate}"),
        (false, false) => format!("{percent} % by {candidate}"),
    }
}

fn shown(state: &State, is_json: bool, report: &mut Report) {
    if is_json {
        return report.json(state);
    }
    if state.trials.is_empty() {
        report.line("Nothing is on trial: every role and command has its own models.");
    }
    for (role, trial) in &state.trials {
        report.line(Text::styled(BOLD, role).and(DIM, &format!("  {}", in_words(trial))));
    }
    if state.history.is_empty() {
        return report.suggest("task-master rollout set main=5% --to fallback", "try the models");
    }
    let mut table = Table::new(&["When", "What", "Why"], "Why");
    for Change { time, what, why, .. } in state.history.iter().rev().take(10) {
        let why = why.as_deref().unwrap_or_default();
        table.push(vec![Text::styled(DIM, time), what.as_str().into(), why.into()]);
    }
    report.line("");
    let columns = report.columns();
    report.lines(table.lines(columns));
}

fn why(state: &State, is_json: bool, report: &mut Report) {
    let ended = state.history.iter().rev().find(|it| it.why.is_some());
    if is_json {
        return report.json(&ended);
    }
    let Some(Change { time, what, why, examples, .. }) = ended else {
        return report.line("No trial has ended by itself.");
    };
    report.line(format!("{what}: {}", why.as_deref().unwrap_or_default()).as_str());
    report.line(Text::styled(DIM, &format!("  at {time}")));
    for id in examples {
        report.suggest(&format!("task-master trace {id}"), "see such a request");
    }
}

fn role(text: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|it| it.as_str() == text);
    found.ok_or_else(|| "the roles are main, research and fallback".to_owned())
}

/// `main=25%`
fn share(text: &str) -> Result<(String, u8), String> {
    let (name, percent) = text.split_once('=').ok_or("write it as NAME=SHARE, such as main=25%")?;
    let percent: u8 = percent.trim_end_matches('%').parse().unwrap_or(101);
    if percent > 100 {
        return Err("a share is a whole number from 0% to 100%".to_owned());
    }
    let is_command = COMMANDS.iter().any(|(command, _)| *command == name);
    if !is_command && role(name).is_err() {
        let commands = COMMANDS.map(|(command, _)| command).join(", ");
        return Err(format!(
            "the roles are main, research and fallback, and the commands {commands}"
        ));
    }
    Ok((name.to_owned(), percent))
}

/// What to do about trials that cannot be read or changed.
fn told(error: RolloutError) -> anyhow::Error {
    let hint = match &error {
        RolloutError::Unusable { .. } => {
            "nothing was changed; mend the file, or delete it to end all trials"
        }
        RolloutError::NothingToUndo => "see what is on trial with `task-master rollout show`",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context::<Advice>(advice(message, hint))
}
