//! `rollout` and `rollback`.

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer},
    project::Project,
};

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
    let set = ["rollout", "set", "expand=5%", "--to", "fallback", "--shadow"];
    let run = project.run(&set);
    assert!(run.code == 1 && run.err.contains("without --shadow"), "{}", run.all());
    project.write(".taskmaster/rollout.json", "{");
    let run = project.run(&["rollback", "--now"]);
    assert!(run.code == 1 && run.err.contains("rollout.json"), "{}", run.all());
    assert_eq!(project.read(".taskmaster/rollout.json"), "{");
}

#[test]
fn runs_of_a_command_are_answered_by_models_on_trial_until_those_fail() {
    let project = Project::with_tasks(&json!([{"id": 1, "title": "Bake", "status": "pending"}]));
    let server = ModelServer::start(|question| {
        let is_on_trial = question["model"] == "fallback";
        let is_bad = is_on_trial && question["messages"].to_string().contains("burnt");
        if is_bad { Answer::Fails(500) } else { Answer::Says("Use rye.".to_owned()) }
    });
    let update = |prompt: &str| {
        let run = server.run(&project, &["update-task", "--id=1", "--append", "-p", prompt]);
        assert_eq!(run.code, 0, "{}", run.all());
        let asked = server.asked();
        (asked.last().unwrap()["model"].clone(), run.err)
    };
    assert_eq!(update("which flour?").0, "main");
    let set = ["rollout", "set", "update-task=100%", "--to", "fallback"];
    assert_eq!(project.run(&set).code, 0);
    let (model, told) = update("which flour?");
    assert_eq!(model, "fallback");
    let note = "update-task is on trial: the models of fallback answer 100 % of it";
    assert!(told.contains(note), "{told}");
    // Somebody stands in each time, which is no success of theirs.
    for _ in 0..5 {
        assert_eq!(update("it is burnt").0, "main");
    }
    let (model, told) = update("which flour?");
    assert!(model == "main" && !told.contains("on trial"), "{told}");
    let why = project.run(&["rollout", "why"]);
    let expected = "update-task went back by itself: 5 requests in a row failed";
    assert!(why.out.contains(expected), "{}", why.all());
    assert_eq!(project.run(&["rollout", "undo"]).code, 0);
    assert_eq!(update("which flour?").0, "fallback");
    assert_eq!(project.run(&["rollback", "--now"]).code, 0);
    assert_eq!(update("which flour?").0, "main");
}
