//! Who may answer for a role: pure, from the configuration and the environment.
//!
//! A role is followed by the roles that stand in for it. A provider on the Internet is answered by
//! the embedded engine, unless the user's mode says otherwise.

use tm_llm::{
    egress::guard::Guard,
    provider::{self, Provider},
};
use tm_tasks::config::{Config, Role, RoleModel};

use super::{CLIENT, EMBEDDED};
use crate::{
    config::Environment,
    report::{Advice, advice},
};

pub mod endpoints;

/// What may leave this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    LocalOnly,
    /// Local models first, then providers whose key is set.
    Hybrid,
    /// What the configuration says, where the key is set.
    External,
}

/// Somebody who may answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Route {
    Embedded {
        /// None for the default one.
        model: Option<String>,
        /// What the configuration names, when the engine takes its place.
        instead_of: Option<String>,
    },
    /// The model that an MCP client lends.
    Client,
    Server(Box<ServerRoute>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ServerRoute {
    pub(super) provider: &'static Provider,
    pub(super) url: String,
    pub(super) model: String,
    pub(super) key: Option<String>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u64>,
    /// Not on this machine, nor on one that counts as local.
    pub(super) is_external: bool,
    /// What it holds in tokens, where the configuration says so.
    pub(super) context_window: Option<u32>,
    /// Questions it is asked at a time, where the configuration says so.
    pub(super) limit: Option<u32>,
    /// The same model as the one before, at another address: they share the work.
    pub(super) is_copy: bool,
}

/// The routes of a role, the most wanted first; at least one.
pub(super) fn routes(
    config: &Config,
    environment: &Environment,
    role: Role,
) -> Result<Vec<Route>, Advice> {
    let planner = Planner::new(config, environment)?;
    let mut routes = Vec::new();
    // Whoever names a model on the command line's behalf means it.
    if let Some(model) = environment.variable("TASKMASTER_MODEL") {
        let instead_of = planner.model(role).filter(|it| it.provider != EMBEDDED);
        let instead_of = instead_of.map(|it| name(&it));
        routes.push(Route::Embedded { model: Some(model.to_owned()), instead_of });
    }
    for role in sequence(role) {
        if let Some(model) = planner.model(role) {
            let found = planner.routes(&model);
            routes.extend(planner.shared(role, &model, found));
        }
    }
    if planner.mode == Mode::Hybrid {
        routes.sort_by_key(Route::is_external);
    }
    let mut unique = unique(routes);
    if unique.is_empty() {
        unique.push(Route::Embedded { model: None, instead_of: None });
    }
    Ok(unique)
}

/// Who is asked when what the first of [`routes`] writes is not good enough: the model that the
/// project names for it, or `bigger` in this process; then whoever is elsewhere and may be asked.
pub(super) fn ladder(
    config: &Config,
    environment: &Environment,
    role: Role,
    bigger: Option<&str>,
) -> Result<Vec<Route>, Advice> {
    let planner = Planner::new(config, environment)?;
    let usual = routes(config, environment, role)?;
    let named = config.escalation_model().map(|it| planner.routes(&it)).unwrap_or_default();
    // Whoever stands in for a model that may not be asked is not what was named.
    let stands_in = |it: &Route| matches!(it, Route::Embedded { instead_of: Some(_), .. });
    let mut ladder: Vec<Route> = named.into_iter().filter(|it| !stands_in(it)).collect();
    if ladder.iter().all(Route::is_external) {
        let bigger = bigger.map(|it| Route::Embedded { model: Some(it.into()), instead_of: None });
        ladder.splice(0..0, bigger);
    }
    let mut usual = usual.into_iter();
    let first = usual.next();
    ladder.extend(usual.filter(Route::is_external));
    ladder.retain(|it| !first.as_ref().is_some_and(|first| first.is_same(it)));
    Ok(unique(ladder))
}

/// Without those that are the same as an earlier one.
fn unique(routes: Vec<Route>) -> Vec<Route> {
    let mut unique: Vec<Route> = Vec::new();
    for route in routes {
        if !unique.iter().any(|it| it.is_same(&route)) {
            unique.push(route);
        }
    }
    unique
}

/// The route of a model beside those of the roles, such as the one that makes vectors: a local one
/// unless nothing but what is elsewhere is wanted, because whole documents are what it reads.
pub(super) fn beside_roles(
    config: &Config,
    environment: &Environment,
    model: Option<RoleModel>,
) -> Result<Option<Route>, Advice> {
    let planner = Planner::new(config, environment)?;
    Ok(model.and_then(|it| planner.routes(&it).into_iter().next()))
}

/// The hosts that count as local.
pub(super) fn guard(config: &Config, environment: &Environment) -> Guard {
    let listed = environment.variable("TASKMASTER_LOCAL_HOSTS").unwrap_or_default();
    let mut hosts: Vec<String> = listed.split([',', ' ']).map(str::to_owned).collect();
    match config.get("global", "localHosts") {
        Some(serde_json::Value::Array(more)) => {
            hosts.extend(more.iter().filter_map(|it| it.as_str()).map(str::to_owned));
        }
        Some(serde_json::Value::String(more)) => {
            hosts.extend(more.split([',', ' ']).map(str::to_owned));
        }
        _ => {}
    }
    Guard::new(hosts)
}

fn mode(config: &Config, environment: &Environment) -> Result<Mode, Advice> {
    let configured = config.get("global", "mode");
    let configured = configured.as_ref().and_then(|it| it.as_str());
    match environment.variable("TASKMASTER_MODE").or(configured) {
        None | Some("local-only" | "local") => Ok(Mode::LocalOnly),
        Some("hybrid") => Ok(Mode::Hybrid),
        Some("external") => Ok(Mode::External),
        Some(other) => Err(advice(
            format!("there is no mode {other:?}"),
            "set TASKMASTER_MODE to local-only, hybrid or external",
        )),
    }
}

/// Who stands in for whom.
fn sequence(role: Role) -> [Role; 3] {
    match role {
        Role::Main => [Role::Main, Role::Fallback, Role::Research],
        Role::Research => [Role::Research, Role::Fallback, Role::Main],
        Role::Fallback => [Role::Fallback, Role::Main, Role::Research],
    }
}

/// The model that a role names, or that the environment names for it.
pub(super) fn configured(
    config: &Config,
    environment: &Environment,
    role: Role,
) -> Option<RoleModel> {
    let mut model = config.model(role)?;
    let variable = format!("TASKMASTER_MODEL_{}", role.as_str().to_ascii_uppercase());
    if let Some(id) = environment.variable(&variable) {
        id.clone_into(&mut model.model_id);
    }
    Some(model)
}

struct Planner<'a> {
    config: &'a Config,
    environment: &'a Environment,
    mode: Mode,
    guard: Guard,
}

