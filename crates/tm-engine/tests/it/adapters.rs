//! `LoRA` adapters: laid over a model, or refused.

use std::{fs, path::Path};

use tempfile::TempDir;
use tm_engine::{Engine, EngineOptions};
use tm_llm::backend::BackendError;

use crate::{ask, model_file, request};

/// Rows and columns of the test model's attention output.
const WIDTH: u64 = 576;

fn text(file: &mut Vec<u8>, text: &str) {
    file.extend((text.len() as u64).to_le_bytes());
    file.extend(text.as_bytes());
}

/// Writes an adapter of rank 1 for the first layer, which adds `weight` times the sum of the inputs
/// to every output.
fn write(path: &Path, architecture: &str, weight: f32) {
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    for count in [2_u64, 4] {
        file.extend(count.to_le_bytes());
    }
    let texts = [
        ("general.type", "adapter"),
        ("general.architecture", architecture),
        ("adapter.type", "lora"),
    ];
    for (key, value) in texts {
        text(&mut file, key);
        file.extend(8_u32.to_le_bytes());
        text(&mut file, value);
    }
    text(&mut file, "adapter.lora.alpha");
    file.extend(6_u32.to_le_bytes());
    file.extend(1_f32.to_le_bytes());
    for (side, shape, offset) in [("a", [WIDTH, 1], 0), ("b", [1, WIDTH], WIDTH * 4)] {
        text(&mut file, &format!("blk.0.attn_output.weight.lora_{side}"));
        file.extend(2_u32.to_le_bytes());
        for length in shape {
            file.extend(length.to_le_bytes());
        }
        file.extend(0_u32.to_le_bytes());
        file.extend(offset.to_le_bytes());
    }
    file.resize(file.len().next_multiple_of(32), 0);
    for value in [1.0, weight] {
        file.extend((0..WIDTH).flat_map(|_| f32::to_le_bytes(value)));
    }
    fs::write(path, file).unwrap();
}

fn with(adapter: Option<&Path>) -> Result<Engine, BackendError> {
    let adapter = adapter.map(Path::to_owned);
    Engine::load(&model_file().unwrap(), &EngineOptions { adapter, ..EngineOptions::default() })
}

#[tokio::test]
async fn an_adapter_changes_what_the_model_says_and_one_of_zeros_does_not() {
    if model_file().is_none() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("adapter.gguf");
    let mut answers = Vec::new();
    for weight in [None, Some(0.0), Some(0.5)] {
        let adapter = weight.map(|weight| {
            write(&path, "llama", weight);
            path.as_path()
        });
        let engine = with(adapter).unwrap();
        answers.push(ask(&engine, request("Name a colour.", None, 16)).await.unwrap().text);
    }
    assert_eq!(answers[0], answers[1]);
    assert_ne!(answers[0], answers[2]);
}

#[test]
fn what_is_no_adapter_for_the_model_is_an_error_that_names_the_file() {
    let Some(model) = model_file() else { return };
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("other.gguf");
    write(&other, "qwen2", 0.0);
    let gone = folder.path().join("gone.gguf");
    for (adapter, why) in [
        (&other, "it was trained for qwen2, and the model is llama"),
        (&model, "it is no LoRA adapter"),
        (&gone, "it cannot be read"),
    ] {
        match with(Some(adapter)).unwrap_err() {
            BackendError::Load { path, reason } => {
                assert_eq!(&path, adapter);
                assert!(reason.starts_with(why), "{reason}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_adapter_takes_memory_as_its_model_does() {
    if model_file().is_none() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("adapter.gguf");
    write(&path, "llama", 0.0);
    // A hole that takes no space on the disk.
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 42).unwrap();
    match with(Some(&path)).unwrap_err() {
        BackendError::OutOfMemory { needed_mib, .. } => assert!(needed_mib > 1 << 22),
        other => panic!("{other}"),
    }
}
