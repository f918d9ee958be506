//! The server that editors and agents talk to: the Model Context Protocol, over standard input
//! and output or over HTTP.
//!
//! Knows how calls come in and how answers go out; what the tools do is known to the functions
//! that the command line calls, too. Each call opens the project anew, so that nothing is
//! remembered that a file says otherwise. Start at [`serve`], then `server` for a call's way, and
//! `tools` for what there is.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use rmcp::{
    ServiceExt,
    service::ServerInitializeError,
    transport::{
        io::stdio_pipes,
        streamable_http_server::{
            StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
        },
    },
};
use tokio_util::sync::CancellationToken;

use self::{registry::Selection, server::Server};
use crate::{backend::Kept, config::Environment, interruption::told_to_stop};

mod call;
mod envelope;
mod parameter;
mod progress;
mod registry;
mod root;
mod sampling;
mod server;
mod tools;

/// How long work that does not heed a stop may go on.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until the client goes away or the process is asked to stop.
pub fn serve(http: Option<SocketAddr>, environment: Environment) -> anyhow::Result<()> {
    let selection = Arc::new(Selection::new(environment.variable("TASK_MASTER_TOOLS")));
    let kept = Arc::new(Kept::new(&environment)?);
    let keeping = Arc::clone(&kept);
    let server =
        move || Server::new(environment.clone(), Arc::clone(&selection), Arc::clone(&keeping));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the server")?;
    let stop = CancellationToken::new();
    let served = runtime.block_on(async {
        let asked_to_stop = told_to_stop();
        let serving = async {
            match http {
                None => over_stdio(server(), stop.clone()).await,
                Some(address) => over_http(server, address, stop.clone()).await,
            }
        };
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => served,
            never = kept.give_back() => match never {},
            () = asked_to_stop => {
                stop.cancel();
                serving.await
            }
        }
    });
    runtime.shutdown_timeout(GRACE);
    served
}

async fn over_stdio(server: Server, stop: CancellationToken) -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    crate::resident::give_back_code();
    match server.serve_with_ct(stdio_pipes(), stop).await {
        Ok(running) => {
            running.waiting().await.context("the server broke down")?;
            Ok(())
        }
        // A client that goes away without a word has its reasons.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            Ok(())
        }
        Err(error) => Err(error).context("the client did not introduce itself"),
    }
}

async fn over_http(
    server: impl Fn() -> Server + Send + Sync + 'static,
    address: SocketAddr,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut config = StreamableHttpServerConfig::default();
    config.cancellation_token = stop.child_token();
    let service = StreamableHttpService::new(
        move || Ok(server()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let router = axum::Router::new().nest_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr().context("cannot tell where the server listens")?;
    #[cfg(target_os = "linux")]
    crate::resident::give_back_code();
    crate::report::progress_line(&format!("listening on http://{address}/mcp"));
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("the server broke down")
}
