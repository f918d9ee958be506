//! Steps, each announced, timed and told how it ended: the one place that prints.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use anyhow::Context;

/// Prints a line. Somebody who stopped reading does not stop the work.
pub fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

/// Says what went wrong, apart from the rest.
pub fn complain(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// The steps of one command.
#[derive(Debug)]
pub struct Steps {
    started: Instant,
    done: Vec<(String, Duration)>,
    skipped: Vec<String>,
}

impl Steps {
    pub fn start() -> Self {
        Self { started: Instant::now(), done: Vec::new(), skipped: Vec::new() }
    }

    /// Announces a step, does it, and says how long it took.
    pub fn run<T>(
        &mut self,
        title: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        say(&format!("\n==> {title}"));
        let started = Instant::now();
        let result = work().with_context(|| format!("{title}: failed"))?;
        let taken = started.elapsed();
        say(&format!("    {title}: {}", in_words(taken)));
        self.done.push((title.to_owned(), taken));
        Ok(result)
    }

    /// Leaves a step out, so that nobody can miss it: now, and in the summary.
    pub fn skip(&mut self, title: &str, reason: &str) {
        let notice = format!("{title}: {reason}");
        say(&format!("\n==> SKIPPED {notice}"));
        self.skipped.push(notice);
    }

    /// How long everything took, and what took long.
    pub fn times(&self) -> String {
        let noticed = |taken: &Duration| *taken >= Duration::from_secs(1);
        let steps = self.done.iter().filter(|(_, taken)| noticed(taken));
        let steps: Vec<String> =
            steps.map(|(title, taken)| format!("{title} {}", in_words(*taken))).collect();
        let total = in_words(self.started.elapsed());
        format!("{} steps in {total}: {}", self.done.len(), steps.join(", "))
    }

    /// What was left out, and why.
    pub fn skips(&self) -> String {
        let mut lines = vec![format!("{} skipped", self.skipped.len())];
        lines.extend(self.skipped.iter().map(|it| format!("  {it}")));
        lines.join("\n")
    }
}

/// A duration as people say it.
pub fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60.. => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests;
