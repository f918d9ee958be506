//! JSON text, and where in it every value lies.
//!
//! A text is read once and looked into many times, so the places of its values are noted in one
//! pass: a list in the order of the text, in which every value knows where the one after it is.
//! What was read is not copied and not read again. Start at [`Parsed::read`].

use std::{fmt, iter, sync::Arc};

use serde::de::{Error as _, IgnoredAny};
use serde_json::Value;

use super::{
    key_is,
    layout::INDENT,
    scan::{Extent, LONGEST, Node, Scan, scan},
};

/// A text and the places of its values.
pub(crate) struct Parsed {
    text: Arc<String>,
    found: Scan,
    extent: Extent,
}

/// A value within a text.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    whole: &'a Arc<Parsed>,
    at: u32,
}

/// The same on its own, to be kept.
#[derive(Clone)]
pub(crate) struct Piece {
    whole: Arc<Parsed>,
    at: u32,
}

impl Parsed {
    pub(crate) fn read(text: Arc<String>) -> Result<Arc<Self>, serde_json::Error> {
        Self::of_extent(text, Extent::Everything)
    }

    /// The same for a text of which most will not be looked into: what is within lists is checked,
    /// and not to be seen before somebody [unfolds](Piece::unfold) them.
    pub(crate) fn outline(text: Arc<String>) -> Result<Arc<Self>, serde_json::Error> {
        Self::of_extent(text, Extent::Outline)
    }

    fn of_extent(text: Arc<String>, extent: Extent) -> Result<Arc<Self>, serde_json::Error> {
        if text.len() > LONGEST {
            return Err(serde_json::Error::custom("it is larger than 1 GiB"));
        }
        match scan(&text, 0..text.len(), 0, extent) {
            Some(found) => Ok(Arc::new(Self { text, found, extent })),
            None => Err(what_is_wrong(&text)),
        }
    }

    /// The same for what is known to be JSON. What is not holds no values to speak of.
    pub(crate) fn of_json(text: String) -> Arc<Self> {
        let extent = Extent::Everything;
        let found = scan(&text, 0..text.len(), 0, extent).unwrap_or_default();
        Arc::new(Self { text: Arc::new(text), found, extent })
    }

    /// All of it.
    pub(crate) fn root(self: &Arc<Self>) -> Part<'_> {
        Part { whole: self, at: 0 }
    }

    fn node(&self, at: u32) -> Node {
        let node = self.found.nodes.get(at as usize).copied();
        node.unwrap_or_else(|| Node::nowhere(at.saturating_add(1)))
    }

    fn slice(&self, node: Node) -> &str {
        self.text.get(node.start as usize..node.end() as usize).unwrap_or_default()
    }
}

impl<'a> Part<'a> {
    pub(crate) fn keep(self) -> Piece {
        Piece { whole: Arc::clone(self.whole), at: self.at }
    }

    pub(crate) fn text(self) -> &'a str {
        self.whole.slice(self.whole.node(self.at))
    }

    pub(crate) fn is_object(self) -> bool {
        self.text().starts_with('{')
    }

    pub(crate) fn is_array(self) -> bool {
        self.text().starts_with('[')
    }

    /// The elements of an array; nothing when it is none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        self.is_array().then(|| self.children()).into_iter().flatten()
    }

    /// The keys, as they are spelled, and the values of an object; nothing when it is none.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'a str, Self)> {
        let mut children = self.is_object().then(|| self.children()).into_iter().flatten();
        iter::from_fn(move || Some((children.next()?.text(), children.next()?)))
    }

    /// The value of a member of an object. Of duplicates the last one counts, as in JavaScript.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        let end = self.whole.node(self.at).next;
        let (mut at, mut found) = (self.at + 1, None);
        while at < end {
            let (key, value) = (self.whole.node(at), self.whole.node(at + 1));
            // Asked of every task for every field: nearly all keys are told apart by their length.
            let may_be = self.whole.found.has_escaped_keys
                || (key.end() - key.start) as usize == name.len() + QUOTES;
            if may_be && key_is(self.whole.slice(key), name) {
                found = Some(Self { whole: self.whole, at: at + 1 });
            }
            at = value.next;
        }
        found.filter(|_| self.is_object())
    }

    /// Whether it is laid out as [`super::format`] would, at this depth. Values that lie very deep
    /// are said not to be.
    pub(super) fn is_laid_out(self, depth: usize) -> bool {
        let text = self.text();
        let is_empty = text.len() == QUOTES;
        self.whole.node(self.at).is_laid_out()
            && (is_empty || !(self.is_object() || self.is_array()) || indentation(text) == depth)
    }

    fn children(self) -> impl Iterator<Item = Self> {
        let end = self.whole.node(self.at).next;
        let mut at = self.at + 1;
        iter::from_fn(move || {
            let child = (at < end).then_some(Self { whole: self.whole, at });
            at = self.whole.node(at).next;
            child
        })
    }
}

impl Piece {
    pub(crate) fn part(&self) -> Part<'_> {
        Part { whole: &self.whole, at: self.at }
    }

    /// The same with all that is within it to be seen.
    pub(crate) fn unfold(&self) -> Self {
        if self.whole.extent == Extent::Everything {
            return self.clone();
        }
        let (text, node) = (Arc::clone(&self.whole.text), self.whole.node(self.at));
        let range = node.start as usize..node.end() as usize;
        let depth = indentation(self.part().text());
        let found = scan(&text, range, depth, Extent::Everything).unwrap_or_default();
        Self { whole: Arc::new(Parsed { text, found, extent: Extent::Everything }), at: 0 }
    }

    /// Whether it is the same place of the same text, which says the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.whole, &other.whole) && self.at == other.at
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.part().text())
    }
}

/// What a key is longer by than the name it spells.
const QUOTES: usize = 2;

/// How many levels deep the last line of a text is.
fn indentation(text: &str) -> usize {
    let last = text.len().saturating_sub(1);
    let line = text.get(..last).and_then(|it| it.rsplit_once('\n')).map_or("", |it| it.1);
    line.len() / INDENT.len()
}

/// Who reads values says better what is wrong than who skips them.
fn what_is_wrong(text: &str) -> serde_json::Error {
    let read = serde_json::from_str::<Value>(text).err();
    read.or_else(|| serde_json::from_str::<IgnoredAny>(text).err())
        .unwrap_or_else(|| serde_json::Error::custom("it is not JSON"))
}

#[cfg(test)]
mod tests;
