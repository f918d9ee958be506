//! `init`: lays out a project in the working directory.
//!
//! What is there already stays as it is: files are created, or added to at their end, and never
//! replaced. The plan is made first, so that `--dry-run` tells exactly what would be done.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use tm_tasks::{config::Config, project::Project, state::State, timestamp::Timestamp};

use crate::{
    app::{App, explain},
    config::Environment,
    report::{
        Report, advice,
        text::{BOLD, DIM, Text},
    },
};

mod files;

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

/// What the user leaves open.
#[derive(Debug, Clone, Copy)]
struct Choices {
    aliases: bool,
    git: bool,
    ignore_tasks: bool,
}

/// One thing to do.
#[derive(Debug)]
enum Step {
    CreateDirectory(PathBuf),
    WriteConfig(PathBuf),
    WriteState(PathBuf),
    CreateFile { path: PathBuf, text: &'static str },
    AddLines { path: PathBuf, text: String },
    InitGit,
}

/// Runs `init`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    refuse_known_profiles(&args.rules)?;
    for profile in &args.rules {
        report.warn(&format!("there are no rules for `{profile}`: it is left out"));
    }
    let choices = args.choices(report);
    let project = Project::at(&app.environment.working_dir);
    let steps = plan(&project, choices, &app.environment, app.now)?;
    if args.dry_run {
        report.line(Text::styled(BOLD, "This would be done:"));
        report.lines(steps.iter().map(|it| describe(it, project.root())));
        return Ok(());
    }
    for step in &steps {
        if matches!(step, Step::InitGit) {
            init_git(project.root(), report);
        } else {
            take(step, app.now)?;
        }
    }
    report.done(format!("Task Master is set up in {}", project.root().display()));
    report.lines(steps.iter().map(|it| describe(it, project.root())));
    print_what_next(report);
    Ok(())
}

impl Args {
    /// Flags decide; what they leave open is asked, or answered with yes.
    fn choices(&self, report: &mut Report) -> Choices {
        let is_named = self.name.is_some() && self.description.is_some();
        let may_ask = !self.yes && !is_named && !self.dry_run && report.is_interactive();
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
        }
    }
}

/// The profiles that there are rules for, none of which this version can write.
const PROFILES: &[&str] = &[
    "amp", "claude", "cline", "codex", "cursor", "gemini", "kilo", "kiro", "opencode", "roo",
    "trae", "vscode", "windsurf", "zed",
];

fn refuse_known_profiles(rules: &[String]) -> anyhow::Result<()> {
    match rules.iter().find(|it| PROFILES.contains(&it.as_str())) {
        Some(profile) => Err(advice(
            format!("the rules of `{profile}` cannot be written by this version yet"),
            "nothing was done; run init without --rules",
        )
        .into()),
        None => Ok(()),
    }
}

fn plan(
    project: &Project,
    choices: Choices,
    environment: &Environment,
    now: Timestamp,
) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    let tasks_dir = project.directory().join("tasks");
    for directory in [tasks_dir, project.docs_dir(), project.reports_dir(), project.templates_dir()]
    {
        if !directory.is_dir() {
            steps.push(Step::CreateDirectory(directory));
        }
    }
    if !project.config_file().exists() {
        steps.push(Step::WriteConfig(project.config_file()));
    }
    if !project.state_file().exists() {
        steps.push(Step::WriteState(project.state_file()));
    }
    for (path, text) in [
        (project.templates_dir().join("example_prd.txt"), files::EXAMPLE_PRD),
        (project.templates_dir().join("example_prd_rpg.txt"), files::EXAMPLE_PRD_GRAPH),
        (project.root().join(".env.example"), files::ENV_EXAMPLE),
    ] {
        if !path.exists() {
            steps.push(Step::CreateFile { path, text });
        }
    }
    let path = project.root().join(".gitignore");
    let text = files::missing_ignores(&read_or_empty(&path)?, choices.ignore_tasks);
    steps.extend((!text.is_empty()).then_some(Step::AddLines { path, text }));
    if choices.aliases
        && let Some(path) = shell_start_up_file(environment)
    {
        let date = now.strftime("%-m/%-d/%Y").to_string();
        let text = files::missing_aliases(&read_or_empty(&path)?, &date);
        steps.extend((!text.is_empty()).then_some(Step::AddLines { path, text }));
    }
    if choices.git && !project.root().ancestors().any(|it| it.join(".git").exists()) {
        steps.push(Step::InitGit);
    }
    Ok(steps)
}

/// The start-up file of the user's shell, if the user has one.
fn shell_start_up_file(environment: &Environment) -> Option<PathBuf> {
    let shell = environment.variable("SHELL").unwrap_or_default();
    let names: &[&str] = if shell.ends_with("zsh") {
        &[".zshrc"]
    } else if shell.ends_with("bash") {
        &[".bashrc"]
    } else {
        &[".zshrc", ".bashrc"]
    };
    let home = environment.home.as_ref()?;
    names.iter().map(|it| home.join(it)).find(|it| it.is_file())
}

fn take(step: &Step, now: Timestamp) -> anyhow::Result<()> {
    match step {
        Step::CreateDirectory(path) => {
            fs::create_dir_all(path).with_context(|| cannot("create", path))
        }
        Step::WriteConfig(path) => {
            Config::change(path, |_| ()).with_context(|| cannot("write", path))
        }
        Step::WriteState(path) => State::change(path, now, |_| ()).map_err(explain),
        Step::CreateFile { path, text } => {
            fs::write(path, text).with_context(|| cannot("write", path))
        }
        Step::AddLines { path, text } => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let added = file.and_then(|mut it| it.write_all(text.as_bytes()));
            added.with_context(|| cannot("add to", path))
        }
        Step::InitGit => Ok(()),
    }
}

/// A project works without version control, so that this fails is worth a warning only.
fn init_git(root: &Path, report: &mut Report) {
    let mut command = Command::new("git");
    command.args(["init", "--quiet"]).current_dir(root).stdin(Stdio::null());
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let problem = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            report.warn(&format!("git made no repository: {problem}"));
        }
        Err(error) => report.warn(&format!("git cannot be started: {error}")),
    }
}

fn describe(step: &Step, root: &Path) -> Text {
    let (what, path) = match step {
        Step::CreateDirectory(path) => ("create", path.as_path()),
        Step::WriteConfig(path) | Step::WriteState(path) | Step::CreateFile { path, .. } => {
            ("write", path.as_path())
        }
        Step::AddLines { path, .. } => ("add to", path.as_path()),
        Step::InitGit => ("git init", root),
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

fn read_or_empty(path: &Path) -> anyhow::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| cannot("read", path)),
    }
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}
