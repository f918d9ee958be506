use super::{
    fixture::{NOTES, greenhouse, notes, pair},
    *,
};

fn baselines(pairs: &[Pair]) -> Vec<Vec<Task>> {
    pairs.iter().map(|it| it.baseline.clone()).collect()
}

fn evaluated(pairs: &[Pair]) -> Evaluation {
    evaluate(pairs, &baselines(pairs), 1, Likeness::Words)
}

#[test]
fn the_baseline_reaches_all_of_itself_and_what_is_worth_nothing_little() {
    let found = evaluated(&[notes(), greenhouse()]);
    let ratio = |it: Entrant| found.standing(it).unwrap().overall_ratio.unwrap();
    assert!((ratio(Entrant::Plan).mean - 1.0).abs() < 1e-9);
    assert_eq!(ratio(Entrant::Plan).n, 2);
    for control in [Entrant::Empty, Entrant::Gibberish, Entrant::OtherDocument] {
        assert!(ratio(control).mean <= CONTROL_MAX, "{control:?}: {:?}", ratio(control));
    }
    // One of three tasks is a third of a plan, and so short a document is all in one place.
    for control in [Entrant::Repeated, Entrant::RandomWords] {
        assert!(ratio(control).mean < 0.5, "{control:?}: {:?}", ratio(control));
    }
    assert!(ratio(Entrant::Empty).mean.abs() < 1e-9);
}

#[test]
fn two_plans_of_one_document_are_scored_against_each_other() {
    let half = pair("half", NOTES, notes().baseline[..2].to_vec());
    let found = evaluated(&[notes(), half, greenhouse()]);
    let external = found.standing(Entrant::External).unwrap();
    assert_eq!(external.overall.unwrap().n, 2);
    // Half of the whole, and all of the half.
    assert!((external.metrics[&Metric::Coverage].mean - 0.75).abs() < 0.1, "{external:?}");
    let alone = evaluated(&[notes(), greenhouse()]);
    assert_eq!(alone.standing(Entrant::External).unwrap().overall, None);
}

#[test]
fn a_document_in_another_language_is_not_looked_up() {
    let foreign = Pair { document_language: Some("ru".to_owned()), ..notes() };
    let found = evaluated(&[foreign, greenhouse()]);
    let plan = found.standing(Entrant::Plan).unwrap();
    assert_eq!((plan.metrics[&Metric::Requirements].n, plan.metrics[&Metric::Coverage].n), (1, 2));
}

#[test]
fn the_same_plans_have_the_same_scores() {
    let text = |seed| {
        let pairs = [notes(), greenhouse()];
        serde_json::to_string(&evaluate(&pairs, &baselines(&pairs), seed, Likeness::Words)).unwrap()
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn what_tasks_mean_can_be_added_to_their_words() {
    let pairs = [notes(), greenhouse()];
    let all_alike = |ones: &[String], others: &[String]| vec![vec![1.0; others.len()]; ones.len()];
    let likeness = Likeness::WordsAndMeaning { cosines: &all_alike, unrelated: 0.3 };
    let found = evaluate(&pairs, &baselines(&pairs), 1, likeness);
    let other = found.standing(Entrant::Gibberish).unwrap();
    assert!((other.metrics[&Metric::Coverage].mean - 0.5).abs() < 1e-9);
}
