//! The texts that a journal needs, each under its digest: whole, or as what differs from another.
//!
//! A change of one status in a file of many megabytes is kept as some kilobytes. Both forms are
//! compressed. A text is believed when it has the digest that it was asked for by. Which texts are
//! needed is the journal's business. Start at [`Copies`].

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    iter,
    path::{Path, PathBuf},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Deserialize, Serialize};

use super::atomic;
use crate::digest::sha256_hex;

/// The directory of the texts.
#[derive(Debug, Clone)]
pub(super) struct Copies {
    directory: PathBuf,
}

/// A text that is there already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base<'a> {
    pub(super) sha256: &'a str,
    pub(super) text: &'a [u8],
}

/// A text as another one with one piece replaced. A file of it has this as its first line, then
/// the compressed piece, and then the one that it replaced, compressed as well: a change is taken
/// back without reading a whole text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Patch {
    /// Digest of the other text.
    base: String,
    /// How many bytes both begin with.
    before: usize,
    /// How many bytes both end with.
    after: usize,
    /// How many patches lie between this text and a whole one, this one included.
    depth: u32,
    /// How many bytes the compressed piece takes. In older files it is all that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    piece: Option<usize>,
}

/// So many patches are read for one text at most: a damaged file costs no more texts than this.
const DEPTH_MAX: u32 = 40;
/// What patches are called behind their digest.
const PATCH: &str = "patch";

impl Copies {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The text with this digest; whatever keeps it from being read is an error. It is read
    /// sooner where it became `near`, change by change.
    pub(super) fn read(&self, sha256: &str, near: Option<Base<'_>>) -> io::Result<Vec<u8>> {
        if let Some(text) = near.and_then(|it| self.read_back(sha256, it)) {
            return Ok(text);
        }
        let mut patches = Vec::new();
        let mut wanted = sha256.to_owned();
        while !self.whole(&wanted).exists() {
            let (patch, pieces) = self.read_patch(&wanted)?;
            wanted.clone_from(&patch.base);
            patches.push((patch, pieces));
            if patches.len() > DEPTH_MAX as usize {
                return Err(damaged());
            }
        }
        let whole = inflate(File::open(self.whole(&wanted))?)?;
        let inflated = |(patch, pieces): (Patch, Vec<u8>)| Ok((patch, inflate(&*pieces)?));
        let steps = patches.into_iter().rev().map(inflated).collect::<io::Result<Vec<_>>>()?;
        let text = after_all(&whole, &steps).ok_or_else(damaged)?;
        if sha256_hex(&text) == sha256 { Ok(text) } else { Err(damaged()) }
    }

    /// The same with every patch taken back that made `from` out of it, if there are such.
    fn read_back(&self, sha256: &str, from: Base<'_>) -> Option<Vec<u8>> {
        let mut patches = Vec::new();
        let mut reached = from.sha256.to_owned();
        while reached != sha256 {
            let (patch, pieces) = self.read_patch(&reached).ok()?;
            let replaced = patch.replaced(&pieces)?;
            reached.clone_from(&patch.base);
            patches.push((patch, replaced));
            if patches.len() > DEPTH_MAX as usize {
                return None;
            }
        }
        let text = after_all(from.text, &patches)?;
        (patches.is_empty() || sha256_hex(&text) == sha256).then_some(text)
    }

    /// Keeps a text, in as little space as can be had quickly.
    pub(super) fn keep(&self, sha256: &str, text: &[u8], base: Option<Base<'_>>) -> io::Result<()> {
        if self.whole(sha256).exists() || self.patch(sha256).exists() {
            return Ok(());
        }
        let patched = base.and_then(|it| Some((Patch::between(it, text, self.depth(it)?), it)));
        let (path, bytes) = match patched {
            Some((patch, base)) => (self.patch(sha256), patch.to_bytes(base.text, text)?),
            None => (self.whole(sha256), deflate(text)?),
        };
        atomic::write(&path, &bytes, &File::open(&self.directory)?)
    }

