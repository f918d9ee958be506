//! How statuses, priorities and dependencies look on a screen.
//!
//! Colour never carries a meaning of its own: every status has its mark and its word.

use anstyle::Style;
use tm_tasks::{
    graph::Graph,
    id::TaskId,
    status::Status,
    task::{Priority, Task},
};

use crate::report::{
    Report,
    text::{CYAN, DIM, GREEN, MAGENTA, PLAIN, RED, Text, YELLOW},
};

/// `✓ done`.
pub(super) fn status(status: &Status) -> Text {
    let (mark, style) = mark(status);
    Text::styled(style, &format!("{mark} {status}"))
}

pub(super) fn mark(status: &Status) -> (char, Style) {
    match status {
        Status::Done | Status::Completed => ('✓', GREEN),
        Status::InProgress => ('►', CYAN),
        Status::Pending => ('○', PLAIN),
        Status::Review => ('◆', MAGENTA),
        Status::Blocked => ('■', RED),
        Status::Deferred => ('◌', DIM),
        Status::Cancelled => ('✗', DIM),
        Status::Other(_) => ('?', YELLOW),
    }
}

pub(super) fn priority(priority: Option<&Priority>) -> Text {
    let Some(priority) = priority else { return Text::styled(DIM, "–") };
    let style = match priority {
        Priority::Critical | Priority::High => RED,
        Priority::Medium => PLAIN,
        Priority::Low => DIM,
        Priority::Other(_) => YELLOW,
    };
    Text::styled(style, priority.as_str())
}

/// `1 ✓, 4`: ids with what is complete ticked off and what does not exist marked; at most so many.
pub(super) fn ids(graph: &Graph, ids: &[TaskId], most: usize) -> Text {
    if ids.is_empty() {
        return Text::styled(DIM, "–");
    }
    let mut text = Text::default();
    for (index, id) in ids.iter().take(most).enumerate() {
        if index > 0 {
            text = text.and(PLAIN, ", ");
        }
        text = match graph.is_complete(id) {
            Some(true) => text.and(DIM, &format!("{id} ✓")),
            Some(false) => text.and(PLAIN, &id.to_string()),
            None => text.and(RED, &format!("{id} missing")),
        };
    }
    match ids.len().saturating_sub(most) {
        0 => text,
        more => text.and(DIM, &format!(" +{more}")),
    }
}

/// `6 tasks`, `1 task`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// What to type to see a task whole, and to work on it.
pub(super) fn suggest_work(task: &Task, report: &mut Report) {
    let (command, why) = status_command(task);
    let show = format!("task-master show {}", task.id());
    report.suggest_any(&[(&show, "see all of it"), (&command, why)]);
}

/// What to type to work on a task that is seen whole.
pub(super) fn suggest_status(task: &Task, report: &mut Report) {
    let (command, why) = status_command(task);
    report.suggest(&command, why);
}

fn status_command(task: &Task) -> (String, &'static str) {
    let (status, why) = if task.status() == Status::InProgress {
        (Status::Done, "when it is done")
    } else {
        (Status::InProgress, "start on it")
    };
    (format!("task-master set-status --id={} --status={status}", task.id()), why)
}
