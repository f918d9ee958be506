//! JSON that keeps its spelling.
//!
//! A task file belongs to its user: numbers such as `1.10` or `1e3`, escapes, lone surrogates and
//! fields nobody here has heard of must survive a change of one status. So values are kept as
//! their text and only looked into on demand. What the fields mean is not known here. Start at
//! [`format()`] and at `Record`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// Lays JSON text out as JavaScript's `JSON.stringify(value, null, 2)` does.
///
/// Strings and numbers are copied as they are spelled. Text that is not JSON comes out as
/// something that is not JSON either.
pub fn format(text: &str) -> String {
    lay_out(text, Layout::default())
}

/// Lays JSON text out with one tab a level, as `JSON.stringify(value, null, '\t')` does.
pub fn format_with_tabs(text: &str) -> String {
    lay_out(text, Layout { indent: "\t", ..Layout::default() })
}

fn lay_out(text: &str, mut layout: Layout) -> String {
    layout.push(text);
    layout.into_text()
}

/// Text that is laid out piece by piece.
#[derive(Debug)]
pub(crate) struct Layout {
    out: String,
    indent: &'static str,
    /// The line end at this depth, and what the next line begins with.
    line: String,
    last: Last,
}

/// The last token, as far as it matters to what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Open,
    Comma,
    Colon,
    /// A value, the end of one, or nothing yet.
    Other,
}

impl Default for Layout {
    fn default() -> Self {
        Self { out: String::new(), indent: "  ", line: "\n".to_owned(), last: Last::Other }
    }
}

impl Layout {
    /// Adds the next piece, which does not end within a string or a number.
    ///
    /// Nearly all text is laid out like this already, and is copied in long runs.
    pub(crate) fn push(&mut self, text: &str) {
        let (mut copied, mut at) = (0, 0);
        let mut rest = text;
        loop {
            let (space, tail) = rest.split_at(space_len(rest));
            if tail.is_empty() {
                break;
            }
            let (token, tail) = tail.split_at(token_len(tail));
            let gap = match self.step(token) {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Line => &self.line,
            };
            if gap != space {
                self.out.push_str(text.get(copied..at).unwrap_or_default());
                self.out.push_str(gap);
                copied = at + space.len();
            }
            at += space.len() + token.len();
            rest = tail;
        }
        self.out.push_str(text.get(copied..at).unwrap_or_default());
    }

    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// Takes note of a token, and says what comes before it.
    fn step(&mut self, token: &str) -> Gap {
        let last = self.last;
        let closes = matches!(token, "}" | "]");
        self.last = match token {
            "{" | "[" => Last::Open,
            "," => Last::Comma,
            ":" => Last::Colon,
            _ => Last::Other,
        };
        match last {
            Last::Open if closes => Gap::None,
            Last::Open => {
                self.line.push_str(self.indent);
                Gap::Line
            }
            _ if closes => {
                let outer = self.line.len().saturating_sub(self.indent.len());
                self.line.truncate(outer.max(1));
                Gap::Line
            }
            Last::Comma => Gap::Line,
            Last::Colon => Gap::Space,
            Last::Other => Gap::None,
        }
    }
}

/// What is between two tokens.
enum Gap {
    None,
    Space,
    Line,
}

/// An object as an ordered list of members, all of them in their own spelling.
///
/// Files hold many thousands of members, so a record has one text for all of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// All keys and values, one after the other.
    text: Box<str>,
    members: Box<[Member]>,
}

/// Where a member lies in the text: its key up to `key_end`, then its value.
#[derive(Debug, Clone)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
    /// Whether the key is spelled with escapes.
    is_escaped: bool,
}

/// What a key is longer by than the name it spells.
const QUOTES: usize = 2;

