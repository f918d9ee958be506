//! What tools are given: declared once, told to clients as a JSON Schema, and checked before a
//! tool runs.
//!
//! Start at [`Parameter`] and [`Arguments::check`].

use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};

/// One parameter of a tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    name: &'static str,
    kind: Kind,
    is_required: bool,
    /// Nothing where the name says it all.
    description: &'static str,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    /// Names the tasks file to work on, in place of the project's.
    TasksFile,
    Flag,
    /// A whole number not outside of these; also in quotes, as some clients send it.
    Whole {
        least: i64,
        most: i64,
    },
    Number,
    OneOf(&'static [&'static str]),
    Texts,
    ListOf {
        values: &'static [&'static str],
        least: usize,
    },
    Object(&'static [Parameter]),
}

/// The checked arguments of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments {
    values: JsonObject,
}

impl Parameter {
    pub(super) const fn text(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Text, description)
    }

    pub(super) const fn tasks_file(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::TasksFile, description)
    }

    pub(super) const fn number(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Number, description)
    }

    pub(super) const fn texts(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Texts, description)
    }

    pub(super) const fn list_of(
        name: &'static str,
        values: &'static [&'static str],
        least: usize,
        description: &'static str,
    ) -> Self {
        Self::new(name, Kind::ListOf { values, least }, description)
    }

    pub(super) const fn object(
        name: &'static str,
        members: &'static [Self],
        description: &'static str,
    ) -> Self {
        Self::new(name, Kind::Object(members), description)
    }

    pub(super) const fn flag(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Flag, description)
    }

    pub(super) const fn whole(
        name: &'static str,
        least: i64,
        most: i64,
        description: &'static str,
    ) -> Self {
        Self::new(name, Kind::Whole { least, most }, description)
    }

    pub(super) const fn one_of(
        name: &'static str,
        values: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        Self::new(name, Kind::OneOf(values), description)
    }

    pub(super) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, is_required: false, description }
    }

    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text | Kind::TasksFile => json!({ "type": "string" }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Whole { least, most } => {
                let mut schema = json!({ "type": "integer", "minimum": least });
                if most < i64::MAX {
                    schema["maximum"] = json!(most);
                }
                schema
            }
            Kind::Number => json!({ "type": "number" }),
            Kind::OneOf(values) => json!({ "type": "string", "enum": values }),
            Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::ListOf { values, .. } => {
                json!({ "type": "array", "items": { "type": "string", "enum": values } })
            }
            Kind::Object(members) => Value::Object(schema(members)),
        };
        if !self.description.is_empty() {
            schema["description"] = json!(self.description);
        }
        schema
    }

    /// What a value must be and is not.
    fn fault(&self, value: &Value) -> Option<String> {
        let text = value.as_str();
        let (is_fine, expected) = match self.kind {
            Kind::Text | Kind::TasksFile => (text.is_some(), "must be a string".to_owned()),
            Kind::Flag => (value.is_boolean(), "must be true or false".to_owned()),
            Kind::Whole { least, most } => {
                let is_fine = whole(value).is_some_and(|it| (least..=most).contains(&it));
                let range = if most < i64::MAX {
                    format!("from {least} to {most}")
                } else {
                    format!("from {least} on")
                };
                (is_fine, format!("must be a whole number {range}"))
            }
            Kind::Number => (value.is_number(), "must be a number".to_owned()),
            Kind::OneOf(values) => (
                text.is_some_and(|it| values.contains(&it)),
                format!("must be one of {}", values.join(", ")),
            ),
            Kind::Texts => {
                let is_fine = value.as_array().is_some_and(|it| it.iter().all(Value::is_string));
                (is_fine, "must be a list of strings".to_owned())
            }
            Kind::ListOf { values, least } => {
                let is_known = |it: &Value| it.as_str().is_some_and(|it| values.contains(&it));
                let list = value.as_array().filter(|it| it.len() >= least);
                let is_fine = list.is_some_and(|it| it.iter().all(is_known));
                let few =
                    if least > 0 { format!(" with at least {least} entry") } else { String::new() };
                (is_fine, format!("must be a list{few} of {}", values.join(", ")))
            }
            Kind::Object(members) => match value.as_object() {
                Some(object) => {
                    let faults = faults(members, object);
                    (faults.is_empty(), faults.join("; "))
                }
                None => (false, "must be an object".to_owned()),
            },
        };
        (!is_fine).then_some(expected)
    }
}

/// The JSON Schema of all parameters together.
pub(super) fn schema(parameters: &[Parameter]) -> JsonObject {
    let properties: Map<String, Value> =
        parameters.iter().map(|it| (it.name.to_owned(), it.schema())).collect();
    let required: Vec<&str> =
        parameters.iter().filter(|it| it.is_required).map(|it| it.name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// What is wrong with the arguments, each with the name of its parameter.
fn faults(parameters: &[Parameter], values: &JsonObject) -> Vec<String> {
    let fault = |it: &Parameter| match values.get(it.name) {
        // Some clients send null for what they leave out.
        None | Some(Value::Null) => it.is_required.then(|| "is required".to_owned()),
        Some(value) => it.fault(value),
    };
    parameters.iter().filter_map(|it| Some(format!("{}: {}", it.name, fault(it)?))).collect()
}

impl Arguments {
    /// The arguments, if they are what the parameters say; else all that is wrong with them.
    ///
    /// What nobody asked for is ignored: clients add things of their own.
    pub(super) fn check(parameters: &[Parameter], values: JsonObject) -> Result<Self, String> {
        let faults = faults(parameters, &values);
        if faults.is_empty() { Ok(Self { values }) } else { Err(faults.join(", ")) }
    }

    /// A text with something in it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.values.get(name).and_then(Value::as_str);
        text.map(str::trim).filter(|it| !it.is_empty())
    }

    /// The tasks file that was named in place of the project's.
    pub(super) fn tasks_file(&self, parameters: &[Parameter]) -> Option<&str> {
        let parameter = parameters.iter().find(|it| matches!(it.kind, Kind::TasksFile))?;
        self.text(parameter.name)
    }

    /// The texts of a list; none where there is none.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.values.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The members of an object.
    pub(super) fn object(&self, name: &str) -> Self {
        let values = self.values.get(name).and_then(Value::as_object).cloned();
        Self { values: values.unwrap_or_default() }
    }

    /// A text that its parameter requires.
    pub(super) fn required(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// What is not said is not so.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.choice(name).unwrap_or(false)
    }

    /// What was said about it, if anything.
    pub(super) fn choice(&self, name: &str) -> Option<bool> {
        self.values.get(name).and_then(Value::as_bool)
    }

    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        self.values.get(name).and_then(whole)
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            value.as_i64()
        }
    }
}

#[cfg(test)]
mod tests;