    /// Deletes every text that none of these needs.
    pub(super) fn retain<'a>(&self, wanted: impl Iterator<Item = &'a str>) -> io::Result<()> {
        let mut needed: HashSet<String> = HashSet::new();
        for sha256 in wanted {
            let base = |it: &String| Some(self.read_patch(it).ok()?.0.base);
            for text in iter::successors(Some(sha256.to_owned()), base) {
                if !needed.insert(text) {
                    break;
                }
            }
        }
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if !path.file_stem().and_then(OsStr::to_str).is_some_and(|it| needed.contains(it)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// The depth of a patch on this text, unless it would be too deep.
    fn depth(&self, base: Base<'_>) -> Option<u32> {
        let depth = if self.whole(base.sha256).exists() {
            1
        } else {
            self.read_patch(base.sha256).ok()?.0.depth + 1
        };
        (depth <= DEPTH_MAX).then_some(depth)
    }

    /// With its pieces, which are compressed.
    fn read_patch(&self, sha256: &str) -> io::Result<(Patch, Vec<u8>)> {
        let mut bytes = fs::read(self.patch(sha256))?;
        let end = memchr::memchr(b'\n', &bytes).ok_or_else(damaged)?;
        let pieces = bytes.split_off(end + 1);
        Ok((serde_json::from_slice(&bytes)?, pieces))
    }

    fn whole(&self, sha256: &str) -> PathBuf {
        self.directory.join(sha256)
    }

    fn patch(&self, sha256: &str) -> PathBuf {
        self.directory.join(format!("{sha256}.{PATCH}"))
    }
}

impl Patch {
    fn between(base: Base<'_>, text: &[u8], depth: u32) -> Self {
        let before = common(base.text.chunks(CHUNK), text.chunks(CHUNK), |a, b| {
            iter::zip(a, b).take_while(|it| it.0 == it.1).count()
        });
        let rest = |it: &[u8]| it.len() - before;
        let after_max = rest(base.text).min(rest(text));
        let after = common(base.text.rchunks(CHUNK), text.rchunks(CHUNK), |a, b| {
            iter::zip(a.iter().rev(), b.iter().rev()).take_while(|it| it.0 == it.1).count()
        });
        let (base, after) = (base.sha256.to_owned(), after.min(after_max));
        Self { base, before, after, depth, piece: None }
    }

    /// A file of it.
    fn to_bytes(&self, base: &[u8], text: &[u8]) -> io::Result<Vec<u8>> {
        let piece = deflate(self.between_ends(text))?;
        let patch = Self { piece: Some(piece.len()), ..self.clone() };
        let mut bytes = serde_json::to_vec(&patch)?;
        bytes.push(b'\n');
        bytes.extend(piece);
        bytes.extend(deflate(self.between_ends(base))?);
        Ok(bytes)
    }

    fn between_ends<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.before..text.len().saturating_sub(self.after)).unwrap_or_default()
    }

    /// What the other text had.
    fn replaced(&self, pieces: &[u8]) -> Option<Vec<u8>> {
        inflate(pieces.get(self.piece?..)?).ok()
    }

    /// One text out of the other, which is here in parts: no byte is copied.
    fn with_piece<'a>(&self, other: &[&'a [u8]], piece: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        let end = other.iter().map(|it| it.len()).sum::<usize>().checked_sub(self.after)?;
        let (head, _) = split(other, self.before)?;
        let (_, tail) = split(other, end)?;
        Some([head, vec![piece], tail].concat())
    }
}

/// What a text becomes by the patches, one on the other, each with the piece that it puts in.
fn after_all(text: &[u8], patches: &[(Patch, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut parts = vec![text];
    for (patch, piece) in patches {
        parts = patch.with_piece(&parts, piece)?;
    }
    Some(parts.concat())
}

/// A text in parts.
type Parts<'a> = Vec<&'a [u8]>;

/// The parts of a text before and behind its byte `at`, if it has so many.
fn split<'a>(text: &[&'a [u8]], mut at: usize) -> Option<(Parts<'a>, Parts<'a>)> {
    let (mut head, mut rest) = (Vec::new(), text);
    while let Some((part, behind)) = rest.split_first() {
        if let Some((before, after)) = part.split_at_checked(at) {
            head.push(before);
            return Some((head, [&[after], behind].concat()));
        }
        at -= part.len();
        head.push(part);
        rest = behind;
    }
    (at == 0).then_some((head, Vec::new()))
}

/// Whole pieces compare much faster than bytes.
const CHUNK: usize = 4096;

/// How many bytes are the same, piece by piece; `count` says it of the first pieces that differ.
fn common<'a>(
    one: impl Iterator<Item = &'a [u8]>,
    other: impl Iterator<Item = &'a [u8]>,
    count: impl Fn(&[u8], &[u8]) -> usize,
) -> usize {
    let mut same = 0;
    for (one, other) in iter::zip(one, other) {
        if one != other {
            return same + count(one, other);
        }
        same += one.len();
    }
    same
}

fn deflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn inflate(compressed: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(compressed).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn damaged() -> io::Error {
    io::Error::from(ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests;
