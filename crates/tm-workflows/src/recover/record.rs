//! What was tried, as a page for whoever goes on by hand.
//!
//! Everything that was printed or proposed is quoted in fences that it cannot close. Start at [`page`].

use std::fmt::Write as _;

use super::{
    Outcome, Recovered, Recovery,
    attempt::{Attempt, Tried},
    proposal::{end_of, fence},
    step::Action,
};
use crate::research::passages::one_line;

/// Who tried.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Of this program.
    pub version: &'a str,
    pub at: &'a str,
}

/// A page of Markdown.
pub fn page(recovery: &Recovery, recovered: &Recovered, origin: Origin<'_>) -> String {
    let is_unproved = matches!(recovered.end, Outcome::Unproved(..));
    let mut page = String::from(if is_unproved {
        "# Unproved: a check that passes, which may be all\n\n"
    } else {
        "# Unresolved: a check that fails\n\n"
    });
    let Origin { version, at } = origin;
    let (of, model) = (recovered.attempts.len(), &recovered.model);
    add(
        &mut page,
        format_args!("{of} attempts by {model}, task-master {version}, {at}.\n\nThe check:\n\n"),
    );
    fenced(&mut page, "sh", &recovery.check);
    if let Some(task) = &recovery.task {
        page.push_str("It belongs to this task:\n\n");
        fenced(&mut page, "", &task.text);
    }
    add(&mut page, format_args!("It {}. The end of what it prints:\n\n", recovered.failure.end));
    fenced(&mut page, "", &end_of(&recovered.failure.output));
    page.push_str("## What documents say\n\n");
    if recovered.sources.is_empty() {
        page.push_str("Nothing was found.\n\n");
    } else {
        add(&mut page, format_args!("{}\n\n", recovered.sources.join("\n")));
    }
    for (number, attempt) in recovered.attempts.iter().enumerate() {
        add(&mut page, format_args!("## Attempt {}\n\n", number + 1));
        attempt_in(&mut page, attempt);
    }
    if let Some(error) = &recovered.stopped {
        add(&mut page, format_args!("It went no further: {}\n", one_line(&error.to_string())));
    }
    page
}

fn attempt_in(page: &mut String, attempt: &Attempt) {
    for Tried { step, became, output } in &attempt.steps {
        if let Some(step) = step {
            add(page, format_args!("Because: {}\n\nStep: {step}\n\n", one_line(&step.cause)));
            if let Action::Edit(edit) = &step.action {
                fenced(page, "", &edit.new.join("\n"));
            }
        }
        add(page, format_args!("Result: {became}\n\n"));
        if !output.trim().is_empty() {
            fenced(page, "", &end_of(output));
        }
    }
    if !attempt.patch.trim().is_empty() {
        page.push_str("What was different in the end:\n\n");
        fenced(page, "diff", attempt.patch.trim_end());
    }
}

fn fenced(page: &mut String, language: &str, text: &str) {
    let fence = fence([text].into_iter());
    add(page, format_args!("{fence}{language}\n{text}\n{fence}\n\n"));
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // To write to a text cannot fail.
    page.write_fmt(text).ok();
}
