//! llama.cpp in this process, behind the [`Backend`] trait.
//!
//! [`Engine::load`] reads a GGUF file; from then on one thread of its own computes the answers of
//! everybody who asks, together. An [`Embedder`] makes vectors of texts the same way. Knows nothing of tasks, prompts or where models come from. Start
//! at [`Engine`], then at `schedule`, where the work is.

mod answer;
mod decode;
mod embedder;
mod gguf;
mod grammar;
mod load;
mod memory;
mod prefix;
mod sample;
mod schedule;
mod schema;
mod speculate;
mod template;
mod text;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::Instant,
};

use async_trait::async_trait;
use llama_cpp_2::{model::LlamaModel, token::LlamaToken};
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    chat::{ChatRequest, Message},
};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, error::TrySendError},
    },
    task,
};
use tokio_stream::wrappers::ReceiverStream;

pub use embedder::Embedder;
pub use prefix::folder::PrefixFolder;

use crate::{
    answer::{Job, broken},
    decode::ContextSettings,
    grammar::{Constraint, Grammars},
    load::Loaded,
    memory::multiplies_matrices,
    prefix::folder::{Folder, Kept},
    schedule::ScheduleSettings,
    template::ChatTemplate,
};

/// Requests that may wait before the engine says that it is busy.
const QUEUE: usize = 320;

/// Enough for full speed, and a second or two on a slow machine, so that a request is cancelled soon.
const BATCH_TOKENS: u32 = 128;

/// More answers together are written no faster by kernels for vectors, which take 4 as one, and the
/// first of them is there later.
const PARALLEL: u32 = 4;

/// Where the next tokens of up to 16 answers are one multiplication, the tasks of a usual plan are
/// written in two thirds of the time when all are written together.
const PARALLEL_IN_MATRICES: u32 = 16;

/// How an engine works; the defaults fit the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// The model's id; the file's name without it.
    pub model: Option<String>,
    /// Threads that compute; as many as there are physical cores without it.
    pub threads: Option<u32>,
    /// The most tokens of prompts that one step reads. More may be faster, and a request that is
    /// cancelled waits for the end of a step.
    pub batch_tokens: u32,
    /// How many requests are worked on together.
    pub parallel: u32,
    /// The most memory that may be used; what is free without it.
    pub memory_mib: Option<u64>,
    /// How many of the model's layers a graphics card computes, in a build that can use one; all
    /// without it.
    pub gpu_layers: Option<u32>,
    /// A `LoRA` adapter, as a GGUF file, that was trained for the model; none without it.
    pub adapter: Option<PathBuf>,
    /// Guess ahead when only one request is worked on. The answer comes sooner; now and then it has
    /// other words, because several tokens computed together round differently than one.
    pub speculate: bool,
    /// Where prompts that were read are kept for the next engine; nowhere without it.
    pub prefixes: Option<PrefixFolder>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            model: None,
            threads: None,
            batch_tokens: BATCH_TOKENS,
            parallel: if multiplies_matrices() { PARALLEL_IN_MATRICES } else { PARALLEL },
            memory_mib: None,
            gpu_layers: None,
            adapter: None,
            speculate: true,
            prefixes: None,
        }
    }
}

/// A model in this process.
///
/// Dropping it fails what is under way, waits for the step that is being computed and frees the
/// memory.
pub struct Engine {
    shared: Arc<Shared>,
    jobs: Option<mpsc::Sender<Job>>,
    /// A place for each request that may wait.
    places: Arc<Semaphore>,
    worker: Option<JoinHandle<()>>,
}

/// What requests need before the worker sees them.
struct Shared {
    info: ModelInfo,
    model: Arc<LlamaModel>,
    template: ChatTemplate,
    forces_tokens: bool,
    grammars: OnceLock<Result<Grammars, String>>,
    folder: Option<Arc<Folder>>,
}

/// A request as far as it is known before the worker sees it.
struct Prepared {
    prompt: Vec<LlamaToken>,
    kept: Option<Kept>,
    constraint: Option<Constraint>,
}

impl Engine {
    /// Reads the model at `path`, which takes seconds; see [`Self::load_in_background`].
    ///
    /// # Errors
    /// [`BackendError::Load`] for a file that is missing, damaged or of no use, and
    /// [`BackendError::OutOfMemory`] before anything is loaded.
    pub fn load(path: &Path, options: &EngineOptions) -> Result<Self, BackendError> {
        let name = options.model.clone().unwrap_or_else(|| file_name(path));
        let loaded = load::load(path, &name, options)?;
        let Loaded { backend, model, adapter, template, forces_tokens, context_tokens, context } =
            loaded;
        let parallel = options.parallel.clamp(1, context.sequences - 1);
        let folder = options.prefixes.clone().map(|prefixes| {
            let ContextSettings { threads, batch_tokens, on_card, .. } = context;
            let layers = options.gpu_layers;
            let computed = format!("{threads} {batch_tokens} {on_card} {layers:?}");
            Arc::new(Folder::new(prefixes, &computed))
        });
        let settings = ScheduleSettings {
            model: name.clone(),
            parallel: usize::try_from(parallel).unwrap_or(1),
            speculate: options.speculate,
            context,
            adapter,
            folder: folder.clone(),
        };
        let (jobs, queue) = mpsc::channel(QUEUE);
        let worker = thread::Builder::new().name("engine".to_owned()).spawn({
            let model = Arc::clone(&model);
            move || schedule::run(backend, &model, settings, queue)
        });
        let worker = worker.map_err(|error| BackendError::Load {
            path: path.to_owned(),
            reason: format!("no thread for it: {error}"),
        })?;
        let info = ModelInfo {
            provider: "embedded".to_owned(),
            model: name,
            context_tokens,
            parallel,
            whole_answers: false,
        };
        let grammars = OnceLock::new();
        let shared = Shared { info, model, template, forces_tokens, grammars, folder };
        let shared = Arc::new(shared);
        let places = Arc::new(Semaphore::new(QUEUE));
        Ok(Self { shared, jobs: Some(jobs), places, worker: Some(worker) })
    }

