use super::*;

const PRD: &str = "\
# Notes
## Search
- find notes by word with SQLite FTS5
- answer within 50 ms
";

fn said(title: &str, details: &str) -> Said {
    Said { title: title.to_owned(), details: details.to_owned(), ..Said::default() }
}

fn prd() -> Prd {
    Prd::read(PRD).unwrap()
}

#[test]
fn requirements_without_a_task_are_missed() {
    let plan = [said("Search", "find notes by word with SQLite FTS5")];
    assert_eq!(requirements(&prd(), &plan), Some(0.5));
    assert_eq!(requirements(&prd(), &[]), Some(0.0));
}

#[test]
fn names_count_where_they_are_required() {
    let both = [
        said("Search", "Notes are found by word: FTS5 in SQLite."),
        said("Answer", "within 50 ms"),
    ];
    assert_eq!(specificity(&prd(), &both), Some(1.0));
    // SQLite became MySQL, and the number is gone: 1 of 3.
    let vague = [said("Search", "Notes are found by word: FTS5 in MySQL."), said("Answer", "soon")];
    assert_eq!(specificity(&prd(), &vague), Some(1.0 / 3.0));
    // SQLite is somewhere else than the search that it is required for.
    let misplaced = [said("Search", "find notes by word with FTS5"), said("Paint", "SQLite")];
    assert_eq!(specificity(&prd(), &misplaced), Some(1.0 / 3.0));
    assert_eq!(specificity(&Prd::read("- find notes by word\n").unwrap(), &both), None);
}

#[test]
fn words_that_are_far_apart_cover_nothing() {
    let filler = |word: &str| format!("{word} {}", "lorem ".repeat(60));
    let apart: String = ["find", "notes", "word", "SQLite", "FTS5"].map(filler).concat();
    assert_eq!(requirements(&prd(), &[said("Search", &apart)]), Some(0.0));
    assert_eq!(
        requirements(&prd(), &[said("Search", "Find notes by word: FTS5, SQLite")]),
        Some(0.5)
    );
}

#[test]
fn a_text_is_divided_into_pieces_that_overlap() {
    let text = |words: usize| (0..words).map(|it| it.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(places(&text(50)), [text(50)]);
    let found = places(&text(51));
    assert_eq!(found.len(), 2);
    assert!(found[1].starts_with("25 ") && found[1].ends_with(" 50"), "{}", found[1]);
    assert_eq!(places(""), [""]);
}

#[test]
fn names_are_what_must_be_spelled_as_it_is() {
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(names(text).into_iter().collect::<Vec<_>>(), expected, "{text}");
    }
    check("Serve pages with Go and net/http.", &["Go", "net/http"]);
    check("Write tasks.json within 50 ms", &["50", "tasks.json"]);
    check("use the OpenAPI of (Stripe)", &["OpenAPI", "Stripe"]);
    check("Notes are kept. Everything else goes", &[]);
    check("User Profile Management", &[]);
}

#[test]
fn statements_without_words_of_the_document_have_no_source() {
    // Three words of the document, and four of nobody's.
    let plan = [said("Find notes by word", "Paint the garden fence green.")];
    assert!((grounding(&prd(), &plan) - 3.0 / 7.0).abs() < 1e-9);
    assert!(grounding(&prd(), &[]).abs() < 1e-9);
}
