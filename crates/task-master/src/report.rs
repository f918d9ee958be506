//! The one place that prints.
//!
//! Results go to standard output, everything said about them to standard error. A reader that
//! goes away (`task-master list | head`) is not an error, so printing never fails: what went
//! wrong is told once, by [`Report::finish`]. What is printed is the commands' business.

use std::{
    fmt,
    io::{self, BufRead, BufWriter, Write},
};

use serde::Serialize;

use crate::config::Screen;
use text::{BOLD, DIM, GREEN, RED, Text, YELLOW};

mod frame;
pub mod table;
pub mod text;

/// Where a command's output goes.
pub struct Report {
    out: BufWriter<Box<dyn Write + Send>>,
    err: Box<dyn Write + Send>,
    screen: Screen,
    silent: bool,
    /// The screen shows a frame.
    framed: bool,
    failed: Option<io::Error>,
}

/// What went wrong, and what to try; also as context of an error below.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Advice {
    pub message: String,
    pub hint: String,
}

/// A failure that the user has been told about already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed as reported")]
pub struct Told;

/// The user stopped it: exit code 130.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted: {state}")]
pub struct Interrupted {
    /// What became of the work.
    pub state: &'static str,
}

/// A line about work that is still under way, on standard error.
pub fn progress_line(text: &str) {
    let mut line = String::new();
    Text::plain(text).write(false, &mut line);
    line.push('\n');
    // There is nobody left to tell when standard error cannot be written.
    drop(io::stderr().write_all(line.as_bytes()));
}

/// A piece of an answer that is read while it is written, on standard output.
pub fn answer_piece(text: &str) {
    let shown: String =
        text.chars().filter(|it| !it.is_control() || matches!(it, '\n' | '\t')).collect();
    let mut out = io::stdout().lock();
    // Whoever does not listen any more will be told nothing either.
    drop(out.write_all(shown.as_bytes()).and_then(|()| out.flush()));
}

/// Asks for a line of text in the middle of work; nothing when Enter is all that comes.
pub fn answer_to(question: &str) -> Option<String> {
    let mut err = io::stderr();
    let asked = write!(err, "{question} ").and_then(|()| err.flush());
    let mut answer = String::new();
    asked.and_then(|()| io::stdin().lock().read_line(&mut answer)).ok()?;
    Some(answer.trim().to_owned()).filter(|it| !it.is_empty())
}

