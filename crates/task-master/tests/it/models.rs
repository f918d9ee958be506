//! Models, as far as that needs no network.

use std::fs;

use crate::project::{Project, Run};

const SMALL: &str = "smollm2-135m-instruct-q4_1";

#[track_caller]
fn check_failure(run: &Run, code: i32, error: &str, hint: &str) {
    assert_eq!((run.code, run.out.as_str()), (code, ""), "{}", run.all());
    assert!(run.err.contains(error), "{}", run.err);
    assert!(run.err.contains(hint), "{}", run.err);
}

#[test]
fn the_list_has_every_model_and_what_is_known_of_it() {
    let list = Project::empty().json(&["models", "list", "--json"]);
    let models = list["models"].as_array().unwrap();
    let small = models.iter().find(|it| it["id"] == SMALL).unwrap();
    assert_eq!(small["state"], "absent");
    assert_eq!(small["sizeBytes"], 98_362_432);
    assert_eq!(small["licence"], "Apache-2.0");
    assert_eq!(small["roles"], serde_json::json!(["tests"]));
    assert_eq!(models.iter().filter(|it| it["isDefault"] == true).count(), 1);
}

#[test]
fn the_list_names_the_default_and_why() {
    let run = Project::empty().run(&["models", "list"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.all());
    assert!(run.out.contains("qwen2.5-coder-1.5b-instruct-q4_k_m is the default: "));
    assert!(run.out.contains("needs --sha256"), "{}", run.out);
}

#[test]
fn only_what_is_here_is_local() {
    let project = Project::empty();
    let run = project.run(&["models", "list", "--local"]);
    assert!(run.out.starts_with("No models are installed in /home/"), "{}", run.out);

    let models = project.path("home/.local/share/task-master/models");
    fs::create_dir_all(&models).unwrap();
    fs::write(models.join(format!("{SMALL}.gguf.part")), vec![0; 2_000_000]).unwrap();
    let list = project.json(&["models", "list", "--local", "--json"]);
    let local = list["models"].as_array().unwrap();
    assert_eq!(local.len(), 1);
    assert_eq!(
        (&local[0]["state"], &local[0]["bytesHere"]),
        (&"partial".into(), &2_000_000.into())
    );

    let run = project.run(&["models", "rm", SMALL]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("2 MB are free again"), "{}", run.out);
    assert!(!models.join(format!("{SMALL}.gguf.part")).exists());
}

#[test]
fn a_model_that_is_not_there_comes_with_the_command_that_fetches_it() {
    for arguments in [["models", "path", SMALL], ["models", "rm", SMALL]] {
        let run = Project::empty().run(&arguments);
        let error = format!("error: the model {SMALL} is not installed\n");
        check_failure(&run, 1, &error, &format!("`task-master models pull {SMALL}`"));
    }
}

#[test]
fn a_model_nobody_knows_is_refused() {
    for arguments in [["models", "pull", "gpt"], ["models", "path", "../gpt"]] {
        let run = Project::empty().run(&arguments);
        check_failure(&run, 1, "error: there is no model", "`task-master models list`");
    }
}

#[test]
fn a_damaged_model_is_not_used() {
    let project = Project::empty();
    let models = project.path("home/.local/share/task-master/models");
    fs::create_dir_all(&models).unwrap();
    fs::write(models.join(format!("{SMALL}.gguf")), "GGUF").unwrap();
    let run = project.run(&["models", "path", SMALL]);
    check_failure(&run, 1, "it has 4 bytes of 98362432", "--force");
}

#[test]
fn a_file_that_is_not_the_model_is_refused_and_nothing_is_installed() {
    let project = Project::empty();
    project.write("mine.gguf", "GGUF");
    let run = project.run(&["models", "pull", SMALL, "--from", "mine.gguf"]);
    check_failure(&run, 1, "has 4 bytes and not 98362432", "the right file");
    let run = project.run(&["models", "pull", SMALL, "--from", "yours.gguf"]);
    check_failure(&run, 1, "cannot use /project/yours.gguf", "the path is right");
    let run = project.run(&["models", "list", "--local"]);
    assert!(run.out.starts_with("No models are installed"), "{}", run.out);
}

#[test]
fn a_model_without_a_known_digest_is_taken_from_those_who_know_it() {
    let project = Project::empty();
    project.write("mine.gguf", "GGUF");
    let id = "codellama-13b-instruct-q4_k_m";
    let run = project.run(&["models", "pull", id]);
    check_failure(&run, 1, "the catalogue knows no SHA-256", "--sha256 HEX");

    let digest = "0f3ac3bb2f1e7a1e0a6e6a5b8e6d2f5d0a9e2f1c7b8d9e0f1a2b3c4d5e6f7081";
    let run = project.run(&["models", "pull", id, "--from", "mine.gguf", "--sha256", digest]);
    check_failure(&run, 1, &format!("and not {digest}"), "the right file");
    let run = project.run(&["models", "pull", id, "--sha256", "abc"]);
    check_failure(&run, 1, "\"abc\" is no SHA-256", "--help");
}

/// A configuration with something of the user's own in it.
const CONFIG: &str = r#"{
  "storage": { "type": "file" },
  "models": {
    "research": { "provider": "perplexity", "modelId": "sonar", "maxTokens": 8700, "note": "mine" }
  },
  "global": { "userId": "1234567890", "projectName": "Bakery" }
}"#;

