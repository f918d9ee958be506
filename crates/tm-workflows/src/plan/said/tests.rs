use std::sync::LazyLock;

use super::*;

fn said(description: &str, steps: &[&str]) -> Said {
    let value = json!({
        "title": "Search notes by word",
        "description": description,
        "steps": steps,
        "check": {
            "when": "A reader searches for a word that one note has",
            "then": "The note is the only result.",
        },
        "priority": "high",
    });
    serde_json::from_value(value).unwrap()
}

const STEPS_SAID: [&str; 2] = ["Index every note", "Rank the results by date."];

#[test]
fn details_are_the_steps_numbered_and_each_said_once() {
    let steps = ["1. Index every note", "Rank the results by date.", "index every note."];
    let detail = read(&said("Notes are found by word.", &steps), "English").unwrap();
    assert_eq!(detail.details, "1. Index every note.\n2. Rank the results by date.");
}

#[test]
fn what_is_no_step_of_its_own_is_left_out() {
    let cut = format!("Draw the map {}with all of its long", "of the land ".repeat(8));
    let form = [r#"priority":"high"}"#, "},check={", "check when:A reader opens it"];
    let steps =
        ["Store the map.", &cut, "roads and rivers.", form[0], form[1], form[2], "show it."];
    let said = said("The map is drawn.", &steps);
    let details = read(&said, "English").unwrap().details;
    let kept: Vec<&str> = details.lines().map(|it| it.get(..9).unwrap_or(it)).collect();
    assert_eq!(kept, ["1. Store ", "2. Draw t", "3. show i"], "{details}");
}

#[test]
fn a_test_strategy_says_what_happens_and_then_what_is_seen() {
    let strategy = |language| {
        read(&said("Notes are found by word.", &STEPS_SAID), language).unwrap().test_strategy
    };
    assert_eq!(
        strategy("English"),
        "A reader searches for a word that one note has. Expected: The note is the only result."
    );
    assert_eq!(
        strategy("German"),
        "A reader searches for a word that one note has. Erwartet: The note is the only result."
    );
    assert_eq!(
        strategy("Klingon"),
        "A reader searches for a word that one note has. The note is the only result."
    );
}

#[test]
fn a_text_that_says_nothing_is_a_fault_in_words_for_the_model() {
    insta::assert_snapshot!(
        read(&said("Search works", &STEPS_SAID), "English").unwrap_err(),
        @"its description says too little: “Search works”"
    );
}

fn asked(language: &str) -> Asked<'_> {
    static REQUIREMENTS: LazyLock<[String; 1]> =
        LazyLock::new(|| ["notes are found by word".to_owned()]);
    Asked {
        requirements: &*REQUIREMENTS,
        examples: r#"Such a check is {"when": "A clerk indexes a word.", "then": "It is seen."}"#,
        language,
        is_translated: false,
    }
}

fn faults(said: &Said, asked: &Asked<'_>) -> String {
    let faults = weaknesses(said, asked).into_iter();
    faults.map(|it| format!("{:?}: {}", it.of, it.fault)).collect::<Vec<_>>().join("; ")
}

