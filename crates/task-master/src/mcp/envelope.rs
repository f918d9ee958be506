//! The form of every answer: the same envelope around data, and the same lines under an error.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::report::Advice;

/// The name that clients know the server by.
pub(super) const NAME: &str = "task-master-ai";

/// The version of the server that this one replaces, and whose answers these are.
pub(super) const VERSION: &str = "0.43.1";

/// What a tool has to say.
#[derive(Debug)]
pub(super) struct Answer {
    data: Box<RawValue>,
    /// The tag to name instead of the one that was worked on.
    tag: Option<String>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    data: &'a RawValue,
    version: Version,
    tag: &'a str,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
    name: &'static str,
}

impl Answer {
    pub(super) fn new(data: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self { data: to_raw_value(data)?, tag: None })
    }

    /// Names this tag instead of the one that was worked on.
    pub(super) fn about_tag(self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), ..self }
    }

    /// The answer to whoever worked on `tag`.
    pub(super) fn into_result(self, tag: &str) -> CallToolResult {
        let envelope = Envelope {
            data: &self.data,
            version: Version { version: VERSION, name: NAME },
            tag: self.tag.as_deref().unwrap_or(tag),
        };
        match serde_json::to_string(&envelope) {
            Ok(text) => {
                let content = ContentBlock::text(tm_tasks::json::format(&text));
                let mut result = CallToolResult::success(vec![content]);
                // What is not said is not an error.
                result.is_error = None;
                result
            }
            Err(error) => failure(&error.into(), Some(tag)),
        }
    }
}

/// The answer that says what went wrong: what happened, why, and what to try.
pub(super) fn failure(error: &anyhow::Error, tag: Option<&str>) -> CallToolResult {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors repeat their source.
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    if let Some(advice) = error.downcast_ref::<Advice>() {
        message = format!("{message}. {}", advice.hint);
    }
    let tag = tag.map(|it| format!("\nCurrent Tag: {it}")).unwrap_or_default();
    let text = format!("Error: {message}\nVersion: {VERSION}\nName: {NAME}{tag}");
    CallToolResult::error(vec![ContentBlock::text(text)])
}
