//! How an answer that is held to a schema is brought to its end, when it does not come there itself.
//!
//! Small models write in circles. Whoever has written the same several times in a row is led out of
//! what goes round: a text is closed, a list gets no more items. And when an answer's tokens are
//! about to run out, everything is closed that is open, in the fewest tokens. Knows what JSON looks
//! like, and nothing of schemas: the grammar has the last word on each token.

use std::ops::Range;

use toktrie::{SimpleVob, TokTrie};

use self::outline::Outline;

mod outline;

/// So many bytes that are one piece over and over are a circle, and nothing that was asked for.
const CIRCLE_BYTES: usize = 600;
/// The same inside of a text, which is no list of equal numbers.
const TEXT_CIRCLE_BYTES: usize = 240;
/// At least so often it says the same.
const ROUNDS: usize = 3;
/// Longer circles are not found.
const WINDOW_BYTES: usize = 8 << 10;
/// After so many bytes it is looked again.
const BETWEEN_LOOKS_BYTES: usize = 48;

/// The marks that lead to the end of a value soonest, where they may stand outside of a text: what
/// closes before what goes on, and what is empty before what has to be filled.
const OUTSIDE: [&str; 6] = ["}", "]", ",", ":", "[", "{"];

/// The tokens that are one mark of JSON each.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    end: u32,
    quote: Option<u32>,
    outside: Vec<u32>,
}

impl Marks {
    pub(super) fn of(trie: &TokTrie) -> Self {
        let token = |mark: &str| trie.token_id(mark.as_bytes());
        let outside = OUTSIDE.iter().filter_map(|it| token(it)).collect();
        Self { end: trie.eos_token(), quote: token("\""), outside }
    }

    /// The token of those that are allowed that leads to the end soonest, if one is known to.
    fn soonest(&self, allowed: &SimpleVob, is_text: bool) -> Option<u32> {
        let inside = if is_text { self.quote.as_slice() } else { &self.outside };
        let mut marks = std::iter::once(&self.end).chain(inside);
        marks.find(|it| allowed.is_allowed(**it)).copied()
    }
}

/// What is written, and what of it must be closed.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    marks: Marks,
    outline: Outline,
    written: Vec<u8>,
    /// How many things were open after each byte.
    open: Vec<u16>,
    /// Circles are looked for in what comes after.
    new_since: usize,
    looked_at: usize,
    closing: Option<Closing>,
}

/// What is being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// All but so many things.
    DownTo(u16),
    /// Everything, because there are no more tokens.
    All,
}

impl Ending {
    pub(super) fn new(marks: Marks) -> Self {
        Self {
            marks,
            outline: Outline::default(),
            written: Vec::new(),
            open: Vec::new(),
            new_since: 0,
            looked_at: 0,
            closing: None,
        }
    }

    /// Whether it had to end.
    pub(super) fn is_cut(&self) -> bool {
        self.closing == Some(Closing::All)
    }

    /// From now on all is closed.
    pub(super) fn close_all(&mut self) {
        self.closing = Some(Closing::All);
    }

    /// What is left of the allowed tokens when something has to be closed.
    pub(super) fn narrowed(&self, allowed: &SimpleVob) -> Option<SimpleVob> {
        self.closing?;
        let token = self.marks.soonest(allowed, self.outline.is_text())?;
        let mut only = SimpleVob::alloc(allowed.len());
        only.allow_token(token);
        Some(only)
    }

    /// The next token of the shortest way to the end that is known.
    pub(super) fn shortest(&self, allowed: &SimpleVob, trie: &TokTrie) -> Option<u32> {
        let mark = self.marks.soonest(allowed, self.outline.is_text());
        mark.or_else(|| allowed.iter().min_by_key(|it| trie.token(*it).len()))
    }

    /// Takes the bytes of the next token.
    pub(super) fn saw(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.outline.saw(*byte);
            self.written.push(*byte);
            self.open.push(self.outline.open());
        }
        match self.closing {
            None => self.look(),
            Some(Closing::DownTo(open)) if self.outline.open() <= open => {
                self.closing = None;
                self.new_since = self.written.len();
            }
            Some(Closing::DownTo(_) | Closing::All) => {}
        }
    }

    fn look(&mut self) {
        let written = self.written.len();
        if written < self.looked_at + BETWEEN_LOOKS_BYTES {
            return;
        }
        self.looked_at = written;
        let start = self.new_since.max(written.saturating_sub(WINDOW_BYTES));
        let new = self.written.get(start..).unwrap_or_default();
        let text = self.open.iter().rev().take_while(|it| **it == self.outline.open()).count();
        let is_inside = self.outline.is_text() && text >= TEXT_CIRCLE_BYTES;
        let least = if is_inside { TEXT_CIRCLE_BYTES } else { CIRCLE_BYTES };
        let Some(round) = circle(new, least).map(|it| start + it.start..start + it.end) else {
            return;
        };
        // What is open all the time goes round, and the innermost of it is what is not left.
        let open = self.open.get(round).unwrap_or_default().iter().min();
        self.closing = open.map(|it| Closing::DownTo(it.saturating_sub(1)));
    }
}

/// The last round of what goes in circles at the end of a text, for so many bytes at least.
fn circle(text: &[u8], least: usize) -> Option<Range<usize>> {
    let backwards = || text.iter().rev();
    let reversed: Vec<u8> = backwards().copied().collect();
    // The border of each beginning of the reversed text: its length without that is its period.
    let mut borders = vec![0_usize; reversed.len()];
    let mut border = 0;
    for (index, byte) in reversed.iter().enumerate().skip(1) {
        while border > 0 && reversed.get(border) != Some(byte) {
            border = borders.get(border - 1).copied().unwrap_or(0);
        }
        border += usize::from(reversed.get(border) == Some(byte));
        if let Some(at) = borders.get_mut(index) {
            *at = border;
        }
        let (length, period) = (index + 1, index + 1 - border);
        if length >= least && period * ROUNDS <= length {
            return Some(text.len() - period..text.len());
        }
    }
    None
}

#[cfg(test)]
mod tests;
