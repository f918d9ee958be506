//! Which model answers: from a project's settings to a loaded backend.
//!
//! Workflows ask for a role and get a backend; which model it is, where it runs and who stands in
//! for it is decided here. Start at [`for_role`].

use std::{path::PathBuf, sync::Arc};

use tm_llm::{
    backend::{
        Backend, BackendError,
        remote::{self, Key, Patience, RemoteBackend, Server},
    },
    egress::{
        NetworkConfig,
        guard::{Guard, OnBlocked},
        patient_client, without_secrets,
    },
    failover::{Candidate, Failover, Open, Setout, Switch},
    rollout::Arm,
};
use tm_tasks::config::Role;

use self::{
    audit::Audit,
    endpoints::Endpoint,
    kept::Work,
    names::Names,
    routes::{Route, ServerRoute},
};
use crate::{
    app::Workspace,
    config::Environment,
    report::{Advice, Report, advice, progress_line},
    rollout::commands::{self, OnTrial},
    trace::{self, Caller, Hear, Log},
};
pub use beside::{for_embeddings, for_reranking};
pub use embedded::Tuning;
pub use hints::{hint, unusable};
pub use kept::{InMemory, Keeping, Kept};
pub use ladder::{escalation, memory_mib};
pub use routes::endpoints;
pub use shadow::{Comparison, Shadow};

pub mod audit;
mod beside;
mod embedded;
mod hints;
mod kept;
mod ladder;
pub mod names;
mod routes;
mod shadow;
pub mod telemetry;

/// The provider's name in `config.json` for models that run in this process.
pub const EMBEDDED: &str = "embedded";

/// The provider's name for the model that an MCP client lends, and what that is called.
pub const CLIENT: &str = "mcp";
pub const CLIENT_MODEL: &str = "mcp-sampling";

/// The models for a role, found but not loaded.
pub struct Choice {
    /// What the most wanted one is called: its name, or its path.
    pub id: String,
    /// The same without where it is.
    pub model: String,
    /// What tells it from others of that name; none where nobody can tell.
    pub identity: Option<String>,
    candidates: Vec<Candidate>,
    /// Keeps what becomes of each request.
    setout: Setout,
    /// The role's own servers that are not asked because they are elsewhere.
    kept_from: Vec<Endpoint>,
    audit: Audit,
}

/// The model that plays `role` in this project, found but not loaded; [`Choice::open`] does that.
///
/// It is told when another model answers than the one the project names, and when the models of
/// another role are on trial for the command.
pub fn for_role(workspace: &Workspace, role: Role, report: &mut Report) -> anyhow::Result<Choice> {
    let mut finder = Finder::new(workspace);
    let root = workspace.project.root();
    match commands::choose(root, &workspace.environment.state_dir, &workspace.caller) {
        Ok(None) => finder.role(role, report),
        // They would be compared with themselves.
        Ok(Some(it)) if it.is_shadow && it.candidate == role => finder.role(role, report),
        Ok(Some(OnTrial { candidate, is_shadow: true, .. })) => {
            finder.role_beside((role, candidate), report)
        }
        Ok(Some(OnTrial { command, candidate, percent, arm, .. })) => {
            finder.arm = Some(arm);
            if arm == Arm::Incumbent || candidate == role {
                return finder.role(role, report);
            }
            let candidate_name = candidate.as_str();
            report.note(&format!(
                "{command} is on trial: the models of {candidate_name} answer {percent} % of it"
            ));
            finder.role(candidate, report)
        }
        Err(error) => {
            report.warn(&format!("trials are not followed: {error}"));
            finder.role(role, report)
        }
    }
}

/// The models of all roles, in the order of [`Role::ALL`]: one that plays several is loaded once.
pub fn for_all_roles(workspace: &Workspace, report: &mut Report) -> anyhow::Result<[Choice; 3]> {
    let mut finder = Finder::new(workspace);
    let [main, research, fallback] = Role::ALL;
    Ok([finder.role(main, report)?, finder.role(research, report)?, finder.role(fallback, report)?])
}

/// What clients may call the models of these roles, which are in the order of [`Role::ALL`].
pub fn names(workspace: &Workspace, choices: &[Choice; 3]) -> anyhow::Result<Names> {
    let players = Role::ALL.into_iter().zip(choices).map(|(role, it)| (role, it.model.clone()));
    let players: Vec<(Role, String)> = players.collect();
    Ok(Names::new(&workspace.config, &workspace.environment, &players)?)
}

