//! `.taskmaster/config.json`: which models play which role, and the project's settings.
//!
//! Read leniently, because people write it by hand: what cannot be used is a warning and the
//! default. Changed faithfully: only the named setting is touched. Environment variables are not
//! known here. Start at [`Config::load`].

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    json::Record,
    settings::{self, SettingsError},
    store::StoreError,
    task::Priority,
};

/// The settings of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    document: Record,
}

/// What a model is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Main,
    Research,
    Fallback,
}

/// The model that plays a role.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleModel {
    pub provider: String,
    pub model_id: String,
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub base_url: Option<String>,
}

/// What holds for the whole project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globals {
    pub log_level: String,
    pub debug: bool,
    pub default_num_tasks: u64,
    pub default_subtasks: u64,
    pub default_priority: Priority,
    pub project_name: String,
    pub response_language: String,
    pub ollama_base_url: String,
    pub enable_codebase_analysis: bool,
    pub enable_proxy: bool,
    /// The tag to use when no tag was ever switched to.
    pub default_tag: Option<String>,
}

/// What of a configuration could not be used; the defaults stand in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigWarning {
    #[error("{path} does not exist")]
    Missing { path: PathBuf },
    #[error("{path} cannot be read: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("{path} is not a JSON object: {reason}")]
    NotAnObject { path: PathBuf, reason: String },
}

/// Why a configuration cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Writing would lose what the user wrote.
    #[error("{0}")]
    Unusable(ConfigWarning),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Config {
    /// Reads a configuration; without a usable one, the defaults and what is wrong with it.
    pub fn load(path: &Path) -> (Self, Option<ConfigWarning>) {
        match settings::read(path) {
            Ok(document) => (Self { document }, None),
            Err(error) => (Self::default(), Some(ConfigWarning::new(path, error))),
        }
    }

    /// Changes a configuration on the disk, or writes a new one that starts with the defaults.
    pub fn change(path: &Path, change: impl FnOnce(&mut Self)) -> Result<(), ConfigError> {
        settings::change(path, |read| {
            let mut config = match read {
                Ok(document) => Self { document },
                Err(SettingsError::Missing) => Self::default(),
                Err(error) => {
                    return Err(ConfigError::Unusable(ConfigWarning::new(path, error)));
                }
            };
            change(&mut config);
            Ok(config.document)
        })
    }

    /// What a project has that an agent made: older versions write this one then, other models and
    /// the tag to begin with included.
    pub fn of_agents() -> Self {
        let mut config = Self::default();
        let mut models = config.section("models");
        if let Some(fallback) = models.get("fallback").map(str::to_owned) {
            models.set("main", fallback);
        }
        if let Some(mut research) = models.get("research").and_then(Record::parse) {
            research.set("modelId", json!("sonar-pro").to_string());
            models.set("research", research.to_text());
        }
        config.document.set("models", models.to_text());
        config.set_global("projectName", &json!("Taskmaster"));
        config.set_global("defaultTag", &json!("master"));
        config.set_global("azureOpenaiBaseURL", &json!("https://your-endpoint.openai.azure.com/"));
        config
    }

    /// The model of a role. Main and research fall back to the defaults, the fallback to none.
    pub fn model(&self, role: Role) -> Option<RoleModel> {
        let found = self.get("models", role.as_str()).and_then(|it| RoleModel::read(&it));
        found.or_else(|| match role {
            Role::Main | Role::Research => {
                RoleModel::read(defaults().get("models")?.get(role.as_str())?)
            }
            Role::Fallback => None,
        })
    }

    /// The other addresses of the model that plays a role, and how many questions each of them is
    /// asked at a time, when the project says so.
    pub fn shared_work(&self, role: Role) -> (Vec<String>, Option<u64>) {
        let model = self.get("models", role.as_str()).unwrap_or_default();
        let addresses = model.get("alsoAt").and_then(Value::as_array).into_iter().flatten();
        let limit = model.get("concurrency").and_then(number);
        (addresses.filter_map(text).collect(), limit)
    }

    /// What a role's servers hold in tokens, prompt and answer together, when the project says so.
    pub fn context_window(&self, role: Role) -> Option<u64> {
        self.get("models", role.as_str())?.get("contextWindow").and_then(number)
    }

    /// The model that turns texts into vectors, when the project names one.
    pub fn embedding_model(&self) -> Option<RoleModel> {
        RoleModel::read(&self.get("models", "embedding")?)
    }

    /// The model that is asked about tasks that are not good enough, when the project names one.
    pub fn escalation_model(&self) -> Option<RoleModel> {
        RoleModel::read(&self.get("models", "escalation")?)
    }

    /// The model that says how well passages answer a question, when the project names one.
    pub fn reranking_model(&self) -> Option<RoleModel> {
        RoleModel::read(&self.get("models", "rerank")?)
    }

    /// Other members of the role, such as ones that we do not know, stay.
    pub fn set_model(&mut self, role: Role, model: &RoleModel) {
        let mut models = self.section("models");
        let old = models.get(role.as_str()).and_then(Record::parse);
        let mut record = old.unwrap_or_default();
        let fields = [
            ("provider", Some(json!(model.provider))),
            ("modelId", Some(json!(model.model_id))),
            ("maxTokens", model.max_tokens.map(|it| json!(it))),
            ("temperature", model.temperature.map(|it| json!(it))),
            ("baseURL", model.base_url.as_ref().map(|it| json!(it))),
        ];
        for (name, value) in fields {
            match value {
                Some(value) => record.set(name, value.to_string()),
                None => record.remove(name),
            }
        }
        // One address is enough, however it was spelled.
        record.remove("baseUrl");
        // Another model is elsewhere.
        record.remove("alsoAt");
        record.remove("concurrency");
        record.remove("contextWindow");
        models.set(role.as_str(), record.to_text());
        self.document.set("models", models.to_text());
    }

    /// Leaves a role without a model of its own.
    pub fn remove_model(&mut self, role: Role) {
        let mut models = self.section("models");
        models.remove(role.as_str());
        self.document.set("models", models.to_text());
    }

    pub fn globals(&self) -> Globals {
        let defaults = defaults();
        let value = |name: &str| {
            let own = self.get("global", name).filter(|it| !it.is_null());
            own.or_else(|| defaults.get("global")?.get(name).cloned())
        };
        let text = |name: &str| value(name).as_ref().and_then(text).unwrap_or_default();
        let number =
            |name: &str, otherwise| value(name).as_ref().and_then(number).unwrap_or(otherwise);
        let flag = |name: &str| value(name).and_then(|it| it.as_bool()).unwrap_or_default();
        Globals {
            log_level: text("logLevel"),
            debug: flag("debug"),
            default_num_tasks: number("defaultNumTasks", 10),
            default_subtasks: number("defaultSubtasks", 5),
            default_priority: Priority::read(&text("defaultPriority")),
            project_name: text("projectName"),
            response_language: text("responseLanguage"),
            ollama_base_url: text("ollamaBaseURL"),
            enable_codebase_analysis: flag("enableCodebaseAnalysis"),
            enable_proxy: flag("enableProxy"),
            default_tag: Some(text("defaultTag")).filter(|it| !it.is_empty()),
        }
    }

    /// Any member of a section such as `global` or `storage`.
    pub fn get(&self, section: &str, name: &str) -> Option<Value> {
        serde_json::from_str(self.section(section).get(name)?).ok()
    }

    pub fn set_global(&mut self, name: &str, value: &Value) {
        let mut global = self.section("global");
        global.set(name, value.to_string());
        self.document.set("global", global.to_text());
    }

    fn section(&self, name: &str) -> Record {
        self.document.get(name).and_then(Record::parse).unwrap_or_default()
    }
}

