//! One pass over a text: whether it is JSON, and where every value lies.
//!
//! Nearly all task files are laid out as JavaScript prints them, so that is what is looked for
//! first at every step, and noted where it holds. What values mean is not known here. Start at
//! [`scan`].

use std::ops::Range;

use super::layout::INDENT;

/// Where a value or a key lies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    pub(super) start: u32,
    /// The end, and [`LAID_OUT`] where it holds.
    marked_end: u32,
    /// The node after it and all that is noted within it.
    pub(super) next: u32,
}

/// What was found, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) nodes: Vec<Node>,
    /// Whether any key is spelled with escapes.
    pub(super) has_escaped_keys: bool,
}

/// How much of a text is noted; all of it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Everything,
    /// The members of the root and their members, and no elements.
    Outline,
}

/// Longer texts would have places that do not fit.
pub(super) const LONGEST: usize = 1 << 30;
const LAID_OUT: u32 = 1 << 31;

/// The value that this range of a text is, which lies `depth` levels deep. Nothing when it is not
/// JSON.
pub(super) fn scan(text: &str, range: Range<usize>, depth: usize, extent: Extent) -> Option<Scan> {
    let bytes = text.as_bytes().get(..range.end)?;
    let capacity = match extent {
        Extent::Everything => range.len() / VALUE_LEN + 1,
        Extent::Outline => 0,
    };
    let found = Scan { nodes: Vec::with_capacity(capacity), has_escaped_keys: false };
    let (at, open) = (range.start, Vec::new());
    let mut scanner = Scanner { bytes, at, depth, extent, open, irregular: 0, found };
    scanner.read()?;
    Some(scanner.found)
}

/// Text in which a value begins about every so many bytes, as in most task files.
const VALUE_LEN: usize = 24;

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Of the value that is scanned.
    depth: usize,
    extent: Extent,
    /// A stack of its own: nothing keeps a text from nesting deeper than a thread's stack.
    open: Vec<Open>,
    /// Where something was last laid out otherwise than JavaScript does.
    irregular: usize,
    found: Scan,
}

/// An object or a list that has not ended yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    start: usize,
    is_object: bool,
    /// Its place among the nodes, if it is noted.
    node: Option<usize>,
}

impl Node {
    /// Of no text.
    pub(super) fn nowhere(next: u32) -> Self {
        Self { next, ..Self::default() }
    }

    pub(super) fn end(self) -> u32 {
        self.marked_end & !LAID_OUT
    }

    /// Whether it is laid out as JavaScript does, at the depth at which it lies.
    pub(super) fn is_laid_out(self) -> bool {
        self.marked_end & LAID_OUT != 0
    }
}

