use super::*;
use crate::plan::tree::{
    division::Division,
    growth::{Answer, Growth},
};
use crate::prd::{Origin, Prd};

pub(super) const PRD: &str = "\
# Notes
## Search
- find notes by word with SQLite FTS5
- answer within 50 ms
## Sync
- two machines hold the same notes
- conflicts keep both versions, see Search
## Export
- one Markdown file for each note
## Out of scope
- sharing
";

/// A tree whose model gives these verdicts, one after the other, and then the last one.
pub(super) fn tree_of(text: &str, reasons: &[Reason]) -> Tree {
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    let mut growth = Growth::new(&division);
    let mut reasons = reasons.iter().copied();
    let mut last = None;
    while !growth.level().is_empty() {
        let mut answer = |cuts: Vec<usize>, id: String| {
            let cut = *cuts.first()?;
            last = reasons.next().or(last);
            Some(Answer {
                title: format!("Build part{}", id.replace('.', "x")),
                reason: last?,
                cut,
            })
        };
        let answers: Vec<Option<Answer>> =
            growth.level().iter().map(|it| answer(growth.choices(it), it.id())).collect();
        growth.advance(answers);
    }
    finish(growth, text)
}

pub(super) fn finish(growth: Growth<'_>, text: &str) -> Tree {
    let document = Source {
        path: "prd.md".into(),
        title: "Notes".into(),
        bytes: text.len(),
        sha256: crate::digest::sha256_hex(text.as_bytes()),
    };
    let made = Made {
        tool: "task-master 0.1.0".into(),
        model: Some("script".into()),
        prompts: "p".into(),
        language: "English".into(),
        seed: 42,
        budget: 300,
        questions: 3,
    };
    growth.finish(&Origin::of(text.as_bytes()), document, made)
}

#[test]
fn a_tree_reads_as_nested_lists_that_end_with_the_requirements() {
    let tree = tree_of(PRD, &[Reason::SeveralFeatures, Reason::OneFeature]);
    insta::assert_snapshot!(markdown::markdown(&tree), @r"
    # Notes

    5 requirements of `prd.md` in 2 pieces of work, divided by script (seed 42).

    - **1 Build part1**
      - **1.1 Build part1x1**: one piece of work
        - R1: find notes by word with SQLite FTS5
        - R2: answer within 50 ms
      - **1.2 Build part1x2**: one piece of work (after 1.1)
        - R3: two machines hold the same notes
        - R4: conflicts keep both versions, see Search
        - R5: one Markdown file for each note
    ");
}

#[test]
fn leaves_become_tasks_after_those_they_wait_for_with_their_requirements_word_for_word() {
    let text = "# Shop\n## Orders\n- an order is paid, see Payment\n- an order is sent\n\
                ## Payment\n- cards are charged\n- refunds are booked\n";
    let tree = tree_of(text, &[Reason::SeveralFeatures, Reason::OneFeature]);
    let drafts = tree.drafts("medium");
    let fact = |it: &Draft| format!("{} (after {:?})\n{}", it.title, it.after, it.details);
    let facts: Vec<String> = drafts.iter().map(fact).collect();
    insta::assert_snapshot!(facts.join("\n\n"), @r"
    Build part1x2 (after [])
    Requirements:
    - cards are charged
    - refunds are booked

    Build part1x1 (after [0])
    Requirements:
    - an order is paid, see Payment
    - an order is sent
    ");
}

#[test]
fn a_tree_that_is_written_and_read_again_is_the_same() {
    let tree = tree_of(PRD, &[Reason::SeparateSteps, Reason::OneComponent]);
    let text = serde_json::to_string(&tree).unwrap();
    assert_eq!(serde_json::from_str::<Tree>(&text).unwrap(), tree);
}