impl Default for Config {
    /// What a project without a configuration has.
    fn default() -> Self {
        Self { document: Record::parse(&defaults().to_string()).unwrap_or_default() }
    }
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Main, Self::Research, Self::Fallback];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Research => "research",
            Self::Fallback => "fallback",
        }
    }
}

impl RoleModel {
    /// People write `baseUrl` as often as `baseURL`.
    fn read(value: &Value) -> Option<Self> {
        let get = |name: &str| value.get(name).and_then(text);
        Some(Self {
            provider: get("provider")?,
            model_id: get("modelId")?,
            max_tokens: value.get("maxTokens").and_then(number),
            temperature: value.get("temperature").and_then(|it| {
                it.as_f64().or_else(|| it.as_str().and_then(|it| it.trim().parse().ok()))
            }),
            base_url: get("baseURL").or_else(|| get("baseUrl")),
        })
    }
}

impl ConfigWarning {
    fn new(path: &Path, error: SettingsError) -> Self {
        let path = path.to_path_buf();
        match error {
            SettingsError::Missing => Self::Missing { path },
            SettingsError::Unreadable(error) => {
                Self::Unreadable { path, reason: error.to_string() }
            }
            SettingsError::NotAnObject { reason } => Self::NotAnObject { path, reason },
        }
    }
}

/// A text with something in it.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned)
}

/// A number, also one in quotes.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn defaults() -> Value {
    json!({
        "models": {
            "main": {
                "provider": "anthropic",
                "modelId": "claude-sonnet-4-20250514",
                "maxTokens": 64000,
                "temperature": 0.2
            },
            "research": {
                "provider": "perplexity",
                "modelId": "sonar",
                "maxTokens": 8700,
                "temperature": 0.1
            },
            "fallback": {
                "provider": "anthropic",
                "modelId": "claude-3-7-sonnet-20250219",
                "maxTokens": 120_000,
                "temperature": 0.2
            }
        },
        "global": {
            "logLevel": "info",
            "debug": false,
            "defaultNumTasks": 10,
            "defaultSubtasks": 5,
            "defaultPriority": "medium",
            "projectName": "Task Master",
            "ollamaBaseURL": "http://localhost:11434/api",
            "bedrockBaseURL": "https://bedrock.us-east-1.amazonaws.com",
            "responseLanguage": "English",
            "enableCodebaseAnalysis": true,
            "enableProxy": false,
            "anonymousTelemetry": true
        },
        "claudeCode": {},
        "codexCli": {},
        "grokCli": {
            "timeout": 120_000,
            "workingDirectory": null,
            "defaultModel": "grok-4-latest"
        }
    })
}

#[cfg(test)]
mod tests;
