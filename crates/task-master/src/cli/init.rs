//! `init`: lays out a project in the working directory.
//!
//! The plan is made first, so that `--dry-run` tells exactly what would be done. What there is to
//! do is known to [`crate::setup`] and [`crate::rules`]; here it is asked, and told.

use std::path::Path;

use tm_tasks::project::Project;

use crate::{
    app::App,
    language,
    report::{
        Report, Told, advice,
        text::{BOLD, DIM, Text},
    },
    rules::{self, Mode, profile::PROFILES, profile::Profile},
    setup::{self, Choices, SetupError, Step},
};

use super::{models, rules as rules_command};

/// Set up Task Master in this directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ask nothing
    #[arg(long, short)]
    yes: bool,

    /// The name of the project; with a description, nothing is asked
    #[arg(long, short)]
    name: Option<String>,

    /// What the project is
    #[arg(long, short)]
    description: Option<String>,

    /// The version of the project
    #[arg(long, short, default_value = "0.1.0")]
    version: String,

    /// Who writes the project
    #[arg(long, short)]
    author: Option<String>,

    /// Write the rules of these editors and agents
    #[arg(long, short, num_args = 1.., value_delimiter = ',', value_name = "PROFILE")]
    rules: Vec<String>,

    /// Accepted for older scripts; nothing is ever installed
    #[arg(long, hide = true)]
    skip_install: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Add the shell aliases tm and taskmaster, where the shell has a start-up file
    #[arg(long, overrides_with = "no_aliases")]
    aliases: bool,

    /// Add no shell aliases
    #[arg(long)]
    no_aliases: bool,

    /// Make the directory a Git repository, unless it is in one
    #[arg(long, overrides_with = "no_git")]
    git: bool,

    /// Make no Git repository
    #[arg(long)]
    no_git: bool,

    /// Keep tasks in version control
    #[arg(long, overrides_with = "no_git_tasks")]
    git_tasks: bool,

    /// Keep tasks out of version control
    #[arg(long)]
    no_git_tasks: bool,
}

/// Runs `init`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let mut profiles = rules_command::named(&args.rules, report);
    let may_ask = args.may_ask(report);
    let choices = args.choices(may_ask, report);
    if may_ask && args.rules.is_empty() {
        profiles = rules_command::ask("Whom shall rules be written for?", &PROFILES, report);
    }
    let language = may_ask.then(|| ask_language(report)).flatten();
    let project = Project::at(&app.environment.working_dir);
    let steps = setup::plan(&project, choices, &app.environment, app.now).map_err(explain)?;
    if args.dry_run {
        report.line(Text::styled(BOLD, "This would be done:"));
        print_steps(&steps, &profiles, project.root(), report);
        return Ok(());
    }
    for warning in setup::apply(&steps, app.now).map_err(explain)? {
        report.warn(&warning);
    }
    report.done(format!("Task Master is set up in {}", project.root().display()));
    print_steps(&steps, &[], project.root(), report);
    let mut failed = false;
    for profile in profiles {
        let added = rules::add(rules_command::places(&project, app), profile, Some(Mode::Solo));
        failed |= !rules_command::print(added, "added", profile, report);
    }
    if let Some(language) = language {
        let set = language::set(&project, &language);
        set.map_err(|error| anyhow::Error::new(error).context("the language was not set"))?;
    }
    if may_ask && report.ask("Choose the models that answer?", false) {
        models::set_up(app, report)?;
    }
    print_what_next(report);
    if failed { Err(Told.into()) } else { Ok(()) }
}

impl Args {
    fn may_ask(&self, report: &Report) -> bool {
        let is_named = self.name.is_some() && self.description.is_some();
        !self.yes && !is_named && !self.dry_run && report.is_interactive()
    }

    /// Flags decide; what they leave open is asked, or answered with yes.
    fn choices(&self, may_ask: bool, report: &mut Report) -> Choices {
        let mut choose = |yes: bool, no: bool, question: &str| match (yes, no) {
            (_, true) => false,
            (true, false) => true,
            (false, false) => !may_ask || report.ask(question, true),
        };
        Choices {
            aliases: choose(
                self.aliases,
                self.no_aliases,
                "Add the shell aliases tm and taskmaster?",
            ),
            git: choose(
                self.git,
                self.no_git,
                "Make this directory a Git repository, unless it is in one?",
            ),
            ignore_tasks: !choose(
                self.git_tasks,
                self.no_git_tasks,
                "Keep tasks in version control?",
            ),
            by_agent: false,
        }
    }
}

/// Nothing when it is the usual one.
fn ask_language(report: &mut Report) -> Option<String> {
    let question = format!("Which language shall models answer in? [{}]", language::DEFAULT);
    report.answer(&question).filter(|it| it != language::DEFAULT)
}

fn explain(error: SetupError) -> anyhow::Error {
    let message = "the project is not set up completely";
    let hint = "see what the permissions are, then run it again: what is done stays";
    anyhow::Error::new(error).context(advice(message, hint))
}

fn print_steps(steps: &[Step], profiles: &[&Profile], root: &Path, report: &mut Report) {
    report.lines(steps.iter().map(|it| describe(it, root)));
    let line = |it: &&Profile| Text::styled(DIM, "  rules for ").and_text(it.title.into());
    report.lines(profiles.iter().map(line));
}

fn describe(step: &Step, root: &Path) -> Text {
    let (what, path) = match step {
        Step::CreateDirectory(path) => ("create", path.as_path()),
        Step::WriteConfig { path, .. } | Step::WriteState(path) | Step::CreateFile { path, .. } => {
            ("write", path.as_path())
        }
        Step::AddLines { path, .. } => ("add to", path.as_path()),
        Step::InitGit(root) => ("git init", root.as_path()),
    };
    let path = path.strip_prefix(root).ok().filter(|it| *it != Path::new("")).unwrap_or(path);
    Text::styled(DIM, &format!("  {what:<9}")).and_text(path.display().to_string().into())
}

fn print_what_next(report: &mut Report) {
    report.blank();
    report.line(Text::styled(BOLD, "What next"));
    report.line("  Write down what you want to build, in .taskmaster/docs/prd.md;");
    report.line("  .taskmaster/templates/example_prd.txt shows how. Then:");
    report.blank();
    report.suggest_any(&[
        ("task-master parse-prd .taskmaster/docs/prd.md", "make tasks from it"),
        ("task-master next", "see what to do first"),
    ]);
}
