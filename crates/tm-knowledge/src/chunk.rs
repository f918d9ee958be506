//! Texts in pieces that can be found and cited on their own.
//!
//! A chunk is a range of bytes of the text, so its words are the document's own. It ends where
//! the document itself makes a break: at headings and blocks of Markdown, at pages, at paragraphs, at
//! definitions of source code. Start at [`chunks`].

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::read::{Kind, pdf::PAGE_BREAK};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// The headings it is under, the outermost first.
    pub headings: Vec<String>,
}

/// Some 400 tokens: what answers a question, and no more.
const LONGEST: usize = 1600;

/// Sections shorter than this are taken together with what follows.
const SHORTEST: usize = 300;

/// What is never divided, unless it is too long.
struct Block {
    span: Range<usize>,
    headings: Vec<String>,
    /// The chunk before it ends there if it has so many bytes.
    ends: usize,
}

/// The heading of what is on a page, before its number.
const PAGE: &str = "Page ";

/// Divides a text. Every character but the space between pieces is in exactly one of them.
pub fn chunks(kind: Kind, text: &str) -> Vec<Chunk> {
    let blocks = match kind {
        Kind::Markdown | Kind::Html | Kind::Docx => markdown(text),
        Kind::Text => blocks(text, 0, |_| true),
        Kind::Code => blocks(text, 0, |line| !line.starts_with([' ', '\t', '}', ')', ']'])),
        Kind::Pdf => pages(text),
    };
    let mut chunks: Vec<Chunk> = Vec::new();
    for block in blocks {
        let extended = chunks.last().map(|it| it.span.start..block.span.end);
        match (chunks.last_mut(), extended) {
            (Some(last), Some(whole)) if whole.len() <= LONGEST && last.span.len() < block.ends => {
                last.span = whole;
                if last.headings.is_empty() {
                    last.headings = block.headings;
                }
            }
            _ => {
                let Block { span, headings, .. } = block;
                let pieces = pieces(text, span);
                chunks.extend(
                    pieces.into_iter().map(|span| Chunk { span, headings: headings.clone() }),
                );
            }
        }
    }
    chunks
}

/// The blocks of the outermost level, with the headings that they are under.
fn markdown(text: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut blocks: Vec<Block> = Vec::new();
    let mut path: Vec<(HeadingLevel, String)> = Vec::new();
    let mut heading: Option<String> = None;
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        if depth == 0 && !matches!(event, Event::End(_)) {
            if let Event::Start(Tag::Heading { level, .. }) = event {
                path.retain(|(above, _)| *above < level);
                path.push((level, String::new()));
                heading = Some(String::new());
            }
            let ends = if heading.is_some() { SHORTEST } else { usize::MAX };
            blocks.push(Block { span: trimmed(text, range), headings: Vec::new(), ends });
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "headings are made of words and code")]
        match event {
            Event::Start(_) => depth += 1,
            Event::End(TagEnd::Heading(_)) => {
                depth = depth.saturating_sub(1);
                if let (Some(words), Some((_, name))) = (heading.take(), path.last_mut()) {
                    words.trim().clone_into(name);
                }
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
        if depth == 0
            && let Some(block) = blocks.last_mut()
            && block.headings.is_empty()
        {
            block.headings = path.iter().map(|(_, name)| name.clone()).collect();
        }
    }
    blocks.retain(|it| !it.span.is_empty());
    blocks
}

/// The paragraphs of each page. None is together with one of another page, so that its page is known.
fn pages(text: &str) -> Vec<Block> {
    let mut start = 0;
    let mut pages = Vec::new();
    for (number, page) in (1_usize..).zip(text.split(PAGE_BREAK)) {
        let mut blocks = blocks(page, start, |_| true);
        for (index, block) in blocks.iter_mut().enumerate() {
            block.headings = vec![format!("{PAGE}{number}")];
            if index == 0 {
                block.ends = 0;
            }
        }
        pages.extend(blocks);
        start += page.len() + PAGE_BREAK.len_utf8();
    }
    pages
}

/// The page that a chunk of such a document is on.
pub(crate) fn page(kind: Kind, headings: &[String]) -> Option<usize> {
    let heading = headings.first().filter(|_| kind == Kind::Pdf)?;
    heading.strip_prefix(PAGE)?.parse().ok()
}

/// What is between empty lines, where the next line may begin a piece. The text begins `at` so many
/// bytes.
fn blocks(text: &str, at: usize, may_begin: impl Fn(&str) -> bool) -> Vec<Block> {
    let mut starts = vec![0];
    let (mut position, mut is_after_empty) = (0, false);
    for line in text.split_inclusive('\n') {
        let is_empty = line.trim().is_empty();
        if is_after_empty && !is_empty && may_begin(line) {
            starts.push(position);
        }
        is_after_empty = is_empty;
        position += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let spans = starts.iter().zip(ends).map(|(start, end)| trimmed(text, *start..end));
    let block = |span: Range<usize>| {
        let span = span.start + at..span.end + at;
        Block { span, headings: Vec::new(), ends: usize::MAX }
    };
    spans.filter(|it| !it.is_empty()).map(block).collect()
}

/// A range without the space around it, but with the indentation of its first line.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = text.get(range.clone()).unwrap_or_default();
    let end = range.start + piece.trim_end().len();
    let Some(first) = piece.find(|it: char| !it.is_whitespace()) else {
        return range.start..range.start;
    };
    let line = piece.get(..first).and_then(|it| it.rfind('\n')).map_or(0, |it| it + 1);
    range.start + line..end
}

/// A range in pieces of at most [`LONGEST`] bytes, divided where it reads best.
fn pieces(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = range.start;
    while range.end - start > LONGEST {
        let window_end = text.floor_char_boundary(start + LONGEST);
        let window = text.get(start..window_end).unwrap_or_default();
        let breaks = ["\n\n", "\n", ". ", "。", " "].iter();
        let cut = breaks.filter_map(|it| window.rfind(it).map(|at| at + it.len()));
        let cut = cut.into_iter().find(|it| *it > LONGEST / 3).unwrap_or(window.len());
        pieces.push(trimmed(text, start..start + cut));
        start += cut;
    }
    pieces.push(trimmed(text, start..range.end));
    pieces.retain(|it| !it.is_empty());
    pieces
}

#[cfg(test)]
mod tests;
