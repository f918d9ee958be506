use std::sync::Mutex;

use tm_testkit::model::{Reply, ScriptedModel};

use super::*;

fn grade(percent: u8) -> Grade {
    Grade { percent, fault: "it is weak" }
}

fn grades(percents: &[u8]) -> Grades {
    Grades::of(percents.iter().map(|it| grade(*it)))
}

#[test]
fn an_answer_is_weak_when_one_of_its_tasks_is() {
    let check = |answers: &[&[u8]], minimum: u8, expected: &[usize]| {
        let found = weak(answers.iter().map(|it| grades(it)), minimum);
        let found: Vec<usize> = found.into_iter().map(|it| it.0).collect();
        assert_eq!(found, expected, "{answers:?} {minimum}");
    };
    check(&[], 50, &[]);
    check(&[&[50], &[49], &[100]], 50, &[1]);
    check(&[&[100, 49], &[50, 50], &[]], 50, &[0]);
    check(&[&[0], &[100]], 0, &[]);
    check(&[&[99], &[100]], 100, &[0]);
}

#[test]
fn an_answer_is_better_by_the_mean_of_its_tasks() {
    let check = |one: &[u8], other: &[u8], expected: bool| {
        assert_eq!(grades(one).is_better(&grades(other)), expected, "{one:?} {other:?}");
    };
    check(&[51], &[50], true);
    check(&[50], &[50], false);
    check(&[50], &[51], false);
    check(&[90, 30], &[50, 50], true);
    check(&[60], &[50, 50], true);
    check(&[60, 30], &[50], false);
    check(&[], &[10], false);
    check(&[10], &[], true);
}

/// A model whose answers are worth this much; none is a model that is dead.
struct Worth(&'static str, Option<u8>);

/// Who was asked for which answers, and what they are worth then.
async fn asked(worths: &[Worth], first: &[u8]) -> (String, Vec<u8>, Vec<String>) {
    let model = || ScriptedModel::playing([Reply::Stall]);
    let others = worths.iter().skip(1);
    let others = others.map(|it| Other::new(it.0.to_owned(), Arc::new(model()))).collect();
    let escalation = Escalation::new(60, others);
    let (log, told) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let observer = |event| {
        if let Event::Note { text } = event {
            told.lock().unwrap().push(text);
        }
    };
    let (own, mut answers) = (model(), first.to_vec());
    let ask = async |backend: &dyn Backend, index: usize, _: &'static str| {
        let is_own = std::ptr::addr_eq(backend, &raw const own);
        let place = escalation.others.iter().position(|it| {
            std::ptr::addr_eq(std::ptr::from_ref(backend), Arc::as_ptr(&it.backend))
        });
        assert!(is_own != place.is_some());
        let worth = &worths[place.map_or(0, |it| it + 1)];
        log.lock().unwrap().push(format!("{}:{index}", worth.0));
        worth.1.ok_or("it is dead")
    };
    escalation.improve((&own, &observer), &mut answers, |it| grades(&[*it]), ask).await;
    (log.into_inner().unwrap().join(" "), answers, told.into_inner().unwrap())
}

#[tokio::test]
async fn each_is_asked_in_turn_for_what_is_weak_until_nothing_is() {
    let check = async |worths: &[Worth], first: &[u8], log: &str, answers: &[u8]| {
        let (found, kept, _) = asked(worths, first).await;
        assert_eq!((found.as_str(), kept.as_slice()), (log, answers));
    };
    let (low, same) = (Some(40), Some(50));
    check(&[Worth("own", low), Worth("big", Some(90))], &[70, 60], "", &[70, 60]).await;
    // The model that answered comes first, and the others are asked only for what it left weak.
    check(&[Worth("own", Some(80)), Worth("big", Some(90))], &[50, 70], "own:0", &[80, 70]).await;
    check(&[Worth("own", low), Worth("big", Some(90))], &[50, 70], "own:0 big:0", &[90, 70]).await;
    let three = [Worth("own", low), Worth("big", same), Worth("far", Some(90))];
    check(&three, &[45, 20, 60], "own:0 own:1 big:0 big:1 far:0 far:1", &[90, 90, 60]).await;
    // Whatever nobody does better stays.
    let worse = [Worth("own", low), Worth("big", low), Worth("far", same)];
    check(&worse, &[55], "own:0 big:0 far:0", &[55]).await;
    // The best of all is kept, whoever it is from.
    let middle = [Worth("own", low), Worth("big", same), Worth("far", low)];
    check(&middle, &[30], "own:0 big:0 far:0", &[50]).await;
}

#[tokio::test]
async fn whoever_is_dead_changes_nothing_and_is_told() {
    let worths = [Worth("own", None), Worth("big", None), Worth("far", Some(90))];
    let (log, answers, told) = asked(&worths, &[50]).await;
    assert_eq!((log.as_str(), answers), ("own:0 big:0 far:0", vec![90]));
    assert_eq!(
        told,
        [
            "1 below 60 %: script is asked again",
            "warning: what there was is kept, because it is dead",
            "1 below 60 %: big is asked again",
            "warning: what there was is kept, because it is dead",
            "1 below 60 %: far is asked again",
        ]
    );
}

#[test]
fn what_stays_below_is_named() {
    let escalation = Escalation::new(60, vec![]);
    escalation.settle("task 1", &grades(&[60]));
    escalation.settle("task 2", &grades(&[90, 40]));
    escalation.settle("nothing", &grades(&[]));
    let below = escalation.below();
    assert_eq!(below, [Below { what: "task 2".to_owned(), percent: 40 }]);
    assert_eq!(
        below_threshold(&below, 60).as_deref(),
        Some("quality below threshold (60 %): task 2 (40 %)")
    );
    assert_eq!(below_threshold(&[], 60), None);
}
