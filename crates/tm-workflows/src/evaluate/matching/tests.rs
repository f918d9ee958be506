use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::evaluate::fixture::read;

/// Tasks that wait for each other: `plan(&[&[], &[1]])`.
fn plan(waits: &[&[u64]]) -> Vec<Task> {
    let task = |(at, it): (usize, &&[u64])| json!({"id": at + 1, "dependencies": it});
    read(&waits.iter().enumerate().map(task).collect())
}

/// Each task of the baseline stands for the one of the plan; `None` for none.
fn pairings(of: &[Option<usize>]) -> Vec<Pairing> {
    let pairing = |(baseline, plan): (usize, &Option<usize>)| {
        Some(Pairing { baseline, plan: (*plan)?, likeness: 1.0 })
    };
    of.iter().enumerate().filter_map(pairing).collect()
}

fn matches(of: &[Option<usize>]) -> Matches {
    Matches { pairings: pairings(of), least: Likeness::Words.least() }
}

fn sum(pairings: &[Pairing]) -> f64 {
    pairings.iter().map(|it| it.likeness).sum()
}

#[test]
fn the_assignment_is_the_best_in_sum_and_not_the_first_best() {
    let found = matched(&[vec![0.9, 0.8], vec![0.8, 0.1]]);
    let plan: Vec<usize> = found.iter().map(|it| it.plan).collect();
    assert_eq!(plan, [1, 0]);
    assert!((coverage(&found, 2) - 0.8).abs() < 1e-9);
    assert!((coverage(&found, 4) - 0.4).abs() < 1e-9);
}

#[test]
fn plans_of_different_lengths_are_matched_as_far_as_they_go() {
    let found = matched(&[vec![0.2], vec![0.7], vec![0.1]]);
    assert_eq!(found, [Pairing { baseline: 1, plan: 0, likeness: 0.7 }]);
    assert_eq!(matched(&[vec![0.2, 0.7, 0.1]])[0].plan, 1);
    assert!(matched(&[vec![], vec![]]).is_empty());
    assert!(matched(&[]).is_empty());
}

#[test]
fn the_same_words_are_alike_and_others_are_not() {
    let texts = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let found =
        lexical(&texts(&["store notes", "water plants"]), &texts(&["store notes", "paint"]));
    assert!((found[0][0] - 1.0).abs() < 1e-9);
    assert_eq!((found[0][1], found[1][0]), (0.0, 0.0));
}

#[test]
fn what_means_the_same_in_other_words_is_alike_and_what_all_tasks_have_in_common_counts_nothing() {
    let texts = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let (ones, others) = (texts(&["store notes"]), texts(&["keep what was written", "paint"]));
    let cosines = |_: &[String], _: &[String]| vec![vec![0.76, 0.1]];
    let likeness = Likeness::WordsAndMeaning { cosines: &cosines, unrelated: 0.2 };
    let found = likeness.of(&ones, &others);
    // No word in common, and 0.7 of the way from what unrelated tasks have to the same text.
    assert!((found[0][0] - 0.35).abs() < 1e-9, "{found:?}");
    assert!(found[0][1].abs() < 1e-9);
    assert_eq!(Likeness::Words.of(&ones, &others), [[0.0, 0.0]]);
}

#[test]
fn agreement_on_dependencies() {
    #[track_caller]
    fn check(baseline: &[&[u64]], other: &[&[u64]], of: &[Option<usize>], expected: Option<f64>) {
        let found = dependency_agreement(&plan(other), &plan(baseline), &matches(of));
        assert_eq!(found.map(|it| (it * 1000.0).round()), expected.map(|it| (it * 1000.0).round()));
    }
    let all = [Some(0), Some(1), Some(2)];
    check(&[&[], &[1], &[2]], &[&[], &[1], &[2]], &all, Some(1.0));
    // One of two is right: 2 × 1 of 2 + 2.
    check(&[&[], &[1], &[2]], &[&[], &[1], &[1]], &all, Some(0.5));
    // What another one implies is no difference.
    check(&[&[], &[1], &[2]], &[&[], &[1], &[1, 2]], &all, Some(1.0));
    // Nothing stands for the third, whose dependency is missed: 2 × 1 of 1 + 1 + 1.
    check(&[&[], &[1], &[2]], &[&[], &[1]], &[Some(0), Some(1), None], Some(2.0 / 3.0));
    // The other order of the same tasks.
    check(&[&[], &[1]], &[&[2], &[]], &[Some(1), Some(0)], Some(1.0));
    check(&[&[], &[1]], &[&[], &[]], &[Some(0), Some(1)], Some(0.0));
    check(&[&[], &[1]], &[], &[None, None], Some(0.0));
    check(&[&[], &[]], &[&[], &[1]], &[Some(0), Some(1)], None);
}

#[test]
fn what_is_hardly_alike_stands_for_nothing() {
    let least = Likeness::Words.least();
    let weak = [0, 1].map(|it| Pairing { baseline: it, plan: it, likeness: least / 2.0 });
    let chain = plan(&[&[], &[1]]);
    let matches = Matches { pairings: weak.to_vec(), least };
    assert_eq!(dependency_agreement(&chain, &chain, &matches), Some(0.0));
}

/// By trying all.
fn best(likeness: &[Vec<f64>], used: &mut Vec<usize>) -> f64 {
    let Some((first, rest)) = likeness.split_first() else { return 0.0 };
    let mut highest = best(rest, used);
    for (column, it) in first.iter().enumerate() {
        if !used.contains(&column) {
            used.push(column);
            highest = highest.max(it + best(rest, used));
            used.pop();
        }
    }
    highest
}

proptest! {
    #[test]
    fn no_other_assignment_is_better(
        cells in prop::collection::vec(0.0..1.0f64, 16), rows in 1..=4usize, columns in 1..=4usize,
    ) {
        let likeness: Vec<Vec<f64>> =
            cells.chunks(4).take(rows).map(|it| it[..columns].to_vec()).collect();
        let found = sum(&matched(&likeness));
        prop_assert!((found - best(&likeness, &mut Vec::new())).abs() < 1e-6);
    }
}
