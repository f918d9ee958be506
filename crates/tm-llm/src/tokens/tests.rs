use proptest::prelude::*;

use super::{at_least, at_most};

#[test]
fn the_bounds_of_some_texts() {
    for (text, least, most) in [
        ("", 0, 1),
        ("word", 1, 3),
        ("one two, three", 3, 6),
        ("1234567", 0, 8),
        ("in 1969", 1, 7),
        ("    indented", 1, 6),
        ("snake_case(argument);", 3, 12),
        ("größer", 1, 5),
        ("日本語のテキスト", 1, 17),
        ("🦀", 0, 4),
    ] {
        assert_eq!((at_least(text), at_most(text)), (least, most), "{text:?}");
    }
}

proptest! {
    #[test]
    fn the_lower_bound_is_not_above_the_upper_one(text in ".{0,200}") {
        prop_assert!(at_least(&text) <= at_most(&text));
    }

    #[test]
    fn more_text_is_not_fewer_tokens(text in "[ -~]{0,100}", more in " [ -~]{0,100}") {
        let both = format!("{text}{more}");
        prop_assert!(at_most(&both) >= at_most(&text) && at_least(&both) >= at_least(&text));
    }
}
