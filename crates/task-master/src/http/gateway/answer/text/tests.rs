use serde_json::json;
use tm_llm::{chat::FinishReason, dialect::serve::openai};

use super::Text;

/// `check(stops, deltas, ..)`: what is shown after each delta, `|` where the answer ends.
#[track_caller]
fn check(stop: &[&str], deltas: &[&str], expected: &[&str]) {
    let body = json!({"model": "m", "prompt": "Hi", "stop": stop}).to_string();
    let mut text = Text::new(&openai::read_completion(body.as_bytes()).unwrap().0);
    let mut shown = Vec::new();
    for delta in deltas {
        let (piece, has_ended) = text.push((*delta).to_owned());
        shown.push(if has_ended { piece + "|" } else { piece });
        if has_ended {
            break;
        }
    }
    let rest = text.end(FinishReason::Stop).unwrap();
    if !rest.is_empty() {
        shown.push(rest);
    }
    assert_eq!(shown, expected);
}

#[test]
fn an_answer_ends_before_a_stop_text_wherever_it_is_cut() {
    check(&[], &["one ", "two"], &["one ", "two"]);
    check(&["END"], &["oneENDtwo"], &["one|"]);
    check(&["END"], &["one E", "N", "D two"], &["one ", "", "|"]);
    check(&["END"], &["one E", "ven"], &["one ", "Even"]);
    check(&["END"], &["one EN"], &["one ", "EN"]);
    check(&["zwei", "\u{e9}t"], &["un \u{e9}", "t\u{e9}"], &["un ", "|"]);
    check(&["b", "a"], &["xab"], &["x|"]);
}
