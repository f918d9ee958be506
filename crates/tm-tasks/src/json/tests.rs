//! Spelling is kept, layout is JavaScript's.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(format(text), expected);
}

#[test]
fn layout_is_that_of_json_stringify() {
    check("{}", "{}");
    check(" [ ] ", "[]");
    check("[1,2]", "[\n  1,\n  2\n]");
    check(r#"{"a":{"b":[{}]}}"#, "{\n  \"a\": {\n    \"b\": [\n      {}\n    ]\n  }\n}");
    check("\t{\r\n\"a\"\r\n:\n1\n}\n", "{\n  \"a\": 1\n}");
}

#[test]
fn scalars_are_copied_as_they_are_spelled() {
    for scalar in
        ["1.10", "1e3", "-0", "123456789012345678901234567890", r#""\u00e9\/\ud800""#, "null"]
    {
        check(scalar, scalar);
        check(&format!("[{scalar}]"), &format!("[\n  {scalar}\n]"));
    }
    check(r#"["a:{[,\"\\"]"#, "[\n  \"a:{[,\\\"\\\\\"\n]");
}

#[test]
fn text_that_is_not_json_ends_all_the_same() {
    for text in ["\"never closed", "}}]]", "{{{", "nonsense", "\"\\", "é🙂\u{feff}"] {
        assert!(format(text).len() < 100, "{text}");
    }
}

#[test]
fn nesting_has_no_limit() {
    let depth = 100_000;
    let text = "[".repeat(depth) + &"]".repeat(depth);
    let record = Record::parse(&format!("{{\"deep\":{text}}}")).unwrap();
    assert_eq!(record.get("deep").unwrap().len(), 2 * depth);
}

#[test]
fn lone_surrogates_read_as_replacement_characters_and_stay() {
    let text = r#"{"a\ud800":"x\ud800y\udc00\ud83d\ude00\n\u0041"}"#;
    let record = Record::parse(text).unwrap();
    assert_eq!(record.get("a\u{fffd}").and_then(decode).unwrap(), "x\u{fffd}y\u{fffd}😀\nA");
    assert_eq!(record.to_text(), text);
}

#[test]
fn a_key_is_found_however_it_is_spelled() {
    let record = Record::parse(r#"{"t\u0069tle":1}"#).unwrap();
    assert_eq!(record.get("title"), Some("1"));
}

#[test]
fn the_last_of_duplicates_counts() {
    let mut record = Record::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(record.get("a"), Some("3"));
    record.set("a", "4");
    assert_eq!(record.to_text(), r#"{"a":1,"b":2,"a":4}"#);
    record.remove("a");
    assert_eq!(record.to_text(), r#"{"b":2}"#);
}

pub(super) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn layout_agrees_with_another_printer(value in any_value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(&format(&value.to_string()), &pretty);
        prop_assert_eq!(&format(&pretty), &pretty);
    }

    #[test]
    fn strings_survive(text in any::<String>()) {
        prop_assert_eq!(decode(&encode(&text)), Some(text.clone()));
        let record = Record::parse(&json!({ text.clone(): 1 }).to_string()).unwrap();
        prop_assert_eq!(record.get(&text), Some("1"));
    }
}
