//! Which providers want a key, and whether there is one. The keys themselves go nowhere.

use std::fs;

use serde::Serialize;
use serde_json::Value;
use tm_tasks::project::Project;

use crate::config::Environment;

/// Whether there is a key, for the command line and for the MCP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeyStatus {
    /// In the environment or in `.env`.
    pub cli: bool,
    /// In `.cursor/mcp.json`.
    pub mcp: bool,
}

/// The variable that a provider's key is in; none for those that want no key.
pub fn variable(provider: &str) -> Option<&'static str> {
    Some(match provider {
        "anthropic" => "ANTHROPIC_API_KEY",
        "openai" => "OPENAI_API_KEY",
        "google" | "vertex" => "GOOGLE_API_KEY",
        "perplexity" => "PERPLEXITY_API_KEY",
        "xai" => "XAI_API_KEY",
        "groq" => "GROQ_API_KEY",
        "openrouter" => "OPENROUTER_API_KEY",
        "mistral" => "MISTRAL_API_KEY",
        "zai" | "zai-coding" => "ZAI_API_KEY",
        "azure" => "AZURE_OPENAI_API_KEY",
        "openai-compatible" => "OPENAI_COMPATIBLE_API_KEY",
        _ => return None,
    })
}

/// Whether a provider's key is there. One that wants none has what it wants.
pub fn status(provider: &str, environment: &Environment, project: &Project) -> KeyStatus {
    let Some(variable) = variable(provider) else {
        // What Bedrock wants is no variable of an MCP server's.
        return KeyStatus { cli: true, mcp: provider != "bedrock" };
    };
    let is_key = |it: &str| !it.trim().is_empty() && !it.contains("YOUR_") && !it.contains("_HERE");
    KeyStatus {
        cli: environment.variable(variable).is_some_and(is_key),
        mcp: mcp_variable(project, variable).as_deref().is_some_and(is_key),
    }
}

fn mcp_variable(project: &Project, name: &str) -> Option<String> {
    let text = fs::read_to_string(project.root().join(".cursor/mcp.json")).ok()?;
    let document: Value = serde_json::from_str(&text).ok()?;
    let servers = document.get("mcpServers")?.as_object()?;
    let server = servers.iter().find(|(key, _)| key.contains("task-master"))?.1;
    server.get("env")?.get(name)?.as_str().map(str::to_owned)
}
