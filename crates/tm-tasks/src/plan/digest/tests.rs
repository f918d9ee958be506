use proptest::prelude::*;

use super::*;

#[test]
fn a_small_document_passes_whole_without_what_it_excludes() {
    let text = "# Notes\nKeeps notes.\n## Search\n- full text\n- by tag\n### Speed\n- under 50 ms\n\
                ## Export\n- one file a note\n## Out of scope\n- sharing notes\n";
    insta::assert_snapshot!(digest(&Prd::read(text).unwrap(), 1000), @r"
    # Notes
    Keeps notes.
    ## Search
    - full text
    - by tag
    ### Speed
    - under 50 ms
    ## Export
    - one file a note
    ");
}

proptest! {
    #[test]
    fn every_chapter_is_heard_and_the_text_stays_near_its_budget(
        chapters in prop::collection::vec((1..20usize, 5..60usize), 1..8),
        budget in 1500..6000usize,
    ) {
        let mut text = "# Doc\n".to_owned();
        for (at, (items, words)) in chapters.iter().enumerate() {
            text.extend(["## Chapter ", &at.to_string(), "\n"]);
            for _ in 0..*items {
                text.push_str("- ");
                text.push_str(&"stores value ".repeat(*words));
                text.push('\n');
            }
        }
        let digest = digest(&Prd::read(&text).unwrap(), budget);
        for at in 0..chapters.len() {
            let heard = format!("## Chapter {at}\n- stores");
            prop_assert!(digest.contains(&heard), "{heard}: {digest}");
        }
        let length = digest.chars().count();
        prop_assert!(length <= budget + budget / 2 + 400, "{length} for {budget}");
    }
}
