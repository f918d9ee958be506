use super::*;

#[test]
fn titles_lose_what_models_add_and_what_the_grammar_cut() {
    for (text, expected) in [
        ("1. Set up the store.", "Set up the store"),
        ("\"Search notes\"", "Search notes"),
        (
            "Implement the book catalogue with a title, authors, ISBN, publisher, year, and a",
            "Implement the book catalogue with a title, authors, ISBN, publisher, year",
        ),
        ("Sync notes to", "Sync notes"),
    ] {
        assert_eq!(title(text), expected);
    }
}

#[test]
fn every_title_is_bound_to_its_part() {
    let schema = schema(&[1, 2, 2]);
    let parts = schema["properties"]["tasks"]["prefixItems"].as_array().unwrap();
    let parts: Vec<_> = parts.iter().map(|it| it["properties"]["part"]["const"].clone()).collect();
    assert_eq!(parts, [1, 2, 2]);
}
