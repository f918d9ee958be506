//! `task-master serve` in front of a model that is scripted.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tm_testkit::server::{Answer, Received, ScriptedServer};

use super::instance::{SAID, TEXT, instance};
use crate::project::Project;

/// The gateway, until it is dropped.
pub(crate) struct Gateway {
    pub(crate) url: String,
    process: Child,
    pub(crate) project: Project,
    _model: Option<ScriptedServer>,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self::start_in(|_| (), options)
    }

    /// In a project that was prepared.
    pub(crate) fn start_in(prepare: impl FnOnce(&Project), options: &[&str]) -> Self {
        let model = ScriptedServer::start(answer);
        let url = format!("{}/v1", model.url());
        let project = Project::empty();
        let role = json!({"provider": "lmstudio", "modelId": "scripted", "baseURL": url});
        let models = json!({"main": role, "research": role, "fallback": role, "embedding": role});
        project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
        prepare(&project);
        let command = project.command(&[&["serve", "--listen", "127.0.0.1:0"], options].concat());
        Self::launch(project, command, Some(model))
    }

    /// In front of a model of its own process, which lies at this path, and whose answers have so
    /// many tokens at most.
    #[cfg(feature = "engine")]
    pub(crate) fn start_embedded(model: &std::path::Path, max_tokens: u32) -> Self {
        let project = Project::empty();
        let role = json!({ "provider": "embedded", "modelId": "model", "maxTokens": max_tokens });
        let models = json!({"main": role, "research": role, "fallback": role});
        project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
        let mut command = project.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("TASKMASTER_MODEL", model);
        Self::launch(project, command, None)
    }

    fn launch(project: Project, mut command: Command, model: Option<ScriptedServer>) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http://"), "{first}");
        Self { url, process, project, _model: model }
    }

    pub(crate) fn metrics(&self) -> String {
        self.ask("GET /metrics", "", "")
    }

    /// What `/routes` says.
    pub(crate) fn routes(&self) -> Value {
        let text = self.ask("GET /routes", "", "");
        serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// All of an answer, with its head.
    pub(crate) fn chat(&self, body: &Value) -> String {
        self.chat_with(body, "")
    }

    pub(crate) fn chat_with(&self, body: &Value, headers: &str) -> String {
        self.ask("POST /v1/chat/completions", headers, &body.to_string())
    }

    /// How much of the program's own code is in memory, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_code_kib(&self) -> u64 {
        let map = std::fs::read_to_string(format!("/proc/{}/smaps", self.process.id())).unwrap();
        let mut code = map.lines().skip_while(|it| {
            !(it.contains(" r-xp ") && it.ends_with(env!("CARGO_BIN_EXE_task-master")))
        });
        let resident = code.find_map(|it| it.strip_prefix("Rss:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Ends it as a service manager does, and waits until it has.
    pub(crate) fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "{ended}");
    }

    pub(crate) fn ask(&self, line: &str, headers: &str, body: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(host).unwrap();
        let length = body.len();
        let ask = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        socket.write_all(ask.as_bytes()).unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        self.process.wait().unwrap();
    }
}

/// What a model would say that does as it is told.
fn answer(received: &Received) -> Answer {
    if received.line.ends_with("/embeddings") {
        let texts = received.body["input"].as_array().map_or(1, Vec::len);
        let vectors: Vec<Value> = (0..texts)
            .map(|index| json!({"index": index, "embedding": [0.5, -0.25, index]}))
            .collect();
        return Answer::json(200, &json!({"data": vectors, "usage": {"prompt_tokens": 3}}));
    }
    if !received.line.starts_with("POST") {
        return Answer::json(404, &Value::Null);
    }
    match received.body.pointer("/response_format/json_schema/schema") {
        None => Answer::events(stream(SAID)),
        // Nobody says what the JSON is to look like but the prompt.
        Some(schema) if schema.get("properties").is_none() => {
            let task = json!({
                "id": 1, "title": TEXT, "description": TEXT, "details": TEXT, "testStrategy": TEXT,
                "priority": "high", "status": "pending", "dependencies": []
            });
            Answer::events(stream(&json!({"tasks": [task]}).to_string()))
        }
        Some(schema) => Answer::events(stream(&instance(schema, schema).to_string())),
    }
}

/// A few characters an event.
fn stream(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let deltas = characters.chunks(7).map(|it| json!({"content": it.iter().collect::<String>()}));
    let choices = deltas.map(|delta| json!([{"index": 0, "delta": delta}]));
    let end = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let mut frames: Vec<String> = choices
        .chain([end])
        .map(|choices| format!("data: {}\n\n", json!({ "choices": choices })))
        .collect();
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}});
    frames.push(format!("data: {usage}\n\ndata: [DONE]\n\n"));
    frames.concat()
}