    /// [`Self::load`] beside the async runtime.
    ///
    /// # Errors
    /// What [`Self::load`] fails with.
    pub async fn load_in_background(
        path: PathBuf,
        options: EngineOptions,
    ) -> Result<Self, BackendError> {
        load::in_background(path, move |path| Self::load(path, &options)).await
    }
}

#[async_trait]
impl Backend for Engine {
    fn info(&self) -> &ModelInfo {
        &self.shared.info
    }

    /// It is loaded; only one whose thread has broken down cannot be used.
    async fn prepare(&self) -> Result<(), BackendError> {
        let is_over = self.jobs.as_ref().is_none_or(mpsc::Sender::is_closed);
        if is_over { Err(broken(&self.shared.info.model, stopped())) } else { Ok(()) }
    }

    fn continues(&self) -> bool {
        true
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let arrived = Instant::now();
        let model = self.shared.info.model.clone();
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(BackendError::Busy { model, retry_after: None });
        };
        let preparing = task::spawn_blocking({
            let shared = Arc::clone(&self.shared);
            move || shared.prepare(&request).map(|prepared| (prepared, request))
        });
        let failed = |error: task::JoinError| broken(&model, error.to_string());
        let (Prepared { prompt, kept, constraint }, request) =
            preparing.await.map_err(failed)??;
        // One event for each token and the end, so that the worker never waits for a reader.
        let room = usize::try_from(request.max_tokens).unwrap_or(0) + 2;
        let (events, stream) = mpsc::channel(room);
        let job = Job {
            prompt,
            kept,
            constraint,
            sampling: request.sampling,
            max_tokens: request.max_tokens,
            deadline: request.deadline,
            arrived,
            events,
            place,
        };
        let jobs = self.jobs.as_ref().ok_or_else(|| broken(&model, stopped()))?;
        match jobs.try_send(job) {
            Ok(()) => Ok(Box::pin(ReceiverStream::new(stream))),
            Err(TrySendError::Full(_)) => Err(BackendError::Busy { model, retry_after: None }),
            Err(TrySendError::Closed(_)) => Err(broken(&model, stopped())),
        }
    }

    fn count_tokens(&self, text: &str) -> u32 {
        let tokens = self.shared.model.vocab().tokenize(text.as_bytes(), false, false);
        u32::try_from(tokens.len()).unwrap_or(u32::MAX)
    }

    fn prompt_tokens(&self, messages: &[Message]) -> u32 {
        let Ok(prompt) = self.shared.template.render(messages) else { return 0 };
        u32::try_from(self.shared.tokens(&prompt).len()).unwrap_or(u32::MAX)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!(model = self.shared.info.model, "the engine's thread panicked");
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engine").field("info", &self.shared.info).finish_non_exhaustive()
    }
}

impl Shared {
    /// The prompt's tokens, what has read them before, and what holds the answer to its schema.
    fn prepare(&self, request: &ChatRequest) -> Result<Prepared, BackendError> {
        let model = &self.info.model;
        let refused = |reason| BackendError::Refused { model: model.clone(), reason };
        let prompt = self.template.render(&request.messages).map_err(refused)?;
        let prompt = self.tokens(&prompt);
        if prompt.is_empty() {
            return Err(refused("the prompt is empty".to_owned()));
        }
        let prompt_tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        if prompt_tokens.saturating_add(request.max_tokens) > self.info.context_tokens {
            return Err(BackendError::ContextOverflow {
                model: model.clone(),
                prompt_tokens,
                is_estimate: false,
                answer_tokens: request.max_tokens,
                limit: self.info.context_tokens,
            });
        }
        let constraint = match &request.response_schema {
            Some(schema) => Some(self.constraint(schema).map_err(refused)?),
            None => None,
        };
        // The last token is read in any case, for its scores.
        let start = prompt.split_last().map_or(&[][..], |(_, start)| start);
        let kept = self.folder.as_ref().and_then(|folder| folder.find(start));
        Ok(Prepared { prompt, kept, constraint })
    }

    /// A rendered prompt's tokens. The tokenizer begins a text the way the model wants it, so a
    /// beginning that the template has written too is dropped.
    fn tokens(&self, prompt: &str) -> Vec<LlamaToken> {
        let vocabulary = self.model.vocab();
        let bos = self.template.bos();
        let prompt = match prompt.strip_prefix(bos) {
            Some(rest) if vocabulary.should_add_bos() => rest,
            _ => prompt,
        };
        vocabulary.tokenize(prompt.as_bytes(), true, true)
    }

    fn constraint(&self, schema: &serde_json::Value) -> Result<Constraint, String> {
        let grammars = self.grammars.get_or_init(|| Grammars::new(&self.model, self.forces_tokens));
        let grammars = grammars.as_ref().map_err(Clone::clone)?;
        grammars.constraint(schema).map_err(|error| error.to_string())
    }
}

fn file_name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn stopped() -> String {
    "the engine's thread has ended".to_owned()
}
