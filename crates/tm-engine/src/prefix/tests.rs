//! Tests of `prefix`.

use super::*;

fn tokens(text: &str) -> Vec<LlamaToken> {
    text.bytes().map(|byte| LlamaToken(i32::from(byte))).collect()
}

fn holding(texts: &[&str]) -> Sequences {
    let mut sequences = Sequences::new(texts.len());
    for (sequence, text) in texts.iter().enumerate() {
        for token in tokens(text) {
            sequences.push(sequence, token);
        }
    }
    sequences
}

#[test]
fn the_longest_start_is_found_wherever_it_is_held() {
    let sequences = holding(&["ab", "abcx", "zabcd", ""]);
    let found = sequences.longest_prefix(&tokens("abcd"));
    assert_eq!(found, Some(Held { sequence: 1, tokens: 3 }));
    assert_eq!(sequences.longest_prefix(&tokens("q")), None);
}

#[test]
fn a_copied_start_takes_no_room_of_its_own() {
    let mut sequences = holding(&["abcd", "xyz"]);
    sequences.copy(Held { sequence: 0, tokens: 3 }, 1);
    sequences.push(1, LlamaToken(9));
    assert_eq!(sequences.len(1), 4);
    let all = |sequences: &Sequences| {
        let whole = |sequence| Held { sequence, tokens: sequences.len(sequence) };
        sequences.cells([whole(0), whole(1)].into_iter())
    };
    assert_eq!(all(&sequences), 5);
    sequences.truncate(0, 0);
    assert_eq!(all(&sequences), 4);
    sequences.clear();
    assert_eq!(all(&sequences), 0);
}
