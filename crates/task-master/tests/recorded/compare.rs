//! Two files, or two JSON documents: what is different between them.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{
    Content,
    mask::{MOMENTS, Mask},
};

/// What the original keeps in a tag's metadata, and rewrites or drops from command to command.
const BOOKKEEPING: &[&str] = &[
    "created",
    "updated",
    "version",
    "lastModified",
    "taskCount",
    "completedCount",
    "tags",
    "description",
    "projectName",
];

/// What is wrong with a file.
pub(crate) fn compare_file(path: &str, wanted: &Content, bytes: &[u8], mask: &Mask) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    match wanted {
        Content::Exists(()) | Content::Fixture(_) => Vec::new(),
        Content::Text(wanted) if is_json(path) && parses(wanted) => {
            compare_json(path, &serde_json::from_str(wanted).unwrap(), &text, mask)
        }
        Content::Text(wanted) => {
            let (wanted, found) = (mask.text(wanted), mask.text(&text));
            let is_same = wanted.trim_end() == found.trim_end();
            let message = || format!("{path} should be\n{wanted}\nand is\n{found}");
            if is_same { Vec::new() } else { vec![message()] }
        }
        Content::Json(wanted) => compare_json(path, wanted, &text, mask),
    }
}

fn is_json(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "json")
}

fn parses(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

fn compare_json(path: &str, wanted: &Value, text: &str, mask: &Mask) -> Vec<String> {
    let Ok(found) = serde_json::from_str::<Value>(text) else {
        return vec![format!("{path} is not JSON")];
    };
    let (wanted, found) = (mask.json(wanted), mask.json(&found));
    let differences = if path.ends_with("tasks.json") {
        json_differences(&level(&wanted), &level(&found))
    } else {
        json_differences(&wanted, &found)
    };
    differences.into_iter().map(|it| format!("{path}: {it}")).collect()
}

/// Tasks without what the original itself does not keep.
pub(crate) fn level(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(level).collect(),
        Value::Object(fields) => Value::Object(level_fields(fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn level_fields(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in fields {
        let is_parent = name == "parentId" || name == "parentTaskId";
        if is_parent && value == "undefined" {
            continue;
        }
        if let (true, Some(metadata)) = (name == "metadata", value.as_object())
            && fields.contains_key("tasks")
        {
            let rest = metadata.iter().filter(|(name, _)| !BOOKKEEPING.contains(&name.as_str()));
            let rest: Map<String, Value> =
                rest.map(|(name, it)| (name.clone(), it.clone())).collect();
            if !rest.is_empty() {
                kept.insert(name.clone(), level(&Value::Object(rest)));
            }
            continue;
        }
        kept.insert(name.clone(), level(value));
    }
    kept
}

/// Where two documents differ; the order of keys means nothing.
pub(crate) fn json_differences(wanted: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    walk("$", "", (wanted, found), &mut differences);
    differences
}

fn walk(path: &str, key: &str, (wanted, found): (&Value, &Value), differences: &mut Vec<String>) {
    match (wanted, found) {
        (Value::String(_), Value::String(_)) if MOMENTS.contains(&key) => {}
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                match found.get(name) {
                    Some(other) => {
                        walk(&format!("{path}.{name}"), name, (value, other), differences);
                    }
                    None => differences.push(format!("{path}.{name} is missing, want {value}")),
                }
            }
            for (name, value) in found.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
                differences.push(format!("{path}.{name} should not be there: {value}"));
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            if wanted.len() != found.len() {
                let (many, few) = (wanted.len(), found.len());
                differences.push(format!("{path} should have {many} items and has {few}"));
            }
            for (index, pair) in wanted.iter().zip(found).enumerate() {
                walk(&format!("{path}[{index}]"), "", pair, differences);
            }
        }
        _ if wanted == found => {}
        _ => differences.push(format!("{path} should be {wanted} and is {found}")),
    }
}
