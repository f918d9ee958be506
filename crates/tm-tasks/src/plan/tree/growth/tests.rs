use proptest::prelude::*;

use super::*;
use crate::{
    plan::tree::{
        faults::of_tree,
        tests::{PRD, finish, tree_of},
    },
    prd::Prd,
};

fn reason() -> impl Strategy<Value = Reason> {
    prop::sample::select(Reason::ANSWERS.to_vec())
}

/// Chapters of every depth with items, some of them alike.
fn document() -> impl Strategy<Value = String> {
    let block = prop_oneof![
        (1..6_usize, 0..4_u8)
            .prop_map(|(level, name)| format!("{} Part {name}\n", "#".repeat(level))),
        (0..30_u8, 0..6_u8)
            .prop_map(|(thing, other)| { format!("- keeps thing {thing} and other {other}\n") }),
        (2..12_usize, 0..9_u8)
            .prop_map(|(times, it)| format!("- does task {it} well\n").repeat(times)),
    ];
    prop::collection::vec(block, 1..60).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_a_model_says_the_children_divide_the_requirements_of_their_parent(
        text in document(),
        answers in prop::collection::vec(prop::option::of((reason(), 0..90_usize)), 0..40),
    ) {
        let Ok(prd) = Prd::read(&text) else { return Ok(()) };
        let division = Division::new(&prd);
        let mut growth = Growth::new(&division);
        let mut answers = answers.into_iter();
        let mut levels = 0;
        while !growth.level().is_empty() {
            let said = growth.level().iter().map(|_| {
                let title = "Build a thing".to_owned();
                answers.next().flatten().map(|(reason, cut)| Answer { title, reason, cut })
            });
            let said = said.collect();
            growth.advance(said);
            levels += 1;
        }
        prop_assert!(levels <= DEPTH_MAX);
        let tree = finish(growth, &text);
        let origin = Origin::of(text.as_bytes());
        prop_assert_eq!(of_tree(&tree, Some((&prd, &origin))), vec![]);
        for node in &tree.nodes {
            let own = text.get(node.span.start..node.span.end);
            prop_assert!(own.is_some_and(|it| !it.trim().is_empty()), "{node:?}");
        }
    }
}

#[test]
fn every_leaf_says_why_it_is_one() {
    let several = tree_of(PRD, &[Reason::SeveralFeatures]);
    assert_eq!(several.stopped(Stop::OneUnit), 5);
    let one = tree_of(PRD, &[Reason::OneComponent]);
    assert_eq!((one.nodes.len(), one.nodes[0].stop), (1, Some(Stop::Atomic)));
    let unasked = tree_of(PRD, &[]);
    assert_eq!(
        (unasked.nodes[0].reason, unasked.nodes[0].stop),
        (Reason::NotAsked, Some(Stop::Budget))
    );
}

#[test]
fn a_tree_ends_at_its_depth_however_much_is_left() {
    let items: Vec<String> = (0..7).map(|it| format!("- item {it} of the list\n")).collect();
    let deep = |it: usize| format!("{} Level {it}\n- says {it} first\n", "#".repeat(it));
    let text = [(1..6).map(deep).collect::<String>(), items.concat().repeat(2)].concat();
    let tree = tree_of(&text, &[Reason::SeparateSteps]);
    assert_eq!(tree.nodes.iter().map(|it| it.depth).max(), Some(DEPTH_MAX));
    assert!(tree.stopped(Stop::Depth) > 0, "{tree:#?}");
}

#[test]
fn siblings_of_one_name_are_called_by_their_own_words() {
    let text = "# D\n## A\n- one is kept\n- two is kept\n## B\n- three is sent\n- four is sent\n";
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    let mut growth = Growth::new(&division);
    let said = |title: &str, reason| Some(Answer { title: title.into(), reason, cut: 2 });
    growth.advance(vec![said("Build all of it", Reason::SeveralFeatures)]);
    growth.advance(vec![said("Do the rest", Reason::OneFeature); 2]);
    let titles: Vec<String> = finish(growth, text).nodes.into_iter().map(|it| it.title).collect();
    assert_eq!(titles, ["Build all of it", "Do the rest", "B"]);
}

#[test]
fn a_title_that_only_says_again_what_the_product_is_called_gives_way_to_the_documents_own_words() {
    let text = "# Bread shop\n## Cart\n- put rolls into it\n- keep it for a week\n## 2. Pay\n\
                - charge cards\n- book refunds\n## Send\n- print labels\n- call the courier\n";
    let check = |title: &str, expected: &str| {
        let prd = Prd::read(text).unwrap();
        let division = Division::new(&prd);
        let mut growth = Growth::new(&division);
        let whole = Answer {
            title: "Sell in the bread shop".into(),
            reason: Reason::SeveralFeatures,
            cut: 2,
        };
        growth.advance(vec![Some(whole)]);
        let second = Answer { title: title.into(), reason: Reason::OneFeature, cut: 3 };
        growth.advance(vec![None, Some(second)]);
        let tree = finish(growth, text);
        let found = tree.nodes.iter().find(|it| it.id == "1.2").unwrap();
        assert_eq!(found.title, expected, "{title}");
        let by = if title == expected { TitledBy::Model } else { TitledBy::Document };
        assert_eq!(found.titled_by, by);
    };
    check("Build the bread shop", "Pay – Send");
    check("Sell bread in a shop system", "Pay – Send");
    check("Charge cards in the bread shop", "Charge cards in the bread shop");
    // Titles in another language have no word of the document, and are titles all the same.
    check("Karten belasten und Etiketten drucken", "Karten belasten und Etiketten drucken");
}
