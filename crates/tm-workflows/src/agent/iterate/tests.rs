use std::{os::unix::process::ExitStatusExt, sync::Mutex};

use serde_json::json;
use tm_tasks::document::TaskFile;

use super::*;

fn iterate(work: Work) -> Iterate {
    Iterate {
        iterations: 3,
        work,
        tag: Some("bread".to_owned()),
        progress_file: PathBuf::from("/p/.taskmaster/progress.txt"),
        root: PathBuf::from("/p"),
        sandbox: false,
        verbose: false,
        pause: PAUSE,
    }
}

#[test]
fn every_preset_says_where_its_notes_are_and_how_to_end() {
    for preset in Preset::ALL {
        let prompt = iterate(Work::Preset(preset)).prompt(2).unwrap();
        assert!(prompt.starts_with("@.taskmaster/progress.txt @CLAUDE.md\n"), "{prompt}");
        assert!(prompt.contains("round 2 of at most 3, for the tag \"bread\""), "{prompt}");
        assert!(prompt.contains("<loop-complete>") && prompt.contains("<loop-blocked>"));
    }
    let own = iterate(Work::Words("Bake {{ bread }}.\n".to_owned())).prompt(1).unwrap();
    assert!(own.contains("\nBake {{ bread }}.\n"), "{own}");
}

#[test]
fn the_command_has_what_was_asked_for() {
    let plain = iterate(Work::Words("Bake.".to_owned()));
    let command = plain.command(1).unwrap();
    assert_eq!(command.executable, "claude");
    assert_eq!(command.args[0], "-p");
    assert_eq!(command.args[2..], ["--dangerously-skip-permissions"]);
    let boxed = Iterate { sandbox: true, verbose: true, ..plain }.command(1).unwrap();
    assert_eq!(boxed.executable, "docker");
    assert_eq!(boxed.args[..4], ["sandbox", "run", "claude", "-p"]);
    assert_eq!(boxed.args[6..], ["--output-format", "stream-json", "--verbose"]);
}

#[test]
fn what_the_agent_says_decides_what_becomes_of_the_round() {
    #[track_caller]
    fn check(said: &str, code: i32, expected: &Round) {
        assert_eq!(&judge(said, Ok(ExitStatus::from_raw(code << 8))), expected);
    }
    let complete = Round::Complete { reason: "all done".to_owned() };
    check("hm\n<loop-complete> all\ndone </loop-complete>", 0, &complete);
    check("<loop-complete>all done</loop-complete>", 1, &complete);
    check(
        "<loop-blocked>no key</loop-blocked>",
        0,
        &Round::Blocked { reason: "no key".to_owned() },
    );
    check("I will say <loop-complete> later", 0, &Round::Success);
    check("", 0, &Round::Success);
    let message = "the agent ended with exit status: 3".to_owned();
    check("", 3, &Round::Error { message });
    let lost = judge("", Err(io::Error::other("gone")));
    assert_eq!(lost, Round::Error { message: "the agent was lost: gone".to_owned() });
}

#[test]
fn of_a_stream_only_what_is_meant_for_people_is_kept() {
    let say = |text: &str| {
        let line = json!({ "type": "assistant", "message": { "content": [
            { "type": "text", "text": text }, { "type": "tool_use", "name": "Bash" },
        ] } });
        words_of(&line.to_string())
    };
    assert_eq!(say("hello").as_deref(), Some("hello\n[Bash]"));
    assert_eq!(words_of(r#"{"type":"user","text":"<loop-complete>x</loop-complete>"}"#), None);
    assert_eq!(words_of(r#"{"type":"assistant"}"#), None);
    assert_eq!(words_of("not JSON").as_deref(), Some("not JSON"));
}

#[test]
fn there_is_a_round_for_each_pending_task_and_subtask() {
    let tasks = json!([
        { "id": 1, "status": "done", "subtasks": [{ "id": 1, "status": "pending" }] },
        { "id": 2, "status": "pending" },
    ]);
    let file = TaskFile::parse(tasks.to_string()).unwrap();
    let tasks = file.tag("master").unwrap().tasks();
    assert_eq!(rounds_for(tasks, &Work::Preset(Preset::Default)), 2);
    assert_eq!(rounds_for(&[], &Work::Preset(Preset::Default)), 10);
    assert_eq!(rounds_for(tasks, &Work::Preset(Preset::Linting)), 10);
}

/// Rounds with a shell in place of the agent are no different for [`Agent`].
#[tokio::test]
async fn an_agent_is_heard_line_by_line_and_ends_when_it_is_dropped() {
    let shell = |script: &str| AgentCommand {
        executable: "sh".to_owned(),
        args: vec!["-c".to_owned(), script.to_owned()],
        cwd: PathBuf::from("/"),
    };
    let mut agent = Agent::start(&shell("echo one; printf two; exit 4")).unwrap();
    assert_eq!(agent.lines.recv().await.as_deref(), Some("one"));
    assert_eq!(agent.lines.recv().await.as_deref(), Some("two"));
    assert_eq!(agent.lines.recv().await, None);
    assert_eq!(agent.wait().await.unwrap().code(), Some(4));

    let mut endless = Agent::start(&shell("while :; do echo y; done")).unwrap();
    assert_eq!(endless.lines.recv().await.as_deref(), Some("y"));
    drop(endless);

    let missing = AgentCommand { executable: "no-such-agent".to_owned(), ..shell("") };
    assert!(matches!(Agent::start(&missing), Err(IterateError::NoAgent { .. })));
    let nowhere = AgentCommand { cwd: PathBuf::from("/no/such/directory"), ..shell("") };
    assert!(matches!(Agent::start(&nowhere), Err(IterateError::Unrunnable { .. })));
}

#[tokio::test]
async fn rounds_are_told_in_order_and_notes_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let iterate = Iterate {
        root: folder.path().join("gone"),
        progress_file: folder.path().join("notes/progress.txt"),
        ..iterate(Work::Words("Bake.".to_owned()))
    };
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    iterate.note_start(now).unwrap();
    let told = Mutex::new(Vec::new());
    let mut rounds = 0;
    let outcome =
        iterate.run(&mut rounds, &|it| told.lock().unwrap().push(format!("{it:?}"))).await;
    assert!(matches!(outcome, Err(IterateError::Unrunnable { .. })), "{outcome:?}");
    assert_eq!(rounds, 1);
    assert_eq!(told.into_inner().unwrap(), ["RoundBegins { number: 1, of: 3 }"]);
    iterate.note_end(&Outcome { rounds, end: End::Interrupted }, now).unwrap();
    insta::assert_snapshot!(fs::read_to_string(&iterate.progress_file).unwrap());
    let unwritable = Iterate { progress_file: PathBuf::from("/dev/null/x"), ..iterate };
    assert!(matches!(unwritable.note_start(now), Err(IterateError::Progress { .. })));
}
