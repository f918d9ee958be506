//! Who has a key, and what it is good for.

use serde_json::json;
use tm_tasks::timestamp::Timestamp;
use tm_testkit::model::{Reply, ScriptedModel};

use super::{Server, questions};
use crate::http::keys::{KeyRing, KeyStore, NewKey};

/// A gateway that asks for a key, such a key, and where it is known.
async fn locked(wanted: NewKey) -> (Server, String, KeyStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::new(directory.path().join("keys"));
    let (_, secret) = store.add(wanted, Timestamp::UNIX_EPOCH).unwrap();
    let ring = KeyRing::new(store.clone());
    let model = ScriptedModel::new(|_| Reply::Text("Hello there".to_owned()));
    let server = Server::start_with(model, |it| it.with_keys(ring)).await;
    (server, secret.text().to_owned(), store, directory)
}

fn any(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), ..NewKey::default() }
}

#[tokio::test]
async fn who_has_no_key_gets_nothing_but_the_error_of_their_protocol() {
    let (server, key, store, _directory) = locked(any("laptop")).await;
    let last = if key.ends_with('0') { '1' } else { '0' };
    let wrong = format!("Authorization: Bearer {}{last}\r\n", &key[..key.len() - 1]);
    for headers in ["", "x-api-key: \r\n", "Authorization: Basic x\r\n", wrong.as_str()] {
        for (path, body, _) in questions() {
            let reached = server.reach(&format!("POST {path}"), headers, &body.to_string()).await;
            assert_eq!(reached.status, 401, "{path}: {reached:?}");
            let answer = reached.json();
            let told = match path {
                "/v1/messages" => &answer["error"]["type"],
                "/api/chat" | "/api/generate" => &answer["error"],
                _ => &answer["error"]["code"],
            };
            let known = ["invalid_api_key", "authentication_error"];
            let told = told.as_str().unwrap();
            assert!(known.contains(&told) || told.starts_with("the key is missing"), "{answer}");
        }
        for path in ["/metrics", "/routes", "/v1/models", "/api/tags", "/nothing"] {
            assert_eq!(server.reach(&format!("GET {path}"), headers, "").await.status, 401);
        }
    }
    assert_eq!(server.get("/health").await.status, 200);
    assert!(server.model.seen().is_empty());

    for headers in [format!("Authorization: bearer {key}\r\n"), format!("x-api-key: {key}\r\n")] {
        for (path, body, _) in questions() {
            let reached = server.reach(&format!("POST {path}"), &headers, &body.to_string()).await;
            assert_eq!(reached.status, 200, "{path}: {reached:?}");
            assert!(!format!("{reached:?}").contains(&key[3..]), "{reached:?}");
        }
        let metrics = server.reach("GET /metrics", &headers, "").await.body;
        assert!(metrics.contains(r#"gateway_refused_total{reason="key"}"#), "{metrics}");
        assert!(!metrics.contains(&key[3..]), "{metrics}");
    }
    store.remove("laptop").unwrap();
    let headers = format!("x-api-key: {key}\r\n");
    assert_eq!(server.reach("GET /v1/models", &headers, "").await.status, 401);
}

#[tokio::test]
async fn a_key_is_good_for_its_models_only_and_so_often() {
    let wanted = NewKey {
        requests_per_minute: Some(4),
        models: vec!["research".to_owned(), "gpt-4o".to_owned()],
        ..any("laptop")
    };
    let (server, key, _store, _directory) = locked(wanted).await;
    let headers = format!("Authorization: Bearer {key}\r\n");
    let ask = async |model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
        server.reach("POST /v1/chat/completions", &headers, &body.to_string()).await
    };
    assert_eq!(ask("gpt-4o").await.status, 200);
    assert_eq!(ask("research").await.status, 200);
    let refused = ask("main").await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("not good for the model main"), "{refused:?}");
    let body = json!({"model": "main", "input": "x"}).to_string();
    assert_eq!(server.reach("POST /v1/embeddings", &headers, &body).await.status, 403);
    let refused = ask("gpt-4o").await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.head.contains("retry-after: ") && refused.body.contains("rate_limit"));
    assert_eq!(server.model.seen().len(), 2);
}
