//! `serve --cache-s` and `cache`: answers are given again, counted and forgotten.

use serde_json::{Value, json};
use tm_testkit::redis::RedisServer;

use crate::{clients::gateway::Gateway, project::Project};

fn asking(text: &str) -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
}

#[test]
fn what_the_gateway_keeps_is_seen_and_forgotten() {
    let gateway = Gateway::start_with(&["--cache-s", "600"]);
    let body = asking("Hi");
    let (first, again) = (gateway.chat(&body), gateway.chat(&body));
    assert!(first.contains("x-cache: miss") && again.contains("x-cache: hit"), "{first}\n{again}");
    let project: &Project = &gateway.project;
    let stats = project.json(&["cache", "stats", "--json"]);
    assert_eq!(stats["answers"], 1, "{stats}");
    assert!(stats["bytes"].as_u64() > Some(0) && stats["age_s"].is_u64(), "{stats}");
    let run = project.run(&["cache", "clear"]);
    assert!(run.code == 0 && run.out.contains("1 answers were forgotten"), "{}", run.all());
    assert!(gateway.chat(&body).contains("x-cache: miss"));
    assert_eq!(project.json(&["cache", "clear", "--json"]), json!({"cleared": 1, "prompts": 0}));
}

#[test]
fn prompts_that_were_read_are_seen_and_forgotten_with_the_answers() {
    let project = Project::empty();
    let folder = "home/.cache/task-master/prefixes";
    std::fs::create_dir_all(project.path(folder)).unwrap();
    for name in ["a.prefix", "b.prefix"] {
        std::fs::write(project.path(&format!("{folder}/{name}")), "x".repeat(3000)).unwrap();
    }
    let stats = project.json(&["cache", "stats", "--json"]);
    assert_eq!((&stats["answers"], &stats["prompts"]["files"]), (&json!(0), &json!(2)), "{stats}");
    assert_eq!(stats["prompts"]["bytes"], 6000);
    let run = project.run(&["cache", "stats"]);
    assert!(run.out.contains("2 prompts that were read, 6 KiB"), "{}", run.all());
    let kept = |which: &[&str]| {
        project.json(&[&["cache", "clear", "--json"], which].concat())["prompts"].clone()
    };
    assert_eq!(kept(&["--model", "m"]), Value::Null);
    assert_eq!(kept(&["--older-than-s", "3600"]), 0);
    assert_eq!(kept(&[]), 2);
    assert!(!project.path(&format!("{folder}/a.prefix")).exists());
    let shown = project.json(&["privacy", "--json"]);
    let place = |it: &&Value| it["what"] == "prompts that were read";
    let places = shown["data"].as_array().unwrap();
    let path = places.iter().find(place).unwrap()["path"].as_str().unwrap();
    assert!(path.ends_with("task-master/prefixes"), "{path}");
}

#[test]
fn a_cache_that_cannot_be_used_is_said_before_anything_is_served() {
    let project = Project::empty();
    std::fs::create_dir_all(project.path("home/.cache/task-master")).unwrap();
    std::fs::write(project.path("home/.cache/task-master/answers"), "in the way").unwrap();
    let run = project.run(&["cache", "stats"]);
    assert!(run.code == 1 && run.err.contains("cannot be used"), "{}", run.all());
}

#[test]
fn answers_are_kept_in_redis_and_a_redis_that_is_gone_costs_no_answer() {
    let Some(mut redis) = RedisServer::start() else { return };
    let url = redis.url();
    let gateway = Gateway::start_with(&["--cache-s", "600", "--redis", &url]);
    for (text, cache) in [("Hi", "miss"), ("Hi", "hit"), ("Ho", "miss")] {
        let answer = gateway.chat(&asking(text));
        assert!(answer.contains(&format!("x-cache: {cache}")), "{answer}");
    }
    let project: &Project = &gateway.project;
    let stats = project.json(&["cache", "stats", "--json", "--redis", &url]);
    assert_eq!((&stats["answers"], &stats["place"]), (&json!(2), &json!(url)), "{stats}");
    assert_eq!(project.json(&["cache", "stats", "--json"])["answers"], 0);
    let clear = |which: [&str; 2]| {
        let options = ["cache", "clear", "--json", "--redis", &url, which[0], which[1]];
        project.json(&options)["cleared"].clone()
    };
    assert_eq!(clear(["--older-than-s", "300"]), 0);
    assert_eq!(clear(["--model", "another"]), 0);
    assert_eq!(clear(["--model", "scripted"]), 2);
    assert!(gateway.chat(&asking("Hi")).contains("x-cache: miss"));
    redis.stop();
    for _ in 0..3 {
        let answer = gateway.chat(&asking("Hi"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-cache: miss"), "{answer}");
    }
    let metrics = gateway.metrics();
    assert!(!metrics.contains("gateway_cache_failures_total 0"), "{metrics}");
    let run = project.run(&["cache", "stats", "--redis", &url]);
    assert!(run.code == 1 && run.err.contains("cannot be used"), "{}", run.all());
}

#[test]
fn a_redis_that_is_not_there_keeps_no_gateway_from_serving() {
    let gateway = Gateway::start_with(&["--cache-s", "600", "--redis", "redis://127.0.0.1:1"]);
    let answer = gateway.chat(&asking("Hi"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-cache: miss"), "{answer}");
}

#[test]
fn a_redis_elsewhere_is_not_reached_and_the_password_is_not_shown() {
    let project = Project::empty();
    let url = "redis://:secret@cache.example:6379";
    for command in
        [["serve", "--cache-s", "9", "--redis", url], ["cache", "stats", "--json", "--redis", url]]
    {
        let run = project.run(&command);
        assert!(run.code == 1 && run.err.contains("TASKMASTER_LOCAL_HOSTS"), "{}", run.all());
        assert!(!run.all().contains("secret"), "{}", run.all());
    }
    let stats = project.command(&["privacy", "--json"]).env("TASKMASTER_REDIS_URL", url).output();
    let shown = project.outcome(stats.unwrap());
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    let cache =
        &shown["endpoints"].as_array().unwrap().iter().find(|it| it["role"] == "cache").unwrap();
    assert_eq!(
        (&cache["url"], &cache["may_be_asked"]),
        (&json!("redis://cache.example:6379"), &json!(false))
    );
    // One for each attempt.
    assert_eq!(shown["audit"]["blocked"], 2, "{shown}");
}
