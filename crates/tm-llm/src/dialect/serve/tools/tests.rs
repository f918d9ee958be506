use serde_json::{Value, json};

use super::{instruct, read, schema};
use crate::{
    chat::{FinishReason, Message},
    dialect::serve::{AnswerForm, Content, Tool, ToolChoice},
};

fn form(choice: ToolChoice) -> AnswerForm {
    let weather = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]
    });
    let tool = |name: &str, parameters: &Value| Tool {
        name: name.to_owned(),
        description: format!("Does {name}"),
        parameters: parameters.clone(),
    };
    AnswerForm::Tools {
        tools: vec![tool("weather", &weather), tool("stop", &json!({"type": "object"}))],
        choice,
    }
}

#[track_caller]
fn check(choice: ToolChoice, answer: &str, expected: Option<Content>) {
    let form = form(choice);
    let is_fine = expected.is_some();
    assert_eq!((read(&form, answer.to_owned(), FinishReason::Stop).ok(), ()), (expected, ()));
    if is_fine {
        let schema = schema(&form).unwrap();
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert!(jsonschema::is_valid(&schema, &answer), "{schema} refuses {answer}");
    }
}

#[test]
fn answers_are_calls_or_replies() {
    let call =
        |name: &str, arguments: Value| Some(Content::ToolCall { name: name.to_owned(), arguments });
    let paris = r#"{"tool":"weather","arguments":{"city":"Paris"}}"#;
    check(ToolChoice::Auto, paris, call("weather", json!({"city": "Paris"})));
    check(ToolChoice::Required, paris, call("weather", json!({"city": "Paris"})));
    check(ToolChoice::Auto, r#"{"reply":"Hello."}"#, Some(Content::Text("Hello.".to_owned())));
    let named = ToolChoice::Named("weather".to_owned());
    check(named, r#"{"city":"Paris"}"#, call("weather", json!({"city": "Paris"})));
    check(ToolChoice::Auto, r#"{"tool":"unknown","arguments":{}}"#, None);
    check(ToolChoice::Auto, "Hello.", None);
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
        let read = read(&form(ToolChoice::Auto), text.to_owned(), FinishReason::Length);
        assert_eq!(read, Ok(Content::Text(expected.to_owned())), "{text}");
    }
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
    let said = read(&AnswerForm::Text, "Hi".to_owned(), FinishReason::Stop);
    assert_eq!(said, Ok(Content::Text("Hi".to_owned())));
}
