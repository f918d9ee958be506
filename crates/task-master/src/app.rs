//! Wiring: from the arguments of the process to one command and back to an exit code.
//!
//! Opens what commands work on, and hands it to them. What the commands do is known to [`cli`]
//! only. Start at [`main`].

use std::{
    ffi::OsString,
    iter,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::{FromArgMatches as _, error::ErrorKind};
use tm_llm::backend::Backend;
use tm_tasks::{
    complexity::{ComplexityReport, ReportError},
    config::{Config, ConfigWarning},
    document::{MASTER, Tag, TaskFile},
    project::Project,
    state::State,
    store::{Store, StoreError},
    threads,
    timestamp::Timestamp,
};
use tm_workflows::prompts::Prompts;

use crate::{
    backend::{Keeping, Shadow},
    cli::{self, Cli},
    config::{Environment, Screen},
    report::{Interrupted, Report, advice},
    rollout::commands::key,
    trace::{Caller, Via},
};

/// What every command starts from.
#[derive(Debug)]
pub struct App {
    pub environment: Environment,
    /// The time: all that one command writes has the same.
    pub now: Timestamp,
    /// On whose behalf models are asked.
    pub caller: Caller,
    /// Who is asked the same when the command has ended.
    pub shadow: Arc<Shadow>,
}

/// An open project.
#[derive(Debug)]
pub struct Workspace {
    /// The process environment with the project's `.env`.
    pub environment: Environment,
    pub project: Project,
    pub config: Config,
    pub state: State,
    pub store: Store,
    /// The model that an MCP client lends, while a call of it is answered.
    pub lent_model: Option<Arc<dyn Backend>>,
    /// Where models stay loaded, in a server.
    pub kept: Option<Keeping>,
    /// On whose behalf models are asked.
    pub caller: Caller,
    pub shadow: Arc<Shadow>,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let environment = match Environment::read() {
        Ok(environment) => environment,
        Err(error) => return failed(&error),
    };
    // Accepted anywhere, and there is no banner.
    let arguments = std::env::args_os().filter(|it| it != "--no-banner");
    // The one option with two letters behind one dash.
    let arguments = arguments.map(|it| if it == "-cr" { "--cr".into() } else { it });
    let arguments = with_command(arguments);
    let grammar = Cli::grammar(arguments.get(1).map(OsString::as_os_str));
    let key = key(arguments.get(1..));
    let parsed = grammar.try_get_matches_from(arguments);
    let parsed = parsed.and_then(|it| Ok((Cli::from_arg_matches(&it)?, it)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    let mut report = Report::new(environment.screen());
    if environment.is_silent() {
        report.silence();
    }
    let Some(command) = cli.command else {
        cli::print_help(&mut report);
        return finish(report, ExitCode::SUCCESS);
    };
    #[cfg(all(feature = "engine", target_os = "linux"))]
    if command.may_compute() {
        crate::waiting::shorten(&environment);
    }
    let name = matches.subcommand_name().unwrap_or_default().to_owned();
    let caller = Caller { via: Via::Cli, name, key, ..Caller::default() };
    let app = App { environment, now: Timestamp::now(), caller, shadow: Arc::default() };
    let ran = cli::run(command, &app, &mut report);
    let code = match ran {
        Ok(()) => {
            app.shadow.compare(&mut report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            report.error(&error);
            if error.is::<Interrupted>() { ExitCode::from(130) } else { ExitCode::FAILURE }
        }
    };
    finish(report, code)
}

impl App {
    /// Opens the project in `directory`, or the one that the working directory belongs to.
    pub fn open(&self, directory: Option<&Path>, report: &mut Report) -> anyhow::Result<Workspace> {
        let project = match directory {
            Some(directory) => Project::at(self.directory(directory)?),
            None => Project::discover(&self.environment.working_dir),
        };
        let (environment, unreadable) = self.environment.clone().with_dotenv(project.root());
        for problem in unreadable {
            report.warn(&format!("{}: {problem}", project.env_file().display()));
        }
        if !project.exists() {
            report.note(&format!(
                "there is no project in {}; `task-master init` sets one up",
                project.root().display()
            ));
        }
        let config = read_config(&project)?;
        let state = State::load(&project.state_file());
        let store = Store::open(project.tasks_file(), environment.state_dir.join("journal"));
        let root = Some(project.root().to_owned());
        let caller = Caller { project: root, ..self.caller.clone() };
        let (lent_model, kept, shadow) = (None, None, Arc::clone(&self.shadow));
        Ok(Workspace {
            environment,
            project,
            config,
            state,
            store,
            lent_model,
            kept,
            caller,
            shadow,
        })
    }

    /// Opens the project that the working directory belongs to, for a command that changes tasks.
    ///
    /// `file` is where they are, seen from the project's root. They must be there: a new file for
    /// a name that is mistyped helps nobody.
    pub fn open_tasks(
        &self,
        file: Option<&Path>,
        report: &mut Report,
    ) -> anyhow::Result<Workspace> {
        let mut workspace = self.open(None, report)?;
        if let Some(file) = file {
            let path = workspace.project.root().join(file);
            workspace.store = Store::open(path, self.environment.state_dir.join("journal"));
        }
        let path = workspace.store.path();
        if !path.exists() {
            return Err(advice(
                format!("there is no tasks file {}", path.display()),
                "make one with `task-master parse-prd`, or name another one with --file",
            )
            .into());
        }
        Ok(workspace)
    }

    fn directory(&self, directory: &Path) -> anyhow::Result<PathBuf> {
        let path = self.environment.working_dir.join(directory);
        let path = path.canonicalize();
        path.with_context(|| format!("there is no project at {}", directory.display()))
    }
}

impl Workspace {
    /// The tag to work on: the one asked for, else the current one.
    pub fn tag(&self, asked: Option<&str>) -> String {
        let from_environment = self.environment.variable("TASKMASTER_TAG");
        let asked = asked.or(from_environment).map(str::to_owned);
        asked
            .or_else(|| self.state.current_tag())
            .or_else(|| self.config.globals().default_tag)
            .unwrap_or_else(|| MASTER.to_owned())
    }

    /// What models are asked in this project.
    pub fn prompts(&self) -> anyhow::Result<Prompts> {
        Prompts::read(&self.project.prompts_dir()).map_err(|error| {
            let hint = "mend the file, or delete it to ask what is asked without it";
            anyhow::Error::new(error)
                .context(advice("a prompt of the project cannot be used", hint))
        })
    }

    /// A file that the user named: in the project, else in the working directory.
    pub fn locate(&self, path: &Path) -> PathBuf {
        let inside = self.project.root().join(path);
        if inside.exists() { inside } else { self.environment.working_dir.join(path) }
    }

    /// Changes the tasks: all of what `apply` does, or nothing when it fails.
    ///
    /// What is wrong with the file is told apart from what `apply` finds wrong with the change.
    pub fn change<T, E>(
        &self,
        command: &str,
        now: Timestamp,
        apply: impl FnOnce(&mut TaskFile) -> Result<T, E>,
    ) -> anyhow::Result<Result<T, E>> {
        let changed = self.store.commit(command, now, |file| apply(file).map_err(Failure::Change));
        match changed {
            Ok(value) => Ok(Ok(value)),
            Err(Failure::Change(error)) => Ok(Err(error)),
            Err(Failure::Store(error)) => Err(explain(error)),
        }
    }

    /// Reads the tasks; a project without any has none.
    pub fn read(&self) -> anyhow::Result<TaskFile> {
        self.store.read().map_err(explain)
    }

    /// Reads the tasks, those of `tag` or of all tags with what is known about their complexity.
    pub fn read_annotated(
        &self,
        tag: Option<&str>,
        report: &mut Report,
    ) -> anyhow::Result<TaskFile> {
        let mut file = self.read()?;
        let names = file.tags().map(Tag::name).filter(|it| tag.is_none_or(|tag| tag == *it));
        let names: Vec<String> = names.map(str::to_owned).collect();
        let found = threads::map(&names, |it| self.find_complexity(it));
        for (name, found) in iter::zip(&names, found) {
            if let Some(complexity) = told(found, report)
                && let Some(tag) = file.tag_mut(name)
            {
                complexity.annotate(tag);
            }
        }
        Ok(file)
    }

    /// What is known about the complexity of a tag's tasks. Tasks are worth showing without it,
    /// so what is wrong with it is only told.
    pub fn complexity(&self, tag: &str, report: &mut Report) -> Option<ComplexityReport> {
        told(self.find_complexity(tag), report)
    }

    fn find_complexity(&self, tag: &str) -> Result<Option<ComplexityReport>, ReportError> {
        ComplexityReport::find(&self.project.complexity_report(tag))
    }
}

fn told(
    found: Result<Option<ComplexityReport>, ReportError>,
    report: &mut Report,
) -> Option<ComplexityReport> {
    found.unwrap_or_else(|error| {
        report.warn(&error.to_string());
        None
    })
}

/// Why a change did not happen.
enum Failure<E> {
    Store(StoreError),
    Change(E),
}

impl<E> From<StoreError> for Failure<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A server that was started by its own name is the command `mcp`.
fn with_command(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let name = arguments.first().map(Path::new).and_then(Path::file_stem);
    if name.is_some_and(|it| it == "task-master-ai" || it == "task-master-mcp") {
        arguments.insert(1, "mcp".into());
    }
    arguments
}

/// What to do about a task file that cannot be used.
pub fn explain(error: StoreError) -> anyhow::Error {
    let hint = match &error {
        StoreError::Format { .. } => {
            "nothing was changed; mend the file, or see what can be brought back with \
             `task-master history`"
        }
        StoreError::Busy { .. } => "nothing was changed; try again",
        StoreError::NoSpace { .. } => "nothing was changed; free some space and try again",
        StoreError::Unreadable { .. } | StoreError::Unwritable { .. } => {
            "nothing was changed; see who owns the file and what its permissions are"
        }
        StoreError::EditedSince { .. } => {
            "nothing was changed; to lose the later edits, add --force"
        }
        StoreError::NoSuchChange { .. } | StoreError::LostCopy { .. } => {
            "see what can be brought back with `task-master history`"
        }
    };
    // Why comes on a line of its own.
    if let StoreError::Format { path, source } = error {
        let message = format!("{} cannot be used", path.display());
        return anyhow::Error::new(source).context(advice(message, hint));
    }
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}

/// A project without a configuration has the defaults; one whose configuration makes no sense
/// is not worked on, because what it asks for is not known.
fn read_config(project: &Project) -> anyhow::Result<Config> {
    match Config::load(&project.config_file()) {
        (config, None | Some(ConfigWarning::Missing { .. })) => Ok(config),
        (_, Some(warning)) => Err(advice(
            warning.to_string(),
            "nothing was changed; mend the file, or delete it to work with the defaults",
        )
        .into()),
    }
}

/// What clap has to say: help and the version are results, everything else is a failure.
fn usage(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::DisplayVersion {
        let mut report = Report::new(Screen::default());
        report.line(env!("CARGO_PKG_VERSION"));
        return finish(report, ExitCode::SUCCESS);
    }
    // Nobody reads what cannot be printed.
    drop(error.print());
    if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    Report::new(Screen::default()).error(error);
    ExitCode::FAILURE
}

fn finish(report: Report, code: ExitCode) -> ExitCode {
    match report.finish() {
        Ok(()) => code,
        Err(error) => failed(&anyhow::Error::new(error).context("cannot print the result")),
    }
}
