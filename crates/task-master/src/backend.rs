//! Which model answers: from a project's settings to a loaded backend.
//!
//! Workflows ask for a role and get a backend; which model it is, where it runs and who stands in
//! for it is decided here. Start at [`for_role`].

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use tm_llm::{
    backend::Backend,
    catalogue::{
        Catalogue, Model,
        store::{ModelStore, StoreError},
    },
    failover::Failover,
};
use tm_tasks::config::{Config, Role};

use crate::{
    app::Workspace,
    report::{Report, advice},
};

pub mod telemetry;

/// The provider's name in `config.json` for models that run in this process.
pub const EMBEDDED: &str = "embedded";

/// The model for a role.
#[derive(Debug)]
pub struct Choice {
    /// Its id in the catalogue, or its path.
    pub id: String,
    path: PathBuf,
    /// What the configuration names, when something else answers instead.
    instead_of: Option<String>,
}

/// The model that plays `role` in this project, found but not loaded; [`Choice::open`] does that.
///
/// It is told when another model answers than the one the project names.
pub fn for_role(workspace: &Workspace, role: Role, report: &mut Report) -> anyhow::Result<Choice> {
    let choice = choose(workspace, role)?;
    if let Some(instead_of) = &choice.instead_of {
        report.note(&format!("{} answers here in place of {instead_of}", choice.id));
    }
    Ok(choice)
}

fn choose(workspace: &Workspace, role: Role) -> anyhow::Result<Choice> {
    let catalogue = Catalogue::builtin()?;
    let store = ModelStore::new(workspace.environment.models_dir());
    let (wanted, instead_of) = wanted(&workspace.config, role);
    let asked = workspace.environment.variable("TASKMASTER_MODEL").map(str::to_owned).or(wanted);
    if let Some(asked) = &asked {
        let path = workspace.environment.working_dir.join(asked);
        if path.extension().is_some_and(|it| it == "gguf") && catalogue.find(asked).is_err() {
            return Ok(Choice { id: asked.clone(), path, instead_of });
        }
    }
    let model = match &asked {
        Some(id) => catalogue.find(id)?,
        None => catalogue.default_model().context("the catalogue has no default model")?.0,
    };
    let path = installed(&store, model)?;
    Ok(Choice { id: model.id.clone(), path, instead_of })
}

/// The embedded model that the project names, or what it names instead of one.
fn wanted(config: &Config, role: Role) -> (Option<String>, Option<String>) {
    match config.model(role) {
        Some(model) if model.provider == EMBEDDED => (Some(model.model_id), None),
        Some(model) => (None, Some(format!("{}/{}", model.provider, model.model_id))),
        None => (None, None),
    }
}

fn installed(store: &ModelStore, model: &Model) -> anyhow::Result<PathBuf> {
    match store.find(model) {
        Ok(installed) => Ok(installed.path),
        Err(error) => {
            let hint = match &error {
                StoreError::NotInstalled { .. } => {
                    format!("fetch it once with `task-master models pull {}`", model.id)
                }
                StoreError::Damaged { .. } | StoreError::Busy { .. } | StoreError::Io { .. } => {
                    format!("fetch it again with `task-master models pull {} --force`", model.id)
                }
            };
            let message = format!("the model {} cannot be used", model.id);
            Err(anyhow::Error::new(error).context(advice(message, hint)))
        }
    }
}

impl Choice {
    /// Loads the model. This takes seconds, so do it when the rest is in order.
    ///
    /// What the model did is known to [`Failover::spent`] afterwards, and [`telemetry::data`]
    /// makes of it what commands print.
    pub async fn open(self) -> anyhow::Result<Arc<Failover>> {
        Ok(Arc::new(Failover::new(load(self).await?)))
    }
}

/// Loads the model into this process.
#[cfg(feature = "engine")]
async fn load(choice: Choice) -> anyhow::Result<Arc<dyn Backend>> {
    let options = tm_engine::EngineOptions { model: Some(choice.id.clone()), ..Default::default() };
    match tm_engine::Engine::load_in_background(choice.path, options).await {
        Ok(engine) => Ok(Arc::new(engine)),
        Err(error) => {
            let message = format!("the model {} cannot be used", choice.id);
            let hint = "nothing was changed; see `task-master models list` for models that are \
                        here and fit, or fetch this one again with `task-master models pull`";
            Err(anyhow::Error::new(error).context(advice(message, hint)))
        }
    }
}

/// This build has no engine to load it into.
#[cfg(not(feature = "engine"))]
#[expect(clippy::unused_async, reason = "the same shape as in a build with an engine")]
async fn load(choice: Choice) -> anyhow::Result<Arc<dyn Backend>> {
    let message = format!("this build cannot run {} ({})", choice.id, choice.path.display());
    Err(advice(message, "build it with its default features").into())
}
