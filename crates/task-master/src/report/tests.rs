use std::sync::{Arc, Mutex};

use anyhow::anyhow;

use super::*;

/// Remembers what is written to it, or is a pipe that nobody reads.
#[derive(Clone, Default)]
struct Sink {
    written: Arc<Mutex<Vec<u8>>>,
    error: Option<io::ErrorKind>,
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.error {
            Some(kind) => Err(kind.into()),
            None => self.written.lock().unwrap().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn report(out: &Sink, err: &Sink) -> Report {
    Report::to(Screen::default(), Box::new(out.clone()), Box::new(err.clone()))
}

#[test]
fn an_error_says_what_happened_and_why_and_what_to_try() {
    let (out, err) = (Sink::default(), Sink::default());
    let error = anyhow!("it is a directory")
        .context("cannot open it")
        .context(advice("tasks.json cannot be used", "move it away"));
    report(&out, &err).error(&error);
    assert_eq!(
        err.text(),
        "error: tasks.json cannot be used\n  because: cannot open it\n  \
         because: it is a directory\nhint: move it away\n"
    );
    assert_eq!(out.text(), "");
}

#[test]
fn what_has_been_told_is_not_told_again() {
    let (out, err) = (Sink::default(), Sink::default());
    report(&out, &err).error(&Told.into());
    assert_eq!(err.text(), "");
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let out = Sink { error: Some(io::ErrorKind::BrokenPipe), ..Sink::default() };
    let mut report = report(&out, &Sink::default());
    report.line("lost");
    report.finish().unwrap();
}

#[test]
fn a_full_disk_is_an_error() {
    let out = Sink { error: Some(io::ErrorKind::StorageFull), ..Sink::default() };
    let mut report = report(&out, &Sink::default());
    report.line("lost");
    assert_eq!(report.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_silent_report_still_warns() {
    let (out, err) = (Sink::default(), Sink::default());
    let mut report = report(&out, &err);
    report.silence();
    report.line("a result");
    report.warn("a danger");
    report.finish().unwrap();
    assert_eq!((out.text().as_str(), err.text().as_str()), ("", "warning: a danger\n"));
}
