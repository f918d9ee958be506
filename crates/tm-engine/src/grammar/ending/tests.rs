//! Tests of `ending`: what is a circle, and what is open.

use super::*;

#[test]
fn the_same_text_over_and_over_is_a_circle_and_its_last_round_is_found() {
    for (round, times) in [("a", 600), ("ab, ", 150), ("0123456789", 60)] {
        let text = format!("It begins: {}", round.repeat(times));
        assert_eq!(&text[circle(text.as_bytes(), CIRCLE_BYTES).unwrap()], round);
    }
    let item = r#"{"name":"a long enough item of a list, which comes again","done":false},"#;
    let long = item.repeat(9);
    assert_eq!(&long[circle(long.as_bytes(), CIRCLE_BYTES).unwrap()], item);
}

#[test]
fn what_is_short_comes_twice_or_differs_is_no_circle() {
    let numbered: Vec<String> = (0..200).map(|it| format!("{{\"id\":{it},\"x\":0}},")).collect();
    let numbered = numbered.concat();
    let varied: String = (0..600).map(|it| it.to_string()).collect();
    for text in [String::new(), "a".repeat(599), numbered, varied.clone(), varied.repeat(2)] {
        assert_eq!(circle(text.as_bytes(), CIRCLE_BYTES), None, "{text}");
    }
}

#[test]
fn texts_lists_and_objects_are_open_until_they_are_closed() {
    let mut outline = Outline::default();
    let open = br#"{"a":["\"[",1]}"#.map(|byte| {
        outline.saw(byte);
        outline.open()
    });
    assert_eq!(open, [1, 2, 2, 1, 1, 2, 3, 3, 3, 3, 2, 2, 2, 1, 0]);
}
