//! What this gateway and others know together: which models rest, and what is on trial.
//!
//! Ten times a second it tells what it has seen and hears what others have seen, beside the
//! requests, none of which waits for that. Start at [`Follower::run`].

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tm_llm::{
    failover::Health,
    fleet::{Edition, Fleet},
};
use tm_tasks::{config::Role, digest::sha256_hex};
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{Gateway, Players};
use crate::rollout::{State, Trials};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// What the trials of a project are called.
const TRIALS: &str = "rollout";

/// Tells others what is known here, and hears what they know.
#[derive(Debug)]
pub struct Follower {
    fleet: Fleet,
    players: Players,
    trials: Option<Trials>,
    /// Models that rested when it looked last.
    rested: BTreeSet<String>,
}

impl Follower {
    pub fn new(fleet: Fleet, gateway: &Arc<Gateway>) -> Self {
        let trials = gateway.rollout.as_ref().map(|it| it.trials().clone());
        Self { fleet, players: gateway.players.clone(), trials, rested: BTreeSet::new() }
    }

    /// Follows until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.share_rests().await;
            if let Some(trials) = self.trials.clone() {
                self.share_trials(trials).await;
            }
        }
    }

    /// Whoever failed here rests everywhere, and the other way round, until somebody has seen it
    /// answer.
    async fn share_rests(&mut self) {
        let (mut places, mut failed, mut well) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (place, health) in Role::ALL.into_iter().flat_map(|it| self.players.of(it).health()) {
            if !places.insert(place.to_owned()) {
                continue;
            }
            match health {
                Health::Failed { left } => failed.push((place.to_owned(), left)),
                Health::Well if self.rested.remove(place) => well.push(place.to_owned()),
                Health::Well | Health::Unsure => {}
            }
        }
        if places.is_empty() {
            return;
        }
        if !(failed.is_empty() && well.is_empty())
            && self.fleet.tell(&failed, &well).await.is_none()
        {
            return;
        }
        let places: Vec<String> = places.into_iter().collect();
        let Some(rests) = self.fleet.rests(&places).await else { return };
        for (place, left) in places.into_iter().zip(rests) {
            let Some(left) = left else { continue };
            for role in Role::ALL {
                self.players.of(role).told_to_rest(&place, left);
            }
            self.rested.insert(place);
        }
    }

    /// The newest trials are everybody's.
    async fn share_trials(&self, trials: Trials) {
        let ours = trials.clone();
        let Ok(Ok(state)) = spawn_blocking(move || ours.read()).await else { return };
        let Some(theirs) = self.fleet.edition(TRIALS).await else { return };
        let (edition, text) = edition(&state);
        if theirs.as_ref() == Some(&edition) {
            return;
        }
        if theirs.is_none_or(|it| it.revision < edition.revision) {
            if edition.revision > 0 {
                self.fleet.keep(TRIALS, &edition, &text).await;
            }
            return;
        }
        let Some(text) = self.fleet.document(TRIALS).await else { return };
        let adopted = spawn_blocking(move || trials.adopt(&text)).await;
        if let Ok(Err(error)) = adopted {
            tracing::warn!(%error, "the trials of other gateways are not followed");
        }
    }
}

fn edition(state: &State) -> (Edition, String) {
    let text = serde_json::to_string(state).unwrap_or_default();
    (Edition { revision: state.revision, digest: sha256_hex(text.as_bytes()) }, text)
}
