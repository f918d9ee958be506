use super::*;

fn said(description: &str, steps: &[&str]) -> Value {
    json!({
        "description": description,
        "steps": steps,
        "check": {
            "do": "Search for a word that one note has",
            "see": "The note is the only result.",
        },
        "priority": "high",
    })
}

const STEPS_SAID: [&str; 2] = ["Index every note", "Rank the results by date."];

#[test]
fn details_are_the_steps_numbered_and_each_said_once() {
    let steps = ["1. Index every note", "Rank the results by date.", "index every note."];
    let detail = read(said("Notes are found by word.", &steps)).unwrap();
    assert_eq!(detail.details, "1. Index every note.\n2. Rank the results by date.");
}

#[test]
fn a_test_strategy_says_what_is_done_and_then_what_is_seen() {
    let detail = read(said("Notes are found by word.", &STEPS_SAID)).unwrap();
    assert_eq!(
        detail.test_strategy,
        "Search for a word that one note has. The note is the only result."
    );
}

#[test]
fn a_text_that_says_nothing_is_a_fault_in_words_for_the_model() {
    insta::assert_snapshot!(
        read(said("Search works", &STEPS_SAID)).unwrap_err(),
        @"its description says too little: “Search works”"
    );
    insta::assert_snapshot!(
        read(said("Notes are found by word.", &["Index it.", "Index it"])).unwrap_err(),
        @"its steps say the same: “Index it.”"
    );
}
