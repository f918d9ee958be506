use super::*;
use crate::plan::tree::{
    Reason,
    tests::{PRD, tree_of},
};

fn tree() -> Tree {
    tree_of(PRD, &[Reason::SeveralFeatures, Reason::OneFeature])
}

fn node<'a>(tree: &'a mut Tree, id: &str) -> &'a mut Node {
    tree.nodes.iter_mut().find(|it| it.id == id).unwrap()
}

/// The faults of a tree that `spoil` was done to.
#[track_caller]
fn check(spoil: impl FnOnce(&mut Tree), expected: &str) {
    let mut tree = tree();
    spoil(&mut tree);
    let faults: Vec<String> = of_tree(&tree, None).iter().map(ToString::to_string).collect();
    assert!(faults.iter().any(|it| it == expected), "{expected:?} is not in {faults:#?}");
}

#[test]
fn a_tree_as_it_is_made_has_no_fault() {
    let prd = Prd::read(PRD).unwrap();
    assert_eq!(of_tree(&tree(), Some((&prd, &Origin::of(PRD.as_bytes())))), []);
}

#[test]
fn what_a_tree_must_hold_is_looked_up() {
    check(|it| it.nodes.clear(), "there is no node");
    check(|it| it.nodes.push(it.nodes[1].clone()), "the id 1.1 is there 2 times");
    check(|it| it.requirements.push(it.requirements[0].clone()), "the id R1 is there 2 times");
    check(|it| node(it, "1.1").depth = 3, "node 1.1 is at depth 3, and not the 2 that its id says");
    check(|it| node(it, "1.1").depth = 6, "node 1.1 is at depth 6: trees have at most 5");
    check(
        |it| node(it, "1").children.push("1.9".into()),
        "node 1 has a child 1.9, which is not there",
    );
    check(|it| node(it, "1").children.truncate(1), "node 1.2 belongs to no other node");
    check(|it| drop(node(it, "1.1").requirements.remove(0)), "the children of node 1 leave out R1");
    check(
        |it| drop(node(it, "1.1").requirements.remove(0)),
        "no leaf has R1: find notes by word with SQLite FTS5",
    );
    check(
        |it| node(it, "1.1").requirements.push("R9".into()),
        "node 1.1 has R9, which its parent does not have",
    );
    check(|it| node(it, "1.2").requirements.push("R1".into()), "R1 is in 1.1 and 1.2");
    check(|it| node(it, "1").requirements.truncate(1), "node 1.1 is as large as its parent");
    check(|it| node(it, "1.1").requirements.clear(), "node 1.1 has no requirement");
    check(|it| node(it, "1.1").title = " ".into(), "node 1.1 has no title");
    check(|it| node(it, "1.1").stop = None, "node 1.1 has no children, and nothing says why");
    check(
        |it| node(it, "1.1").depends_on.push("1".into()),
        "node 1.1 waits for 1, which is no leaf",
    );
    check(
        |it| {
            node(it, "1.1").depends_on = vec!["1.2".into()];
            node(it, "1.2").depends_on = vec!["1.1".into()];
        },
        "node 1.1 can never begin: what it waits for waits in a circle",
    );
}

#[test]
fn a_tree_and_a_changed_document_are_told_apart() {
    let faults = |text: &str| {
        let prd = Prd::read(text).unwrap();
        let faults = of_tree(&tree(), Some((&prd, &Origin::of(text.as_bytes()))));
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        faults(&PRD.replace("50 ms", "90 ms")),
        [
            "R2 is not at bytes 56 to 77 of the document: answer within 50 ms",
            "the document says what no node has: answer within 90 ms",
        ]
    );
    let twice = PRD.replace("## Out of", "- one Markdown file for each note\n## Out of");
    assert_eq!(
        faults(&twice),
        ["the document says what no node has: one Markdown file for each note",]
    );
}

#[test]
fn coverage_that_is_about_another_tree_is_told() {
    let tree = tree();
    let said = coverage(&tree);
    assert_eq!(of_coverage(&tree, &said), None);
    let other = Coverage { covered: 3, ..said };
    assert_eq!(of_coverage(&tree, &other), Some(TreeFault::OtherCoverage));
}

#[test]
fn what_a_reader_would_stumble_over_is_told() {
    let text = "# D\n## Search\n- finds notes by word\n- is fast\n## Empty\n## Sync\n- Finds notes by word\n## Sync\n- twice there\n";
    let prd = Prd::read(text).unwrap();
    let faults = of_document(&prd, &Origin::of(text.as_bytes()));
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "bytes 63 to 84: R1 says the same: Finds notes by word",
            "nothing stands below the heading “Empty”",
            "2 headings are “Sync” in the same place",
        ]
    );
    let nothing = "# D\n## Out of scope\n- all of it\n";
    let prd = Prd::read(nothing).unwrap();
    assert_eq!(
        of_document(&prd, &Origin::of(nothing.as_bytes())),
        [DocumentFault::NothingRequired]
    );
}
