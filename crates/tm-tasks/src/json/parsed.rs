//! JSON text, and where in it every value lies.
//!
//! A text is read once and looked into many times, so the places of its values are noted in one
//! pass: a list in the order of the text, in which every value knows where the one after it is.
//! What was read is not copied and not read again. Start at [`Parsed::read`].

use std::{fmt, iter, sync::Arc, thread};

use serde::de::{Error as _, IgnoredAny};
use serde_json::Value;

use super::{
    key_is,
    layout::{INDENT, string_len},
};

/// A text and the places of all of its values.
pub(crate) struct Parsed {
    text: Arc<String>,
    nodes: Vec<Node>,
    /// Whether any key is spelled with escapes.
    has_escaped_keys: bool,
}

/// Where a value or a key lies.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// The node after it and all that is within it.
    next: u32,
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
        if text.len() > LONGEST {
            return Err(serde_json::Error::custom("it is larger than 1 GiB"));
        }
        let (checked, scanned) = thread::scope(|scope| {
            // Not worth a thread for a small text; a machine without one to spare gets there, too.
            let check = || serde_json::from_str::<IgnoredAny>(&text);
            let beside = (text.len() > LONG)
                .then(|| thread::Builder::new().spawn_scoped(scope, check).ok())
                .flatten();
            let scanned = scan(&text);
            (beside.and_then(|it| it.join().ok()).unwrap_or_else(check), scanned)
        });
        if let Err(error) = checked {
            // Who reads values says better what is wrong than who skips them.
            return Err(serde_json::from_str::<Value>(&text).err().unwrap_or(error));
        }
        let (nodes, has_escaped_keys) = scanned;
        Ok(Arc::new(Self { text, nodes, has_escaped_keys }))
    }

    /// The same for what is known to be JSON. What is not holds no values to speak of.
    pub(crate) fn of_json(text: String) -> Arc<Self> {
        let (nodes, has_escaped_keys) = scan(&text);
        Arc::new(Self { text: Arc::new(text), nodes, has_escaped_keys })
    }

    /// All of it.
    pub(crate) fn root(self: &Arc<Self>) -> Part<'_> {
        Part { whole: self, at: 0 }
    }

    fn node(&self, at: u32) -> Node {
        let node = self.nodes.get(at as usize).copied();
        node.unwrap_or(Node { start: 0, end: 0, next: at.saturating_add(1) })
    }

    fn slice(&self, node: Node) -> &str {
        self.text.get(node.start as usize..node.end as usize).unwrap_or_default()
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
            let may_be = self.whole.has_escaped_keys
                || (key.end - key.start) as usize == name.len() + QUOTES;
            if may_be && key_is(self.whole.slice(key), name) {
                found = Some(Self { whole: self.whole, at: at + 1 });
            }
            at = value.next;
        }
        found.filter(|_| self.is_object())
    }

    /// Whether it is laid out as [`super::format`] would, at this depth. Values that lie very deep
    /// are not looked at, and said not to be.
    pub(super) fn is_laid_out(self, depth: usize) -> bool {
        if !(self.is_object() || self.is_array()) {
            return true;
        }
        let (Node { start, end, .. }, text) = (self.whole.node(self.at), &self.whole.text);
        let gap = |from: u32, to: u32| text.get(from as usize..to as usize).unwrap_or_default();
        let is_line = |gap: &str, depth: usize| LINE.get(..1 + depth * INDENT.len()) == Some(gap);
        let mut at = start + 1;
        for (index, child) in self.children().enumerate() {
            let node = self.whole.node(child.at);
            let before = gap(at, node.start);
            let is_right = if self.is_object() && index % 2 == 1 {
                before == ": "
            } else if index == 0 {
                is_line(before, depth + 1)
            } else {
                before.strip_prefix(',').is_some_and(|it| is_line(it, depth + 1))
            };
            if !is_right || !child.is_laid_out(depth + 1) {
                return false;
            }
            at = node.end;
        }
        let rest = gap(at, end - 1);
        if at == start + 1 { rest.is_empty() } else { is_line(rest, depth) }
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
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.part().text())
    }
}

/// The start of a line, as deep as is looked.
const LINE: &str = "\n                                        ";

/// What a key is longer by than the name it spells.
const QUOTES: usize = 2;

/// The places in longer texts would not be noted.
const LONGEST: usize = 1 << 30;

/// From so many bytes on a text is worth two threads.
const LONG: usize = 1 << 20;

/// Text in which a value begins about every so many bytes, as in most task files.
const VALUE_LEN: usize = 24;

/// The places of all values, and whether any key is spelled with escapes.
fn scan(text: &str) -> (Vec<Node>, bool) {
    let bytes = text.as_bytes();
    let mut nodes: Vec<Node> = Vec::with_capacity(text.len() / VALUE_LEN + 1);
    // A stack of its own: nothing keeps a text from nesting deeper than a thread's stack.
    let mut open: Vec<usize> = Vec::new();
    let mut has_escaped_keys = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' | b',' => {
                at += 1;
                continue;
            }
            b':' => {
                let key = nodes.last().and_then(|it| bytes.get(it.start as usize..it.end as usize));
                has_escaped_keys |= key.is_some_and(|it| it.contains(&b'\\'));
                at += 1;
                continue;
            }
            b'}' | b']' => {
                at += 1;
                let next = narrow(nodes.len());
                if let Some(node) = open.pop().and_then(|it| nodes.get_mut(it)) {
                    (node.end, node.next) = (narrow(at), next);
                }
                continue;
            }
            b'{' | b'[' => {
                open.push(nodes.len());
                at += 1;
            }
            b'"' => {
                at =
                    text.get(at + 1..).and_then(string_len).map_or(text.len(), |it| start + 1 + it);
            }
            _ => {
                at +=
                    bytes.iter().skip(at).take_while(|it| !b" \n\r\t,:{}[]\"".contains(it)).count();
            }
        }
        let next = narrow(nodes.len() + 1);
        nodes.push(Node { start: narrow(start), end: narrow(at), next });
    }
    (nodes, has_escaped_keys)
}

/// Texts are never long enough for places that do not fit.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
