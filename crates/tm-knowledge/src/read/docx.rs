//! Word documents as Markdown: headings, paragraphs, lists and tables, in their order.
//!
//! A document is an archive of XML. Only the files that say something are opened, and no more is
//! unpacked of each than a person could have written: what an archive says of its sizes is not
//! believed. What was deleted while changes were recorded, and what is in comments, is not read.
//! Start at [`markdown`].

use std::{
    collections::HashMap,
    io::{Cursor, Read as _},
};

use quick_xml::{
    Reader,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
};
use zip::{ZipArchive, result::ZipError};

use super::Unreadable;

/// A file of XML that is larger was made to do harm.
const LARGEST_BYTES: u64 = 64_000_000;

/// The title that the document gives itself, and its text.
pub(super) fn markdown(bytes: &[u8]) -> Result<(Option<String>, String), Unreadable> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let body = file(&mut archive, "word/document.xml")?
        .ok_or_else(|| Unreadable::NotDocx("it has no text in it".to_owned()))?;
    let styles = file(&mut archive, "word/styles.xml")?.unwrap_or_default();
    let core = file(&mut archive, "docProps/core.xml")?.unwrap_or_default();
    let mut document = Document { levels: levels(&styles)?, ..Document::default() };
    each(&body, |piece| document.read(&piece))?;
    document.end_block();
    Ok((title(&core)?, document.text))
}

/// A file of the archive; none where it has none of this name.
fn file(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Option<String>, Unreadable> {
    let packed = match archive.by_name(name) {
        Ok(packed) => packed,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(broken(error)),
    };
    let mut text = String::new();
    let read = packed.take(LARGEST_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| Unreadable::NotDocx(error.to_string()))?;
    if text.len() as u64 > LARGEST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    Ok(Some(text))
}

fn broken(error: impl std::fmt::Display) -> Unreadable {
    Unreadable::NotDocx(error.to_string())
}

/// What a file is made of.
enum Piece<'a> {
    Begin(&'a BytesStart<'a>),
    End(&'a str),
    Words(&'a str),
}

/// Hands on every piece of a file. Of references only those are known that XML itself has: a
/// document cannot define its own.
fn each(xml: &str, mut read: impl FnMut(Piece<'_>)) -> Result<(), Unreadable> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Eof => return Ok(()),
            Event::Start(tag) => read(Piece::Begin(&tag)),
            Event::Empty(tag) => {
                read(Piece::Begin(&tag));
                read(Piece::End(tag.local_name().as_ref()));
            }
            Event::End(tag) => read(Piece::End(tag.local_name().as_ref())),
            Event::Text(text) => read(Piece::Words(&text.xml10_content())),
            Event::CData(text) => read(Piece::Words(&text.xml10_content())),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => read(Piece::Words(character.encode_utf8(&mut [0; 4]))),
                Ok(None) | Err(_) => {
                    read(Piece::Words(resolve_xml_entity(&reference).unwrap_or_default()));
                }
            },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// How deep the headings of each style are; 0 for items of lists. The names of styles are the same
/// in every language, their ids are not.
fn levels(styles: &str) -> Result<HashMap<String, usize>, Unreadable> {
    let mut levels = HashMap::new();
    let mut style = String::new();
    each(styles, |piece| {
        let Piece::Begin(tag) = piece else { return };
        match tag.local_name().as_ref() {
            "style" => style = attribute(tag, "styleId").unwrap_or_default(),
            "name" => {
                let name = attribute(tag, "val").unwrap_or_default().to_lowercase();
                let level = name.strip_prefix("heading ").and_then(|it| it.parse().ok());
                let level = level.filter(|it| (1..=6).contains(it));
                let level = level.or_else(|| (name == "title").then_some(1));
                let level = level.or_else(|| name.starts_with("list ").then_some(0));
                if let Some(level) = level {
                    levels.insert(style.clone(), level);
                }
            }
            _ => {}
        }
    })?;
    Ok(levels)
}

fn title(core: &str) -> Result<Option<String>, Unreadable> {
    let (mut is_title, mut title) = (false, String::new());
    each(core, |piece| match piece {
        Piece::Begin(tag) => is_title = tag.local_name().as_ref() == "title",
        Piece::End(_) => is_title = false,
        Piece::Words(words) if is_title => title.push_str(words),
        Piece::Words(_) => {}
    })?;
    Ok(super::some_words(&title))
}

/// A document as far as it was read.
#[derive(Debug, Default)]
struct Document {
    levels: HashMap<String, usize>,
    text: String,
    /// The paragraph or the row of a table that is being read.
    block: String,
    /// What the paragraph begins with, such as `# `.
    mark: String,
    is_text: bool,
    /// Tables in tables are read as one.
    tables: usize,
    rows: usize,
    cells: usize,
}

impl Document {
    fn read(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Begin(tag) => {
                self.begin(tag);
                self.is_text = tag.local_name().as_ref() == "t";
            }
            Piece::End(name) => {
                self.is_text = false;
                self.end(name);
            }
            Piece::Words(words) if self.is_text => self.block.push_str(words),
            Piece::Words(_) => {}
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "pStyle" => {
                let style = attribute(tag, "val").unwrap_or_default();
                match self.levels.get(&style).filter(|_| self.tables == 0) {
                    Some(0) => "- ".clone_into(&mut self.mark),
                    Some(level) => self.mark = format!("{} ", "#".repeat(*level)),
                    None => {}
                }
            }
            "numPr" if self.mark.is_empty() && self.tables == 0 => "- ".clone_into(&mut self.mark),
            "tab" | "br" | "cr" => self.block.push(' '),
            "noBreakHyphen" => self.block.push('-'),
            "tbl" => {
                self.end_block();
                (self.tables, self.rows) = (self.tables + 1, 0);
            }
            "tr" => self.cells = 0,
            "tc" => {
                self.cells += 1;
                self.block.push_str(if self.cells == 1 { "| " } else { " | " });
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" if self.tables == 0 => self.end_block(),
            // Paragraphs of a cell stay in its row.
            "p" => self.block.push(' '),
            "tr" => {
                let row = one_line(&std::mem::take(&mut self.block));
                if !row.is_empty() {
                    self.text.push_str(&row);
                    self.text.push_str(" |\n");
                    self.rows += 1;
                }
                if self.rows == 1 {
                    self.text.push('|');
                    self.text.push_str(&" --- |".repeat(self.cells));
                    self.text.push('\n');
                }
            }
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                self.text.push('\n');
            }
            _ => {}
        }
    }

    /// Puts the paragraph behind the others.
    fn end_block(&mut self) {
        let (block, mark) = (std::mem::take(&mut self.block), std::mem::take(&mut self.mark));
        let block = one_line(&block);
        if !block.is_empty() {
            self.text.push_str(&mark);
            self.text.push_str(&block);
            self.text.push_str("\n\n");
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let mut attributes = attributes.with_checks(false).map_while(Result::ok);
    let found = attributes.find(|it| it.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
