//! Tests of `grammar`, with bytes for tokens and without a model.
//!
//! The cases are those of the JSON Schema Test Suite for draft 2020-12, which lies beside, under
//! its own licence.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value};
use toktrie::ApproximateTokEnv;

use super::*;

fn grammars() -> Grammars {
    Grammars::of(&ApproximateTokEnv::single_byte_env(), false).unwrap()
}

/// A schema of the suite with values that fit it and values that do not.
struct Group {
    file: String,
    about: String,
    schema: Value,
    tests: Vec<(Value, bool)>,
}

fn suite() -> Vec<Group> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json-schema-test-suite");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    let mut groups = Vec::new();
    for path in files {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let read: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        groups.extend(read.into_iter().map(|group| Group {
            file: file.clone(),
            about: group["description"].as_str().unwrap().to_owned(),
            schema: group["schema"].clone(),
            tests: group["tests"].as_array().unwrap().iter().map(case).collect(),
        }));
    }
    groups
}

fn case(test: &Value) -> (Value, bool) {
    (test["data"].clone(), test["valid"].as_bool().unwrap())
}

/// Whether `text` may be written from its first byte to its end.
fn may_write(grammars: &Grammars, schema: &Value, text: &str) -> bool {
    let mut constraint = grammars.constraint(schema).unwrap();
    for byte in text.bytes() {
        let allowed = constraint.allowed().is_ok_and(|mask| mask.is_allowed(u32::from(byte)));
        if !allowed || constraint.matcher.consume_token(u32::from(byte)).is_err() {
            return false;
        }
    }
    constraint.matcher.is_accepting().unwrap()
}

/// The ways to write a value: its members in any order, whole numbers without a fraction.
fn ways(value: &Value) -> Vec<String> {
    let value = without_fractions(value);
    let Some(object) = value.as_object() else { return vec![value.to_string()] };
    let mut orders: Vec<Vec<(&String, &Value)>> = vec![Vec::new()];
    for member in object {
        orders = orders
            .iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, member);
                    longer
                })
            })
            .collect();
    }
    let text = |order: Vec<(&String, &Value)>| {
        let members = order.into_iter().map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(members.collect::<Map<_, _>>()).to_string()
    };
    orders.into_iter().map(text).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "it was compared")]
fn without_fractions(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e16 => {
                json!(float as i64)
            }
            _ => value.clone(),
        },
        Value::Array(list) => list.iter().map(without_fractions).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, one)| (name.clone(), without_fractions(one))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// What may be written of the suite's values is what fits, whatever the schema; a format is taken
/// at its word, where the suite lets it say what it likes.
#[test]
fn a_schema_of_the_suite_that_is_followed_lets_its_valid_values_pass_and_no_others() {
    let grammars = grammars();
    let mut followed = 0;
    let mut wrong = Vec::new();
    for group in suite() {
        if grammars.constraint(&group.schema).is_err() {
            continue;
        }
        followed += 1;
        for (value, valid) in group.tests {
            let valid =
                valid && (group.file != "format" || validator(&group.schema).is_valid(&value));
            let passes = ways(&value).iter().any(|text| may_write(&grammars, &group.schema, text));
            if passes != valid {
                wrong.push(format!("{}, {}: {value} passes: {passes}", group.file, group.about));
            }
        }
    }
    assert!(wrong.is_empty(), "{followed} {wrong:#?}");
    // As many as `docs/schemas.md` says.
    assert_eq!(followed, 212);
}

