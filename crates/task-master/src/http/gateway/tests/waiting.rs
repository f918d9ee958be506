//! Streams whose first word is long in coming: their clients hear that the answer is worked on.

use std::time::Duration;

use serde_json::json;
use tm_testkit::server::{Answer, ScriptedServer};

use super::{Gateway, Server, faithful::with_tool, upstream::behind};

/// A gateway before a server that never says a word, where nobody waits for long.
async fn silent() -> (ScriptedServer, Server) {
    let upstream = ScriptedServer::start(|_| Answer::events("data: 1\n\n").stalled_after(0));
    let server = behind(&upstream, "openai-compatible", |gateway| Gateway {
        timeout: Duration::from_millis(400),
        silence: Duration::from_millis(50),
        ..gateway
    });
    let server = server.await;
    (upstream, server)
}

#[tokio::test]
async fn who_waits_for_the_first_word_hears_that_it_comes_and_then_why_it_did_not() {
    let (_upstream, server) = silent().await;
    for (path, body) in with_tool(&json!({"stream": true})) {
        let reached = server.post(path, &body).await;
        assert_eq!(reached.status, 200, "{path}: {reached:?}");
        let (sign, fault) = match path {
            "/v1/messages" => ("event: ping\n", "event: error\n"),
            // Each of its lines is a part of the answer.
            "/api/chat" => ("", "\"error\":"),
            "/v1/responses" => (": waiting\n\n", "response.failed"),
            _ => (": waiting\n\n", "\"error\":"),
        };
        let signs = reached.body.matches(sign).count();
        assert!(sign.is_empty() || signs >= 2, "{path}: {reached:?}");
        let (last, told) = (reached.body.rfind(sign), reached.body.rfind(fault));
        assert!(told.is_some() && (sign.is_empty() || last < told), "{path}: {reached:?}");
        assert!(!reached.body.contains("[DONE]"), "{path}: {reached:?}");
    }
}

#[tokio::test]
async fn who_waits_for_a_whole_answer_is_told_the_fault_by_its_status() {
    let (_upstream, server) = silent().await;
    for (path, body) in with_tool(&json!({"stream": false})) {
        assert_eq!(server.post(path, &body).await.status, 504, "{path}");
    }
}
