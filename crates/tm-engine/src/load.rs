//! A model file becomes a model in memory, or an error that says why not.
//!
//! Everything that can be checked is checked before llama.cpp sees the file, because llama.cpp
//! says no more than that it failed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use llama_cpp_2::{
    LogOptions,
    llama_backend::LlamaBackend,
    model::{LlamaLoraAdapter, LlamaModel, params::LlamaModelParams},
    send_logs_to_tracing,
    token::LlamaToken,
};
use tm_llm::backend::BackendError;
use tokio::task;

use crate::{
    EngineOptions,
    decode::ContextSettings,
    gguf,
    memory::{self, Footprint},
    template::{ChatTemplate, SpecialTokens},
};

/// A model is of no use with a shorter context than this, in tokens.
const SHORTEST_CONTEXT: u32 = 2048;
/// llama.cpp tells this many sequences apart.
const MOST_SEQUENCES: u32 = 256;
/// Embedders that read longer texts are given no more at once: the memory grows with the square.
const LONGEST_TEXT: u32 = 2048;

/// A model in memory and what is known of it.
pub(crate) struct Loaded {
    pub(crate) backend: &'static LlamaBackend,
    pub(crate) model: Arc<LlamaModel>,
    pub(crate) adapter: Option<LlamaLoraAdapter>,
    pub(crate) template: ChatTemplate,
    /// Whether its vocabulary splits a text the same way wherever it stands.
    pub(crate) forces_tokens: bool,
    /// The longest prompt and answer together.
    pub(crate) context_tokens: u32,
    pub(crate) context: ContextSettings,
}

/// An embedding model in memory.
pub(crate) struct LoadedEmbedder {
    pub(crate) backend: &'static LlamaBackend,
    pub(crate) model: Arc<LlamaModel>,
    /// The longest text that it reads at once.
    pub(crate) context_tokens: u32,
    pub(crate) threads: u32,
}

/// Loads what `load` makes of a file, beside the async runtime.
pub(crate) async fn in_background<T: Send + 'static>(
    path: PathBuf,
    load: impl FnOnce(&Path) -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    let loading = task::spawn_blocking({
        let path = path.clone();
        move || load(&path)
    });
    let reason = |error: task::JoinError| BackendError::Load { path, reason: error.to_string() };
    loading.await.map_err(reason)?
}

/// Reads the embedding model at `path`, which errors call `name`.
pub(crate) fn load_embedder(
    path: &Path,
    name: &str,
    options: &EngineOptions,
) -> Result<LoadedEmbedder, BackendError> {
    let fail = |reason: String| BackendError::Load { path: path.to_owned(), reason };
    let gguf = gguf::read(path).map_err(|error| fail(error.to_string()))?;
    if gguf.number("pooling_type").is_err() {
        return Err(fail(
            "it does not say how words become one vector, so it is no embedding \
                         model"
                .to_owned(),
        ));
    }
    let trained = gguf.number("context_length").map_err(|error| fail(error.to_string()))?;
    let context_tokens = u32::try_from(trained).unwrap_or(u32::MAX).clamp(1, LONGEST_TEXT);
    let footprint = Footprint::of(&gguf, context_tokens);
    let needed = footprint.map_err(|error| fail(error.to_string()))?.bytes(context_tokens);
    let free = memory::free_bytes();
    if needed > free {
        let (needed_mib, available_mib) = (needed >> 20, free >> 20);
        let model = name.to_owned();
        return Err(BackendError::OutOfMemory { model, needed_mib, available_mib });
    }
    let backend = backend().ok_or_else(|| fail("llama.cpp did not start".to_owned()))?;
    let model = weights(backend, path, &gguf, options.gpu_layers)?;
    let threads = options.threads.unwrap_or_else(memory::cores).max(1);
    Ok(LoadedEmbedder { backend, model: Arc::new(model), context_tokens, threads })
}

