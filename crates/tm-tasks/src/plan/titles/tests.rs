use proptest::prelude::*;

use super::*;

#[test]
fn headings_lose_their_numbers_and_marks() {
    let check = |heading: &str, expected: &str| assert_eq!(of_heading(heading), expected);
    check("4. Performance Optimization", "Performance Optimization");
    check("4.2.1 Sign in", "Sign in");
    check("4.2.1. Sign in:", "Sign in");
    check("(3) Reports", "Reports");
    check("**Core Features**", "Core Features");
    check("Phase 1: Foundation", "Phase 1: Foundation");
    check("Feature: Load a pack (MVP)", "Load a pack (MVP)");
    // Numbers that say something stay, and so does what is nothing else.
    check("2 factor login", "2 factor login");
    check("3D viewer", "3D viewer");
    check("1.2", "1.2");
    check("2024. Q3", "Q3");
}

#[test]
fn requirements_are_called_by_what_they_are_about() {
    let check = |text: &str, expected: &str| assert_eq!(of_requirement(text), expected);
    check("Put bread into the cart.", "Put bread into the cart");
    check("Payment processing: cards, invoices and vouchers", "Payment processing");
    check("**Payment processing:** cards", "Payment processing");
    check(
        "How it works:** After a task was added, the hook is called",
        "After a task was added, the hook is called",
    );
    check("Reason: This delivers the first slice", "This delivers the first slice");
    check("[ ] Write the gathered info to config", "Write the gathered info to config");
    check("FR4.4: Implement caching", "Implement caching");
    check("3. Move tools to where they belong", "Move tools to where they belong");
    // One sentence is enough, but a shortened word does not end it.
    check(
        "Nothing is lost in translation here. Everything is kept.",
        "Nothing is lost in translation here",
    );
    check(
        "If the call fails (e.g. no network) it is made again",
        "If the call fails (e.g. no network) it is made again",
    );
    // What is too long ends with a clause, or with a word.
    check(
        "To preserve history, we will not delete the issue outright, because that would lose all comments on it",
        "To preserve history, we will not delete the issue outright",
    );
    check(
        "Moves the tool of the machine to where the drawing has it and stops it there within some millimetres",
        "Moves the tool of the machine to where the drawing has it and stops it there…",
    );
    check(
        "Each integration (Linear, and potentially others later) will define handlers for the tasks that it knows",
        "Each integration (Linear, and potentially others later) will define handlers…",
    );
    check("", "");
}

proptest! {
    #[test]
    fn a_title_is_short_and_says_something_where_the_text_does(text in "\\PC{0,200}") {
        for title in [of_heading(&text), of_requirement(&text)] {
            prop_assert!(title.chars().count() <= TITLE_MAX + 1);
            let says = |it: &str| it.chars().any(char::is_alphanumeric);
            prop_assert!(says(&title) || !says(&text), "{title:?} of {text:?}");
        }
    }
}
