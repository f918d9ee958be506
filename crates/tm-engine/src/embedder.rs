//! Texts become vectors: a model that reads and does not write, in this process.
//!
//! Each core has a thread with a context of its own, so that none waits for another: one that is
//! held up by other programs holds up nobody. Short texts share a step. A text that is longer than
//! the model reads at once is read in windows of equal length, whose vectors are averaged by their
//! lengths, so that no word is left out. Start at [`Embedder`].

use std::{
    fmt,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use async_trait::async_trait;
use llama_cpp_2::{
    context::{LlamaContext, params::LlamaContextParams},
    llama_batch::LlamaBatch,
    model::LlamaModel,
    token::LlamaToken,
};
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    chat::ChatRequest,
    embed::{EmbedRequest, Embeddings},
};
use tokio::{
    sync::{mpsc, oneshot},
    task, time,
};

use crate::{EngineOptions, answer::broken, decode::CREATING, file_name, load, stopped};

/// Steps that may wait for a thread; whoever asks for more waits with them.
const QUEUE: usize = 64;
/// Texts that share a step at most.
const MOST_TOGETHER: usize = 16;

/// An embedding model in this process.
///
/// Dropping it fails what is under way, waits for the steps that are being computed and frees the
/// memory.
pub struct Embedder {
    info: ModelInfo,
    model: Arc<LlamaModel>,
    steps: Option<mpsc::Sender<Step>>,
    workers: Vec<JoinHandle<()>>,
}

/// What a thread computes at once.
struct Step {
    windows: Vec<Vec<LlamaToken>>,
    deadline: Instant,
    /// A vector for each window.
    answer: oneshot::Sender<Result<Vec<Vec<f32>>, BackendError>>,
}

/// A piece of a text that the model reads at once.
struct Window {
    text: usize,
    tokens: Vec<LlamaToken>,
}

type Steps = Arc<Mutex<mpsc::Receiver<Step>>>;

impl Embedder {
    /// Reads the model at `path`; see [`Self::load_in_background`].
    ///
    /// # Errors
    /// [`BackendError::Load`] for a file that is missing, damaged or no embedding model, and
    /// [`BackendError::OutOfMemory`] before anything is loaded.
    pub fn load(path: &Path, options: &EngineOptions) -> Result<Self, BackendError> {
        let name = options.model.clone().unwrap_or_else(|| file_name(path));
        let loaded = load::load_embedder(path, &name, options)?;
        let info = ModelInfo {
            provider: "embedded".to_owned(),
            model: name,
            context_tokens: loaded.context_tokens,
            parallel: loaded.threads,
            whole_answers: false,
        };
        let model = Arc::clone(&loaded.model);
        let (sender, queue) = mpsc::channel(QUEUE);
        let (loaded, queue) = (Arc::new(loaded), Arc::new(Mutex::new(queue)));
        let mut embedder = Self { info, model, steps: Some(sender), workers: Vec::new() };
        for _ in 0..loaded.threads {
            let worker = thread::Builder::new().name("embedder".to_owned()).spawn({
                let (loaded, queue) = (Arc::clone(&loaded), Arc::clone(&queue));
                let name = embedder.info.model.clone();
                move || run(&loaded, &name, &queue)
            });
            embedder.workers.push(worker.map_err(|error| BackendError::Load {
                path: path.to_owned(),
                reason: format!("no thread for it: {error}"),
            })?);
        }
        Ok(embedder)
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
impl Backend for Embedder {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// It is loaded; only one whose threads have all broken down cannot be used.
    async fn prepare(&self) -> Result<(), BackendError> {
        let is_over = self.steps.as_ref().is_none_or(mpsc::Sender::is_closed);
        if is_over { Err(broken(&self.info.model, stopped())) } else { Ok(()) }
    }

    async fn stream(&self, _request: ChatRequest) -> Result<ChatStream, BackendError> {
        let reason = "it makes vectors and writes nothing".to_owned();
        Err(BackendError::Refused { model: self.info.model.clone(), reason })
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, BackendError> {
        let model = &self.info.model;
        let own = u32::try_from(self.model.n_embd()).unwrap_or(0);
        if request.dimensions.is_some_and(|it| it != own) {
            let reason = format!("its vectors have {own} dimensions and no other number");
            return Err(BackendError::Refused { model: model.clone(), reason });
        }
        let EmbedRequest { texts, deadline, .. } = request;
        let (count, loaded) = (texts.len(), Arc::clone(&self.model));
        let context_tokens = usize::try_from(self.info.context_tokens).unwrap_or(1);
        let windows = task::spawn_blocking(move || windows(&loaded, &texts, context_tokens));
        let windows = windows.await.map_err(|error| broken(model, error.to_string()))?;
        let late = || BackendError::DeadlineExceeded { model: model.clone() };
        let computed = self.compute(&windows, context_tokens, deadline);
        let computed = time::timeout_at(deadline.into(), computed);
        let computed = computed.await.map_err(|_| late())??;

        let mut vectors = vec![vec![0.0; usize::try_from(own).unwrap_or(0)]; count];
        for (window, vector) in windows.iter().zip(&computed) {
            let weight = f32::from(u16::try_from(window.tokens.len()).unwrap_or(u16::MAX));
            for (sum, number) in vectors.get_mut(window.text).into_iter().flatten().zip(vector) {
                *sum += number * weight;
            }
        }
        for vector in &mut vectors {
            normalise(vector);
        }
        let read: usize = windows.iter().map(|it| it.tokens.len()).sum();
        Ok(Embeddings { vectors, prompt_tokens: u32::try_from(read).unwrap_or(u32::MAX) })
    }

    fn count_tokens(&self, text: &str) -> u32 {
        let tokens = self.model.vocab().tokenize(text.as_bytes(), false, false);
        u32::try_from(tokens.len()).unwrap_or(u32::MAX)
    }
}

impl Drop for Embedder {
    fn drop(&mut self) {
        self.steps = None;
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!(model = self.info.model, "an embedder's thread panicked");
            }
        }
    }
}

impl fmt::Debug for Embedder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Embedder").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Embedder {
    /// A vector for each window, in their order.
    async fn compute(
        &self,
        windows: &[Window],
        context_tokens: usize,
        deadline: Instant,
    ) -> Result<Vec<Vec<f32>>, BackendError> {
        let model = &self.info.model;
        let steps = self.steps.as_ref().ok_or_else(|| broken(model, stopped()))?;
        let (mut rest, mut answers) = (windows, Vec::new());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest, context_tokens));
            let (answer, answered) = oneshot::channel();
            let windows = now.iter().map(|it| it.tokens.clone()).collect();
            let sent = steps.send(Step { windows, deadline, answer }).await;
            sent.map_err(|_| broken(model, stopped()))?;
            answers.push(answered);
            rest = later;
        }
        let mut vectors = Vec::with_capacity(windows.len());
        for answer in answers {
            vectors.extend(answer.await.unwrap_or_else(|_| Err(broken(model, stopped())))?);
        }
        Ok(vectors)
    }
}

