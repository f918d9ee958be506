//! `cache`: the answers that the gateway keeps, to be seen and to be forgotten.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tm_llm::cache::{FileStore, RedisStore, Stats, Store, StoreError, Which};

use crate::{
    app::{App, Workspace},
    backend,
    report::{Report, advice, progress_line},
};

/// See or forget the answers that the gateway keeps
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,

    /// Look into this Redis server, not at the disk
    #[arg(long, global = true, value_name = "URL")]
    redis: Option<String>,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Say how many answers there are, how large and how old
    Stats,
    /// Forget them: all, or those to which all that you say applies
    Clear {
        /// Those of this model, as `x-backend` names it
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
}

#[derive(Debug, Serialize)]
struct Cleared {
    cleared: u64,
}

/// Runs `cache`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let store = store(args.redis.as_deref(), &workspace)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.action {
        Action::Stats => {
            let stats = runtime.block_on(store.stats()).map_err(told)?;
            let place = store.place();
            if args.json {
                report.json(&Shown { place, stats });
                return Ok(());
            }
            let Stats { answers, bytes, age_s } = stats;
            let kib = bytes.div_ceil(1024);
            report.line(format!("{answers} answers, {kib} KiB, in {place}").as_str());
            if answers > 0 {
                report.line(format!("the oldest is {} minutes old", age_s / 60).as_str());
            }
        }
        Action::Clear { model, older_than_s } => {
            let older_than = older_than_s.map(Duration::from_secs);
            let which = Which { older_than, by: model.clone() };
            let cleared = runtime.block_on(store.clear(which)).map_err(told)?;
            if args.json {
                report.json(&Cleared { cleared });
                return Ok(());
            }
            report.done(format!("{cleared} answers were forgotten").as_str());
        }
    }
    Ok(())
}

/// Where answers are kept: in the Redis server that is named, here or in the environment, or on
/// the disk.
pub(super) fn store(redis: Option<&str>, workspace: &Workspace) -> anyhow::Result<Store> {
    let environment = &workspace.environment;
    let Some(url) = redis.or(environment.redis_url()) else {
        return Ok(FileStore::open(environment.answers_dir()).map_err(told)?.into());
    };
    let on_change = |trouble: Option<&StoreError>| {
        progress_line(&match trouble {
            Some(error) => format!("warning: {error}; answers are neither looked up nor kept"),
            None => "note: the Redis server answers again".to_owned(),
        });
    };
    let guard = backend::guard(workspace);
    let on_blocked = backend::on_blocked(workspace);
    let store = RedisStore::open(url, guard, on_blocked, Arc::new(on_change));
    Ok(store.map_err(told)?.into())
}

/// What to do about a cache that cannot be used.
pub(super) fn told(error: StoreError) -> anyhow::Error {
    let hint = match &error {
        StoreError::Directory { .. } => {
            "see who owns the directory, or name another one with XDG_CACHE_HOME"
        }
        StoreError::NoAddress { .. } => {
            "write it as redis://HOST:PORT/DATABASE, with USER:PASSWORD@ before the host if it \
             asks for them"
        }
        StoreError::NotLocal { .. } => {
            "if the host is yours, list it in TASKMASTER_LOCAL_HOSTS; nothing was sent"
        }
        StoreError::Redis { .. } => "start it, or see what it logs",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
