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

#[test]
fn models_on_trial_are_asked_the_same_when_a_command_has_ended_and_are_compared() {
    let project = Project::with_tasks(&json!([{"id": 1, "title": "Bake", "status": "pending"}]));
    let server = ModelServer::start(|question| {
        let is_bad = question["messages"].to_string().contains("burnt");
        match question["model"].as_str() {
            Some("fallback") if is_bad => Answer::Fails(500),
            Some("fallback") => Answer::Says("Use spelt.".to_owned()),
            _ => Answer::Says("Use rye.".to_owned()),
        }
    });
    let update = |prompt: &str| {
        let run = server.run(&project, &["update-task", "--id=1", "--append", "-p", prompt]);
        assert_eq!(run.code, 0, "{}", run.all());
        run.err
    };
    let set = ["rollout", "set", "update-task=100%", "--to", "fallback", "--shadow"];
    assert_eq!(project.run(&set).code, 0);
    let told = update("which flour?");
    let note = "the models of fallback are asked the same, to be compared; Ctrl-C ends that";
    assert!(told.contains(note) && !told.contains("on trial"), "{told}");
    let asked = server.asked();
    let models: Vec<&Value> = asked.iter().map(|it| &it["model"]).collect();
    assert_eq!(models, ["main", "fallback"]);
    assert_eq!(asked[0]["messages"], asked[1]["messages"]);
    assert!(project.tasks().contains("Use rye.") && !project.tasks().contains("spelt"));

    let traced = project.json(&["trace", "--json"])["requests"].clone();
    let of = |by: &str| traced.as_array().unwrap().iter().find(|it| it["by"] == by).unwrap();
    let (shadow, given) = (of("shadow"), of("update-task"));
    assert_eq!(shadow["compared"]["with"], given["id"], "{traced}");
    // One of three words is in both.
    let likeness = shadow["compared"]["likeness"].as_f64().unwrap();
    assert!((likeness - 1.0 / 3.0).abs() < 1e-9, "{likeness}");
    assert_eq!((&shadow["role"], &given["compared"]), (&json!("fallback"), &Value::Null));

    // What they do wrong is nobody's concern but the record's.
    update("it is burnt");
    let traced = project.json(&["trace", "--json"])["requests"].clone();
    let shadow = traced.as_array().unwrap().iter().find(|it| it["by"] == "shadow").unwrap();
    assert_eq!(shadow["compared"]["likeness"], Value::Null, "somebody stood in: {shadow}");
    assert_eq!(project.run(&["rollback", "--now"]).code, 0);
    assert!(!update("which flour?").contains(note));

    // With themselves they are not compared.
    let set = ["rollout", "set", "update-task=100%", "--to", "main", "--shadow"];
    assert_eq!(project.run(&set).code, 0);
    assert!(!update("which flour?").contains("are asked the same"));
}

#[test]
fn nothing_is_said_of_who_stands_in_for_models_that_are_asked_in_the_shadow() {
    let project = Project::with_tasks(&json!([{"id": 1, "title": "Bake", "status": "pending"}]));
    let server = ModelServer::start(|_| Answer::Says("Use rye.".to_owned()));
    let update = ["update-task", "--id=1", "--append", "-p", "which flour?"];
    assert_eq!(server.run(&project, &update).code, 0);
    let config = project.read(".taskmaster/config.json");
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["models"]["fallback"] = json!({"provider": "anthropic", "modelId": "claude"});
    project.write(".taskmaster/config.json", config.to_string());
    let set = ["rollout", "set", "update-task=100%", "--to", "fallback", "--shadow"];
    assert_eq!(project.run(&set).code, 0);
    let run = project.run(&update);
    assert_eq!(run.code, 0, "{}", run.all());
    let told = ["answers here in place of", "main is asked"];
    assert!(!told.iter().any(|it| run.err.contains(it)), "{}", run.err);
}
