//! `privacy`: what may leave this machine, and what was kept from leaving.

use serde_json::{Value, json};
use tm_testkit::server::{Answer, ScriptedServer};

use crate::{model_server::ModelServer, project::Project};

const SECRET: &str = "sk-very-secret";

/// A project with these models, and a document to plan.
fn project(models: &Value) -> Project {
    let project = Project::with_tasks(&json!([]));
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    project.write("prd.md", "# Shop\n\n- People order bread.\n");
    project
}

fn privacy(project: &Project, variables: &[(&str, &str)]) -> Value {
    let variables = variables.iter().copied();
    let shown = project.command(&["privacy", "--json"]).envs(variables).output().unwrap();
    let shown = project.outcome(shown);
    assert!(!shown.all().contains(SECRET), "{}", shown.all());
    serde_json::from_str(&shown.out).unwrap()
}

fn endpoints(privacy: &Value) -> Vec<String> {
    let endpoints = privacy["endpoints"].as_array().unwrap().iter();
    let told = endpoints.map(|it| {
        let asked = if it["may_be_asked"] == true { "asked" } else { "not asked" };
        let url = it["url"].as_str().unwrap_or("nowhere");
        format!("{} {url} {asked}: {}", it["role"].as_str().unwrap(), it["why"].as_str().unwrap())
    });
    told.collect()
}

#[test]
fn every_server_is_listed_with_whether_it_may_be_asked() {
    let project = project(&json!({
        "main": {"provider": "openai", "modelId": "gpt"},
        "research": {"provider": "perplexity", "modelId": "sonar"},
        "fallback": {"provider": "lmstudio", "modelId": "m", "baseURL": "http://me:pw@gpu-box:1/v1",
                     "alsoAt": ["http://127.0.0.1:2/v1"]},
        "embedding": {"provider": "azure", "modelId": "e"},
    }));
    let shown = privacy(&project, &[("OPENAI_API_KEY", SECRET)]);
    assert_eq!(
        (&shown["mode"], &shown["keys"]),
        (&json!("local-only"), &json!(["OPENAI_API_KEY"]))
    );
    let here = "it is on this machine, or on a host that you listed";
    let fallback = format!("fallback http://127.0.0.1:2/v1 asked: {here}");
    assert_eq!(
        endpoints(&shown),
        [
            "main https://api.openai.com/v1 not asked: the mode is local-only",
            "research https://api.perplexity.ai not asked: the mode is local-only",
            "fallback http://gpu-box:1/v1 not asked: the mode is local-only",
            &fallback,
            "embedding nowhere not asked: there is no client for this provider",
        ]
    );
    let variables = [
        ("OPENAI_API_KEY", SECRET),
        ("TASKMASTER_MODE", "hybrid"),
        ("TASKMASTER_LOCAL_HOSTS", "gpu-box"),
    ];
    let shown = privacy(&project, &variables);
    assert!(shown["local"].as_array().unwrap().contains(&json!("gpu-box")), "{shown}");
    assert_eq!(
        endpoints(&shown)[..3],
        [
            "main https://api.openai.com/v1 asked: the mode is hybrid: after local models",
            "research https://api.perplexity.ai not asked: its key is not set",
            &format!("fallback http://gpu-box:1/v1 asked: {here}"),
        ]
    );
    let run = project.run(&["privacy"]);
    assert!(run.code == 0 && run.out.contains("Mode: local-only"), "{}", run.all());
    assert!(run.out.contains("0 sent, 0 blocked, 0 downloads"), "{}", run.all());
    assert!(!run.out.contains("pw@"), "{}", run.all());
}

#[test]
fn what_is_kept_from_leaving_is_counted_and_so_is_what_leaves() {
    // An address that nobody has, so that the request ends at once.
    let role = json!({"provider": "openai", "modelId": "gpt", "baseURL": "http://0.0.0.0:1/v1"});
    let project = project(&json!({"main": role, "research": role, "fallback": role}));
    let run = project
        .command(&["parse-prd", "prd.md"])
        .envs([("TASKMASTER_MODE", "external"), ("OPENAI_API_KEY", SECRET)])
        .output()
        .unwrap();
    assert_eq!(project.outcome(run).code, 1);
    let audit = &privacy(&project, &[])["audit"];
    assert!(audit["sent"].as_u64() > Some(0) && audit["blocked"] == 0, "{audit}");
    let newest = &audit["newest"][0];
    assert_eq!((&newest["event"], &newest["model"]), (&json!("sent"), &json!("gpt")));

    // The same in the usual mode, where a model of this machine stands in.
    let server = ModelServer::saying(&json!({
        "title": "Bread", "description": "D", "details": "D", "testStrategy": "T", "dependencies": []
    }));
    let local = json!({
        "provider": "lmstudio", "modelId": "m",
        "baseURL": format!("http://127.0.0.1:{}/v1", server.port())
    });
    let models = json!({"main": role, "research": local, "fallback": local});
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    let run = project
        .command(&["add-task", "-p", "Sell bread"])
        .env("OPENAI_API_KEY", SECRET)
        .output()
        .unwrap();
    assert_eq!(project.outcome(run).code, 0);
    let after = &privacy(&project, &[])["audit"];
    assert_eq!((&after["sent"], &after["blocked"]), (&audit["sent"], &json!(1)), "{after}");
    assert_eq!(after["newest"][0]["url"], "http://0.0.0.0:1/v1");
}

#[test]
fn a_server_that_leads_elsewhere_is_stopped_and_noted() {
    let server = ScriptedServer::start(|_| {
        Answer::json(307, &Value::Null).with_header("location", "http://192.0.2.1/v1/planted")
    });
    let url = format!("{}/v1", server.url());
    let role = json!({"provider": "lmstudio", "modelId": "m", "baseURL": url});
    let project = project(&json!({"main": role, "research": role, "fallback": role}));
    assert_eq!(project.run(&["parse-prd", "prd.md"]).code, 1);
    let audit = &privacy(&project, &[])["audit"];
    assert_eq!((&audit["sent"], &audit["newest"][0]["url"]), (&json!(0), &json!("192.0.2.1")));
    assert!(audit["blocked"].as_u64() > Some(0), "{audit}");
    let run = project.run(&["privacy"]);
    assert!(run.out.contains("blocked") && run.out.contains("192.0.2.1"), "{}", run.all());
}

#[test]
fn a_model_server_elsewhere_is_not_asked_which_models_it_has() {
    let project = project(&json!({}));
    let run =
        project.run(&["models", "--set-main", "m", "--ollama", "--baseURL", "http://192.0.2.1"]);
    assert!(run.err.contains("TASKMASTER_LOCAL_HOSTS"), "{}", run.all());
}
