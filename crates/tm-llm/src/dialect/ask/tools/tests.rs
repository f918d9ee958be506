use serde_json::json;

use super::{Spelling, finished, hear};
use crate::{
    chat::{Message, Part, ToolCall},
    dialect::ask::{Dialect, Reader},
};

fn called(name: &str, arguments: &str) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments: arguments.to_owned() }
}

#[track_caller]
fn check(heard: &[&str], expected: &[(&str, &str)]) {
    let mut calls = Vec::new();
    for it in heard {
        hear(&mut calls, serde_json::from_str(it).unwrap());
    }
    let expected: Vec<_> =
        expected.iter().map(|(name, arguments)| called(name, arguments)).collect();
    assert_eq!(finished(calls, false).unwrap(), expected, "{heard:?}");
}

#[test]
fn calls_come_in_pieces_one_beside_the_other_or_whole() {
    check(
        &[
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
            r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
            r#"{"index":1,"id":"b","function":{"name":"g","arguments":""}}"#,
            r#"{"index":0,"function":{"arguments":"1.0}"}}"#,
            r#"{"index":1,"function":{"arguments":"{}"}}"#,
        ],
        &[("f", r#"{"x":1.0}"#), ("g", "{}")],
    );
    // Some servers number every call 0.
    check(
        &[
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
            r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
        ],
        &[("f", "{}"), ("g", "{}")],
    );
    // Ollama sends them whole, without a number, and as JSON.
    check(
        &[
            r#"{"function":{"name":"f","arguments":{"x": 1e3}}}"#,
            r#"{"function":{"name":"f","arguments":{}}}"#,
            r#"{"function":{"name":"g"}}"#,
        ],
        &[("f", r#"{"x": 1e3}"#), ("f", "{}"), ("g", "{}")],
    );
}

#[test]
fn a_call_with_what_is_not_json_is_a_fault_unless_the_answer_was_cut() {
    let begun = || {
        let mut calls = Vec::new();
        let heard = r#"{"index":0,"function":{"name":"f","arguments":"{\"x\":"}}"#;
        hear(&mut calls, serde_json::from_str(heard).unwrap());
        calls
    };
    assert!(finished(begun(), false).is_err());
    assert_eq!(finished(begun(), true).unwrap(), []);
}

#[test]
fn a_turn_is_told_with_its_calls_and_what_came_of_them() {
    let call = Part::Call { id: "1".to_owned(), call: called("f", r#"{"x":1.0}"#) };
    let said = Message::assistant("…").with_parts(vec![Part::Text("Wait.".to_owned()), call]);
    let result = Part::Result { id: "1".to_owned(), name: "f".to_owned(), text: "2".to_owned() };
    let heard = Message::user("…").with_parts(vec![result, Part::Text("Go on.".to_owned())]);
    let turns = |spelling: Spelling| json!([spelling.turns(&said), spelling.turns(&heard)]);
    assert_eq!(
        turns(Spelling::OpenAi),
        json!([
            [{"role": "assistant", "content": "Wait.", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1.0}"}}
            ]}],
            [{"role": "tool", "tool_call_id": "1", "content": "2"}, {"role": "user", "content": "Go on."}]
        ])
    );
    assert_eq!(
        turns(Spelling::Ollama),
        json!([
            [{"role": "assistant", "content": "Wait.", "tool_calls": [
                {"function": {"name": "f", "arguments": {"x": 1.0}}}
            ]}],
            [{"role": "tool", "tool_name": "f", "content": "2"}, {"role": "user", "content": "Go on."}]
        ])
    );
}

#[test]
fn calls_are_read_from_streams_and_whole_answers() {
    let message = r#""tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"x\": 1e3}"}}]"#;
    for (dialect, frame) in [
        (
            Dialect::OpenAi,
            format!(r#"{{"choices":[{{"message":{{"content":null,{message}}},"finish_reason":"tool_calls"}}]}}"#),
        ),
        (
            Dialect::OpenAi,
            format!(r#"{{"choices":[{{"delta":{{{message}}},"finish_reason":"tool_calls"}}]}}"#),
        ),
        (
            Dialect::Ollama,
            r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"x": 1e3}}}]},"done":true}"#.to_owned(),
        ),
    ] {
        let mut reader = Reader::new(dialect);
        assert_eq!(reader.read(&frame).unwrap(), []);
        assert!(reader.end().is_some());
        assert_eq!(reader.calls().unwrap(), [called("f", r#"{"x": 1e3}"#)]);
    }
}
