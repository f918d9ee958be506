//! Which JSON Schemas an answer can be held to while it is written, and why another cannot.
//!
//! llguidance follows most of draft 2020-12. What it does not follow is found here, so that the
//! error names the keyword and its place; what has no effect is taken away before it is refused.
//! Knows nothing of tokens. What is supported is listed in `docs/schemas.md`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

/// Keywords that look at a whole value once it is there; an answer is held to what can be said of
/// each of its characters.
const UNSUPPORTED: [&str; 19] = [
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "$vocabulary",
];
/// Keywords beside which `unevaluatedItems` and `unevaluatedProperties` mean more than what is
/// additional.
const IN_PLACE: [&str; 9] =
    ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas", "contains"];
/// Keywords whose value is a schema, or a list of schemas.
const ONE_OR_LIST: [&str; 15] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value has schemas by name.
const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
const COUNTS: [&str; 6] =
    ["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"];
/// Beyond this, neighbouring whole numbers are the same to llguidance, which counts in `f64`.
const LARGEST_NUMBER: f64 = 9_007_199_254_740_992.0;
const LARGEST_INTEGER: u64 = 1 << 53;
const NUMBERS: [&str; 7] =
    ["const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];

/// Days that there are, 29 February only where there is one; a minute has 60 seconds. To llguidance
/// every year is a leap year and every minute has a leap second.
const DATE: &str = "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])\
    |(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))\
    |(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
const TIME: &str = "[0-9]{2}:[0-9]{2}:[0-5][0-9]";
/// How long its parts may be.
const EMAIL: &str = r"^[^@]{1,64}@(?:[^.]{1,63}\.)*[^.]{1,63}$";

/// Why no answer can be held to a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("the schema's keyword `{keyword}` at {at} is not supported")]
    Keyword { keyword: String, at: String },
    #[error("the alternatives of `oneOf` at {at} may overlap, which is not supported: use `anyOf`")]
    Overlapping { at: String },
    #[error("the number {number} of the schema, at {at}, is too large to be exact")]
    Number { number: String, at: String },
    #[error("the schema cannot be followed: {reason}")]
    Refused { reason: String },
}

/// The schema without what has no effect.
pub(crate) fn simplified(schema: &Value) -> Value {
    let mut schema = if schema == &Value::Bool(true) { json!({}) } else { schema.clone() };
    simplify(&mut schema);
    schema
}

fn simplify(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    drop_idle(object);
    if let Some(rest) = object.get("format").and_then(what_a_format_lacks) {
        let all = object.entry("allOf").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.push(rest);
        }
    }
    for count in COUNTS {
        if let Some(value) = object.get_mut(count)
            && let Some(whole) = whole(value)
        {
            *value = json!(whole);
        }
    }
    for (keyword, value) in object {
        if ONE_OR_LIST.contains(&keyword.as_str()) {
            match value.as_array_mut() {
                Some(list) => list.iter_mut().for_each(simplify),
                None => simplify(value),
            }
        } else if is_named(keyword) {
            value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(simplify);
        }
    }
}

/// What holds a text to its format beside what llguidance sees to.
fn what_a_format_lacks(format: &Value) -> Option<Value> {
    match format.as_str()? {
        "date" => Some(json!({ "pattern": format!("^{DATE}$") })),
        "date-time" => Some(json!({ "pattern": format!("^{DATE}[Tt]{TIME}") })),
        "time" => Some(json!({ "pattern": format!("^{TIME}") })),
        "email" => Some(json!({ "pattern": EMAIL, "maxLength": 254 })),
        "hostname" => Some(json!({ "maxLength": 253 })),
        _ => None,
    }
}

/// Removes keywords that allow everything, and says in other words what there are others for.
fn drop_idle(object: &mut Map<String, Value>) {
    let idle = |keyword: &str, value: &Value| match keyword {
        "not" | "uniqueItems" => value == &json!(false),
        "propertyNames" | "unevaluatedItems" | "unevaluatedProperties" => {
            value == &json!(true) || value == &json!({})
        }
        "dependentRequired" | "dependentSchemas" | "dependencies" => value == &json!({}),
        _ => false,
    };
    object.retain(|keyword, value| !idle(keyword, value));
    let has = |object: &Map<String, Value>, keyword: &str| object.contains_key(keyword);
    if !has(object, "contains") {
        object.retain(|keyword, _| keyword != "minContains" && keyword != "maxContains");
    }
    if !has(object, "if") {
        object.retain(|keyword, _| keyword != "then" && keyword != "else");
    } else if !["then", "else", "unevaluatedItems", "unevaluatedProperties"]
        .iter()
        .any(|keyword| has(object, keyword))
    {
        object.remove("if");
    }
    if IN_PLACE.iter().any(|keyword| has(object, keyword)) {
        return;
    }
    for (keyword, plain) in
        [("unevaluatedProperties", "additionalProperties"), ("unevaluatedItems", "items")]
    {
        if let Some(value) = object.remove(keyword)
            && !has(object, plain)
        {
            object.insert(plain.to_owned(), value);
        }
    }
}

