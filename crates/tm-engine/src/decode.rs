//! The model at work: a batch of tokens goes in, scores for the next ones come out.
//!
//! Wraps llama.cpp's context and keeps [`Sequences`] true to what it holds. Knows tokens and
//! sequences, not requests; which tokens to compute is the scheduler's business.

use std::{
    num::NonZeroU32,
    path::Path,
    sync::{Mutex, PoisonError},
};

use llama_cpp_2::{
    DecodeError,
    context::{LlamaContext, params::LlamaContextParams},
    llama_backend::LlamaBackend,
    llama_batch::LlamaBatch,
    model::{LlamaLoraAdapter, LlamaModel},
    token::LlamaToken,
};

use crate::{
    memory::{Footprint, card_bytes, free_bytes},
    prefix::{Held, Sequences},
};

/// Contexts of one model must not be made at the same time, says llama-cpp-2.
pub(crate) static CREATING: Mutex<()> = Mutex::new(());

/// Why no batch was computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecoderError {
    #[error("the context has no room for the batch")]
    NoRoom,
    #[error("the context needs {needed} bytes and {available} are free")]
    OutOfMemory { needed: u64, available: u64 },
    #[error("llama.cpp: {0}")]
    Broken(String),
}

/// How a context is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContextSettings {
    pub(crate) threads: u32,
    /// The most tokens of one batch, which is also what one step computes at once.
    pub(crate) batch_tokens: u32,
    /// Whether a graphics card computes.
    pub(crate) on_card: bool,
    /// How many sequences it can tell apart.
    pub(crate) sequences: u32,
    pub(crate) footprint: Footprint,
    /// The most tokens it may ever hold.
    pub(crate) most_tokens: u32,
}

/// A context, made when the first request arrives and made anew when a longer one does.
pub(crate) struct Decoder<'model> {
    backend: &'model LlamaBackend,
    model: &'model LlamaModel,
    settings: ContextSettings,
    adapter: Option<LlamaLoraAdapter>,
    context: Option<LlamaContext<'model>>,
    batch: LlamaBatch<'static>,
    /// What the batch adds to each sequence once it is computed.
    added: Vec<(usize, LlamaToken)>,
    held: Sequences,
}

impl<'model> Decoder<'model> {
    pub(crate) fn new(
        backend: &'model LlamaBackend,
        model: &'model LlamaModel,
        settings: ContextSettings,
        adapter: Option<LlamaLoraAdapter>,
    ) -> Self {
        Self {
            backend,
            model,
            settings,
            adapter,
            context: None,
            // Each token belongs to one sequence: `add` writes no more, whatever is asked.
            batch: LlamaBatch::new(index(settings.batch_tokens), 1),
            added: Vec::new(),
            held: Sequences::new(index(settings.sequences)),
        }
    }

    pub(crate) fn held(&self) -> &Sequences {
        &self.held
    }

    /// How many tokens all sequences together may hold.
    pub(crate) fn capacity(&self) -> usize {
        self.context.as_ref().map_or(0, |context| index(context.n_ctx()))
    }

    /// Whether a sequence can be cut: a recurrent model remembers only its latest state.
    pub(crate) fn can_rewind(&self) -> bool {
        !self.model.is_recurrent() && !self.model.is_hybrid()
    }

    /// Makes the context anew, for `wanted` tokens or as many as memory allows, but for no less
    /// than `least`. Everything held is lost.
    pub(crate) fn resize(&mut self, least: usize, wanted: usize) -> Result<(), DecoderError> {
        let per_token = self.settings.footprint.per_token;
        let old = per_token.saturating_mul(self.capacity() as u64);
        let card = if self.settings.on_card { card_bytes() } else { 0 };
        let available = free_bytes().max(card).saturating_add(old);
        let fitting = usize::try_from(available / per_token.max(1)).unwrap_or(usize::MAX);
        let most = fitting.min(index(self.settings.most_tokens));
        if least > most {
            let needed = per_token.saturating_mul(least as u64);
            return Err(DecoderError::OutOfMemory { needed, available });
        }
        self.reset();
        let tokens = u32::try_from(wanted.clamp(least, most)).ok().and_then(NonZeroU32::new);
        let threads = i32::try_from(self.settings.threads).unwrap_or(1);
        let params = LlamaContextParams::default()
            .with_n_ctx(tokens)
            .with_n_batch(self.settings.batch_tokens)
            .with_n_ubatch(self.settings.batch_tokens)
            .with_n_seq_max(self.settings.sequences)
            .with_kv_unified(true)
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            // Flash attention slows a CPU's decoding by a third.
            .with_flash_attention_policy(if self.settings.on_card {
                llama_flash_attention::AUTO
            } else {
                llama_flash_attention::DISABLED
            });
        let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
        let broken = |error: String| DecoderError::Broken(error);
        let context = self.model.new_context(self.backend, params);
        let mut context = context.map_err(|error| broken(error.to_string()))?;
        if let Some(adapter) = &mut self.adapter {
            context.lora_adapter_set(adapter, 1.0).map_err(|error| broken(error.to_string()))?;
        }
        self.context = Some(context);
        Ok(())
    }

