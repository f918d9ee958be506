use proptest::prelude::*;

use super::*;

fn draft(after: &[usize]) -> Draft {
    Draft {
        title: String::new(),
        description: String::new(),
        details: String::new(),
        test_strategy: String::new(),
        priority: "medium".into(),
        after: after.to_vec(),
    }
}

#[test]
fn what_a_dependency_already_waits_for_is_left_out() {
    let drafts = [draft(&[]), draft(&[0]), draft(&[1, 0]), draft(&[0, 2, 2])];
    assert_eq!(dependencies(&drafts), [vec![], vec![0], vec![1], vec![2]]);
}

#[test]
fn a_task_cannot_wait_for_itself_or_a_later_one() {
    assert_eq!(dependencies(&[draft(&[0, 1]), draft(&[1, 9])]), [Vec::<usize>::new(), vec![]]);
}

#[test]
fn ids_go_on_from_the_first_and_dependencies_name_them() {
    let tasks = assemble(&[draft(&[]), draft(&[0])], 7);
    let ids: Vec<String> = tasks.iter().map(|it| it.id().to_string()).collect();
    assert_eq!(ids, ["7", "8"]);
    assert_eq!(tasks[1].raw("dependencies"), Some("[7]"));
}

proptest! {
    #[test]
    fn whatever_is_said_dependencies_point_backwards_and_lose_no_order(
        said in prop::collection::vec(prop::collection::vec(0..20usize, 0..6), 0..20),
    ) {
        let drafts: Vec<Draft> = said.iter().map(|it| draft(it)).collect();
        let direct = dependencies(&drafts);
        for (index, after) in direct.iter().enumerate() {
            prop_assert!(after.iter().all(|it| *it < index));
            for earlier in said[index].iter().filter(|it| **it < index) {
                prop_assert!(after.contains(earlier) || after.iter().any(|it| reaches(&direct, *it, *earlier)));
            }
        }
    }
}