impl<'a> Planner<'a> {
    fn new(config: &'a Config, environment: &'a Environment) -> Result<Self, Advice> {
        let mode = mode(config, environment)?;
        Ok(Self { config, environment, mode, guard: guard(config, environment) })
    }

    fn model(&self, role: Role) -> Option<RoleModel> {
        configured(self.config, self.environment, role)
    }

    /// Who answers for one model of the configuration.
    fn routes(&self, model: &RoleModel) -> Vec<Route> {
        if model.provider == EMBEDDED {
            let id = Some(model.model_id.clone());
            return vec![Route::Embedded { model: id, instead_of: None }];
        }
        if model.provider == CLIENT {
            return vec![Route::Client];
        }
        let instead = Route::Embedded { model: None, instead_of: Some(name(model)) };
        let Some(server) = self.server(model) else { return vec![instead] };
        let is_allowed = !server.provider.needs_key || server.key.is_some();
        let route = Route::Server(Box::new(server));
        match (route.is_external(), self.mode) {
            (false, _) => vec![route],
            (true, Mode::Hybrid) if is_allowed => vec![instead, route],
            (true, Mode::External) if is_allowed => vec![route],
            (true, _) => vec![instead],
        }
    }

    /// The routes of a role's model with its other addresses, which share its work.
    fn shared(&self, role: Role, model: &RoleModel, mut routes: Vec<Route>) -> Vec<Route> {
        let (addresses, limit) = self.config.shared_work(role);
        let limit = limit.and_then(|it| it.try_into().ok());
        let context_window = self.config.context_window(role).and_then(|it| it.try_into().ok());
        for route in &mut routes {
            if let Route::Server(server) = route {
                (server.limit, server.context_window) = (limit, context_window);
            }
        }
        for address in addresses {
            let model = RoleModel { base_url: Some(address), ..model.clone() };
            for route in self.routes(&model) {
                if let Route::Server(server) = route {
                    let server = ServerRoute { limit, context_window, is_copy: true, ..*server };
                    routes.push(Route::Server(Box::new(server)));
                }
            }
        }
        routes
    }

