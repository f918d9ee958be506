use serde_json::{Value, json};

use super::{Reading, instruct, schema};
use crate::{
    chat::{FinishReason, Message},
    dialect::serve::{AnswerForm, Tool, ToolChoice},
};

fn form(choice: ToolChoice) -> AnswerForm {
    let weather = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]
    });
    let tool = |name: &str, parameters: &Value| Tool {
        name: name.to_owned(),
        description: format!("Does {name}"),
        parameters: parameters.clone(),
        is_custom: false,
    };
    AnswerForm::Tools {
        tools: vec![tool("weather", &weather), tool("stop", &json!({"type": "object"}))],
        choice,
        is_single: false,
    }
}

/// What is said and called in an answer that comes in pieces of so many bytes.
fn read(
    form: &AnswerForm,
    answer: &str,
    size: usize,
    finish: FinishReason,
) -> Option<(String, Vec<(String, String)>)> {
    let mut reading = Reading::new(form);
    let mut words = String::new();
    let mut rest = answer;
    while !rest.is_empty() {
        let end =
            (size.min(rest.len())..=rest.len()).find(|it| rest.is_char_boundary(*it)).unwrap();
        words.push_str(&reading.push(rest[..end].to_owned()));
        rest = &rest[end..];
    }
    let (more, calls) = reading.end(finish).ok()?;
    Some((words + &more, calls.into_iter().map(|it| (it.name, it.arguments)).collect()))
}

#[track_caller]
fn check(choice: ToolChoice, answer: &str, expected: Option<(&str, &[(&str, &str)])>) {
    let form = form(choice);
    let expected = expected.map(|(words, calls)| {
        let calls = calls.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
        (words.to_owned(), calls.collect::<Vec<_>>())
    });
    for size in [1, 2, 3, 7, 1000] {
        assert_eq!(read(&form, answer, size, FinishReason::Stop), expected, "{answer} by {size}");
    }
}

#[test]
fn answers_are_calls_or_replies() {
    let paris = r#"{"tool":"weather","arguments":{"city":"Paris"}}"#;
    let call: (&str, &[_]) = ("", &[("weather", r#"{"city":"Paris"}"#)]);
    check(ToolChoice::Auto, paris, Some(call));
    check(ToolChoice::Required, paris, Some(call));
    check(ToolChoice::Auto, r#"{"reply":"Hello."}"#, Some(("Hello.", &[])));
    check(
        ToolChoice::Auto,
        r#" { "reply" : "a\"\\\n\u00e9\ud83d\ude00é" } "#,
        Some(("a\"\\\né😀é", &[])),
    );
    let both = format!(r#"{{"reply":"Wait."}}{paris}{paris}"#);
    check(ToolChoice::Auto, &both, Some(("Wait.", &[call.1[0], call.1[0]])));
    let named = || ToolChoice::Named("weather".to_owned());
    check(named(), r#"{"city":"Paris"}"#, Some(call));
    check(named(), r#"{"city":"Par"#, None);
    check(ToolChoice::Auto, r#"{"tool":"unknown","arguments":{}}"#, None);
    check(ToolChoice::Auto, r#"{"other":1}"#, None);
    check(ToolChoice::Required, r#"{"reply":"Hello."}"#, None);
    check(ToolChoice::Required, "", None);
}

#[test]
fn what_fits_is_what_the_schema_lets_a_model_write() {
    for (choice, answer) in [
        (ToolChoice::Auto, json!({"reply": "Hello."})),
        (ToolChoice::Auto, json!({"tool": "weather", "arguments": {"city": "Paris"}})),
        (ToolChoice::Required, json!({"tool": "stop", "arguments": {}})),
        (ToolChoice::Named("weather".to_owned()), json!({"city": "Paris"})),
    ] {
        let form = form(choice);
        let schema = schema(&form).unwrap();
        assert!(jsonschema::is_valid(&schema, &answer), "{schema} refuses {answer}");
        assert!(read(&form, &answer.to_string(), 5, FinishReason::Stop).is_some());
    }
}

#[test]
fn a_model_that_is_held_to_nothing_may_reply_in_plain_words() {
    check(ToolChoice::Auto, "Hello {you}.", Some(("Hello {you}.", &[])));
    check(ToolChoice::Required, "Hello.", None);
}

#[test]
fn of_an_answer_that_is_cut_the_reply_is_told_as_far_as_it_came() {
    for (text, expected) in [
        (r#"{"reply": "Hello"#, "Hello"),
        (r#"{"reply":"a\"b\"#, "a\"b"),
        (r#"{"reply":"x\ud83d\ude"#, "x"),
        (r#"{"reply":"#, ""),
        (r#"{"tool":"weather","argu"#, ""),
        ("", ""),
    ] {
        for size in [1, 1000] {
            let read = read(&form(ToolChoice::Auto), text, size, FinishReason::Length);
            assert_eq!(read, Some((expected.to_owned(), Vec::new())), "{text}");
        }
    }
}

#[test]
fn arguments_stay_as_they_were_written() {
    let written = r#"{"z":1.0,"a": 1e3,"b":12345678901234567890123, "c":[1.10]}"#;
    let call = format!(r#"{{"tool":"weather","arguments":{written}}}"#);
    check(ToolChoice::Auto, &call, Some(("", &[("weather", written)])));
    check(ToolChoice::Named("weather".to_owned()), written, Some(("", &[("weather", written)])));
}

#[test]
fn a_reply_is_no_choice_where_a_call_is_required() {
    let schema = schema(&form(ToolChoice::Required)).unwrap();
    assert!(!jsonschema::is_valid(&schema, &json!({"reply": "Hello."})));
}

#[test]
fn the_model_is_told_of_every_tool_in_one_system_message() {
    for before in
        [vec![Message::user("Hi")], vec![Message::system("Be kind."), Message::user("Hi")]]
    {
        let told = instruct(&before, &form(ToolChoice::Auto));
        assert_eq!(told.len(), 2);
        for word in ["weather", "Does stop", "city", "reply"] {
            assert!(told[0].content.contains(word), "{word} is not in {}", told[0].content);
        }
    }
}

#[test]
fn text_needs_no_schema_and_no_instruction() {
    let messages = vec![Message::user("Hi")];
    assert_eq!(schema(&AnswerForm::Text), None);
    assert_eq!(instruct(&messages, &AnswerForm::Text), messages);
    let said = read(&AnswerForm::Text, r#"{"reply":"Hi"}"#, 3, FinishReason::Stop);
    assert_eq!(said, Some((r#"{"reply":"Hi"}"#.to_owned(), Vec::new())));
}
