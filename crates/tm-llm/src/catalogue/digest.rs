//! SHA-256: what a model file is known by.
//!
//! Knows nothing of models. [`copy`] is how large files are read here: in bounded memory, hashed
//! on the way, with somebody asked at every step whether to go on.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::Path,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Text that is no SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no SHA-256, which has 64 hexadecimal digits")]
pub struct NotADigest {
    text: String,
}

/// Hears how many bytes were read since the last time; an error ends the reading.
pub type Tick<'a> = &'a mut dyn FnMut(u64) -> io::Result<()>;

const STEP: usize = 1 << 20;

/// Copies all of `from`, hashing it on the way.
pub fn copy(
    mut from: impl Read,
    mut to: impl Write,
    hasher: &mut Sha256,
    tick: Tick<'_>,
) -> io::Result<()> {
    let mut buffer = vec![0; STEP];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        hasher.update(bytes);
        to.write_all(bytes)?;
        tick(read as u64)?;
    }
}

impl Digest {
    /// The digest of everything the hasher has seen.
    pub fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// Reads and hashes a file.
    pub fn of_file(path: &Path, tick: Tick<'_>) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        copy(File::open(path)?, io::sink(), &mut hasher, tick)?;
        Ok(Self::finish(hasher))
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let wrong = || NotADigest { text: text.to_owned() };
        if text.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            // A number may have a sign, a digest may not.
            if digits.starts_with('+') {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
