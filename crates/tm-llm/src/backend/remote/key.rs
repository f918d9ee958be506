//! A key for a server: never shown, also where the server repeats it.

use std::fmt;

/// A shorter key is a word such as `local`, for servers that want one and look at none.
const SHORTEST: usize = 8;

/// A key, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What a server said, which may be what it was sent.
    pub(super) fn hidden_in(&self, said: String) -> String {
        if self.0.len() < SHORTEST {
            return said;
        }
        let mut shown = said.replace(&self.0, "[key]");
        // What was cut off in the middle of it.
        let cut = (SHORTEST..self.0.len()).rev().filter_map(|it| self.0.get(..it));
        if let Some(left) =
            cut.into_iter().find_map(|it| shown.trim_end_matches('…').strip_suffix(it))
        {
            shown = format!("{left}[key]");
        }
        shown
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_a_server_repeats_is_not_shown_and_a_word_is_left_alone() {
        let key = Key::new("sk-0123456789");
        let hidden = |said: &str| key.hidden_in(said.to_owned());
        assert_eq!(hidden("no such key: Bearer sk-0123456789."), "no such key: Bearer [key].");
        assert_eq!(hidden("no such key: sk-01234…"), "no such key: [key]");
        assert_eq!(hidden("sk-0 is too short"), "sk-0 is too short");
        let word = Key::new("local");
        assert_eq!(word.hidden_in("a local model".to_owned()), "a local model");
    }
}
