//! Styled text that knows how many columns it takes.
//!
//! Task files are written by strangers and models, so control characters, which could drive the
//! terminal, never get through. Whether colours are shown is [`super::Report`]'s decision.

use std::iter;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const PLAIN: Style = Style::new();
pub const GREEN: Style = AnsiColor::Green.on_default();
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
pub const RED: Style = AnsiColor::Red.on_default();
pub const CYAN: Style = AnsiColor::Cyan.on_default();
pub const MAGENTA: Style = AnsiColor::Magenta.on_default();

/// One line of text in pieces of one style each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    text: String,
    /// The style of each piece, and where in the text it ends.
    spans: Vec<(Style, usize)>,
}

impl Text {
    pub fn plain(text: &str) -> Self {
        Self::styled(PLAIN, text)
    }

    pub fn styled(style: Style, text: &str) -> Self {
        Self::default().and(style, text)
    }

    /// The text with more at its end.
    #[must_use]
    pub fn and(mut self, style: Style, text: &str) -> Self {
        if !text.is_empty() {
            let text = text.trim_end_matches(['\n', '\r']);
            if text.contains(char::is_control) {
                self.text.extend(text.chars().map(|it| if it.is_control() { ' ' } else { it }));
                self.spans.push((style, self.text.len()));
            } else {
                self.push(style, text);
            }
        }
        self
    }

    #[must_use]
    pub fn and_text(mut self, text: Self) -> Self {
        if self.spans.is_empty() {
            return text;
        }
        self.push_text(&text);
        self
    }

    /// How many columns it takes: wide characters take two.
    pub fn width(&self) -> usize {
        width(&self.text)
    }

    /// The text in at most so many columns, with `…` where something is left out.
    #[must_use]
    pub fn fit(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(1);
        let mut fitting = Self::default();
        for (style, text) in self.pieces() {
            let (kept, used) = prefix(text, left);
            left -= used;
            fitting.push(style, kept);
            if kept.len() < text.len() {
                break;
            }
        }
        if columns > 0 {
            fitting.push(DIM, "…");
        }
        fitting
    }

    /// The text broken between words into lines of at most so many columns.
    pub fn wrap(&self, columns: usize) -> Vec<Self> {
        let columns = columns.max(1);
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for (style, text) in self.pieces() {
            for word in text.split_inclusive(' ') {
                let mut rest = word;
                if used > 0 && used + width(word.trim_end()) > columns {
                    lines.push(Self::default());
                    used = 0;
                }
                // A word longer than a line is broken where the line ends.
                while width(rest.trim_end()) > columns {
                    let (head, _) = prefix(rest, columns);
                    let head = if head.is_empty() { first_character(rest) } else { head };
                    push(&mut lines, style, head);
                    lines.push(Self::default());
                    rest = rest.get(head.len()..).unwrap_or_default();
                }
                used += width(rest);
                push(&mut lines, style, rest);
            }
        }
        lines.into_iter().map(Self::without_trailing_space).collect()
    }

    /// Appends it, with or without its styles.
    pub fn write(&self, colour: bool, out: &mut String) {
        for (style, text) in self.pieces() {
            if colour && style != PLAIN && !text.is_empty() {
                out.push_str(&style.render().to_string());
                out.push_str(text);
                out.push_str(&style.render_reset().to_string());
            } else {
                out.push_str(text);
            }
        }
    }

    pub(super) fn without_trailing_space(mut self) -> Self {
        let len = self.text.trim_end().len();
        self.text.truncate(len);
        for (_, end) in &mut self.spans {
            *end = len.min(*end);
        }
        self
    }

    pub(super) fn push_text(&mut self, text: &Self) {
        let start = self.text.len();
        self.text.push_str(&text.text);
        self.spans.extend(text.spans.iter().map(|(style, end)| (*style, start + end)));
    }

    pub(super) fn push_space(&mut self, columns: usize) {
        self.text.extend(iter::repeat_n(' ', columns));
        self.spans.push((PLAIN, self.text.len()));
    }

    fn push(&mut self, style: Style, text: &str) {
        self.text.push_str(text);
        // Most texts are one piece, and a screen may hold a hundred thousand.
        if self.spans.is_empty() {
            self.spans.reserve_exact(1);
        }
        self.spans.push((style, self.text.len()));
    }

    fn pieces(&self) -> impl Iterator<Item = (Style, &str)> {
        let mut start = 0;
        self.spans.iter().map(move |(style, end)| {
            let text = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            (*style, text)
        })
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(&text)
    }
}

fn push(lines: &mut [Text], style: Style, text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push(style, text);
    }
}

/// Counted character by character, as terminals do.
fn width(text: &str) -> usize {
    // Most text is, and there are no controls in it.
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(|it| it.width().unwrap_or(0)).sum()
}

/// As much of a text as fits, and how many columns that takes.
fn prefix(text: &str, columns: usize) -> (&str, usize) {
    let mut used = 0;
    for (index, character) in text.char_indices() {
        let width = character.width().unwrap_or(0);
        if used + width > columns {
            return (text.get(..index).unwrap_or_default(), used);
        }
        used += width;
    }
    (text, used)
}

fn first_character(text: &str) -> &str {
    let len = text.chars().next().map_or(0, char::len_utf8);
    text.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests;
