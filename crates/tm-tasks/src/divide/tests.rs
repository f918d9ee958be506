use super::*;

fn draft(number: Option<u64>, title: &str, after: &[u64]) -> SubtaskDraft {
    SubtaskDraft { number, title: title.to_owned(), after: after.to_vec(), ..Default::default() }
}

fn task(subtasks: &Value) -> Task {
    Task::parse(&json!({"id": 4, "title": "T", "subtasks": subtasks, "own": 1}).to_string(), None)
}

/// `1 2<1,… `: each subtask's id and, behind an arrow, what it waits for, as spelled.
fn shape(task: &Task) -> String {
    let one = |it: &Task| {
        let after = it.raw("dependencies").unwrap_or_default().trim_matches(['[', ']']).to_owned();
        format!("{}<{after}", it.raw("id").unwrap_or_default())
    };
    task.subtasks().iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn subtasks_are_numbered_on_and_wait_only_for_what_exists_and_comes_before() {
    let two = json!([{"id": 1, "title": "A", "status": "done"}, {"id": 2, "title": "B"}]);
    for (existing, drafts, expected) in [
        (
            Existing::Append,
            vec![draft(Some(3), "C", &[]), draft(Some(4), "D", &[3])],
            "1< 2< 3< 4<3",
        ),
        // An author that begins at 1 again means its own subtasks.
        (
            Existing::Append,
            vec![draft(Some(1), "C", &[]), draft(Some(2), "D", &[1])],
            "1< 2< 3< 4<3",
        ),
        (
            Existing::Append,
            vec![draft(None, "C", &[2, 2, 1]), draft(None, "D", &[3])],
            "1< 2< 3<1,2 4<3",
        ),
        (
            Existing::Replace,
            vec![draft(Some(7), "C", &[9]), draft(Some(8), "D", &[7, 8, 9])],
            "1< 2<1",
        ),
        (Existing::Replace, vec![draft(None, "C", &[2]), draft(None, "D", &[1])], "1< 2<1"),
        (Existing::Append, vec![], "1< 2<"),
    ] {
        let mut task = task(&two);
        divide(&mut task, &drafts, existing);
        assert_eq!(shape(&task), expected, "{drafts:?}");
        assert_eq!(task.raw("own"), Some("1"));
    }
}

#[test]
fn ids_are_spelled_like_those_that_are_there() {
    for (id, expected) in
        [(json!(5), "5< 6<5"), (json!("5"), r#""5"< "6"<"5""#), (json!("4.5"), r#""4.5"< "4.6"<5"#)]
    {
        let mut task = task(&json!([{"id": id, "title": "A"}]));
        divide(&mut task, &[draft(None, "B", &[5])], Existing::Append);
        assert_eq!(shape(&task), expected);
    }
}

#[test]
fn a_subtask_is_pending_and_has_what_was_drafted() {
    let mut task = task(&json!(null));
    let whole = SubtaskDraft {
        title: "A".into(),
        description: "B".into(),
        details: "C".into(),
        test_strategy: Some("D".into()),
        ..Default::default()
    };
    divide(&mut task, &[whole], Existing::Append);
    let subtask = &task.subtasks()[0];
    assert_eq!(subtask.id().to_string(), "4.1");
    assert_eq!(subtask.status(), Status::Pending);
    assert_eq!(
        subtask.fields().map(|it| it.0).collect::<Vec<_>>(),
        ["id", "title", "description", "dependencies", "details", "status", "testStrategy"]
    );
}