impl Record {
    /// Nothing when the text is not an object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Members>(text).ok().map(|it| Self::from_members(&it.0))
    }

    pub(crate) fn from_members(members: &[(&str, &str)]) -> Self {
        let len = members.iter().map(|(key, value)| key.len() + value.len()).sum();
        let mut text = String::with_capacity(len);
        let places = members.iter().map(|(key, value)| {
            let start = text.len();
            text.push_str(key);
            let key_end = text.len();
            text.push_str(value);
            Member { start, key_end, end: text.len(), is_escaped: key.contains('\\') }
        });
        Self { members: places.collect(), text: text.into() }
    }

    /// The text of a member. Of duplicates the last one counts, as in JavaScript.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let member = self.members.iter().rfind(|it| {
            // Nearly all keys are told apart by their length.
            let may_be = it.is_escaped || it.key_end - it.start == name.len() + QUOTES;
            may_be && key_is(self.slice(it.start, it.key_end), name)
        });
        member.map(|it| self.slice(it.key_end, it.end))
    }

    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let encoded = encode(name);
        let mut members: Vec<(&str, &str)> = self.iter().collect();
        match members.iter_mut().rfind(|it| key_is(it.0, name)) {
            Some(member) => member.1 = value.as_ref(),
            None => members.push((&encoded, value.as_ref())),
        }
        *self = Self::from_members(&members);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let members: Vec<(&str, &str)> = self.iter().filter(|it| !key_is(it.0, name)).collect();
        *self = Self::from_members(&members);
    }

    /// Keys and values as they are spelled.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        let slice = |start, end| self.slice(start, end);
        self.members.iter().map(move |it| (slice(it.start, it.key_end), slice(it.key_end, it.end)))
    }

    /// The object without a word about its layout: see [`format`].
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    pub(crate) fn write(&self, out: &mut String) {
        write_object(out, self.iter(), |(_, value), out| out.push_str(value));
    }

    fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Record {}

/// The members of an object, borrowed from its text.
pub(crate) struct Members<'a>(pub(crate) Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((key.get(), value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// The elements of an array, or nothing when the text is not an array.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Whether a key, as spelled, names this member.
pub(crate) fn key_is(key: &str, name: &str) -> bool {
    let inner = key.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(key);
    // An escape is longer than what it stands for.
    inner == name
        || inner.len() > name.len() && inner.contains('\\') && decode(key).as_deref() == Some(name)
}

/// A string as JSON spells it.
pub(crate) fn encode(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a string literal says, or nothing when the text is not one.
///
/// A lone surrogate, which JavaScript allows, reads as U+FFFD.
pub(crate) fn decode(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(text)))
        .ok()
}

/// `{…}` from members whose values `value` writes.
pub(crate) fn write_object<'a>(
    out: &mut String,
    members: impl Iterator<Item = (&'a str, &'a str)>,
    mut value: impl FnMut((&str, &str), &mut String),
) {
    out.push('{');
    for (index, member) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(member.0);
        out.push(':');
        value(member, out);
    }
    out.push('}');
}

/// `[…]` from items that `item` writes.
pub(crate) fn write_array<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(T, &mut String),
) {
    out.push('[');
    for (index, it) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        item(it, out);
    }
    out.push(']');
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn space_len(text: &str) -> usize {
    text.bytes().take_while(|it| is_space(*it)).count()
}

/// The length of the first token; at least one byte, and always a whole number of characters.
fn token_len(text: &str) -> usize {
    if let Some(inner) = text.strip_prefix('"') {
        return string_len(inner).map_or(text.len(), |it| it + 1);
    }
    let is_mark = |it: u8| b"{}[],:".contains(&it);
    if text.bytes().next().is_some_and(is_mark) {
        return 1;
    }
    let ends = |it: u8| is_space(it) || is_mark(it) || it == b'"';
    text.bytes().position(ends).unwrap_or(text.len())
}

/// The length of the rest of a string literal after its opening quote, closing quote included.
fn string_len(inner: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = inner.as_bytes().get(from..)?;
        let at = from + memchr::memchr2(b'"', b'\\', rest)?;
        if inner.as_bytes().get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        // Whatever is escaped ends nothing.
        from = at + 2;
    }
}

fn without_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let next = escape.get(6..).and_then(utf16_unit);
        let (len, is_lone) = match (utf16_unit(escape), next) {
            (None, _) => (2, false),
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(0xD800..=0xDFFF), _) => (6, true),
            (Some(_), _) => (6, false),
        };
        let (escape, tail) = escape.split_at_checked(len).unwrap_or((escape, ""));
        out.push_str(if is_lone { "\u{FFFD}" } else { escape });
        rest = tail;
    }
    out + rest
}

/// The code unit of an escape such as `\u00e9` at the start of the text.
fn utf16_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests;
