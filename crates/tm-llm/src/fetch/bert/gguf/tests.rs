//! A model of one layer, as small as `Q8_0` allows.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const WIDTH: usize = 32;
const SHAPE: Shape = Shape { heads: 2, context_tokens: 3 };
const WORDS: &str = "[PAD]\nbread\n##s\n";

/// Names and shapes of all tensors.
fn described() -> Vec<(String, Vec<usize>)> {
    let mut all = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![3, WIDTH]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![5, WIDTH]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, WIDTH]),
        ("embeddings.LayerNorm.weight".to_owned(), vec![WIDTH]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![WIDTH]),
    ];
    for (name, _) in LAYER {
        let (out, into) = match name {
            "intermediate.dense" => (64, WIDTH),
            "output.dense" => (WIDTH, 64),
            _ => (WIDTH, WIDTH),
        };
        let weight = if name.ends_with("LayerNorm") { vec![WIDTH] } else { vec![out, into] };
        all.push((layer(0, &format!("{name}.weight")), weight));
        all.push((layer(0, &format!("{name}.bias")), vec![out]));
    }
    all
}

/// A `safetensors` file with every number a half.
fn published() -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in described() {
        let start = data.len();
        for _ in 0..shape.iter().product::<usize>() {
            data.extend(0.5_f32.to_le_bytes());
        }
        let offsets = [start, data.len()];
        header.insert(name, json!({"dtype": "F32", "shape": shape, "data_offsets": offsets}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    [(header.len() as u64).to_le_bytes().as_slice(), &header, &data].concat()
}

/// What is published of the model, its word list, and the file that is made of them.
pub(in crate::fetch) fn tiny() -> (Vec<u8>, &'static str, Vec<u8>) {
    (published(), WORDS, convert(&published(), WORDS, SHAPE).unwrap())
}

#[test]
fn a_published_model_becomes_a_gguf_file() {
    let file = convert(&published(), WORDS, SHAPE).unwrap();
    assert_eq!(&file[..8], b"GGUF\x03\0\0\0");
    let has = |text: &str| file.windows(text.len()).any(|it| it == text.as_bytes());
    assert!(has("bert.pooling_type") && has("blk.0.ffn_down.weight") && has("\u{2581}bread"));
    // What goes on within a word has no mark of its own, and what no text has keeps its brackets.
    assert!(!has("##s") && has("[PAD]") && !has("\u{2581}["));
    // The scale of a block whose numbers are all a half, and the numbers.
    let scale = half_precision(0.5 / 127.0).to_le_bytes();
    let block = [scale.as_slice(), &[127; BLOCK]].concat();
    assert!(file.windows(block.len()).any(|it| it == block));
    assert_eq!(file, convert(&published(), WORDS, SHAPE).unwrap());
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let longer = Shape { context_tokens: 9, ..SHAPE };
    for (words, shape, reason) in
        [("[PAD]\nbread\n", SHAPE, "another number of words"), (WORDS, longer, "fewer than 9 rows")]
    {
        let error = convert(&published(), words, shape).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

/// A number of half precision.
fn single(half: u16) -> f32 {
    let (exponent, significand) = (i32::from(half >> 10), f32::from(half & 0x03FF));
    match exponent {
        0 => significand * 2.0_f32.powi(-24),
        _ => (1024.0 + significand) * 2.0_f32.powi(exponent - 25),
    }
}

#[test]
fn numbers_of_half_precision_are_the_nearest_ones() {
    let table = [
        (0.0, 0),
        (1.0, 0x3C00),
        (0.1, 0x2E66),
        (65504.0, 0x7BFF),
        (6.103_515_6e-5, 0x0400),
        (6.097_555e-5, 0x03FF),
        (5.960_464_5e-8, 1),
        (1e-9, 0),
    ];
    for (number, bits) in table {
        assert_eq!(half_precision(number), bits, "{number}");
    }
    // Between two neighbours, the even one.
    assert_eq!(half_precision(f32::midpoint(single(0x3C00), single(0x3C01))), 0x3C00);
    assert_eq!(half_precision(f32::midpoint(single(0x3C01), single(0x3C02))), 0x3C02);
}

proptest! {
    #[test]
    fn half_precision_keeps_what_it_can(half in 0_u16..0x7C00) {
        prop_assert_eq!(half_precision(single(half)), half);
    }

    #[test]
    fn a_damaged_file_is_an_error(cut in 0_usize..10_000, at in 0_usize..3000, byte: u8) {
        let mut file = published();
        let whole = file.len();
        file[at] = byte;
        // Whatever comes of it, nothing panics.
        drop(convert(&file, WORDS, SHAPE));
        file = published();
        file.truncate(whole - 1 - cut);
        prop_assert!(convert(&file, WORDS, SHAPE).is_err());
    }

    #[test]
    fn numbers_are_kept_but_for_a_share_of_the_largest(
        numbers in proptest::collection::vec(-4.0_f32..4.0, BLOCK)
    ) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        let block = quantised(&bytes);
        prop_assert_eq!(block.len(), 2 + BLOCK);
        let scale = single(u16::from_le_bytes([block[0], block[1]]));
        let largest = numbers.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        for (number, kept) in numbers.iter().zip(&block[2..]) {
            let kept = f32::from(kept.cast_signed()) * scale;
            prop_assert!((number - kept).abs() <= largest / 200.0);
        }
    }
}
