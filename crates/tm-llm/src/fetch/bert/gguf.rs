//! A BERT model as its makers publish it, written as a GGUF file.
//!
//! Pure: from the bytes of a `safetensors` file and a word list to the bytes of the file, always
//! the same ones, so that the result has a digest like every other model. Matrices are quantised
//! to `Q8_0` as llama.cpp does it; everything else stays as it is. Start at [`convert`].

use serde::Deserialize;
use serde_json::Value;

/// What the files themselves do not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub heads: u32,
    /// The longest text; later positions are left out.
    pub context_tokens: u32,
}

/// A tensor as the header of a `safetensors` file describes it.
#[derive(Deserialize)]
struct Described {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// A tensor on its way into the file.
struct Tensor {
    name: String,
    /// The innermost first.
    dimensions: Vec<usize>,
    kind: u32,
    bytes: Vec<u8>,
}

/// Values of a header, and tensors after it.
#[derive(Default)]
struct Writer {
    values: Vec<u8>,
    count: u64,
}

const F32: u32 = 0;
const Q8_0: u32 = 8;
/// Numbers that share a scale in `Q8_0`.
const BLOCK: usize = 32;
const ALIGNMENT: usize = 32;

/// More than any such model has.
const MOST_LAYERS: usize = 1000;

/// Kinds of values in a header.
const U32_VALUE: u32 = 4;
const I32_VALUE: u32 = 5;
const F32_VALUE: u32 = 6;
const BOOL_VALUE: u32 = 7;
const TEXT_VALUE: u32 = 8;
const LIST_VALUE: u32 = 9;

/// Kinds of tokens: a word, and one that no text has.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;

/// BERT's own, whatever its size.
const EPSILON: f32 = 1e-12;
const POOLED_BY_MEAN: u32 = 1;

/// The names of tensors in a layer, there and here. Both have a `.weight` and a `.bias`.
const LAYER: [(&str, &str); 8] = [
    ("attention.self.query", "attn_q"),
    ("attention.self.key", "attn_k"),
    ("attention.self.value", "attn_v"),
    ("attention.output.dense", "attn_output"),
    ("attention.output.LayerNorm", "attn_output_norm"),
    ("intermediate.dense", "ffn_up"),
    ("output.dense", "ffn_down"),
    ("output.LayerNorm", "layer_output_norm"),
];

/// Writes the model. The error says what is wrong with the files.
pub(super) fn convert(weights: &[u8], vocabulary: &str, shape: Shape) -> Result<Vec<u8>, String> {
    let weights = Weights::read(weights)?;
    let is_there = |it: &usize| weights.has(&layer(*it, "output.dense.weight"));
    let layers = (0..MOST_LAYERS).take_while(is_there).count();
    let tensors = weights.tensors(layers, shape)?;
    let [width, inner] = weights.size(&layer(0, "output.dense.weight"))?;
    let number = |it: usize| u32::try_from(it).map_err(|_| "it is too large".to_owned());
    let mut header = Writer::default();
    header.text("general.architecture", "bert");
    header.number("bert.block_count", number(layers)?);
    header.number("bert.context_length", shape.context_tokens);
    header.number("bert.embedding_length", number(width)?);
    header.number("bert.feed_forward_length", number(inner)?);
    header.number("bert.attention.head_count", shape.heads);
    header.value("bert.attention.layer_norm_epsilon", F32_VALUE, &EPSILON.to_le_bytes());
    header.value("bert.attention.causal", BOOL_VALUE, &[0]);
    header.number("bert.pooling_type", POOLED_BY_MEAN);
    header.text("tokenizer.ggml.model", "bert");
    header.number("tokenizer.ggml.token_type_count", 2);
    let words: Vec<&str> = vocabulary.lines().collect();
    if words.len() != weights.size("embeddings.word_embeddings.weight")?[0] {
        return Err("it has another number of words than its list".to_owned());
    }
    header.words(&words);
    Ok(header.finish(&tensors))
}

fn layer(number: usize, name: &str) -> String {
    format!("encoder.layer.{number}.{name}")
}

/// A `safetensors` file that was read.
struct Weights<'a> {
    header: serde_json::Map<String, Value>,
    data: &'a [u8],
}

