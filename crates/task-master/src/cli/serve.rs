//! `serve`: the gateway, until it is stopped.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tm_llm::{
    backend::Backend as _,
    cache::{Cache, RedisStore, Store},
    failover::Failover,
    fleet::{Fleet, server::Server},
};
use tm_tasks::config::Role;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{cache, keys};
use crate::{
    app::{App, Workspace},
    backend::{self, Choice, Keeping, Kept},
    http::{
        gateway::{self, Answers, Follower, Gateway, Players, Sources},
        keys::{KeyRing, KeyStore},
        otlp::{self, Exporter},
        serve::{Protection, ServeError, encryption, listen, serve},
    },
    interruption::told_to_stop,
    knowledge::embedding,
    report::{
        Advice, Report, advice,
        text::{DIM, Text},
    },
    rollout::Trials,
    trace::{Copies, Log},
};

/// What goes on in the background when the server ends has this long.
const GRACE: Duration = Duration::from_secs(2);

/// After this the start is over, and what has run once will not run again soon.
#[cfg(target_os = "linux")]
const START: Duration = Duration::from_millis(500);

/// Serve the local models as OpenAI, Anthropic, Perplexity and Ollama would
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; for other machines there must be keys and TLS
    #[arg(long, short, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8484")]
    listen: SocketAddr,

    /// Seconds after which a request that has no answer gets none
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    timeout_s: u64,

    /// Keep answers, and give them again to equal requests for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    cache_s: u64,

    /// Share limits, trials, kept answers and which models rest with the other gateways that name
    /// this Redis server (redis://HOST:PORT/DATABASE)
    #[arg(long, value_name = "URL")]
    redis: Option<String>,

    /// Ask programs of this machine for a key as well; see `task-master keys`
    #[arg(long)]
    require_key: bool,

    /// Encrypt with this chain of certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Serve other machines without encryption, where somebody else sees to it
    #[arg(long, conflicts_with = "tls_cert")]
    insecure_http: bool,
}

/// Runs `serve`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let mut workspace = app.open(None, report)?;
    let kept = Arc::new(Kept::new(&workspace.environment)?);
    workspace.kept = Some(Keeping { kept: Arc::clone(&kept), is_lasting: true });
    let encryption = encrypted(args).map_err(explain)?;
    let has_keys = !keys(&workspace).list().map_err(keys::told)?.is_empty();
    if args.require_key && !has_keys {
        return Err(no_keys("there is no key to ask for").into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let protection =
            Protection { has_keys, has_tls: encryption.is_some(), is_insecure: args.insecure_http };
        // The address first: a model takes seconds.
        let listener = listen(args.listen, protection).await.map_err(explain)?;
        let address = listener.local_addr()?;
        let exporter = exporter(&workspace, report)?;
        let records = exporter.as_ref().map(Exporter::records);
        let redis = redis(args, &workspace, report).await?;
        let (gateway, model) = gateway(args, &workspace, (records, redis.clone()), report).await?;
        let gateway = Arc::new(gateway.with_kept(Arc::clone(&kept)));
        let background = gateway.background();
        let served = CancellationToken::new();
        let ended = served.clone();
        let giving_back = rest().then(async move |()| kept.give_back().await);
        background.spawn(async move { ended.run_until_cancelled(giving_back).await });
        if let Some(redis) = redis {
            let follower = Follower::new(Fleet::new(redis), &gateway);
            background.spawn(follower.run(served.clone()));
        }
        if let Some(exporter) = exporter {
            let measured = Arc::clone(&gateway);
            let measure = move || measured.measured().unwrap_or_default();
            background.spawn(exporter.run(measure, served.clone()));
        }
        let router = gateway::router(gateway);
        let scheme = if encryption.is_some() { "https" } else { "http" };
        let told = told_to_stop();
        welcome(&format!("{scheme}://{address}"), &model, report);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let ended = tokio::join!(serve(listener, encryption, router, stop), async move {
            told.await;
            stopping.cancel();
        });
        served.cancel();
        background.close();
        // What is compared for the record alone need not be.
        drop(tokio::time::timeout(GRACE, background.wait()).await);
        ended.0.map_err(explain)
    })
}

/// Gives back what the start alone needed, when it is over.
#[cfg(target_os = "linux")]
async fn rest() {
    tokio::time::sleep(START).await;
    crate::resident::give_back_code();
}

#[cfg(not(target_os = "linux"))]
fn rest() -> impl Future<Output = ()> {
    std::future::ready(())
}

/// As many as take half of the cores: the models need the others, and threads that wake each other
/// for a request do more work for it than one that does all of it.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |it| (it.get() / 2).max(1))
}

/// The `maxTokens` of each role.
fn answer_tokens(workspace: &Workspace) -> [u32; 3] {
    Role::ALL.map(|role| {
        let most = workspace.config.model(role).and_then(|it| it.max_tokens);
        most.and_then(|it| it.try_into().ok()).unwrap_or(u32::MAX)
    })
}

