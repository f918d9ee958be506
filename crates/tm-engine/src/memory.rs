//! How much memory and how many cores there are, and how long a context fits.
//!
//! Plain arithmetic over what the model's header says; allocates nothing itself.

use std::{fs, thread};

use llama_cpp_2::{LlamaBackendDevice, LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use sysinfo::System;

use crate::gguf::{Gguf, GgufError};

/// Share of the free memory that the engine may take, in percent; the rest is for everybody else.
const SHARE: u64 = 85;
/// llama.cpp's own structures, the token tables and the constraint's token trie.
const OVERHEAD: u64 = 96 << 20;

/// What a model needs in memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Weights and everything else that does not grow with the context.
    pub(crate) fixed: u64,
    /// Each token held: its keys and values, and its share of the attention scores.
    pub(crate) per_token: u64,
}

impl Footprint {
    /// Takes `batch_tokens` to be the most tokens that are computed at once.
    pub(crate) fn of(gguf: &Gguf, batch_tokens: u32) -> Result<Self, GgufError> {
        let batch = u64::from(batch_tokens);
        let vocabulary = gguf.list_len("tokenizer.ggml.tokens").unwrap_or(0);
        let width = gguf.number("embedding_length")?
            + gguf.number("feed_forward_length").unwrap_or(0)
            + vocabulary;
        let scores = 4 * batch * (gguf.number("attention.head_count")? + 1);
        Ok(Self {
            fixed: gguf.file_bytes + OVERHEAD + 4 * batch * width,
            per_token: gguf.kv_bytes_per_token()? + scores,
        })
    }

    /// The same with so many bytes more.
    pub(crate) fn with(self, bytes: u64) -> Self {
        Self { fixed: self.fixed.saturating_add(bytes), ..self }
    }

    pub(crate) fn bytes(&self, context_tokens: u32) -> u64 {
        self.fixed.saturating_add(self.per_token.saturating_mul(u64::from(context_tokens)))
    }

    /// The longest context that fits into `budget` bytes.
    pub(crate) fn context_tokens(&self, budget: u64) -> u32 {
        let free = budget.saturating_sub(self.fixed);
        u32::try_from(free / self.per_token.max(1)).unwrap_or(u32::MAX)
    }
}

/// Bytes that may be taken now without pushing others out.
pub(crate) fn free_bytes() -> u64 {
    let Ok(mut system) = System::new() else { return 0 };
    system.refresh_memory();
    let free = match system.cgroup_limits() {
        Some(limits) => system.available_memory().min(limits.free_memory),
        None => system.available_memory(),
    };
    free / 100 * SHARE
}

/// Bytes that graphics cards have free; none in a build that cannot use one.
pub(crate) fn card_bytes() -> u64 {
    let devices = list_llama_ggml_backend_devices().into_iter();
    let is_card = |device: &LlamaBackendDevice| match device.device_type {
        LlamaBackendDeviceType::Gpu => true,
        // It computes in the memory that was counted already.
        LlamaBackendDeviceType::IntegratedGpu
        | LlamaBackendDeviceType::Cpu
        | LlamaBackendDeviceType::Accelerator
        | LlamaBackendDeviceType::Unknown => false,
    };
    let free: u64 = devices.filter(is_card).map(|device| device.memory_free as u64).sum();
    free / 100 * SHARE
}

/// Whether what computes has a unit for matrices: a graphics card, or a processor with AMX, for which
/// llama.cpp is compiled where it is built.
pub(crate) fn multiplies_matrices() -> bool {
    let has_card =
        cfg!(any(feature = "cuda", feature = "metal", feature = "rocm", feature = "vulkan"));
    has_card || fs::read_to_string("/proc/cpuinfo").is_ok_and(|it| it.contains(" amx_int8"))
}

/// Cores that compute: hyper-threads only get in each other's way.
pub(crate) fn cores() -> u32 {
    let usable = thread::available_parallelism().map_or(1, usize::from);
    let physical = System::physical_core_count().unwrap_or(usable);
    u32::try_from(physical.clamp(1, usable)).unwrap_or(1)
}

#[cfg(test)]
mod tests;
