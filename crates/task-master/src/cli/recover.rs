//! `recover`: a check fails; steps against that are looked up, proposed and tried in a scratch copy.
//!
//! What may be tried, and when that is a success, is known to `tm_workflows::recover`. Here the user
//! is asked, and gets what helped. Start at [`run`].

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use tm_tasks::{config::Role, id::TaskId};
use tm_workflows::{
    asking::Asking,
    autopilot::git::GitError,
    context::full,
    plan::change::ChangeError,
    recover::{
        Diagnosis, Named, RecoverError, Recovered, Recovery, diagnose, recover,
        run::{Bounds, Ran},
        scratch::{Scratch, ScratchError},
    },
    research::{Documents, library::Library},
};

use super::asking::{Manner, ask_anything, place, require, told};
use crate::{
    app::{App, Workspace},
    interruption::interruptible,
    knowledge,
    report::{Interrupted, Report, advice, text::Text},
};

mod asked;
mod taken;

/// Find out why a check fails, and try what may help in a scratch copy
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that the check runs in, in a git repository; the project without one
    folder: Option<PathBuf>,

    /// Look up what fails in your documents, and let the research model propose steps
    #[arg(long, required = true)]
    research: bool,

    /// The command that has to pass; `sh check.sh` where the folder has that file
    #[arg(long, value_name = "COMMAND")]
    check: Option<String>,

    /// The task or subtask that the check belongs to
    #[arg(long, short, value_name = "ID")]
    id: Option<TaskId>,

    /// A command that steps may run, as often as there are any
    #[arg(long, value_name = "COMMAND")]
    allow: Vec<String>,

    /// Let steps change tests and files that the check names
    #[arg(long)]
    tests: bool,

    /// So many attempts, each from the clean state
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: u32,

    /// How many seconds the check, or an allowed command, may take
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout_s: u64,

    /// Try steps in the scratch copy without being asked: the check runs what the model has written there,
    /// as you and with your network
    #[arg(long, short)]
    yes: bool,

    /// Apply what helped to the project, unless it is in doubt, and put it back when the check fails there
    #[arg(long)]
    apply: bool,

    /// The tag that the task is in
    #[arg(long)]
    tag: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is not the user's is left alone.
const UNTOUCHED: &str = "the scratch copy is gone, and the project is as it was";

/// Runs `recover`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let folder = args.folder(app, &workspace)?;
    let recovery = args.recovery(&workspace, &folder)?;
    let (scratch, diagnosis) = look(&workspace, &folder, &recovery)?;
    for path in scratch.left_out() {
        report.note(&format!("{path} is not in the scratch copy"));
    }
    let failure = match diagnosis {
        Diagnosis::Fails(failure) => failure,
        Diagnosis::Passes => {
            passes(args, &recovery, report);
            return Ok(());
        }
        Diagnosis::Unrunnable(ran) => {
            return Err(explain_unrunnable(&recovery, &ran));
        }
        Diagnosis::Flaky(ran) => {
            return Err(advice(
                format!("the check {}, and then passed with nothing changed", ran.end),
                "make it say the same each time: until then nothing proves that a step helped",
            )
            .into());
        }
    };
    let found = attempts(args, (&workspace, &folder), (&scratch, &recovery, failure), report)?;
    taken::tell(args, (&workspace, &scratch, &recovery), found, report)
}

/// What came of all attempts.
struct Attempts {
    recovered: Recovered,
    /// What that took, in a line.
    cost: Text,
}

impl Args {
    fn folder(&self, app: &App, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let Some(folder) = &self.folder else {
            return Ok(workspace.project.root().to_path_buf());
        };
        let path = app.environment.working_dir.join(folder);
        if path.is_dir() {
            return Ok(path);
        }
        let message = format!("there is no folder {}", folder.display());
        Err(advice(message, "name one that the check can run in, or leave it out").into())
    }

    fn recovery(&self, workspace: &Workspace, folder: &Path) -> anyhow::Result<Recovery> {
        let given = self.check.as_deref().map(str::trim).filter(|it| !it.is_empty());
        let own = folder.join("check.sh").is_file().then_some("sh check.sh");
        let check = given.or(own).ok_or_else(|| {
            advice(
                "nothing says what has to pass",
                "name the command, such as `task-master recover --research --check \"npm test\"`",
            )
        })?;
        let allowed = self.allow.iter().map(|it| it.trim().to_owned());
        let task = self.id.as_ref().map(|id| self.task(workspace, id)).transpose()?;
        Ok(Recovery {
            check: check.to_owned(),
            allowed: allowed.filter(|it| !it.is_empty()).collect(),
            task,
            attempts: self.attempts,
            changes_tests: self.tests,
            bounds: Bounds {
                time: Duration::from_secs(self.timeout_s),
                without: workspace.environment.secrets(),
            },
        })
    }

