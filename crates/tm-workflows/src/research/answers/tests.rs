use super::answers;

#[track_caller]
fn check(question: &str, sentence: &str, expected: Option<bool>) {
    assert_eq!(answers(question, "Rooms", sentence, None), expected);
}

#[test]
fn a_number_is_not_answered_without_one() {
    check(
        "How many guests fit into the hall?",
        "The hall was built of stone for guests.",
        Some(false),
    );
    check("How often is the hall heated?", "The hall is heated every night.", Some(true));
    check("How is the hall heated?", "The hall is heated with wood.", Some(true));
}

#[test]
fn most_words_of_the_question_are_enough_and_fewer_are_not_known() {
    check("Why was the old roof replaced?", "The old roof leaked.", Some(true));
    check("Why was the old roof replaced?", "It leaked after every storm.", None);
    check("Which rooms are free?", "It depends on the season.", Some(true));
}

#[test]
fn a_question_that_asks_for_more_than_a_sentence_is_not_judged_by_one() {
    let question = "How do the heating, ventilation and lighting of the hall, kitchen, cellar, attic and \
                    garden compare, and which costs more?";
    check(question, "The garden is green.", Some(true));
}

#[test]
fn where_it_is_known_how_near_they_are_words_do_not_count() {
    let question = "Why was the old roof replaced?";
    let check = |sentence, cosine, expected| {
        assert_eq!(answers(question, "Rooms", sentence, Some((cosine, 0.7))), expected);
    };
    check("The old roof was replaced.", 0.6, None);
    check("It leaked after every storm.", 0.8, Some(true));
    let number = answers("How old is the roof?", "Rooms", "It leaks.", Some((0.8, 0.7)));
    assert_eq!(number, Some(true));
    assert_eq!(
        answers("How long is the roof?", "Rooms", "It leaks.", Some((0.8, 0.7))),
        Some(false)
    );
}
