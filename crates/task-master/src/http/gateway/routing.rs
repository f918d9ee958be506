//! Which model answers a request: from the name that a client sends to models that are open.
//!
//! What a name means is decided by [`mod@crate::backend::names`]. Start at [`Gateway::route`].

use std::sync::Arc;

use axum::{
    http::{HeaderName, HeaderValue},
    response::Response,
};
use serde_json::{Value, json};
use tm_llm::{
    backend::Backend as _,
    dialect::serve::ClientError,
    failover::{Failover, Journey, OnStep, SeatReport},
    rollout::Arm,
};
use tm_tasks::config::Role;

use super::{super::metrics::Metrics, Gateway, cached::Lookup};
use crate::{
    backend::names::{KnownName, Reason},
    rollout::live::Chosen,
};

/// The models that play the roles.
#[derive(Debug, Clone)]
pub struct Players {
    main: Arc<Failover>,
    research: Arc<Failover>,
    fallback: Arc<Failover>,
    answer_tokens: [u32; 3],
}

/// The models that answer one request, and what becomes of it.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) role: Role,
    /// The role whose models answer: another one where that is on trial.
    pub(super) played_by: Role,
    pub(super) chosen: Option<Chosen>,
    reason: Reason,
    /// Watched by the journey.
    pub(super) backend: Arc<Failover>,
    journey: Arc<Journey>,
    metrics: Arc<Metrics>,
}

impl Players {
    /// One for each, in the order of [`Role::ALL`].
    pub fn new([main, research, fallback]: [Arc<Failover>; 3]) -> Self {
        Self { main, research, fallback, answer_tokens: [u32::MAX; 3] }
    }

    /// The same, and an answer of each has so many tokens at most, in the order of [`Role::ALL`].
    #[must_use]
    pub fn with_answer_tokens(self, answer_tokens: [u32; 3]) -> Self {
        Self { answer_tokens, ..self }
    }

    /// How many tokens an answer of this role has at most.
    pub(super) fn answer_tokens(&self, role: Role) -> u32 {
        let [main, research, fallback] = self.answer_tokens;
        match role {
            Role::Main => main,
            Role::Research => research,
            Role::Fallback => fallback,
        }
    }

    pub(super) fn of(&self, role: Role) -> &Arc<Failover> {
        match role {
            Role::Main => &self.main,
            Role::Research => &self.research,
            Role::Fallback => &self.fallback,
        }
    }

    /// How each model stands, once.
    pub(super) fn report(&self) -> Vec<SeatReport> {
        let mut models: Vec<SeatReport> = Vec::new();
        for model in Role::ALL.into_iter().flat_map(|it| self.of(it).report()) {
            if !models.iter().any(|it| it.name == model.name) {
                models.push(model);
            }
        }
        models
    }
}

impl Gateway {
    /// The models that play a role, opened and watched.
    pub(super) async fn route(
        &self,
        (role, reason): (Role, Reason),
        conversation: Option<u64>,
        on_step: OnStep,
    ) -> Result<Routed, ClientError> {
        let chosen = self.rollout.as_ref().zip(conversation);
        let chosen = chosen.and_then(|(live, it)| live.choose(role.as_str(), it));
        let on_trial = chosen.as_ref().filter(|it| it.arm == Arm::Candidate);
        let played_by = on_trial.and_then(Chosen::candidate).unwrap_or(role);
        let metrics = Arc::clone(&self.metrics);
        let journey = Arc::new(Journey::new(on_step));
        let backend = self.players.of(played_by).watched(Arc::clone(&journey));
        // What was opened may have left the memory since: that is for whoever asks it.
        if !backend.is_open() {
            backend.prepare().await?;
        }
        Ok(Routed { role, played_by, chosen, reason, backend: Arc::new(backend), journey, metrics })
    }

    /// Every name that is known, and who answers to it.
    pub(super) fn routes(&self) -> Value {
        let names: Vec<Value> = self.names.iter().map(|it| self.shown(it)).collect();
        let models: Vec<SeatReport> = self.players.report();
        json!({
            "names": names,
            "others": {"role": Role::Main.as_str(), "reason": Reason::Default},
            "models": models,
        })
    }

    fn shown(&self, name: &KnownName) -> Value {
        let players = self.players.of(name.role).report();
        let players: Vec<&str> = players.iter().map(|it| it.name.as_str()).collect();
        json!({
            "name": name.name, "role": name.role.as_str(), "reason": name.reason,
            "models": players,
        })
    }
}

impl Routed {
    /// Who was asked last, and so answers.
    pub(super) fn asked_last(&self) -> String {
        self.journey.asked_last().unwrap_or_default()
    }

    /// How many were asked.
    pub(super) fn attempts(&self) -> usize {
        self.journey.attempts()
    }

    /// Whether anybody was asked.
    pub(super) fn was_asked(&self) -> bool {
        self.attempts() > 0
    }

    /// Whether nobody was asked but those who are wanted most.
    pub(super) fn is_as_wanted(&self) -> bool {
        let wanted = self.backend.report();
        let wanted = |name: &String| wanted.iter().any(|it| it.rank == 0 && it.name == *name);
        self.journey.asked().iter().all(wanted)
    }

    /// Says in the response's head who answered, and why.
    pub(super) fn told(&self, mut response: Response, lookup: &Lookup) -> Response {
        self.metrics.looked_up(lookup.word());
        let backend = match lookup {
            Lookup::Hit { by } => by.clone(),
            Lookup::Miss | Lookup::Bypass => self.asked_last(),
        };
        let headers = response.headers_mut();
        for (name, value) in [
            ("x-route", self.role.as_str()),
            ("x-route-reason", self.reason.as_str()),
            ("x-cache", lookup.word()),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(chosen) = &self.chosen {
            let arm = HeaderValue::from_static(chosen.arm.as_str());
            headers.insert(HeaderName::from_static("x-rollout"), arm);
        }
        let attempts = self.attempts();
        headers.insert(HeaderName::from_static("x-attempts"), attempts.into());
        // A model whose name cannot stand there goes without.
        if let Ok(value) = HeaderValue::from_str(&backend) {
            headers.insert(HeaderName::from_static("x-backend"), value);
        }
        response
    }
}
