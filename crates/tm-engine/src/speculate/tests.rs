//! Tests of `speculate`.

use super::*;

#[track_caller]
fn check(text: &str, most: u32, expected: &str) {
    let tokens: Vec<_> = text.bytes().map(|byte| LlamaToken(i32::from(byte))).collect();
    let guessed: String = guess(&tokens, most)
        .iter()
        .map(|token| char::from(u8::try_from(token.0).unwrap()))
        .collect();
    assert_eq!(guessed, expected);
}

#[test]
fn what_followed_the_last_time_is_guessed() {
    check("the cat, the cow, the ", 9, "cow, t");
    check("the cat, the cow, the ", 2, "co");
    check("aaaa", 9, "a");
    check("abcdefgh", 9, "");
    check("ab", 9, "");
    check("the cat, the ", 0, "");
}
