//! Tests of `text`.

use proptest::prelude::*;

use super::*;

#[test]
fn a_character_split_over_tokens_is_held_back_until_it_is_whole() {
    let mut stream = TextStream::default();
    assert_eq!(stream.push(b"caf\xc3"), "caf");
    assert_eq!(stream.push(b"\xa9 \xf0\x9f"), "\u{e9} ");
    assert_eq!(stream.push(b"\xa6"), "");
    assert_eq!(stream.push(b"\x80!"), "\u{1f980}!");
}

#[test]
fn bytes_that_are_no_character_are_replaced() {
    let mut stream = TextStream::default();
    assert_eq!(stream.push(b"a\xff\xfeb\xc3"), "a\u{fffd}\u{fffd}b");
    assert_eq!(stream.push(b"c"), "\u{fffd}c");
}

proptest! {
    #[test]
    fn any_text_cut_anywhere_comes_out_as_it_was(text in ".{0,40}", cuts in prop::collection::vec(0_usize..5, 0..60)) {
        let mut stream = TextStream::default();
        let mut rest = text.as_bytes();
        let mut out = String::new();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            out.push_str(&stream.push(piece));
            rest = after;
        }
        out.push_str(&stream.push(rest));
        prop_assert_eq!(out, text);
    }
}
