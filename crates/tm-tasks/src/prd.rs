//! A requirements document as numbered units with byte spans.
//!
//! Reads Markdown, and plain text as the Markdown it nearly is. A *unit* is the smallest piece
//! that can be required on its own: a list item, a table row, a paragraph, a line of a block.
//! Whether it is required is decided by form and by the headings above it, never by a model, so
//! that the same document always has the same units. Start at [`Prd::read`].

use std::ops::Range;

use serde::{Deserialize, Serialize};

mod blocks;
mod kind;
mod numbered;
pub(crate) mod phrases;

/// What a unit is to the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// Some task must cover it.
    Requirement,
    /// Tells about the product, its users, its reasons.
    Context,
    /// The document says that it is not to be built.
    Excluded,
}

/// A piece of the document that stands on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub kind: UnitKind,
    /// In bytes of the document's text.
    pub span: Range<usize>,
    /// The index of its section.
    pub section: usize,
    /// Its words without markup, white space collapsed.
    pub text: String,
}

/// A heading and what is directly below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Empty for what stands before the first heading.
    pub title: String,
    /// 1 to 6; 0 for what stands before the first heading.
    pub level: u8,
    /// The index of the section it is part of.
    pub parent: Option<usize>,
}

/// A place in a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// Where the text of a document lies in its file, which may have a mark before it and lines that
/// end in two characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    before: usize,
    /// The ends of lines, in bytes of the text, before which the file has one byte more.
    shortened: Vec<usize>,
}

impl Origin {
    pub fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
        let ends = text.windows(2).enumerate().filter(|it| it.1 == b"\r\n").map(|it| it.0);
        let shortened = ends.enumerate().map(|(before, at)| at - before).collect();
        Self { before: bytes.len() - text.len(), shortened }
    }

    /// The place in the file of a range of the text.
    pub fn span(&self, range: &Range<usize>) -> Span {
        let place = |at: usize| self.before + at + self.shortened.partition_point(|it| *it < at);
        Span { start: place(range.start), end: place(range.end) }
    }
}

/// What some editors begin a text with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A requirements document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prd {
    /// The first heading, or the first words.
    pub title: String,
    pub sections: Vec<Section>,
    /// In the order of the document.
    pub units: Vec<Unit>,
}

/// Why a file is no requirements document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrdError {
    #[error("the document is empty")]
    Empty,
    #[error("the document is not text: {0}")]
    NotText(String),
}

impl Prd {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is not UTF-8 text or has no words.
    pub fn from_bytes(bytes: &[u8]) -> Result<(String, Self), PrdError> {
        let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes)
            .map_err(|it| PrdError::NotText(format!("byte {} is not UTF-8", it.valid_up_to())))?;
        if let Some(at) = text.find('\0') {
            return Err(PrdError::NotText(format!("byte {at} is zero")));
        }
        let text = text.replace("\r\n", "\n");
        let prd = Self::read(&text)?;
        Ok((text, prd))
    }

    /// Reads Markdown or plain text. The same text always gives the same units.
    ///
    /// # Errors
    /// When it has no words.
    pub fn read(text: &str) -> Result<Self, PrdError> {
        let mut prd = blocks::read(text);
        if !prd.units.iter().any(|it| it.text.chars().any(char::is_alphanumeric)) {
            return Err(PrdError::Empty);
        }
        kind::classify(&mut prd);
        Ok(prd)
    }

    /// The units that some task must cover, with their index.
    pub fn requirements(&self) -> impl Iterator<Item = (usize, &Unit)> {
        self.units.iter().enumerate().filter(|(_, it)| it.kind == UnitKind::Requirement)
    }

    /// The titles from the outermost section down to `section`.
    pub fn path(&self, section: usize) -> Vec<&str> {
        let mut path = Vec::new();
        let mut at = Some(section);
        while let Some(section) = at.and_then(|it| self.sections.get(it)) {
            if !section.title.is_empty() {
                path.push(section.title.as_str());
            }
            at = section.parent;
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests;