impl Report {
    pub fn new(screen: Screen) -> Self {
        Self::to(screen, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    pub fn to(screen: Screen, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, out);
        Self { out, err, screen, silent: false, framed: false, failed: None }
    }

    /// Prints no results from here on. Warnings and errors are still told.
    pub fn silence(&mut self) {
        self.silent = true;
    }

    /// Whether results are printed at all.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// How many columns there are; none when the output is not read on a screen.
    pub fn columns(&self) -> Option<usize> {
        self.screen.columns
    }

    /// Whether someone may be asked, and watches what happens.
    pub fn is_interactive(&self) -> bool {
        self.screen.is_interactive
    }

    /// Prints one line of results.
    pub fn line(&mut self, text: impl Into<Text>) {
        let mut line = String::new();
        text.into().without_trailing_space().write(self.screen.colour_out, &mut line);
        line.push('\n');
        self.result(&line);
    }

    pub fn lines(&mut self, lines: impl IntoIterator<Item = Text>) {
        for line in lines {
            self.line(line);
        }
    }

    /// Prints a text that another program is going to read, as it is.
    pub fn text(&mut self, text: &str) {
        self.result(text);
    }

    pub fn blank(&mut self) {
        self.result("\n");
    }

    /// Prints one JSON document, with numbers and strings of raw parts as they are spelled.
    pub fn json(&mut self, document: &impl Serialize) {
        match serde_json::to_string(document) {
            Ok(text) => self.result(&(tm_tasks::json::format(&text) + "\n")),
            Err(error) => self.failed = Some(error.into()),
        }
    }

    /// Tells what was done, for a command whose result is a change.
    pub fn done(&mut self, text: impl Into<Text>) {
        self.line(Text::styled(GREEN, "✓ ").and_text(text.into()));
    }

    /// Proposes what to type next.
    pub fn suggest(&mut self, command: &str, why: &str) {
        self.suggest_any(&[(command, why)]);
    }

    /// Proposes several commands, of which one may be typed next.
    pub fn suggest_any(&mut self, commands: &[(&str, &str)]) {
        let widest = commands.iter().map(|it| it.0.len()).max().unwrap_or(0);
        for (command, why) in commands {
            let gap = " ".repeat(widest - command.len() + 2);
            self.line(Text::styled(BOLD, &format!("  {command}")).and(DIM, &format!("{gap}{why}")));
        }
    }

    pub fn warn(&mut self, message: &str) {
        self.aside(&Text::styled(YELLOW, "warning: ").and_text(message.into()));
    }

    pub fn note(&mut self, message: &str) {
        self.aside(&Text::styled(DIM, "note: ").and_text(message.into()));
    }

    /// Tells what happened, why, and what to try.
    pub fn error(&mut self, error: &anyhow::Error) {
        if error.is::<Told>() {
            return;
        }
        let mut told = error.to_string();
        self.aside(&Text::styled(RED, "error: ").and_text(told.as_str().into()));
        for cause in error.chain().skip(1) {
            let cause = cause.to_string();
            // Some errors repeat their source.
            if !told.contains(&cause) {
                self.aside(&Text::styled(DIM, "  because: ").and_text(cause.as_str().into()));
            }
            told = cause;
        }
        if let Some(advice) = error.downcast_ref::<Advice>() {
            self.aside(&Text::styled(DIM, "hint: ").and_text(advice.hint.as_str().into()));
        }
    }

    /// Tells what happened to a program: one JSON document, on standard error.
    pub fn error_json(&mut self, error: &anyhow::Error) {
        if error.is::<Told>() {
            return;
        }
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        let hint = error.downcast_ref::<Advice>().map(|it| it.hint.as_str());
        let document = serde_json::json!({
            "error": error.to_string(),
            "causes": causes,
            "hint": hint,
        });
        self.flush_out();
        drop(self.err.write_all(format!("{document}\n").as_bytes()));
    }

    /// What `print` prints, results and asides in their order, as a text for this screen.
    pub fn rendering(screen: Screen, print: impl FnOnce(&mut Self)) -> String {
        let text = frame::Kept::default();
        let screen = Screen { colour_err: screen.colour_out, ..screen };
        let mut report = Self::to(screen, Box::new(text.clone()), Box::new(text.clone()));
        print(&mut report);
        report.flush_out();
        text.take()
    }

    /// Shows a text in place of all that the screen shows.
    pub fn frame(&mut self, text: &str, footer: &str, rows: usize) {
        let mut last = String::new();
        Text::styled(DIM, footer).write(self.screen.colour_out, &mut last);
        let clear = if self.framed { "" } else { frame::CLEAR };
        self.framed = true;
        self.result(&(clear.to_owned() + &frame::over(text, &last, rows)));
    }

    /// Goes on below the frame.
    pub fn leave_frame(&mut self) {
        if self.framed {
            self.blank();
        }
    }

    /// Asks a question that Enter answers with `default`.
    pub fn ask(&mut self, question: &str, default: bool) -> bool {
        let choice = if default { "[Y/n]" } else { "[y/N]" };
        self.flush_out();
        loop {
            let asked = write!(self.err, "{question} {choice} ").and_then(|()| self.err.flush());
            let mut answer = String::new();
            let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
            match (read, answer.trim().to_ascii_lowercase().as_str()) {
                (Ok(_), "y" | "yes") => return true,
                (Ok(_), "n" | "no") => return false,
                // Nobody meant that as an answer to this question.
                (Ok(_), unclear) if !unclear.is_empty() => {}
                _ => return default,
            }
        }
    }

    /// Shows what was printed so far, for a command that goes on.
    pub fn flush(&mut self) {
        self.flush_out();
    }

    /// Asks for a line of text; nothing when Enter is all that comes.
    pub fn answer(&mut self, question: &str) -> Option<String> {
        self.flush_out();
        answer_to(question)
    }

    /// Ends the output, and tells what kept it from being printed.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush_out();
        match self.failed.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn result(&mut self, text: &str) {
        if self.silent || self.failed.is_some() {
            return;
        }
        self.failed = self.out.write_all(text.as_bytes()).err();
    }

    /// There is nobody left to tell when standard error cannot be written.
    fn aside(&mut self, text: &Text) {
        self.flush_out();
        let mut line = String::new();
        text.write(self.screen.colour_err, &mut line);
        line.push('\n');
        drop(self.err.write_all(line.as_bytes()));
    }

    /// Keeps results and asides in the order they were made.
    fn flush_out(&mut self) {
        if let Err(error) = self.out.flush() {
            self.failed.get_or_insert(error);
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("screen", &self.screen).finish_non_exhaustive()
    }
}

/// An error with advice, from scratch.
pub fn advice(message: impl Into<String>, hint: impl Into<String>) -> Advice {
    Advice { message: message.into(), hint: hint.into() }
}

#[cfg(test)]
mod tests;
