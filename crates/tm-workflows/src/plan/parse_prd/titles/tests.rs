use super::*;

#[test]
fn a_part_begins_with_its_heading_and_the_first_words_of_its_requirements() {
    let text = "# Notes\n\n## Search\n\n- Every word of a note can be found.\n- Results come in the order of their dates, newest first.\n- And more.\n";
    let prd = Prd::read(text).unwrap();
    let part = Part { units: prd.requirements().map(|it| it.0).collect(), tasks: 1 };
    assert_eq!(
        beginning(&prd, &part, ABOUT_WORDS),
        "Search: Every word of a note can be found.; Results come in the order of their dates,"
    );
}
