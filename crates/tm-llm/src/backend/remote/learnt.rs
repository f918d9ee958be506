//! What a server has taught us by what it refuses.

use std::collections::BTreeSet;

use super::told::Told;
use crate::{
    chat::ToolChoice,
    dialect::ask::{Call, Fault, FaultKind, SchemaForm},
    provider::Provider,
};

/// What is known of a server. Nothing of it is forgotten while the process runs.
#[derive(Debug, Clone)]
pub(super) struct Learnt {
    pub(super) form: SchemaForm,
    pub(super) omit: BTreeSet<String>,
    /// Tools are told in the protocol's own words, where it has some.
    has_tools: bool,
}

/// Members that an answer can do without.
const DISPENSABLE: [&str; 16] = [
    "temperature",
    "top_p",
    "seed",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "think",
    "shift",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "parallel_tool_calls",
];

impl Learnt {
    /// Before anything was asked. A server that is known to hold answers to schemas needs no more
    /// than that for tools.
    pub(super) fn of(provider: &Provider, holds_schemas: bool) -> Self {
        Self {
            form: provider.form,
            omit: provider.omit.iter().map(|it| (*it).to_owned()).collect(),
            has_tools: !holds_schemas,
        }
    }

    /// Whether tools that may be chosen like this are told in the protocol's own words.
    pub(super) fn has_tools(&self, provider: &Provider, choice: &ToolChoice) -> bool {
        self.has_tools && provider.dialect.has_tools(choice)
    }

    /// Takes note of what a refusal shows that the server does not know; false when that is
    /// nothing.
    pub(super) fn learn(
        &mut self,
        provider: &Provider,
        (tried, fault, call): (&Self, &Fault, &Call),
        told: Told,
        has_schema: bool,
    ) -> bool {
        let has_tools = told != Told::Nothing;
        let field = fault.field.as_deref().unwrap_or_default();
        let means_tools = field.starts_with("tool") || fault.message.contains("tool");
        if has_tools && means_tools && matches!(fault.kind, FaultKind::Refused | FaultKind::Broken)
        {
            self.has_tools = false;
            return true;
        }
        // Ollama says so in words alone.
        if fault.message.contains("does not support thinking") {
            return self.omit.insert("think".to_owned());
        }
        if !matches!(fault.kind, FaultKind::Refused) {
            return false;
        }
        let is_ours = call.body.get(field).is_some();
        if is_ours && DISPENSABLE.contains(&field) {
            return self.omit.insert(field.to_owned());
        }
        match provider.dialect.weaker(tried.form).filter(|_| has_schema && !has_tools) {
            Some(form) => {
                self.form = self.form.max(form);
                true
            }
            None => false,
        }
    }
}
