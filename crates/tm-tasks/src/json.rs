//! JSON that keeps its spelling.
//!
//! A task file belongs to its user: numbers such as `1.10` or `1e3`, escapes, lone surrogates and
//! fields nobody here has heard of must survive a change of one status. So values are kept as
//! their text and only looked into on demand. What the fields mean is not known here. Start at
//! [`format()`] and at `Record`.

use std::borrow::Cow;

use serde_json::Value;

mod layout;
mod parsed;
mod record;
mod scan;

pub use layout::{format, format_with_tabs};

pub(crate) use layout::Layout;
pub(crate) use parsed::{Parsed, Part, Piece};
pub(crate) use record::Record;

/// Whether a key, as spelled, names this member.
pub(crate) fn key_is(key: &str, name: &str) -> bool {
    unquote(key).is_some_and(|it| it == name)
}

/// A string as JSON spells it.
pub(crate) fn encode(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a string literal says, or nothing when the text is not one.
///
/// A lone surrogate, which JavaScript allows, reads as U+FFFD.
pub(crate) fn decode(text: &str) -> Option<String> {
    unquote(text).map(Cow::into_owned)
}

/// The same without a copy where there is nothing to decode.
pub(crate) fn unquote(text: &str) -> Option<Cow<'_, str>> {
    let [b'"', .., b'"'] = text.as_bytes() else { return None };
    let inner = text.get(1..text.len() - 1)?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(text)))
        .ok()
        .map(Cow::Owned)
}

/// `{…}` from keys and values as they are spelled.
pub(crate) fn write_object<'a>(
    out: &mut String,
    members: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    write_list(out, ['{', '}'], members, |(key, value), out| {
        out.push_str(key);
        out.push(':');
        out.push_str(value);
    });
}

/// `[…]` from items that `item` writes.
pub(crate) fn write_array<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    item: impl FnMut(T, &mut String),
) {
    write_list(out, ['[', ']'], items, item);
}

fn write_list<T>(
    out: &mut String,
    brackets: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(T, &mut String),
) {
    let [open, close] = brackets;
    out.push(open);
    for (index, it) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        item(it, out);
    }
    out.push(close);
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
