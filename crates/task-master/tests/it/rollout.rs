//! `rollout` and `rollback`.

use serde_json::{Value, json};

use crate::project::Project;

/// What is on trial for the main role, as `rollout show --json` has it.
fn shown(project: &Project) -> Value {
    project.json(&["rollout", "show", "--json"])["trials"]["main"]["percent"].clone()
}

#[test]
fn a_trial_is_set_and_ended_and_every_change_can_be_taken_back_twice() {
    let project = Project::empty();
    project.write(".taskmaster/config.json", "{}");
    let run = project.run(&["rollout", "set", "main=5%", "--to", "fallback", "--auto"]);
    assert!(
        run.code == 0 && run.out.contains("5 % and more by itself, by fallback"),
        "{}",
        run.all()
    );
    assert_eq!(project.run(&["rollout", "set", "main=25", "--to", "research"]).code, 0);
    assert_eq!(shown(&project), json!(25));
    assert_eq!(project.run(&["rollout", "undo"]).code, 0);
    assert_eq!(shown(&project), json!(5));
    assert_eq!(project.run(&["rollout", "undo"]).code, 0);
    assert_eq!(shown(&project), json!(25));
    let run = project.run(&["rollback", "--now"]);
    assert!(run.code == 0 && run.out.contains("its own models"), "{}", run.all());
    assert_eq!(shown(&project), Value::Null);
    let run = project.run(&["rollback"]);
    assert!(run.code == 0 && run.out.contains("Nothing was on trial."), "{}", run.all());
    assert_eq!(project.run(&["rollout", "undo"]).code, 0);
    assert_eq!(shown(&project), json!(25));
    let run = project.run(&["rollout", "why"]);
    assert!(run.out.contains("No trial has ended by itself."), "{}", run.all());
    assert_eq!(project.run(&["rollout", "set", "main=0%", "--to", "research"]).code, 0);
    assert_eq!(shown(&project), Value::Null);
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let project = Project::empty();
    project.write(".taskmaster/config.json", "{}");
    let run = project.run(&["rollout", "undo"]);
    assert!(run.code == 1 && run.err.contains("nothing was changed yet"), "{}", run.all());
    let run = project.run(&["rollout", "set", "main=5%", "--to", "main"]);
    assert!(run.code == 1 && run.err.contains("its own place"), "{}", run.all());
    for wrong in ["main", "main=101%", "main=x", "chief=5%"] {
        let run = project.run(&["rollout", "set", wrong, "--to", "fallback"]);
        assert!(run.code != 0, "{wrong}: {}", run.all());
    }
    project.write(".taskmaster/rollout.json", "{");
    let run = project.run(&["rollback", "--now"]);
    assert!(run.code == 1 && run.err.contains("rollout.json"), "{}", run.all());
    assert_eq!(project.read(".taskmaster/rollout.json"), "{");
}
