//! What a GGUF file says about itself, read without llama.cpp.
//!
//! llama.cpp is never handed a file that is not a whole GGUF file: [`read`] checks that every
//! tensor lies inside it, and takes along the few values that memory planning and the chat
//! template need. Knows nothing of what the values are used for.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read as _},
    path::Path,
};

/// Longest text kept; chat templates have some 10 KiB.
const TEXT_LIMIT: u64 = 16 << 20;
/// Longest list whose numbers are kept: one for each layer, not one for each token.
const LIST_LIMIT: u64 = 4096;
const DEFAULT_ALIGNMENT: u64 = 32;

/// Why a file is not a usable GGUF file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GgufError {
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("it is not a GGUF file")]
    NotGguf,
    #[error("its GGUF version {0} is not supported")]
    Version(u32),
    #[error("it is cut short: it has {actual} bytes and should have at least {expected}")]
    Truncated { actual: u64, expected: u64 },
    #[error("its header is damaged: {0}")]
    Damaged(&'static str),
    #[error("it does not say its {0}")]
    Missing(String),
}

impl From<io::Error> for GgufError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// A value of the header, as far as it is of use.
#[derive(Debug)]
enum Value {
    Number(u64),
    Text(String),
    Numbers(Vec<u64>),
    /// A list that is not kept, by its length.
    Count(u64),
    /// A number that is not whole.
    Other,
}

/// A checked file's header.
#[derive(Debug)]
pub(crate) struct Gguf {
    /// The length of the whole file in bytes.
    pub(crate) file_bytes: u64,
    values: HashMap<String, Value>,
}

impl Gguf {
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key)? {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Numbers(_) | Value::Count(_) | Value::Other => None,
        }
    }

    /// How many elements the list `key` has.
    pub(crate) fn list_len(&self, key: &str) -> Option<u64> {
        match self.values.get(key)? {
            Value::Count(count) => Some(*count),
            Value::Numbers(numbers) => u64::try_from(numbers.len()).ok(),
            Value::Number(_) | Value::Text(_) | Value::Other => None,
        }
    }

    pub(crate) fn architecture(&self) -> Result<&str, GgufError> {
        let key = "general.architecture";
        self.text(key).ok_or_else(|| GgufError::Missing(key.to_owned()))
    }

    /// The number `{architecture}.{name}`.
    pub(crate) fn number(&self, name: &str) -> Result<u64, GgufError> {
        let key = format!("{}.{name}", self.architecture()?);
        match self.values.get(&key) {
            Some(Value::Number(number)) => Ok(*number),
            Some(Value::Numbers(numbers)) => Ok(numbers.iter().copied().max().unwrap_or(0)),
            Some(Value::Text(_) | Value::Count(_) | Value::Other) | None => {
                Err(GgufError::Missing(key))
            }
        }
    }

    /// Bytes of keys and values that one token takes in a half-precision cache.
    pub(crate) fn kv_bytes_per_token(&self) -> Result<u64, GgufError> {
        let heads = self.number("attention.head_count")?.max(1);
        let head_length = self.number("embedding_length")? / heads;
        let key = self.number("attention.key_length").unwrap_or(head_length);
        let value = self.number("attention.value_length").unwrap_or(head_length);
        let kv_heads = self.number("attention.head_count_kv").unwrap_or(heads);
        let values =
            self.number("block_count")?.saturating_mul(kv_heads.saturating_mul(key + value));
        Ok(values.saturating_mul(2))
    }
}

/// Reads the header of the file at `path` and checks that the file is whole.
pub(crate) fn read(path: &Path) -> Result<Gguf, GgufError> {
    let file = File::open(path)?;
    let file_bytes = file.metadata()?.len();
    let mut reader = Reader { file: BufReader::new(file), position: 0, length: file_bytes };
    if file_bytes < 4 || reader.array::<4>()? != *b"GGUF" {
        return Err(GgufError::NotGguf);
    }
    match reader.u32()? {
        2 | 3 => {}
        version => return Err(GgufError::Version(version)),
    }
    let tensor_count = reader.u64()?;
    let value_count = reader.u64()?;
    let mut values = HashMap::new();
    for _ in 0..value_count {
        let key = reader.text()?;
        let kind = reader.u32()?;
        values.insert(key, reader.value(kind)?);
    }
    let mut data_bytes = 0;
    for _ in 0..tensor_count {
        data_bytes = data_bytes.max(reader.tensor_end()?);
    }
    let alignment = match values.get("general.alignment") {
        Some(Value::Number(alignment)) if *alignment > 0 => *alignment,
        _ => DEFAULT_ALIGNMENT,
    };
    let expected = reader
        .position
        .checked_next_multiple_of(alignment)
        .and_then(|start| start.checked_add(data_bytes))
        .ok_or(GgufError::Damaged("a tensor lies beyond any file"))?;
    if expected > file_bytes {
        return Err(GgufError::Truncated { actual: file_bytes, expected });
    }
    Ok(Gguf { file_bytes, values })
}

