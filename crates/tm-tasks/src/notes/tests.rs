use super::*;

#[test]
fn a_note_comes_after_the_details_and_other_notes() {
    let now: Timestamp = "2030-01-31T12:00:00Z".parse().unwrap();
    let mut task = Task::parse(r#"{"id": 1, "details": "Do it."}"#, None);
    add_note(&mut task, " First.\n", now);
    add_note(&mut task, "Second.", now);
    let details = task.details().unwrap();
    insta::assert_snapshot!(details, @r"
    Do it.
    <info added on 2030-01-31T12:00:00.000Z>
    First.
    </info added on 2030-01-31T12:00:00.000Z>
    <info added on 2030-01-31T12:00:00.000Z>
    Second.
    </info added on 2030-01-31T12:00:00.000Z>
    ");
    let (text, notes) = split_notes(&details);
    assert_eq!((text.as_str(), notes.len()), ("Do it.", 2));
    assert_eq!(with_notes(&text, &notes), details);

    let mut task = Task::parse(r#"{"id": 1}"#, None);
    add_note(&mut task, "Only.", now);
    assert!(task.details().unwrap().starts_with("<info added on 2030"));
}

#[test]
fn details_without_a_whole_note_are_only_details() {
    for details in ["", "Plain.", "<info added on 2030> never closed", "</info added on 2030>"] {
        assert_eq!(split_notes(details), (details.to_owned(), vec![]));
    }
    assert_eq!(with_notes("", &["note"]), "note");
}
