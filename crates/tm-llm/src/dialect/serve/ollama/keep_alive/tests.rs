use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(said: &Value, expected: Option<Duration>) {
    let read = KeepAlive::deserialize(said).ok();
    assert_eq!(read, expected.map(KeepAlive), "{said}");
}

#[test]
fn how_long_is_seconds_or_a_duration_of_go_and_less_than_nothing_is_for_ever() {
    for (said, seconds) in [
        (json!(0), 0.0),
        (json!(300), 300.0),
        (json!(1.5), 1.5),
        (json!("0"), 0.0),
        (json!("0s"), 0.0),
        (json!("5m"), 300.0),
        (json!("1h30m"), 5400.0),
        (json!("+1m1.5s"), 61.5),
        (json!("250ms"), 0.25),
        (json!("2µs"), 2e-6),
        (json!("-0s"), 0.0),
    ] {
        check(&said, Some(Duration::from_secs_f64(seconds)));
    }
    for said in [json!(-1), json!(-0.5), json!("-1m"), json!("-1s"), json!(1e300), json!("9e9h")] {
        let expected = if said == "9e9h" { None } else { Some(Duration::MAX) };
        check(&said, expected);
    }
    let none = ["", "-", "5", "5 m", "m", "5x", ".", "1.2.3s", "5m5", "for ever", "µ"];
    for said in none.map(Value::from).into_iter().chain([json!(true), json!([5]), json!({})]) {
        check(&said, None);
    }
}
