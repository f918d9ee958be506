//! JSON Schemas as servers want them.

use serde_json::{Map, Number, Value};

/// A number as people write it: `0.2`, not the nearest `f32` with all its digits.
pub(super) fn short(number: f32) -> Value {
    let exact = number.to_string().parse::<f64>().ok().and_then(Number::from_f64);
    exact.map_or(Value::Null, Value::Number)
}

/// Whether a schema says everything that OpenAI's strict mode demands: every object closed, every
/// member required, and no words besides.
pub(super) fn is_strict(schema: &Value) -> bool {
    const WORDS: [&str; 9] = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "anyOf",
        "description",
        "title",
    ];
    let Some(members) = schema.as_object() else { return false };
    if !members.keys().all(|it| WORDS.contains(&it.as_str())) {
        return false;
    }
    let is_object = members.get("type").is_some_and(|it| it == "object");
    if is_object {
        let names = members.get("properties").and_then(Value::as_object);
        let required = members.get("required").and_then(Value::as_array);
        let (Some(names), Some(required)) = (names, required) else { return false };
        let is_closed = members.get("additionalProperties") == Some(&Value::Bool(false));
        let all = names.keys().all(|name| required.iter().any(|it| it == name));
        if !is_closed || !all || !names.values().all(is_strict) {
            return false;
        }
    }
    members.get("items").is_none_or(is_strict)
        && members.get("anyOf").and_then(Value::as_array).is_none_or(|it| it.iter().all(is_strict))
}

/// The part of a schema that Google knows, in its own words.
pub(super) fn google(schema: &Value) -> Value {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut known = Map::new();
    for (name, value) in members {
        let value = match name.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                Value::Object(properties.map(|(name, it)| (name.clone(), google(it))).collect())
            }
            "items" => google(value),
            "anyOf" => value.as_array().into_iter().flatten().map(google).collect(),
            "type" => {
                let (kind, nullable) = kind(value);
                if nullable {
                    known.insert("nullable".to_owned(), Value::Bool(true));
                }
                kind
            }
            // It has no word for the one value that may be.
            "const" if value.is_string() => {
                known.insert("enum".to_owned(), Value::Array(vec![value.clone()]));
                continue;
            }
            // Only texts can be listed.
            "enum" if !value.as_array().is_some_and(|it| it.iter().all(Value::is_string)) => {
                continue;
            }
            "description" | "enum" | "required" | "format" | "minItems" | "maxItems"
            | "minLength" | "maxLength" | "minimum" | "maximum" | "pattern" | "nullable"
            | "title" => value.clone(),
            _ => continue,
        };
        known.insert(name.clone(), value);
    }
    Value::Object(known)
}

/// The type, and whether null is one of them: Google takes no lists of types.
fn kind(value: &Value) -> (Value, bool) {
    let Some(kinds) = value.as_array() else { return (value.clone(), false) };
    let named = kinds.iter().find(|it| *it != "null");
    (named.cloned().unwrap_or(Value::Null), kinds.iter().any(|it| it == "null"))
}
