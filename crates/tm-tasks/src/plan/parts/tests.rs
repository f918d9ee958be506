use proptest::prelude::*;

use super::*;

const PRD: &str = "\
# Library
## Catalogue
- Scan an ISBN barcode with the camera of a phone
- Look up the title at Open Library
- Edit authors by hand
## Loans
- Lend a book to a friend
- Send a reminder e-mail after 30 days
## Backup
- Nightly export to a ZIP archive
";

/// The units of each part, with how many tasks it is worth.
#[track_caller]
fn check(tasks: usize, expected: &str) {
    let prd = Prd::read(PRD).unwrap();
    let parts = parts(&prd, tasks);
    let shown: Vec<String> =
        parts.iter().map(|it| format!("{:?}x{}", it.units, it.tasks)).collect();
    assert_eq!(shown.join(" "), expected);
}

#[test]
fn parts_end_where_chapters_end() {
    check(3, "[0, 1, 2]x1 [3, 4]x1 [5]x1");
    check(1, "[0, 1, 2, 3, 4, 5]x1");
}

#[test]
fn long_chapters_are_divided_before_short_ones() {
    check(4, "[0]x1 [1, 2]x1 [3, 4]x1 [5]x1");
}

#[test]
fn where_less_is_asked_for_than_wanted_the_longest_are_done_in_steps() {
    check(8, "[0]x2 [1]x1 [2]x1 [3]x1 [4]x2 [5]x1");
}

fn sorted(mut units: Vec<usize>) -> Vec<usize> {
    units.sort_unstable();
    units
}

/// The words of each part.
fn divided(text: &str, tasks: usize) -> String {
    let prd = Prd::read(text).unwrap();
    let words = |it: &Part| {
        let texts = it.units.iter().map(|unit| prd.units[*unit].text.as_str());
        texts.collect::<Vec<_>>().join("; ")
    };
    parts(&prd, tasks).iter().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_document_that_says_its_steps_is_divided_by_them_and_what_it_says_about_one_joins_it() {
    let text = "# Shop\n## Features\n- the cart holds 50 items\n- payment by card or invoice\n\
                - orders are mailed\n## Roadmap\n- Build the cart of the shop\n\
                - Connect payment to Stripe\n- Mail every order\n## Dependency chain\n\
                - payment needs the cart\n";
    insta::assert_snapshot!(divided(text, 3), @r"
    Build the cart of the shop; the cart holds 50 items
    Connect payment to Stripe; payment by card or invoice
    Mail every order; orders are mailed
    ");
}

#[test]
fn what_all_stands_on_comes_first_and_what_needs_all_last() {
    let text = "# Shop\n## Testing\n- every page has a test\n## Cart\n- it holds 50 items\n\
                ## Tech stack\n- Rust and SQLite are used\n";
    insta::assert_snapshot!(divided(text, 3), @r"
    Rust and SQLite are used
    it holds 50 items
    every page has a test
    ");
}

proptest! {
    #[test]
    fn every_requirement_is_in_one_part_and_the_count_is_kept(
        chapters in prop::collection::vec(1..15usize, 1..10),
        tasks in 1..40usize,
    ) {
        let chapter = |(at, items): (usize, &usize)| {
            format!("## Chapter {at}\n{}", "- stores one value of it\n".repeat(*items))
        };
        let text: String = chapters.iter().enumerate().map(chapter).collect();
        let prd = Prd::read(&text).unwrap();
        let parts = parts(&prd, tasks);
        let units: Vec<usize> = parts.iter().flat_map(|it| it.units.clone()).collect();
        prop_assert_eq!(sorted(units), prd.requirements().map(|it| it.0).collect::<Vec<_>>());
        prop_assert_eq!(parts.iter().map(|it| it.tasks).sum::<usize>(), tasks);
        prop_assert!(parts.iter().all(|it| !it.units.is_empty()));
    }
}

/// What the first version has and how it is used says again what the features say.
#[test]
fn a_chapter_that_says_again_what_a_longer_one_says_makes_no_part_and_joins() {
    let text = "# Shop\n## Features\n- the catalogue of videos is shown on a page for phones\n\
                - the owner edits videos, their titles and prices\n\
                - payment of a video by the Stripe checkout page\n\
                - the Telegram bot sends the video that was paid\n\
                ## User flow\n- a user opens the catalogue of videos\n- the user pays by Stripe checkout\n\
                - the Telegram bot sends the video\n";
    insta::assert_snapshot!(divided(text, 2), @r"
    the catalogue of videos is shown on a page for phones; the owner edits videos, their titles and prices; a user opens the catalogue of videos
    payment of a video by the Stripe checkout page; the Telegram bot sends the video that was paid; the user pays by Stripe checkout; the Telegram bot sends the video
    ");
    // For seven tasks the features alone are too few.
    assert!(divided(text, 7).ends_with("\nthe Telegram bot sends the video"));
}

#[test]
fn a_step_that_is_worth_several_tasks_is_divided_by_what_is_said_about_it() {
    let text = "# Shop\n## Features\n- the cart of the shop holds 50 items of any kind\n\
                - the cart is kept for a week when the user leaves\n- orders are mailed\n\
                ## Roadmap\n- Build the cart of the shop\n- Mail every order\n\
                - Connect payment to Stripe\n- Write the help pages\n";
    insta::assert_snapshot!(divided(text, 5), @r"
    Build the cart of the shop
    the cart of the shop holds 50 items of any kind; the cart is kept for a week when the user leaves
    Mail every order; orders are mailed
    Connect payment to Stripe
    Write the help pages
    ");
}
