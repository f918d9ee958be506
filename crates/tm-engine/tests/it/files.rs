//! What a model file may be.

use std::{fs, path::Path};

use tempfile::TempDir;
use tm_engine::{Engine, EngineOptions};
use tm_llm::backend::{Backend as _, BackendError};

use crate::model_file;

#[track_caller]
fn refused(path: &Path) -> String {
    match Engine::load(path, &EngineOptions::default()).unwrap_err() {
        BackendError::Load { path: told, reason } => {
            assert_eq!(told, path);
            reason
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    assert!(refused(Path::new("/nowhere/model.gguf")).starts_with("it cannot be read"));
}

#[test]
fn a_file_of_something_else_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("page.gguf");
    fs::write(&path, "<!DOCTYPE html>").unwrap();
    assert_eq!(refused(&path), "it is not a GGUF file");
    assert!(refused(folder.path()).starts_with("it cannot be read"));
}

#[test]
fn a_model_without_a_chat_template_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("base.gguf");
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend(0_u64.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    for text in ["general.architecture", "llama"] {
        file.extend((text.len() as u64).to_le_bytes());
        file.extend(text.as_bytes());
        if text.starts_with("general") {
            file.extend(8_u32.to_le_bytes());
        }
    }
    file.resize(file.len().next_multiple_of(32), 0);
    fs::write(&path, file).unwrap();
    assert_eq!(refused(&path), "it has no chat template, so it is no chat model");
}

#[test]
fn a_file_cut_short_is_an_error_that_says_so() {
    let Some(model) = model_file() else { return };
    let whole = fs::read(model).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("half.gguf");
    for length in [1000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let reason = refused(&path);
        assert!(reason.starts_with("it is cut short"), "{length}: {reason}");
    }
}

#[test]
fn too_little_memory_is_an_error_before_anything_is_loaded() {
    let Some(model) = model_file() else { return };
    let options = EngineOptions { memory_mib: Some(120), ..EngineOptions::default() };
    match Engine::load(&model, &options).unwrap_err() {
        BackendError::OutOfMemory { needed_mib, available_mib, .. } => {
            assert!(needed_mib > 120);
            assert_eq!(available_mib, 120);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn little_memory_makes_the_context_short() {
    let Some(model) = model_file() else { return };
    let options = EngineOptions { memory_mib: Some(400), ..EngineOptions::default() };
    let context = Engine::load(&model, &options).unwrap().info().context_tokens;
    assert!((2048..8192).contains(&context), "{context}");
}

#[tokio::test]
async fn a_model_is_loaded_beside_the_runtime_and_named_by_its_file() {
    let Some(model) = model_file() else { return };
    let name = model.file_stem().unwrap().to_string_lossy().into_owned();
    let loading = Engine::load_in_background(model, EngineOptions::default());
    let engine = loading.await.unwrap();
    assert_eq!(engine.info().model, name);
    assert_eq!(engine.info().provider, "embedded");
    assert_eq!(engine.info().context_tokens, 8192);
}