    fn task(&self, workspace: &Workspace, id: &TaskId) -> anyhow::Result<Named> {
        let place = place(workspace, self.tag.as_deref());
        let tag = require(&place, std::slice::from_ref(id))?;
        let task = tag
            .find(id)
            .ok_or_else(|| told(ChangeError::NoTask { id: id.clone(), tag: place.tag.clone() }))?;
        Ok(Named { title: task.title(), text: full(&task) })
    }
}

/// Copies the repository, and runs the check in the copy.
fn look(
    workspace: &Workspace,
    folder: &Path,
    recovery: &Recovery,
) -> anyhow::Result<(Arc<Scratch>, Diagnosis)> {
    let parent = workspace.environment.scratch_dir();
    interruptible(UNTOUCHED, async {
        let scratch = Scratch::of(folder, &parent).await.map_err(explain_scratch)?;
        let diagnosis = diagnose(&scratch, recovery).await.map_err(explain)?;
        Ok((scratch, diagnosis))
    })
}

fn attempts(
    args: &Args,
    (workspace, folder): (&Workspace, &Path),
    (scratch, recovery, failure): (&Arc<Scratch>, &Recovery, Ran),
    report: &mut Report,
) -> anyhow::Result<Attempts> {
    let documents = documents(workspace, folder, report)?;
    let manner = Manner { role: Role::Research, when_interrupted: UNTOUCHED };
    let is_asked = report.is_interactive() && !args.json;
    let consent = asked::Consent::new(args.yes, is_asked);
    let mut recovered = Recovered::of(failure);
    let work = async |asking: Asking<'_>| {
        let asking = Asking { documents: Some(&documents), ..asking };
        let consent = async |step: &_| consent.give(step, asking.observer).await;
        recover(asking, scratch, (recovery, &mut recovered), consent).await.map_err(explain)
    };
    match ask_anything(workspace, manner, report, work) {
        Ok(asked) => {
            let cost = asked.cost(recovered.usage);
            Ok(Attempts { recovered, cost })
        }
        Err(error) if error.is::<Interrupted>() && recovered.tried_something() => {
            recovered.stopped = Some(RecoverError::Interrupted);
            let path = taken::save(workspace, recovery, &recovered)?;
            report.note(&taken::kept_in(&path));
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// The knowledge base; where there is none, what is in the folder.
fn documents(
    workspace: &Workspace,
    folder: &Path,
    report: &mut Report,
) -> anyhow::Result<Documents> {
    if workspace.project.knowledge_file().exists() {
        return knowledge::documents(workspace, &[], report);
    }
    let library = Library::of_project(folder, &knowledge::pdf_reader());
    let library = library.map_err(super::kb::told)?;
    Ok(Documents { libraries: library.into_iter().collect(), abstains: false })
}

fn passes(args: &Args, recovery: &Recovery, report: &mut Report) {
    if args.json {
        report.json(&json!({"status": "passes", "check": recovery.check}));
    } else {
        report.done(format!("The check passes, there is nothing to recover: {}", recovery.check));
    }
}

fn explain_unrunnable(recovery: &Recovery, ran: &Ran) -> anyhow::Error {
    let said = ran.output.lines().last().unwrap_or_default().trim();
    let hint = "name a command that runs in a fresh copy of the repository: what git ignores, such \
                as node_modules, is not there, and a check may make it: \"npm ci && npm test\"";
    let message = format!("the check `{}` cannot be run: it {}: {said}", recovery.check, ran.end);
    advice(message, hint).into()
}

fn explain_scratch(error: ScratchError) -> anyhow::Error {
    let hint = match &error {
        ScratchError::Git(GitError::Missing) => "install git",
        ScratchError::Git(GitError::NoRepository { .. }) => {
            "make it one with `git init`, or name a folder that is in one"
        }
        ScratchError::Git(_) => "nothing was changed; see what git says there",
        ScratchError::Empty { .. } => "name a folder with files that git does not ignore",
        ScratchError::TooMany { .. } => "name a folder of a smaller repository",
        ScratchError::Copy { .. } => "nothing was changed; see what its permissions are",
        ScratchError::Stopped { .. } => UNTOUCHED,
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}

fn explain(error: RecoverError) -> anyhow::Error {
    let hint = match error {
        RecoverError::Ask(error) => return told(ChangeError::Ask(error)),
        RecoverError::NoCandidate => {
            "tests and files that the check names stay as they are unless you add --tests; a command \
             may be allowed with --allow"
        }
        RecoverError::NoStep { .. } => {
            "nothing was changed; take a larger model with `task-master models`"
        }
        RecoverError::Git(_) => "nothing of the project was changed; try again",
        RecoverError::Interrupted => UNTOUCHED,
        RecoverError::Shell(_) => "checks are run by `sh`, which has to be in PATH",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
