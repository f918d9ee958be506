//! PDF documents in a process of their own, which harms nobody when one of them is made to do harm.
//!
//! The document goes in through standard input and what was read comes out of standard output. The
//! process has so much memory and time and no more, and the one that asks waits for it no longer than
//! that. Whoever uses this crate says which program it is: one that prints what [`answer`] says. Start
//! at [`PdfReader`].

use std::{
    ffi::OsString,
    io::{self, Read, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::read::{LARGEST_BYTES, Unreadable};

/// How long reading a document may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How much memory it may take, of which the program itself has some.
#[cfg(unix)]
const LARGEST_MEMORY: u64 = 1 << 30;

/// More than the longest answer, with what JSON adds to it.
const LONGEST_ANSWER: u64 = 64_000_000;

/// The program that reads PDF documents, started anew for each of them.
#[derive(Debug, Clone)]
pub struct PdfReader {
    program: PathBuf,
    arguments: Vec<OsString>,
    timeout: Duration,
}

/// The title that a document gives itself, and its text.
type Answer = Result<(Option<String>, String), Unreadable>;

impl PdfReader {
    /// A program that does nothing with these arguments but print [`answer`].
    pub fn new(program: PathBuf, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(OsString::from).collect();
        Self { program, arguments, timeout: TIMEOUT }
    }

    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(in crate::read) fn read(&self, document: &[u8]) -> Answer {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| Unreadable::NoReader(error.to_string()))?;
        match said(child, document, self.timeout) {
            Some(said) => serde_json::from_slice(&said).unwrap_or(Err(Unreadable::GivenUp)),
            None => Err(Unreadable::TooSlow),
        }
    }
}

/// What a process says to a document; none when it takes too long. It is over afterwards.
fn said(mut child: Child, document: &[u8], timeout: Duration) -> Option<Vec<u8>> {
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        // Who reads no further says why, or says nothing; and who is not waited for is not heard.
        scope.spawn(move || input.map(|mut it| it.write_all(document)));
        scope.spawn(move || {
            let mut said = Vec::new();
            let read = output.map(|it| it.take(LONGEST_ANSWER).read_to_end(&mut said));
            drop(read);
            tell.send(said)
        });
        let said = told.recv_timeout(timeout).ok();
        drop(child.kill());
        drop(child.wait());
        said
    })
}

/// Reads one document, in a process that does nothing else: it has less memory and time from now on.
pub fn answer(document: impl Read) -> io::Result<String> {
    confine();
    let mut bytes = Vec::new();
    document.take(LARGEST_BYTES).read_to_end(&mut bytes)?;
    Ok(serde_json::to_string(&super::text(bytes))?)
}

/// Also ends a process that nobody waits for any more. A limit that there was already stays.
#[cfg(unix)]
fn confine() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    for (resource, most) in [
        (Resource::As, LARGEST_MEMORY),
        (Resource::Cpu, TIMEOUT.as_secs()),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ] {
        let most = Some(getrlimit(resource).maximum.map_or(most, |it| it.min(most)));
        // To lower a limit is allowed to everybody, where the system has it.
        setrlimit(resource, Rlimit { current: most, maximum: most }).ok();
    }
}

/// Elsewhere the time is limited by whoever asks.
#[cfg(not(unix))]
fn confine() {}

#[cfg(all(test, unix))]
mod tests;
