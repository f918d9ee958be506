use super::*;

#[test]
fn a_program_that_takes_too_long_is_stopped() {
    let started = Instant::now();
    let mut command = Command::new("sleep");
    command.arg("600");
    assert!(output_within(&mut command, Duration::from_millis(50)).unwrap().is_none());
    assert!(started.elapsed() < Duration::from_mins(1));
}

#[test]
fn more_output_than_a_pipe_holds_is_read() {
    let mut command = Command::new("sh");
    command.args(["-c", "yes | head -c 300000; yes | head -c 300000 >&2; exit 3"]);
    let output = output_within(&mut command, DEADLINE).unwrap().unwrap();
    assert_eq!((output.out.len(), output.err.len()), (300_000, 300_000));
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_directory_without_a_repository_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let error = Git::open(folder.path()).unwrap_err();
    assert!(matches!(error, GitError::NoRepository { .. }), "{error}");
    let error = Git::open(&folder.path().join("gone")).unwrap_err();
    assert!(matches!(error, GitError::Io(_)), "{error}");
}
