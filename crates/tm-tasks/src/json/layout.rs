//! How JSON is laid out: as JavaScript prints it.
//!
//! Strings and numbers are copied as they are spelled. Start at [`format()`].

use super::Part;

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

/// What JavaScript is told to indent a level by.
pub(super) const INDENT: &str = "  ";

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
        Self { out: String::new(), indent: INDENT, line: "\n".to_owned(), last: Last::Other }
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
            // Two empty texts are not compared: that is a call for each of millions of tokens.
            let (gap, is_there) = match self.step(token) {
                Gap::None => ("", space.is_empty()),
                Gap::Space => (" ", space == " "),
                Gap::Line => (&*self.line, space == self.line),
            };
            if !is_there {
                self.out.push_str(text.get(copied..at).unwrap_or_default());
                self.out.push_str(gap);
                copied = at + space.len();
            }
            at += space.len() + token.len();
            rest = tail;
        }
        self.out.push_str(text.get(copied..at).unwrap_or_default());
    }

    /// Adds a value, which is copied as a whole where it is laid out like this already.
    pub(crate) fn push_part(&mut self, part: Part<'_>) {
        let text = part.text();
        let depth = self.line.len() / INDENT.len() + usize::from(self.last == Last::Open);
        if self.indent != INDENT || !part.is_laid_out(depth) {
            self.push(text);
            return;
        }
        match self.step(text) {
            Gap::None => {}
            Gap::Space => self.out.push(' '),
            Gap::Line => self.out.push_str(&self.line),
        }
        self.out.push_str(text);
        self.last = Last::Other;
    }

    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// Takes note of a token, and says what comes before it.
    fn step(&mut self, token: &str) -> Gap {
        let last = self.last;
        let first = token.bytes().next();
        let closes = matches!(first, Some(b'}' | b']'));
        self.last = match first {
            Some(b'{' | b'[') => Last::Open,
            Some(b',') => Last::Comma,
            Some(b':') => Last::Colon,
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
