//! What a person sees while a model works: one live line, and a line for each finished piece.
//!
//! Off a terminal the live line is left out, so that a log holds only what happened. An answer
//! that is read while it is written is a result and goes to standard output.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use tm_workflows::event::Event;

use crate::report::{Report, answer_piece, progress_line};

/// The progress of one workflow.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    tokens: AtomicU64,
    is_live: bool,
    shows_answers: bool,
}

impl Progress {
    pub(super) fn new(report: &Report) -> Self {
        let bar = ProgressBar::new(0).with_style(style("{spinner} {msg}"));
        // It hides itself where nobody watches.
        let is_live = !bar.is_hidden();
        if is_live {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self {
            bar,
            started: Instant::now(),
            tokens: AtomicU64::new(0),
            is_live,
            shows_answers: !report.is_silent(),
        }
    }

    /// Shows that the model is being loaded while it is.
    pub(super) async fn loading<T>(
        &self,
        model: &str,
        load: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.bar.set_message(format!("loading {model}"));
        let loaded = load.await?;
        self.line(&format!("{model} loaded in {:.1} s", self.started.elapsed().as_secs_f64()));
        Ok(loaded)
    }

    pub(super) fn show(&self, event: Event) {
        match event {
            Event::DocumentRead { title, characters, requirements } => self
                .line(&format!("“{title}”: {characters} characters, {requirements} requirements")),
            Event::Resumed { tasks_done, tasks } => {
                self.line(&format!(
                    "going on where it stopped: {tasks_done} of {tasks} tasks are there"
                ));
                self.bar.set_position(u64::try_from(tasks_done).unwrap_or_default());
            }
            Event::Planning { tasks } => {
                self.bar.set_length(u64::try_from(tasks).unwrap_or_default());
                self.bar.set_message("reading the document");
                self.bar.set_style(style("{spinner} writing tasks [{bar:24}] {pos}/{len}  {msg}"));
            }
            Event::TaskWritten { number, title, repaired } => {
                let note = if repaired { "  (repaired)" } else { "" };
                self.line(&format!("  {number:>3}  {title}{note}"));
                self.bar.inc(1);
            }
            Event::Began { things } => {
                self.bar.set_length(u64::try_from(things).unwrap_or_default());
                self.bar.set_message("reading");
                if things > 1 {
                    self.bar.set_style(style("{spinner} [{bar:24}] {pos}/{len}  {msg}"));
                }
            }
            Event::StepDone { what, note } => {
                // Of a single step the result itself tells.
                if self.bar.length() > Some(1) {
                    let note = note.map(|it| format!("  ({it})")).unwrap_or_default();
                    self.line(&format!("  {what}{note}"));
                }
                self.bar.inc(1);
            }
            Event::StepFailed { what, reason } => {
                self.line(&format!("  {what}: failed: {reason}"));
                self.bar.inc(1);
            }
            Event::Note { text } => self.line(&format!("  {text}")),
            Event::Text { text } => {
                self.finish();
                if self.shows_answers {
                    answer_piece(&text);
                }
            }
            Event::Tokens { count } => {
                let tokens =
                    self.tokens.fetch_add(count.into(), Ordering::Relaxed) + u64::from(count);
                if self.is_live && tokens.is_multiple_of(8) && self.bar.length() != Some(0) {
                    let seconds = self.started.elapsed().as_secs();
                    self.bar.set_message(format!("{seconds} s, {tokens} tokens"));
                }
            }
        }
    }

    /// Takes the live line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        if self.is_live {
            self.bar.println(text);
        } else {
            progress_line(text);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
