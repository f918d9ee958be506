//! The whole journey with a model of this process, where there is no network and every connection is
//! looked at: `unshare` takes all but loopback away, and `strace` tells whom anybody wanted to reach.
//!
//! Where the kernel or the machine does not have these, the test says so loudly and passes.
#![cfg(all(feature = "engine", target_os = "linux"))]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{parse_prd::test_model, project::Project};

const PRD: &str = "\
# Rain gauge
- store a reading every 15 minutes in SQLite
- show the last seven days as a bar chart
";

/// A command of this in a network of its own, and under the eyes of `strace`, which writes here.
fn watched(network: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net"]);
    command.args(["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o"]).arg(network);
    command
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn can_watch(project: &Project) -> bool {
    let mut tried = watched(&project.path("tried"));
    tried.args(["bash", "-c", "ip link set lo up"]);
    let tried = tried.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let can = tried.is_ok_and(|it| it.success());
    if !can {
        eprintln!("SKIPPED: unshare, strace and ip cannot be used together on this machine");
    }
    can
}

/// The addresses that anybody wanted to reach, or to be reached at.
fn addresses(network: &str) -> Vec<&str> {
    let calls = ["inet_addr(\"", "inet_pton(AF_INET6, \""];
    let after = calls.iter().flat_map(|it| network.split(it).skip(1));
    after.filter_map(|it| it.split('"').next()).collect()
}

#[test]
fn the_whole_journey_with_a_real_model_reaches_nobody_beyond_this_machine() {
    let Some(model) = test_model() else { return };
    let project = Project::empty();
    if !can_watch(&project) {
        return;
    }
    project.write("prd.md", PRD);
    let network = project.path("network");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/offline.sh");
    let mut journey = watched(&network);
    journey.arg("bash").arg(script).arg(env!("CARGO_BIN_EXE_task-master"));
    journey.current_dir(project.path("project")).env_clear().stdin(Stdio::null());
    journey.env("HOME", project.path("home")).env("TASKMASTER_MODEL", model);
    journey.env("PATH", env::var_os("PATH").unwrap_or_default());
    let run = project.outcome(journey.output().unwrap());
    let steps: Vec<&str> = run.out.lines().map(str::trim).collect();
    let planned = if project.read("out.parse-prd").contains("gave an unusable answer twice") {
        // So small a model may say the same twice, which is an error with a name.
        "parse-prd 1"
    } else {
        "parse-prd 0"
    };
    let expected = [
        "init 0",
        planned,
        "kb-add 0",
        "kb-search 0",
        "research 0",
        "list 0",
        "HTTP/1.1 200 OK",
        "serve 0",
    ];
    assert_eq!(steps, expected, "{}\n{}", run.all(), project.read("out.parse-prd"));
    let network = std::fs::read_to_string(network).unwrap();
    let addresses = addresses(&network);
    assert!(!addresses.is_empty(), "what was answered came from somewhere: {network}");
    let is_here = |it: &&str| it.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
    let elsewhere: Vec<&str> = addresses.into_iter().filter(|it| !is_here(it)).collect();
    assert_eq!(elsewhere, [""; 0]);
}

#[test]
fn every_address_in_a_record_of_calls_is_seen() {
    let record = r#"
7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1
7 connect(3, {sa_family=AF_INET6, inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = -1
7 sendto(3, "x", 1, 0, {sa_family=AF_INET, sin_addr=inet_addr("127.0.0.53")}, 16) = 1
"#;
    assert_eq!(addresses(record), ["192.0.2.1", "127.0.0.53", "2001:db8::1"]);
}
