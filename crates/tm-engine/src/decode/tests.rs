//! Tests of `decode`, with the real test model where it is there.

use std::{
    env,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use llama_cpp_2::{LogOptions, model::params::LlamaModelParams, send_logs_to_tracing};

use super::*;

/// The model and some of its tokens; `None`, and a line that says so, where it was not fetched.
pub(crate) fn model() -> Option<&'static (LlamaBackend, Arc<LlamaModel>)> {
    static MODEL: OnceLock<Option<(LlamaBackend, Arc<LlamaModel>)>> = OnceLock::new();
    let load = || {
        let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let data = || env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
        let file = "task-master/models/smollm2-135m-instruct-q4_1.gguf";
        let path = env::var_os("TASK_MASTER_TEST_MODEL")
            .map(PathBuf::from)
            .or_else(|| data().map(|data| data.join(file)))?;
        if !path.is_file() {
            eprintln!("SKIPPED: there is no test model at {}", path.display());
            return None;
        }
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(false));
        let backend = LlamaBackend::init().unwrap();
        let params = LlamaModelParams::default().with_use_mmap(false);
        let model = LlamaModel::load_from_file(&backend, path, &params).unwrap();
        Some((backend, Arc::new(model)))
    };
    MODEL.get_or_init(load).as_ref()
}

fn decoder(model: &(LlamaBackend, Arc<LlamaModel>)) -> Decoder<'_> {
    decoder_with(model, 1)
}

pub(crate) fn decoder_with(
    (backend, model): &(LlamaBackend, Arc<LlamaModel>),
    threads: u32,
) -> Decoder<'_> {
    let footprint = Footprint { fixed: 0, per_token: 1 << 15 };
    let settings = ContextSettings {
        threads,
        batch_tokens: 128,
        on_card: false,
        sequences: 2,
        footprint,
        most_tokens: 1024,
    };
    let mut decoder = Decoder::new(backend, model, settings, None);
    decoder.resize(256, 256).unwrap();
    decoder
}

fn tokens(model: &LlamaModel, text: &str) -> Vec<LlamaToken> {
    model.vocab().tokenize(text.as_bytes(), false, false)
}

/// Reads `tokens` in one batch; the scores after the last one.
fn read(decoder: &mut Decoder<'_>, sequence: usize, tokens: &[LlamaToken]) -> Vec<f32> {
    decoder.start_batch();
    let mut last = None;
    for token in tokens {
        last = decoder.add(sequence, *token, true);
    }
    decoder.compute().unwrap();
    decoder.scores(last.unwrap()).to_vec()
}

#[track_caller]
fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let difference = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 0.05, "{difference}");
}

#[test]
fn a_sequence_that_was_cut_goes_on_as_if_it_had_never_been_longer() {
    let Some(model) = model() else { return };
    let (start, wrong, right) = (
        tokens(&model.1, "The capital of France"),
        tokens(&model.1, " was never found by anybody"),
        tokens(&model.1, " is the city of"),
    );
    let mut plain = decoder(model);
    read(&mut plain, 0, &start);
    let expected = read(&mut plain, 0, &right);

    let mut cut = decoder(model);
    read(&mut cut, 0, &start);
    read(&mut cut, 0, &wrong);
    cut.truncate(0, start.len()).unwrap();
    assert_close(&read(&mut cut, 0, &right), &expected);
    assert_eq!(cut.held().len(0), start.len() + right.len());
}

#[test]
fn a_copied_start_is_as_good_as_reading_it() {
    let Some(model) = model() else { return };
    let (start, other, rest) = (
        tokens(&model.1, "The capital of France"),
        tokens(&model.1, " was never found by anybody"),
        tokens(&model.1, " is the city of"),
    );
    let mut plain = decoder(model);
    read(&mut plain, 0, &start);
    let expected = read(&mut plain, 0, &rest);

    let mut copied = decoder(model);
    read(&mut copied, 0, &start);
    read(&mut copied, 0, &other);
    copied.copy(Held { sequence: 0, tokens: start.len() }, 1).unwrap();
    assert_close(&read(&mut copied, 1, &rest), &expected);
}

#[test]
fn a_batch_without_room_changes_nothing() {
    let Some(model) = model() else { return };
    let mut decoder = decoder(model);
    let text = tokens(&model.1, &"word ".repeat(300));
    let mut parts = text.chunks_exact(100);
    read(&mut decoder, 0, parts.next().unwrap());
    read(&mut decoder, 0, parts.next().unwrap());
    decoder.start_batch();
    for token in parts.next().unwrap() {
        decoder.add(1, *token, false).unwrap();
    }
    assert_eq!(decoder.capacity(), 256);
    assert!(matches!(decoder.compute(), Err(DecoderError::NoRoom)));
    assert_eq!((decoder.held().len(0), decoder.held().len(1)), (200, 0));

    decoder.truncate(0, 0).unwrap();
    decoder.compute().unwrap();
    assert_eq!((decoder.held().len(0), decoder.held().len(1)), (0, 100));
}

#[test]
fn a_context_beyond_its_limit_is_never_made() {
    let Some(model) = model() else { return };
    let error = decoder(model).resize(2000, 2000).unwrap_err();
    assert!(matches!(error, DecoderError::OutOfMemory { .. }), "{error}");
}
