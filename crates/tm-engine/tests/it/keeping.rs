//! What one engine has read, the next one goes on from.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future;
use tempfile::TempDir;
use tm_engine::{Engine, EngineOptions, PrefixFolder};
use tm_llm::chat::{ChatRequest, Completion};

use crate::{ask, document, model_file, request};

fn keeping(folder: &Path) -> Option<Engine> {
    let prefixes = PrefixFolder {
        path: folder.to_owned(),
        identity: "the test model".to_owned(),
        most_bytes: 1 << 30,
        worth: Duration::ZERO,
    };
    let options = EngineOptions { prefixes: Some(prefixes), ..EngineOptions::default() };
    Some(Engine::load(&model_file()?, &options).unwrap())
}

/// About one document.
fn asked(question: &str) -> ChatRequest {
    let mut request = request(&format!("{} {question}", document(120)), None, 24);
    request.sampling.temperature = 0.0;
    request
}

/// The same from an engine of its own.
async fn anew(folder: &Path, question: &str) -> Option<Completion> {
    Some(ask(&keeping(folder)?, asked(question)).await.unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|it| it.unwrap().path()).collect()
}

#[tokio::test]
async fn an_answer_after_a_reload_is_the_one_after_reading() {
    let folder = TempDir::new().unwrap();
    let Some(engine) = keeping(folder.path()) else { return };
    let read = ask(&engine, asked("What is first?")).await.unwrap();
    // What an engine goes on from in memory it computes like what it has loaded.
    let held = ask(&engine, asked("What is first?")).await.unwrap();
    drop(engine);
    assert_eq!((read.usage.cached_tokens, files(folder.path()).len()), (0, 1));
    let reloaded = anew(folder.path(), "What is first?").await.unwrap();
    assert_eq!(reloaded.usage.cached_tokens, reloaded.usage.prompt_tokens - 1);
    assert_eq!(reloaded.text, held.text);
    assert_eq!(reloaded.text, read.text);
    let other = anew(folder.path(), "And what is last?").await.unwrap();
    let none = TempDir::new().unwrap();
    let unaided = anew(none.path(), "And what is last?").await.unwrap();
    assert!(other.usage.cached_tokens + 20 > other.usage.prompt_tokens, "{:?}", other.usage);
    assert_eq!((other.text, unaided.usage.cached_tokens), (unaided.text, 0));
    assert_eq!(files(folder.path()).len(), 1);
}

#[tokio::test]
async fn a_damaged_file_costs_a_prompt_that_is_read_again_and_no_answer() {
    let folder = TempDir::new().unwrap();
    let Some(read) = anew(folder.path(), "What is first?").await else { return };
    let path = files(folder.path()).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let cut = |part: usize| whole[..whole.len() / 8 * part].to_vec();
    for damaged in [cut(0), cut(1), cut(7), flipped] {
        fs::write(&path, damaged).unwrap();
        let answer = anew(folder.path(), "What is first?").await.unwrap();
        assert_eq!((answer.usage.cached_tokens, answer.text), (0, read.text.clone()));
        // It is whole again.
        assert_eq!(fs::read(&path).unwrap().len(), whole.len());
    }
}

#[tokio::test]
async fn engines_that_run_at_once_share_a_folder() {
    let folder = TempDir::new().unwrap();
    let questions = ["What is first?", "What is first?", "What is in the middle?"];
    let answers = future::join_all(questions.map(|it| anew(folder.path(), it))).await;
    if answers.iter().any(Option::is_none) {
        return;
    }
    assert!(!files(folder.path()).is_empty());
    let again = anew(folder.path(), "What is first?").await.unwrap();
    assert!(again.usage.cached_tokens + 20 > again.usage.prompt_tokens, "{:?}", again.usage);
    assert_eq!(Some(again.text), answers[0].as_ref().map(|it| it.text.clone()));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_costs_nothing() {
    let folder = TempDir::new().unwrap();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "in the way").unwrap();
    let Some(answer) = anew(&in_the_way, "What is first?").await else { return };
    assert_eq!((answer.usage.cached_tokens, answer.text.is_empty()), (0, false));
}

#[tokio::test]
async fn requests_that_arrive_together_load_their_common_start_once() {
    let folder = TempDir::new().unwrap();
    if anew(folder.path(), "What is first?").await.is_none() {
        return;
    }
    let engine = keeping(folder.path()).unwrap();
    let questions = ["What is first?", "What is last?", "Who are you?", "How many are there?"];
    for answer in future::join_all(questions.map(|it| ask(&engine, asked(it)))).await {
        let usage = answer.unwrap().usage;
        assert!(usage.cached_tokens + 20 > usage.prompt_tokens, "{usage:?}");
    }
}

#[tokio::test]
async fn what_adds_little_to_a_prompt_is_not_kept_again() {
    let folder = TempDir::new().unwrap();
    let Some(engine) = keeping(folder.path()) else { return };
    let about = document(300);
    ask(&engine, request(&about, None, 1)).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    let more = format!("{about} {}", document(95));
    let usage = ask(&engine, request(&more, None, 1)).await.unwrap().usage;
    let read = usage.prompt_tokens - usage.cached_tokens;
    assert!(read >= 256 && read * 4 < usage.prompt_tokens, "{usage:?}");
    ask(&engine, request("Hi", None, 1)).await.unwrap();
    drop(engine);
    assert_eq!(files(folder.path()).len(), 1);
}
