use proptest::prelude::*;

use super::*;
use crate::plan::parts::parts;

fn digested(text: &str, tasks: usize, budget: usize) -> String {
    let prd = Prd::read(text).unwrap();
    digest(&prd, &parts(&prd, tasks), budget)
}

#[test]
fn a_small_document_passes_whole_with_its_parts_marked_and_without_what_it_excludes() {
    let text = "# Notes\nKeeps notes.\n## Search\n- full text\n- by tag\n### Speed\n- under 50 ms\n\
                ## Export\n- one file a note\n## Out of scope\n- sharing notes\n";
    insta::assert_snapshot!(digested(text, 2, 1000), @r"
    # Notes
    Keeps notes.
    ## Search
    [Part 1]
    - full text
    - by tag
    ### Speed
    - under 50 ms
    ## Export
    [Part 2]
    - one file a note
    ");
}

proptest! {
    #[test]
    fn every_part_is_heard_and_the_text_stays_near_its_budget(
        chapters in prop::collection::vec((1..20usize, 5..60usize), 1..8),
        tasks in 1..15usize,
        budget in 1500..6000usize,
    ) {
        let mut text = "# Doc\n".to_owned();
        for (items, words) in &chapters {
            text.push_str("## Chapter\n");
            for _ in 0..*items {
                text.push_str("- ");
                text.push_str(&"stores value ".repeat(*words));
                text.push('\n');
            }
        }
        let prd = Prd::read(&text).unwrap();
        let parts = parts(&prd, tasks);
        let digest = digest(&prd, &parts, budget);
        for number in 1..=parts.len() {
            let mark = format!("[Part {number}]\n- stores");
            prop_assert!(digest.contains(&mark), "{mark}: {digest}");
        }
        let length = digest.chars().count();
        prop_assert!(length <= budget + budget / 2 + 400, "{length} for {budget}");
    }
}
