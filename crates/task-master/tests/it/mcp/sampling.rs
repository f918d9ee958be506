//! The provider `mcp`: the client's own model answers.

use std::{cell::RefCell, rc::Rc};

use serde_json::{Value, json};

use super::client::Client;
use crate::project::Project;

/// A project whose models are all the client's.
fn project() -> Project {
    let project = Project::bakery();
    let role = json!({ "provider": "mcp", "modelId": "mcp-sampling", "maxTokens": 4000 });
    let models = json!({ "main": role, "research": role, "fallback": role });
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    project
}

fn said(text: &str) -> Value {
    json!({
        "role": "assistant", "content": { "type": "text", "text": text },
        "model": "somebody's", "stopReason": "endTurn",
    })
}

const TASK: &str = r#"Here you are:
```json
{"title": "Sell cakes", "description": "At the counter.", "details": "Slices.",
 "testStrategy": "Buy one.", "dependencies": [], "priority": "low"}
```"#;

#[test]
fn the_clients_model_writes_a_task() {
    let project = project();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&asked);
    let mut client = Client::lending(&project, move |params| {
        heard.borrow_mut().push(params.clone());
        Ok(said(TASK))
    });
    let data = client.data("add_task", json!({ "prompt": "sell cakes, too" }));
    let task = client.data("get_task", json!({ "id": data["taskId"].to_string() }));
    assert_eq!((&task["title"], &task["details"]), (&json!("Sell cakes"), &json!("Slices.")));

    let asked = asked.borrow();
    let params = &asked[0];
    let system = params["systemPrompt"].as_str().unwrap();
    assert!(system.contains("JSON Schema") && system.contains("testStrategy"), "{system}");
    assert_eq!(params["messages"][0]["role"], "user");
    assert!(params["messages"].to_string().contains("sell cakes, too"), "{params}");
    assert!(params["maxTokens"].as_u64().unwrap() > 0);
}

#[test]
fn the_clients_model_answers_a_question_in_prose() {
    let project = project();
    let mut client = Client::lending(&project, |_| Ok(said("Rye keeps longer.")));
    let data = client.data("research", json!({ "query": "Which bread keeps?" }));
    assert!(data["result"].as_str().unwrap().contains("Rye keeps longer."), "{data}");
}

#[test]
fn a_user_who_says_no_is_heard_and_nothing_changes() {
    let project = project();
    let before = project.tasks();
    let refusal = json!({ "code": -1, "message": "User rejected sampling request" });
    let mut client = Client::lending(&project, move |_| Err(refusal.clone()));
    let failure = client.failure("add_task", json!({ "prompt": "sell cakes, too" }));
    assert!(failure.contains("User rejected sampling request"), "{failure}");
    assert_eq!(project.tasks(), before);
}

#[test]
fn without_a_client_that_lends_a_model_there_is_none() {
    let project = project();
    let mut client = Client::start(&project);
    let failure = client.failure("add_task", json!({ "prompt": "sell cakes, too" }));
    assert!(failure.contains("requires a session"), "{failure}");
    assert_eq!(told(&mut client), ["info"]);
    let run = project.run(&["add-task", "--prompt=sell cakes, too"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("requires a session") && run.err.contains("hint: "), "{}", run.err);
}

#[test]
fn who_lends_a_model_is_not_told_that_there_is_none() {
    let project = project();
    let mut client = Client::lending(&project, |_| Ok(said("")));
    assert!(told(&mut client).is_empty(), "{:?}", client.told);
}

/// How the client was told that it lends no model. That comes on its own, between answers.
fn told(client: &mut Client) -> Vec<String> {
    for _ in 0..20 {
        client.data("get_tasks", json!({}));
        let told = client.told.iter().filter(|it| it.to_string().contains("lends no model"));
        let levels: Vec<_> = told.map(|it| it["params"]["level"].as_str().unwrap()).collect();
        if !levels.is_empty() {
            return levels.into_iter().map(str::to_owned).collect();
        }
    }
    Vec::new()
}
