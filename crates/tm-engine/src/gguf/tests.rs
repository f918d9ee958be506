//! Tests of `gguf`, on files made here.

use std::io::Write as _;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, key: &str, value: u32) {
    text(out, key);
    out.extend(4_u32.to_le_bytes());
    out.extend(value.to_le_bytes());
}

/// A whole file: seven values, and one tensor of 64 numbers in `Q4_1`, which is 40 bytes.
fn whole() -> Vec<u8> {
    let mut file = b"GGUF".to_vec();
    file.extend(3_u32.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend(7_u64.to_le_bytes());
    text(&mut file, "general.architecture");
    file.extend(STRING.to_le_bytes());
    text(&mut file, "llama");
    number(&mut file, "llama.block_count", 30);
    number(&mut file, "llama.embedding_length", 576);
    number(&mut file, "llama.attention.head_count", 9);
    text(&mut file, "llama.attention.head_count_kv");
    file.extend(ARRAY.to_le_bytes());
    file.extend(5_u32.to_le_bytes());
    file.extend(2_u64.to_le_bytes());
    file.extend(3_i32.to_le_bytes());
    file.extend(2_i32.to_le_bytes());
    text(&mut file, "tokenizer.ggml.tokens");
    file.extend(ARRAY.to_le_bytes());
    file.extend(STRING.to_le_bytes());
    file.extend(2_u64.to_le_bytes());
    text(&mut file, "a");
    text(&mut file, "b");
    text(&mut file, "scale");
    file.extend(6_u32.to_le_bytes());
    file.extend(0.5_f32.to_le_bytes());
    text(&mut file, "token_embd.weight");
    file.extend(1_u32.to_le_bytes());
    file.extend(64_u64.to_le_bytes());
    file.extend(3_u32.to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.resize(file.len().next_multiple_of(32) + 40, 0);
    file
}

fn read_bytes(bytes: &[u8]) -> Result<Gguf, GgufError> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(file.path())
}

#[test]
fn a_whole_file_says_what_it_is() {
    let gguf = read_bytes(&whole()).unwrap();
    assert_eq!(gguf.architecture().unwrap(), "llama");
    assert_eq!(gguf.list_len("tokenizer.ggml.tokens"), Some(2));
    assert_eq!(gguf.file_bytes, whole().len() as u64);
    // Keys and values of 64 halves each, for 3 heads in 30 layers.
    assert_eq!(gguf.kv_bytes_per_token().unwrap(), 2 * 2 * 64 * 3 * 30);
    let missing = gguf.number("context_length").unwrap_err().to_string();
    assert_eq!(missing, "it does not say its llama.context_length");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = whole();
    for length in 4..whole.len() {
        let error = read_bytes(&whole[..length]).unwrap_err();
        assert!(matches!(error, GgufError::Truncated { .. }), "{length}: {error}");
    }
}

#[test]
fn something_else_is_no_gguf_file() {
    for bytes in [b"".as_slice(), b"GG", b"<!DOCTYPE html><html>"] {
        assert!(matches!(read_bytes(bytes), Err(GgufError::NotGguf)));
    }
    assert!(matches!(read_bytes(b"GGUF\x01\0\0\0"), Err(GgufError::Version(1))));
    assert!(matches!(read(Path::new("/nowhere.gguf")), Err(GgufError::Unreadable(_))));
}

proptest! {
    #[test]
    fn a_damaged_header_is_an_error_or_harmless(at in 0_usize..400, value: [u8; 8]) {
        let mut bytes = whole();
        let at = at.min(bytes.len() - 8);
        bytes[at..at + 8].copy_from_slice(&value);
        if let Ok(gguf) = read_bytes(&bytes) {
            prop_assert_eq!(gguf.file_bytes, bytes.len() as u64);
        }
    }
}