impl<'a> Weights<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let broken = || "it is no whole safetensors file".to_owned();
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(broken)?;
        let header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
        Ok(Self { header, data })
    }

    fn has(&self, name: &str) -> bool {
        self.header.contains_key(name)
    }

    fn described(&self, name: &str) -> Result<Described, String> {
        let described = self.header.get(name).ok_or_else(|| format!("it has no {name}"))?;
        Described::deserialize(described).map_err(|error| format!("{name}: {error}"))
    }

    /// The rows and columns of a matrix.
    fn size(&self, name: &str) -> Result<[usize; 2], String> {
        let shape = self.described(name)?.shape;
        shape.try_into().map_err(|_| format!("{name} is no matrix"))
    }

    fn numbers(&self, name: &str) -> Result<(Vec<usize>, &'a [u8]), String> {
        let Described { dtype, shape, data_offsets: (start, end) } = self.described(name)?;
        let bytes = self.data.get(start..end).ok_or_else(|| format!("{name} is cut short"))?;
        let count = shape.iter().try_fold(4_usize, |all, it| all.checked_mul(*it));
        if dtype != "F32" || count != Some(bytes.len()) {
            return Err(format!("{name} has other numbers than it says"));
        }
        Ok((shape, bytes))
    }

    fn tensors(&self, layers: usize, shape: Shape) -> Result<Vec<Tensor>, String> {
        let mut tensors = vec![
            self.tensor("embeddings.word_embeddings.weight", "token_embd.weight".into(), true)?,
            self.positions(shape)?,
            self.tensor(
                "embeddings.token_type_embeddings.weight",
                "token_types.weight".into(),
                false,
            )?,
        ];
        for part in ["weight", "bias"] {
            let name = format!("token_embd_norm.{part}");
            tensors.push(self.tensor(&format!("embeddings.LayerNorm.{part}"), name, false)?);
        }
        for number in 0..layers {
            for (there, here) in LAYER {
                for part in ["weight", "bias"] {
                    let name = format!("blk.{number}.{here}.{part}");
                    let is_matrix = part == "weight" && !there.ends_with("LayerNorm");
                    let from = layer(number, &format!("{there}.{part}"));
                    tensors.push(self.tensor(&from, name, is_matrix)?);
                }
            }
        }
        Ok(tensors)
    }

    fn tensor(&self, from: &str, name: String, is_matrix: bool) -> Result<Tensor, String> {
        let (shape, bytes) = self.numbers(from)?;
        let dimensions: Vec<usize> = shape.into_iter().rev().collect();
        let fits = dimensions.first().is_some_and(|it| it.is_multiple_of(BLOCK));
        if is_matrix && !fits {
            return Err(format!("{from} has rows that cannot be divided by {BLOCK}"));
        }
        let (kind, bytes) =
            if is_matrix { (Q8_0, quantised(bytes)) } else { (F32, bytes.to_vec()) };
        Ok(Tensor { name, dimensions, kind, bytes })
    }

    /// As many positions as texts may be long.
    fn positions(&self, shape: Shape) -> Result<Tensor, String> {
        let from = "embeddings.position_embeddings.weight";
        let mut tensor = self.tensor(from, "position_embd.weight".into(), false)?;
        let [_, width] = self.size(from)?;
        let rows = usize::try_from(shape.context_tokens).unwrap_or(usize::MAX);
        if rows.saturating_mul(width) > tensor.bytes.len() / 4 {
            return Err(format!("{from} has fewer than {rows} rows"));
        }
        tensor.bytes.truncate(rows * width * 4);
        tensor.dimensions = vec![width, rows];
        Ok(tensor)
    }
}