/// The gateway of a project, with its main model loaded, and what that is called.
async fn gateway(
    args: &Args,
    workspace: &Workspace,
    (records, redis): (Option<Arc<Copies>>, Option<Server>),
    report: &mut Report,
) -> anyhow::Result<(Gateway, String)> {
    let store: Option<Store> = match &redis {
        _ if args.cache_s == 0 => None,
        Some(server) => Some(RedisStore::new(server.clone()).into()),
        None => Some(cache::files(workspace)?),
    };
    let choices = backend::for_all_roles(workspace, report)?;
    let names = backend::names(workspace, &choices)?;
    let identities = choices.each_ref().map(|it| it.identity.clone());
    let [main, research, fallback] = choices;
    report.note(&format!("loading {}", main.id));
    let (main, model) = opened(main, report).await?;
    let (research, fallback) = (research.open_when_asked(), fallback.open_when_asked());
    let players =
        Players::new([main, research, fallback]).with_answer_tokens(answer_tokens(workspace));
    let mut gateway = Gateway::new(players, names, Duration::from_secs(args.timeout_s))
        .with_trace(log(workspace, records));
    let embedding = embedding(workspace)?;
    let project = &workspace.project;
    if project.exists() {
        let sources = Sources::new(project.root().to_owned(), project.knowledge_file());
        gateway =
            gateway.with_sources(sources.with_model(embedding.as_ref().map(|it| it.0.clone())));
    }
    if project.exists() {
        gateway = gateway.with_rollout(Trials::of_project(project.root()));
    }
    if let Some(store) = store {
        let made_by = embedding.as_ref().map(|it| it.0.embedder.identity.clone());
        let embedder = made_by.or_else(|| identities[0].clone());
        let cache = Cache::new(store, Duration::from_secs(args.cache_s));
        gateway = gateway.with_answers(Answers::new(cache, identities).with_embedder(embedder));
    }
    if args.require_key || !args.listen.ip().to_canonical().is_loopback() {
        let ring = KeyRing::new(keys(workspace)).with_fleet(redis.map(Fleet::new));
        gateway = gateway.with_keys(ring);
    }
    let reranker = match backend::for_reranking(workspace) {
        Ok(reranker) => reranker.map(Choice::open_when_asked),
        // Only those who want texts put in order miss it, and they are told.
        Err(error) => {
            report.warn(&format!("texts are not put in order: {error}"));
            None
        }
    };
    gateway = gateway.with_reranker(reranker);
    if let Some((_, embedder)) = embedding {
        gateway = gateway.with_embedder(embedder);
    }
    Ok((gateway, model))
}

/// The main model, and what it is called. A server that is not there yet may come later.
async fn opened(main: Choice, report: &mut Report) -> anyhow::Result<(Arc<Failover>, String)> {
    let id = main.id.clone();
    match main.try_open().await {
        (main, Ok(())) => {
            let model = main.info().model.clone();
            Ok((main, model))
        }
        (main, Err(error)) if error.is_transient() => {
            report.warn(&format!("requests are refused until it answers: {error}"));
            Ok((main, id))
        }
        (_, Err(error)) => Err(backend::unusable(&id, error)),
    }
}

fn log(workspace: &Workspace, records: Option<Arc<Copies>>) -> Log {
    let log = Log::in_dir(&workspace.environment.state_dir);
    match records {
        Some(records) => log.with_copies(records),
        None => log,
    }
}

/// Sends what is measured to the collector that the environment names. One that must not be
/// reached is meant for other programs, perhaps: it keeps nobody from serving.
fn exporter(workspace: &Workspace, report: &mut Report) -> anyhow::Result<Option<Exporter>> {
    let Some(settings) = otlp::Settings::read(&workspace.environment)? else { return Ok(None) };
    let guard = backend::guard(workspace);
    match Exporter::open(settings, &guard, &backend::on_blocked(workspace)) {
        Ok(exporter) => Ok(Some(exporter)),
        Err(error) => {
            report.warn(&format!("measurements are not sent: {error}"));
            Ok(None)
        }
    }
}

fn keys(workspace: &Workspace) -> KeyStore {
    KeyStore::new(workspace.environment.keys_dir())
}

fn encrypted(args: &Args) -> Result<Option<TlsAcceptor>, ServeError> {
    let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else { return Ok(None) };
    encryption(certificate, key).map(Some)
}

/// What is shared with other gateways. A server that is not there may come later.
async fn redis(
    args: &Args,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Option<Server>> {
    let server = cache::server(args.redis.as_deref(), workspace)?;
    if let Some(server) = &server
        && let Err(error) = server.ping().await
    {
        report.warn(&format!("{error}; nothing is shared or kept until it answers"));
    }
    Ok(server)
}

fn welcome(url: &str, model: &str, report: &mut Report) {
    report.line(format!("{model} answers at {url}").as_str());
    for (protocol, setting) in [
        ("OpenAI", format!("OPENAI_BASE_URL={url}/v1")),
        ("Anthropic", format!("ANTHROPIC_BASE_URL={url}")),
        ("Ollama", format!("OLLAMA_HOST={url}")),
    ] {
        report.line(Text::styled(DIM, &format!("  {protocol:<10}")).and(DIM, &setting));
    }
    report.flush();
}

fn no_keys(message: &str) -> Advice {
    advice(message, "make one with `task-master keys add NAME`")
}

fn explain(error: ServeError) -> anyhow::Error {
    let hint = match &error {
        ServeError::Listen { .. } => "another program has the port: name another with --listen",
        ServeError::NoKeys { .. } => return no_keys(&error.to_string()).into(),
        ServeError::NoTls { .. } => {
            "name a certificate with --tls-cert and --tls-key, or say --insecure-http where \
             somebody else encrypts"
        }
        ServeError::Pem { .. } | ServeError::Tls(_) => {
            "name PEM files: a chain of certificates, and the private key of the first"
        }
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