/// Finds models, each once.
struct Finder<'a> {
    workspace: &'a Workspace,
    guard: Guard,
    log: Arc<Log>,
    audit: Audit,
    found: Vec<(Route, Candidate)>,
    /// Who answers, where the command has models on trial.
    arm: Option<Arm>,
    hear: Option<Hear>,
    lent_model: Option<Arc<dyn Backend>>,
}

impl<'a> Finder<'a> {
    fn new(workspace: &'a Workspace) -> Self {
        let log = Arc::new(Log::in_dir(&workspace.environment.state_dir));
        let (guard, audit) = (guard(workspace), audit(workspace));
        let (found, lent_model) = (Vec::new(), workspace.lent_model.clone());
        Self { workspace, guard, log, audit, found, arm: None, hear: None, lent_model }
    }

    fn role(&mut self, role: Role, report: &mut Report) -> anyhow::Result<Choice> {
        let (choice, told) = self.find(role)?;
        if let Some(told) = told {
            report.note(&told);
        }
        Ok(choice)
    }

    /// The models, and what the user is told when they answer.
    fn find(&mut self, role: Role) -> anyhow::Result<(Choice, Option<String>)> {
        let (mut candidates, mut told): (Vec<Candidate>, _) = (Vec::new(), None);
        let (mut missing, mut rank, mut first_route) = (None, 0, None);
        let Workspace { config, environment, .. } = self.workspace;
        for route in routes::routes(config, environment, role)? {
            let candidate = match self.candidate(&route) {
                Ok(candidate) => candidate,
                Err(error) if !matches!(route, Route::Server(_)) => {
                    missing.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if candidates.is_empty() {
                told = note(&route, candidate.name(), missing.is_some());
            }
            let shares = matches!(&route, Route::Server(it) if it.is_copy);
            rank += u32::from(!shares && !candidates.is_empty());
            candidates.push(candidate.with_rank(rank));
            first_route.get_or_insert(route);
        }
        let (Some(first), Some(route)) = (candidates.first(), first_route) else {
            return Err(missing.unwrap_or_else(|| anyhow::Error::msg("there is no model")));
        };
        let id = first.name().to_owned();
        let (model, identity) = (route.model_or(&id), self.identity(&route));
        let kept_from = endpoints::reach(config, environment)?.kept_from(role);
        let (setout, audit) = (self.setout(Some(role.as_str())), self.audit.clone());
        Ok((Choice { id, model, identity, candidates, setout, kept_from, audit }, told))
    }

    fn setout(&self, role: Option<&'static str>) -> Setout {
        let caller = Caller { arm: self.arm, ..self.workspace.caller.clone() };
        trace::each(Arc::clone(&self.log), caller, role, self.hear.clone())
    }

    /// What tells the model from others of its name.
    fn identity(&self, route: &Route) -> Option<String> {
        match route {
            Route::Embedded { model, .. } => {
                let found = embedded::find(&self.workspace.environment, model.as_deref());
                found.ok().map(|it| it.identity)
            }
            // Whoever lends a model may lend another one next time.
            Route::Client => None,
            Route::Server(it) => Some(format!(
                "{} {} {} {:?} {:?}",
                it.provider.name, it.url, it.model, it.temperature, it.max_tokens
            )),
        }
    }

    fn candidate(&mut self, route: &Route) -> anyhow::Result<Candidate> {
        if let Some((_, known)) = self.found.iter().find(|(it, _)| it.is_same(route)) {
            return Ok(known.clone());
        }
        let candidate = match route {
            Route::Embedded { model, .. } => {
                let found = embedded::find(&self.workspace.environment, model.as_deref())?;
                local(self.workspace, found, Work::Answers)
            }
            Route::Client => {
                let model = self.lent_model.as_ref().ok_or_else(nobody_lends)?;
                Candidate::opened(Arc::clone(model))
            }
            Route::Server(route) => served(route, &self.guard, self.workspace)?,
        };
        self.found.push((route.clone(), candidate.clone()));
        Ok(candidate)
    }
}

/// What is told when another model answers than the one the project names.
fn note(route: &Route, name: &str, is_instead: bool) -> Option<String> {
    match route {
        Route::Embedded { instead_of, .. } => {
            instead_of.as_ref().map(|it| format!("{name} answers here in place of {it}"))
        }
        Route::Client => None,
        Route::Server(route) => {
            (name != route.model || is_instead).then(|| format!("{name} is asked"))
        }
    }
}

/// A model of this process and how it is found again: `asked` is its id or its file, the default
/// one without it.
pub fn in_process(environment: &Environment, asked: Option<&str>) -> anyhow::Result<InProcess> {
    Ok(InProcess { found: embedded::find(environment, asked)?.keeping(None) })
}

/// A model file that can be loaded into this process, in different ways.
#[derive(Debug, Clone)]
pub struct InProcess {
    found: embedded::Found,
}

impl InProcess {
    pub fn id(&self) -> &str {
        &self.found.id
    }

    pub fn identity(&self) -> &str {
        &self.found.identity
    }

    pub fn path(&self) -> &std::path::Path {
        self.found.path()
    }

    /// The same, but what it reads is kept in this folder.
    pub fn keeping(&self, path: &std::path::Path) -> Self {
        Self { found: self.found.clone().keeping(Some(path)) }
    }

    /// As commands run it, or in another way.
    pub async fn load(&self, tuning: Option<Tuning>) -> anyhow::Result<Arc<dyn Backend>> {
        let loaded = match tuning {
            Some(tuning) => embedded::load_tuned(self.found.clone(), tuning).await,
            None => embedded::load(self.found.clone()).await,
        };
        loaded.map_err(|error| {
            let hint = hint(&error);
            let message = format!("the model {} cannot be used", self.found.id);
            anyhow::Error::new(error).context(advice(message, hint))
        })
    }
}

/// Who is asked first for a role, to be shown.
pub fn name(workspace: &Workspace, role: Role) -> anyhow::Result<String> {
    for route in routes::routes(&workspace.config, &workspace.environment, role)? {
        match route {
            Route::Server(server) => return Ok(format!("{} at {}", server.model, server.url)),
            Route::Client => return Ok(CLIENT_MODEL.to_owned()),
            Route::Embedded { model, .. } => {
                if let Ok(found) = embedded::find(&workspace.environment, model.as_deref()) {
                    return Ok(found.id);
                }
            }
        }
    }
    Err(anyhow::Error::msg("there is no model"))
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Choice").field("candidates", &self.candidates).finish_non_exhaustive()
    }
}

impl Choice {
    /// Loads the model, or connects to its server. This takes seconds, so do it when the rest is
    /// in order.
    ///
    /// What the model did is known to [`Failover::spent`] afterwards, and [`telemetry::data`]
    /// makes of it what commands print.
    pub async fn open(self) -> anyhow::Result<Arc<Failover>> {
        let id = self.id.clone();
        let (failover, opened) = self.try_open().await;
        opened.map_err(|error| unusable(&id, error))?;
        Ok(failover)
    }

