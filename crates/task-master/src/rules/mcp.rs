//! The settings in which editors name their MCP servers.
//!
//! They belong to the user: one server is added to them or taken out, and the rest stays. A file
//! that is not plain JSON, because it has comments for instance, is not touched at all.
//! Pure: texts in, texts out.

use serde::Serialize;
use serde_json::{Map, Value, json, ser::PrettyFormatter};

use super::profile::{McpFile, McpShape};

/// What the server is called.
const SERVER: &str = "task-master-ai";
/// What somebody's own entry for it will have in it.
const TRACE: &str = "task-master";
const SCHEMA: (&str, &str) = ("$schema", "https://opencode.ai/config.json");

/// What is to be done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// It is as it should be.
    Keep,
    Write(String),
    /// Nothing of the user's is left in it.
    Delete,
}

/// Why a file is left alone.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    #[error("it is not plain JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("its {0:?} is not an object")]
    NotAnObject(String),
}

/// Adds the server, unless one is there.
pub(super) fn add(file: &McpFile, existing: Option<&str>) -> Result<Edit, McpError> {
    let mut document = parse(existing.unwrap_or_default())?;
    if document.is_empty() && file.shape == McpShape::Words {
        document.insert(SCHEMA.0.to_owned(), json!(SCHEMA.1));
    }
    let servers = document.entry(file.servers).or_insert_with(|| json!({}));
    let servers =
        servers.as_object_mut().ok_or_else(|| McpError::NotAnObject(file.servers.to_owned()))?;
    if servers.iter().any(|(name, server)| is_ours(name, server)) {
        return Ok(Edit::Keep);
    }
    servers.insert(SERVER.to_owned(), server(file.shape));
    Ok(Edit::Write(print(&document, existing.unwrap_or_default())))
}

/// Takes the server out, and what would be empty without it.
pub(super) fn remove(file: &McpFile, existing: &str) -> Result<Edit, McpError> {
    let mut document = parse(existing)?;
    let Some(servers) = document.get_mut(file.servers).and_then(Value::as_object_mut) else {
        return Ok(Edit::Keep);
    };
    if servers.shift_remove(SERVER).is_none() {
        return Ok(Edit::Keep);
    }
    if servers.is_empty() {
        document.shift_remove(file.servers);
    }
    if document.keys().all(|it| it == SCHEMA.0) {
        return Ok(Edit::Delete);
    }
    Ok(Edit::Write(print(&document, existing)))
}

/// The part that the user has to add where the file is left alone.
pub(super) fn entry(file: &McpFile) -> String {
    json!({ file.servers: { SERVER: server(file.shape) } }).to_string()
}

fn is_ours(name: &str, server: &Value) -> bool {
    name.contains(TRACE)
        || server.get("command").is_some_and(|it| it.to_string().contains(TRACE))
        || server.get("args").is_some_and(|it| it.to_string().contains(TRACE))
}

/// The program itself is the server, so that an editor needs no network to start it.
fn server(shape: McpShape) -> Value {
    let environment = json!({ "TASK_MASTER_TOOLS": "core" });
    let (command, arguments) = ("task-master", ["mcp"]);
    match shape {
        McpShape::Plain => json!({ "command": command, "args": arguments, "env": environment }),
        McpShape::Stdio => json!({
            "type": "stdio", "command": command, "args": arguments, "env": environment
        }),
        McpShape::Timeout => json!({
            "command": command, "args": arguments, "env": environment, "timeout": 300
        }),
        McpShape::Custom => json!({
            "source": "custom", "command": command, "args": arguments, "env": environment
        }),
        McpShape::Words => json!({
            "type": "local",
            "command": [command, "mcp"],
            "enabled": true,
            "environment": environment
        }),
    }
}

/// An empty file is as good as an empty object.
fn parse(text: &str) -> Result<Map<String, Value>, McpError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(McpError::NotJson)
}

/// Laid out as it was; a new file has tabs.
fn print(document: &Map<String, Value>, before: &str) -> String {
    let indented = before.lines().find(|it| it.starts_with([' ', '\t']));
    let indent = indented.map_or("\t", |it| {
        it.split_at(it.find(|it| it != ' ' && it != '\t').unwrap_or(it.len())).0
    });
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // A map of values can always be written.
    drop(document.serialize(&mut serializer));
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
