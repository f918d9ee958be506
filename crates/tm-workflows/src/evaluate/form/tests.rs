use serde_json::json;

use super::*;
use crate::evaluate::fixture::{notes, read};

fn said(title: &str, description: &str, details: &str, test_strategy: &str) -> Said {
    Said {
        title: title.to_owned(),
        description: description.to_owned(),
        details: details.to_owned(),
        test_strategy: test_strategy.to_owned(),
    }
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
}

#[test]
fn a_sound_plan_has_a_sound_structure() {
    near(structure(&notes().baseline), 1.0);
    near(structure(&[]), 0.0);
}

#[test]
fn what_is_wrong_with_the_structure_costs_its_part() {
    let task = |id: u64, dependencies: &[u64]| {
        json!({"id": id, "title": "T", "description": "D", "priority": "low", "status": "pending",
               "dependencies": dependencies})
    };
    // A circle, and one of two dependencies points forward: (1 + 1 + 1 + ½ + 0) / 5.
    near(structure(&read(&json!([task(1, &[2]), task(2, &[1])]))), 0.7);
    // One of two dependencies leads nowhere: (1 + 1 + ½ + 1 + 1) / 5.
    near(structure(&read(&json!([task(1, &[]), task(2, &[1, 9])]))), 0.9);
    // The same id twice: (1 + ½ + 1 + 1 + 1) / 5.
    near(structure(&read(&json!([task(1, &[]), task(1, &[])]))), 0.9);
    // No title, one of two: (½ + 1 + 1 + 1 + 1) / 5.
    near(
        structure(&read(
            &json!([task(1, &[]), {"id": 2, "description": "D", "priority": "low", "status": "pending"}]),
        )),
        0.9,
    );
}

#[test]
fn titles() {
    #[track_caller]
    fn check(words: &str, expected: f64) {
        near(title(&said(words, "Notes are found by their words.", "", "")), expected);
    }
    check("Find notes by words", 1.0);
    check("Find notes by", 0.0);
    check("Find notes by words.", 0.0);
    check("Notes", 0.0);
    check("", 0.0);
    // One of four words is taken up: half of what would be enough.
    check("Paint notes, fences, walls", 0.5);
    check("Qwlfk zzrpo vbxnm", 0.0);
}

#[test]
fn details_say_more_than_the_description_and_nothing_twice() {
    let description = "Find notes by word.";
    let how = "Keep an index of every word beside the notes. Rank what is found by frequency and recency, newest last.";
    near(details(&said("Search notes", description, how, "")), 1.0);
    // Too short and nothing new: 2 of 4 hold.
    near(details(&said("Search notes", description, "Search notes: find notes by word.", "")), 0.5);
    let twice = format!("{how} Keep an index of every word beside the notes. {how}");
    near(details(&said("Search notes", description, &twice, "")), 0.75);
    near(details(&said("Search notes", description, "", "")), 0.0);
}

#[test]
fn test_strategies_name_something_to_be_seen() {
    #[track_caller]
    fn check(text: &str, expected: f64) {
        let said = said("Find notes by word", "Search all notes.", "Rank what is found.", text);
        near(test_strategy(&said), expected);
    }
    check("Search for a word and check that its notes are shown first.", 1.0);
    check("Test it.", 0.0);
    check("The notes and words of a search, ranked.", 0.0);
    check("Verify that everything works properly and completely.", 0.0);
    // The work over again is no test of it; something made for a test is.
    check("Create an index of words and notes. Expected: Words and notes are found.", 0.0);
    check("Set up the words of the notes in an index. Check that the notes are found.", 0.0);
    check("Create notes with a sample word. Check that these notes are found.", 1.0);
    check("1. Build notes of words and test that they are found.", 1.0);
    check("", 0.0);
}

#[test]
fn repeated_tasks_are_not_distinct() {
    let how = "Open one file with a journal, create tables, index titles, migrate older versions.";
    let one = said("Store notes", "In SQLite.", how, "Open it.");
    let other = said("Water plants", "By moisture.", "A valve.", "Measure it.");
    let renamed = said("Keep them", "Notes: store, in SQLite.", how, "Open it.");
    near(distinct(&[one.clone(), one.clone(), one.clone()]), 1.0 / 3.0);
    near(distinct(&[one.clone(), other]), 1.0);
    near(distinct(&[one, renamed]), 0.5);
    near(distinct(&[]), 0.0);
}
