use proptest::prelude::*;

use super::*;
use crate::document::TaskFile;

fn draft(after: &[usize]) -> Draft {
    Draft { priority: "medium".into(), after: after.to_vec(), ..Draft::default() }
}

fn tag(ids: &str) -> Tag {
    let file = format!(r#"{{"master": {{"tasks": [{ids}]}}}}"#);
    TaskFile::parse(&file).unwrap().tag("master").unwrap().clone()
}

fn direct(drafts: &[Draft]) -> Vec<Vec<usize>> {
    let mut drafts = drafts.to_vec();
    without_detours(&mut drafts);
    drafts.into_iter().map(|it| it.after).collect()
}

#[test]
fn what_a_dependency_already_waits_for_can_be_left_out() {
    let drafts = [draft(&[]), draft(&[0]), draft(&[1, 0]), draft(&[0, 2, 2])];
    assert_eq!(direct(&drafts), [vec![], vec![0], vec![1], vec![2]]);
    let tasks = assemble(&drafts, &tag(""), &[]);
    assert_eq!(tasks[2].raw("dependencies"), Some("[1,2]"));
}

#[test]
fn a_new_task_is_sound_and_has_its_fields_in_the_usual_order() {
    let draft = Draft { title: "Log \"in\"".into(), description: "d".into(), ..draft(&[]) };
    let tasks = assemble(&[draft], &tag(""), &[]);
    assert_eq!(tasks[0].faults(), []);
    insta::assert_snapshot!(tasks[0].to_json(), @r#"
    {
      "id": 1,
      "title": "Log \"in\"",
      "description": "d",
      "details": "",
      "testStrategy": "",
      "priority": "medium",
      "dependencies": [],
      "status": "pending",
      "subtasks": []
    }
    "#);
}

#[test]
fn a_task_cannot_wait_for_itself_or_a_later_one() {
    let tasks = assemble(&[draft(&[0, 1]), draft(&[1, 9])], &tag(""), &[]);
    assert!(tasks.iter().all(|it| it.dependencies().is_empty()));
}

#[test]
fn ids_go_on_spelled_as_those_that_are_there_and_dependencies_name_them() {
    #[track_caller]
    fn check(ids: &str, expected: &[&str]) {
        let tasks = assemble(&[draft(&[]), draft(&[0])], &tag(ids), &[]);
        let found = ["id", "dependencies"].map(|field| tasks[1].raw(field).unwrap());
        assert_eq!(found, expected);
    }
    check("", &["2", "[1]"]);
    check(r#"{"id": 6}, {"id": 2}"#, &["8", "[7]"]);
    check(r#"{"id": "6"}"#, &[r#""8""#, r#"["7"]"#]);
}

#[test]
fn a_new_task_can_wait_for_one_that_is_there_and_for_no_other() {
    let tag = tag(r#"{"id": 1}, {"id": 2}"#);
    let after_existing = ["2", "9"].map(|it| it.parse().unwrap()).to_vec();
    let drafts = [draft(&[]), Draft { after_existing, ..draft(&[0]) }];
    let dependencies = |existing| {
        let tasks = assemble(&drafts, &tag, existing);
        tasks[1].raw("dependencies").unwrap().to_owned()
    };
    assert_eq!(dependencies(tag.tasks()), "[2,3]");
    assert_eq!(dependencies(&[]), "[3]");
}

proptest! {
    #[test]
    fn whatever_is_said_dependencies_point_backwards_and_lose_no_order(
        said in prop::collection::vec(prop::collection::vec(0..20usize, 0..6), 0..20),
    ) {
        let drafts: Vec<Draft> = said.iter().map(|it| draft(it)).collect();
        let direct = direct(&drafts);
        for (index, after) in direct.iter().enumerate() {
            prop_assert!(after.iter().all(|it| *it < index));
            for earlier in said[index].iter().filter(|it| **it < index) {
                prop_assert!(after.contains(earlier) || after.iter().any(|it| reaches(&direct, *it, *earlier)));
            }
        }
    }
}
