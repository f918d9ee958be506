//! Which model plays which role: what a project's configuration says, and how that is changed.
//!
//! The command line and the MCP server both come here; nothing is printed. Whose model finally
//! answers is known to [`crate::backend`]. Start at [`set_model`] and at [`active`].

use serde::Serialize;
use tm_llm::{
    catalogue::{Catalogue, Model},
    egress::guard::Guard,
    provider,
    servers::{self, ServerError},
};
use tm_tasks::{
    config::{Config, ConfigError, Role, RoleModel},
    project::Project,
};

use crate::{backend::EMBEDDED, config::Environment};

pub mod keys;
pub mod known;

use keys::KeyStatus;
use known::{Cost, KnownModel};

const OLLAMA_URL: &str = "http://localhost:11434/api";
const LMSTUDIO_URL: &str = "http://localhost:1234/v1";

/// A model to be given a role.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub role: Role,
    pub model_id: &'a str,
    /// Whose model it is; without it, the model must be a known one.
    pub provider: Option<&'a str>,
    pub base_url: Option<&'a str>,
}

/// A role that was given a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelSet {
    pub role: &'static str,
    pub provider: String,
    pub model_id: String,
    pub message: String,
    pub warning: Option<String>,
}

/// Why a role keeps the model that it has.
#[derive(Debug, thiserror::Error)]
pub enum SetModelError {
    #[error("a model needs a name")]
    NoName,
    #[error("{path} does not exist")]
    NoConfig { path: String },
    #[error("nobody here knows a model {id:?}")]
    Unknown { id: String },
    #[error("a model of the provider {provider} needs the address of its server")]
    NoAddress { provider: String },
    #[error("the Ollama server at {url} has no model {id:?}; it has {}", there.join(", "))]
    NotOnServer { id: String, url: String, there: Vec<String> },
    #[error("the Ollama server at {url} cannot be asked which models it has")]
    Server { url: String, source: ServerError },
    #[error("the configuration cannot be changed")]
    Config(#[from] ConfigError),
}

impl SetModelError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::NoName => "see `task-master models` for names".to_owned(),
            Self::NoConfig { .. } => "set the project up with `task-master init`".to_owned(),
            Self::Unknown { .. } => "see `task-master models` for names; say whose model it is \
                                     with --ollama, --lmstudio, --openai-compatible, \
                                     --openrouter, --azure, --bedrock, --vertex, --claude-code, \
                                     --gemini-cli or --codex-cli"
                .to_owned(),
            Self::NoAddress { .. } => "add --baseURL URL".to_owned(),
            Self::NotOnServer { id, .. } => format!("fetch it there with `ollama pull {id}`"),
            Self::Server { source: ServerError::NotLocal(_), .. } => {
                "if the host is yours, list it in TASKMASTER_LOCAL_HOSTS; nothing was sent"
                    .to_owned()
            }
            Self::Server { .. } => {
                "start it with `ollama serve`, or say where it is with --baseURL".to_owned()
            }
            Self::Config(_) => "mend the file, or see what its permissions are".to_owned(),
        }
    }
}

/// Gives a role a model, and writes that into the project's configuration.
///
/// Which models a server has is asked of those that are local.
pub async fn set_model(
    project: &Project,
    guard: &Guard,
    wanted: Wanted<'_>,
) -> Result<ModelSet, SetModelError> {
    let path = project.config_file();
    if wanted.model_id.trim().is_empty() {
        return Err(SetModelError::NoName);
    }
    if !path.is_file() {
        return Err(SetModelError::NoConfig { path: path.display().to_string() });
    }
    let (config, _) = Config::load(&path);
    let now = config.model(wanted.role);
    let model = resolve(wanted, guard, now.as_ref()).await?;
    let warning = warning(&model);
    Config::change(&path, |config| config.set_model(wanted.role, &model))?;
    Ok(ModelSet {
        role: wanted.role.as_str(),
        message: format!(
            "Successfully set {} model to {} (Provider: {})",
            wanted.role.as_str(),
            model.model_id,
            model.provider
        ),
        provider: model.provider,
        model_id: model.model_id,
        warning,
    })
}

/// The model as it goes into the configuration.
async fn resolve(
    wanted: Wanted<'_>,
    guard: &Guard,
    now: Option<&RoleModel>,
) -> Result<RoleModel, SetModelError> {
    let id = wanted.model_id.trim();
    let known = find_known(id, wanted.provider);
    let provider = match (wanted.provider, &known) {
        (Some(provider), _) => provider.to_owned(),
        (None, Some(known)) => known.provider.clone(),
        (None, None) if runs_here(id) => EMBEDDED.to_owned(),
        (None, None) => return Err(SetModelError::Unknown { id: id.to_owned() }),
    };
    let kept_url = now.filter(|it| it.provider == provider).and_then(|it| it.base_url.clone());
    let mut base_url = wanted.base_url.map(str::to_owned).or(kept_url);
    match provider.as_str() {
        "ollama" if wanted.provider.is_some() => {
            ask_ollama(base_url.as_deref().unwrap_or(OLLAMA_URL), id, guard).await?;
        }
        "lmstudio" => base_url = base_url.or_else(|| Some(LMSTUDIO_URL.to_owned())),
        "openai-compatible" | "azure" if base_url.is_none() && wanted.provider.is_some() => {
            return Err(SetModelError::NoAddress { provider });
        }
        _ => {}
    }
    let max_tokens = known.map(|it| it.max_tokens).or_else(|| now.and_then(|it| it.max_tokens));
    Ok(RoleModel {
        model_id: id.to_owned(),
        provider,
        max_tokens: max_tokens.or(Some(64_000)),
        temperature: now.and_then(|it| it.temperature).or(Some(0.2)),
        base_url,
    })
}

