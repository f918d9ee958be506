//! PDF documents as text, page by page.
//!
//! A page is glyphs, each in its place, in the order in which the document draws them, which nearly
//! always is the order in which they are read. Spaces, lines and paragraphs are made where there are
//! gaps. Nothing is recognised in pictures. A form feed is between two pages, so that what is cited can
//! name its page.
//!
//! Documents are made by strangers and are hard to read, so [`process`] does it in a process of its
//! own. Start at `text`.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask,
    font::{Glyph, GlyphRun, PositionedGlyph},
    hayro_cmap::{BfString, WritingMode},
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf},
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect, Vec2},
};

use super::Unreadable;

pub mod process;

/// What is between two pages.
pub(crate) const PAGE_BREAK: char = '\u{c}';

/// More text than this was made to do harm.
const LONGEST_TEXT: usize = 16_000_000;

/// Glyphs are measured in thousandths of their size.
const SIZE: f64 = 1000.0;

// What follows is in sizes of the letters.

/// The narrowest space between two words.
const SPACE: f64 = 0.15;

/// How far a letter may be above or below the others of its line.
const RAISED: f64 = 0.5;

/// From one line to the next where nothing else is known.
const LINE: f64 = 1.2;

/// So many times as far as the line before it, a line begins a paragraph.
const PARAGRAPH: f64 = 1.3;

/// Letters that are printed once more, so little beside themselves, look bold.
const OVERPRINTED: f64 = 0.1;

/// The title that the document gives itself, and its text.
pub(super) fn text(bytes: Vec<u8>) -> Result<(Option<String>, String), Unreadable> {
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Unreadable::Locked,
        LoadPdfError::Decryption(_) => broken("it is encrypted in an unknown way"),
        LoadPdfError::Invalid => broken("it is damaged, or something else"),
    })?;
    let (cache, settings) = (InterpreterCache::new(), InterpreterSettings::default());
    let (mut text, mut known, mut unknown) = (String::new(), 0, 0);
    for (index, page) in pdf.pages().iter().enumerate() {
        let (settings, everywhere) = (settings.clone(), Rect::new(0.0, 0.0, 1.0, 1.0));
        let mut context = Context::new(Affine::IDENTITY, everywhere, &cache, pdf.xref(), settings);
        let mut reading = Reading::default();
        interpret_page(page, &mut context, &mut reading);
        if index > 0 {
            text.push(PAGE_BREAK);
        }
        text.push_str(reading.text.trim());
        known += reading.known;
        unknown += reading.unknown;
        if text.len() > LONGEST_TEXT {
            return Err(Unreadable::TooLarge);
        }
    }
    if unknown > known {
        return Err(Unreadable::Unlettered);
    }
    if known == 0 {
        return Err(Unreadable::OnlyPictures);
    }
    let title = pdf.metadata().title.as_deref().map(decoded);
    Ok((title.and_then(|it| super::some_words(&it)), text))
}

fn broken(why: &str) -> Unreadable {
    Unreadable::NotPdf(why.to_owned())
}

/// A text outside of pages: UTF-16 where it says so, UTF-8 where it can be.
fn decoded(bytes: &[u8]) -> String {
    if let Some(wide) = bytes.strip_prefix(&[0xfe, 0xff]) {
        let (units, _) = wide.as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|it| u16::from_be_bytes(*it)).collect();
        return String::from_utf16_lossy(&units);
    }
    let latin = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| latin(bytes))
}

/// A page as far as it was read.
#[derive(Debug, Default)]
struct Reading {
    text: String,
    last: Option<Place>,
    /// From the line before to this one.
    step: f64,
    /// Where the last run of letters began, and what it said.
    run: Option<(Point, String)>,
    /// Glyphs of which is said what they mean, and others.
    known: usize,
    unknown: usize,
}

/// Where a glyph is.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: Point,
    /// Where the next one is without a gap.
    end: Point,
    /// Of length 1, to where the line goes.
    direction: Vec2,
    size: f64,
}

/// What is between two glyphs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gap {
    None,
    Space,
    Line(f64),
    Paragraph(f64),
}

