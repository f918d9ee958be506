//! `task-master mcp --http`: the same server for clients that connect over HTTP.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::project::Project;

/// A running server.
struct HttpServer {
    process: Child,
    address: String,
}

/// What came back.
struct Response {
    status: u16,
    session: Option<String>,
    /// The last message in the body; null without one.
    message: Value,
}

impl HttpServer {
    fn start(project: &Project) -> Self {
        let mut command = project.command(&["mcp", "--http", "127.0.0.1:0"]);
        let mut process =
            command.env("TASK_MASTER_TOOLS", "all").stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let (_, rest) = line.trim().split_once("http://").unwrap();
        let address = rest.strip_suffix("/mcp").unwrap().to_owned();
        Self { process, address }
    }

    /// Sends one message as `host`, and waits for the end of the answer.
    fn send(&self, host: &str, session: Option<&str>, message: &Value) -> Response {
        let body = message.to_string();
        let session = session.map(|it| format!("mcp-session-id: {it}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST /mcp HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nconnection: close\r\n{session}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.strip_prefix("mcp-session-id: ").map(str::to_owned);
        let data = body.lines().filter_map(|it| it.strip_prefix("data: "));
        let message = data.filter_map(|it| serde_json::from_str(it).ok()).next_back();
        Response {
            status,
            session: head.lines().find_map(header),
            message: message.unwrap_or_default(),
        }
    }

    /// A client that has introduced itself.
    fn session(&self) -> String {
        let params = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "tests", "version": "1" },
        });
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let response = self.send(&self.address, None, &request);
        assert_eq!(response.message["result"]["serverInfo"]["name"], "Task Master MCP Server");
        let session = response.session.unwrap();
        let greeting = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.send(&self.address, Some(&session), &greeting).status, 202);
        session
    }

    fn call(&self, session: &str, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let request = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params});
        self.send(&self.address, Some(session), &request).message
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn clients_over_http_list_and_call_tools() {
    let project = Project::bakery();
    let root = project.path("project").display().to_string();
    let server = HttpServer::start(&project);
    let (first, second) = (server.session(), server.session());
    assert_ne!(first, second);

    let request = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let listed = server.send(&server.address, Some(&first), &request).message;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 44);

    let arguments = json!({ "id": "4", "status": "review", "projectRoot": root });
    let answer = server.call(&first, "set_task_status", &arguments);
    assert!(answer["result"]["isError"].is_null(), "{answer}");
    let answer = server.call(&second, "get_task", &json!({ "id": "4", "projectRoot": root }));
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("\"status\": \"review\""), "{text}");

    let answer = server.call(&first, "get_task", &json!({ "id": 4 }));
    assert_eq!(answer["error"]["code"], -32602);
    let answer = server.call(&first, "get_task", &json!({ "id": "99", "projectRoot": root }));
    assert_eq!(answer["result"]["isError"], true);
}

#[test]
fn other_hosts_and_other_sessions_are_turned_away() {
    let project = Project::bakery();
    let server = HttpServer::start(&project);
    let session = server.session();
    let request = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    // As a page of another site would, whose name leads to this machine.
    assert_eq!(server.send("evil.example", Some(&session), &request).status, 403);
    assert_eq!(server.send(&server.address, Some("made-up"), &request).status, 404);
    assert_eq!(server.send(&server.address, Some(&session), &request).status, 200);
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let project = Project::bakery();
    let server = HttpServer::start(&project);
    let run = project.run(&["mcp", "--http", &server.address]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("cannot listen on"), "{}", run.err);
}
