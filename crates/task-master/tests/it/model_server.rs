//! A model server on this machine that plays a script: OpenAI's chat completions, and no more.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::project::{Project, Run};

/// How it answers one question.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// This text.
    Says(String),
    /// An HTTP status.
    Fails(u16),
    /// Nothing, for as long as it is asked.
    Stalls,
}

/// A server that runs until the test is over.
pub(crate) struct ModelServer {
    port: u16,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl ModelServer {
    /// Answers each question, its whole body, with what `script` makes of it.
    pub(crate) fn start(script: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, heard) = (Arc::new(script), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, heard) = (Arc::clone(&script), Arc::clone(&heard));
                thread::spawn(move || serve(stream, &*script, &heard));
            }
        });
        Self { port, asked }
    }

    /// Answers every question with this object.
    pub(crate) fn saying(object: &Value) -> Self {
        let text = object.to_string();
        Self::start(move |_| Answer::Says(text.clone()))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many questions it has answered.
    pub(crate) fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The questions so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    /// Runs a command in a project whose models are all here.
    pub(crate) fn run(&self, project: &Project, arguments: &[&str]) -> Run {
        configure(project, self.port);
        project.run(arguments)
    }
}

/// Points all roles at a port of this machine.
pub(crate) fn configure(project: &Project, port: u16) {
    let role = |model: &str| {
        json!({"provider": "lmstudio", "modelId": model, "maxTokens": 4000, "temperature": 0.2,
               "baseURL": format!("http://127.0.0.1:{port}/v1")})
    };
    let models =
        json!({"main": role("main"), "research": role("research"), "fallback": role("fallback")});
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
}

fn serve(
    stream: TcpStream,
    script: &(dyn Fn(&Value) -> Answer + Send + Sync),
    asked: &Mutex<Vec<Value>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some((line, body)) = request(&mut reader) {
        if !line.contains("/chat/completions") {
            respond(&mut stream, 404, "{}");
            continue;
        }
        let question: Value = serde_json::from_slice(&body).unwrap();
        let answer = script(&question);
        asked.lock().unwrap().push(question);
        match answer {
            Answer::Fails(status) => {
                respond(&mut stream, status, r#"{"error": {"message": "no"}}"#);
            }
            Answer::Says(text) => {
                let message = json!({"role": "assistant", "content": text});
                let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
                let usage = json!({"prompt_tokens": 100, "completion_tokens": 50});
                respond(
                    &mut stream,
                    200,
                    &json!({"choices": [choice], "usage": usage}).to_string(),
                );
            }
            // The other side hangs up some day.
            Answer::Stalls => drop(reader.fill_buf()),
        }
    }
}

/// The first line of a request, and its body; nothing at the end.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|it| *it > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, body))
}

fn respond(stream: &mut TcpStream, status: u16, body: &str) {
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Whoever has gone does not want to know.
    drop(stream.write_all((head + body).as_bytes()));
}
