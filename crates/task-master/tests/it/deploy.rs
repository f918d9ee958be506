//! What `deploy/` says to run: that it is understood, and that its health check tells the truth.

use std::{fs, path::PathBuf, process::Command};

use tm_testkit::server::ScriptedServer;

use crate::{clients::gateway::Gateway, project::Project};

/// The words of the last instruction of the container file that begins so.
fn words(instruction: &str, first: &str) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("deploy/Containerfile")).unwrap();
    let begins = format!("{instruction} [\"{first}\"");
    let line = text.lines().map(str::trim).rfind(|it| it.starts_with(&begins)).unwrap();
    serde_json::from_str(line.strip_prefix(instruction).unwrap()).unwrap()
}

#[test]
fn a_container_serves_other_machines_and_asks_for_a_key() {
    assert_eq!(words("ENTRYPOINT", "task-master"), ["task-master"]);
    let command = words("CMD", "serve");
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let run = Project::empty().run(&command);
    assert!(run.code == 1 && run.err.contains("task-master keys add"), "{}", run.all());
}

#[test]
fn the_health_check_of_a_container_tells_whether_the_gateway_answers() {
    let check = |url: &str| {
        let (_, port) = url.rsplit_once(':').unwrap();
        let words = words("CMD", "bash");
        let script = words.last().unwrap().replace("8484", port);
        Command::new("bash").args(["-c", &script]).output().unwrap().status.success()
    };
    assert!(check(&Gateway::start().url));
    assert!(!check(&ScriptedServer::nobody()));
}
