//! Tests of `speculate`.

use super::*;

#[track_caller]
fn check(text: &str, most: usize, expected: &str) {
    let tokens: Vec<_> = text.bytes().map(|byte| LlamaToken(i32::from(byte))).collect();
    let guessed: String = guess(&tokens, most)
        .iter()
        .map(|token| char::from(u8::try_from(token.0).unwrap()))
        .collect();
    assert_eq!(guessed, expected);
}

#[test]
fn what_followed_the_last_time_is_guessed() {
    check("the cat, the cow, the ", 9, "cow, the ");
    check("the cat, the cow, the ", 2, "co");
    check("aaaa", 9, "a");
    check("abcdefgh", 9, "");
    check("ab", 9, "");
    check("the cat, the ", 0, "");
}

fn milliseconds(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// How many guesses are made of a hundred times, when each time so many of them are right and a
/// guess costs so much beside the hundred milliseconds of the token.
fn made(gain: &mut Gain, right: usize, cost: u64) -> usize {
    let steps = (0..100).map(|_| {
        let guesses = gain.ahead();
        let time = milliseconds(100 + cost * u64::try_from(guesses).unwrap());
        gain.took(guesses, right.min(guesses), time);
        guesses
    });
    steps.sum()
}

#[test]
fn guesses_that_are_right_are_made_and_wrong_ones_are_not_unless_they_cost_nothing() {
    assert!(made(&mut Gain::default(), 6, 20) > 500);
    let few = made(&mut Gain::default(), 0, 20);
    assert!((1..60).contains(&few), "{few}: now and then it is tried");
    assert!(made(&mut Gain::default(), 1, 90) < 60, "what is right costs as much as it saves");
}

#[test]
fn a_text_that_begins_to_repeat_itself_is_noticed() {
    let mut gain = Gain::default();
    made(&mut gain, 0, 20);
    assert!(made(&mut gain, 6, 20) > 300);
    made(&mut gain, 0, 20);
    assert!(made(&mut gain, 0, 20) < 30);
}
