use super::*;
use crate::trace::Asked;

fn set(trials: &Trials, percent: u8, is_automatic: bool) {
    let trial = Trial { candidate: "fallback".to_owned(), percent, is_shadow: false, is_automatic };
    let put = |running: &mut Running| drop(running.insert("expand".to_owned(), trial));
    trials.change("expand", None, put).unwrap();
}

fn chosen(root: &Path, name: &str, key: u64) -> Option<OnTrial> {
    let caller = Caller { name: name.to_owned(), key, ..Caller::default() };
    choose(root, root, &caller).unwrap()
}

/// Runs of a command, one for each ending, as their traces have them.
fn ran(root: &Path, arm: Arm, endings: &[Ending]) {
    let log = Log::in_dir(root);
    for (number, ending) in endings.iter().enumerate() {
        log.keep(Record {
            id: format!("{arm:?}{number}"),
            time: "2999-01-01T00:00:00.000Z".to_owned(),
            by: "expand_task".to_owned(),
            project: Some(root.to_owned()),
            ending: *ending,
            trial: Some(arm.as_str().to_owned()),
            attempts: Vec::<Asked>::new(),
            took_s: 0.1,
            ..Record::default()
        });
    }
}

#[test]
fn a_share_of_what_is_typed_is_answered_by_the_models_on_trial_and_by_them_again() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    assert_eq!(chosen(root, "expand", 7), None);
    set(&Trials::of_project(root), 25, false);
    let keys = (0..2000).map(|number| key(["expand".to_owned(), format!("--id={number}")]));
    let keys: Vec<u64> = keys.collect();
    let on_trial = |key: &u64| chosen(root, "expand", *key).unwrap().arm == Arm::Candidate;
    let count = keys.iter().filter(|it| on_trial(it)).count();
    assert!((440..=560).contains(&count), "{count}");
    assert_eq!(keys.iter().filter(|it| on_trial(it)).count(), count);
    assert_eq!(chosen(root, "expand_all", 7).map(|it| it.command), Some("expand"));
    assert_eq!((chosen(root, "add-task", 7), chosen(root, "list", 7)), (None, None));
}

#[test]
fn a_command_goes_back_by_itself_when_its_runs_fail() {
    let directory = tempfile::tempdir().unwrap();
    let (root, trials) = (directory.path(), Trials::of_project(directory.path()));
    set(&trials, 100, false);
    ran(root, Arm::Incumbent, &[Ending::Failed; 9]);
    assert!(chosen(root, "expand", 7).is_some(), "those on trial did nothing wrong");
    ran(root, Arm::Candidate, &[Ending::Failed; 5]);
    assert_eq!(chosen(root, "expand", 7), None);
    let state = trials.read().unwrap();
    let last = state.history.last().unwrap();
    assert_eq!(last.what, "expand went back by itself");
    assert_eq!(last.why.as_deref(), Some("5 requests in a row failed"));
    assert_eq!(last.examples.len(), 3);
}

#[test]
fn a_command_goes_on_by_itself_when_its_runs_do_well() {
    let directory = tempfile::tempdir().unwrap();
    let (root, trials) = (directory.path(), Trials::of_project(directory.path()));
    set(&trials, 5, true);
    ran(root, Arm::Candidate, &[Ending::Answered; 49]);
    assert_eq!(chosen(root, "expand", 7).unwrap().percent, 5);
    ran(root, Arm::Candidate, &[Ending::Answered; 1]);
    assert_eq!(chosen(root, "expand", 7).unwrap().percent, 25);
}
