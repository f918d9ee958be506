use super::*;

fn interval(summary: Option<Summary>) -> (f64, f64) {
    let interval = summary.unwrap().interval.unwrap();
    (interval.low, interval.high)
}

#[test]
fn documents_that_agree_leave_no_doubt() {
    let found = summary(&[0.25, 0.25, 0.25], 1);
    assert_eq!((found.unwrap().mean, found.unwrap().n), (0.25, 3));
    assert_eq!(interval(found), (0.25, 0.25));
}

#[test]
fn two_that_disagree_leave_all_of_it() {
    // A quarter of all resamples is 0 twice, a quarter 1 twice.
    assert_eq!(interval(summary(&[0.0, 1.0], 7)), (0.0, 1.0));
}

#[test]
fn many_documents_narrow_it() {
    let halves: Vec<f64> = (0..100).map(|it| f64::from(it % 2)).collect();
    let (low, high) = interval(summary(&halves, 1));
    // The normal approximation is 0.5 ± 1.96 × 0.05.
    assert!((low - 0.4).abs() < 0.02 && (high - 0.6).abs() < 0.02, "{low} to {high}");
}

#[test]
fn the_seed_decides() {
    let values = [0.1, 0.4, 0.5, 0.9, 0.2];
    assert_eq!(summary(&values, 3), summary(&values, 3));
    let intervals: Vec<_> = (0..20).map(|it| interval(summary(&values, it))).collect();
    assert!(intervals.iter().any(|it| *it != intervals[0]));
}

#[test]
fn one_document_has_no_interval_and_none_no_mean() {
    assert_eq!(summary(&[0.5], 1).unwrap().interval, None);
    assert_eq!(summary(&[], 1), None);
}

#[test]
fn a_ratio_is_one_of_means_and_keeps_documents_together() {
    // 3 of 6 and 2 of 4: 2.5 / 5 in any resample.
    let found = ratio(&[(0.3, 0.6), (0.2, 0.4)], 1);
    assert!((found.unwrap().mean - 0.5).abs() < 1e-9);
    let (low, high) = interval(found);
    assert!((low - 0.5).abs() < 1e-9 && (high - 0.5).abs() < 1e-9);
    assert_eq!(ratio(&[(0.5, 0.0)], 1), None);
}
