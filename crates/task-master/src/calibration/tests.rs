//! Tests of `calibration`.

use std::fs;

use tempfile::TempDir;

use super::*;

fn environment(folder: &TempDir) -> Environment {
    let state = ("XDG_STATE_HOME".into(), folder.path().into());
    Environment::new(folder.path().to_owned(), None, [state].into_iter())
}

fn calibration() -> Calibration {
    Calibration {
        model: "m".to_owned(),
        identity: "sha256:1".to_owned(),
        host: host(),
        at: "now".to_owned(),
        threads: 3,
        batch_tokens: 64,
        reading: 80.0,
        writing: 12.5,
        writing_four: 30.0,
    }
}

#[test]
fn what_was_found_best_is_known_for_the_same_file_on_the_same_machine() {
    let folder = TempDir::new().unwrap();
    let environment = environment(&folder);
    assert_eq!(read(&environment, "sha256:1"), None);
    keep(&environment, &calibration()).unwrap();
    assert_eq!(read(&environment, "sha256:1"), Some(calibration()));
    assert_eq!(read(&environment, "sha256:2"), None);
}

#[test]
fn a_note_of_another_machine_or_that_makes_no_sense_is_no_note() {
    let folder = TempDir::new().unwrap();
    let environment = environment(&folder);
    let path = keep(&environment, &calibration()).unwrap();
    assert_eq!(read(&environment, "sha256:1"), Some(calibration()));
    for wrong in [
        Calibration { host: "another".to_owned(), ..calibration() },
        Calibration { threads: 0, ..calibration() },
        Calibration { batch_tokens: 1 << 30, ..calibration() },
    ] {
        fs::write(&path, serde_json::to_vec(&wrong).unwrap()).unwrap();
        assert_eq!(read(&environment, "sha256:1"), None);
    }
    fs::write(&path, "{").unwrap();
    assert_eq!(read(&environment, "sha256:1"), None);
}
