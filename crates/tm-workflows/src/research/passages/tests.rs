use super::*;

#[test]
fn passages_are_divided_into_sentences_and_headings_are_none() {
    #[track_caller]
    fn check(kind: Kind, text: &str, expected: &[&str]) {
        let found: Vec<&str> = sentences(kind, text).into_iter().map(|it| &text[it]).collect();
        assert_eq!(found, expected);
    }
    check(
        Kind::Markdown,
        "# How it is heated\n\nThe oven is heated\nfor two hours. Bread goes in then!\n\n- Rye takes 3.5 hours\n- Wheat takes one hour\n1. Open the door\nOk.\n",
        &[
            "The oven is heated\nfor two hours.",
            "Bread goes in then!",
            "- Rye takes 3.5 hours",
            "- Wheat takes one hour",
            "1. Open the door\nOk.",
        ],
    );
    check(
        Kind::Code,
        "fn heat(oven: Oven) {\n    // Slowly. Or not.\n}\n\nfn cool(oven: Oven) {}\n",
        &["fn heat(oven: Oven) {\n    // Slowly. Or not.\n}", "fn cool(oven: Oven) {}"],
    );
    check(
        Kind::Text,
        "烤箱预热两小时。面包什么时候放？好。两小时以后",
        &["烤箱预热两小时。", "面包什么时候放？", "好。两小时以后"],
    );
    check(Kind::Text, "", &[]);
}

#[test]
fn a_passage_is_about_a_question_when_it_has_its_words() {
    #[track_caller]
    fn check(question: &str, text: &str, expected: f64) {
        let found = coverage(&asked_for(question), text);
        assert!((found - expected).abs() < 0.01, "{found}");
    }
    check("How do we store sessions?", "A session is stored in Redis.", 1.0);
    check("What is the capital of France?", "Capital is raised by selling shares.", 0.5);
    check("Who heats the ovens?", "Customers order bread.", 0.0);
    check("烤箱怎么预热？", "烤箱预热两小时。", 0.4);
    check("Why?", "Anything.", 1.0);
}
