//! Who may use whom: our crates among each other, and the outside crates that only one may use.
//!
//! Says the same as the table in ARCHITECTURE.md. A new edge is a decision, not an edit.

use std::process::Command;

use serde_json::Value;

use crate::{assert_none, root};

/// Our crates, and which of ours each may use. Everybody's tests may use `tm-testkit`.
const LAYERS: &[(&str, &[&str])] = &[
    ("tm-tasks", &[]),
    ("tm-llm", &[]),
    ("tm-engine", &["tm-llm"]),
    ("tm-knowledge", &["tm-llm"]),
    ("tm-workflows", &["tm-tasks", "tm-llm", "tm-knowledge"]),
    ("task-master", &["tm-tasks", "tm-llm", "tm-engine", "tm-knowledge", "tm-workflows"]),
    ("tm-testkit", &["tm-tasks", "tm-llm"]),
    ("xtask", &[]),
];

/// Everybody but `tm-tasks`, which never waits for anything.
const WAITING: &[&str] =
    &["tm-llm", "tm-engine", "tm-knowledge", "tm-workflows", "task-master", "tm-testkit"];

/// Outside crates that stand for a task of one crate, and whose it is.
const OWNERS: &[(&str, &[&str])] = &[
    ("tokio", WAITING),
    ("tokio-stream", WAITING),
    ("tokio-util", WAITING),
    ("futures-util", WAITING),
    ("async-trait", WAITING),
    // The program serves with it, and connects to nobody.
    ("hyper", &["tm-llm", "tm-testkit", "task-master"]),
    ("hyper-util", &["tm-llm", "tm-testkit", "task-master"]),
    ("reqwest", &["tm-llm"]),
    ("rustls", &["tm-llm"]),
    ("redis", &["tm-llm"]),
    ("ureq", &[]),
    ("llama-cpp-2", &["tm-engine"]),
    ("llama-cpp-sys-2", &["tm-engine"]),
    ("llguidance", &["tm-engine"]),
    ("toktrie", &["tm-engine"]),
    ("rusqlite", &["tm-knowledge"]),
    ("qdrant-client", &["tm-knowledge"]),
    ("clap", &["task-master"]),
    ("axum", &["task-master"]),
    ("rmcp", &["task-master"]),
    ("maud", &["task-master"]),
    ("indicatif", &["task-master"]),
    ("anyhow", &["task-master", "xtask"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Product,
    Tests,
}

/// What is wrong with `user` depending on `used`.
fn fault(user: &str, used: &str, purpose: Use) -> Option<String> {
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == user) else {
        return Some(format!("{user}: decide in ARCHITECTURE.md and here whom it may use"));
    };
    let is_ours = LAYERS.iter().any(|(name, _)| *name == used);
    let is_fine = if used == "tm-testkit" {
        purpose == Use::Tests
    } else if is_ours {
        allowed.contains(&used)
    } else {
        let owners = OWNERS.iter().find(|(name, _)| *name == used);
        purpose == Use::Tests || owners.is_none_or(|(_, owners)| owners.contains(&user))
    };
    (!is_fine).then(|| format!("{user} must not depend on {used}: see ARCHITECTURE.md"))
}

#[test]
fn crates_use_only_what_is_below_them() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() >= LAYERS.len() - 1, "only {} crates were looked at", packages.len());

    let mut faults = Vec::new();
    for package in packages {
        let user = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let purpose = if dependency["kind"] == "dev" { Use::Tests } else { Use::Product };
            faults.extend(fault(user, dependency["name"].as_str().unwrap(), purpose));
        }
    }
    assert_none(&faults);
}

#[test]
fn a_forbidden_edge_is_found() {
    let is_fault = |user, used, purpose| fault(user, used, purpose).is_some();
    assert!(is_fault("tm-tasks", "tm-llm", Use::Product));
    assert!(is_fault("tm-llm", "tm-tasks", Use::Tests));
    assert!(is_fault("tm-tasks", "tokio", Use::Product));
    assert!(is_fault("tm-workflows", "clap", Use::Product));
    assert!(is_fault("task-master", "reqwest", Use::Product));
    assert!(is_fault("tm-workflows", "tm-testkit", Use::Product));
    assert!(is_fault("tm-stray", "serde", Use::Product));

    assert!(!is_fault("tm-workflows", "tm-llm", Use::Product));
    assert!(!is_fault("tm-workflows", "tm-testkit", Use::Tests));
    assert!(!is_fault("tm-llm", "reqwest", Use::Product));
    assert!(!is_fault("tm-tasks", "serde", Use::Product));
}
