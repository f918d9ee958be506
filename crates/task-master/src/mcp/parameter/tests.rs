use super::*;

const PARAMETERS: &[Parameter] = &[
    Parameter::text("id", "Which").required(),
    Parameter::flag("all", ""),
    Parameter::whole("limit", 1, 10, ""),
    Parameter::one_of("size", &["small", "big"], ""),
];

#[track_caller]
fn check(values: &Value, expected: &str) {
    let checked = Arguments::check(PARAMETERS, values.as_object().cloned().unwrap_or_default());
    assert_eq!(checked.err().unwrap_or_default(), expected);
}

#[test]
fn arguments_are_checked_against_what_is_declared() {
    check(&json!({ "id": "3", "all": true, "limit": "7", "size": "big", "more": [] }), "");
    check(&json!({ "id": "3", "all": null }), "");
    check(&json!({}), "id: is required");
    check(&json!({ "id": 3 }), "id: must be a string");
    check(&json!({ "id": "3", "all": "yes" }), "all: must be true or false");
    check(&json!({ "id": "3", "limit": 11 }), "limit: must be a whole number from 1 to 10");
    check(&json!({ "id": "3", "size": "huge" }), "size: must be one of small, big");
    check(&json!({ "limit": 1.5 }), "id: is required, limit: must be a whole number from 1 to 10");
}

#[test]
fn the_schema_says_the_same() {
    insta::assert_snapshot!(json!(schema(PARAMETERS)), @r#"{"type":"object","properties":{"id":{"type":"string","description":"Which"},"all":{"type":"boolean"},"limit":{"type":"integer","minimum":1,"maximum":10},"size":{"type":"string","enum":["small","big"]}},"required":["id"]}"#);
}
