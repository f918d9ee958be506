//! The providers that a configuration can name: what they speak, where they are, which key they
//! want.
//!
//! Data only. Another server with a known protocol is a line here, and mostly not even that: it is
//! `openai-compatible` with a base URL.

use crate::dialect::ask::{Dialect, SchemaForm};

/// Facts about a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// As a configuration spells it.
    pub name: &'static str,
    pub dialect: Dialect,
    /// Where it is when nobody says.
    pub default_url: Option<&'static str>,
    /// The variable with its key.
    pub key_variable: &'static str,
    /// Whether nobody gets an answer without a key.
    pub needs_key: bool,
    /// The best way to hold its answers to a schema.
    pub form: SchemaForm,
    /// What it calls the limit of an answer's length.
    pub limit_name: &'static str,
    /// Members of requests that it does not know.
    pub omit: &'static [&'static str],
}

const BASE: Provider = Provider {
    name: "",
    dialect: Dialect::OpenAi,
    default_url: None,
    key_variable: "",
    needs_key: true,
    form: SchemaForm::Schema,
    limit_name: "max_tokens",
    omit: &[],
};

/// Every provider that speaks HTTP and wants no more than a key.
pub const PROVIDERS: &[Provider] = &[
    Provider {
        name: "ollama",
        dialect: Dialect::Ollama,
        default_url: Some("http://localhost:11434/api"),
        key_variable: "OLLAMA_API_KEY",
        needs_key: false,
        ..BASE
    },
    Provider {
        name: "lmstudio",
        default_url: Some("http://localhost:1234/v1"),
        key_variable: "LMSTUDIO_API_KEY",
        needs_key: false,
        ..BASE
    },
    Provider {
        name: "openai-compatible",
        key_variable: "OPENAI_COMPATIBLE_API_KEY",
        needs_key: false,
        ..BASE
    },
    Provider {
        name: "anthropic",
        dialect: Dialect::Anthropic,
        default_url: Some("https://api.anthropic.com/v1"),
        key_variable: "ANTHROPIC_API_KEY",
        ..BASE
    },
    Provider {
        name: "openai",
        default_url: Some("https://api.openai.com/v1"),
        key_variable: "OPENAI_API_KEY",
        limit_name: "max_completion_tokens",
        ..BASE
    },
    // Its API of the version 1, which wants no date and takes the key as OpenAI's does. A model is
    // called what its deployment is called.
    Provider {
        name: "azure",
        key_variable: "AZURE_OPENAI_API_KEY",
        limit_name: "max_completion_tokens",
        ..BASE
    },
    Provider {
        name: "google",
        dialect: Dialect::Google,
        default_url: Some("https://generativelanguage.googleapis.com/v1beta"),
        key_variable: "GOOGLE_API_KEY",
        ..BASE
    },
    Provider {
        name: "perplexity",
        default_url: Some("https://api.perplexity.ai"),
        key_variable: "PERPLEXITY_API_KEY",
        omit: &["seed", "stream_options"],
        ..BASE
    },
    Provider {
        name: "xai",
        default_url: Some("https://api.x.ai/v1"),
        key_variable: "XAI_API_KEY",
        ..BASE
    },
    Provider {
        name: "groq",
        default_url: Some("https://api.groq.com/openai/v1"),
        key_variable: "GROQ_API_KEY",
        ..BASE
    },
    Provider {
        name: "openrouter",
        default_url: Some("https://openrouter.ai/api/v1"),
        key_variable: "OPENROUTER_API_KEY",
        ..BASE
    },
    Provider {
        name: "zai",
        default_url: Some("https://api.z.ai/api/paas/v4"),
        key_variable: "ZAI_API_KEY",
        form: SchemaForm::JsonMode,
        omit: &["seed"],
        ..BASE
    },
    Provider {
        name: "zai-coding",
        default_url: Some("https://api.z.ai/api/coding/paas/v4"),
        key_variable: "ZAI_API_KEY",
        form: SchemaForm::JsonMode,
        omit: &["seed"],
        ..BASE
    },
    Provider {
        name: "mistral",
        default_url: Some("https://api.mistral.ai/v1"),
        key_variable: "MISTRAL_API_KEY",
        omit: &["seed", "stream_options"],
        ..BASE
    },
];

/// The provider of this name.
pub fn find(name: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|it| it.name == name)
}

impl Provider {
    /// A base URL as this provider's protocol wants it: people leave out what goes without saying.
    pub fn base_url(&self, given: &str) -> String {
        let given = given.trim().trim_end_matches('/');
        if self.dialect == Dialect::Ollama {
            let root = given.strip_suffix("/v1").or_else(|| given.strip_suffix("/api"));
            return format!("{}/api", root.unwrap_or(given));
        }
        if self.name == "azure" {
            let root = given.strip_suffix("/v1").unwrap_or(given);
            return format!("{}/openai/v1", root.strip_suffix("/openai").unwrap_or(root));
        }
        let has_path = given.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
        if self.name == "lmstudio" && !has_path { format!("{given}/v1") } else { given.to_owned() }
    }
}

#[cfg(test)]
mod tests;
