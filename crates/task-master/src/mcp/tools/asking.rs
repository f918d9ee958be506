//! What all tools share that ask a model.

use serde_json::Value;
use tm_llm::failover::Spent;
use tm_tasks::config::Role;
use tm_workflows::{
    asking::Asking,
    escalation::{Below, below_threshold},
    event::Event,
    plan::change::{ChangeError, Place},
};

use crate::{
    app::explain,
    backend::{self, telemetry},
    knowledge,
    mcp::{call::Call, call::timeout, parameter::Parameter, progress::Teller},
    report::advice,
};

pub(super) const RESEARCH: Parameter = Parameter::flag("research", "Ask the research model");

/// Of tools that use [`ask`].
pub(super) const LOOKED_UP: Parameter =
    Parameter::flag("research", "Ask the research model, and tell it what documents say");

pub(super) const PROMPT: Parameter = Parameter::text("prompt", "What to keep in mind");

/// What models gave, and what it took.
#[derive(Debug)]
pub(super) struct Answered<T> {
    pub(super) value: T,
    pub(super) telemetry: Value,
}

/// The model that a call asks for.
pub(super) fn role(call: &Call<'_>) -> Role {
    if call.arguments.flag("research") { Role::Research } else { Role::Main }
}

/// The tag that a model's answers change.
pub(super) fn place(call: &Call<'_>) -> Place {
    Place { store: call.workspace.store.clone(), tag: call.tag().to_owned() }
}

/// Loads the model of a role and has tasks changed with it; `command` is what that is called. The
/// model for research is told what documents say.
pub(super) fn ask<T>(
    call: &mut Call<'_>,
    role: Role,
    command: &str,
    work: impl AsyncFnOnce(Asking<'_>) -> Result<T, ChangeError>,
) -> anyhow::Result<Answered<T>> {
    let documents = knowledge::for_role(call.workspace, role, call.report)?;
    let escalation = backend::escalation(call.workspace, role, None, call.report)?;
    let answered = ask_for(call, role, command, async |asking| {
        let (documents, escalation) = (documents.as_ref(), escalation.as_ref());
        work(Asking { documents, escalation, ..asking }).await.map_err(told)
    })?;
    if let Some(escalation) = &escalation {
        tell_below(call, &escalation.below(), Some(escalation.minimum));
    }
    if let Some(documents) = &documents {
        knowledge::tell_degraded(&documents.libraries, call.report);
    }
    Ok(answered)
}

/// The same for work of any kind.
pub(super) fn ask_for<T>(
    call: &mut Call<'_>,
    role: Role,
    command: &str,
    work: impl AsyncFnOnce(Asking<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Answered<T>> {
    let choice = backend::for_role(call.workspace, role, call.report)?;
    let language = call.workspace.config.globals().response_language;
    let prompts = call.workspace.prompts()?;
    let timeout = timeout(&call.workspace.environment);
    let teller = call.teller;
    let (value, spent): (T, Vec<Spent>) = call.wait(async {
        let model = choice.open().await?;
        let observer = |event| tell(teller, event);
        let asking = Asking {
            backend: &*model,
            language: &language,
            prompts: &prompts,
            timeout,
            observer: &observer,
            documents: None,
            escalation: None,
        };
        let value = work(asking).await?;
        Ok((value, model.spent()))
    })?;
    Ok(Answered { value, telemetry: telemetry::data(command, call.now(), &spent) })
}

/// Warns of tasks that did not reach what they were to reach.
pub(super) fn tell_below(call: &mut Call<'_>, below: &[Below], minimum: Option<u8>) {
    if let Some(message) = below_threshold(below, minimum.unwrap_or_default()) {
        call.report.warn(&message);
    }
}

/// Tells the client what a workflow does.
pub(super) fn tell(teller: &Teller, event: Event) {
    match event {
        Event::DocumentRead { title, requirements, .. } => {
            teller.tell(format!("{title}: {requirements} requirements"));
        }
        Event::Resumed { tasks_done, tasks } => {
            teller.tell(format!("going on: {tasks_done} of {tasks} tasks are there"));
        }
        Event::Planning { tasks } => teller.tell(format!("writing {tasks} tasks")),
        Event::TaskWritten { number, title, .. } => teller.tell(format!("task {number}: {title}")),
        Event::Began { things } => teller.tell(format!("{things} to do")),
        Event::StepDone { what, .. } => teller.tell(what),
        Event::StepFailed { what, reason } => teller.tell(format!("{what}: {reason}")),
        Event::Note { text } => teller.tell(text),
        // An answer is told when it is whole.
        Event::Text { .. } | Event::Tokens { .. } => {}
    }
}

/// What to do about work that was not done.
pub(super) fn told(error: ChangeError) -> anyhow::Error {
    match error {
        ChangeError::Store(error) => explain(error),
        ChangeError::Ask(error) => {
            let hint = "Nothing was changed; the same call may do better";
            anyhow::Error::new(error).context(advice("the model gave no usable answer", hint))
        }
        error @ (ChangeError::NoTag { .. }
        | ChangeError::NoTask { .. }
        | ChangeError::ASubtask { .. }
        | ChangeError::NotASubtask { .. }
        | ChangeError::Finished { .. }
        | ChangeError::Count { .. }
        | ChangeError::Interrupted) => error.into(),
    }
}
