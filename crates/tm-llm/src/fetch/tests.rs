use std::{fs, sync::Mutex};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::catalogue::{Catalogue, Wheel, WheelSet};
use server::{Answer, Fault, Request, Server};

mod bert;
mod pull;
mod server;
mod sources;

/// A store, and a fetcher that looks for everything at one address.
struct Fixture {
    fetcher: Fetcher,
    events: Arc<Mutex<Vec<String>>>,
    directory: TempDir,
}

fn fixture(url: &str) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path().join("models"));
    let config = FetchConfig {
        huggingface_url: url.to_owned(),
        ollama_url: url.to_owned(),
        indexes: vec![format!("{url}/simple")],
        ..FetchConfig::default()
    };
    let mut fetcher = Fetcher::new(store, config).unwrap();
    fetcher.backoff = Duration::from_millis(1);
    Fixture { fetcher, events: Arc::default(), directory }
}

impl Fixture {
    async fn pull(&self, model: &Model) -> Result<Pulled, FetchError> {
        self.pull_with(Pull { model, from: None, sha256: None, force: false }).await
    }

    async fn pull_from(&self, model: &Model, path: &Path) -> Result<Pulled, FetchError> {
        self.pull_with(Pull { model, from: Some(path), sha256: None, force: false }).await
    }

    async fn pull_with(&self, pull: Pull<'_>) -> Result<Pulled, FetchError> {
        self.fetcher.pull(pull, self.listener()).await
    }

    /// Writes down everything but the progress.
    fn listener(&self) -> Listener {
        let events = Arc::clone(&self.events);
        Arc::new(move |event| {
            let line = match event {
                Event::Waiting => "waiting".to_owned(),
                Event::Trying(source) => format!("trying {source}"),
                Event::Failed(source, error) => format!("failed {source}: {error}"),
                Event::Retrying { error, .. } => format!("retrying: {error}"),
                Event::Progress { .. } => return,
            };
            events.lock().unwrap().push(line);
        })
    }

    fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

/// Content that compresses as badly as weights do.
fn weights(len: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..len).map(|_| random.u8(..)).collect()
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::finish(Sha256::new_with_prefix(bytes))
}

fn model(bytes: &[u8], sources: impl Into<Vec<Source>>) -> Model {
    let mut model = Catalogue::builtin().unwrap().models()[0].clone();
    model.id = "tiny".into();
    model.size_bytes = bytes.len() as u64;
    model.sha256 = Some(digest_of(bytes));
    model.sources = sources.into();
    model
}

fn huggingface() -> Source {
    Source::Huggingface { repo: "maker/tiny".into(), file: "tiny.gguf".into() }
}

const HUGGINGFACE_PATH: &str = "/maker/tiny/resolve/main/tiny.gguf";

/// A pull that succeeded, and the bytes it brought.
#[track_caller]
fn fetched(pulled: Result<Pulled, FetchError>) -> (Installed, Vec<u8>) {
    match pulled {
        Ok(Pulled::Fetched(installed)) => {
            let bytes = fs::read(&installed.path).unwrap();
            (installed, bytes)
        }
        other => panic!("{other:?}"),
    }
}

/// Why the only source of a model failed.
#[track_caller]
fn only_reason(pulled: Result<Pulled, FetchError>) -> SourceError {
    match pulled {
        Err(FetchError::NoSource { mut attempts, .. }) if attempts.len() == 1 => {
            attempts.remove(0).error
        }
        other => panic!("{other:?}"),
    }
}
