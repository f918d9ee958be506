//! Bytes of tokens become text, never half a character.
//!
//! A character may be split over several tokens; its first bytes are held back until the rest
//! arrives. Knows nothing of tokens.

/// Text that arrives in pieces.
#[derive(Debug, Default)]
pub(crate) struct TextStream {
    held: Vec<u8>,
}

impl TextStream {
    /// The text that is whole once `bytes` have arrived. Bytes that can be no part of any
    /// character become U+FFFD; an unfinished character at the very end is never given out.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.held.as_slice();
        loop {
            match str::from_utf8(rest) {
                Ok(whole) => {
                    text.push_str(whole);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (whole, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(whole));
                    rest = after;
                    let Some(length) = error.error_len() else { break };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = rest.get(length..).unwrap_or_default();
                }
            }
        }
        self.held = rest.to_vec();
        text
    }
}

#[cfg(test)]
mod tests;
