//! Clients of other makers, unmodified, against `serve` with a scripted model behind it.
//!
//! `cargo xtask test` installs them beside the build. Where they are not, the tests say so loudly
//! and pass; the summary of the suite counts that. Start at [`Packages::find`].

pub(crate) mod gateway;
mod instance;

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use self::gateway::Gateway;
use crate::project::Project;

/// Where the clients are installed: a Python environment, and what npm made.
struct Packages {
    directory: PathBuf,
}

impl Packages {
    #[expect(clippy::print_stderr, reason = "who reads the log sees what was left out")]
    fn find() -> Option<Self> {
        let beside_the_build = || {
            let program = PathBuf::from(env!("CARGO_BIN_EXE_task-master"));
            Some(program.ancestors().nth(2)?.join("clients"))
        };
        let given = env::var_os("TASK_MASTER_TEST_CLIENTS").map(PathBuf::from);
        let directory = given.or_else(beside_the_build)?;
        // Written when everything is there.
        if directory.join("complete").is_file() {
            return Some(Self { directory });
        }
        eprintln!("SKIPPED: there are no clients in {}", directory.display());
        None
    }

    fn source(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients").join(name)
    }
}

/// Runs a client; what it printed, when it is content.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out
}

#[test]
fn the_python_sdks_are_served() {
    let Some(packages) = Packages::find() else { return };
    let gateway = Gateway::start();
    let mut python = Command::new(packages.directory.join("venv/bin/python"));
    let out = succeed(python.arg(Packages::source("sdks.py")).arg(&gateway.url));
    assert_eq!(out.matches("is served").count(), 3, "{out}");
}

#[test]
fn the_npm_sdks_are_served() {
    let Some(packages) = Packages::find() else { return };
    let gateway = Gateway::start();
    let mut node = Command::new("node");
    node.arg(Packages::source("sdks.mjs")).arg(&gateway.url);
    let out = succeed(node.arg(packages.directory.join("npm")));
    assert_eq!(out.matches("is served").count(), 3, "{out}");
}

/// A project of the original whose models are all at the gateway.
struct Original {
    program: PathBuf,
    project: Project,
    gateway: Gateway,
}

impl Original {
    fn start(provider: &str, model: &str) -> Option<Self> {
        Self::start_before(Gateway::start, provider, model)
    }

    /// With a gateway that is started so.
    fn start_before(
        gateway: impl FnOnce() -> Gateway,
        provider: &str,
        model: &str,
    ) -> Option<Self> {
        let program = Packages::find()?.directory.join("npm/node_modules/.bin/task-master");
        let gateway = gateway();
        let path = match provider {
            "ollama" => "/api",
            "perplexity" => "",
            _ => "/v1",
        };
        let role = json!({
            "provider": provider, "modelId": model, "maxTokens": 4000, "temperature": 0.2,
            "baseURL": format!("{}{path}", gateway.url)
        });
        let models = json!({"main": role, "research": role, "fallback": role});
        let project = Project::empty();
        project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
        project.write(".taskmaster/state.json", r#"{"currentTag":"master"}"#);
        project.write("prd.md", "# Shop\n\n- People order bread.\n- Bakers see the orders.\n");
        // It does not make the directory itself.
        fs::create_dir_all(project.path("project/.taskmaster/reports")).unwrap();
        Some(Self { program, project, gateway })
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.project.path("project")).env_clear();
        command.env("HOME", self.project.path("home"));
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        command.env("CI", "1").env("TASKMASTER_SKIP_AUTO_UPDATE", "1");
        let providers =
            ["ANTHROPIC", "OPENAI", "OPENAI_COMPATIBLE", "OLLAMA", "LMSTUDIO", "PERPLEXITY"];
        for provider in providers {
            command.env(format!("{provider}_API_KEY"), "local");
        }
        succeed(&mut command)
    }

    fn tasks(&self) -> Value {
        let file: Value = serde_json::from_str(&self.project.tasks()).unwrap();
        file["master"]["tasks"].clone()
    }