/// The texts' tokens in pieces that fit, each between the marks that the model wants.
fn windows(model: &LlamaModel, texts: &[String], context_tokens: usize) -> Vec<Window> {
    let vocabulary = model.vocab();
    let mut windows = Vec::new();
    for (text, words) in texts.iter().enumerate() {
        let whole = vocabulary.tokenize(words.as_bytes(), true, false);
        if whole.len() <= context_tokens {
            windows.push(Window { text, tokens: whole });
            continue;
        }
        let plain = vocabulary.tokenize(words.as_bytes(), false, false);
        let marks = whole.len().saturating_sub(plain.len());
        let before = usize::from(whole.first() != plain.first());
        let begins = whole.get(..before).unwrap_or_default();
        let ends = whole.get(plain.len() + before..).unwrap_or_default();
        let room = context_tokens.saturating_sub(marks).max(1);
        let count = plain.len().div_ceil(room).max(1);
        for piece in plain.chunks(plain.len().div_ceil(count).max(1)) {
            windows.push(Window { text, tokens: [begins, piece, ends].concat() });
        }
    }
    windows
}

/// How many of the next windows fit into one step; at least one.
fn fitting(windows: &[Window], context_tokens: usize) -> usize {
    let mut tokens = 0;
    let fits = windows.iter().take(MOST_TOGETHER).take_while(|it| {
        tokens += it.tokens.len();
        tokens <= context_tokens
    });
    fits.count().max(1)
}

/// Computes until nobody can ask any more.
fn run(loaded: &load::LoadedEmbedder, name: &str, steps: &Steps) {
    let mut context = context(loaded);
    loop {
        // Whoever waits for a step keeps the others waiting, and computes without them.
        let next = steps.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(step) = next else { return };
        if step.answer.is_closed() {
            continue;
        }
        let computed = match &mut context {
            _ if Instant::now() > step.deadline => {
                Err(BackendError::DeadlineExceeded { model: name.to_owned() })
            }
            Ok(context) => compute(context, &step.windows).map_err(|reason| broken(name, reason)),
            Err(reason) => Err(broken(name, reason.clone())),
        };
        // Whoever has gone away wants no answer.
        drop(step.answer.send(computed));
    }
}

fn context(loaded: &load::LoadedEmbedder) -> Result<LlamaContext<'_>, String> {
    let tokens = loaded.context_tokens;
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(tokens))
        .with_n_batch(tokens)
        // A model that reads in both directions has to see all of a text at once.
        .with_n_ubatch(tokens)
        .with_n_seq_max(u32::try_from(MOST_TOGETHER).unwrap_or(1))
        .with_n_threads(1)
        .with_n_threads_batch(1)
        .with_embeddings(true);
    let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    loaded.model.new_context(loaded.backend, params).map_err(|error| error.to_string())
}

fn compute(
    context: &mut LlamaContext<'_>,
    windows: &[Vec<LlamaToken>],
) -> Result<Vec<Vec<f32>>, String> {
    let tokens = windows.iter().map(Vec::len).sum();
    let mut batch = LlamaBatch::new(tokens, 1);
    for (sequence, window) in (0..).zip(windows) {
        let added = batch.add_sequence(window, sequence, true);
        added.map_err(|error| error.to_string())?;
    }
    context.encode(&mut batch).map_err(|error| error.to_string())?;
    let sequences = (0..).zip(windows);
    let vectors = sequences.map(|(sequence, _)| context.embeddings_seq_ith(sequence));
    vectors.map(|it| it.map(<[f32]>::to_vec).map_err(|error| error.to_string())).collect()
}

/// Makes a vector one long, so that the product of two is their cosine.
fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    if length > 0.0 {
        for number in vector {
            *number /= length;
        }
    }
}
