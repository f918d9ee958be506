use std::time::Instant;

use super::*;
use crate::chat::Sampling;

fn question(system: &str, max_tokens: u32) -> Question {
    Question::of(&ChatRequest {
        messages: vec![Message::system(system), Message::user("how many?")],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens,
        deadline: Instant::now(),
    })
}

fn usage(decode_ms: u64) -> Usage {
    Usage {
        prompt_tokens: 10,
        completion_tokens: 10,
        prefill: Duration::from_millis(10),
        decode: Duration::from_millis(decode_ms),
        ..Usage::default()
    }
}

#[test]
fn what_was_slow_is_predicted_to_be_slow() {
    let (mut slow, mut fast) = (Load::default(), Load::default());
    let asked = question("s", 100);
    assert!((slow.predict_s(asked) - fast.predict_s(asked)).abs() < f64::EPSILON);
    slow.measure(&usage(1000));
    fast.measure(&usage(10));
    assert!(slow.predict_s(asked) > 10.0 * fast.predict_s(asked));
    assert_eq!(fast.decode_rate().map(f64::round), Some(1000.0));
}

#[test]
fn work_under_way_is_counted_until_it_ends() {
    let mut load = Load::default();
    let first = load.begin(question("s", 100));
    let second = load.begin(question("t", 50));
    assert_eq!(load.in_flight(), 2);
    assert!((load.outstanding_s() - first - second).abs() < 1e-9 && first > second);
    load.end(first);
    load.end(second);
    assert_eq!((load.in_flight(), load.outstanding_s()), (0, 0.0));
}

#[test]
fn a_beginning_that_was_read_before_costs_less() {
    let mut load = Load::default();
    let asked = question(&"long ".repeat(1000), 1);
    let new = load.begin(asked);
    assert!(load.predict_s(asked) < new / 2.0);
    for other in 0..BEGINNINGS {
        load.begin(question(&other.to_string(), 1));
    }
    assert!((load.predict_s(asked) - new).abs() < 1e-9, "it is not held for ever");
}
