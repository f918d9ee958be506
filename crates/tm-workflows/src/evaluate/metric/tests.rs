use super::*;
use crate::evaluate::fixture::{greenhouse, notes};

#[test]
fn a_plan_against_itself_has_all_of_the_baseline() {
    let pair = notes();
    let reference =
        Reference { prd: Some(&pair.prd), baseline: &pair.baseline, likeness: Likeness::Words };
    let found = scores(&pair.baseline, reference);
    for metric in [Metric::Coverage, Metric::Dependencies, Metric::Structure, Metric::Distinct] {
        assert!((found.get(metric).unwrap() - 1.0).abs() < 1e-9, "{metric:?}: {found:?}");
    }
    assert!(Metric::ALL.iter().all(|it| found.get(*it).is_some_and(|it| it > 0.4)), "{found:?}");
}

#[test]
fn another_plan_changes_the_score() {
    let (pair, other) = (notes(), greenhouse());
    let reference =
        Reference { prd: Some(&pair.prd), baseline: &pair.baseline, likeness: Likeness::Words };
    let whole = scores(&pair.baseline, reference).overall().unwrap();
    let half = scores(&pair.baseline[..2], reference).overall().unwrap();
    let wrong = scores(&other.baseline, reference).overall().unwrap();
    assert!(whole > half && half > wrong, "{whole} {half} {wrong}");
}

#[test]
fn overall_is_content_times_form() {
    let scores = Scores::of([
        (Metric::Coverage, Some(0.5)),
        (Metric::Requirements, Some(1.0)),
        (Metric::Dependencies, None),
        (Metric::Titles, Some(0.8)),
        (Metric::Structure, Some(0.4)),
    ]);
    assert!((scores.overall().unwrap() - 0.75 * 0.6).abs() < 1e-9);
    assert_eq!(Scores::default().overall(), None);
}

#[test]
fn without_a_document_what_needs_one_is_not_measured() {
    let pair = notes();
    let reference = Reference { prd: None, baseline: &pair.baseline, likeness: Likeness::Words };
    let found = scores(&pair.baseline, reference);
    assert_eq!((found.get(Metric::Requirements), found.get(Metric::Grounding)), (None, None));
    assert!(found.overall().is_some());
}
