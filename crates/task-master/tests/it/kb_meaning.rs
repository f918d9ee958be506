//! `kb` with a model that makes vectors: documents are found by what they mean.

use serde_json::{Value, json};
use tm_testkit::server::{Answer, ScriptedServer};

use crate::project::Project;

/// A server whose vectors have a dimension for each theme.
fn server() -> ScriptedServer {
    ScriptedServer::start(|received| {
        let Some(texts) = received.body["input"].as_array() else {
            return Answer::json(404, &json!({"error": {"message": "no such thing"}}));
        };
        let theme = |text: &str, words: &[&str]| {
            if words.iter().any(|it| text.contains(it)) { 1.0 } else { 0.0 }
        };
        let vector = |text: &Value| {
            let text = text.as_str().unwrap_or_default();
            json!([theme(text, &["oven", "warm"]), theme(text, &["order", "buy"]), 0.1])
        };
        let data: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| json!({"index": index, "embedding": vector(text)}))
            .collect();
        Answer::json(200, &json!({"data": data, "usage": {"prompt_tokens": 1}}))
    })
}

fn configure(project: &Project, url: &str, model: &str) {
    let embedding =
        json!({"provider": "openai-compatible", "modelId": model, "baseURL": format!("{url}/v1")});
    let config = json!({"models": {"embedding": embedding}, "global": {}});
    project.write(".taskmaster/config.json", config.to_string());
}

fn project(url: &str) -> Project {
    let project = Project::bakery();
    project.write("docs/oven.md", "# Oven\n\nThe oven is heated for two hours.\n");
    project.write("docs/orders.txt", "Customers order until six in the evening.\n");
    configure(&project, url, "themes");
    project
}

fn paths(found: &Value) -> Vec<&str> {
    found["hits"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect()
}

#[test]
fn what_is_meant_is_found_without_its_words() {
    let server = server();
    let project = project(&server.url());
    let added = project.json(&["kb", "add", "docs", "--json"]);
    assert_eq!(
        added["vectors"],
        json!({"state": "complete", "model": "themes", "made": 2, "chunks": 2})
    );
    let question = "When can people buy?";
    let search = |mode: &str| project.json(&["kb", "search", question, "--json", "--mode", mode]);
    let found = search("dense");
    assert_eq!((paths(&found)[0], &found["mode"]), ("orders.txt", &json!("dense")));
    assert!(paths(&search("lexical")).is_empty());
    assert_eq!(paths(&search("hybrid"))[0], "orders.txt");
    let found = project.json(&["kb", "search", question, "--json"]);
    assert_eq!((paths(&found)[0], &found["mode"]), ("orders.txt", &json!("hybrid")));
    let stats = project.run(&["kb", "stats"]);
    assert!(stats.out.contains("2 of 2 chunks, by themes (3 dimensions)"), "{}", stats.out);

    // What did not change is not asked for again.
    let asked = || server.seen().iter().filter(|it| it.body["input"].is_array()).count();
    let before = asked();
    project.write("docs/orders.txt", "Customers buy until seven in the evening.\n");
    let updated = project.json(&["kb", "update", "--json"]);
    assert_eq!(updated["vectors"]["made"], 1);
    assert_eq!(asked(), before + 1);
}

#[test]
fn vectors_of_another_model_are_refused_with_the_way_out() {
    let server = server();
    let project = project(&server.url());
    project.run(&["kb", "add", "docs"]);
    configure(&project, &server.url(), "others");

    let refused = project.run(&["kb", "search", "buy", "--mode=dense"]);
    assert_eq!(refused.code, 1, "{}", refused.all());
    assert!(refused.err.contains("were made by themes, and others is asked"), "{}", refused.err);
    assert!(refused.err.contains("`task-master kb embed --again`"), "{}", refused.err);
    let refused = project.run(&["kb", "embed"]);
    assert_eq!(refused.code, 1, "{}", refused.all());

    let alone = project.run(&["kb", "search", "order"]);
    assert_eq!(alone.code, 0, "{}", alone.all());
    assert!(alone.err.contains("found by words alone"), "{}", alone.err);
    assert!(alone.out.contains("orders.txt"), "{}", alone.out);

    let made = project.json(&["kb", "embed", "--again", "--json"]);
    assert_eq!(
        (&made["vectors"]["model"], &made["vectors"]["made"]),
        (&json!("others"), &json!(2))
    );
    let found = project.json(&["kb", "search", "buy", "--mode=dense", "--json"]);
    assert_eq!(paths(&found)[0], "orders.txt");
}

#[test]
fn without_a_model_words_do_and_it_is_said() {
    let project = Project::bakery();
    project.write("docs/oven.md", "# Oven\n\nThe oven is heated for two hours.\n");
    let added = project.run(&["kb", "add", "docs"]);
    assert_eq!(added.code, 0, "{}", added.all());
    assert!(added.err.contains("by their words alone"), "{}", added.err);
    assert!(added.err.contains("models pull all-minilm-l6-v2-q8_0"), "{}", added.err);
    let found = project.json(&["kb", "search", "oven", "--json"]);
    assert_eq!((paths(&found), &found["mode"]), (vec!["oven.md"], &json!("lexical")));
    for arguments in
        [["kb", "search", "oven", "--mode=dense"], ["kb", "embed", "--again", "--json"]]
    {
        let refused = project.run(&arguments);
        assert_eq!(refused.code, 1, "{}", refused.all());
        assert!(refused.err.contains("there is no embedding model here"), "{}", refused.err);
    }
    let quiet = project.run(&["kb", "update", "--no-vectors"]);
    assert!(!quiet.err.contains("alone"), "{}", quiet.err);
}

#[test]
fn a_server_that_does_not_answer_costs_no_document() {
    let project = project(&ScriptedServer::nobody());
    let added = project.run(&["kb", "add", "docs"]);
    assert_eq!(added.code, 0, "{}", added.all());
    assert!(added.out.contains("2 documents"), "{}", added.out);
    assert!(added.err.contains("by their words alone"), "{}", added.err);
    let failed = project.run(&["kb", "embed"]);
    assert_eq!(failed.code, 1, "{}", failed.all());
}

/// With all-MiniLM-L6-v2, which a build without an engine cannot run.
#[cfg(feature = "engine")]
mod real_model {
    use std::{env, path::PathBuf};

    use super::*;

    /// The embedding model's file; `None`, and a line that says so, where it was not fetched.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    fn embedder() -> Option<PathBuf> {
        let home = || env::var_os("HOME").map(|it| PathBuf::from(it).join(".local/share"));
        let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home)?;
        let model = data.join("task-master/models/all-minilm-l6-v2-q8_0.gguf");
        if model.is_file() {
            return Some(model);
        }
        eprintln!("SKIPPED: there is no embedding model at {}", model.display());
        None
    }

    #[test]
    fn it_finds_what_is_meant_in_this_process() {
        let Some(model) = embedder() else { return };
        let project = Project::bakery();
        project.write("docs/oven.md", "# Oven\n\nThe oven is heated for two hours.\n");
        project.write("docs/orders.txt", "Customers order until six in the evening.\n");
        let embedding = json!({"provider": "embedded", "modelId": model});
        let config = json!({"models": {"embedding": embedding}, "global": {}});
        project.write(".taskmaster/config.json", config.to_string());
        let added = project.json(&["kb", "add", "docs", "--json"]);
        assert_eq!(added["vectors"]["made"], 2, "{added}");
        let question = "When is the deadline for buying a cake?";
        let found = project.json(&["kb", "search", question, "--mode=dense", "--json"]);
        assert_eq!(paths(&found)[0], "orders.txt", "{found}");
    }
}