/// Every schema of the suite is followed or refused for a reason that is known.
#[test]
fn a_schema_of_the_suite_that_is_not_followed_is_refused_for_what_it_asks() {
    let grammars = grammars();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for group in suite() {
        let Err(error) = grammars.constraint(&group.schema) else { continue };
        let reason = match &error {
            SchemaError::Keyword { keyword, .. } => {
                assert!(group.schema.to_string().contains(&format!("\"{keyword}\":")), "{error}");
                format!("keyword {keyword}")
            }
            SchemaError::Overlapping { .. } => "oneOf".to_owned(),
            SchemaError::Number { .. } => "number".to_owned(),
            SchemaError::Refused { reason } => {
                reason.split(['\'', '"', '\n', '/']).next().unwrap().to_owned()
            }
        };
        reasons.entry(reason).or_default().push(group.file);
    }
    let lines: Vec<_> =
        reasons.into_iter().map(|(reason, files)| format!("{reason}: {}", files.len())).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Resource : 24
    Unimplemented keys: [: 12
    Unknown format: idn-email: 1
    Unknown format: idn-hostname: 1
    Unknown format: iri: 1
    Unknown format: iri-reference: 1
    Unknown format: json-pointer: 1
    Unknown format: regex: 1
    Unknown format: relative-json-pointer: 1
    Unknown format: uri-reference: 1
    Unknown format: uri-template: 1
    Unsatisfiable schema: schema is false: 6
    Value for : 1
    keyword $dynamicAnchor: 3
    keyword $dynamicRef: 3
    keyword contains: 18
    keyword dependentRequired: 4
    keyword dependentSchemas: 7
    keyword if: 14
    keyword not: 10
    keyword propertyNames: 7
    keyword then: 1
    keyword unevaluatedItems: 10
    keyword unevaluatedProperties: 13
    keyword uniqueItems: 3
    oneOf: 8
    patternProperty regexes : 3
    ");
}

/// Evenly spread numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Writes whatever may be written, byte by byte; `None` when it finds no end in time.
fn write_something(constraint: &mut Constraint, random: &mut Random) -> Option<String> {
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < 600 {
        let mask = constraint.allowed().unwrap();
        let allowed: Vec<u8> = (0..=255).filter(|byte| mask.is_allowed(u32::from(*byte))).collect();
        let ends = constraint.matcher.is_accepting().unwrap();
        if allowed.is_empty() || (ends && random.below(2) == 0) {
            return Some(String::from_utf8(bytes).unwrap());
        }
        // Mostly what ends a value, or else long texts have no end.
        let closing: Vec<u8> =
            allowed.iter().copied().filter(|byte| b"\"]}".contains(byte)).collect();
        let from = if closing.is_empty() || random.below(3) == 0 { &allowed } else { &closing };
        let byte = from[random.below(from.len())];
        let forced = constraint.accept(LlamaToken(i32::from(byte))).unwrap();
        bytes.push(byte);
        bytes.extend(forced.iter().map(|token| u8::try_from(token.0).unwrap()));
        if constraint.is_complete() {
            return Some(String::from_utf8(bytes).unwrap());
        }
    }
    None
}

#[track_caller]
fn assert_what_is_written_fits(grammars: &Grammars, about: &str, schema: &Value) -> usize {
    let validator = validator(schema);
    let mut random = Random(7);
    let mut written = 0;
    for _ in 0..30 {
        let mut constraint = grammars.constraint(schema).unwrap();
        let Some(text) = write_something(&mut constraint, &mut random) else { continue };
        let value: Value = match serde_json::from_str(&text) {
            // JSON has no largest number.
            Err(error) if error.to_string().starts_with("number out of range") => continue,
            read => read.unwrap_or_else(|it| panic!("{about}: {it}: {text}")),
        };
        // Whoever reads so large a number reads another one.
        if schema::too_large(&value).is_some() {
            continue;
        }
        let errors: Vec<_> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{about}: {text}: {errors:?} for {schema}");
        written += 1;
    }
    written
}

#[test]
fn whatever_is_written_under_a_schema_of_the_suite_fits_it() {
    let grammars = grammars();
    let mut written = 0;
    for group in suite() {
        if grammars.constraint(&group.schema).is_ok() {
            let about = format!("{}, {}", group.file, group.about);
            written += assert_what_is_written_fits(&grammars, &about, &group.schema);
        }
    }
    assert!(written > 4000, "{written}");
}

fn schemas_of_lists_and_objects() -> Vec<Value> {
    vec![
        json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "maxItems": 4 }),
        json!({ "prefixItems": [{ "const": 1 }, { "type": "null" }], "items": { "enum": ["x"] } }),
        json!({ "type": "array", "prefixItems": [{ "const": 1 }], "unevaluatedItems": false }),
        json!({
            "type": "object", "properties": { "a": { "const": 1 }, "b": {}, "c": { "enum": ["x"] } },
            "required": ["c", "z"], "unevaluatedProperties": { "type": "integer" }
        }),
        json!({
            "type": "object", "properties": { "a": { "type": "integer" } },
            "patternProperties": { "^x-": { "type": "boolean" } }, "additionalProperties": false
        }),
        json!({ "type": "object", "additionalProperties": { "type": "null" }, "maxProperties": 2 }),
        json!({
            "allOf": [
                { "type": "object", "properties": { "a": { "minimum": 3 } }, "required": ["a"] },
                { "properties": { "a": { "type": "integer", "maximum": 5 } } }
            ]
        }),
        json!({
            "anyOf": [
                { "type": "object", "properties": { "kind": { "const": "a" }, "n": { "type": "integer" } },
                  "required": ["kind", "n"], "additionalProperties": false },
                { "type": "object", "properties": { "kind": { "const": "b" }, "s": { "type": "string" } },
                  "required": ["kind"], "additionalProperties": false }
            ]
        }),
        json!({ "oneOf": [{ "type": "string", "maxLength": 2 }, { "type": "integer" }] }),
        json!({
            "$ref": "#/$defs/node",
            "$defs": { "node": {
                "type": "object",
                "properties": {
                    "v": { "type": "integer" },
                    "next": { "type": "array", "items": { "$ref": "#/$defs/node" }, "maxItems": 2 }
                },
                "required": ["v"], "additionalProperties": false
            } }
        }),
    ]
}

