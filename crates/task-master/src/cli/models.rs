//! `models`: which model plays which role, and the language models that run on this machine.
//!
//! Roles are known to [`crate::roles`]; what there is and how it gets here is known to `tm-llm`;
//! these commands show and change it.

use tm_llm::catalogue::{
    Catalogue, CatalogueError, Model,
    store::{ModelStore, StoreError},
};
use tm_tasks::config::Role;

use super::Format;
use crate::{
    app::App,
    report::{Report, advice},
};

mod list;
mod pull;
mod roles;
mod setup;

/// Say which model plays which role, and list, fetch and remove models that run on this machine
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Give the main role to this model
    #[arg(long, value_name = "MODEL")]
    set_main: Option<String>,

    /// Give the research role to this model
    #[arg(long, value_name = "MODEL")]
    set_research: Option<String>,

    /// Give the fallback role to this model
    #[arg(long, value_name = "MODEL")]
    set_fallback: Option<String>,

    /// Ask which models to use
    #[arg(long)]
    setup: bool,

    #[command(flatten)]
    provider: Provider,

    /// Where the server of the model is
    #[arg(long = "baseURL", value_name = "URL")]
    base_url: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whose model it is, where nobody here knows it.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Provider {
    /// The model is one of `OpenRouter`'s
    #[arg(long)]
    openrouter: bool,

    /// The model is on an Ollama server, which is asked for it
    #[arg(long)]
    ollama: bool,

    /// The model is one of AWS Bedrock's
    #[arg(long)]
    bedrock: bool,

    /// The model is one of Claude Code's
    #[arg(long)]
    claude_code: bool,

    /// The model is a deployment on Azure
    #[arg(long)]
    azure: bool,

    /// The model is one of Vertex AI's
    #[arg(long)]
    vertex: bool,

    /// The model is one of Gemini CLI's
    #[arg(long)]
    gemini_cli: bool,

    /// The model is one of Codex CLI's
    #[arg(long)]
    codex_cli: bool,

    /// The model is on an LM Studio server
    #[arg(long)]
    lmstudio: bool,

    /// The model is on another server that speaks `OpenAI`'s protocol
    #[arg(long)]
    openai_compatible: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(visible_alias = "ls")]
    List(list::Args),
    Pull(pull::Args),
    Rm(RemoveArgs),
    Path(PathArgs),
}

/// Remove a model, and what an interrupted pull has left of it
#[derive(Debug, clap::Args)]
struct RemoveArgs {
    /// The model, as `models list` names it
    id: String,
}

/// Print where the file of a model is, after checking it
#[derive(Debug, clap::Args)]
struct PathArgs {
    /// The model; the default one when left out
    id: Option<String>,
}

/// Runs `models`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let catalogue = Catalogue::builtin()?;
    let store = ModelStore::new(app.environment.models_dir());
    match &args.command {
        None => return args.roles(app, &catalogue, &store, report),
        Some(Command::List(args)) => list::run(args, &catalogue, &store, report),
        Some(Command::Pull(args)) => pull::run(args, app, &catalogue, report)?,
        Some(Command::Rm(args)) => remove(args, &catalogue, &store, report)?,
        Some(Command::Path(args)) => path(args, &catalogue, &store, report)?,
    }
    Ok(())
}

/// Asks which models are to answer, for `init`.
pub(super) fn set_up(app: &App, report: &mut Report) -> anyhow::Result<()> {
    let catalogue = Catalogue::builtin()?;
    let store = ModelStore::new(app.environment.models_dir());
    setup::run(app, &catalogue, &store, report)
}

impl Args {
    /// Runs `models` without a command of its own.
    fn roles(
        &self,
        app: &App,
        catalogue: &Catalogue,
        store: &ModelStore,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if self.setup {
            return setup::run(app, catalogue, store, report);
        }
        let wanted = [
            (Role::Main, &self.set_main),
            (Role::Research, &self.set_research),
            (Role::Fallback, &self.set_fallback),
        ];
        let wanted = wanted.iter().filter_map(|(role, id)| Some((*role, id.as_deref()?)));
        let wanted: Vec<(Role, &str)> = wanted.collect();
        if !wanted.is_empty() {
            let choice = roles::Choice {
                provider: self.provider.name(),
                base_url: self.base_url.as_deref(),
            };
            return roles::set(&wanted, choice, app, report);
        }
        if self.json {
            return roles::print_json(app, report);
        }
        roles::show(app, report)?;
        report.blank();
        list::run(&list::Args::default(), catalogue, store, report);
        report.suggest("task-master models --set-main ID", "give a role to a model");
        Ok(())
    }
}