/// Blocks of a scale and 32 whole numbers.
fn quantised(bytes: &[u8]) -> Vec<u8> {
    let mut blocks = Vec::with_capacity(bytes.len() / 3);
    let (numbers, _) = bytes.as_chunks::<4>();
    for block in numbers.chunks(BLOCK) {
        let block: Vec<f32> = block.iter().map(|it| f32::from_le_bytes(*it)).collect();
        let largest = block.iter().fold(0.0_f32, |largest, it| largest.max(it.abs()));
        let scale = largest / 127.0;
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        blocks.extend(half_precision(scale).to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "none is larger than 127")]
        blocks.extend(block.iter().map(|it| ((it * inverse).round() as i8).to_le_bytes()[0]));
    }
    blocks
}

/// The bits of a number of half precision that is nearest to a positive one; of two, the even one.
fn half_precision(number: f32) -> u16 {
    const SIGNIFICAND_BITS: u32 = 23;
    /// What the two kinds of numbers begin to count exponents at.
    const BIAS: u32 = 127 - 15;
    let bits = number.to_bits();
    let (exponent, significand) = (bits >> SIGNIFICAND_BITS, bits & 0x007F_FFFF);
    let (whole, lost_bits) = if exponent > BIAS {
        (((exponent - BIAS) << SIGNIFICAND_BITS) | significand, 13)
    } else {
        // Too small for an exponent of its own.
        (significand | 0x0080_0000, (14 + BIAS - exponent).min(31))
    };
    let (kept, lost) = (whole >> lost_bits, whole & ((1 << lost_bits) - 1));
    let middle = 1 << (lost_bits - 1);
    let is_up = lost > middle || (lost == middle && kept & 1 == 1);
    u16::try_from(kept + u32::from(is_up)).unwrap_or(u16::MAX)
}

impl Writer {
    fn value(&mut self, key: &str, kind: u32, bytes: &[u8]) {
        put_text(&mut self.values, key);
        self.values.extend(kind.to_le_bytes());
        self.values.extend(bytes);
        self.count += 1;
    }

    fn number(&mut self, key: &str, number: u32) {
        self.value(key, U32_VALUE, &number.to_le_bytes());
    }

    fn text(&mut self, key: &str, text: &str) {
        let mut bytes = Vec::new();
        put_text(&mut bytes, text);
        self.value(key, TEXT_VALUE, &bytes);
    }

    /// The word list: what goes on within a word has lost its `##`, what begins one has a mark.
    fn words(&mut self, words: &[&str]) {
        let is_control = |it: &str| it.starts_with('[') && it.ends_with(']') && it.len() > 2;
        let list = |kind: u32| {
            let mut bytes = kind.to_le_bytes().to_vec();
            bytes.extend((words.len() as u64).to_le_bytes());
            bytes
        };
        let (mut tokens, mut kinds) = (list(TEXT_VALUE), list(I32_VALUE));
        for word in words {
            let token = match word.strip_prefix("##") {
                Some(rest) => rest.to_owned(),
                None if is_control(word) => (*word).to_owned(),
                None => format!("\u{2581}{word}"),
            };
            put_text(&mut tokens, &token);
            let kind = if is_control(word) { CONTROL } else { NORMAL };
            kinds.extend(kind.to_le_bytes());
        }
        self.value("tokenizer.ggml.tokens", LIST_VALUE, &tokens);
        self.value("tokenizer.ggml.token_type", LIST_VALUE, &kinds);
    }

    fn finish(self, tensors: &[Tensor]) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend((tensors.len() as u64).to_le_bytes());
        file.extend(self.count.to_le_bytes());
        file.extend(self.values);
        let mut offset = 0_usize;
        for tensor in tensors {
            put_text(&mut file, &tensor.name);
            // No tensor has more than two.
            file.extend(u32::try_from(tensor.dimensions.len()).unwrap_or(0).to_le_bytes());
            for dimension in &tensor.dimensions {
                file.extend((*dimension as u64).to_le_bytes());
            }
            file.extend(tensor.kind.to_le_bytes());
            file.extend((offset as u64).to_le_bytes());
            offset += tensor.bytes.len().next_multiple_of(ALIGNMENT);
        }
        for tensor in tensors {
            file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
            file.extend(&tensor.bytes);
        }
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        file
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
pub(super) mod tests;
