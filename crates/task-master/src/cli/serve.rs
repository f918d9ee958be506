//! `serve`: the gateway, until it is stopped.

use std::{net::SocketAddr, sync::Arc};

use tm_llm::backend::Backend as _;
use tm_tasks::config::Role;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    backend,
    http::{
        gateway::{self, Gateway},
        serve::{ServeError, listen, serve},
    },
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// Serve the local models as OpenAI, Anthropic and Ollama would
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen
    #[arg(long, short, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8484")]
    listen: SocketAddr,

    /// Seconds after which a request that has no answer gets none
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    timeout_s: u64,
}

/// Runs `serve`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // The address first: a model takes seconds.
        let listener = listen(args.listen).await.map_err(explain)?;
        let address = listener.local_addr()?;
        let choice = backend::for_role(&workspace, Role::Main, report)?;
        report.note(&format!("loading {}", choice.id));
        let backend = choice.open().await?;
        let model = backend.info().model.clone();
        let timeout = std::time::Duration::from_secs(args.timeout_s);
        let mut gateway =
            Gateway::new(backend, timeout).with_knowledge(workspace.project.knowledge_file());
        if let Some(choice) = backend::for_embeddings(&workspace)? {
            gateway = gateway.with_embedder(choice.open_when_asked());
        }
        let router = gateway::router(Arc::new(gateway));
        welcome(address, &model, report);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::join!(serve(listener, router, stop), async move {
            told_to_stop().await;
            stopping.cancel();
        })
        .0
        .map_err(explain)
    })
}

fn welcome(address: SocketAddr, model: &str, report: &mut Report) {
    report.line(format!("{model} answers at http://{address}").as_str());
    for (protocol, setting) in [
        ("OpenAI", format!("OPENAI_BASE_URL=http://{address}/v1")),
        ("Anthropic", format!("ANTHROPIC_BASE_URL=http://{address}")),
        ("Ollama", format!("OLLAMA_HOST=http://{address}")),
    ] {
        report.line(Text::styled(DIM, &format!("  {protocol:<10}")).and(DIM, &setting));
    }
    report.flush();
}

/// Ctrl-c, or what a service manager sends.
async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    drop(interrupted.await);
}

fn explain(error: ServeError) -> anyhow::Error {
    let hint = match &error {
        ServeError::Listen { .. } => "another program has the port: name another with --listen",
        ServeError::Exposed { .. } => {
            "listen on 127.0.0.1, and let a server that asks who is there pass requests on"
        }
        ServeError::Ended(_) => "start it again",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
