//! A call's way through the server: found, checked, run on a thread of its own, watched, answered.
//!
//! A call that is wrong, fails, panics or takes too long ends with an answer that says so, and
//! never ends the server. Start at [`Server::call`].

#![expect(deprecated, reason = "logging and roots are deprecated, and what clients have today")]

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult,
        ErrorCode, Implementation, ListToolsResult, LoggingLevel, LoggingMessageNotificationParam,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, SetLevelRequestParams,
    },
    service::{NotificationContext, Peer, RequestContext},
};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{
    call::{Outcome, Request, timeout},
    envelope::{self, VERSION},
    parameter::Arguments,
    progress::{self, BEAT, Listener},
    registry::{Selection, Tool},
    root, sampling,
};
use crate::{backend::Kept, config::Environment, report::advice};

/// How long a client has to say which projects it has open.
const ROOTS_WAIT: Duration = Duration::from_secs(10);

/// What one client talks to.
#[derive(Debug)]
pub(super) struct Server {
    environment: Environment,
    selection: Arc<Selection>,
    kept: Arc<Kept>,
    /// Models that are asked beside those who answer.
    beside: TaskTracker,
    /// Has one place.
    comparing: Arc<Semaphore>,
    session: Mutex<Session>,
}

/// What is known about the client.
#[derive(Debug)]
struct Session {
    /// The first project that it has open.
    root: Option<PathBuf>,
    /// What it wants to hear.
    level: LoggingLevel,
}

impl Server {
    pub(super) fn new(
        environment: Environment,
        selection: Arc<Selection>,
        kept: Arc<Kept>,
    ) -> Self {
        let session = Session { root: None, level: LoggingLevel::Info };
        let beside = TaskTracker::new();
        let comparing = Arc::new(Semaphore::new(1));
        Self { environment, selection, kept, beside, comparing, session: Mutex::new(session) }
    }

    async fn call(
        &self,
        tool: &'static Tool,
        arguments: Arguments,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let opened = self.session(|it| it.root.clone());
        let named = arguments.text("projectRoot");
        let root = match root::resolve(&self.environment, named, opened.as_deref()) {
            Ok(root) => root,
            Err(error) => return Ok(envelope::failure(&error, None)),
        };
        let (teller, mut steps) = progress::channel();
        let environment = self.environment.clone();
        let lent_model = sampling::lent_by(&context.peer);
        let (kept, stop) = (Arc::clone(&self.kept), context.ct.clone());
        let request = Request { environment, root, arguments, teller, lent_model, kept, stop };
        let mut work = tokio::task::spawn_blocking(move || request.run(tool));
        let mut listener = Listener::new(context.peer.clone(), context.meta.get_progress_token());
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        let patience = timeout(&self.environment) + BEAT;
        let late = tokio::time::sleep(patience);
        tokio::pin!(late);
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                Some(step) = steps.recv() => listener.hear(step).await,
                _ = beat.tick() => listener.beat().await,
                () = &mut late => return Ok(too_late(tool, patience)),
                // Nobody waits for the answer any more.
                () = context.ct.cancelled() => {
                    return Err(ErrorData::internal_error("the call was cancelled", None));
                }
            }
        };
        let Outcome { result, warnings, comparison } = done.map_err(|error| {
            let message = format!("{} broke down: {error}", tool.name);
            ErrorData::internal_error(message, None)
        })?;
        for warning in warnings {
            self.log(&context.peer, LoggingLevel::Warning, &warning).await;
        }
        listener.done().await;
        // One at a time: what comes meanwhile is not compared.
        let place = Arc::clone(&self.comparing).try_acquire_owned();
        if let (Some(comparison), Ok(place)) = (comparison, place) {
            self.beside.spawn(async move {
                comparison.run().await;
                drop(place);
            });
        }
        Ok(result)
    }

    /// Tells the client, if it wants to hear that.
    async fn log(&self, peer: &Peer<RoleServer>, level: LoggingLevel, message: &str) {
        if self.session(|it| rank(level) < rank(it.level)) {
            return;
        }
        let param = LoggingMessageNotificationParam::new(level, json!({ "message": message }));
        drop(peer.notify_logging_message(param.with_logger(envelope::NAME)).await);
    }

    fn session<T>(&self, look: impl FnOnce(&mut Session) -> T) -> T {
        look(&mut self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_logging()
            .enable_completions()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("Task Master MCP Server", VERSION))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.selection.descriptions()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = &*request.name;
        let tool = self.selection.find(name).ok_or_else(|| {
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("Unknown tool: {name}"), None)
        })?;
        let arguments = Arguments::check(tool.parameters, request.arguments.unwrap_or_default())
            .map_err(|faults| invalid(name, &faults))?;
        self.call(tool, arguments, &context).await.map(CallToolResponse::from)
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.session(|it| it.level = request.level);
        Ok(())
    }

    /// Calls that are so wrong that they do not look like calls arrive here.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == "tools/call" {
            let params = request.params.unwrap_or_default();
            let name = params.get("name").and_then(|it| it.as_str()).unwrap_or_default();
            return Err(invalid(name, "root: must be a name, and arguments that are an object"));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        for name in self.selection.unknown() {
            let message = format!("TASK_MASTER_TOOLS names `{name}`, which is no tool");
            self.log(&context.peer, LoggingLevel::Warning, &message).await;
        }
        self.ask_for_roots(&context.peer).await;
        if !sampling::is_lent(&context.peer) {
            self.log(&context.peer, LoggingLevel::Info, sampling::NOT_LENT).await;
        }
    }

    async fn on_roots_list_changed(&self, context: NotificationContext<RoleServer>) {
        self.ask_for_roots(&context.peer).await;
    }
}

impl Server {
    /// Asks a client that can tell which projects it has open.
    async fn ask_for_roots(&self, peer: &Peer<RoleServer>) {
        if peer.peer_info().is_none_or(|it| it.capabilities.roots.is_none()) {
            return;
        }
        let Ok(Ok(listed)) = tokio::time::timeout(ROOTS_WAIT, peer.list_roots()).await else {
            return;
        };
        let root = listed.roots.first().map(|it| root::directory(&it.uri));
        self.session(|it| it.root = root);
    }
}

fn invalid(tool: &str, faults: &str) -> ErrorData {
    let message = format!(
        "Tool '{tool}' parameter validation failed: {faults}. Please check the parameter types \
         and values according to the tool's schema."
    );
    ErrorData::invalid_params(message, None)
}

fn too_late(tool: &Tool, patience: Duration) -> CallToolResult {
    let message = format!("{} did not end within {} s", tool.name, patience.as_secs());
    let hint = "See with get_tasks what was done; TASKMASTER_TIMEOUT_S gives it more time";
    envelope::failure(&advice(message, hint).into(), None)
}

fn rank(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        LoggingLevel::Emergency => 7,
    }
}