impl Provider {
    fn name(&self) -> Option<&'static str> {
        let flags = [
            (self.openrouter, "openrouter"),
            (self.ollama, "ollama"),
            (self.bedrock, "bedrock"),
            (self.claude_code, "claude-code"),
            (self.azure, "azure"),
            (self.vertex, "vertex"),
            (self.gemini_cli, "gemini-cli"),
            (self.codex_cli, "codex-cli"),
            (self.lmstudio, "lmstudio"),
            (self.openai_compatible, "openai-compatible"),
        ];
        flags.into_iter().find(|it| it.0).map(|it| it.1)
    }
}

fn remove(
    args: &RemoveArgs,
    catalogue: &Catalogue,
    store: &ModelStore,
    report: &mut Report,
) -> anyhow::Result<()> {
    let model = find(catalogue, Some(&args.id))?;
    let freed = store.remove(model).map_err(|error| explain(error, &model.id))?;
    report.done(format!("removed {}: {} are free again", model.id, size(freed)));
    report.suggest(&format!("task-master models pull {}", model.id), "fetch it again");
    Ok(())
}

fn path(
    args: &PathArgs,
    catalogue: &Catalogue,
    store: &ModelStore,
    report: &mut Report,
) -> anyhow::Result<()> {
    let model = find(catalogue, args.id.as_deref())?;
    let installed = store.find(model).map_err(|error| explain(error, &model.id))?;
    report.line(installed.path.display().to_string());
    Ok(())
}

/// The model named, or the default one.
fn find<'a>(catalogue: &'a Catalogue, id: Option<&str>) -> anyhow::Result<&'a Model> {
    let found = match id {
        Some(id) => catalogue.find(id),
        None => catalogue
            .default_model()
            .map(|(model, _)| model)
            .ok_or(CatalogueError::Default { count: 0 }),
    };
    found.map_err(|error| {
        let message = match &error {
            CatalogueError::Unknown { id, .. } => format!("there is no model {id:?}"),
            CatalogueError::Unreadable(_) | CatalogueError::Default { .. } => error.to_string(),
        };
        advice(message, "see which there are with `task-master models list`").into()
    })
}

/// What to do about a store that has no model to use.
fn explain(error: StoreError, id: &str) -> anyhow::Error {
    let (message, hint) = match &error {
        StoreError::NotInstalled { .. } => (
            format!("the model {id} is not installed"),
            format!("fetch it with `task-master models pull {id}`"),
        ),
        StoreError::Damaged { path, .. } => (
            format!("the model file {} is damaged", path.display()),
            format!(
                "replace it with `task-master models pull {id} --force`, or remove it with \
                 `task-master models rm {id}`"
            ),
        ),
        StoreError::Busy { .. } => {
            (error.to_string(), "wait for it, or interrupt it there".to_owned())
        }
        StoreError::Io { .. } => (
            error.to_string(),
            "see that the disk has space, and what the permissions are".to_owned(),
        ),
    };
    match error {
        StoreError::NotInstalled { .. } | StoreError::Busy { .. } => advice(message, hint).into(),
        StoreError::Damaged { reason, .. } => {
            anyhow::Error::msg(reason).context(advice(message, hint))
        }
        StoreError::Io { source, .. } => anyhow::Error::new(source).context(advice(message, hint)),
    }
}

/// A number of bytes for people, in powers of ten as disks and networks count.
fn size(bytes: u64) -> String {
    let rounded = |unit: u64| (bytes + unit / 2) / unit;
    match bytes {
        0..999_500 => format!("{} kB", bytes.div_ceil(1000)),
        999_500..999_500_000 => format!("{} MB", rounded(1_000_000)),
        _ => {
            let tenths = rounded(100_000_000);
            format!("{}.{} GB", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests;
