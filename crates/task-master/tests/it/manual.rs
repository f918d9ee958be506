//! `completions` and `man`.

use crate::project::Project;

#[test]
fn every_shell_has_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Project::empty().run(&["completions", shell]);
        assert_eq!((run.code, &*run.err), (0, ""), "{shell}");
        assert!(run.out.contains("set-status"), "{shell}");
    }
    assert_eq!(Project::empty().run(&["completions", "csh"]).code, 1);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let project = Project::empty();
    let run = project.run(&["man"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.contains(".TH task-master 1"), "{}", run.out);
    let run = project.run(&["man", "--out", "pages"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(project.read("pages/task-master-set-status.1").contains(".TH task-master-set-status"));
    project.write("a-file", "");
    let run = project.run(&["man", "--out", "a-file"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cannot write the manual"), "{}", run.err);
}
