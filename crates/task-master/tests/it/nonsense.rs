//! Whatever is typed, nothing panics and nothing is lost.

use proptest::prelude::*;

use crate::project::Project;

/// Commands that take ids, with a place for each.
const COMMANDS: &[&[&str]] = &[
    &["show", "A"],
    &["set-status", "--id=A", "--status=done"],
    &["set-status", "A", "B"],
    &["next", "--tag=A"],
    &["start", "A", "--dry-run", "--force"],
    &["history", "A"],
    &["restore", "A"],
    &["add-task", "--title=A", "--description=B", "--dependencies=A"],
    &["add-dependency", "--id=A", "--depends-on=B"],
    &["remove-dependency", "--id=A", "--depends-on=B"],
    &["move", "--from=A", "--to=B"],
    &["add-subtask", "--parent=A", "--title=B", "--dependencies=B"],
    &["add-subtask", "--parent=A", "--task-id=B"],
    &["remove-subtask", "--id=A", "--convert"],
    &["clear-subtasks", "--id=A"],
    &["remove-task", "--id=A", "--yes"],
    &["tags", "add", "A"],
    &["tags", "rename", "A", "B"],
    &["list", "A", "--json"],
    &["list", "--tag=A", "--compact"],
    &["autopilot", "start", "A"],
    &["autopilot", "complete", "--results=A"],
];

/// Ids as they should be, nearly so, and not at all.
fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..9_u32).prop_map(|it| it.to_string()),
        (0..9_u32, 0..4_u32).prop_map(|(task, subtask)| format!("{task}.{subtask}")),
        "[0-9.,]{0,8}",
        "(-|\\+)?[0-9]{1,30}(\\.[0-9]{1,30})?",
        "[a-zé\u{1f35e} \"'{}<>$\\\\/~:;\n\t-]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn it_is_done_or_refused_and_can_be_taken_back(
        command in prop::sample::select(COMMANDS),
        one in typed(),
        another in typed(),
    ) {
        let project = Project::bakery();
        let before = project.tasks();
        let arguments: Vec<String> = command
            .iter()
            .map(|it| match it.split_once('=') {
                Some((flag, "A")) => format!("{flag}={one}"),
                Some((flag, "B")) => format!("{flag}={another}"),
                _ if *it == "A" => one.clone(),
                _ if *it == "B" => another.clone(),
                _ => (*it).to_owned(),
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = project.run(&arguments);
        prop_assert!([0, 1].contains(&run.code), "{arguments:?}: {}", run.all());
        prop_assert!(!run.err.contains("panicked"), "{arguments:?}: {}", run.err);
        let after = project.tasks();
        if after != before {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&after).is_ok(), "{after}");
            let undone = project.run(&["undo", "-n", "1"]);
            prop_assert_eq!(undone.code, 0, "{:?}: {}", &arguments, undone.all());
            prop_assert_eq!(project.tasks(), before, "{:?}", &arguments);
        }
    }
}