    /// Structured output, and a stream.
    #[track_caller]
    fn plans_and_researches(&self, endpoint: &str) {
        self.run(&["parse-prd", "prd.md", "--num-tasks", "1", "--force"]);
        assert_eq!(self.tasks()[0]["title"], instance::TEXT);
        let said = self.run(&["research", "What is bread?"]);
        assert!(said.contains(instance::SAID), "{said}");
        let metrics = self.gateway.metrics();
        assert!(metrics.contains(&format!("endpoint=\"{endpoint}\",status=\"200\"")), "{metrics}");
    }
}

#[test]
fn the_original_is_served_as_by_anthropic() {
    let Some(original) = Original::start("anthropic", "claude-sonnet-4-20250514") else { return };
    original.plans_and_researches("messages");
}

#[test]
fn the_original_is_served_as_by_openai() {
    let Some(original) = Original::start("openai", "gpt-4o") else { return };
    original.plans_and_researches("responses");
}

#[test]
fn the_original_is_served_as_by_perplexity() {
    let Some(original) = Original::start("perplexity", "sonar-pro") else { return };
    original.run(&["parse-prd", "prd.md", "--num-tasks", "1", "--force"]);
    assert_eq!(original.tasks()[0]["title"], instance::TEXT);
    let said = original.run(&["research", "What is bread?"]);
    let metrics = original.gateway.metrics();
    let agent = r#"endpoint="agent",status="200",route="research""#;
    assert!(metrics.contains(agent), "{said}\n{metrics}");
    // The model names no passage, and that is said in its answer.
    assert!(said.contains(instance::SAID), "{said}");
    assert!(said.contains("The documents say nothing about this"), "{said}");
}

#[test]
fn the_original_is_served_as_by_lm_studio() {
    let Some(original) = Original::start("lmstudio", "local") else { return };
    original.plans_and_researches("chat");
}

#[test]
fn the_original_is_served_as_by_a_compatible_server() {
    let Some(original) = Original::start("openai-compatible", "local") else { return };
    original.plans_and_researches("chat");
}

#[test]
fn the_original_is_served_as_by_ollama_in_all_that_it_asks_a_model() {
    let Some(original) = Original::start("ollama", "llama3") else { return };
    original.plans_and_researches("ollama");
    original.run(&["add-task", "--prompt", "Add a till"]);
    original.run(&["expand", "--id", "1", "--num", "1"]);
    original.run(&["update-task", "--id", "1", "--prompt", "Use Rust."]);
    original.run(&["analyze-complexity"]);
    let tasks = original.tasks();
    assert_eq!(tasks.as_array().unwrap().len(), 2, "{tasks}");
    assert_eq!(tasks[0]["subtasks"].as_array().unwrap().len(), 1, "{tasks}");
    assert!(original.project.exists(".taskmaster/reports/task-complexity-report.json"));
}

#[cfg(feature = "engine")]
#[test]
fn the_original_plans_with_a_model_of_the_gateways_own_process() {
    let Some(model) = crate::parse_prd::test_model() else { return };
    let embedded = || Gateway::start_embedded(&model, 250);
    let Some(original) = Original::start_before(embedded, "openai", "gpt-4o") else { return };
    original.run(&["parse-prd", "prd.md", "--num-tasks", "2", "--force"]);
    let planned = original.tasks().as_array().unwrap().len();
    assert!(planned > 0, "nothing was planned");
    original.run(&["add-task", "--prompt", "Add a till"]);
    assert_eq!(original.tasks().as_array().unwrap().len(), planned + 1);
    original.run(&["expand", "--id", "1", "--num", "2"]);
    assert!(!original.tasks()[0]["subtasks"].as_array().unwrap().is_empty());
    let before = original.tasks()[0].clone();
    original.run(&["update-task", "--id", "1", "--prompt", "Use Rust."]);
    assert_ne!(original.tasks()[0], before);
    original.run(&["analyze-complexity"]);
    assert!(original.project.exists(".taskmaster/reports/task-complexity-report.json"));
    // Our own program reads what came of it, and finds nothing wrong.
    let valid = original.project.run(&["validate-dependencies"]);
    assert_eq!(valid.code, 0, "{}", valid.all());
}
