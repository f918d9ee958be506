//! `list --watch`.

use std::{
    fs,
    io::Read,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::project::Project;

/// A list that is watched, as on a screen or not.
struct Watched {
    child: Child,
    out: ChildStdout,
    /// What is printed and not looked at yet.
    text: String,
}

impl Watched {
    fn new(project: &Project, arguments: &[&str], screen: &[(&str, &str)]) -> Self {
        let mut command = project.command(&[&["list", "--watch"], arguments].concat());
        command.envs(screen.iter().copied());
        Self::running(command)
    }

    fn running(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        Self { child, out, text: String::new() }
    }

    /// Waits for a text, and gives what was printed up to it.
    fn until(&mut self, wanted: &str) -> String {
        loop {
            if let Some(index) = self.text.find(wanted) {
                let rest = self.text.split_off(index + wanted.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let mut bytes = [0; 4096];
            let read = self.out.read(&mut bytes).unwrap();
            assert!(read > 0, "ended without {wanted:?}: {}", self.text);
            self.text += &String::from_utf8_lossy(&bytes[..read]);
        }
    }

    /// Ctrl-C, after which nothing may be left but success.
    fn end(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut rest = Vec::new();
        self.out.read_to_end(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.text + &String::from_utf8_lossy(&rest)
    }
}

const SCREEN: &[(&str, &str)] = &[("COLUMNS", "80"), ("LINES", "12")];

#[test]
fn the_list_follows_the_file_and_ctrl_c_is_no_failure() {
    let project = Project::bakery();
    let mut watched = Watched::new(&project, &["--compact"], &[]);
    watched.until("Gift cards");
    project.run(&["set-status", "--id=3", "--status=done"]);
    watched.until("✓");
    // Another program writes it in place, in two steps.
    let text = project.tasks();
    project.write(".taskmaster/tasks/tasks.json", "{ \"mas");
    project.write(".taskmaster/tasks/tasks.json", text.replace("Gift cards", "Vouchers"));
    watched.until("Vouchers");
    watched.end();
}

#[test]
fn a_file_that_goes_and_comes_back_is_still_followed() {
    let project = Project::bakery();
    let text = project.tasks();
    let mut watched = Watched::new(&project, &["--compact"], &[]);
    watched.until("Gift cards");
    fs::remove_dir_all(project.path("project/.taskmaster/tasks")).unwrap();
    watched.until("No tasks found");
    project.write(".taskmaster/tasks/tasks.json", text.replace("Gift cards", "Vouchers"));
    watched.until("Vouchers");
    watched.end();
}

#[test]
fn a_broken_file_is_told_and_watched_on() {
    let project = Project::bakery();
    let text = project.tasks();
    let mut watched = Watched::new(&project, &["--compact"], &[]);
    watched.until("Gift cards");
    project.write(".taskmaster/tasks/tasks.json", "{ broken");
    watched.until("cannot be used");
    project.write(".taskmaster/tasks/tasks.json", text.replace("Gift cards", "Vouchers"));
    watched.until("Vouchers");
    watched.end();
}

#[test]
fn a_screen_is_written_over_and_never_scrolled() {
    let project = Project::bakery();
    let mut watched = Watched::new(&project, &[], SCREEN);
    let first = watched.until("Ctrl-C ends this");
    assert!(first.starts_with("\u{1b}[2J\u{1b}[?7l\u{1b}[H"), "{first:?}");
    assert_eq!(first.matches('\n').count(), 11, "{first:?}");
    assert!(first.contains("more lines"), "{first:?}");
    project.run(&["set-status", "--id=3", "--status=done"]);
    let second = watched.until("Ctrl-C ends this");
    assert_eq!(second.matches("\u{1b}[2J").count(), 0, "{second:?}");
    assert_eq!(second.matches('\n').count(), 11, "{second:?}");
    assert!(watched.end().ends_with('\n'));
}

#[test]
fn all_tags_cannot_be_watched() {
    let run = Project::bakery().run(&["list", "--watch", "--all-tags"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cannot be used with"), "{}", run.err);
}

#[test]
fn documents_are_read_again_when_they_change_and_ctrl_c_is_no_failure() {
    let project = Project::bakery();
    project.write("docs/oven.md", "The oven is heated for two hours.\n");
    project.run(&["kb", "add"]);
    project.write("docs/orders.md", "Customers order until six.\n");
    let mut watched = Watched::running(project.command(&["kb", "watch"]));
    watched.until("1 new, 0 changed, 0 gone");
    project.write("docs/oven.md", "The oven is broken.\n");
    watched.until("0 new, 1 changed, 0 gone");
    fs::remove_file(project.path("project/docs/orders.md")).unwrap();
    watched.until("0 new, 0 changed, 1 gone");
    watched.end();
    let found = project.run(&["kb", "search", "broken"]);
    assert!(found.out.contains("docs/oven.md"), "{}", found.all());
}
