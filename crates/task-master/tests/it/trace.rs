//! `trace`: every request to a model leaves a record, whichever way it came.

use serde_json::{Value, json};

use crate::{
    clients::gateway::Gateway,
    model_server::{Answer, ModelServer, configure},
    project::Project,
};

const SECRET: &str = "sk-very-secret";

fn added() -> Value {
    json!({"title": "Bake rye bread", "description": "D", "details": "D", "testStrategy": "T",
           "dependencies": []})
}

#[test]
fn a_command_leaves_a_record_of_who_answered_and_who_did_not() {
    let project = Project::with_tasks(&json!([]));
    let server = ModelServer::start(|question| {
        if question["model"] == "main" {
            Answer::Fails(500)
        } else {
            Answer::Says(added().to_string())
        }
    });
    configure(&project, server.port());
    let run = project
        .command(&["add-task", "-p", "A prompt about rye"])
        .env("LMSTUDIO_API_KEY", SECRET)
        .output()
        .unwrap();
    assert_eq!(project.outcome(run).code, 0);

    let listed = project.json(&["trace", "--json"]);
    let record = &listed["requests"][0];
    assert_eq!(
        (listed["kept"].as_u64(), &record["via"], &record["by"]),
        (Some(1), &json!("cli"), &json!("add-task"))
    );
    assert_eq!((&record["ending"], &record["role"]), (&json!("answered"), &json!("main")));
    assert_eq!((&record["backend"], &record["provider"]), (&json!("fallback"), &json!("lmstudio")));
    assert_eq!((&record["prompt_tokens"], &record["completion_tokens"]), (&json!(100), &json!(50)));
    assert_eq!(record["finish"], "stop");
    let attempts = record["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "{record}");
    assert_eq!(
        attempts[0]["error"],
        json!({"kind": "reported", "why": "main reported an error, or sent what is no answer"})
    );

    let id = record["id"].as_str().unwrap();
    let run = project.run(&["trace", &id[..8]]);
    assert!(run.code == 0 && run.out.contains("main reported an error"), "{}", run.all());
    assert!(
        run.out.contains("fallback (lmstudio)") && run.out.contains("cli add-task"),
        "{}",
        run.all()
    );
    assert_eq!(project.json(&["trace", id, "--json"]), *record);
    let run = project.run(&["trace"]);
    assert!(run.out.contains(&id[..8]) && run.out.contains("fallback +1"), "{}", run.all());
    assert!(project.run(&["trace", "--failed"]).out.contains("No model was asked"));

    let file = project.path("home/.local/state/task-master/requests.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(!text.contains("rye") && !text.contains(SECRET), "{text}");
}

#[test]
fn a_command_that_nobody_answers_leaves_a_record_that_says_why() {
    let project = Project::with_tasks(&json!([]));
    configure(&project, 1);
    assert_eq!(project.run(&["add-task", "-p", "Bread"]).code, 1);
    let record = &project.json(&["trace", "--failed", "--json"])["requests"][0];
    assert_eq!(
        (&record["ending"], &record["error"]["kind"]),
        (&json!("failed"), &json!("unreachable"))
    );
    assert_eq!(record["attempts"].as_array().unwrap().len(), 3, "{record}");
}

#[test]
fn a_request_that_nobody_made_has_no_trace() {
    let project = Project::empty();
    let run = project.run(&["trace"]);
    assert!(run.code == 0 && run.out.contains("No model was asked yet"), "{}", run.all());
    let run = project.run(&["trace", "abc"]);
    assert!(
        run.code == 1 && run.err.contains("there is no trace of a request abc"),
        "{}",
        run.all()
    );
}

/// A header of an answer.
fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let line = answer.lines().find(|it| it.starts_with(name)).unwrap_or_default();
    line.split_once(": ").map_or("", |(_, value)| value)
}

#[test]
fn the_gateway_names_each_request_as_its_trace_is_called() {
    let gateway = Gateway::start_with(&["--cache-s", "600"]);
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let (first, again) = (gateway.chat(&body), gateway.chat(&body));
    let traced = |answer: &str| {
        let id = header(answer, "x-request-id");
        // It is written a moment after the answer.
        for _ in 0..1000 {
            let run = gateway.project.run(&["trace", id, "--json"]);
            if run.code == 0 {
                return serde_json::from_str::<Value>(&run.out).unwrap();
            }
        }
        panic!("there is no trace of {answer}");
    };
    let (asked, kept) = (traced(&first), traced(&again));
    assert_eq!((&asked["via"], &asked["by"]), (&json!("gateway"), &json!("chat")));
    assert_eq!((&asked["asked_for"], &asked["status"]), (&json!("gpt-4o"), &json!(200)));
    assert_eq!((&asked["cache"], &asked["prompt_tokens"]), (&json!("miss"), &json!(9)));
    assert!(asked["first_token_s"].as_f64() <= asked["took_s"].as_f64(), "{asked}");
    // Who made the answer that was kept, and that nobody was asked for it.
    assert_eq!(header(&again, "x-backend"), header(&first, "x-backend"));
    assert_eq!((header(&again, "x-cache"), header(&again, "x-attempts")), ("hit", "0"));
    assert_eq!((&kept["cache"], &kept["backend"]), (&json!("hit"), &asked["backend"]));
    assert_eq!((&kept["attempts"], &kept["prompt_tokens"]), (&json!([]), &json!(0)));
    // The answer's own id has that of the request in it.
    let answer: Value = serde_json::from_str(first.split_once("\r\n\r\n").unwrap().1).unwrap();
    let by_answer = gateway.project.json(&["trace", answer["id"].as_str().unwrap(), "--json"]);
    assert_eq!(by_answer, asked);
}
