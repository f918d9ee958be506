//! From Markdown to sections and units. Knows form only, not meaning, but for lists that are called
//! something like "Future work:".
#![expect(clippy::wildcard_enum_match_arm, reason = "most of Markdown's tags are inline markup")]

use std::{collections::HashMap, ops::Range};

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{Prd, Section, Unit, UnitKind, numbered, phrases::Tells};
use crate::script::{count_words, sentences};

/// Reads the document's blocks. Listings are [`UnitKind::Context`], all else may be required.
pub(super) fn read(text: &str) -> Prd {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let (marked, levels) = numbered::marked(text);
    let mut reader = Reader {
        text,
        levels,
        sections: vec![Section { title: String::new(), level: 0, parent: None }],
        units: Vec::new(),
        open: Vec::new(),
        name: None,
        lists: Vec::new(),
    };
    for (event, span) in Parser::new_ext(&marked, options).into_offset_iter() {
        reader.read(event, span);
    }
    let title = reader
        .sections
        .iter()
        .map(|it| it.title.as_str())
        .chain(reader.units.iter().map(|it| it.text.as_str()))
        .find(|it| !it.is_empty())
        .map(|it| it.chars().take(80).collect())
        .unwrap_or_default();
    Prd { title, sections: reader.sections, units: reader.units }
}

/// Above this a paragraph is more than one unit.
const LONG_BYTES: usize = 600;

/// The name of a list is no longer.
const NAME_WORDS: usize = 6;

/// A block whose words are being collected.
struct Block {
    kind: BlockKind,
    start: usize,
    words: String,
}

#[derive(PartialEq)]
enum BlockKind {
    Heading(u8),
    /// A list item or a table row, which may hold other blocks.
    Item,
    Paragraph,
    /// Indented text, which plain documents mean as text: line by line.
    Lines,
    /// A fenced block: an example or a listing.
    Example,
}