/// Schemas of the kinds that plans and tools use, and what is easily done wrong.
fn other_schemas() -> Vec<Value> {
    let mut schemas = schemas_of_lists_and_objects();
    schemas.extend([
        json!(true),
        json!({ "type": "integer", "minimum": -17, "maximum": 1203, "multipleOf": 7 }),
        json!({ "type": "number", "exclusiveMinimum": 0.25, "exclusiveMaximum": 2 }),
        json!({ "type": "number", "minimum": 0, "maximum": 10, "multipleOf": 0.25 }),
        json!({ "type": "string", "minLength": 3, "maxLength": 5 }),
        json!({ "type": "string", "pattern": "^[a-z]{2}-[0-9]+$", "maxLength": 9 }),
        json!({ "type": "string", "pattern": "b", "minLength": 4 }),
        json!({ "type": ["string", "null"], "enum": ["a", null, 3, "\u{1f980}\""] }),
        json!({ "const": { "b": [1.5, { "a": null }], "a": "\\ / \n" } }),
        json!({ "type": "string", "format": "date", "pattern": "-02-2[89]$" }),
    ]);
    let formats = [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uuid",
    ];
    schemas.extend(formats.map(|format| json!({ "type": "string", "format": format })));
    schemas
}

#[test]
fn whatever_is_written_under_other_schemas_fits_them() {
    let grammars = grammars();
    for schema in other_schemas() {
        let written = assert_what_is_written_fits(&grammars, "own", &schema);
        assert!(written > 0, "{schema}");
    }
}

#[test]
fn a_schema_that_cannot_be_followed_is_refused_with_the_keyword_and_its_place() {
    let tags = json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true });
    let both = json!({ "oneOf": [{ "type": "string" }, { "minLength": 2 }] });
    let refusals = [
        json!({ "properties": { "a/b": { "anyOf": [{}, tags] } } }),
        json!({ "items": { "$ref": "#/$defs/a" }, "$defs": { "a": { "not": {} } } }),
        json!({ "properties": { "a": both, "b": both } }),
        json!({ "enum": [1, { "a": 9_007_199_254_740_993_u64 }] }),
        json!({ "format": "no-such-format" }),
        json!({ "$ref": "https://example.com/other.json" }),
        json!(false),
    ]
    .map(|schema| grammars().constraint(&schema).err().unwrap().to_string());
    insta::assert_snapshot!(refusals.join("\n"), @r"
    the schema's keyword `uniqueItems` at #/properties/a~1b/anyOf/1 is not supported
    the schema's keyword `not` at #/$defs/a is not supported
    the alternatives of `oneOf` at #/properties/b may overlap, which is not supported: use `anyOf`
    the number 9007199254740993 of the schema, at #/enum, is too large to be exact
    the schema cannot be followed: Unknown format: no-such-format
    the schema cannot be followed: Resource 'https://example.com/other.json' is not present in a registry and retrieving it failed: Default retriever does not fetch resources
    the schema cannot be followed: Unsatisfiable schema: schema is false
    ");
}

