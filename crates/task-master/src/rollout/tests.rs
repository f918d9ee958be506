use super::{live::Live, *};
use tm_llm::rollout::{Arm, Outcome};

fn trials() -> (tempfile::TempDir, Trials) {
    let directory = tempfile::tempdir().unwrap();
    let trials = Trials::of_project(directory.path());
    (directory, trials)
}

fn trial(percent: u8) -> Trial {
    Trial { candidate: "fallback".to_owned(), percent, is_shadow: false, is_automatic: false }
}

fn set(trials: &Trials, percent: u8) -> Option<State> {
    let what = format!("main={percent}%");
    let set = |running: &mut Running| drop(running.insert("main".to_owned(), trial(percent)));
    trials.change(&what, None, set).unwrap()
}

#[test]
fn every_change_can_be_undone_and_so_can_that() {
    let (_directory, trials) = trials();
    assert!(matches!(trials.undo(), Err(RolloutError::NothingToUndo)));
    set(&trials, 5);
    set(&trials, 25);
    assert_eq!(set(&trials, 25), None, "that is no change");
    let share = |state: State| state.trials.get("main").map(|it| it.percent);
    assert_eq!(share(trials.undo().unwrap()), Some(5));
    assert_eq!(share(trials.undo().unwrap()), Some(25), "the undo was undone");
    let cleared = trials.change("rollback", None, Running::clear).unwrap().unwrap();
    assert_eq!(share(cleared), None);
    assert_eq!(share(trials.undo().unwrap()), Some(25));
    let told: Vec<String> = trials.read().unwrap().history.into_iter().map(|it| it.what).collect();
    assert_eq!(
        told,
        [
            "main=5%",
            "main=25%",
            "undid: main=25%",
            "undid: main=25%",
            "rollback",
            "undid: rollback"
        ]
    );
}

#[test]
fn a_file_that_is_none_of_ours_is_left_alone() {
    let (_directory, trials) = trials();
    set(&trials, 5);
    for text in ["{", r#"{"version": 2, "trials": {}, "history": []}"#] {
        fs::write(trials.path(), text).unwrap();
        assert!(matches!(trials.read(), Err(RolloutError::Unusable { .. })));
        trials.change("rollback", None, Running::clear).unwrap_err();
        assert_eq!(fs::read_to_string(trials.path()).unwrap(), text);
    }
}

fn outcome(is_good: bool) -> Outcome {
    Outcome { id: "x".to_owned(), is_good, took: std::time::Duration::from_millis(1) }
}

#[test]
fn a_trial_that_goes_wrong_is_over_at_once_and_the_file_says_why() {
    let (_directory, trials) = trials();
    set(&trials, 100);
    let live = Live::new(trials.clone());
    let chosen = live.choose("main", 7).unwrap();
    assert_eq!((chosen.arm, live.choose("research", 7)), (Arm::Candidate, None));
    let decisions: Vec<_> = (0..9).filter_map(|_| live.ended(&chosen, outcome(false))).collect();
    assert_eq!(decisions.len(), 1, "it is over once");
    assert_eq!(live.choose("main", 7), None);
    for decision in decisions {
        live.write(decision);
    }
    let state = trials.read().unwrap();
    assert!(state.trials.is_empty());
    let last = state.history.last().unwrap();
    assert_eq!(last.why.as_deref(), Some("5 requests in a row failed"));
    assert_eq!(last.examples, ["x"; 3]);
}

#[test]
fn what_somebody_has_changed_meanwhile_is_left_alone() {
    let (_directory, trials) = trials();
    set(&trials, 50);
    let live = Live::new(trials.clone());
    let chosen = live.choose("main", 7).unwrap();
    let decision = (0..5).find_map(|_| live.ended(&chosen, outcome(false))).unwrap();
    set(&trials, 10);
    live.write(decision);
    assert_eq!(trials.read().unwrap().trials.get("main"), Some(&trial(10)));
}

#[test]
fn what_other_gateways_have_is_taken_over_unless_it_is_older() {
    let ((_here, ours), (_there, theirs)) = (trials(), trials());
    let text = |trials: &Trials| serde_json::to_string(&trials.read().unwrap()).unwrap();
    set(&theirs, 5);
    assert!(ours.adopt(&text(&theirs)).unwrap());
    assert_eq!(ours.read().unwrap(), theirs.read().unwrap());
    assert!(!ours.adopt(&text(&theirs)).unwrap(), "that is the same");
    set(&ours, 25);
    assert!(!ours.adopt(&text(&theirs)).unwrap(), "that is older");
    assert!(theirs.adopt(&text(&ours)).unwrap());
    assert_eq!(theirs.undo().unwrap().trials["main"].percent, 5, "of the same history");
    for nonsense in ["", "{}", r#"{"version": 2, "revision": 99, "trials": {}, "history": []}"#] {
        assert!(ours.adopt(nonsense).is_err(), "{nonsense}");
        assert_eq!(ours.read().unwrap().trials["main"].percent, 25);
    }
}