/// Finds the first keyword or number that an answer cannot be held to.
pub(crate) fn check(schema: &Value) -> Result<(), SchemaError> {
    Check { root: schema, seen: HashSet::new() }.visit(schema, "#")
}

/// The places of every `oneOf`, the inner ones before those around them.
pub(crate) fn one_ofs(schema: &Value) -> Vec<String> {
    let mut places = Vec::new();
    let mut open = vec![(String::new(), schema)];
    while let Some((at, node)) = open.pop() {
        if node.get("oneOf").is_some() {
            places.push(at.clone());
        }
        let below = children(node, true);
        open.extend(below.into_iter().map(|(step, child)| (format!("{at}/{step}"), child)));
    }
    places.reverse();
    places
}

/// The schema with `anyOf` in place of the `oneOf` at a place.
pub(crate) fn with_any_of(schema: &Value, at: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.pointer_mut(at).and_then(Value::as_object_mut)
        && let Some(options) = object.remove("oneOf")
    {
        // An `anyOf` that is there already has to hold as well.
        let all = object.entry("allOf").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.push(json!({ "anyOf": options }));
        }
    }
    schema
}

struct Check<'schema> {
    root: &'schema Value,
    /// Schemas that were referred to and looked at.
    seen: HashSet<&'schema str>,
}

impl<'schema> Check<'schema> {
    fn visit(&mut self, node: &'schema Value, at: &str) -> Result<(), SchemaError> {
        let Some(object) = node.as_object() else { return Ok(()) };
        for (keyword, value) in object {
            if UNSUPPORTED.contains(&keyword.as_str()) {
                let keyword = keyword.clone();
                return Err(SchemaError::Keyword { keyword, at: at.to_owned() });
            }
            if NUMBERS.contains(&keyword.as_str())
                && let Some(number) = too_large(value)
            {
                let at = format!("{at}/{keyword}");
                return Err(SchemaError::Number { number, at });
            }
        }
        if let Some(reference) = object.get("$ref").and_then(Value::as_str)
            && let Some(pointer) = reference.strip_prefix('#')
            && let Some(target) = self.root.pointer(pointer)
            && self.seen.insert(reference)
        {
            self.visit(target, reference)?;
        }
        for (step, child) in children(node, false) {
            self.visit(child, &format!("{at}/{step}"))?;
        }
        Ok(())
    }
}

/// The schemas right below one, by their steps of a JSON pointer.
fn children(node: &Value, definitions: bool) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (keyword, value) in node.as_object().into_iter().flatten() {
        if ONE_OR_LIST.contains(&keyword.as_str()) {
            match value.as_array() {
                Some(list) => {
                    let numbered = list.iter().enumerate();
                    found
                        .extend(numbered.map(|(number, one)| (format!("{keyword}/{number}"), one)));
                }
                None => found.push((keyword.clone(), value)),
            }
        } else if is_named(keyword) && (definitions || !DEFINITIONS.contains(&keyword.as_str())) {
            let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
            let schemas = value.as_object().into_iter().flatten();
            found.extend(schemas.map(|(name, one)| (format!("{keyword}/{}", step(name)), one)));
        }
    }
    found
}

fn is_named(keyword: &str) -> bool {
    NAMED.contains(&keyword) || DEFINITIONS.contains(&keyword)
}

/// A count that was written with a fraction of nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was compared")]
fn whole(value: &Value) -> Option<u64> {
    let number = value.as_f64().filter(|_| !value.is_u64())?;
    ((0.0..=LARGEST_NUMBER).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

pub(crate) fn too_large(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let whole = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            let is_exact = match whole {
                Some(whole) => whole <= LARGEST_INTEGER,
                None => number.as_f64().is_some_and(|float| float.abs() <= LARGEST_NUMBER),
            };
            (!is_exact).then(|| number.to_string())
        }
        Value::Array(list) => list.iter().find_map(too_large),
        Value::Object(members) => members.values().find_map(too_large),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}