    /// The server of a model, when its provider has one that we can talk to.
    fn server(&self, model: &RoleModel) -> Option<ServerRoute> {
        let provider = provider::find(&model.provider)?;
        let url = provider.base_url(&self.url(model, provider)?);
        let key = self.environment.variable(provider.key_variable).map(str::to_owned);
        Some(ServerRoute {
            is_external: self.guard.check(&url).is_err(),
            provider,
            url,
            model: model.model_id.clone(),
            key,
            temperature: model.temperature,
            max_tokens: model.max_tokens,
            context_window: None,
            limit: None,
            is_copy: false,
        })
    }

    /// The role's own, then the environment's, then the project's, then the usual one.
    fn url(&self, model: &RoleModel, provider: &Provider) -> Option<String> {
        let upper = provider.name.to_ascii_uppercase();
        let variables =
            [format!("{upper}_BASE_URL"), format!("{}_BASE_URL", upper.replace('-', "_"))];
        let from_environment = || variables.iter().find_map(|it| self.environment.variable(it));
        let from_project = || match provider.name {
            "ollama" => Some(self.config.globals().ollama_base_url).filter(|it| !it.is_empty()),
            "azure" => self.config.get("global", "azureBaseURL")?.as_str().map(str::to_owned),
            _ => None,
        };
        model
            .base_url
            .clone()
            .or_else(|| from_environment().map(str::to_owned))
            .or_else(from_project)
            .or_else(|| provider.default_url.map(str::to_owned))
    }
}

/// Whether another server of the project has a model of the same name.
pub(super) fn is_namesake(config: &Config, environment: &Environment, route: &ServerRoute) -> bool {
    let all = Role::ALL.into_iter().filter_map(|it| routes(config, environment, it).ok()).flatten();
    let mut servers = all.filter_map(|it| match it {
        Route::Server(server) => Some(server),
        Route::Embedded { .. } | Route::Client => None,
    });
    servers.any(|it| it.model == route.model && it.url != route.url)
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::LocalOnly => "local-only",
            Self::Hybrid => "hybrid",
            Self::External => "external",
        }
    }
}

impl Route {
    fn is_external(&self) -> bool {
        match self {
            Self::Embedded { .. } | Self::Client => false,
            Self::Server(server) => server.is_external,
        }
    }

    /// What the model calls itself, where the route knows it.
    pub(super) fn model_or(&self, name: &str) -> String {
        match self {
            Self::Embedded { .. } | Self::Client => name.to_owned(),
            Self::Server(server) => server.model.clone(),
        }
    }

    /// Whether asking the other one as well would be asking the same one twice.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Embedded { model, .. }, Self::Embedded { model: other, .. }) => model == other,
            (Self::Server(server), Self::Server(other)) => {
                server.url == other.url && server.model == other.model
            }
            (Self::Client, Self::Client) => true,
            (Self::Embedded { .. } | Self::Client | Self::Server(_), _) => false,
        }
    }
}

fn name(model: &RoleModel) -> String {
    format!("{}/{}", model.provider, model.model_id)
}

#[cfg(test)]
mod tests;
