use serde_json::json;

use super::*;

#[test]
fn a_missing_variable_is_an_error_and_not_an_empty_word() {
    let error = render(PARSE_PRD_DETAIL, json!({"titles": ["Build"]})).unwrap_err();
    assert!(error.to_string().contains("parse_prd/detail"), "{error}");
}

#[test]
fn the_detail_prompt_shows_the_plan_and_the_requirements_of_the_task() {
    let variables = json!({
        "titles": ["Set up the store", "Search notes"],
        "number": 2,
        "title": "Search notes",
        "requirements": ["finds notes by word", "answers within 50 ms"],
    });
    let text = render(PARSE_PRD_DETAIL, variables).unwrap();
    assert!(text.contains("1. Set up the store\n2. Search notes\n"), "{text}");
    assert!(text.ends_with("\n- finds notes by word\n- answers within 50 ms"), "{text}");
    assert!(text.contains("Now write task 2, \"Search notes\""), "{text}");
}

#[test]
fn text_from_documents_is_not_escaped_or_interpreted() {
    let text = render(PARSE_PRD_DOCUMENT, json!({"document": "a < b && {{ secret }}"})).unwrap();
    assert!(text.contains("a < b && {{ secret }}"), "{text}");
}
