//! Commands whose tasks are scored: what these are to reach, and what is said when they do not.
//!
//! The score itself is [`tm_workflows::evaluate`]'s, and who is asked about weak tasks is
//! [`crate::backend::escalation`]'s business. Start at [`ask_scored`].

use tm_tasks::{config::Role, store::Quality};
use tm_workflows::{
    asking::Asking,
    escalation::{Below, Escalation, below_threshold},
    plan::change::ChangeError,
};

use super::asking::{Asked, Manner, ask};
use crate::{
    app::Workspace,
    backend,
    report::{Report, advice},
};

/// What tasks are to reach.
#[derive(Debug, clap::Args)]
pub(super) struct QualityArgs {
    /// What each task is to reach: weaker ones are written again, by a larger model where there is
    /// one, and if that does not help the exit code is 1
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    min_quality: Option<u8>,
}

/// What did not reach what it was to reach.
#[derive(Debug)]
#[must_use]
pub(super) struct Verdict {
    minimum: u8,
    below: Vec<Below>,
    is_required: bool,
}

impl QualityArgs {
    /// Who is asked about weak tasks; none where nobody said what tasks are to reach.
    pub(super) fn escalation(
        &self,
        workspace: &Workspace,
        role: Role,
        report: &mut Report,
    ) -> anyhow::Result<Option<Escalation>> {
        backend::escalation(workspace, role, self.min_quality, report)
    }

    pub(super) fn verdict_on(&self, quality: &Quality) -> Verdict {
        Verdict {
            minimum: quality.minimum.unwrap_or_default(),
            below: quality.below().map(Below::from).collect(),
            is_required: self.min_quality.is_some(),
        }
    }
}

/// Runs a workflow as [`ask`] does, and has weak tasks written again.
pub(super) fn ask_scored<T>(
    workspace: &Workspace,
    (manner, args): (Manner, &QualityArgs),
    report: &mut Report,
    work: impl AsyncFnOnce(Asking<'_>) -> Result<T, ChangeError>,
) -> anyhow::Result<(Asked<T>, Verdict)> {
    let escalation = args.escalation(workspace, manner.role, report)?;
    let work =
        async |asking: Asking<'_>| work(Asking { escalation: escalation.as_ref(), ..asking }).await;
    let asked = ask(workspace, manner, report, work)?;
    let verdict = Verdict {
        minimum: escalation.as_ref().map_or(0, |it| it.minimum),
        below: escalation.as_ref().map(Escalation::below).unwrap_or_default(),
        is_required: args.min_quality.is_some(),
    };
    Ok((asked, verdict))
}

impl Verdict {
    /// Says what is below, which is a failure where the user asked for a minimum.
    pub(super) fn tell(self, report: &mut Report) -> anyhow::Result<()> {
        let Some(message) = below_threshold(&self.below, self.minimum) else { return Ok(()) };
        if self.is_required {
            let hint = "it was written all the same: improve it, or take it back with \
                        `task-master undo`";
            return Err(advice(message, hint).into());
        }
        report.warn(&message);
        Ok(())
    }
}
