//! Where a configuration points, and whether anything may be sent there: pure, to be shown.

use tm_llm::egress::{guard::Guard, without_secrets};
use tm_tasks::config::{Config, Role, RoleModel};

use super::{CLIENT, EMBEDDED, Mode, Planner, provider};
use crate::{config::Environment, report::Advice};

const LOCAL: &str = "it is on this machine, or on a host that you listed";

/// A server that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Endpoint {
    /// `main`, `research`, `fallback`, `escalation`, `embedding`, `rerank` or `cache`.
    pub role: &'static str,
    pub provider: String,
    pub model: String,
    /// None when the provider is none that is reached by an address.
    pub url: Option<String>,
    /// It is on this machine, or on a host that was listed.
    pub is_local: bool,
    pub may_be_asked: bool,
    pub why: &'static str,
}

/// What may leave this machine, and everywhere that it could go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    pub mode: &'static str,
    pub endpoints: Vec<Endpoint>,
}

/// Every server that the configuration names.
pub fn reach(config: &Config, environment: &Environment) -> Result<Reach, Advice> {
    let planner = Planner::new(config, environment)?;
    let mut endpoints = Vec::new();
    for role in Role::ALL {
        let Some(model) = planner.model(role) else { continue };
        endpoints.extend(planner.endpoint(role.as_str(), &model));
        for address in config.shared_work(role).0 {
            let model = RoleModel { base_url: Some(address), ..model.clone() };
            endpoints.extend(planner.endpoint(role.as_str(), &model));
        }
    }
    for (role, model) in [
        ("escalation", config.escalation_model()),
        ("embedding", config.embedding_model()),
        ("rerank", config.reranking_model()),
    ] {
        endpoints.extend(model.and_then(|it| planner.endpoint(role, &it)));
    }
    for (role, provider, url) in [
        ("cache", "redis", environment.redis_url()),
        ("vectors", "qdrant", environment.qdrant_url()),
    ] {
        endpoints.extend(url.map(|it| beside(role, provider, it, &planner.guard)));
    }
    Ok(Reach { mode: planner.mode.as_str(), endpoints })
}

/// A server without a model, that answers or vectors are kept in.
fn beside(role: &'static str, provider: &str, url: &str, guard: &Guard) -> Endpoint {
    let is_local = guard.check(url).is_ok();
    Endpoint {
        role,
        provider: provider.to_owned(),
        model: String::new(),
        url: Some(without_secrets(url)),
        is_local,
        may_be_asked: is_local,
        why: if is_local { LOCAL } else { "it is neither on this machine nor listed, in any mode" },
    }
}

impl Reach {
    /// The servers of a role that are not asked because nothing may leave this machine.
    pub fn kept_from(self, role: Role) -> Vec<Endpoint> {
        let is_kept = |it: &Endpoint| {
            it.role == role.as_str() && it.url.is_some() && !it.is_local && !it.may_be_asked
        };
        let is_local_only = self.mode == Mode::LocalOnly.as_str();
        self.endpoints.into_iter().filter(|it| is_local_only && is_kept(it)).collect()
    }
}

impl Planner<'_> {
    fn endpoint(&self, role: &'static str, model: &RoleModel) -> Option<Endpoint> {
        if model.provider == EMBEDDED || model.provider == CLIENT {
            return None;
        }
        let (url, is_local) = match self.server(model) {
            Some(server) => (Some(server.url), !server.is_external),
            None => (model.base_url.clone(), false),
        };
        let needs_key = provider::find(&model.provider).is_some_and(|it| it.needs_key);
        let has_key = !needs_key || self.server(model).is_some_and(|it| it.key.is_some());
        let (may_be_asked, why) = match (self.server(model), is_local, self.mode) {
            (None, _, _) => (false, "there is no client for this provider"),
            (Some(_), true, _) => (true, LOCAL),
            (Some(_), false, Mode::LocalOnly) => (false, "the mode is local-only"),
            (Some(_), false, Mode::Hybrid | Mode::External) if !has_key => {
                (false, "its key is not set")
            }
            (Some(_), false, Mode::Hybrid) => (true, "the mode is hybrid: after local models"),
            (Some(_), false, Mode::External) => (true, "the mode is external"),
        };
        Some(Endpoint {
            role,
            provider: model.provider.clone(),
            model: model.model_id.clone(),
            url: url.as_deref().map(without_secrets),
            is_local,
            may_be_asked,
            why,
        })
    }
}
