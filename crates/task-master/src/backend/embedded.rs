//! Models that run in this process: found in the user's store, loaded when they are needed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use tm_llm::{
    backend::{Backend, BackendError},
    catalogue::{
        Catalogue, Model,
        store::{Installed, ModelStore, Presence, StoreError},
    },
};

use crate::{calibration, config::Environment, report::advice};

/// Prompts that were read take no more than this together, unless the user says otherwise.
const PREFIXES_MOST_MIB: u64 = 1024;

/// A prompt that was read faster is not worth a file.
const WORTH_KEEPING: Duration = Duration::from_secs(2);

/// A model file that is there, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its id in the catalogue, or its path.
    pub(super) id: String,
    path: PathBuf,
    /// A `LoRA` adapter that is laid over it.
    adapter: Option<PathBuf>,
    /// The same for the same weights, and another one for others.
    pub(super) identity: String,
    /// What was found best for it on this machine.
    tuning: Tuning,
    /// Where prompts that it has read are kept.
    prefixes: Option<Prefixes>,
}

/// A folder for prompts that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefixes {
    path: PathBuf,
    most_mib: u64,
    /// A prompt that was read faster is not kept.
    worth: Duration,
}

impl Found {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How large the file is.
    pub(super) fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |it| it.len())
    }

    /// The same for somebody who measures: nothing that others have read is used, and what is read is
    /// kept in this folder alone.
    pub(super) fn keeping(self, folder: Option<&Path>) -> Self {
        let prefixes = folder.map(|it| Prefixes {
            path: it.to_owned(),
            most_mib: PREFIXES_MOST_MIB,
            worth: Duration::ZERO,
        });
        Self { prefixes, ..self }
    }
}

/// Finds the model that is asked for, or the default one.
pub(super) fn find(environment: &Environment, asked: Option<&str>) -> anyhow::Result<Found> {
    let catalogue = Catalogue::builtin()?;
    let default = catalogue.default_model().map(|it| it.0);
    find_in(&catalogue, environment, asked, default)
}

/// The same for the model that turns texts into vectors.
pub(super) fn find_embedder(
    environment: &Environment,
    asked: Option<&str>,
) -> anyhow::Result<Found> {
    let catalogue = Catalogue::builtin()?;
    find_in(&catalogue, environment, asked, catalogue.default_embedder())
}

/// The embedder for projects that name none; nothing where it was not fetched.
pub(super) fn default_embedder(environment: &Environment) -> anyhow::Result<Option<Found>> {
    // Without an engine there is nothing that could run it.
    if !cfg!(feature = "engine") {
        return Ok(None);
    }
    let catalogue = Catalogue::builtin()?;
    let store = ModelStore::new(environment.models_dir());
    let model = catalogue.default_embedder();
    match model.map(|it| store.presence(it)) {
        Some(Presence::Present { .. } | Presence::Changed { .. }) => {
            find_in(&catalogue, environment, None, model).map(Some)
        }
        Some(Presence::Absent | Presence::Partial { .. }) | None => Ok(None),
    }
}

fn find_in(
    catalogue: &Catalogue,
    environment: &Environment,
    asked: Option<&str>,
    default: Option<&Model>,
) -> anyhow::Result<Found> {
    if let Some((base, adapter)) = asked.and_then(|it| with_adapter(catalogue, environment, it)) {
        let found = find_in(catalogue, environment, Some(base), default)?;
        let identity = format!("{} + {}", found.identity, of_file(&adapter));
        let tuning = tuning(environment, &identity)?;
        let id = asked.unwrap_or_default().to_owned();
        return Ok(Found { id, adapter: Some(adapter), identity, tuning, ..found });
    }
    let store = ModelStore::new(environment.models_dir());
    let file = asked.map(|it| (it, environment.working_dir.join(it)));
    let (id, path, identity) = match file {
        Some((asked, path)) if is_gguf(&path) && catalogue.find(asked).is_err() => {
            let identity = of_file(&path);
            (asked.to_owned(), path, identity)
        }
        _ => {
            let model = match asked {
                Some(id) => catalogue.find(id)?,
                None => default.context("the catalogue has no default model")?,
            };
            let Installed { path, sha256, .. } = installed(&store, model)?;
            (model.id.clone(), path, format!("sha256:{sha256}"))
        }
    };
    let tuning = tuning(environment, &identity)?;
    let prefixes = prefixes(environment)?;
    Ok(Found { id, path, adapter: None, identity, tuning, prefixes })
}

/// The model and the file of `MODEL+ADAPTER.gguf`; a file or a folder may have a plus in its name.
fn with_adapter<'a>(
    catalogue: &Catalogue,
    environment: &Environment,
    asked: &'a str,
) -> Option<(&'a str, PathBuf)> {
    let here = |it: &str| environment.working_dir.join(it);
    let (model, adapter) = asked.rsplit_once('+')?;
    let is_model = is_gguf(Path::new(model)) || catalogue.find(model).is_ok();
    let is_both = is_model && is_gguf(Path::new(adapter)) && !here(asked).is_file();
    is_both.then(|| (model, here(adapter)))
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "gguf")
}

