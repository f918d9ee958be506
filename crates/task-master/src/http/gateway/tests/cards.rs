//! What clients are told of the models behind the names.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tm_llm::{
    backend::Backend,
    failover::{Candidate, Failover, Open},
};
use tm_testkit::model::ScriptedModel;

use super::{Gateway, Server, alone, names};

const WRITER: &str = "smollm2-135m-instruct-q4_1";
const EMBEDDER: &str = "all-minilm-l6-v2-q8_0";

/// A model of the catalogue that nobody asks anything.
fn player(name: &str) -> Arc<Failover> {
    let open: Open = Box::new(|| {
        Box::pin(async { Ok(Arc::new(ScriptedModel::playing([])) as Arc<dyn Backend>) })
    });
    Arc::new(Failover::unopened(vec![Candidate::new(name, open, None)], Arc::new(|_| ())))
}

async fn server() -> Server {
    let gateway = Gateway::new(alone(player(WRITER)), names("{}"), Duration::from_mins(1));
    let gateway = gateway.with_embedder(player(EMBEDDER));
    Server::serving(Arc::new(ScriptedModel::playing([])), gateway).await
}

fn named<'a>(list: &'a Value, place: &str, name: &str) -> &'a Value {
    let entries = list.as_object().unwrap().values().find_map(Value::as_array).unwrap();
    let found = entries.iter().find(|it| it[place] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {list}"))
}

#[tokio::test]
async fn a_model_of_the_catalogue_is_told_of_as_it_is_known_there() {
    let server = server().await;
    let tags = server.get("/api/tags").await.json();
    let writer = named(&tags, "name", "main");
    assert_eq!(writer["size"], 98_362_432);
    assert!(writer["digest"].as_str().unwrap().starts_with("b179c952"), "{writer}");
    let details = &writer["details"];
    assert_eq!(
        (&details["parameter_size"], &details["quantization_level"]),
        (&json!("135M"), &json!("Q4_1"))
    );
    assert_eq!(details["family"], "smollm2");
    assert_eq!(writer["capabilities"], json!(["completion", "tools"]));
    let embedder = named(&tags, "name", EMBEDDER);
    assert_eq!(
        (&embedder["capabilities"], &embedder["size"]),
        (&json!(["embedding"]), &json!(24_885_504))
    );

    let models = server.get("/v1/models").await.json();
    assert_eq!(
        named(&models, "id", "main")["meta"],
        json!({"n_ctx_train": 8192, "size": 98_362_432})
    );
    assert_eq!(named(&models, "id", EMBEDDER)["meta"]["n_ctx_train"], 256);
    assert_eq!(server.get(&format!("/v1/models/{EMBEDDER}")).await.status, 200);
}

#[tokio::test]
async fn models_are_listed_for_clients_of_lm_studio_and_asked_for_by_anthropics() {
    let server = server().await;
    let older = server.get("/api/v0/models").await.json();
    let writer = named(&older, "id", "main");
    assert_eq!((&writer["type"], &writer["max_context_length"]), (&json!("llm"), &json!(8192)));
    assert_eq!(named(&older, "id", EMBEDDER)["type"], "embeddings");
    let newer = server.get("/api/v1/models").await.json();
    let writer = named(&newer, "key", "main");
    assert_eq!(
        (&writer["type"], &writer["quantization"]),
        (&json!("llm"), &json!({"name": "Q4_1"}))
    );
    assert_eq!(named(&newer, "key", EMBEDDER)["type"], "embedding");
    let version = "anthropic-version: 2023-06-01\r\n";
    let one = server.reach("GET /v1/models/main", version, "").await.json();
    assert_eq!((&one["type"], &one["display_name"]), (&json!("model"), &json!("main")));
}

#[tokio::test]
async fn what_a_model_can_do_is_shown() {
    let server = server().await;
    let show = async |name: &str| server.post("/api/show", &json!({ "model": name })).await.json();
    let embedder = show(EMBEDDER).await;
    assert_eq!(embedder["capabilities"], json!(["embedding"]), "{embedder}");
    assert_eq!(embedder["model_info"]["minilm.context_length"], 256);
    let writer = show("main").await;
    assert_eq!(writer["capabilities"], json!(["completion", "tools"]));
    // It says itself how much it holds here, whatever its file says.
    let context = writer["model_info"].as_object().unwrap().iter();
    let context = context.clone().find(|(name, _)| name.ends_with(".context_length")).unwrap().1;
    assert_eq!(context, 8192);
}
