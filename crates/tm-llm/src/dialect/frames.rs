//! A stream of bytes, cut into the messages it is made of.
//!
//! Bytes arrive in any pieces, in the middle of a character too; messages leave whole. What they
//! say is not known here. Start at [`Frames`].

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

    /// The messages that are whole with these bytes.
    ///
    /// # Errors
    /// [`FrameTooLong`]; the stream is of no use from there on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, FrameTooLong> {
        let mut frames = Vec::new();
        for piece in bytes.split_inclusive(|it| *it == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() + self.data.as_ref().map_or(0, Vec::len) > FRAME_BYTES {
                return Err(FrameTooLong);
            }
            if self.line.ends_with(b"\n") && self.framing != Framing::Whole {
                frames.extend(self.end_line());
            }
        }
        Ok(frames)
    }

    /// What is left when the stream has ended: servers forget the last line's end.
    pub fn finish(mut self) -> Option<String> {
        let last = self.end_line();
        last.or_else(|| self.data.take().map(text))
    }

    fn end_line(&mut self) -> Option<String> {
        let mut line = std::mem::take(&mut self.line);
        while line.last().is_some_and(|it| matches!(it, b'\n' | b'\r')) {
            line.pop();
        }
        match self.framing {
            Framing::Lines | Framing::Whole => Some(text(line)).filter(|it| !it.trim().is_empty()),
            Framing::Events if line.is_empty() => self.data.take().map(text),
            Framing::Events => {
                if let Some(value) = line.strip_prefix(b"data:") {
                    let value = value.strip_prefix(b" ").unwrap_or(value);
                    match &mut self.data {
                        None => self.data = Some(value.to_owned()),
                        Some(data) => {
                            data.push(b'\n');
                            data.extend_from_slice(value);
                        }
                    }
                }
                None
            }
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests;
