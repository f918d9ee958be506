//! JSON text, and where in it every value lies.
//!
//! A text is read once and looked into many times, so the places of its values are noted in one
//! pass: a list in the order of the text, in which every value knows where the one after it is.
//! What was read is not copied and not read again. Start at [`Parsed::read`].

use std::{fmt, iter, sync::Arc};

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{key_is, layout::string_len};

/// A text and the places of all of its values.
pub(crate) struct Parsed {
    text: String,
    nodes: Vec<Node>,
    /// Whether any key is spelled with escapes.
    has_escaped_keys: bool,
}

/// Where a value or a key lies.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: usize,
    end: usize,
    /// The node after it and all that is within it.
    next: usize,
}

/// A value within a text.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    whole: &'a Arc<Parsed>,
    at: usize,
}

/// The same on its own, to be kept.
#[derive(Clone)]
pub(crate) struct Piece {
    whole: Arc<Parsed>,
    at: usize,
}

impl Parsed {
    pub(crate) fn read(text: String) -> Result<Arc<Self>, serde_json::Error> {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
            // Who reads values says better what is wrong than who skips them.
            return Err(serde_json::from_str::<Value>(&text).err().unwrap_or(error));
        }
        Ok(Self::of_json(text))
    }

    /// The same for what is known to be JSON. What is not holds no values to speak of.
    pub(crate) fn of_json(text: String) -> Arc<Self> {
        let (nodes, has_escaped_keys) = scan(&text);
        Arc::new(Self { text, nodes, has_escaped_keys })
    }

    /// All of it.
    pub(crate) fn root(self: &Arc<Self>) -> Part<'_> {
        Part { whole: self, at: 0 }
    }

    fn node(&self, at: usize) -> Node {
        self.nodes.get(at).copied().unwrap_or(Node { start: 0, end: 0, next: at + 1 })
    }
}

impl<'a> Part<'a> {
    pub(crate) fn keep(self) -> Piece {
        Piece { whole: Arc::clone(self.whole), at: self.at }
    }

    pub(crate) fn text(self) -> &'a str {
        let Node { start, end, .. } = self.whole.node(self.at);
        self.whole.text.get(start..end).unwrap_or_default()
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
        let bytes = self.whole.text.as_bytes();
        let end = self.whole.node(self.at).next;
        let (mut at, mut found) = (self.at + 1, None);
        while at < end {
            let (key, value) = (self.whole.node(at), self.whole.node(at + 1));
            // Asked of every task for every field: nearly all keys are told apart by their length.
            let spelled = key.end - key.start;
            let is_it = if spelled == name.len() + QUOTES {
                bytes.get(key.start + 1..key.end - 1) == Some(name.as_bytes())
            } else {
                self.whole.has_escaped_keys
                    && key_is(self.whole.text.get(key.start..key.end).unwrap_or_default(), name)
            };
            if is_it {
                found = Some(Self { whole: self.whole, at: at + 1 });
            }
            at = value.next;
        }
        found.filter(|_| self.is_object())
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

/// What a key is longer by than the name it spells.
const QUOTES: usize = 2;

/// Text in which a value begins about every so many bytes, as in most task files.
const VALUE_LEN: usize = 24;

/// The places of all values, and whether any key is spelled with escapes.
fn scan(text: &str) -> (Vec<Node>, bool) {
    let bytes = text.as_bytes();
    let mut nodes: Vec<Node> = Vec::with_capacity(text.len() / VALUE_LEN + 1);
    // A stack of its own: nothing keeps a text from nesting deeper than a thread's stack.
    let mut open = Vec::new();
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
                let key = nodes.last().and_then(|it| bytes.get(it.start..it.end));
                has_escaped_keys |= key.is_some_and(|it| it.contains(&b'\\'));
                at += 1;
                continue;
            }
            b'}' | b']' => {
                at += 1;
                let next = nodes.len();
                if let Some(node) = open.pop().and_then(|it: usize| nodes.get_mut(it)) {
                    (node.end, node.next) = (at, next);
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
        nodes.push(Node { start, end: at, next: nodes.len() + 1 });
    }
    (nodes, has_escaped_keys)
}

#[cfg(test)]
mod tests;