    /// Forgets everything and frees the context.
    pub(crate) fn reset(&mut self) {
        self.context = None;
        self.held.clear();
        self.start_batch();
    }

    /// Makes `to` begin with what is `held`, and with nothing else.
    pub(crate) fn copy(&mut self, held: Held, to: usize) -> Result<(), DecoderError> {
        if held.sequence == to {
            return self.truncate(to, held.tokens);
        }
        self.truncate(to, 0)?;
        let context = self.context.as_mut().ok_or(DecoderError::NoRoom)?;
        let tokens = u32::try_from(held.tokens).ok();
        context
            .copy_kv_cache_seq(id(held.sequence), id(to), None, tokens)
            .map_err(|error| DecoderError::Broken(error.to_string()))?;
        self.held.copy(held, to);
        Ok(())
    }

    /// Keeps only the first `tokens` of a sequence.
    pub(crate) fn truncate(&mut self, sequence: usize, tokens: usize) -> Result<(), DecoderError> {
        if self.held.len(sequence) <= tokens {
            return Ok(());
        }
        if let Some(context) = &mut self.context {
            let start = (tokens > 0).then(|| u32::try_from(tokens).ok()).flatten();
            let cut = context
                .clear_kv_cache_seq(u32::try_from(sequence).ok(), start, None)
                .map_err(|error| DecoderError::Broken(error.to_string()))?;
            if !cut {
                return Err(DecoderError::Broken("a sequence could not be cut".to_owned()));
            }
        }
        self.held.truncate(sequence, tokens);
        Ok(())
    }

    /// Writes what a sequence holds to a file that is there.
    pub(crate) fn save(&self, sequence: usize, path: &Path) -> Result<(), DecoderError> {
        let context = self.context.as_ref().ok_or(DecoderError::NoRoom)?;
        let tokens = self.held.start(sequence, self.held.len(sequence)).unwrap_or_default();
        let saved = context.state_seq_save_file(path, id(sequence), tokens);
        saved.map_err(|error| DecoderError::Broken(error.to_string()))?;
        Ok(())
    }

    /// Makes a sequence hold what a file has, which the same model must have saved; nothing when
    /// that cannot be read.
    pub(crate) fn load(&mut self, path: &Path, sequence: usize) -> Result<(), DecoderError> {
        self.truncate(sequence, 0)?;
        let most = self.capacity();
        let context = self.context.as_mut().ok_or(DecoderError::NoRoom)?;
        match context.state_seq_load_file(path, id(sequence), most) {
            Ok((tokens, _)) => {
                for token in tokens {
                    self.held.push(sequence, token);
                }
                Ok(())
            }
            Err(error) => {
                // It may have come half-way.
                drop(context.clear_kv_cache_seq(u32::try_from(sequence).ok(), None, None));
                Err(DecoderError::Broken(error.to_string()))
            }
        }
    }

    pub(crate) fn start_batch(&mut self) {
        self.batch.clear();
        self.added.clear();
    }

    /// How many more tokens the batch takes.
    pub(crate) fn batch_room(&self) -> usize {
        index(self.settings.batch_tokens).saturating_sub(self.added.len())
    }

    /// Adds the token that follows in a sequence. With `scored`, [`Self::scores`] tells what may
    /// come after it, by the index that is the answer; `None` when the batch is full.
    pub(crate) fn add(&mut self, sequence: usize, token: LlamaToken, scored: bool) -> Option<i32> {
        let before = self.added.iter().filter(|(other, _)| *other == sequence).count();
        let position = i32::try_from(self.held.len(sequence) + before).ok()?;
        let index = self.batch.n_tokens();
        self.batch.add(token, position, &[id(sequence)], scored).ok()?;
        self.added.push((sequence, token));
        Some(index)
    }

    /// Computes the batch. On an error nothing is held that was not held before.
    pub(crate) fn compute(&mut self) -> Result<(), DecoderError> {
        let context = self.context.as_mut().ok_or(DecoderError::NoRoom)?;
        match context.decode(&mut self.batch) {
            Ok(()) => {
                for (sequence, token) in self.added.drain(..) {
                    self.held.push(sequence, token);
                }
                Ok(())
            }
            Err(DecodeError::NoKvCacheSlot) => Err(DecoderError::NoRoom),
            Err(error @ (DecodeError::NTokensZero | DecodeError::Unknown(_))) => {
                Err(DecoderError::Broken(error.to_string()))
            }
        }
    }

    /// The scores after the token that [`Self::add`] gave `index` for, once computed.
    pub(crate) fn scores(&self, index: i32) -> &[f32] {
        self.context.as_ref().map_or(&[], |context| context.get_logits_ith(index))
    }
}

/// llama.cpp's switch, which llama-cpp-2 hands out as a bare number.
mod llama_flash_attention {
    pub(super) const AUTO: i32 = -1;
    pub(super) const DISABLED: i32 = 0;
}

/// Sequence ids are small and come from [`ContextSettings::sequences`].
fn id(sequence: usize) -> i32 {
    i32::try_from(sequence).unwrap_or(i32::MAX)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