fn find_known(id: &str, provider: Option<&str>) -> Option<KnownModel> {
    known::models()
        .into_iter()
        .find(|it| it.id == id && provider.is_none_or(|provider| provider == it.provider))
}

/// Whether the embedded engine takes this name: one of the catalogue, or a file.
fn runs_here(id: &str) -> bool {
    let is_file = std::path::Path::new(id).extension().is_some_and(|it| it == "gguf");
    is_file || Catalogue::builtin().is_ok_and(|it| it.find(id).is_ok_and(Model::writes))
}

async fn ask_ollama(url: &str, id: &str, guard: &Guard) -> Result<(), SetModelError> {
    // With or without `/api`, as everywhere.
    let url = provider::find("ollama").map_or_else(|| url.to_owned(), |it| it.base_url(url));
    let there = match servers::ollama_models(&url, guard).await {
        Ok(there) => there,
        Err(source) => return Err(SetModelError::Server { url, source }),
    };
    if there.iter().any(|it| it == id) {
        return Ok(());
    }
    Err(SetModelError::NotOnServer { id: id.to_owned(), url, there })
}

/// What the user should know about a model that was not checked.
fn warning(model: &RoleModel) -> Option<String> {
    let is_checked = matches!(model.provider.as_str(), EMBEDDED | "ollama");
    let is_known = find_known(&model.model_id, Some(&model.provider)).is_some();
    let warning =
        format!("nobody checked that {} has a model {:?}", model.provider, model.model_id);
    (!is_checked && !is_known).then_some(warning)
}

/// What a project says about its roles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActiveModels {
    pub main: Option<ActiveModel>,
    pub research: Option<ActiveModel>,
    pub fallback: Option<ActiveModel>,
}

/// The model of a role, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveModel {
    pub provider: String,
    pub model_id: String,
    #[serde(rename = "baseURL", skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    pub swe_score: Option<f64>,
    pub cost: Option<Cost>,
    pub key_status: KeyStatus,
}

/// Looks the roles up. What the environment names takes the place of the configured model.
pub fn active(project: &Project, config: &Config, environment: &Environment) -> ActiveModels {
    let model = |role| {
        let model = configured(config, environment, role)?;
        let known = find_known(&model.model_id, Some(&model.provider));
        Some(ActiveModel {
            key_status: keys::status(&model.provider, environment, project),
            swe_score: known.as_ref().and_then(|it| it.score),
            cost: known.and_then(|it| it.cost),
            provider: model.provider,
            model_id: model.model_id,
            base_url: model.base_url,
        })
    };
    ActiveModels {
        main: model(Role::Main),
        research: model(Role::Research),
        fallback: model(Role::Fallback),
    }
}

/// The variable that takes the place of what is configured for a role.
pub fn variable(role: Role) -> &'static str {
    match role {
        Role::Main => "TASKMASTER_MODEL_MAIN",
        Role::Research => "TASKMASTER_MODEL_RESEARCH",
        Role::Fallback => "TASKMASTER_MODEL_FALLBACK",
    }
}

fn configured(config: &Config, environment: &Environment, role: Role) -> Option<RoleModel> {
    let model = config.model(role);
    let Some(id) = environment.variable(variable(role)) else { return model };
    let provider = find_known(id, None).map(|it| it.provider);
    let here = || runs_here(id).then(|| EMBEDDED.to_owned());
    let provider = provider.or_else(here).or_else(|| model.map(|it| it.provider))?;
    Some(RoleModel {
        provider,
        model_id: id.to_owned(),
        max_tokens: None,
        temperature: None,
        base_url: None,
    })
}

/// The known models that play no role yet, as programs want them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailableModel {
    pub provider: String,
    pub model_id: String,
    pub swe_score: Option<f64>,
    pub cost: Option<Cost>,
    pub allowed_roles: Vec<String>,
}

/// What else could be set: the models that run here first, then those of other providers.
pub fn available(active: &ActiveModels) -> Vec<AvailableModel> {
    let taken: Vec<(&str, &str)> = [&active.main, &active.research, &active.fallback]
        .into_iter()
        .flatten()
        .map(|it| (it.provider.as_str(), it.model_id.as_str()))
        .collect();
    let here = Catalogue::builtin().ok();
    let here = here.iter().flat_map(Catalogue::models).map(|it| AvailableModel {
        provider: EMBEDDED.to_owned(),
        model_id: it.id.clone(),
        swe_score: None,
        cost: Some(Cost { input: 0.0, output: 0.0 }),
        allowed_roles: Role::ALL.map(|it| it.as_str().to_owned()).to_vec(),
    });
    let known = known::models().into_iter().map(|it| AvailableModel {
        allowed_roles: it.roles().map(str::to_owned).collect(),
        provider: it.provider,
        model_id: it.id,
        swe_score: it.score,
        cost: it.cost,
    });
    let all = here.chain(known);
    all.filter(|it| !taken.contains(&(it.provider.as_str(), it.model_id.as_str()))).collect()
}

#[cfg(test)]
mod tests;