impl Reading {
    fn glyph(&mut self, words: &str, place: Place) {
        if self.text.len() > LONGEST_TEXT {
            return;
        }
        let gap = self.last.map_or(Gap::None, |last| self.gap(last, place));
        self.last = Some(place);
        match gap {
            Gap::None => {}
            Gap::Space => self.space(),
            Gap::Line(step) => {
                self.step = step;
                self.end_line(words, "\n");
            }
            Gap::Paragraph(step) => {
                self.step = step;
                self.end_line("", "\n\n");
            }
        }
        for letter in words.chars() {
            match letter {
                it if it.is_whitespace() || it.is_control() => self.space(),
                '\u{fb00}' => self.text.push_str("ff"),
                '\u{fb01}' => self.text.push_str("fi"),
                '\u{fb02}' => self.text.push_str("fl"),
                '\u{fb03}' => self.text.push_str("ffi"),
                '\u{fb04}' => self.text.push_str("ffl"),
                it => self.text.push(it),
            }
        }
    }

    fn gap(&self, last: Place, place: Place) -> Gap {
        let size = last.size.max(place.size);
        let jump = place.start - last.end;
        let (along, down) = (jump.dot(last.direction), jump.cross(last.direction));
        if last.direction.dot(place.direction) < 0.9 {
            return Gap::Paragraph(0.0);
        }
        if down.abs() <= RAISED * size {
            return match along {
                it if it < -size => Gap::Line(self.step),
                it if it > SPACE * last.size.min(place.size) => Gap::Space,
                _ => Gap::None,
            };
        }
        let usual = (LINE * size).max(self.step);
        if (0.0..PARAGRAPH * usual).contains(&down) {
            Gap::Line(down)
        } else {
            Gap::Paragraph(down)
        }
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }

    /// Ends a line, unless a word goes on in the `next` one.
    fn end_line(&mut self, next: &str, end: &str) {
        self.text.truncate(self.text.trim_end().len());
        let before = self.text.strip_suffix(['-', '\u{ad}', '\u{2010}']);
        let is_word = before.is_some_and(|it| it.ends_with(char::is_lowercase));
        if is_word && next.starts_with(char::is_lowercase) {
            self.text.pop();
        } else if !self.text.is_empty() {
            self.text.push_str(end);
        }
    }
}

/// What of a drawing is text.
impl<'a> Device<'a> for Reading {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let is_vertical = run.writing_mode() == WritingMode::Vertical;
        let placed = |it| place(it, props.transform, is_vertical).map(|place| (unicode(it), place));
        let glyphs: Vec<(Option<String>, Place)> = run.glyphs().iter().filter_map(placed).collect();
        let Some((_, first)) = glyphs.first() else { return };
        let words: String = glyphs.iter().filter_map(|(words, _)| words.as_deref()).collect();
        let is_overprinted = self.run.as_ref().is_some_and(|(start, before)| {
            *before == words && start.distance(first.start) < OVERPRINTED * first.size
        });
        if is_overprinted {
            return;
        }
        self.run = Some((first.start, words));
        for (words, place) in glyphs {
            match words {
                Some(words) => {
                    self.known += usize::from(!words.trim().is_empty());
                    self.glyph(&words, place);
                }
                None => self.unknown += 1,
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

/// What a glyph means; none where the document does not say, or has a meaning of its own for it.
fn unicode(glyph: &PositionedGlyph<'_>) -> Option<String> {
    let text = match glyph.as_unicode()? {
        BfString::Char(letter) => letter.to_string(),
        BfString::String(letters) => letters,
    };
    let is_private = |it: char| matches!(it, '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\0');
    (!text.is_empty() && !text.contains(is_private)).then_some(text)
}

/// Where a glyph is; none for one without extent.
fn place(glyph: &PositionedGlyph<'_>, page: Affine, is_vertical: bool) -> Option<Place> {
    let transform = page * glyph.transform();
    let start = transform * Point::ZERO;
    let (across, up) =
        (transform * Point::new(SIZE, 0.0) - start, transform * Point::new(0.0, SIZE) - start);
    let (line, size) = if is_vertical { (-up, across.hypot()) } else { (across, up.hypot()) };
    let direction = line.normalize();
    let width = match &**glyph {
        Glyph::Outline(_) | Glyph::Type3(_) if is_vertical => None,
        Glyph::Outline(glyph) => glyph.advance_width(),
        Glyph::Type3(glyph) => glyph.advance_width(),
    };
    let end = start + line * width.map_or(1.0, |it| f64::from(it) / SIZE);
    let is_sound = direction.is_finite() && end.is_finite() && size.is_finite() && size > 0.0;
    is_sound.then_some(Place { start, end, direction, size })
}

#[cfg(test)]
mod tests;
