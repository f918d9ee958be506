//! What a server says in its own words for tools, in those that every answer with tools has.
//!
//! Whoever reads an answer need not know how its server was asked: words become
//! `{"reply": TEXT}` and calls `{"tool": NAME, "arguments": {...}}`, one after the other. See
//! [`crate::dialect::serve::tools`].

use serde_json::json;

use crate::chat::ToolCall;

/// How the server was told of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Not in its own words: the answer is what it says.
    Nothing,
    /// Any of them may be called.
    Tools {
        /// In the middle of words.
        is_open: bool,
    },
}

impl Told {
    pub(super) fn of(has_tools: bool) -> Self {
        if has_tools { Self::Tools { is_open: false } } else { Self::Nothing }
    }

    /// Words of the answer.
    pub(super) fn words(&mut self, text: String) -> String {
        match self {
            Self::Nothing => text,
            Self::Tools { is_open: false } if text.trim().is_empty() => String::new(),
            Self::Tools { is_open } => {
                let start = if *is_open { "" } else { "{\"reply\":\"" };
                let text = if *is_open { text.as_str() } else { text.trim_start() };
                *is_open = true;
                let quoted = json!(text).to_string();
                format!("{start}{}", quoted.get(1..quoted.len() - 1).unwrap_or_default())
            }
        }
    }

    /// The rest of it, when the server has said everything.
    pub(super) fn end(&mut self, calls: &[ToolCall]) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Tools { is_open } => {
                let end = if std::mem::take(is_open) { "\"}" } else { "" };
                let written = calls.iter().map(|it| {
                    format!("{{\"tool\":{},\"arguments\":{}}}", json!(it.name), it.arguments)
                });
                std::iter::once(end.to_owned()).chain(written).collect()
            }
        }
    }
}
