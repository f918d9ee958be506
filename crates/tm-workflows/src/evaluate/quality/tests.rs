use super::*;
use crate::evaluate::fixture::{greenhouse, notes, tasks};

#[test]
fn a_good_plan_scores_higher_than_one_of_another_document_or_none() {
    let pair = notes();
    let own = quality(&pair.prd, &pair.baseline);
    let other = quality(&pair.prd, &greenhouse().baseline);
    assert!(own.percent > 60 && other.percent < 20, "{own:?} {other:?}");
    assert_eq!(quality(&pair.prd, &[]), Quality { percent: 0, tasks: vec![], minimum: None });
}

#[test]
fn the_weakest_task_is_found() {
    let mut plan = notes().baseline;
    plan.extend(tasks(&[("Do it", "Well.", "", "", &[])]));
    let found = quality(&notes().prd, &plan);
    assert_eq!(found.tasks.len(), 5);
    assert_eq!(found.weakest().map(|it| it.percent), Some(0));
}

#[test]
fn only_what_a_change_wrote_is_scored() {
    let before = notes().baseline;
    let mut after = before.clone();
    assert_eq!(quality_of_change(&before, &after), None);
    after.extend(tasks(&[("Do it", "Well.", "", "", &[])]).into_iter().map(|mut it| {
        it.set("id", &serde_json::json!(9));
        it
    }));
    if let Some(first) = after.first_mut() {
        first.set("status", &serde_json::json!("done"));
    }
    let found = quality_of_change(&before, &after).expect("a task is new");
    assert_eq!(found.percent, 0);
    assert_eq!(found.tasks, [TaskQuality { id: "9".to_owned(), percent: 0 }]);
}
