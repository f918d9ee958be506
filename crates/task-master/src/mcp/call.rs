//! One call of a tool: the open project, what the tool was given, and how it waits.
//!
//! A call has a thread of its own where it may block. What has to be waited for, such as a model,
//! is waited for with [`Call::wait`], which ends when the client cancels or the time is up.

use std::{
    future::Future,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::model::CallToolResult;
use serde_json::{Value, json};
use tm_llm::backend::Backend;
use tm_tasks::{
    document::{Tag, TaskFile},
    store::Store,
    timestamp::Timestamp,
};
use tokio_util::sync::CancellationToken;

use super::{envelope, parameter::Arguments, progress::Teller, registry::Tool};
use crate::{
    app::{App, Workspace},
    backend::{Comparison, Keeping, Kept, Shadow},
    config::{Environment, Screen},
    report::{Advice, Report, advice},
    rollout::commands::key,
    trace::{Caller, Via},
};

/// Every call ends after this, unless `TASKMASTER_TIMEOUT_S` says otherwise.
const TIMEOUT: Duration = Duration::from_mins(30);

/// Tools whose answers name the tag that they worked on. All others name the project's current tag,
/// whatever tag they were given: so clients know it from the original.
const NAMING_THEIR_TAG: &[&str] =
    &["get_tasks", "get_task", "set_task_status", "generate", "add_dependency"];

/// A call, before its project is open.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) environment: Environment,
    pub(super) root: PathBuf,
    pub(super) arguments: Arguments,
    pub(super) teller: Teller,
    /// The model that the client lends.
    pub(super) lent_model: Option<Arc<dyn Backend>>,
    /// Where models of earlier calls are.
    pub(super) kept: Arc<Kept>,
    pub(super) stop: CancellationToken,
}

/// A call, its project open.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) workspace: &'a Workspace,
    pub(super) arguments: &'a Arguments,
    /// Where warnings go.
    pub(super) report: &'a mut Report,
    /// Where work says what it does.
    pub(super) teller: &'a Teller,
    tag: &'a str,
    current_tag: &'a str,
    stop: &'a CancellationToken,
}

/// What became of a call.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) result: CallToolResult,
    /// What was said beside the answer.
    pub(super) warnings: Vec<String>,
    /// What other models are to be asked, now that the answer is there.
    pub(super) comparison: Option<Comparison>,
}

/// The client does not want the answer any more.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the client cancelled the call; nothing was changed")]
pub(super) struct Cancelled;

impl Request {
    /// Runs the tool. Blocks.
    pub(super) fn run(self, tool: &Tool) -> Outcome {
        let asides = Asides::default();
        let mut report =
            Report::to(Screen::default(), Box::new(io::sink()), Box::new(asides.clone()));
        let shadow = Arc::default();
        let result = self.answer(tool, &shadow, &mut report);
        let comparison = shadow.take().filter(|_| result.is_error != Some(true));
        Outcome { result, warnings: asides.lines(), comparison }
    }

    fn answer(&self, tool: &Tool, shadow: &Arc<Shadow>, report: &mut Report) -> CallToolResult {
        if self.stop.is_cancelled() {
            return envelope::failure(&Cancelled.into(), None);
        }
        let key = key((tool.name, format!("{:?}", self.arguments)));
        let name = tool.name.to_owned();
        let caller = Caller { via: Via::Mcp, name, key, ..Caller::default() };
        let (environment, shadow) = (self.environment.clone(), Arc::clone(shadow));
        let app = App { environment, now: Timestamp::now(), caller, shadow };
        let mut workspace = match app.open(Some(&self.root), report) {
            Ok(workspace) => workspace,
            Err(error) => return envelope::failure(&error, None),
        };
        workspace.lent_model.clone_from(&self.lent_model);
        workspace.kept = Some(Keeping { kept: Arc::clone(&self.kept), is_lasting: false });
        let tag = workspace.tag(self.arguments.text("tag"));
        let current_tag = workspace.tag(None);
        let named = if NAMING_THEIR_TAG.contains(&tool.name) { &tag } else { &current_tag };
        if let Some(file) = self.arguments.tasks_file(tool.parameters) {
            match named_file(&workspace, file) {
                Ok(store) => workspace.store = store,
                Err(error) => return envelope::failure(&error.into(), Some(named)),
            }
        }
        let mut call = Call {
            app: &app,
            workspace: &workspace,
            arguments: &self.arguments,
            report,
            teller: &self.teller,
            tag: &tag,
            current_tag: &current_tag,
            stop: &self.stop,
        };
        match (tool.run)(&mut call) {
            Ok(answer) => answer.into_result(named),
            Err(error) => envelope::failure(&error, Some(named)),
        }
    }
}

impl Call<'_> {
    /// The tag to work on.
    pub(super) fn tag(&self) -> &str {
        self.tag
    }

    pub(super) fn now(&self) -> Timestamp {
        self.app.now
    }

    /// Which tags there are, as answers of models say it.
    pub(super) fn tag_info(&self) -> anyhow::Result<Value> {
        let file = self.workspace.read()?;
        let names: Vec<&str> = file.tags().map(Tag::name).collect();
        Ok(json!({ "currentTag": self.current_tag, "availableTags": names }))
    }

    /// The project's tasks, with what is known about their complexity.
    pub(super) fn read_annotated(&mut self) -> anyhow::Result<TaskFile> {
        self.workspace.read_annotated(Some(self.tag), self.report)
    }

    /// Waits for something that takes its time.
    ///
    /// # Errors
    /// Those of the work; [`Cancelled`], and then the work was dropped where it stood.
    pub(super) fn wait<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let patience = timeout(&self.workspace.environment);
        tokio::runtime::Handle::current().block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Cancelled.into()),
                done = tokio::time::timeout(patience, work) => done.unwrap_or_else(|_| {
                    let message = format!("there was no answer for {} s", patience.as_secs());
                    Err(advice(message, "Raise TASKMASTER_TIMEOUT_S, or ask for less").into())
                }),
            }
        })
    }
}

/// The tasks file that a call names in place of the project's.
fn named_file(workspace: &Workspace, file: &str) -> Result<Store, Advice> {
    let path = workspace.project.root().join(file);
    if !path.is_file() {
        let message = format!("there is no tasks file {}", path.display());
        return Err(advice(message, "Name one that exists, or leave out file"));
    }
    Ok(Store::open(path, workspace.environment.state_dir.join("journal")))
}

/// How long one call may take.
pub(super) fn timeout(environment: &Environment) -> Duration {
    let seconds = environment.variable("TASKMASTER_TIMEOUT_S").and_then(|it| it.parse().ok());
    seconds.map_or(TIMEOUT, Duration::from_secs)
}

/// What a report says beside its results.
#[derive(Debug, Clone, Default)]
struct Asides(Arc<Mutex<Vec<u8>>>);

impl Asides {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

impl Write for Asides {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
