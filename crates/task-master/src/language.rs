//! The language that models answer in: one setting of the project.
//!
//! The command line and the MCP server both come here; nothing is printed.

use serde::Serialize;
use serde_json::json;
use tm_tasks::{
    config::{Config, ConfigError},
    project::Project,
};

/// What models answer in unless told otherwise.
pub const DEFAULT: &str = "English";

/// A language that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LanguageSet {
    #[serde(rename = "responseLanguage")]
    pub language: String,
    pub message: String,
}

/// Why the language stays what it is.
#[derive(Debug, thiserror::Error)]
pub enum SetLanguageError {
    #[error("a language needs a name")]
    NoName,
    #[error("{path} does not exist")]
    NoConfig { path: String },
    #[error("the configuration cannot be changed")]
    Config(#[from] ConfigError),
}

/// Writes the language into the project's configuration.
pub fn set(project: &Project, language: &str) -> Result<LanguageSet, SetLanguageError> {
    let path = project.config_file();
    let language = language.trim().to_owned();
    if language.is_empty() {
        return Err(SetLanguageError::NoName);
    }
    if !path.is_file() {
        return Err(SetLanguageError::NoConfig { path: path.display().to_string() });
    }
    Config::change(&path, |it| it.set_global("responseLanguage", &json!(language)))?;
    let message = format!("models answer in {language}");
    Ok(LanguageSet { language, message })
}
