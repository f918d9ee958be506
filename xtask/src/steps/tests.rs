use anyhow::anyhow;

use super::*;

#[test]
fn durations_are_told_in_words() {
    let check = |ms, expected: &str| assert_eq!(in_words(Duration::from_millis(ms)), expected);
    check(0, "0.0 s");
    check(1_250, "1.2 s");
    check(59_900, "59 s");
    check(61_000, "1 min 1 s");
    check(2_700_000, "45 min 0 s");
}

#[test]
fn what_was_done_and_what_was_not_is_counted() {
    let mut steps = Steps::start();
    assert_eq!(steps.run("format", || Ok(7)).unwrap(), 7);
    steps.done.push(("tests".to_owned(), Duration::from_secs(75)));
    steps.skip("licences", "cargo-deny is not installed");
    assert_eq!(steps.times(), "2 steps in 0.0 s: tests 1 min 15 s");
    assert_eq!(steps.skips(), "1 skipped\n  licences: cargo-deny is not installed");
}

#[test]
fn a_failed_step_is_named_with_its_cause() {
    let mut steps = Steps::start();
    let error = steps.run("tests", || Err::<(), _>(anyhow!("`cargo test` ended"))).unwrap_err();
    assert_eq!(format!("{error:#}"), "tests: failed: `cargo test` ended");
    assert!(steps.times().starts_with("0 steps"));
}