#[test]
fn what_nothing_refers_to_and_what_has_no_effect_is_no_reason_to_refuse() {
    let grammars = grammars();
    assert!(grammars.constraint(&json!({ "if": true, "then": false })).is_err());
    for schema in [
        json!({ "type": "integer", "$defs": { "unused": { "not": {} } } }),
        json!({ "properties": { "not": { "const": "if" }, "contains": { "enum": [{ "if": 1 }] } } }),
        json!({ "type": "array", "uniqueItems": false, "minContains": 2, "maxItems": 3.0 }),
        json!({ "if": false }),
        json!({ "else": { "not": {} } }),
        json!({ "dependentRequired": {}, "propertyNames": {}, "type": "object" }),
        json!({ "nullable": true, "type": "string", "default": { "not": 1 }, "examples": [1] }),
    ] {
        assert_eq!(grammars.constraint(&schema).err(), None, "{schema}");
    }
}

/// Writes on and on wherever that is allowed, in so many tokens; what came of it, and whether it
/// came to its end.
fn write_on(constraint: &mut Constraint, random: &mut Random, mut left: u32) -> (String, bool) {
    let mut bytes: Vec<u8> = Vec::new();
    while left > 0 {
        let allowed = constraint.allowed().unwrap();
        let (ends, goes_on): (Vec<u32>, Vec<u32>) = allowed
            .iter()
            .partition(|it| u8::try_from(*it).is_ok_and(|it| b"\"]}".contains(&it)) || *it > 255);
        let from = if goes_on.is_empty() { ends } else { goes_on };
        // A number of hundreds of digits, or with an exponent, may be more than a program can hold.
        let digits = bytes.iter().rev().take_while(|it| it.is_ascii_digit()).count();
        let is_small = |it: &u32| match u8::try_from(*it) {
            Ok(b'e' | b'E') => digits == 0,
            Ok(byte) => digits < 9 || !byte.is_ascii_digit(),
            Err(_) => true,
        };
        let small: Vec<u32> = from.iter().copied().filter(is_small).collect();
        let small =
            if small.is_empty() { allowed.iter().filter(is_small).collect() } else { small };
        let from = if small.is_empty() { from } else { small };
        let mut token = from[random.below(from.len())];
        let drawn = LlamaToken(token.cast_signed());
        if let Some(only) = constraint.in_place_of(drawn, &allowed, left) {
            token = only.iter().next().unwrap();
        }
        let Ok(byte) = u8::try_from(token) else {
            return (String::from_utf8(bytes).unwrap(), true);
        };
        let forced = constraint.accept(LlamaToken(i32::from(byte))).unwrap();
        bytes.push(byte);
        bytes.extend(forced.iter().map(|token| u8::try_from(token.0).unwrap()));
        left = left.saturating_sub(1 + u32::try_from(forced.len()).unwrap());
        if constraint.is_complete() {
            return (String::from_utf8(bytes).unwrap(), true);
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), false)
}

/// Schemas of what has no end of its own.
fn endless_schemas() -> Vec<Value> {
    let text = json!({ "type": "string" });
    let task = json!({
        "type": "object", "additionalProperties": false, "required": ["id", "title", "needs"],
        "properties": {
            "id": { "type": "integer" }, "title": { "type": "string", "minLength": 5 },
            "needs": { "type": "array", "items": { "type": "number" } },
            "notes": { "type": ["string", "null"] }
        }
    });
    let plan = json!({
        "type": "object", "properties": { "tasks": { "type": "array", "items": task }, "by": text },
        "required": ["tasks", "by"]
    });
    let either = json!({ "anyOf": [plan, { "type": "array", "items": text }] });
    let mut schemas = schemas_of_lists_and_objects();
    schemas.extend([text, plan, either, json!({}), json!({ "type": "object" })]);
    schemas
}