    /// The same, but where that comes to nothing it is tried again when somebody asks.
    pub async fn try_open(self) -> (Arc<Failover>, Result<(), BackendError>) {
        for Endpoint { provider, url, model, .. } in &self.kept_from {
            self.audit.kept(provider, url.as_deref().unwrap_or_default(), model);
        }
        let failover = self.open_when_asked();
        let opened = failover.prepare().await;
        (failover, opened)
    }

    /// The same, but nothing is loaded or connected to before it is asked.
    pub fn open_when_asked(self) -> Arc<Failover> {
        let failover = Failover::unopened(self.candidates, Arc::new(tell));
        Arc::new(failover.watching_each(self.setout))
    }
}

/// The log of what leaves this machine, for this project.
fn audit(workspace: &Workspace) -> Audit {
    Audit::new(&workspace.environment.state_dir, Some(workspace.project.root()))
}

/// Notes in that log what the guard stops.
pub fn on_blocked(workspace: &Workspace) -> OnBlocked {
    let audit = audit(workspace);
    Arc::new(move |host| audit.blocked(host))
}

/// The hosts that count as this machine in this project.
pub fn guard(workspace: &Workspace) -> Guard {
    routes::guard(&workspace.config, &workspace.environment)
}

/// Where the project's own servers are, without paths; what is not local is left out.
pub fn places(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let routes = routes::routes(&workspace.config, &workspace.environment, Role::Main)?;
    let place = |route: Route| match route {
        Route::Server(server) if !server.is_external => {
            let (scheme, rest) = server.url.split_once("://")?;
            let host = rest.split('/').next()?;
            Some(format!("{scheme}://{host}"))
        }
        Route::Server(_) | Route::Client | Route::Embedded { .. } => None,
    };
    Ok(routes.into_iter().filter_map(place).collect())
}

fn tell(switch: &Switch<'_>) {
    let Switch { from, to, reason } = switch;
    progress_line(&format!("note: {to} is asked in place of {from}, because {reason}"));
}

/// A model of this process: where models are kept, it is taken from there.
fn local(workspace: &Workspace, found: embedded::Found, work: Work) -> Candidate {
    let name = found.id.clone();
    let of_file = found.clone();
    let load: Open = Box::new(move || match work {
        Work::Answers => Box::pin(embedded::load(of_file.clone())),
        Work::Vectors => Box::pin(embedded::load_embedder(of_file.clone())),
    });
    match workspace.kept.clone() {
        Some(keeping) => keeping.candidate(found, work, load),
        None => Candidate::new(name, load, None),
    }
}

/// Outside of a session, or with a client that has no model.
fn nobody_lends() -> Advice {
    advice(
        format!("{CLIENT_MODEL} is the model of an MCP client, and requires a session with one"),
        "ask through a client that can sample, or set another model with \
         `task-master models --set-main`",
    )
}

fn served(route: &ServerRoute, guard: &Guard, workspace: &Workspace) -> anyhow::Result<Candidate> {
    let client = if route.is_external {
        patient_client(&network(workspace))?
    } else {
        guard.client_telling(on_blocked(workspace))?
    };
    let audit = audit(workspace);
    let audit = || Arc::new(move |server: &Server| audit.sent(server)) as remote::Audit;
    let server = Server {
        provider: route.provider,
        url: route.url.clone(),
        model: route.model.clone(),
        key: route.key.as_ref().map(Key::new),
        #[expect(clippy::cast_possible_truncation, reason = "a temperature has few digits")]
        temperature: route.temperature.map(|it| it as f32),
        max_tokens: route.max_tokens.and_then(|it| it.try_into().ok()),
        context_window: route.context_window,
        patience: Patience::default(),
        audit: route.is_external.then(audit),
    };
    let is_elsewhere = Guard::default().check(&route.url).is_err();
    let (config, environment) = (&workspace.config, &workspace.environment);
    let at = if is_elsewhere || route.is_copy || routes::is_namesake(config, environment, route) {
        format!(" at {}", without_secrets(&route.url))
    } else {
        String::new()
    };
    let name = format!("{}{at}", route.model);
    let open = move || {
        let opening = RemoteBackend::open(server.clone(), client.clone());
        Box::pin(async move {
            let backend: Arc<dyn Backend> = Arc::new(opening.await?);
            Ok(backend)
        }) as futures_util::future::BoxFuture<'static, _>
    };
    Ok(Candidate::new(name, Box::new(open), route.limit).with_place(&place(route)))
}

/// The way out, for projects that have switched it on.
fn network(workspace: &Workspace) -> NetworkConfig {
    let environment = &workspace.environment;
    let either = |name: &str| {
        let lower = name.to_ascii_lowercase();
        environment.variable(name).or_else(|| environment.variable(&lower)).map(str::to_owned)
    };
    let is_on = workspace.config.globals().enable_proxy
        || environment.variable("TASKMASTER_ENABLE_PROXY").is_some_and(|it| it == "true");
    let proxy = |name: &str| either(name).or_else(|| either("ALL_PROXY")).filter(|_| is_on);
    NetworkConfig {
        http_proxy: proxy("HTTP_PROXY"),
        https_proxy: proxy("HTTPS_PROXY"),
        no_proxy: either("NO_PROXY"),
        certificates: certificates(workspace),
    }
}

/// Files with certificates that the user trusts.
pub fn certificates(workspace: &Workspace) -> Vec<PathBuf> {
    let named = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
    named.iter().filter_map(|it| workspace.environment.variable(it).map(Into::into)).collect()
}

/// What every gateway that asks this server calls it; what is on this machine is not what has the
/// same address on another one.
fn place(route: &ServerRoute) -> String {
    let machine = match Guard::default().check(&route.url) {
        Ok(()) => sysinfo::System::host_name().unwrap_or_default(),
        Err(_) => String::new(),
    };
    format!("{machine} {} {}", without_secrets(&route.url), route.model)
}
