use std::fs;

use super::*;

const LONG: Duration = Duration::from_mins(1);

fn bounds(time: Duration) -> Bounds {
    Bounds { time, without: Vec::new() }
}

async fn ran(command: &str, limit: Duration) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    run(command, directory.path(), &bounds(limit)).await.unwrap()
}

#[tokio::test]
async fn both_outputs_are_kept_in_their_order_and_the_exit_code_decides() {
    let failed = ran("echo one; echo two >&2; echo three; exit 3", LONG).await;
    assert_eq!(failed, Ran { end: End::Exited(3), output: "one\ntwo\nthree\n".to_owned() });
    assert!(ran("true", LONG).await.passed());
    assert!(ran("no-such-program-here", LONG).await.is_unrunnable());
    assert_eq!(ran("kill -9 $$", LONG).await.end, End::Killed);
}

#[tokio::test]
async fn whoever_takes_too_long_ends_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let command = "sleep 600 & echo $! > child; echo begun; wait";
    let ran = run(command, directory.path(), &bounds(Duration::from_millis(300))).await.unwrap();
    assert_eq!((ran.end, &*ran.output), (End::Stopped { after_s: 0 }, "begun\n"));
    let child = fs::read_to_string(directory.path().join("child")).unwrap();
    let child = rustix::process::Pid::from_raw(child.trim().parse().unwrap()).unwrap();
    // It is dead at once, and nobody's child before somebody has noticed.
    let is_gone = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()));
        stat.map_or(true, |it| it.contains(") Z"))
    };
    let end_at = Instant::now() + LONG;
    while !is_gone() && Instant::now() < end_at {
        tokio::task::yield_now().await;
    }
    assert!(is_gone());
}

#[tokio::test]
async fn what_is_started_in_the_background_does_not_outlive_its_command() {
    let started = Instant::now();
    let ran = ran("sleep 600 & echo done", LONG).await;
    assert_eq!((ran.passed(), &*ran.output), (true, "done\n"));
    assert!(started.elapsed() < LONG);
}

#[tokio::test]
async fn of_endless_output_the_end_is_kept() {
    let ran = ran("yes line; exit 1", Duration::from_millis(300)).await;
    assert!(ran.output.len() <= KEPT_BYTES && ran.output.len() > KEPT_BYTES / 2);
    let ran = self::ran("yes line | head -n 100000; echo the end", LONG).await;
    assert!(ran.output.ends_with("line\nthe end\n"));
}

#[tokio::test]
async fn what_is_withheld_is_not_in_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let bounds = Bounds { time: LONG, without: vec!["PATH".to_owned()] };
    let before = ran("env", LONG).await.output;
    assert!(before.lines().any(|it| it.starts_with("PATH=")), "{before}");
    let output = run("export -p", directory.path(), &bounds).await.unwrap().output;
    assert!(!output.contains(" PATH="), "{output}");
}