#[test]
fn what_is_about_something_else_or_said_twice_is_a_weakness_in_words_for_the_model() {
    let weakness = |said: Said| faults(&said, &asked("English"));
    let description = "Notes are found by any word in their text.";
    insta::assert_snapshot!(weakness(said(description, &STEPS_SAID)), @"");
    let mut other = said(description, &STEPS_SAID);
    other.title = "Brew coffee".to_owned();
    insta::assert_snapshot!(weakness(other), @"Title: its title “Brew coffee” is not about its requirements");
    let mut row = said(description, &STEPS_SAID);
    row.title = "Notes | Found by word".to_owned();
    insta::assert_snapshot!(weakness(row), @"Title: its title “Notes | Found by word” is a row of a table");
    let mut demand = said(description, &STEPS_SAID);
    demand.title = "Notes should be found by word".to_owned();
    insta::assert_snapshot!(weakness(demand), @"Title: its title “Notes should be found by word” is a demand, not a piece of work");
    let mut done = said(description, &STEPS_SAID);
    done.check.then = "The task is complete and notes can be searched.".to_owned();
    insta::assert_snapshot!(weakness(done), @"Check: its check says that the task is done, not what is seen: “The task is complete and notes can be searched.”");
    insta::assert_snapshot!(
        weakness(said("Search for notes by word.", &STEPS_SAID)),
        @"All: its description says no more than the title: “Search for notes by word.”"
    );
    insta::assert_snapshot!(
        weakness(said(description, &["Index it.", "Index it"])),
        @"All: its steps say the same: “Index it.”"
    );
    let mut copied = said(description, &STEPS_SAID);
    copied.check.when = "A guest books room 12 for two nights.".to_owned();
    copied.check.then = "It is shown as taken on both.".to_owned();
    insta::assert_snapshot!(weakness(copied), @"Check: its check is not about the task: “A guest books room 12 for two nights.”");
    let mut copied = said(description, &STEPS_SAID);
    copied.check.when = "A clerk indexes a word.".to_owned();
    insta::assert_snapshot!(weakness(copied.clone()), @"Check: its check is not about the task: “A clerk indexes a word.”");
    copied.title = "Brew coffee".to_owned();
    insta::assert_snapshot!(weakness(copied), @"Title: its title “Brew coffee” is not about its requirements; Check: its check is not about the task: “A clerk indexes a word.”");
    let mut short = said(description, &STEPS_SAID);
    short.check.then = "It works.".to_owned();
    insta::assert_snapshot!(weakness(short), @"Check: its check says too little: “It works.”");
    let mut echo = said(description, &STEPS_SAID);
    echo.check.then = format!("{} is seen.", echo.check.when);
    insta::assert_snapshot!(weakness(echo), @"Check: its check sees what it does: “A reader searches for a word that one note has is seen.”");
}

#[test]
fn a_task_is_in_the_language_that_was_asked_for_whatever_the_documents_is() {
    let said = said("Notes are found by any word in their text.", &STEPS_SAID);
    let check = |asked: Asked<'_>, expected: &str| {
        assert_eq!(faults(&said, &asked), expected);
    };
    check(asked("Spanish"), "All: it was not written in Spanish");
    check(asked("Korean"), "All: it was not written in Korean");
    check(asked("Klingon"), "");
    let korean = ["메모를 단어로 검색할 수 있어야 한다 (SQLite)".to_owned()];
    check(Asked { requirements: &korean, is_translated: true, ..asked("English") }, "");
}

#[test]
fn one_member_is_written_again_and_the_rest_stays() {
    let before = read(&said("Notes are found by any word.", &STEPS_SAID), "German").unwrap();
    let mending = |member| Mending { detail: &before, member, language: "German" };
    assert_eq!(mending(Member::All).question(), None);
    let (text, schema) = mending(Member::Title).question().unwrap();
    insta::assert_snapshot!(text, @r#"
    This is written of it already:
    Notes are found by any word.
    1. Index every note.
    2. Rank the results by date.
    Write only its "title".
    "#);
    assert_eq!(schema["required"], json!(["title"]));
    let titled = mending(Member::Title).read(json!({"title": "Find notes by word."})).unwrap();
    assert_eq!(titled, Detail { title: "Find notes by word".to_owned(), ..before.clone() });
    let (_, schema) = mending(Member::Check).question().unwrap();
    assert_eq!(schema["required"], json!(["check"]));
    let check = |then: &str| json!({"check": {"when": "Ein Wort wird gesucht", "then": then}});
    let checked = mending(Member::Check).read(check("Nur diese Notiz erscheint")).unwrap();
    let test_strategy = "Ein Wort wird gesucht. Erwartet: Nur diese Notiz erscheint.".to_owned();
    assert_eq!(checked, Detail { test_strategy, ..before.clone() });
    assert!(mending(Member::Check).read(check("Gut")).is_err());
}