#[test]
fn a_qdrant_server_is_kept_up_to_date_and_looks_through_the_vectors() {
    let (server, qdrant) = (server(), tm_testkit::qdrant::start(Some("secret")));
    let project = project(&server.url());
    project
        .write(".env", format!("TASKMASTER_QDRANT_URL={}\nQDRANT_API_KEY=secret\n", qdrant.url()));
    let added = project.json(&["kb", "add", "docs", "--json"]);
    assert_eq!(added["copied"], json!({"points": 2, "added": 2, "removed": 0}), "{added}");
    let search = ["kb", "search", "When can people buy?", "--json"];
    let by = |store: &str| project.json(&[&search[..], &["--store", store]].concat());
    assert_eq!(paths(&by("qdrant"))[0], "orders.txt");
    assert_eq!(paths(&by("qdrant")), paths(&by("embedded")));
    let asked = || qdrant.seen().iter().filter(|it| it.line.ends_with("/query")).count();
    assert_eq!(asked(), 2, "the knowledge base itself was asked once");

    let again = project.json(&["kb", "embed", "--again", "--json"]);
    assert_eq!(again["copied"], json!({"points": 2, "added": 2, "removed": 0}), "{again}");
    let run = project.run(&["kb", "search", "order", "--mode", "lexical", "--store", "qdrant"]);
    assert_eq!(run.code, 1, "{}", run.all());

    let removed = project.json(&["kb", "rm", "docs", "--json"]);
    assert_eq!(removed["copied"]["removed"], 2, "{removed}");
    let reach = project.json(&["privacy", "--json"]);
    let is_named = |it: &Value| it["role"] == "vectors" && it["is_local"] == true;
    assert!(reach["endpoints"].as_array().unwrap().iter().any(is_named), "{reach}");
}

#[test]
fn without_the_qdrant_server_vectors_are_looked_through_here_and_that_is_said() {
    let (server, nobody) = (server(), ScriptedServer::nobody());
    let project = project(&server.url());
    project.write(".env", format!("TASKMASTER_QDRANT_URL={nobody}\n"));
    let added = project.run(&["kb", "add", "docs"]);
    assert_eq!(added.code, 0, "{}", added.all());
    assert!(added.err.contains("has no copy of the vectors"), "{}", added.err);
    let search = ["kb", "search", "When can people buy?"];
    let run = project.run(&search);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.starts_with("1 orders.txt"), "{}", run.all());
    assert!(run.err.contains("vectors were looked through here: "), "{}", run.err);
    // Whoever asks for the server, or to bring it up to date, is not told of a success.
    for asked in [&[&search[..], &["--store", "qdrant"]].concat()[..], &["kb", "embed"]] {
        let run = project.run(asked);
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains("cannot be reached"), "{}", run.err);
    }
    project.write(".env", "TASKMASTER_QDRANT_URL=http://db.example:6333\n");
    let run = project.run(&search);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("db.example is not on this machine"), "{}", run.err);
    for wrong in ["localhost:6333", "http://me:secret@db:99999"] {
        project.write(".env", format!("TASKMASTER_QDRANT_URL={wrong}\n"));
        let run = project.run(&search);
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains("no address of a server"), "{}", run.err);
        assert!(!run.err.contains("secret"), "{}", run.err);
    }
    project.write(".env", "");
    let run = project.run(&[&search[..], &["--store", "qdrant"]].concat());
    assert!(run.err.contains("no Qdrant server is named"), "{}", run.err);
}