/// Reads forward and never past the end, whatever lengths the file claims.
struct Reader {
    file: BufReader<File>,
    position: u64,
    length: u64,
}

impl Reader {
    fn advance(&mut self, count: u64) -> Result<(), GgufError> {
        let end = self.position.checked_add(count).ok_or(GgufError::Damaged("a length"))?;
        if end > self.length {
            return Err(GgufError::Truncated { actual: self.length, expected: end });
        }
        self.position = end;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.advance(N as u64)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> Result<(), GgufError> {
        self.advance(count)?;
        let offset = i64::try_from(count).map_err(|_| GgufError::Damaged("a length"))?;
        self.file.seek_relative(offset)?;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<String, GgufError> {
        let length = self.u64()?;
        if length > TEXT_LIMIT {
            return Err(GgufError::Damaged("a text is too long"));
        }
        self.advance(length)?;
        let mut bytes = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| GgufError::Damaged("a text is not UTF-8"))
    }

    fn value(&mut self, kind: u32) -> Result<Value, GgufError> {
        match kind {
            STRING => Ok(Value::Text(self.text()?)),
            ARRAY => self.list(),
            _ => self.scalar(kind),
        }
    }

    /// A number; negative ones and fractions are of no use here.
    fn scalar(&mut self, kind: u32) -> Result<Value, GgufError> {
        Ok(match kind {
            0 | 7 => Value::Number(u64::from(u8::from_le_bytes(self.array()?))),
            2 => Value::Number(u64::from(u16::from_le_bytes(self.array()?))),
            4 => Value::Number(u64::from(self.u32()?)),
            5 => whole(i64::from(i32::from_le_bytes(self.array()?))),
            10 => Value::Number(self.u64()?),
            11 => whole(i64::from_le_bytes(self.array()?)),
            _ => {
                self.skip(scalar_bytes(kind)?)?;
                Value::Other
            }
        })
    }

    fn list(&mut self) -> Result<Value, GgufError> {
        let kind = self.u32()?;
        let count = self.u64()?;
        if kind == STRING {
            for _ in 0..count {
                let length = self.u64()?;
                self.skip(length)?;
            }
            return Ok(Value::Count(count));
        }
        if count > LIST_LIMIT {
            let bytes = scalar_bytes(kind)?.checked_mul(count);
            self.skip(bytes.ok_or(GgufError::Damaged("a list is too long"))?)?;
            return Ok(Value::Count(count));
        }
        let mut numbers = Vec::new();
        for _ in 0..count {
            if let Value::Number(number) = self.scalar(kind)? {
                numbers.push(number);
            }
        }
        Ok(Value::Numbers(numbers))
    }

    /// Where the next tensor described ends, counted from the start of the tensor data.
    fn tensor_end(&mut self) -> Result<u64, GgufError> {
        self.text()?;
        let dimensions = self.u32()?;
        if dimensions > 4 {
            return Err(GgufError::Damaged("a tensor has more than four dimensions"));
        }
        let mut elements = 1_u64;
        for _ in 0..dimensions {
            let size = self.u64()?;
            elements = elements.checked_mul(size).ok_or(GgufError::Damaged("a tensor's size"))?;
        }
        let (block, bytes) = block_size(self.u32()?);
        let offset = self.u64()?;
        (elements / block)
            .checked_mul(bytes)
            .and_then(|bytes| offset.checked_add(bytes))
            .ok_or(GgufError::Damaged("a tensor's place"))
    }
}

const STRING: u32 = 8;
const ARRAY: u32 = 9;

fn whole(number: i64) -> Value {
    u64::try_from(number).map_or(Value::Other, Value::Number)
}

fn scalar_bytes(kind: u32) -> Result<u64, GgufError> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        _ => Err(GgufError::Damaged("a value has an unknown kind")),
    }
}

/// Elements in a block of a tensor type, and the block's bytes, as ggml numbers the types.
///
/// A type that is not known yet counts as nothing, so that only its start is checked.
fn block_size(tensor_type: u32) -> (u64, u64) {
    match tensor_type {
        0 | 26 => (1, 4),
        1 | 25 | 30 => (1, 2),
        24 => (1, 1),
        27 | 28 => (1, 8),
        2 | 20 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        39 => (32, 17),
        10 => (256, 84),
        11 | 21 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        16 | 35 => (256, 66),
        17 => (256, 74),
        18 => (256, 98),
        19 => (256, 50),
        22 => (256, 82),
        23 => (256, 136),
        29 => (256, 56),
        34 => (256, 54),
        _ => (1, 0),
    }
}

#[cfg(test)]
mod tests;
