//! A stream of bytes, cut into the messages it is made of.
//!
//! Bytes arrive in any pieces, in the middle of a character too; messages leave whole. What they
//! say is not known here. Start at [`Frames`].

use memchr::memchr;

/// How a stream is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events: the data of an event, its lines joined; comments are left out.
    Events,
    /// One message a line.
    Lines,
    /// One message.
    Whole,
}

/// A message that is longer than any server has reason to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of the stream is longer than {FRAME_BYTES} bytes")]
pub struct FrameTooLong;

/// The longest message: an answer that comes all at once is one.
pub const FRAME_BYTES: usize = 4 << 20;

/// Cuts one stream.
#[derive(Debug)]
pub struct Frames {
    framing: Framing,
    /// The line under way, without its end.
    line: Vec<u8>,
    /// The data of the event under way.
    data: Option<Vec<u8>>,
}

impl Frames {
    pub fn new(framing: Framing) -> Self {
        Self { framing, line: Vec::new(), data: None }
    }

    /// Tells the messages that are whole with these bytes.
    ///
    /// # Errors
    /// [`FrameTooLong`]; the stream is of no use from there on.
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut on_frame: impl FnMut(&str),
    ) -> Result<(), FrameTooLong> {
        let mut rest = bytes;
        while let Some((line, after)) = self.line_of(rest) {
            rest = after;
            if self.line.is_empty() {
                self.fits(line)?;
                self.end_line(line, is_blank(rest), &mut on_frame);
            } else {
                self.line.extend_from_slice(line);
                self.fits(&[])?;
                let line = std::mem::take(&mut self.line);
                self.end_line(&line, is_blank(rest), &mut on_frame);
            }
        }
        self.line.extend_from_slice(rest);
        self.fits(&[])
    }

    /// What is left when the stream has ended: servers forget the last line's end.
    pub fn finish(mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        let mut last = None;
        self.end_line(&line, true, &mut |frame| last = Some(frame.to_owned()));
        last.or_else(|| self.data.take().map(|it| String::from_utf8_lossy(&it).into_owned()))
    }

    /// The first line, with its end, and what follows.
    fn line_of<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let end = match self.framing {
            Framing::Whole => None,
            Framing::Events | Framing::Lines => memchr(b'\n', bytes),
        };
        bytes.split_at_checked(end? + 1)
    }

    fn fits(&self, line: &[u8]) -> Result<(), FrameTooLong> {
        let data = self.data.as_ref().map_or(0, Vec::len);
        let is_long = self.line.len() + line.len() + data > FRAME_BYTES;
        if is_long { Err(FrameTooLong) } else { Ok(()) }
    }

    /// `is_last` when an empty line follows: then the data need not be kept until it comes.
    fn end_line(&mut self, line: &[u8], is_last: bool, on_frame: &mut impl FnMut(&str)) {
        let end = line.iter().rposition(|it| !matches!(it, b'\n' | b'\r')).map_or(0, |it| it + 1);
        let line = line.get(..end).unwrap_or_default();
        match self.framing {
            Framing::Lines | Framing::Whole => {
                let text = String::from_utf8_lossy(line);
                if !text.trim().is_empty() {
                    on_frame(&text);
                }
            }
            Framing::Events if line.is_empty() => {
                if let Some(data) = self.data.take() {
                    on_frame(&String::from_utf8_lossy(&data));
                }
            }
            Framing::Events => {
                let Some(value) = line.strip_prefix(b"data:") else { return };
                let value = value.strip_prefix(b" ").unwrap_or(value);
                match &mut self.data {
                    None if is_last => on_frame(&String::from_utf8_lossy(value)),
                    None => self.data = Some(value.to_owned()),
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                }
            }
        }
    }
}

fn is_blank(rest: &[u8]) -> bool {
    rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
}

#[cfg(test)]
mod tests;
