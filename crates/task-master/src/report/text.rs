//! Styled text that knows how many columns it takes.
//!
//! Task files are written by strangers and models, so control characters, which could drive the
//! terminal, never get through. Whether colours are shown is [`super::Report`]'s decision.

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
    spans: Vec<(Style, String)>,
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
            self.spans.push((style, without_controls(text)));
        }
        self
    }

    #[must_use]
    pub fn and_text(mut self, text: Self) -> Self {
        self.spans.extend(text.spans);
        self
    }

    /// How many columns it takes: wide characters take two.
    pub fn width(&self) -> usize {
        self.spans.iter().map(|(_, text)| width(text)).sum()
    }

    /// The text in at most so many columns, with `…` where something is left out.
    #[must_use]
    pub fn fit(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(1);
        let mut spans = Vec::new();
        for (style, text) in self.spans {
            let (kept, used) = prefix(&text, left);
            let is_whole = kept.len() == text.len();
            left -= used;
            spans.push((style, kept.to_owned()));
            if !is_whole {
                break;
            }
        }
        if columns > 0 {
            spans.push((DIM, "…".to_owned()));
        }
        Self { spans }
    }

    /// The text broken between words into lines of at most so many columns.
    pub fn wrap(&self, columns: usize) -> Vec<Self> {
        let columns = columns.max(1);
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for (style, text) in &self.spans {
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
                    push(&mut lines, *style, head);
                    lines.push(Self::default());
                    rest = rest.get(head.len()..).unwrap_or_default();
                }
                used += width(rest);
                push(&mut lines, *style, rest);
            }
        }
        lines.into_iter().map(Self::without_trailing_space).collect()
    }

    /// Appends it, with or without its styles.
    pub fn write(&self, colour: bool, out: &mut String) {
        for (style, text) in &self.spans {
            if colour && *style != PLAIN {
                out.push_str(&style.render().to_string());
                out.push_str(text);
                out.push_str(&style.render_reset().to_string());
            } else {
                out.push_str(text);
            }
        }
    }

    pub(super) fn without_trailing_space(mut self) -> Self {
        while let Some((_, text)) = self.spans.last_mut() {
            text.truncate(text.trim_end().len());
            if !text.is_empty() {
                break;
            }
            self.spans.pop();
        }
        self
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
        line.spans.push((style, text.to_owned()));
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

fn without_controls(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

#[cfg(test)]
mod tests;
