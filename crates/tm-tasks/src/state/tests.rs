//! The current tag, in files of every age.

use std::fs;

use super::*;

fn moment() -> Timestamp {
    "2030-01-02T03:04:05Z".parse().unwrap()
}

#[test]
fn the_current_tag_is_read_from_files_of_every_age() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    assert_eq!(State::load(&path), State::default());
    for (text, expected) in [
        (r#"{"currentTag":"v2"}"#, Some("v2")),
        (r#"{"activeTag":"v1"}"#, Some("v1")),
        (r#"{"currentTag":7}"#, None),
        (r#"{"currentTag":""}"#, None),
        ("{}", None),
        ("oops", None),
        ("", None),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(State::load(&path).current_tag().as_deref(), expected, "{text}");
    }
}

#[test]
fn switching_keeps_what_else_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    fs::write(&path, r#"{"previousTag":"x","currentTag":"x","branchTagMapping":{"a":"b"}}"#)
        .unwrap();
    State::change(&path, moment(), |it| it.set_current_tag("y", moment())).unwrap();
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
    {
      "previousTag": "x",
      "currentTag": "y",
      "branchTagMapping": {
        "a": "b"
      },
      "lastSwitched": "2030-01-02T03:04:05.000Z"
    }
    "#);
}

#[test]
fn a_missing_or_broken_file_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for text in [None, Some("{ broken")] {
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        State::change(&path, moment(), State::set_migration_notice_shown).unwrap();
        let state = State::load(&path);
        assert_eq!(state.current_tag().as_deref(), Some("master"));
        assert!(state.migration_notice_shown());
        fs::remove_file(&path).unwrap();
    }
}
