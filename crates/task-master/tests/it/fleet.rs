//! Several `serve --redis` that have the same server: what one of them knows, all do.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_testkit::redis::RedisServer;

use crate::{
    clients::gateway::Gateway,
    model_server::{Answer, ModelServer},
    project::Project,
};

fn asking(text: &str) -> Value {
    json!({"model": "main", "messages": [{"role": "user", "content": text}]})
}

/// Looks until it is so; how long that took.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        pause(Duration::from_millis(20));
    }
    begun.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "nothing is waited for that could tell")]
fn pause(time: Duration) {
    thread::sleep(time);
}

fn percent(project: &Project) -> Value {
    project.json(&["rollout", "show", "--json"])["trials"]["main"]["percent"].clone()
}

#[test]
fn a_key_is_limited_over_all_gateways_and_by_each_when_redis_is_gone() {
    let Some(mut redis) = RedisServer::start() else { return };
    let (url, mut header) = (redis.url(), String::new());
    let add = ["keys", "add", "laptop", "--requests-per-minute", "2", "--json"];
    let prepare = |project: &Project| {
        let key = project.json(&add)["key"].as_str().unwrap().to_owned();
        header = format!("Authorization: Bearer {key}\r\n");
    };
    let here = Gateway::start_in(prepare, &["--require-key", "--redis", &url]);
    let copy = |project: &Project| {
        let keys = "home/.local/share/task-master/gateway-keys";
        let (from, to) = (here.project.path(keys), project.path(keys));
        fs::create_dir_all(&to).unwrap();
        for key in fs::read_dir(from).unwrap().map(Result::unwrap) {
            fs::copy(key.path(), to.join(key.file_name())).unwrap();
        }
    };
    let there = Gateway::start_in(copy, &["--require-key", "--redis", &url]);
    let status = |gateway: &Gateway| {
        gateway.chat_with(&asking("Hi"), &header).split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!([&here, &there, &here, &there].map(status), ["200", "200", "429", "429"]);
    redis.stop();
    assert_eq!([&there, &there, &there].map(status), ["200", "200", "429"], "it counts alone");
}

#[test]
fn a_trial_that_is_set_or_rolled_back_at_one_gateway_is_so_at_all_of_them() {
    let Some(mut redis) = RedisServer::start() else { return };
    let url = redis.url();
    let [here, there] = [(), ()].map(|()| Gateway::start_with(&["--redis", &url]));
    let set = ["rollout", "set", "main=100%", "--to", "fallback"];
    assert_eq!(here.project.run(&set).code, 0);
    let arm = |gateway: &Gateway| gateway.chat(&asking("Hi")).contains("x-rollout: candidate");
    until("the trial is known there", || arm(&there));
    assert_eq!(there.project.run(&["rollback", "--now"]).code, 0);
    let took = until("the rollback is known here", || !arm(&here));
    assert!(took < Duration::from_secs(5), "{took:?}");
    redis.stop();
    assert_eq!(here.project.run(&["rollout", "undo"]).code, 0);
    assert!(redis.start_again());
    until("what was done meanwhile is known there", || percent(&there.project) == json!(100));
}

#[test]
fn a_model_that_failed_at_one_gateway_rests_at_the_others() {
    let Some(redis) = RedisServer::start() else { return };
    let url = redis.url();
    let sick = ModelServer::start(|_| Answer::Fails(500));
    let well = ModelServer::start(|_| Answer::Says("Hi".to_owned()));
    let role = |server: &ModelServer| {
        let url = format!("http://127.0.0.1:{}/v1", server.port());
        json!({"provider": "lmstudio", "modelId": "m", "baseURL": url})
    };
    let config = json!({"models": {"main": role(&sick), "fallback": role(&well)}}).to_string();
    let prepare = |project: &Project| project.write(".taskmaster/config.json", &config);
    let [here, there] = [(), ()].map(|()| Gateway::start_in(prepare, &["--redis", &url]));
    for _ in 0..4 {
        assert!(here.chat(&asking("Hi")).starts_with("HTTP/1.1 200"));
        // Each time it is asked again it rests twice as long.
        pause(Duration::from_millis(1100));
    }
    let resting = || {
        let routes = there.routes();
        routes["models"][0]["standing"] == "resting" && routes["models"][0]["failed"] == 0
    };
    here.chat(&asking("Hi"));
    until("it rests there", resting);
    let asked = sick.questions();
    assert!(there.chat(&asking("Hi")).contains("x-attempts: 1"));
    assert_eq!(sick.questions(), asked, "nobody there had to find out");
}
