use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};
use tokio::{sync::oneshot, task::JoinSet};

use super::{super::tests::Server, *};

/// Whoever waits for so long waits in vain.
const IN_VAIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_that_is_long_keeps_nobody_waiting_on_a_gateway_of_one_thread() {
    let (begun, has_begun) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let begun = Mutex::new(Some(begun));
    // It takes as long to be looked at as others take to be answered.
    let model = ScriptedModel::new(move |request| {
        if request.messages.iter().any(|it| it.content.len() > 200_000) {
            begun.lock().unwrap().take().unwrap().send(()).unwrap();
            released.recv_timeout(IN_VAIN).unwrap();
        }
        Reply::Text("Read.".to_owned())
    });
    let server = Arc::new(Server::start(model.with_context(1 << 20)).await);
    let long = "word ".repeat(60_000);
    let body = json!({"model": "main", "messages": [{"role": "user", "content": long}]});
    let asked = Arc::clone(&server);
    let mut large = JoinSet::new();
    large.spawn(
        async move { asked.reach("POST /v1/chat/completions", "", &body.to_string()).await },
    );
    has_begun.await.unwrap();
    let health = server.reach("GET /health", "", "").await;
    assert_eq!(health.status, 200);
    release.send(()).unwrap();
    let large = large.join_next().await.unwrap().unwrap();
    assert_eq!(large.status, 200, "{large:?}");
    assert!(large.body.contains("Read."), "{large:?}");
}

#[tokio::test]
async fn where_there_is_one_thread_it_does_all() {
    assert_eq!(Aside::new(async { 7 }).await, 7);
}
