//! How many tokens a text is, where nobody has counted: at most, and at least. Pure.
//!
//! Vocabularies differ. The upper bound decides whether a prompt may be sent, the lower one whether
//! a server can have read all of it. Both err on the side of saying so.

/// More than any vocabulary in use makes of it, but for texts that are made to prove the contrary.
///
/// Words are counted by three letters, although most are a token or two, by two letters where they
/// are long or not English, and by each letter where there are digits among them; digits and signs
/// are counted one by one, and what is not ASCII by its bytes.
pub fn at_most(text: &str) -> u32 {
    let (mut tokens, mut spaces, mut word) = (0_usize, 0_usize, Word::default());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            word.letters += usize::from(character.is_ascii_alphabetic());
            word.has_digits |= character.is_ascii_digit();
        } else {
            word.is_foreign |= !character.is_ascii();
            tokens += word.tokens();
            word = Word { is_foreign: !character.is_ascii(), ..Word::default() };
        }
        if character.is_ascii_whitespace() {
            spaces += 1;
            continue;
        }
        // One space belongs to the word after it, where that is a common one.
        let alone = spaces.saturating_sub(usize::from(character.is_ascii_alphabetic()));
        tokens += alone.div_ceil(2);
        spaces = 0;
        tokens += match character.len_utf8() {
            1 => usize::from(!character.is_ascii_alphabetic()),
            bytes => bytes - 1,
        };
    }
    tokens += word.tokens() + spaces.div_ceil(2);
    u32::try_from(tokens + 1).unwrap_or(u32::MAX)
}

/// Letters in a row.
#[derive(Default)]
struct Word {
    letters: usize,
    has_digits: bool,
    /// There is a letter of another alphabet beside them.
    is_foreign: bool,
}

impl Word {
    fn tokens(&self) -> usize {
        let Self { letters, has_digits, is_foreign } = *self;
        match (has_digits, is_foreign || letters > 8) {
            (true, _) => letters,
            (false, true) => letters.div_ceil(2),
            (false, false) => letters.div_ceil(3),
        }
    }
}

/// Fewer than any vocabulary in use makes of it: a token is part of one word.
///
/// Scripts without spaces have words of a few characters, and tokens may be whole phrases.
pub fn at_least(text: &str) -> u32 {
    let (mut words, mut others, mut is_word) = (0_usize, 0_usize, false);
    for character in text.chars() {
        let is_letter = character.is_alphabetic();
        let is_spaced = is_letter && (character as u32) < 0x0E00;
        words += usize::from(is_spaced && !is_word);
        others += usize::from(is_letter && !is_spaced);
        is_word = is_spaced;
    }
    u32::try_from(words + others / 6).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
