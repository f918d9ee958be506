//! Commands that ask a model: who answers, what is seen meanwhile, and how it ends.
//!
//! What is asked is the workflows' business. Start at [`ask`].

use std::time::{Duration, Instant};

use tm_llm::{chat::Usage, structured::StructuredError};
use tm_tasks::{config::Role, document::Tag, id::TaskId};
use tm_workflows::{
    asking::{AskError, Asking},
    plan::change::{ChangeError, Place},
};

use super::progress::Progress;
use crate::{
    app::{Workspace, explain},
    backend,
    interruption::interruptible,
    knowledge,
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// A model's work ends after this, unless `TASKMASTER_TIMEOUT_S` says otherwise.
const TIMEOUT: Duration = Duration::from_mins(30);

/// How a command asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) role: Role,
    /// What became of the work when the user stops it.
    pub(super) when_interrupted: &'static str,
}

/// What a workflow gave, and how long that took.
#[derive(Debug)]
pub(super) struct Asked<T> {
    pub(super) value: T,
    took: Duration,
}

/// Runs a workflow that changes tasks with the model of a role, and shows what it does. That for
/// research is told what documents say.
pub(super) fn ask<T>(
    workspace: &Workspace,
    manner: Manner,
    report: &mut Report,
    work: impl AsyncFnOnce(Asking<'_>) -> Result<T, ChangeError>,
) -> anyhow::Result<Asked<T>> {
    let documents = knowledge::for_role(workspace, manner.role, report)?;
    let work = async |asking: Asking<'_>| {
        work(Asking { documents: documents.as_ref(), ..asking }).await.map_err(told)
    };
    let asked = ask_anything(workspace, manner, report, work)?;
    if let Some(documents) = &documents {
        knowledge::tell_degraded(&documents.libraries, report);
    }
    Ok(asked)
}

/// Runs any workflow with the model of a role, and shows what it does.
pub(super) fn ask_anything<T>(
    workspace: &Workspace,
    manner: Manner,
    report: &mut Report,
    work: impl AsyncFnOnce(Asking<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Asked<T>> {
    let timeout = timeout(workspace)?;
    let choice = backend::for_role(workspace, manner.role, report)?;
    let model = choice.id.clone();
    let language = workspace.config.globals().response_language;
    let prompts = workspace.prompts()?;
    let started = Instant::now();
    let progress = Progress::new(report);
    let value = interruptible(manner.when_interrupted, async {
        let backend = progress.loading(&model, choice.open()).await?;
        let observer = |event| progress.show(event);
        let asking = Asking {
            backend: &*backend,
            language: &language,
            prompts: &prompts,
            timeout,
            observer: &observer,
            documents: None,
            escalation: None,
        };
        work(asking).await
    });
    progress.finish();
    Ok(Asked { value: value?, took: started.elapsed() })
}

/// The role that `--research` asks for.
pub(super) fn role(is_research: bool) -> Role {
    if is_research { Role::Research } else { Role::Main }
}

pub(super) fn place(workspace: &Workspace, tag: Option<&str>) -> Place {
    Place { store: workspace.store.clone(), tag: workspace.tag(tag) }
}

/// The tag as it is, with all of these tasks: no model is loaded for a task that does not exist.
pub(super) fn require(place: &Place, ids: &[TaskId]) -> anyhow::Result<Tag> {
    let file = place.store.read().map_err(explain)?;
    let name = &place.tag;
    let Some(tag) = file.tag(name) else {
        return Err(told(ChangeError::NoTag { tag: name.clone() }));
    };
    match ids.iter().find(|it| tag.find(it).is_none()) {
        None => Ok(tag.clone()),
        Some(id) => Err(told(ChangeError::NoTask { id: id.clone(), tag: name.clone() })),
    }
}

/// A text that must say something.
pub(super) fn required<'a>(text: Option<&'a str>, usage: &str) -> anyhow::Result<&'a str> {
    let text = text.map(str::trim).filter(|it| !it.is_empty());
    text.ok_or_else(|| advice("nothing says what to change", usage).into())
}

/// How long a model may work on one question.
pub(crate) fn timeout(workspace: &Workspace) -> anyhow::Result<Duration> {
    let Some(seconds) = workspace.environment.variable("TASKMASTER_TIMEOUT_S") else {
        return Ok(TIMEOUT);
    };
    let seconds = seconds.parse().map_err(|_| {
        advice(
            format!("TASKMASTER_TIMEOUT_S is `{seconds}`"),
            "set it to a whole number of seconds, such as 1800",
        )
    })?;
    Ok(Duration::from_secs(seconds))
}

impl<T> Asked<T> {
    /// What the answers took, in one line.
    pub(super) fn cost(&self, usage: Usage) -> Text {
        let seconds = self.took.as_secs_f64();
        let line = format!(
            "  {seconds:.0} s, {} tokens read, {} written",
            usage.prompt_tokens.saturating_sub(usage.cached_tokens),
            usage.completion_tokens,
        );
        Text::styled(DIM, &line)
    }
}

/// What to do about a change that did not happen.
pub(super) fn told(error: ChangeError) -> anyhow::Error {
    let hint = match &error {
        ChangeError::NoTag { .. } => "see which tags there are with `task-master tags`",
        ChangeError::NoTask { .. } => "see which tasks there are with `task-master list`",
        ChangeError::NotASubtask { .. } => {
            "name one, such as 3.1; for a task there is `task-master update-task`"
        }
        ChangeError::ASubtask { .. } => {
            "name a task, such as 3; for a subtask there is `task-master update-subtask`"
        }
        ChangeError::Finished { .. } => {
            "nothing was changed; to change it all the same, set its status to pending first"
        }
        ChangeError::Count { .. } => "divide the task in steps, or take several tasks",
        ChangeError::Interrupted => "nothing was changed; try again",
        ChangeError::Ask(
            AskError::Text(error) | AskError::Object(StructuredError::Backend(error)),
        ) => backend::hint(error),
        ChangeError::Ask(_) => {
            "nothing was changed; try again, or take a larger model with `task-master models`"
        }
        ChangeError::Store(_) => "nothing was changed",
    };
    if let ChangeError::Store(error) = error {
        return explain(error);
    }
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
