//! Who is asked when what a role's model writes is not good enough.
//!
//! First whoever is on this machine: the model that the project names for it, else the largest of
//! the catalogue that was fetched, is larger than the one that answers and fits beside it. Then
//! whoever is elsewhere, as far as the mode allows that. Start at [`escalation`].

use std::sync::Arc;

use sysinfo::System;
use tm_llm::{
    catalogue::{
        Catalogue, Model,
        store::{ModelStore, Presence},
    },
    failover::Failover,
};
use tm_tasks::config::{Config, Role};
use tm_workflows::escalation::{Escalation, Other};

use super::{
    Finder,
    routes::{self, Route},
    tell,
};
use crate::{
    app::Workspace,
    config::Environment,
    report::{Advice, Report, advice},
};

/// What tasks are to reach, and who may be asked about those that do not: `asked` is what the user
/// says now, else the project says it. None where nobody does.
pub fn escalation(
    workspace: &Workspace,
    role: Role,
    asked: Option<u8>,
    report: &mut Report,
) -> anyhow::Result<Option<Escalation>> {
    let Workspace { config, environment, .. } = workspace;
    let Some(minimum) = minimum(config, asked)? else { return Ok(None) };
    let usual = routes::routes(config, environment, role)?;
    let catalogue = Catalogue::builtin()?;
    let own = usual.first().and_then(|it| embedded(it, &catalogue));
    let bigger = own.and_then(|own| larger(&catalogue, environment, own));
    let mut finder = Finder::new(workspace);
    let mut others = Vec::new();
    for route in routes::ladder(config, environment, role, bigger)? {
        if own.is_some() && embedded(&route, &catalogue) == own {
            continue;
        }
        match finder.candidate(&route) {
            Ok(candidate) => {
                let name = candidate.name().to_owned();
                let failover = Failover::unopened(vec![candidate], Arc::new(tell));
                let failover = failover.watching_each(finder.setout(Some("escalation")));
                others.push(Other::new(name, Arc::new(failover)));
            }
            Err(error) => report.warn(&format!("{error}; weak tasks are asked of others")),
        }
    }
    Ok(Some(Escalation::new(minimum, others)))
}

/// How much memory this machine has; none where the system does not tell.
pub fn memory_mib() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let total = system.total_memory();
    let total = system.cgroup_limits().map_or(total, |it| it.total_memory.min(total));
    (total > 0).then_some(total >> 20)
}

fn minimum(config: &Config, asked: Option<u8>) -> Result<Option<u8>, Advice> {
    let Some(said) = config.get("global", "escalateBelow").filter(|_| asked.is_none()) else {
        return Ok(asked);
    };
    let percent = said.as_u64().or_else(|| said.as_str()?.trim().parse().ok());
    match percent.and_then(|it| u8::try_from(it).ok()).filter(|it| (1..=100).contains(it)) {
        Some(percent) => Ok(Some(percent)),
        None => Err(advice(
            format!("`global.escalateBelow` is {said}"),
            "set it to what each task is to reach, in percent from 1 to 100, or take it out",
        )),
    }
}

/// The model of the catalogue that a route has answer in this process.
fn embedded<'a>(route: &Route, catalogue: &'a Catalogue) -> Option<&'a Model> {
    match route {
        Route::Embedded { model: Some(id), .. } => catalogue.find(id).ok(),
        Route::Embedded { model: None, .. } => catalogue.default_model().map(|it| it.0),
        Route::Client | Route::Server(_) => None,
    }
}

fn larger<'a>(catalogue: &'a Catalogue, environment: &Environment, own: &Model) -> Option<&'a str> {
    // Without an engine there is nothing that could run it.
    let memory_mib = memory_mib().filter(|_| cfg!(feature = "engine"))?;
    let store = ModelStore::new(environment.models_dir());
    let is_here = |it: &Model| {
        matches!(store.presence(it), Presence::Present { .. } | Presence::Changed { .. })
    };
    let here: Vec<&Model> = catalogue.models().iter().filter(|it| is_here(it)).collect();
    largest(&here, own, memory_mib).map(|it| it.id.as_str())
}

/// The largest of these that is larger than our own and works beside it in so much memory.
fn largest<'a>(here: &[&'a Model], own: &Model, memory_mib: u64) -> Option<&'a Model> {
    let left = memory_mib.saturating_sub(own.memory_mib);
    let writes = |it: &&Model| it.roles.contains(&tm_llm::catalogue::Role::Main);
    let fitting = here.iter().copied().filter(writes).filter(|it| it.fits(left));
    fitting.filter(|it| it.memory_mib > own.memory_mib).max_by_key(|it| it.memory_mib)
}

#[cfg(test)]
mod tests;