#[test]
fn whatever_is_written_on_and_on_comes_to_its_end_before_the_tokens_run_out() {
    let grammars = grammars();
    let mut random = Random(3);
    for schema in endless_schemas() {
        let validator = validator(&schema);
        for tokens in [150, 151, 400] {
            let mut constraint = grammars.constraint(&schema).unwrap();
            let (text, is_whole) = write_on(&mut constraint, &mut random, tokens);
            assert!(is_whole, "{schema}: {text}");
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(validator.is_valid(&value), "{schema}: {text}");
        }
    }
}

#[test]
fn an_answer_that_has_to_end_says_so_and_another_one_does_not() {
    let grammars = grammars();
    let schema = json!({ "type": "string" });
    let mut endless = grammars.constraint(&schema).unwrap();
    assert!(write_on(&mut endless, &mut Random(1), 100).1 && endless.is_cut());
    let mut short = grammars.constraint(&schema).unwrap();
    for byte in br#""It ends.""# {
        let (token, allowed) = (LlamaToken(i32::from(*byte)), short.allowed().unwrap());
        assert!(short.in_place_of(token, &allowed, 100).is_none());
        short.accept(token).unwrap();
    }
    assert!(short.is_complete() && !short.is_cut());
}

/// What may come after a text that is written byte by byte.
fn allowed_after(constraint: &mut Constraint, text: &str) -> Vec<u8> {
    let mut forced = 0;
    for byte in text.bytes() {
        if forced > 0 {
            forced -= 1;
            continue;
        }
        assert!(constraint.allowed().unwrap().is_allowed(byte.into()), "{byte} in {text}");
        forced = constraint.accept(LlamaToken(i32::from(byte))).unwrap().len();
    }
    let allowed = constraint.allowed().unwrap();
    allowed.iter().filter_map(|it| u8::try_from(it).ok()).collect()
}

#[test]
fn a_text_that_goes_round_in_circles_is_closed_and_the_rest_is_free() {
    let schema = json!({ "type": "array", "items": { "type": "string" } });
    let mut constraint = grammars().constraint(&schema).unwrap();
    assert!(allowed_after(&mut constraint, "[\"It ").len() > 1);
    let mut length = 0;
    for byte in "and so on ".bytes().cycle().take(600) {
        if !constraint.allowed().unwrap().is_allowed(byte.into()) {
            break;
        }
        constraint.accept(LlamaToken(i32::from(byte))).unwrap();
        length += 1;
    }
    assert!((240..300).contains(&length), "{length}");
    assert_eq!(allowed_after(&mut constraint, ""), b"\"");
    assert_eq!(allowed_after(&mut constraint, "\""), b",]");
    assert!(allowed_after(&mut constraint, ",\"").len() > 1);
    assert!(!constraint.is_cut());
}

#[test]
fn a_list_whose_items_repeat_is_closed_and_so_is_what_comes_after_it() {
    let item = json!({
        "type": "object", "properties": { "a": { "type": "string" }, "b": {} }, "required": ["a"]
    });
    let schema = json!({
        "type": "object", "required": ["list", "then"], "additionalProperties": false,
        "properties": { "list": { "type": "array", "items": item }, "then": { "type": "string" } }
    });
    let mut constraint = grammars().constraint(&schema).unwrap();
    let round = r#"{"a":"the same item of the list comes again and again"},"#;
    let mut text = r#"{"list":["#.to_owned();
    allowed_after(&mut constraint, &text);
    let mut round = round.bytes().cycle().peekable();
    while !constraint.is_complete() && text.len() < 5000 {
        let allowed = constraint.allowed().unwrap();
        let wanted = round.peek().copied().map(u32::from).filter(|it| allowed.is_allowed(*it));
        // What must come, when it may not go on.
        let token = wanted.unwrap_or_else(|| allowed.iter().next().unwrap());
        let forced = constraint.accept(LlamaToken(token.cast_signed())).unwrap();
        let written = 1 + forced.len();
        let tokens = std::iter::once(token).chain(forced.iter().map(|it| it.0.cast_unsigned()));
        text.extend(tokens.map(|it| char::from(u8::try_from(it).unwrap())));
        let said = if wanted.is_some() { written } else { 0 };
        round.by_ref().take(said).for_each(drop);
    }
    assert!(constraint.is_complete() && !constraint.is_cut(), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    let items = value["list"].as_array().unwrap().len();
    assert!((11..30).contains(&items), "{text}");
}
