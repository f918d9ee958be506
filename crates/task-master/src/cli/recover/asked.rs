//! Whether a step may be tried in the scratch copy: the user says so beforehand, or is asked.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tm_workflows::{
    event::{Event, Observer},
    recover::step::{Action, Step},
};
use tokio::sync::oneshot;

use crate::report::answer_to;

/// What the user says to steps.
#[derive(Debug)]
pub(super) struct Consent {
    to_all: AtomicBool,
    /// Somebody is there to be asked.
    is_asked: bool,
}

impl Consent {
    pub(super) fn new(to_all: bool, is_asked: bool) -> Self {
        Self { to_all: AtomicBool::new(to_all), is_asked }
    }

    /// Whether this step may be tried. It is shown in any case.
    pub(super) async fn give(&self, step: &Step, observer: Observer<'_>) -> bool {
        for text in shown(step) {
            observer(Event::Note { text });
        }
        if self.to_all.load(Ordering::Relaxed) {
            return true;
        }
        if !self.is_asked {
            return false;
        }
        // The live line would be written over the question.
        observer(Event::Text { text: String::new() });
        let question = "Try this in the scratch copy, where the check runs it as you? \
                        Yes (y), yes to all (a), no (n):";
        match answer(question).await.as_deref() {
            Some("y" | "yes") => true,
            Some("a" | "all") => {
                self.to_all.store(true, Ordering::Relaxed);
                true
            }
            Some(_) | None => false,
        }
    }
}

/// What the user says; work that is stopped meanwhile does not wait for that.
pub(super) async fn answer(question: &'static str) -> Option<String> {
    let (tell, told) = oneshot::channel();
    // A thread that nobody waits for when the user has had enough.
    thread::spawn(move || {
        tell.send(answer_to(question)).ok();
    });
    told.await.ok().flatten()
}

/// A step, a line after the other.
pub(super) fn shown(step: &Step) -> Vec<String> {
    let mut lines =
        vec![format!("because: {}", step.cause.replace('\n', " ")), format!("step: {step}")];
    if let Action::Edit(edit) = &step.action {
        lines.extend(edit.new.iter().map(|it| format!("  + {it}")));
    }
    lines
}