impl Scanner<'_> {
    fn read(&mut self) -> Option<()> {
        self.skip_space();
        self.value()?;
        while let Some(open) = self.open.last().copied() {
            let depth = self.depth + self.open.len();
            if self.peek() == Some(b',') {
                self.next_in(open, depth)?;
                continue;
            }
            let before = self.at;
            self.line(depth - 1);
            if self.peek() == Some(b',') {
                self.irregular = before;
                self.next_in(open, depth)?;
            } else {
                self.close(open)?;
            }
        }
        self.skip_space();
        (self.at == self.bytes.len()).then_some(())
    }

    /// A comma and what follows it.
    fn next_in(&mut self, open: Open, depth: usize) -> Option<()> {
        self.at += 1;
        self.line(depth);
        if open.is_object {
            self.key()?;
        }
        self.value()
    }

    /// A value up to the first scalar within it, or to its end where there is none.
    fn value(&mut self) -> Option<()> {
        loop {
            let is_object = match self.peek()? {
                b'{' => true,
                b'[' => false,
                _ => return self.scalar(),
            };
            let node = self.note(self.at, self.at);
            let open = Open { start: self.at, is_object, node };
            self.open.push(open);
            self.at += 1;
            let close = if is_object { b'}' } else { b']' };
            if self.peek() == Some(close) {
                return self.close(open);
            }
            self.line(self.depth + self.open.len());
            if self.peek() == Some(close) {
                self.irregular = self.at;
                return self.close(open);
            }
            if is_object {
                self.key()?;
            }
        }
    }

    /// The end of the innermost object or list.
    fn close(&mut self, open: Open) -> Option<()> {
        if self.peek()? != if open.is_object { b'}' } else { b']' } {
            return None;
        }
        self.at += 1;
        self.open.pop();
        let next = narrow(self.found.nodes.len());
        if let Some(node) = open.node.and_then(|it| self.found.nodes.get_mut(it)) {
            let is_laid_out = self.irregular <= open.start;
            node.marked_end = narrow(self.at) | if is_laid_out { LAID_OUT } else { 0 };
            node.next = next;
        }
        Some(())
    }

    /// A key and its colon.
    fn key(&mut self) -> Option<()> {
        let start = self.at;
        let is_escaped = self.string()?;
        self.found.has_escaped_keys |= is_escaped;
        self.note(start, self.at);
        if self.bytes.get(self.at..)?.starts_with(b": ") {
            self.at += 2;
        } else {
            self.irregular = self.at;
            self.skip_space();
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
        }
        let before = self.at;
        self.skip_space();
        if self.at > before {
            self.irregular = before;
        }
        Some(())
    }

    fn scalar(&mut self) -> Option<()> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.string().map(drop)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        self.note(start, self.at);
        Some(())
    }

    /// Whether it is spelled with escapes.
    fn string(&mut self) -> Option<bool> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let mut is_escaped = false;
        loop {
            self.at += plain_len(self.bytes.get(self.at..)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(is_escaped);
                }
                b'\\' => {
                    is_escaped = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let is_hex = |it: &[u8]| it.iter().all(u8::is_ascii_hexdigit);
        self.at += match self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if self.bytes.get(self.at + 2..self.at + 6).is_some_and(is_hex) => 6,
            _ => return None,
        };
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one.
    fn digits(&mut self) -> Option<()> {
        let digits = self.bytes.get(self.at..)?.iter().take_while(|it| it.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(())
    }

    /// The line end and the indentation of a new line, and whatever there is in its place.
    fn line(&mut self, depth: usize) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let line = LINE.as_bytes().get(..1 + depth * INDENT.len());
        let before = self.at;
        match line {
            Some(line) if rest.starts_with(line) => self.at += line.len(),
            _ => self.irregular = before,
        }
        let reached = self.at;
        self.skip_space();
        if self.at > reached {
            self.irregular = before;
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Notes a key or a value, if it is to be noted, and says where.
    fn note(&mut self, start: usize, end: usize) -> Option<usize> {
        if self.extent == Extent::Outline {
            let is_far_in = self.open.len() > OUTLINE_DEPTH;
            if is_far_in || self.open.iter().any(|it| !it.is_object) {
                return None;
            }
        }
        let place = self.found.nodes.len();
        // A scalar is laid out like this at any depth.
        let marked_end = narrow(end) | LAID_OUT;
        self.found.nodes.push(Node { start: narrow(start), marked_end, next: narrow(place + 1) });
        Some(place)
    }
}

/// The start of a line, as deep as is looked. What lies deeper is never said to be laid out.
const LINE: &str = "\n                                        ";

/// How deep objects may lie for their members to be in an outline.
const OUTLINE_DEPTH: usize = 2;

/// How many bytes belong to a string as they are, before a quote, an escape or what no string may
/// hold.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return 8 * index + marks.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |it: &&u8| !matches!(it, b'"' | b'\\' | 0..0x20);
    8 * words.len() + rest.iter().take_while(is_plain).count()
}

/// The high bit of every byte that ends a run of plain ones; above the first of them perhaps of
/// others, too.
fn marks(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A borrow reaches the high bit of a byte that is less, and of none that has it set already.
    let is_less = |word: u64, than: u8| word.wrapping_sub(EACH * u64::from(than)) & !word;
    let is_equal = |byte: u8| is_less(word ^ (EACH * u64::from(byte)), 1);
    (is_less(word, 0x20) | is_equal(b'"') | is_equal(b'\\')) & (EACH << 7)
}

/// Texts are never long enough for places that do not fit.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX) & !LAID_OUT
}
