use proptest::prelude::*;

use super::*;

fn draft(title: &str, details: &str) -> Draft {
    Draft { title: title.to_owned(), details: details.to_owned(), ..Draft::default() }
}

fn waits(drafts: &[Draft]) -> Vec<Vec<usize>> {
    let mut drafts = drafts.to_vec();
    wait_for_related(&mut drafts);
    drafts.into_iter().map(|it| it.after).collect()
}

#[test]
fn a_task_waits_for_the_one_whose_things_it_uses() {
    let drafts = [
        draft("Set up the Go server", "Serve pages with net/http and keep data in SQLite."),
        draft("Store loans", "Keep who borrowed which copy and until when."),
        draft("Print shelf codes", "Make a QR code for each shelf."),
        draft("Remind of overdue loans", "Mail whoever borrowed a copy that is overdue."),
    ];
    assert_eq!(waits(&drafts)[3], [1]);
}

#[test]
fn the_first_task_waits_for_none_and_unrelated_ones_for_nothing() {
    let drafts = [draft("Alpha beta", "gamma"), draft("Delta", "epsilon"), draft("Zeta", "eta")];
    assert_eq!(waits(&drafts), [vec![], vec![], Vec::<usize>::new()]);
}

#[test]
fn of_two_that_are_about_as_near_the_task_before_is_waited_for() {
    let first = draft("Set up the server", "Serve pages over the network.");
    let last = draft("Remind of loans", "Mail for each copy that is overdue.");
    let loans = draft("Store loans", "Keep who borrowed which copy.");
    let copies = draft("Show copies", "List each copy by shelf.");
    for [earlier, before] in [[&loans, &copies], [&copies, &loans]] {
        let drafts = [first.clone(), earlier.clone(), before.clone(), last.clone()];
        assert!(waits(&drafts)[3].contains(&2), "{}", before.title);
    }
}

#[test]
fn a_plan_without_words_has_no_dependencies() {
    assert_eq!(waits(&[draft("", ""), draft("", "")]), [vec![], Vec::<usize>::new()]);
}

proptest! {
    #[test]
    fn only_earlier_tasks_are_waited_for(titles in prop::collection::vec("[a-e ]{0,30}", 0..12)) {
        let drafts: Vec<Draft> = titles.iter().map(|it| draft(it, it)).collect();
        for (position, after) in waits(&drafts).into_iter().enumerate() {
            prop_assert!(after.len() <= 3 && after.iter().all(|it| *it < position));
        }
    }
}
