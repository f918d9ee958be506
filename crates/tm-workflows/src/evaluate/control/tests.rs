use super::*;
use crate::evaluate::fixture::{greenhouse, notes};

fn made(kind: Control, seed: u64) -> Vec<Task> {
    control(kind, 0, &[notes(), greenhouse()], &mut Rng::with_seed(seed)).unwrap()
}

#[test]
fn controls_are_as_long_as_the_baseline_and_say_nothing_of_it() {
    let baseline = notes().baseline;
    for kind in [Control::RandomWords, Control::Gibberish, Control::Repeated, Control::Copied] {
        let plan = made(kind, 1);
        assert_eq!(plan.len(), baseline.len(), "{kind:?}");
        let waits =
            |it: &[Task]| it.iter().map(|it| it.dependencies().to_vec()).collect::<Vec<_>>();
        assert_eq!(waits(&plan), waits(&baseline), "{kind:?}");
    }
    let gibberish = made(Control::Gibberish, 1);
    let length = |it: &Task| it.details().unwrap().chars().count();
    assert!(gibberish.iter().zip(&baseline).all(|it| length(it.0) == length(it.1)));
    assert_ne!(gibberish[0].details(), baseline[0].details());
    assert!(made(Control::Empty, 1).is_empty());
}

#[test]
fn the_seed_decides_what_is_said() {
    assert_eq!(made(Control::Gibberish, 1), made(Control::Gibberish, 1));
    assert_ne!(made(Control::Gibberish, 1), made(Control::Gibberish, 2));
    assert_ne!(made(Control::RandomWords, 1), made(Control::RandomWords, 2));
}

#[test]
fn another_documents_plan_needs_another_document() {
    assert_eq!(made(Control::OtherDocument, 1), greenhouse().baseline);
    let alone = control(Control::OtherDocument, 0, &[notes()], &mut Rng::with_seed(1));
    assert_eq!(alone, None);
    let twice = control(Control::OtherDocument, 0, &[notes(), notes()], &mut Rng::with_seed(1));
    assert_eq!(twice, None);
}
