//! `cache`: the answers that the gateway keeps and the prompts that models here have read, to be
//! seen and to be forgotten.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;
use tm_llm::{
    cache::{FileStore, RedisStore, Stats, Store, StoreError, Which},
    fleet::server::{Address, Server, ServerError},
};

use crate::{
    app::{App, Workspace},
    backend, prefixes,
    report::{Report, advice, progress_line},
};

/// See or forget answers that the gateway keeps and prompts that were read
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,

    /// Look for answers in this Redis server, not on the disk, and leave prompts alone
    #[arg(long, global = true, value_name = "URL")]
    redis: Option<String>,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Say how many there are, how large and how old
    Stats,
    /// Forget them: all, or those to which all that you say applies
    Clear {
        /// Answers of this model, as `x-backend` names it
        #[arg(long, value_name = "NAME")]
        model: Option<String>,

        /// Those that are older
        #[arg(long, value_name = "SECONDS")]
        older_than_s: Option<u64>,
    },
}

#[derive(Debug, Serialize)]
struct Shown {
    /// A directory, or the address of a Redis server.
    place: String,
    #[serde(flatten)]
    stats: Stats,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<prefixes::Stats>,
}

#[derive(Debug, Serialize)]
struct Cleared {
    /// Answers.
    cleared: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<u64>,
}

/// Runs `cache`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let store = store(args.redis.as_deref(), &workspace)?;
    let prompts = args.redis.is_none().then(|| workspace.environment.prefixes_dir());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.action {
        Action::Stats => {
            let stats = runtime.block_on(store.stats()).map_err(told)?;
            let prompts = match prompts {
                Some(folder) => Some((prefixes::stats(&folder)?, folder)),
                None => None,
            };
            show(args, (stats, store.place()), prompts, report);
        }
        Action::Clear { model, older_than_s } => {
            let older_than = older_than_s.map(Duration::from_secs);
            // Prompts are not known by the model's name.
            let prompts = prompts.filter(|_| model.is_none());
            let which = Which { older_than, by: model.clone() };
            let cleared = runtime.block_on(store.clear(which)).map_err(told)?;
            let prompts = prompts.map(|it| prefixes::clear(&it, older_than)).transpose()?;
            if args.json {
                report.json(&Cleared { cleared, prompts });
                return Ok(());
            }
            report.done(format!("{cleared} answers were forgotten").as_str());
            if let Some(prompts) = prompts {
                report.done(format!("{prompts} prompts were forgotten").as_str());
            }
        }
    }
    Ok(())
}

fn show(
    args: &Args,
    (stats, place): (Stats, String),
    prompts: Option<(prefixes::Stats, PathBuf)>,
    report: &mut Report,
) {
    if args.json {
        report.json(&Shown { place, stats, prompts: prompts.map(|it| it.0) });
        return;
    }
    let kib = |bytes: u64| bytes.div_ceil(1024);
    let Stats { answers, bytes, age_s } = stats;
    report.line(format!("{answers} answers, {} KiB, in {place}", kib(bytes)).as_str());
    if answers > 0 {
        report.line(format!("the oldest is {} minutes old", age_s / 60).as_str());
    }
    let Some((prefixes::Stats { files, bytes, age_s }, path)) = prompts else { return };
    let place = path.display();
    report.line(format!("{files} prompts that were read, {} KiB, in {place}", kib(bytes)).as_str());
    if files > 0 {
        report.line(format!("one of them was not used for {} minutes", age_s / 60).as_str());
    }
}

/// Where answers are kept: in the Redis server that is named, here or in the environment, or on
/// the disk.
pub(super) fn store(redis: Option<&str>, workspace: &Workspace) -> anyhow::Result<Store> {
    match server(redis, workspace)? {
        Some(server) => Ok(RedisStore::new(server).into()),
        None => files(workspace),
    }
}

/// Answers on the disk.
pub(super) fn files(workspace: &Workspace) -> anyhow::Result<Store> {
    Ok(FileStore::open(workspace.environment.answers_dir()).map_err(told)?.into())
}

/// The Redis server that is named, here or in the environment.
pub(super) fn server(redis: Option<&str>, workspace: &Workspace) -> anyhow::Result<Option<Server>> {
    let Some(url) = redis.or(workspace.environment.redis_url()) else { return Ok(None) };
    let on_change = |trouble: Option<&ServerError>| {
        progress_line(&match trouble {
            Some(error) => format!("warning: {error}; nothing is shared or kept there"),
            None => "note: the Redis server answers again".to_owned(),
        });
    };
    let address = Address {
        url,
        guard: backend::guard(workspace),
        on_blocked: backend::on_blocked(workspace),
        certificates: &backend::certificates(workspace),
    };
    Server::open(address, Arc::new(on_change)).map(Some).map_err(|it| told(it.into()))
}

/// What to do about a cache that cannot be used.
pub(super) fn told(error: StoreError) -> anyhow::Error {
    let hint = match &error {
        StoreError::Directory { .. } => {
            "see who owns the directory, or name another one with XDG_CACHE_HOME"
        }
        StoreError::Redis(ServerError::NoAddress { .. }) => {
            "write it as redis://HOST:PORT/DATABASE, or rediss:// for TLS, with USER:PASSWORD@ \
             before the host if it asks for them"
        }
        StoreError::Redis(ServerError::NotLocal { .. }) => {
            "if the host is yours, list it in TASKMASTER_LOCAL_HOSTS; nothing was sent"
        }
        StoreError::Redis(ServerError::Egress(_)) => "see SSL_CERT_FILE and NODE_EXTRA_CA_CERTS",
        StoreError::Redis(ServerError::Unusable { .. } | ServerError::Resting { .. }) => {
            "start it, or see what it logs"
        }
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
