//! `rules`: tells editors and agents how to work with the tasks of this project.

use clap::ValueEnum;
use tm_tasks::project::Project;

use crate::{
    app::{App, Workspace},
    report::{
        Report, Told, advice,
        text::{BOLD, Text},
    },
    rules::{
        self, Mode, Outcome, Places,
        profile::{self, PROFILES, Profile},
    },
};

/// Write or remove the rules, slash commands and MCP settings of editors and agents
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    action: Option<Action>,

    /// The editors and agents, separated by commas or spaces
    #[arg(value_name = "PROFILE", value_delimiter = ',')]
    profiles: Vec<String>,

    /// Remove the last rules without asking
    #[arg(long, short)]
    force: bool,

    /// Ask for the editors and agents
    #[arg(long)]
    setup: bool,

    /// Whom the rules are for; what the configuration says, or solo, when left out
    #[arg(long, short)]
    mode: Option<ModeName>,

    /// Ask nothing: take the editors whose directories are here
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    Add,
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeName {
    Solo,
    Team,
}

/// Runs `rules`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let action = match args.action {
        Some(action) => action,
        None if args.setup => Action::Add,
        None => {
            let hint = "use `task-master rules add PROFILE`, `task-master rules remove PROFILE` or \
                        `task-master rules --setup`";
            return Err(advice("say what to do: add or remove", hint).into());
        }
    };
    let workspace = app.open(None, report)?;
    let places = places(&workspace.project, app);
    let profiles = if args.setup || args.profiles.is_empty() {
        choose(action, args.yes && !args.setup, places, report)?
    } else {
        named(&args.profiles, report)
    };
    match action {
        Action::Add => {
            let mode = args.mode.map_or_else(|| configured(&workspace), ModeName::mode);
            let mut failed = false;
            for profile in profiles {
                failed |= !print(rules::add(places, profile, Some(mode)), "added", profile, report);
            }
            if failed { Err(Told.into()) } else { Ok(()) }
        }
        Action::Remove => remove(&profiles, args.force, places, report),
    }
}

impl ModeName {
    fn mode(self) -> Mode {
        match self {
            Self::Solo => Mode::Solo,
            Self::Team => Mode::Team,
        }
    }
}

/// Where the files of a project's rules go.
pub(super) fn places<'a>(project: &'a Project, app: &'a App) -> Places<'a> {
    Places { root: project.root(), home: app.environment.home.as_deref() }
}

/// The profiles of these names. A name that nobody knows is told and left out.
pub(super) fn named(names: &[String], report: &mut Report) -> Vec<&'static Profile> {
    let mut profiles = Vec::new();
    for name in names.iter().map(|it| it.trim()).filter(|it| !it.is_empty()) {
        match profile::find(&name.to_lowercase()) {
            Some(profile) => profiles.push(profile),
            None => report.warn(&format!(
                "there are no rules for `{name}`: it is left out; there are {}",
                PROFILES.map(|it| it.name).join(", ")
            )),
        }
    }
    profiles
}

/// Prints what was done, and whether it was.
pub(super) fn print(
    outcome: Result<Outcome, rules::RulesError>,
    what: &str,
    profile: &Profile,
    report: &mut Report,
) -> bool {
    match outcome {
        Ok(outcome) => {
            let changed = outcome.files_written + outcome.files_removed.len();
            let files = if changed == 1 { "file" } else { "files" };
            report.done(format!("{} rules {what}: {changed} {files} changed", profile.title));
            for note in outcome.notes {
                report.warn(&note);
            }
            true
        }
        Err(error) => {
            let message = format!("the {} rules were not {what}", profile.title);
            let advice = advice(message, "see who owns the file, then try again");
            report.error(&anyhow::Error::new(error).context(advice));
            false
        }
    }
}

/// Asks which profiles are wanted.
pub(super) fn ask(
    question: &str,
    offered: &[&'static Profile],
    report: &mut Report,
) -> Vec<&'static Profile> {
    report.line(Text::styled(BOLD, question));
    for (index, profile) in offered.iter().enumerate() {
        report.line(format!("  {:>2}  {}", index + 1, profile.title));
    }
    let answer = report.answer("Numbers or names, separated by commas; Enter for none:");
    let answer = answer.unwrap_or_default();
    let mut names = Vec::new();
    for word in answer.split([',', ' ']) {
        let index = word.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
        let numbered = index.and_then(|it| offered.get(it)).map(|it| it.name.to_owned());
        names.push(numbered.unwrap_or_else(|| word.to_owned()));
    }
    named(&names, report)
}

fn configured(workspace: &Workspace) -> Mode {
    let mode = workspace.config.get("storage", "operatingMode");
    if mode.is_some_and(|it| it == "team") { Mode::Team } else { Mode::Solo }
}

/// The profiles to work on when none is named.
fn choose(
    action: Action,
    detect: bool,
    places: Places,
    report: &mut Report,
) -> anyhow::Result<Vec<&'static Profile>> {
    if action == Action::Add && detect {
        let found = rules::detected(places.root);
        if found.is_empty() {
            report.note("no editor has a directory here; name one: `task-master rules add cursor`");
        }
        return Ok(found);
    }
    if !report.is_interactive() {
        let hint = format!("name some of {}", PROFILES.map(|it| it.name).join(", "));
        return Err(advice("no editor or agent is named, and there is nobody to ask", hint).into());
    }
    Ok(match action {
        Action::Add => ask("Whom shall rules be written for?", &PROFILES, report),
        Action::Remove => ask("Whose rules shall be removed?", &rules::installed(places), report),
    })
}

fn remove(
    profiles: &[&'static Profile],
    force: bool,
    places: Places,
    report: &mut Report,
) -> anyhow::Result<()> {
    let installed = rules::installed(places);
    let is_named = |it: &&&Profile| profiles.iter().any(|named| named.name == it.name);
    let removed = installed.iter().filter(is_named).count();
    if removed > 0 && removed == installed.len() && !force {
        let question = "No editor will have rules after that. Go on?";
        if !report.is_interactive() {
            let hint = "nothing was removed; add --force to go on";
            return Err(advice("this would remove the last rules", hint).into());
        }
        if !report.ask(question, false) {
            report.line("Nothing was removed.");
            return Ok(());
        }
    }
    let mut failed = false;
    for profile in profiles.iter().copied() {
        failed |= !print(rules::remove(places, profile), "removed", profile, report);
    }
    if failed { Err(Told.into()) } else { Ok(()) }
}
