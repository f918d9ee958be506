//! A requirements document as numbered units with byte spans.
//!
//! Reads Markdown, and plain text as the Markdown it nearly is. A *unit* is the smallest piece
//! that can be required on its own: a list item, a table row, a paragraph, a line of a block.
//! Whether it is required is decided by form and by the headings above it, never by a model, so
//! that the same document always has the same units. Start at [`Prd::read`].

use std::ops::Range;

mod blocks;
mod kind;

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
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
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
