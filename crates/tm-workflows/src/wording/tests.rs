use super::*;

#[test]
fn titles_lose_what_models_add_and_what_the_grammar_cut() {
    for (text, expected) in [
        ("1. Set up the store.", "Set up the store"),
        ("12) Set up the store", "Set up the store"),
        ("\"Search notes\"", "Search notes"),
        ("3D view of the house", "3D view of the house"),
        ("2.5 times as fast", "2.5 times as fast"),
        ("FR-03 | Search notes by word", "Search notes by word"),
        ("M1\u{2011}T3| Search notes", "Search notes"),
        ("M1-T3 - Search notes", "Search notes"),
        (": create the package", "Create the package"),
        (", Classify menu items", "Classify menu items"),
        ("To implement the command line", "Implement the command line"),
        ("main.py and its modules", "main.py and its modules"),
        ("NFR-2.1: Answer in 50 ms", "Answer in 50 ms"),
        ("GPT-4 answers questions", "GPT-4 answers questions"),
        ("UTF-8", "UTF-8"),
        (
            "Implement the book catalogue with a title, authors, ISBN, publisher, year, and a",
            "Implement the book catalogue with a title, authors, ISBN, publisher, year",
        ),
        (
            "Implement the loans with a due date, returning, and reminders for overdue e-mail",
            "Implement the loans with a due date, returning, and reminders",
        ),
        (
            "Create static pages for each department of the church (Kindergarten, Elementary",
            "Create static pages for each department of the church",
        ),
        ("Sync notes (CRDT)", "Sync notes (CRDT)"),
        ("Sync notes to", "Sync notes"),
        ("Title:: Sync notes", "Sync notes"),
        ("Pin the version across", "Pin the version"),
        ("Write the help and the `", "Write the help"),
    ] {
        assert_eq!(title(text, 80), expected);
    }
}

#[test]
fn a_sentence_cut_by_the_grammar_ends_where_it_makes_sense() {
    let cut =
        "Show the list of books that stand there and from which scanned ones can be moved one af";
    assert_eq!(clause(cut, cut.len()), "Show the list of books that stand there");
    assert_eq!(clause("Show the list and the shelf", 200), "Show the list and the shelf");
    for said in [": Show the list.", "> Show the list.", ". Show the list."] {
        assert_eq!(clause(said, 200), "Show the list.");
    }
    assert_eq!(clause(".NET shows the list.", 200), ".NET shows the list.");
    assert_eq!(clause("登记图书。登记图书，", 10), "登记图书。");
}

#[test]
fn a_text_ends_with_one_stop() {
    for (text, expected) in [
        ("Index it", "Index it."),
        ("Done?", "Done?"),
        ("A list,", "A list."),
        ("登记图书", "登记图书。"),
        ("등록한다", "등록한다."),
    ] {
        assert_eq!(ended(text), expected);
    }
}

#[test]
fn a_sentence_is_said_once() {
    let twice =
        "Store the note in the database. Index it. Store the note in the database. Index it.";
    assert_eq!(sentences(twice, 500), "Store the note in the database. Index it. Index it.");
}

#[test]
fn a_text_cut_by_the_grammar_ends_with_its_last_whole_sentence() {
    assert_eq!(sentences("One done. Two done. Three is c", 30), "One done. Two done.");
    assert_eq!(sentences("One done. It lists a", 30), "One done.", "the next word did not fit");
    assert_eq!(sentences("One done. Two is short", 300), "One done. Two is short");
    assert_eq!(sentences("no sentence ends here at all", 28), "no sentence ends here at all");
    let free = "Written by a model that nothing held. It ends - so";
    assert_eq!(sentences(free, 20), free);
}

#[test]
fn a_text_ends_before_what_is_no_character() {
    assert_eq!(
        clause("It needs less than 150 MB of memory (220 MB with图\u{fffd}", 140),
        "It needs less than 150 MB of memory"
    );
}
