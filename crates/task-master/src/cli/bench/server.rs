//! llama.cpp's own server: one that runs, or one that is started for as long as it is measured.

use std::{
    fs, io,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use async_trait::async_trait;
use tm_llm::{
    backend::{
        Backend, BackendError, ChatStream, ModelInfo,
        remote::{RemoteBackend, Server},
    },
    chat::ChatRequest,
    egress::guard::Guard,
    provider,
};

use crate::report::advice;

/// A model of a gigabyte is loaded sooner.
const START: Duration = Duration::from_mins(2);

/// A server that ends with this value.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    pub(super) url: String,
}

/// How it is to run: like the engine beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) model: &'a Path,
    pub(super) threads: u32,
    pub(super) slots: u32,
}

impl Started {
    /// Starts the program with its usual settings, but for those that the engine has, too, and flash
    /// attention, which would slow it down on a processor.
    pub(super) fn start(program: &Path, running: Running<'_>) -> anyhow::Result<Self> {
        let port = free_port().context("there is no free port")?;
        let Running { model, threads, slots } = running;
        let context = 4096 * slots;
        let child = Command::new(program)
            .arg("--model")
            .arg(model)
            .args(["--threads", &threads.to_string(), "--threads-batch", &threads.to_string()])
            .args(["--ctx-size", &context.to_string(), "--parallel", &slots.to_string()])
            .args(["--kv-unified", "--flash-attn", "off", "--host", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                let message = format!("cannot start {}", program.display());
                let hint = "give `--server` the path of llama.cpp's llama-server";
                anyhow::Error::new(error).context(advice(message, hint))
            })?;
        Ok(Self { child, url: format!("http://127.0.0.1:{port}/v1") })
    }

    /// The most memory it has had, in MiB; only Linux tells.
    pub(super) fn memory_mib(&self) -> Option<u64> {
        peak_mib(&self.child.id().to_string())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The peak of a process's memory, in MiB.
pub(super) fn peak_mib(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Connects to a server, as soon as it answers.
pub(super) async fn connect(url: &str, guard: &Guard) -> anyhow::Result<Arc<dyn Backend>> {
    let provider = provider::find("openai-compatible").context("there is no such provider")?;
    let client = guard.client()?;
    let asked = Instant::now();
    loop {
        let server = Server::new(provider, provider.base_url(url), "measured");
        let answered = match RemoteBackend::open(server, client.clone()).await {
            Ok(backend) => {
                let request = crate::speed::about("", "0", "Hello.");
                crate::speed::timed(&backend, request).await.map(|_| backend)
            }
            Err(error) => Err(error),
        };
        match answered {
            Ok(backend) => return Ok(Arc::new(backend)),
            Err(error) if asked.elapsed() > START => {
                let hint = "see that it is llama.cpp's server and has loaded its model";
                let message = format!("the server at {url} does not answer");
                return Err(anyhow::Error::new(error).context(advice(message, hint)));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// A backend that is asked for one task at a time, like the models of this process.
#[derive(Debug)]
pub(super) struct InParts {
    backend: Arc<dyn Backend>,
    info: ModelInfo,
}

impl InParts {
    pub(super) fn new(backend: Arc<dyn Backend>, parallel: u32) -> Self {
        let info = ModelInfo { whole_answers: false, parallel, ..backend.info().clone() };
        Self { backend, info }
    }
}

#[async_trait]
impl Backend for InParts {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.backend.stream(request).await
    }

    fn count_tokens(&self, text: &str) -> u32 {
        self.backend.count_tokens(text)
    }
}
