use proptest::prelude::*;

use super::*;

fn shown(text: &Text) -> String {
    let mut out = String::new();
    text.write(false, &mut out);
    out
}

#[test]
fn wide_characters_take_two_columns() {
    assert_eq!(Text::plain("日本").width(), 4);
    assert_eq!(shown(&Text::plain("日本語").fit(4)), "日…");
    assert_eq!(shown(&Text::plain("日本語").fit(6)), "日本語");
}

#[test]
fn what_could_drive_the_terminal_is_taken_out() {
    assert_eq!(shown(&Text::plain("a\u{1b}[2Jb\tc\r\n")), "a [2Jb c");
}

#[test]
fn text_is_broken_between_words() {
    let lines = Text::plain("one two three").wrap(8);
    assert_eq!(lines.iter().map(shown).collect::<Vec<_>>(), ["one two", "three"]);
}

#[test]
fn a_word_longer_than_a_line_is_broken() {
    let lines = Text::plain("see abcdefghij").wrap(4);
    assert_eq!(lines.iter().map(shown).collect::<Vec<_>>(), ["see", "abcd", "efgh", "ij"]);
}

#[test]
fn styles_are_shown_only_in_colour() {
    let mut out = String::new();
    Text::styled(RED, "no").and(PLAIN, " way").write(true, &mut out);
    assert_eq!(out, "\u{1b}[31mno\u{1b}[0m way");
}

proptest! {
    #[test]
    fn text_never_takes_more_columns_than_it_is_given(text in "\\PC{0,60}", columns in 2_usize..40) {
        let text = Text::plain(&text);
        prop_assert!(text.clone().fit(columns).width() <= columns);
        for line in text.wrap(columns) {
            prop_assert!(line.width() <= columns, "{line:?}");
        }
    }

    #[test]
    fn wrapping_loses_nothing_but_spaces(text in "\\PC{0,60}", columns in 2_usize..40) {
        let letters = |it: &str| it.chars().filter(|it| !it.is_whitespace()).collect::<String>();
        let lines: String = Text::plain(&text).wrap(columns).iter().map(shown).collect();
        prop_assert_eq!(letters(&lines), letters(&text));
    }
}