/// Where prompts that were read are kept, unless the user wants none.
fn prefixes(environment: &Environment) -> anyhow::Result<Option<Prefixes>> {
    let said = environment.variable("TASKMASTER_PREFIX_CACHE_MIB");
    let most_mib = said.map_or(Ok(PREFIXES_MOST_MIB), str::parse).map_err(|_| {
        advice(
            "TASKMASTER_PREFIX_CACHE_MIB is no size",
            "set it to the most mebibytes that prompts which were read may take, such as 1024, or \
             to 0 to keep none",
        )
    })?;
    let prefixes = Prefixes { path: environment.prefixes_dir(), most_mib, worth: WORTH_KEEPING };
    Ok((most_mib > 0).then_some(prefixes))
}

/// What was found best on this machine, and what the user says.
fn tuning(environment: &Environment, identity: &str) -> anyhow::Result<Tuning> {
    let said = environment.variable("TASKMASTER_GPU_LAYERS");
    let gpu_layers = said.map(str::parse).transpose().map_err(|_| {
        advice(
            "TASKMASTER_GPU_LAYERS is no number of layers",
            "set it to a number such as 20, or to 0 for the processor alone",
        )
    })?;
    let found = calibration::read(environment, identity);
    Ok(Tuning {
        threads: found.as_ref().map(|it| it.threads),
        batch_tokens: found.as_ref().map(|it| it.batch_tokens),
        parallel: None,
        gpu_layers,
    })
}

/// Nobody vouches for the file, and to read all of it takes too long: it is what it was as long as
/// it was not written to.
fn of_file(path: &Path) -> String {
    let facts = fs::metadata(path).and_then(|it| Ok((it.len(), it.modified()?)));
    format!("file:{} {facts:?}", path.display())
}

fn installed(store: &ModelStore, model: &Model) -> anyhow::Result<Installed> {
    match store.find(model) {
        Ok(installed) => Ok(installed),
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

/// How a model is run; what is left out is chosen for the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tuning {
    pub threads: Option<u32>,
    pub batch_tokens: Option<u32>,
    pub parallel: Option<u32>,
    /// Of a graphics card, where the build can use one.
    pub gpu_layers: Option<u32>,
}

/// Loads the model into this process.
#[cfg(feature = "engine")]
pub(super) async fn load(found: Found) -> Result<Arc<dyn Backend>, BackendError> {
    let tuning = found.tuning;
    load_tuned(found, tuning).await
}

/// The same, run in this way.
#[cfg(feature = "engine")]
pub(super) async fn load_tuned(
    found: Found,
    tuning: Tuning,
) -> Result<Arc<dyn Backend>, BackendError> {
    let usual = tm_engine::EngineOptions::default();
    let prefixes = found.prefixes.map(|it| tm_engine::PrefixFolder {
        path: it.path,
        identity: format!("{} on {}", found.identity, calibration::host()),
        most_bytes: it.most_mib.saturating_mul(1 << 20),
        worth: it.worth,
    });
    let options = tm_engine::EngineOptions {
        model: Some(found.id),
        prefixes,
        threads: tuning.threads,
        batch_tokens: tuning.batch_tokens.unwrap_or(usual.batch_tokens),
        parallel: tuning.parallel.unwrap_or(usual.parallel),
        gpu_layers: tuning.gpu_layers,
        adapter: found.adapter,
        ..usual
    };
    let engine = tm_engine::Engine::load_in_background(found.path, options).await?;
    Ok(Arc::new(engine))
}

/// Loads the model that turns texts into vectors.
#[cfg(feature = "engine")]
pub(super) async fn load_embedder(found: Found) -> Result<Arc<dyn Backend>, BackendError> {
    if let Some(path) = found.adapter {
        let reason = "an adapter can be laid only over a model that writes".to_owned();
        return Err(BackendError::Load { path, reason });
    }
    let options = tm_engine::EngineOptions { model: Some(found.id), ..Default::default() };
    let embedder = tm_engine::Embedder::load_in_background(found.path, options).await?;
    Ok(Arc::new(embedder))
}

#[cfg(not(feature = "engine"))]
pub(super) async fn load_embedder(found: Found) -> Result<Arc<dyn Backend>, BackendError> {
    load(found).await
}

#[cfg(not(feature = "engine"))]
pub(super) async fn load(found: Found) -> Result<Arc<dyn Backend>, BackendError> {
    let tuning = found.tuning;
    load_tuned(found, tuning).await
}

/// This build has no engine to load it into.
#[cfg(not(feature = "engine"))]
#[expect(clippy::unused_async, reason = "the same shape as in a build with an engine")]
pub(super) async fn load_tuned(
    found: Found,
    _tuning: Tuning,
) -> Result<Arc<dyn Backend>, BackendError> {
    let reason = format!("this build cannot run {}: it has no engine", found.id);
    Err(BackendError::Load { path: found.path, reason })
}

#[cfg(test)]
mod tests;
