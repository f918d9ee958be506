//! Laying a project out: what there is to do, and doing it.
//!
//! What is there already stays as it is: files are created, or added to at their end, and never
//! replaced. The command line and the MCP server both come here; nothing is asked and nothing
//! printed. Start at [`plan`].

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tm_tasks::{
    config::{Config, ConfigError},
    project::Project,
    state::State,
    store::StoreError,
    timestamp::Timestamp,
};

use crate::config::Environment;

mod files;

/// What is left open to the user.
#[derive(Debug, Clone, Copy)]
pub struct Choices {
    pub aliases: bool,
    pub git: bool,
    pub ignore_tasks: bool,
    /// It is an agent that asks for it.
    pub by_agent: bool,
}

/// One thing to do.
#[derive(Debug)]
pub enum Step {
    CreateDirectory(PathBuf),
    WriteConfig { path: PathBuf, config: Config },
    WriteState(PathBuf),
    CreateFile { path: PathBuf, text: &'static str },
    AddLines { path: PathBuf, text: String },
    InitGit(PathBuf),
}

/// Why a project cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("cannot {what} {}", path.display())]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot write the configuration")]
    Config(#[from] ConfigError),
    #[error("cannot write the state")]
    State(#[from] StoreError),
}

/// What a directory lacks to be a project.
pub fn plan(
    project: &Project,
    choices: Choices,
    environment: &Environment,
    now: Timestamp,
) -> Result<Vec<Step>, SetupError> {
    let mut steps = Vec::new();
    let tasks_dir = project.directory().join("tasks");
    for directory in [tasks_dir, project.docs_dir(), project.reports_dir(), project.templates_dir()]
    {
        if !directory.is_dir() {
            steps.push(Step::CreateDirectory(directory));
        }
    }
    if !project.config_file().exists() {
        let config = if choices.by_agent { Config::of_agents() } else { Config::default() };
        steps.push(Step::WriteConfig { path: project.config_file(), config });
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
        steps.push(Step::InitGit(project.root().to_path_buf()));
    }
    Ok(steps)
}

/// Does all that was planned, and says what went wrong without being a failure.
pub fn apply(steps: &[Step], now: Timestamp) -> Result<Vec<String>, SetupError> {
    let mut warnings = Vec::new();
    for step in steps {
        if let Step::InitGit(root) = step {
            warnings.extend(init_git(root));
        } else {
            take(step, now)?;
        }
    }
    Ok(warnings)
}

fn take(step: &Step, now: Timestamp) -> Result<(), SetupError> {
    match step {
        Step::CreateDirectory(path) => {
            fs::create_dir_all(path).map_err(|source| file_error("create", path, source))?;
        }
        Step::WriteConfig { path, config } => Config::change(path, |it| it.clone_from(config))?,
        Step::WriteState(path) => State::change(path, now, |_| ())?,
        Step::CreateFile { path, text } => {
            fs::write(path, text).map_err(|source| file_error("write", path, source))?;
        }
        Step::AddLines { path, text } => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let added = file.and_then(|mut it| it.write_all(text.as_bytes()));
            added.map_err(|source| file_error("add to", path, source))?;
        }
        Step::InitGit(_) => {}
    }
    Ok(())
}

/// A project works without version control, so that this fails is worth a warning only.
fn init_git(root: &Path) -> Option<String> {
    let mut command = Command::new("git");
    command.args(["init", "--quiet"]).current_dir(root).stdin(Stdio::null());
    match command.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let problem = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Some(format!("git made no repository: {problem}"))
        }
        Err(error) => Some(format!("git cannot be started: {error}")),
    }
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

fn read_or_empty(path: &Path) -> Result<String, SetupError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(file_error("read", path, source)),
    }
}

fn file_error(what: &'static str, path: &Path, source: io::Error) -> SetupError {
    SetupError::File { what, path: path.to_path_buf(), source }
}
