use super::*;

const PRD: &str = "\
# Notes
- find notes by word with SQLite FTS5
- answer a search within 50 ms
- conflicts keep both versions of a note
";

fn covered(tasks: &[&str]) -> Vec<(bool, Vec<usize>)> {
    let prd = Prd::read(PRD).unwrap();
    let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    let requirements = coverage(&prd, &tasks);
    let of = |it: &Requirement| (it.is_covered(), it.covering().map(|it| it.task).collect());
    requirements.iter().map(of).collect()
}

#[test]
fn words_of_the_document_are_found_again_whatever_their_case_and_spacing() {
    let found = covered(&["Search\nFind  notes by word\nwith sqlite FTS5."]);
    assert_eq!(found, [(true, vec![0]), (false, vec![]), (false, vec![])]);
}

#[test]
fn other_words_for_the_same_cover_it_and_common_ones_do_not() {
    let found = covered(&[
        "Search notes: each search has its answer in 50 ms",
        "Notes are kept",
        "When there are conflicts, keep both versions",
    ]);
    assert_eq!(found, [(false, vec![]), (true, vec![0]), (true, vec![2])]);
}

#[test]
fn tasks_are_named_best_first() {
    let prd = Prd::read(PRD).unwrap();
    let tasks = ["keep both versions", "conflicts keep both versions of a note"];
    let requirements = coverage(&prd, &tasks.map(str::to_owned));
    let order: Vec<usize> = requirements[2].matches.iter().map(|it| it.task).collect();
    assert_eq!((order, requirements[2].matches[0].kind), (vec![1, 0], MatchKind::Verbatim));
}

#[test]
fn without_tasks_nothing_is_covered() {
    assert!(covered(&[]).iter().all(|it| !it.0));
}