fn configured() -> Project {
    let project = Project::empty();
    project.write(".taskmaster/config.json", CONFIG);
    project
}

#[test]
fn a_role_is_given_and_nothing_else_changes() {
    let project = configured();
    let run = project.run(&["models", "--set-research", "sonar-pro", "--set-fallback", "gpt-4o"]);
    insta::assert_snapshot!(run.all());
    insta::assert_snapshot!(project.read(".taskmaster/config.json"));
}

#[test]
fn a_model_that_cannot_be_set_is_told_and_changes_nothing() {
    let url = "http://127.0.0.1:9/api";
    for (arguments, error) in [
        (&["models", "--set-main", "nobody"][..], "nobody here knows a model \"nobody\""),
        (&["models", "--set-main", "a", "--azure"], "needs the address of its server"),
        (&["models", "--set-main", "a", "--ollama", "--baseURL", url], "cannot be asked"),
    ] {
        let project = configured();
        let run = project.run(arguments);
        // The original has it so, and scripts go on.
        assert_eq!(run.code, 0, "{}", run.all());
        assert!(run.err.contains(error) && run.err.contains("hint: "), "{}", run.err);
        assert_eq!(run.out, "No model configuration changes were made.\n");
        assert_eq!(project.read(".taskmaster/config.json"), CONFIG);
    }
}

#[test]
fn a_role_without_a_project_or_with_two_providers_is_refused() {
    let run = Project::empty().run(&["models", "--set-main", "gpt-4o"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("hint: set the project up with `task-master init`"), "{}", run.err);
    let run = configured().run(&["models", "--set-main", "a", "--ollama", "--lmstudio"]);
    assert_eq!(run.code, 1, "{}", run.all());
    let run = configured().run(&["models", "--setup"]);
    check_failure(&run, 1, "there is nobody to ask", "--set-main");
}

#[test]
fn the_roles_are_shown_with_who_answers() {
    let project = configured();
    let run = project.run(&["models"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.all());
    for part in ["Roles\n", "perplexity/sonar", "PERPLEXITY_API_KEY not set", "models pull"] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert!(run.out.contains("qwen2.5-coder-1.5b-instruct-q4_k_m is the default: "));
    let models = project.json(&["models", "--json"]);
    let research = &models["activeModels"]["research"];
    assert_eq!(research["modelId"], "sonar");
    assert_eq!(research["keyStatus"], serde_json::json!({ "cli": false, "mcp": false }));
    assert_eq!(models["activeModels"]["fallback"], serde_json::Value::Null);
    assert!(models["models"].as_array().unwrap().iter().any(|it| it["provider"] == "embedded"));
}

#[test]
fn keys_are_looked_for_where_they_may_be() {
    let project = configured();
    project.write(".env", "PERPLEXITY_API_KEY=abc\nTASKMASTER_MODEL_MAIN=gpt-4o\n");
    project.write(
        ".cursor/mcp.json",
        r#"{"mcpServers":{"task-master-ai":{"env":{"OPENAI_API_KEY":"YOUR_OPENAI_KEY_HERE"}}}}"#,
    );
    let active = &project.json(&["models", "--json"])["activeModels"];
    assert_eq!(active["research"]["keyStatus"]["cli"], true);
    assert_eq!(
        (&active["main"]["provider"], &active["main"]["modelId"]),
        (&"openai".into(), &"gpt-4o".into())
    );
    assert_eq!(active["main"]["keyStatus"]["mcp"], false);
}
