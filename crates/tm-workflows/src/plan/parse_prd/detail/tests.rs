use super::*;

fn detail(description: &str, details: &str) -> Value {
    json!({
        "description": description,
        "details": details,
        "testStrategy": "Search for a word and see the note that holds it.",
        "priority": "high",
        "dependencies": [2, 1, 2],
    })
}

#[test]
fn dependencies_are_sorted_and_each_named_once() {
    let detail =
        read(detail("Notes are found by word.", "Index every note. Rank by date.")).unwrap();
    assert_eq!(detail.dependencies, [1, 2]);
}

#[test]
fn a_sentence_is_said_once() {
    let twice =
        "Store the note in the database. Index it. Store the note in the database. Index it.";
    let detail = read(detail("Notes are found by word.", twice)).unwrap();
    assert_eq!(detail.details, "Store the note in the database. Index it. Index it.");
}

#[test]
fn a_text_that_says_nothing_is_a_fault_in_words_for_the_model() {
    insta::assert_snapshot!(
        read(detail("Search works", "Index every note. Rank by date.")).unwrap_err(),
        @"its description says too little: “Search works”"
    );
}

#[test]
fn the_first_task_cannot_name_a_dependency_and_later_ones_only_earlier_tasks() {
    assert_eq!(schema(0)["properties"]["dependencies"], Value::Null);
    assert_eq!(schema(3)["properties"]["dependencies"]["items"]["maximum"], 3);
}
