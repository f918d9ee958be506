//! `models`: the language models that run on this machine.
//!
//! What there is and how it gets here is known to `tm-llm`; these commands show it.

use tm_llm::catalogue::{
    Catalogue, CatalogueError, Model,
    store::{ModelStore, StoreError},
};

use super::Format;
use crate::{
    app::App,
    report::{Report, advice},
};

mod list;
mod pull;

/// List, fetch and remove the models that run on this machine
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
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
        None => list::run(&list::Args::default(), &catalogue, &store, report),
        Some(Command::List(args)) => list::run(args, &catalogue, &store, report),
        Some(Command::Pull(args)) => pull::run(args, app, &catalogue, report)?,
        Some(Command::Rm(args)) => remove(args, &catalogue, &store, report)?,
        Some(Command::Path(args)) => path(args, &catalogue, &store, report)?,
    }
    Ok(())
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