/// Reads the model at `path`, which errors call `name`.
pub(crate) fn load(
    path: &Path,
    name: &str,
    options: &EngineOptions,
) -> Result<Loaded, BackendError> {
    let fail = |reason: String| BackendError::Load { path: path.to_owned(), reason };
    let gguf = gguf::read(path).map_err(|error| fail(error.to_string()))?;
    let template = gguf
        .text("tokenizer.chat_template")
        .ok_or_else(|| fail("it has no chat template, so it is no chat model".to_owned()))?;
    let batch_tokens = options.batch_tokens.max(1);
    let footprint = Footprint::of(&gguf, batch_tokens).map_err(|error| fail(error.to_string()))?;
    let adapter_bytes =
        options.adapter.as_deref().map(|it| adapter_bytes(&gguf, it)).transpose()?;
    let footprint = footprint.with(adapter_bytes.unwrap_or_default());
    let trained = gguf.number("context_length").map_err(|error| fail(error.to_string()))?;
    let trained = u32::try_from(trained).unwrap_or(u32::MAX);
    let backend = backend().ok_or_else(|| fail("llama.cpp did not start".to_owned()))?;
    let on_card = if options.gpu_layers == Some(0) { 0 } else { memory::card_bytes() };
    let free = memory::free_bytes().max(on_card);
    let budget = options.memory_mib.map_or(free, |mib| free.min(mib.saturating_mul(1 << 20)));
    let needed = footprint.bytes(trained.min(SHORTEST_CONTEXT));
    if needed > budget {
        return Err(BackendError::OutOfMemory {
            model: name.to_owned(),
            needed_mib: needed >> 20,
            available_mib: budget >> 20,
        });
    }
    let mut model = weights(backend, path, &gguf, options.gpu_layers)?;
    let adapter = options.adapter.as_deref().map(|it| adapter(&mut model, it));
    let template = ChatTemplate::compile(template, special_tokens(&model))
        .map_err(|reason| fail(format!("its chat template is broken: {reason}")))?;
    let most_tokens = footprint.context_tokens(budget);
    Ok(Loaded {
        backend,
        model: Arc::new(model),
        adapter: adapter.transpose()?,
        template,
        forces_tokens: gguf.text("tokenizer.ggml.model") == Some("gpt2"),
        context_tokens: trained.min(most_tokens),
        context: ContextSettings {
            threads: options.threads.unwrap_or_else(memory::cores).max(1),
            batch_tokens,
            on_card: on_card > 0,
            // Twice as many as work together, so that what one group of requests has read
            // outlasts another group.
            sequences: options.parallel.saturating_mul(2).clamp(2, MOST_SEQUENCES),
            footprint,
            most_tokens,
        },
    })
}

fn weights(
    backend: &LlamaBackend,
    path: &Path,
    gguf: &gguf::Gguf,
    gpu_layers: Option<u32>,
) -> Result<LlamaModel, BackendError> {
    let fail = |reason: String| BackendError::Load { path: path.to_owned(), reason };
    let architecture = gguf.architecture().map_err(|error| fail(error.to_string()))?;
    // Mapped weights would be in memory twice: the kernels want them in another order.
    let mut params = LlamaModelParams::default().with_use_mmap(false);
    if let Some(layers) = gpu_layers {
        params = params.with_n_gpu_layers(layers);
    }
    LlamaModel::load_from_file(backend, path, &params)
        .map_err(|error| fail(format!("llama.cpp refused it ({architecture}): {error}")))
}

/// How large the `LoRA` adapter at `path` is, which must be for this kind of model.
fn adapter_bytes(gguf: &gguf::Gguf, path: &Path) -> Result<u64, BackendError> {
    let fail = |reason: String| BackendError::Load { path: path.to_owned(), reason };
    let own = gguf::read(path).map_err(|error| fail(error.to_string()))?;
    if own.text("adapter.type") != Some("lora") {
        return Err(fail("it is no LoRA adapter".to_owned()));
    }
    let its = own.architecture().map_err(|error| fail(error.to_string()))?;
    let theirs = gguf.architecture().map_err(|error| fail(error.to_string()))?;
    if theirs != its {
        return Err(fail(format!("it was trained for {its}, and the model is {theirs}")));
    }
    Ok(own.file_bytes)
}

/// Reads the `LoRA` adapter at `path`, which must be for this very model.
fn adapter(model: &mut LlamaModel, path: &Path) -> Result<LlamaLoraAdapter, BackendError> {
    model.lora_adapter_init(path).map_err(|_| BackendError::Load {
        path: path.to_owned(),
        reason: "llama.cpp refused it: it was trained for a model of other shapes".to_owned(),
    })
}

/// llama.cpp itself, started once and never stopped; its own log lines go nowhere.
fn backend() -> Option<&'static LlamaBackend> {
    static BACKEND: OnceLock<Option<LlamaBackend>> = OnceLock::new();
    let start = || {
        // Its way into `tracing` aborts the process on lines without a level.
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(false));
        LlamaBackend::init().ok()
    };
    BACKEND.get_or_init(start).as_ref()
}

fn special_tokens(model: &LlamaModel) -> SpecialTokens {
    let vocabulary = model.vocab();
    let text = |token: LlamaToken| {
        let bytes = vocabulary.token_to_piece(token, true, None);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    // A model without the token has a negative number for it.
    let named = |token: LlamaToken| if token.0 < 0 { String::new() } else { text(token) };
    let control = vocabulary.tokens().filter(|token| vocabulary.is_control(*token)).map(text);
    SpecialTokens {
        bos: named(vocabulary.bos()),
        eos: named(vocabulary.eos()),
        // One of a single character could not be broken up; none is known.
        control: control.filter(|text| text.chars().nth(1).is_some()).collect(),
    }
}
