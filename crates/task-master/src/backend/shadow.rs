//! Models on trial that are asked what a command has asked, once its result is there.
//!
//! Nobody sees what they say: it is compared with what was answered. As the result comes first, the
//! user may stop the rest, and a server goes on with it beside what it is asked next. Start at
//! [`Shadow`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tm_tasks::config::Role;

use super::{CLIENT, Choice, Finder, nobody_lends, routes::configured};
use crate::{
    app::Workspace,
    cli::asking::timeout,
    interruption::interruption,
    report::Report,
    rollout::shadow::{Given, compare},
    trace::{Caller, Hear, Log},
};

/// What is to be compared when the command has ended.
#[derive(Debug, Default)]
pub struct Shadow(Mutex<Option<Comparison>>);

/// What was answered, and the models that are asked the same.
#[derive(Debug)]
pub struct Comparison {
    candidate: Role,
    models: Choice,
    log: Arc<Log>,
    caller: Caller,
    timeout: Duration,
    given: Vec<Given>,
}

impl Finder<'_> {
    /// The models of a role, and those of another one are asked the same when the command has ended.
    pub(super) fn role_beside(
        &mut self,
        (role, candidate): (Role, Role),
        report: &mut Report,
    ) -> anyhow::Result<Choice> {
        let (workspace, log) = (self.workspace, Arc::clone(&self.log));
        // Whoever lends a model does so for what they ask.
        let lent_model = self.lent_model.take();
        let models = match configured(&workspace.config, &workspace.environment, candidate) {
            Some(it) if it.provider == CLIENT => Err(nobody_lends().into()),
            Some(_) | None => self.find(candidate),
        };
        self.lent_model = lent_model;
        let hear =
            models.and_then(|(it, _)| workspace.shadow.begin(workspace, (candidate, it), log));
        match hear {
            Ok(hear) => self.hear = Some(hear),
            // What is for the record alone keeps nobody from an answer.
            Err(error) => report.warn(&format!("nothing will be compared: {error}")),
        }
        self.role(role, report)
    }
}

impl Shadow {
    /// The models of a role are to be asked what whoever is given the result hears.
    fn begin(
        self: &Arc<Self>,
        workspace: &Workspace,
        (candidate, models): (Role, Choice),
        log: Arc<Log>,
    ) -> anyhow::Result<Hear> {
        let (caller, timeout) = (workspace.caller.clone(), timeout(workspace)?);
        let begun = Comparison { candidate, models, log, caller, timeout, given: Vec::new() };
        *self.comparison() = Some(begun);
        let shadow = Arc::clone(self);
        Ok(Arc::new(move |id, request, text| {
            if let Some(comparison) = &mut *shadow.comparison() {
                let (request, text) = (request.clone(), text.to_owned());
                comparison.given.push(Given { id, request, text });
            }
        }))
    }

    /// What there is to compare, if anything: once.
    pub fn take(&self) -> Option<Comparison> {
        self.comparison().take().filter(|it| !it.given.is_empty())
    }

    /// Asks the models on trial, if there are any, until they have answered or the user has enough.
    /// The command has succeeded, whatever becomes of that.
    pub fn compare(&self, report: &mut Report) {
        let Some(comparison) = self.take() else { return };
        report.flush();
        report.note(&format!(
            "the models of {} are asked the same, to be compared; Ctrl-C ends that",
            comparison.candidate.as_str()
        ));
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return report.warn(&format!("nothing is compared: {error}")),
        };
        runtime.block_on(async {
            let interrupted = interruption();
            tokio::select! {
                () = comparison.run() => {}
                () = interrupted => {}
            }
        });
    }

    fn comparison(&self) -> MutexGuard<'_, Option<Comparison>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Comparison {
    /// Asks the models, one question after the other.
    pub async fn run(self) {
        let Self { candidate, models, log, caller, timeout, given } = self;
        let models = models.open_when_asked();
        for mut given in given {
            given.request.deadline = Instant::now() + timeout;
            compare(&log, caller.clone(), (candidate, &models), given).await;
        }
    }
}
