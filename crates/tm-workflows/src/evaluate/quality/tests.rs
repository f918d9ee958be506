use super::*;
use crate::evaluate::fixture::{greenhouse, notes, tasks};

#[test]
fn a_good_plan_scores_higher_than_one_of_another_document_or_none() {
    let pair = notes();
    let own = quality(&pair.prd, &pair.baseline);
    let other = quality(&pair.prd, &greenhouse().baseline);
    assert!(own.percent > 60 && other.percent < 20, "{own:?} {other:?}");
    assert_eq!(quality(&pair.prd, &[]), Quality { percent: 0, tasks: vec![] });
}

#[test]
fn the_weakest_task_is_found() {
    let mut plan = notes().baseline;
    plan.extend(tasks(&[("Do it", "Well.", "", "", &[])]));
    let found = quality(&notes().prd, &plan);
    assert_eq!(found.tasks.len(), 5);
    assert_eq!(found.weakest().map(|it| it.percent), Some(0));
}
