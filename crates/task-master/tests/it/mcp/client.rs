//! A client that speaks JSON-RPC, a line a message.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use crate::project::Project;

/// A server and the connection to it.
pub(crate) struct Client {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    root: String,
    last_id: u64,
    /// What the server said without being asked.
    pub(crate) told: Vec<Value>,
    waiting: VecDeque<Value>,
    /// What the client's own model answers, where it lends one.
    model: Option<Model>,
}

/// From what is asked to the result, or the error.
type Model = Box<dyn FnMut(&Value) -> Result<Value, Value>>;

impl Client {
    /// Starts a server with all tools and introduces itself.
    pub(crate) fn start(project: &Project) -> Self {
        Self::with_environment(project, &[("TASK_MASTER_TOOLS", "all")])
    }

    pub(crate) fn with_environment(project: &Project, variables: &[(&str, &str)]) -> Self {
        let mut client = Self::silent(project, variables);
        client.introduce(&json!({ "roots": {} }));
        client
    }

    /// A client that lends its model.
    pub(crate) fn lending(
        project: &Project,
        model: impl FnMut(&Value) -> Result<Value, Value> + 'static,
    ) -> Self {
        let mut client = Self::silent(project, &[("TASK_MASTER_TOOLS", "all")]);
        client.model = Some(Box::new(model));
        client.introduce(&json!({ "roots": {}, "sampling": {} }));
        client
    }

    fn introduce(&mut self, capabilities: &Value) {
        let answer = self.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-06-18",
                "capabilities": capabilities,
                "clientInfo": { "name": "tests", "version": "1" },
            }),
        );
        assert_eq!(answer["result"]["serverInfo"]["name"], "Task Master MCP Server");
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    /// Starts a server and says nothing to it.
    pub(crate) fn silent(project: &Project, variables: &[(&str, &str)]) -> Self {
        let mut command = project.command(&["mcp"]);
        for (name, value) in variables {
            command.env(name, value);
        }
        let mut server = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: server.stdin.take(),
            output: BufReader::new(server.stdout.take().unwrap()),
            server,
            root: project.path("project").display().to_string(),
            last_id: 0,
            told: Vec::new(),
            waiting: VecDeque::new(),
            model: None,
        }
    }

    /// Of the server's process.
    #[cfg(all(feature = "engine", target_os = "linux"))]
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// The data of a tool's answer.
    #[track_caller]
    pub(crate) fn data(&mut self, tool: &str, arguments: Value) -> Value {
        let envelope = self.envelope(tool, arguments);
        envelope["data"].clone()
    }

    /// All of a tool's answer.
    #[track_caller]
    pub(crate) fn envelope(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        assert!(answer["result"]["isError"].is_null(), "{answer}");
        serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
    }

    /// What a tool says went wrong.
    #[track_caller]
    pub(crate) fn failure(&mut self, tool: &str, arguments: Value) -> String {
        let answer = self.call(tool, arguments);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with("Error: ") && text.contains("\nVersion: 0.43.1\n"), "{text}");
        text
    }

    /// What the protocol says is wrong with a call.
    #[track_caller]
    pub(crate) fn refusal(&mut self, tool: &str, arguments: Value) -> (i64, String) {
        let answer = self.call(tool, arguments);
        let error = &answer["error"];
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }

    /// Calls a tool in this project.
    pub(crate) fn call(&mut self, tool: &str, mut arguments: Value) -> Value {
        let root = self.root.clone();
        if let Some(arguments) = arguments.as_object_mut() {
            arguments.entry("projectRoot").or_insert(json!(root));
        }
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// Asks and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.post(method, params);
        self.answer(id)
    }

    /// Asks without waiting.
    pub(crate) fn post(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Waits for the answer to what was asked.
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        if let Some(place) = self.waiting.iter().position(|it| it["id"] == id) {
            return self.waiting.remove(place).unwrap();
        }
        loop {
            let message = self.next().unwrap();
            if message["method"].is_null() && message["id"] == id {
                return message;
            }
            if message["method"].is_null() {
                self.waiting.push_back(message);
            }
        }
    }

    /// The next message, once what the server asks has been answered; none when it went away.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if message["method"] == "roots/list" && self.input.is_some() {
            let roots = json!([{ "uri": format!("file://{}", self.root) }]);
            self.send(
                &json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "roots": roots } }),
            );
        } else if message["method"] == "sampling/createMessage"
            && let Some(model) = &mut self.model
        {
            let (name, value) = match model(&message["params"]) {
                Ok(result) => ("result", result),
                Err(error) => ("error", error),
            };
            self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], name: value }));
        } else if !message["method"].is_null() {
            self.told.push(message.clone());
        }
        Some(message)
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    pub(crate) fn send_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.server.id()
    }

    /// Hangs up, and returns the server's exit code.
    pub(crate) fn hang_up(&mut self) -> Option<i32> {
        self.input = None;
        self.wait()
    }

    /// Waits until the server ends.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        while self.next().is_some() {}
        self.server.wait().unwrap().code()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}
