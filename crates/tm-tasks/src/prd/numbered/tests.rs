use super::*;

/// The headings that are found, with how deep they are.
fn headings(text: &str) -> Vec<(String, u8)> {
    let (marked, levels) = marked(text);
    assert_eq!(marked.len(), text.len());
    let mut levels: Vec<(usize, u8)> = levels.into_iter().collect();
    levels.sort_unstable();
    let line = |at: usize| marked[at..].lines().next().unwrap().to_owned();
    levels.into_iter().map(|(at, level)| (line(at), level)).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, u8)]) {
    let expected: Vec<(String, u8)> = expected.iter().map(|it| (it.0.to_owned(), it.1)).collect();
    assert_eq!(headings(text), expected);
}

#[test]
fn chapters_of_plain_text_are_headings_as_deep_as_their_numbers() {
    check(
        "1. Summary\nAn app.\n2. Personas\n2.1. Player\n* plays\n2.2 Admin\n* sets up\n",
        &[("#  Summary", 2), ("#  Personas", 2), ("#    Player", 3), ("#   Admin", 3)],
    );
}

#[test]
fn letters_and_symbols_before_numbers_are_no_hindrance() {
    check(
        "\u{1f3c1} A. Setup\nENV-01 git\n\nB) Design\nUI-01 theme\n",
        &[("#       Setup", 3), ("#  Design", 3)],
    );
}

#[test]
fn lists_and_sentences_stay_what_they_are() {
    check("1. one thing\n2. another thing\n3. a third\n", &[]);
    check("1. The app stores what it is given.\nMore.\n", &[]);
    check("3 apples\nand pears\n- 1. in a list\n", &[]);
    check("2026. That was a year\nand 10.000 more\n", &[]);
}

#[test]
fn a_document_with_marks_of_its_own_keeps_its_lists() {
    check("# App\n## Work\n1. Server\nGo.\n", &[]);
}
