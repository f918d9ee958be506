use super::*;

/// A reader that does this.
fn reader(script: &str) -> PdfReader {
    PdfReader::new("/bin/sh".into(), &["-c", script])
}

#[test]
fn what_the_process_says_is_the_answer() {
    let read = reader(r#"cat >/dev/null; echo '{"Ok":["Ovens","Heat slowly."]}'"#).read(b"%PDF");
    assert_eq!(read, Ok((Some("Ovens".into()), "Heat slowly.".into())));
    let read = reader(r#"echo '{"Err":"Locked"}'"#).read(&vec![b' '; 1_000_000]);
    assert_eq!(read, Err(Unreadable::Locked));
}

#[test]
fn a_document_harms_the_process_that_reads_it_and_nobody_else() {
    let hanging = reader("exec sleep 600").with_timeout(Duration::from_millis(50));
    assert_eq!(hanging.read(&vec![b' '; 1_000_000]), Err(Unreadable::TooSlow));
    for script in ["kill -9 $$", "exit 3", r#"printf '{"Ok":["#, "exec cat /dev/zero"] {
        assert_eq!(reader(script).read(b"%PDF"), Err(Unreadable::GivenUp), "{script}");
    }
}

#[test]
fn a_reader_that_is_not_there_is_told() {
    let gone = PdfReader::new("/gone/task-master".into(), &[]);
    assert!(matches!(gone.read(b"%PDF"), Err(Unreadable::NoReader(_))));
}
