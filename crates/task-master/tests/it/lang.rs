//! `lang`, which changes one setting.

use crate::project::Project;

const CONFIG: &str = "{\n  \"storage\": {\n    \"type\": \"file\"\n  }\n}";

#[test]
fn the_language_is_set_and_nothing_else_changes() {
    for (arguments, language) in [
        (&["lang", "--response", "中文"][..], "中文"),
        (&["lang", "--response", " Spanish "], "Spanish"),
        (&["lang"], "English"),
    ] {
        let project = Project::empty();
        project.write(".taskmaster/config.json", CONFIG);
        let run = project.run(arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.all());
        assert_eq!(run.out, format!("✓ models answer in {language}\n"));
        let expected = format!(
            "{},\n  \"global\": {{\n    \"responseLanguage\": \"{language}\"\n  }}\n}}",
            CONFIG.trim_end_matches("\n}")
        );
        assert_eq!(project.read(".taskmaster/config.json"), expected);
    }
}

#[test]
fn what_cannot_be_set_is_a_failure() {
    let project = Project::empty();
    project.write(".taskmaster/config.json", CONFIG);
    for (arguments, hint) in [
        (&["lang", "--response", " "][..], "--response Spanish"),
        (&["lang", "--setup"], "run it in a terminal"),
    ] {
        let run = project.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
        assert!(run.err.contains(hint), "{}", run.err);
        assert_eq!(project.read(".taskmaster/config.json"), CONFIG);
    }
    let run = Project::bakery().run(&["lang", "--response", "Spanish"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("`task-master init`"), "{}", run.err);
}
