//! What can be done with an answer, for somebody at a terminal.

use tm_tasks::id::TaskId;

use super::{Conversation, Destinations, research_directory};
use crate::{app::App, report::Report};

/// Asks what to do next until there is nothing more to do.
pub(super) fn show(
    conversation: &mut Conversation<'_>,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    loop {
        report.blank();
        let choice = report.answer("Ask on (a), save to a file (f), save to a task (t), quit (q)?");
        let to = match choice.as_deref() {
            Some("a") => {
                if let Some(query) = report.answer("Your question:") {
                    conversation.request.query = query;
                    conversation.go_on(report)?;
                }
                continue;
            }
            Some("f") => {
                let directory = research_directory(conversation.workspace);
                Destinations { directory: Some(directory), ..Destinations::default() }
            }
            Some("t") => {
                let id = report.answer("Task or subtask:").map(|it| it.parse::<TaskId>());
                match id {
                    Some(Ok(id)) => Destinations { task: Some(id), ..Destinations::default() },
                    Some(Err(error)) => {
                        report.warn(&error.to_string());
                        continue;
                    }
                    None => continue,
                }
            }
            Some("q") | None => return Ok(()),
            Some(_) => continue,
        };
        // A task that does not exist is no reason to lose the answer.
        if let Err(error) = conversation.save(&to, app, report) {
            report.error(&error);
        }
    }
}
