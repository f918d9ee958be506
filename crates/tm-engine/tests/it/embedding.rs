//! What an embedder promises, with all-MiniLM-L6-v2. Without its file the tests that need it say so
//! loudly and pass.

use std::{
    env,
    path::PathBuf,
    time::{Duration, Instant},
};

use tm_engine::{Embedder, EngineOptions};
use tm_llm::{
    backend::{Backend as _, BackendError},
    embed::{EmbedRequest, Embeddings},
};

use super::{model_file, request};

const FILE: &str = "task-master/models/all-minilm-l6-v2-q8_0.gguf";

fn embedder() -> Option<Embedder> {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = || env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    let path = env::var_os("TASK_MASTER_TEST_EMBEDDER")
        .map(PathBuf::from)
        .or_else(|| data().map(|data| data.join(FILE)))?;
    if path.is_file() {
        return Some(Embedder::load(&path, &EngineOptions::default()).unwrap());
    }
    eprintln!("SKIPPED: there is no embedding model at {}", path.display());
    None
}

async fn embed(embedder: &Embedder, texts: &[&str]) -> Embeddings {
    let texts = texts.iter().map(|it| (*it).to_owned()).collect();
    let deadline = Instant::now() + Duration::from_mins(20);
    embedder.embed(EmbedRequest { texts, dimensions: None, deadline }).await.unwrap()
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The reference is the published weights in single precision, computed by numpy, with the words
/// of the published `tokenizer.json`.
#[tokio::test]
async fn texts_are_as_near_as_the_reference_says() {
    let Some(embedder) = embedder() else { return };
    let texts = [
        "add a login page with email and password",
        "implement user authentication and sessions",
        "grow tomatoes in a greenhouse",
        "Cr\u{e8}me br\u{fb}l\u{e9}e \u{2014} na\u{ef}ve caf\u{e9}; don't panic!",
        "fn read_file(path: &Path) -> io::Result<Vec<u8>> { fs::read(path) }",
        "\u{6771}\u{4eac}\u{306f}\u{65e5}\u{672c}\u{306e}\u{9996}\u{90fd}\u{3067}\u{3059}\u{3002} hello",
    ];
    let reference = [1.0, 0.4434, 0.0581, 0.0127, -0.0729, 0.0386];
    let tokens = [11, 7, 7, 16, 37, 14];
    let embedded = embed(&embedder, &texts).await;
    for ((vector, text), expected) in embedded.vectors.iter().zip(texts).zip(reference) {
        assert_eq!(vector.len(), 384);
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-3, "{text}");
        let found = cosine(&embedded.vectors[0], vector);
        assert!((found - expected).abs() < 0.02, "{text}: {found} and not {expected}");
    }
    // Two of each text's tokens are marks.
    let counted: Vec<u32> = texts.iter().map(|it| embedder.count_tokens(it) + 2).collect();
    assert_eq!(counted, tokens);
    assert_eq!(embedded.prompt_tokens, tokens.iter().sum::<u32>());
}

#[tokio::test]
async fn a_text_has_the_same_vector_in_any_company() {
    let Some(embedder) = embedder() else { return };
    let long = "Loaves of bread are baked in the morning. ".repeat(20);
    let alone = embed(&embedder, &["bread"]).await.vectors;
    let among = embed(&embedder, &["orders until six", "bread", &long, ""]).await.vectors;
    assert!(cosine(&alone[0], &among[1]) > 0.999);
    assert_eq!(among.len(), 4);
}

#[tokio::test]
async fn the_end_of_a_long_text_counts() {
    let Some(embedder) = embedder() else { return };
    let beginning = "The committee discussed the budget of the city. ".repeat(40);
    let end = "Sourdough bread is baked with wild yeast in a hot oven. ".repeat(30);
    let long = format!("{beginning}{end}");
    let texts = [beginning.as_str(), &long, "how is sourdough bread baked?"];
    let vectors = embed(&embedder, &texts).await.vectors;
    assert!(cosine(&vectors[1], &vectors[2]) > cosine(&vectors[0], &vectors[2]) + 0.2);
}

#[tokio::test]
async fn what_an_embedder_cannot_do_it_refuses() {
    let Some(embedder) = embedder() else { return };
    let refused = embedder.stream(request("hello", None, 8)).await.err();
    assert!(matches!(refused, Some(BackendError::Refused { .. })), "{refused:?}");
    let deadline = Instant::now() + Duration::from_mins(20);
    let texts = vec!["bread".to_owned()];
    let other = EmbedRequest { texts: texts.clone(), dimensions: Some(100), deadline };
    let refused = embedder.embed(other).await.unwrap_err();
    assert!(matches!(refused, BackendError::Refused { .. }), "{refused}");
    let late = EmbedRequest { texts, dimensions: Some(384), deadline: Instant::now() };
    let late = embedder.embed(late).await.unwrap_err();
    assert!(matches!(late, BackendError::DeadlineExceeded { .. }), "{late}");
}

#[test]
fn a_model_that_writes_is_no_embedder() {
    let Some(file) = model_file() else { return };
    let error = Embedder::load(&file, &EngineOptions::default()).unwrap_err();
    assert!(error.to_string().contains("no embedding model"), "{error}");
}
