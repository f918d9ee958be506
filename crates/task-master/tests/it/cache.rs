//! `serve --cache-s` and `cache`: answers are given again, counted and forgotten.

use serde_json::json;

use crate::{clients::gateway::Gateway, project::Project};

#[test]
fn what_the_gateway_keeps_is_seen_and_forgotten() {
    let gateway = Gateway::start_with(&["--cache-s", "600"]);
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let (first, again) = (gateway.chat(&body), gateway.chat(&body));
    assert!(first.contains("x-cache: miss") && again.contains("x-cache: hit"), "{first}\n{again}");
    let project: &Project = &gateway.project;
    let stats = project.json(&["cache", "stats", "--json"]);
    assert_eq!(stats["answers"], 1, "{stats}");
    assert!(stats["bytes"].as_u64() > Some(0) && stats["age_s"].is_u64(), "{stats}");
    let run = project.run(&["cache", "clear"]);
    assert!(run.code == 0 && run.out.contains("1 answers were forgotten"), "{}", run.all());
    assert!(gateway.chat(&body).contains("x-cache: miss"));
    assert_eq!(project.json(&["cache", "clear", "--json"]), json!({"cleared": 1}));
}

#[test]
fn a_cache_that_cannot_be_used_is_said_before_anything_is_served() {
    let project = Project::empty();
    std::fs::create_dir_all(project.path("home/.cache/task-master")).unwrap();
    std::fs::write(project.path("home/.cache/task-master/answers"), "in the way").unwrap();
    let run = project.run(&["cache", "stats"]);
    assert!(run.code == 1 && run.err.contains("cannot be used"), "{}", run.all());
}