struct Reader<'t> {
    text: &'t str,
    /// Of headings that the text itself does not mark, by where they start.
    levels: HashMap<usize, u8>,
    sections: Vec<Section>,
    units: Vec<Unit>,
    open: Vec<Block>,
    /// The end of the last unit, if that says that the list which follows is not to be built.
    name: Option<usize>,
    /// Whether each open list is not to be built.
    lists: Vec<bool>,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, span.start),
            Event::End(tag) => self.end(tag, span),
            Event::Text(words) | Event::Code(words) => self.add(&words),
            Event::Html(words) => self.lines(&words, span.start),
            Event::SoftBreak | Event::HardBreak => self.add(" "),
            Event::Rule
            | Event::InlineHtml(_)
            | Event::TaskListMarker(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, start: usize) {
        let kind = match tag {
            Tag::Heading { level, .. } => BlockKind::Heading(depth(*level)),
            Tag::Paragraph => BlockKind::Paragraph,
            Tag::TableRow | Tag::TableHead | Tag::Item => BlockKind::Item,
            Tag::CodeBlock(CodeBlockKind::Indented) => BlockKind::Lines,
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => BlockKind::Example,
            Tag::List(_) => {
                // An item's own words end where the list below it begins.
                self.flush(start);
                self.list(start);
                return;
            }
            _ => return,
        };
        // A paragraph inside an item is the item's own text.
        let inside_item = matches!(tag, Tag::Paragraph)
            && self.open.last().is_some_and(|it| it.kind == BlockKind::Item && it.words.is_empty());
        if !inside_item {
            self.open.push(Block { kind, start, words: String::new() });
        }
    }

    fn end(&mut self, tag: TagEnd, span: Range<usize>) {
        match tag {
            TagEnd::Heading(_) => {
                if let Some(Block { kind: BlockKind::Heading(level), words, start }) =
                    self.open.pop()
                {
                    let level = self.levels.get(&start).copied().unwrap_or(level);
                    self.section(&words, level);
                }
            }
            TagEnd::Paragraph => {
                // Either its own block or the first paragraph of an item, which stays open.
                self.flush(span.end);
                if self.open.last().is_some_and(|it| it.kind == BlockKind::Paragraph) {
                    self.open.pop();
                }
            }
            TagEnd::TableRow | TagEnd::Item => {
                self.flush(span.end);
                self.open.pop();
            }
            // Names columns, demands nothing.
            TagEnd::TableHead => drop(self.open.pop()),
            TagEnd::CodeBlock => match self.open.pop() {
                Some(Block { kind: BlockKind::Lines, .. }) => {
                    let block = self.text.get(span.clone()).unwrap_or_default().to_owned();
                    self.lines(&block, span.start);
                }
                Some(Block { words, .. }) => self.unit(&words, span, UnitKind::Context),
                None => {}
            },
            TagEnd::TableCell => self.add(" | "),
            TagEnd::List(_) => drop(self.lists.pop()),
            _ => {}
        }
    }

    fn add(&mut self, words: &str) {
        if let Some(block) = self.open.last_mut() {
            block.words.push_str(words);
        }
    }

    /// Ends the open block's text at `end`; the block may go on with other text.
    fn flush(&mut self, end: usize) {
        let Some(block) = self.open.last_mut() else { return };
        if matches!(block.kind, BlockKind::Item | BlockKind::Paragraph) {
            let words = std::mem::take(&mut block.words);
            let span = block.start..end;
            block.start = if words.is_empty() { block.start } else { end };
            let kind = match self.lists.last() {
                Some(true) => UnitKind::Excluded,
                Some(false) | None => UnitKind::Requirement,
            };
            let count = self.units.len();
            self.unit(&words, span, kind);
            let excludes = self.units.len() > count && self.excludes(&words);
            self.name = excludes.then_some(end);
        }
    }

    /// Whether the words of the last unit name a list of what is not to be built: a few that are marked
    /// as a name, or begin as one. "Users won't lose data" is none.
    fn excludes(&self, words: &str) -> bool {
        let source = self.units.last().and_then(|it| self.text.get(it.span.clone()));
        let is_marked = source.is_some_and(|it| it.ends_with([':', '：', '*', '_']));
        let begins = |it: &str| words.trim().to_lowercase().starts_with(it.trim_start_matches('='));
        let tells = Tells::Excluded.in_heading(words).is_some_and(|it| is_marked || begins(it));
        tells && count_words(words) <= NAME_WORDS && !words.trim_end().ends_with(['.', '。'])
    }

    /// A list begins: it is not to be built if its name says so, or that of the list around it.
    fn list(&mut self, start: usize) {
        let between = self.name.take().and_then(|it| self.text.get(it..start));
        let is_named = between.is_some_and(|it| it.trim().is_empty());
        if let Some(name) = self.units.last_mut().filter(|_| is_named) {
            name.kind = UnitKind::Excluded;
        }
        self.lists.push(is_named || self.lists.last() == Some(&true));
    }

    fn lines(&mut self, block: &str, start: usize) {
        let mut at = start;
        for line in block.split_inclusive('\n') {
            let words = line.trim();
            // A line that is only a tag is markup.
            let markup = words.starts_with('<') && words.ends_with('>');
            if words.starts_with('#') {
                let level = words.chars().take_while(|it| *it == '#').count();
                let title = words.trim_start_matches('#').trim();
                self.section(title, u8::try_from(level).unwrap_or(6).min(6));
            } else if !markup {
                let words = words.trim_start_matches(['-', '*', '+', '•']);
                self.unit(words, at..at + line.len(), UnitKind::Requirement);
            }
            at += line.len();
        }
    }

    fn unit(&mut self, words: &str, span: Range<usize>, kind: UnitKind) {
        let source = self.text.get(span.clone()).unwrap_or_default();
        if source.lines().filter(|it| it.trim().contains('\t')).nth(1).is_some() {
            return self.rows(span, kind);
        }
        if kind != UnitKind::Context && words.len() > LONG_BYTES {
            return self.sentences(span, kind);
        }
        self.push(words, span, kind);
    }

    /// A table whose columns are divided by tabs. The first row names the columns, and demands
    /// nothing, when its cells are a word or three and shorter than those below.
    fn rows(&mut self, span: Range<usize>, kind: UnitKind) {
        let text = self.text;
        let source = text.get(span.clone()).unwrap_or_default();
        let mut rows = source.split_inclusive('\n').peekable();
        let mut at = span.start;
        while let Some(row) = rows.next() {
            let is_short = |row: &str| row.split('\t').all(|it| count_words(it) <= 3);
            let is_head = at == span.start
                && row.trim().contains('\t')
                && is_short(row)
                && rows.peek().is_some_and(|next| next.len() > row.len());
            if !is_head {
                let cells = row.split('\t').map(str::trim).filter(|it| !it.is_empty());
                self.push(&cells.collect::<Vec<_>>().join(" | "), at..at + row.len(), kind);
            }
            at += row.len();
        }
    }

    /// A wall of text is many units: its lines, or its sentences where it has no lines.
    fn sentences(&mut self, span: Range<usize>, kind: UnitKind) {
        let text = self.text;
        let source = text.get(span.clone()).unwrap_or_default();
        let mut at = span.start;
        for piece in source.split_inclusive('\n').flat_map(sentences) {
            let words = piece.trim_start().trim_start_matches(['-', '*', '+', '•']);
            self.push(words, at..at + piece.len(), kind);
            at += piece.len();
        }
    }

    fn push(&mut self, words: &str, span: Range<usize>, kind: UnitKind) {
        let text = collapse(words);
        if text.chars().any(char::is_alphanumeric) {
            let source = self.text.get(span.clone()).unwrap_or_default();
            let lead = source.len() - source.trim_start().len();
            let span = span.start + lead..span.start + source.trim_end().len().max(lead);
            let section = self.sections.len() - 1;
            self.units.push(Unit { kind, span, section, text });
        }
    }

    fn section(&mut self, title: &str, level: u8) {
        let mut parent = Some(self.sections.len() - 1);
        while let Some(at) = parent {
            let Some(above) = self.sections.get(at) else { break };
            if above.level < level {
                break;
            }
            parent = above.parent;
        }
        self.sections.push(Section { title: collapse(title), level, parent });
    }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// One space between words, none around them, no column marks at the end of a row.
fn collapse(words: &str) -> String {
    let text = words.split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim_end_matches([' ', '|']).to_owned()
}
