//! The smallest JSON that fits a schema, as far as schemas of real clients go.

use serde_json::{Map, Value, json};

/// Any text of an answer that has a schema.
pub(crate) const TEXT: &str = "A text that is long enough to be one.";
/// Any other answer.
pub(crate) const SAID: &str = "Hello there, friend.";

/// `root` is where references point into.
pub(crate) fn instance(schema: &Value, root: &Value) -> Value {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return instance(root.pointer(reference.trim_start_matches('#')).unwrap(), root);
    }
    if let Some(value) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
        return value.clone();
    }
    for several in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(several).and_then(|it| it.get(0)) {
            return instance(first, root);
        }
    }
    let kind = schema.get("type").unwrap_or(&Value::Null);
    match kind.as_str().or_else(|| kind.get(0)?.as_str()) {
        Some("array") => {
            let items = schema.get("items").map(|it| instance(it, root));
            json!(items.into_iter().collect::<Vec<_>>())
        }
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("string") => json!(TEXT),
        _ => object(schema, root),
    }
}

fn object(schema: &Value, root: &Value) -> Value {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let members = required.filter_map(|name| {
        let name = name.as_str()?;
        Some((name.to_owned(), instance(schema.pointer(&format!("/properties/{name}"))?, root)))
    });
    Value::Object(members.collect::<Map<_, _>>())
}
