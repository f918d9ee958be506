use super::*;

#[test]
fn documents_are_found_in_what_is_around_them() {
    for text in [
        r#"{"a": [1, "}"]}"#,
        "```json\n{\"a\": [1, \"}\"]}\n```",
        "Here you are:\n{\"a\": [1, \"}\"]}\nAnything else?",
        "As [1] says:\n\n{\"a\": [1, \"}\",],}",
        "<think>{\"b\": 2}</think>{\"a\": [1, \"}\"]}",
        "hm, {so}\n</think>\n{\"a\": [1, \"}\"]}",
        "\u{feff} {\"a\": [1, \"}\"]}\n",
    ] {
        assert_eq!(document(text).map(|it| it.0), Ok(serde_json::json!({"a": [1, "}"]})), "{text}");
    }
}

#[test]
fn a_document_stays_as_it_is_written() {
    let numbers = r#"{"age": 12345678901234567890123, "f": 1.10}"#;
    assert_eq!(document(numbers).unwrap().1, numbers);
    assert_eq!(document(&format!("```json\n{numbers}\n```")).unwrap().1, numbers);
}

#[test]
fn line_breaks_in_texts_are_mended_and_quotes_in_them_survive() {
    assert_eq!(document("{\"a\": \"one\ntwo, \\\"}\\\",\"}").unwrap().0["a"], "one\ntwo, \"}\",");
}

#[test]
fn what_is_cut_off_or_no_document_is_told_to_the_model() {
    for text in ["{\"a\": [1, 2", "{\"a\": \"x", "I would rather not.", "", "[", "} {"] {
        assert!(document(text).unwrap_err().starts_with("it is not valid JSON ("), "{text}");
    }
}
