//! Models on trial that are asked what a command has asked, once its result is there.
//!
//! Nobody sees what they say: it is compared with what was answered. As the result comes first, the
//! user may stop the rest. Start at [`Shadow`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tm_tasks::config::Role;

use super::{Choice, Finder};
use crate::{
    app::Workspace,
    cli::asking::timeout,
    report::Report,
    rollout::shadow::{Given, compare},
    trace::{Caller, Hear, Log},
};

/// What is to be compared when the command has ended.
#[derive(Debug, Default)]
pub struct Shadow(Mutex<Option<Trial>>);

#[derive(Debug)]
struct Trial {
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
        let models = self.find(candidate);
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
        let trial = Trial { candidate, models, log, caller, timeout, given: Vec::new() };
        *self.trial() = Some(trial);
        let shadow = Arc::clone(self);
        Ok(Arc::new(move |id, request, text| {
            if let Some(trial) = &mut *shadow.trial() {
                let (request, text) = (request.clone(), text.to_owned());
                trial.given.push(Given { id, request, text });
            }
        }))
    }

    /// Asks the models on trial, if there are any, until they have answered or the user has enough.
    /// The command has succeeded, whatever becomes of that.
    pub fn compare(&self, report: &mut Report) {
        let Some(trial) = self.trial().take().filter(|it| !it.given.is_empty()) else { return };
        let Trial { candidate, models, log, caller, timeout, given } = trial;
        report.flush();
        report.note(&format!(
            "the models of {} are asked the same, to be compared; Ctrl-C ends that",
            candidate.as_str()
        ));
        let models = models.open_when_asked();
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return report.warn(&format!("nothing is compared: {error}")),
        };
        runtime.block_on(async {
            let comparing = async {
                for mut given in given {
                    given.request.deadline = Instant::now() + timeout;
                    compare(&log, caller.clone(), (candidate, &models), given).await;
                }
            };
            tokio::select! {
                () = comparing => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        });
    }

    fn trial(&self) -> MutexGuard<'_, Option<Trial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
