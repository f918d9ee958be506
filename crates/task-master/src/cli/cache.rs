//! `cache`: the answers that the gateway keeps, to be seen and to be forgotten.

use serde::Serialize;
use tm_llm::cache::{FileStore, Stats, StoreError};

use crate::{
    app::App,
    report::{Report, advice},
};

/// See or forget the answers that the gateway keeps
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Action {
    /// Say how many answers there are, how large and how old
    Stats,
    /// Forget all of them
    Clear,
}

#[derive(Debug, Serialize)]
struct Shown {
    directory: String,
    #[serde(flatten)]
    stats: Stats,
}

#[derive(Debug, Serialize)]
struct Cleared {
    cleared: u64,
}

/// Runs `cache`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let directory = app.environment.answers_dir();
    let store = FileStore::open(directory.clone()).map_err(told)?;
    match args.action {
        Action::Stats => {
            let stats = store.stats().map_err(told)?;
            let directory = directory.display().to_string();
            if args.json {
                report.json(&Shown { directory, stats });
                return Ok(());
            }
            let Stats { answers, bytes, age_s } = stats;
            let kib = bytes.div_ceil(1024);
            report.line(format!("{answers} answers, {kib} KiB, in {directory}").as_str());
            if answers > 0 {
                report.line(format!("the oldest is {} minutes old", age_s / 60).as_str());
            }
        }
        Action::Clear => {
            let cleared = store.clear().map_err(told)?;
            if args.json {
                report.json(&Cleared { cleared });
                return Ok(());
            }
            report.done(format!("{cleared} answers were forgotten").as_str());
        }
    }
    Ok(())
}

/// What to do about a cache that cannot be used.
pub(super) fn told(error: StoreError) -> anyhow::Error {
    let message = error.to_string();
    let hint = "see who owns the directory, or name another one with XDG_CACHE_HOME";
    anyhow::Error::new(error).context(advice(message, hint))
}
