//! `models`, `response-language`, `rules` and `initialize_project`.

use serde_json::{Value, json};

use super::client::Client;
use crate::project::Project;

fn configured() -> Project {
    let project = Project::bakery();
    let config = json!({
        "models": { "main": { "provider": "ollama", "modelId": "llama3.3" } },
        "global": { "responseLanguage": "English" },
    });
    project.write(".taskmaster/config.json", config.to_string());
    project
}

#[test]
fn models_are_shown_listed_and_set() {
    let project = configured();
    let mut client = Client::start(&project);
    let data = client.data("models", json!({}));
    assert_eq!(data["activeModels"]["main"]["modelId"], "llama3.3");
    assert_eq!(data["activeModels"]["main"].get("baseURL"), None);

    let data = client.data("models", json!({ "listAvailableModels": true }));
    assert!(data["models"].as_array().unwrap().len() > 10);

    let url = "http://127.0.0.1:9/v1";
    let arguments = json!({ "setMain": "mine", "openai-compatible": true, "baseURL": url });
    let data = client.data("models", arguments);
    assert_eq!((&data["role"], &data["provider"]), (&json!("main"), &json!("openai-compatible")));
    assert!(project.read(".taskmaster/config.json").contains(url));

    let message = "Successfully set main model to mine (Provider: openai-compatible)";
    assert_eq!(data["message"], message);

    let two = json!({ "setMain": "mine", "ollama": true, "bedrock": true });
    let failure = client.failure("models", two);
    assert!(failure.contains("not to ollama and bedrock"), "{failure}");
    let failure = client.failure("models", json!({ "setMain": "nobody-knows-it" }));
    assert!(failure.contains("nobody here knows"), "{failure}");
}

#[test]
fn the_language_is_set() {
    let project = configured();
    let mut client = Client::start(&project);
    let data = client.data("response-language", json!({ "language": "Spanish" }));
    assert_eq!(data["responseLanguage"], "Spanish");
    assert!(project.read(".taskmaster/config.json").contains("Spanish"));
    let failure = client.failure("response-language", json!({ "language": " " }));
    assert!(failure.contains("a language needs a name"), "{failure}");
}

#[test]
fn rules_are_written_and_removed() {
    let project = configured();
    let mut client = Client::start(&project);
    let data = client.data("rules", json!({ "action": "add", "profiles": ["cursor"] }));
    assert_eq!(data["summary"], "Successfully added rules: cursor.");
    let result = &data["results"][0];
    assert_eq!((&result["profileName"], &result["error"]), (&json!("cursor"), &json!(null)));
    assert_eq!((&result["mcpConfigCreated"], &result["skipped"]), (&json!(true), &json!(false)));
    assert!(project.exists(".cursor/rules/taskmaster"));

    let last = json!({ "action": "remove", "profiles": ["cursor"] });
    let failure = client.failure("rules", last);
    assert!(failure.contains("the last rules"), "{failure}");
    assert!(project.exists(".cursor/rules/taskmaster"));
    let forced = json!({ "action": "remove", "profiles": ["cursor"], "force": true });
    let data = client.data("rules", forced);
    assert_eq!(data["summary"], "Successfully removed Task Master rules: cursor.");
    let removed = data["results"][0]["filesRemoved"].as_array().unwrap();
    assert!(removed.contains(&json!(".cursor/mcp.json")), "{data}");
    assert!(!project.exists(".cursor/rules/taskmaster"));

    for profiles in [json!([]), json!(["notepad"])] {
        let (code, _) = client.refusal("rules", json!({ "action": "add", "profiles": profiles }));
        assert_eq!(code, -32602);
    }
}

#[test]
fn a_directory_becomes_a_project() {
    let project = Project::empty();
    let mut client = Client::start(&project);
    let arguments = json!({ "initGit": false, "addAliases": false, "rules": ["claude"] });
    let data = client.data("initialize_project", arguments);
    assert!(data["next_step"].as_str().unwrap().contains("parse_prd"), "{data}");
    assert!(project.exists(".taskmaster/config.json") && project.exists("CLAUDE.md"));
    let config: Value = serde_json::from_str(&project.read(".taskmaster/config.json")).unwrap();
    assert_eq!(config["global"]["defaultTag"], "master");
    // That one belongs to working as a team.
    assert!(project.exists(".claude/commands/tm/show-task.md"));
    assert!(!project.exists(".claude/commands/tm/goham.md"));
    assert!(!project.exists(".git"));

    // What is there stays.
    project.write(".taskmaster/config.json", "{\"global\": {\"projectName\": \"Mine\"}}");
    client.data("initialize_project", json!({ "initGit": false, "addAliases": false }));
    assert!(project.read(".taskmaster/config.json").contains("Mine"));
}

#[test]
fn no_project_is_made_of_the_home_directory_or_of_the_whole_machine() {
    let project = Project::empty();
    let mut client = Client::start(&project);
    let home = project.path("home");
    let below = format!("{}/../home/", home.display());
    let link = project.path("link");
    std::os::unix::fs::symlink(&home, &link).unwrap();
    for root in ["/", "/tmp/..", &home.display().to_string(), &below, &link.display().to_string()] {
        let failure = client.failure("initialize_project", json!({ "projectRoot": root }));
        assert!(failure.contains("is no place for a project"), "{root}: {failure}");
    }
    assert_eq!(std::fs::read_dir(home).unwrap().count(), 0);
}
