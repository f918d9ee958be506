use proptest::prelude::*;

use super::*;

#[test]
fn requirements_are_left_out_but_for_what_everything_is_built_with() {
    let text = "# Notes\nKeeps notes.\n## Search\n- full text\n- by tag\n## Technology stack\n\
                - SQLite with FTS5\n## Out of scope\n- sharing notes\n";
    insta::assert_snapshot!(background(&Prd::read(text).unwrap(), 1000), @r"
    # Notes
    Keeps notes.
    ## Technology stack
    SQLite with FTS5
    ");
}

#[test]
fn more_chapters_than_the_budget_has_room_for_do_not_make_it_longer() {
    let chapter = |it: usize| format!("## Technology {it}\n- stores value {it} in a file\n");
    let text = format!("# Doc\n{}", (0..300).map(chapter).collect::<String>());
    let background = background(&Prd::read(&text).unwrap(), 400);
    assert!(
        background.chars().count() <= 600 && background.contains("Technology 0"),
        "{background}"
    );
    assert!(background.ends_with('\n'));
}

proptest! {
    #[test]
    fn every_chapter_is_heard_and_the_text_stays_near_its_budget(
        chapters in prop::collection::vec((1..20usize, 5..60usize), 1..8),
        budget in 1500..6000usize,
    ) {
        let mut text = "# Doc\n## Technology\n".to_owned();
        for (at, (items, words)) in chapters.iter().enumerate() {
            text.extend(["### Chapter ", &at.to_string(), "\n"]);
            for _ in 0..*items {
                text.push_str("- ");
                text.push_str(&"stores value ".repeat(*words));
                text.push('\n');
            }
        }
        let background = background(&Prd::read(&text).unwrap(), budget);
        for at in 0..chapters.len() {
            let heard = format!("### Chapter {at}\nstores");
            prop_assert!(background.contains(&heard), "{heard}: {background}");
        }
        let length = background.chars().count();
        prop_assert!(length <= budget + budget / 2, "{length} for {budget}");
    }
}
