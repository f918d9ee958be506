use super::*;
use crate::task::Priority;

/// `check(up light, kept and pending, score, wanted)`.
#[track_caller]
fn check(direction: Direction, strength: Strength, counts: (usize, usize), expected: [usize; 4]) {
    let wanted = [None, Some(2.0), Some(7.0), Some(9.0)]
        .map(|score| subtasks_wanted(direction, strength, counts, score));
    assert_eq!(wanted, expected, "{direction:?} {strength:?} {counts:?}");
}

#[test]
fn as_many_subtasks_are_wanted_as_strength_and_complexity_say() {
    use Direction::{Down, Up};
    use Strength::{Heavy, Light, Regular};
    // Unknown complexity, then 2, 7 and 9.
    check(Up, Light, (0, 0), [6, 5, 6, 6]);
    check(Up, Light, (2, 4), [7, 5, 6, 7]);
    check(Up, Regular, (0, 2), [8, 6, 7, 7]);
    check(Up, Regular, (1, 10), [16, 13, 15, 16]);
    check(Up, Heavy, (0, 3), [12, 9, 10, 11]);
    check(Up, Heavy, (3, 10), [24, 18, 21, 23]);
    check(Down, Light, (0, 10), [8, 8, 7, 6]);
    check(Down, Regular, (0, 10), [5, 5, 5, 4]);
    check(Down, Regular, (4, 2), [1, 1, 1, 1]);
    check(Down, Heavy, (0, 10), [3, 3, 2, 1]);
    check(Down, Heavy, (0, 1), [2, 2, 1, 1]);
}

#[test]
fn strengths_are_read_and_others_are_named() {
    for strength in [Strength::Light, Strength::Regular, Strength::Heavy] {
        assert_eq!(strength.as_str().parse(), Ok(strength));
    }
    let error = "strong".parse::<Strength>().unwrap_err();
    assert_eq!(error.to_string(), "`strong` is not a strength: use light, regular or heavy");
}

const FILE: &str = r#"{"master": {"tasks": [
  {"id": 1, "title": "One", "effort": 3, "status": "pending", "dependencies": ["2.3"]},
  {"id": 2, "title": "Two", "status": "in-progress", "subtasks": [
    {"id": 1, "title": "A", "status": "done"},
    {"id": 2, "title": "B", "status": "completed", "dependencies": [1, 3]},
    {"id": 3, "title": "C", "status": "pending", "dependencies": [2]},
    {"id": 4, "title": "D", "status": "pending"},
    {"id": 5, "title": "E", "status": "waiting for Eva", "dependencies": [4, "1"]},
    {"id": 6, "title": "F", "status": "pending"}
  ]}
]}}"#;

fn revision() -> Revision {
    Revision {
        title: Some("New".into()),
        description: Some("New description".into()),
        details: Some("New details".into()),
        test_strategy: Some("New test".into()),
        priority: Some(Priority::High),
        ..Revision::default()
    }
}

fn draft(title: &str, after: &[u64]) -> SubtaskDraft {
    SubtaskDraft { title: title.into(), after: after.to_vec(), ..SubtaskDraft::default() }
}

fn ids(texts: &[&str]) -> Vec<TaskId> {
    texts.iter().map(|it| it.parse().unwrap()).collect()
}

#[test]
fn what_is_begun_stays_and_nothing_waits_for_what_is_gone() {
    let mut file = TaskFile::parse(FILE).unwrap();
    // 2.6 came since the model was asked.
    let regenerated = Regenerated {
        replaced: ids(&["2.3", "2.4"]),
        subtasks: vec![draft("G", &[1, 7, 8]), draft("H", &[7, 4, 5])],
    };
    let id = "2".parse().unwrap();
    let rescoped = rescope(&mut file, "master", &id, &revision(), Some(&regenerated)).unwrap();
    let subtask = |it: &Task| {
        let dependencies: Vec<String> = it.dependencies().iter().map(ToString::to_string).collect();
        format!("{} {} {} [{}]", it.id(), it.title(), it.status(), dependencies.join(" "))
    };
    let subtasks: Vec<String> = rescoped.task.subtasks().iter().map(subtask).collect();
    assert_eq!(
        subtasks,
        [
            "2.1 A done []",
            "2.2 B completed [2.1]",
            "2.5 E waiting for Eva [1]",
            "2.6 F pending []",
            "2.7 G pending [2.1]",
            "2.8 H pending [2.5 2.7]",
        ]
    );
    let dropped: Vec<String> =
        rescoped.dropped.iter().map(|(task, named)| format!("{task}>{named}")).collect();
    assert_eq!(dropped, ["1>2.3", "2.2>2.3", "2.5>2.4"]);
}

#[test]
fn all_pending_subtasks_may_go_and_ids_start_over() {
    let text =
        r#"{"master": {"tasks": [{"id": "4", "subtasks": [{"id": "4.1"}, {"id": "4.2"}]}]}}"#;
    let mut file = TaskFile::parse(text).unwrap();
    let regenerated = Regenerated {
        replaced: ids(&["4.1", "4.2"]),
        subtasks: vec![draft("A", &[]), draft("B", &[1])],
    };
    let id = "4".parse().unwrap();
    let rescoped =
        rescope(&mut file, "master", &id, &Revision::default(), Some(&regenerated)).unwrap();
    let spelled: Vec<(&str, &str)> = rescoped
        .task
        .subtasks()
        .iter()
        .map(|it| (it.raw("id").unwrap(), it.raw("dependencies").unwrap()))
        .collect();
    assert_eq!(spelled, [("\"4.1\"", "[]"), ("\"4.2\"", "[1]")]);
}

#[test]
fn only_the_texts_change_where_there_is_nothing_to_make_anew() {
    let mut file = TaskFile::parse(FILE).unwrap();
    let rescoped = rescope(&mut file, "master", &"1".parse().unwrap(), &revision(), None).unwrap();
    insta::assert_snapshot!(rescoped.task.to_json(), @r#"
    {
      "id": 1,
      "title": "New",
      "effort": 3,
      "status": "pending",
      "dependencies": [
        "2.3"
      ],
      "description": "New description",
      "testStrategy": "New test",
      "details": "New details",
      "priority": "high"
    }
    "#);
    assert_eq!(rescoped.dropped, []);
}

#[test]
fn a_task_or_tag_that_is_gone_is_named() {
    let mut file = TaskFile::parse(FILE).unwrap();
    let mut error = |tag: &str, id: &str| {
        rescope(&mut file, tag, &id.parse().unwrap(), &revision(), None).unwrap_err().to_string()
    };
    assert_eq!(error("master", "9"), "there is no task 9 in tag `master`");
    assert_eq!(error("beta", "1"), "there is no tag `beta`");
}

#[test]
fn subtasks_are_divided_by_whether_they_are_pending() {
    let file = TaskFile::parse(FILE).unwrap();
    let division = division(&file.tag("master").unwrap().tasks()[1]);
    let titles = |it: &[Task]| it.iter().map(Task::title).collect::<String>();
    assert_eq!((titles(&division.kept), titles(&division.pending)), ("ABE".into(), "CDF".into()));
}
