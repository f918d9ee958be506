//! `research`: a question about the project, answered while one watches.
//!
//! Where the answer shall be kept is checked before the model is asked.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tm_tasks::{config::Role, document::Tag, id::TaskId, task::Task};
use tm_workflows::{
    asking::Asking,
    plan::change::Place,
    research::{
        Breakdown, Detail, Research, research,
        session::{Exchange, SaveError, Session, destination, save_record},
        sources::{self, SourceFile},
    },
};

use super::asking::{Manner, ask_anything, place, require, told};
use crate::{
    app::{App, Workspace, explain},
    knowledge::{self, tell_degraded},
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

mod menu;

/// Ask a question about the project
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The question
    prompt: Option<String>,

    /// Use this tasks file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Tasks and subtasks that belong to the question; several are separated by commas
    #[arg(long, short, value_name = "IDS")]
    id: Option<String>,

    /// Files that belong to the question; several are separated by commas
    #[arg(long, short, value_name = "PATHS")]
    files: Option<String>,

    /// What else belongs to it, in your own words
    #[arg(long, short, value_name = "TEXT")]
    context: Option<String>,

    /// Tell the model which files the project has
    #[arg(long, short)]
    tree: bool,

    /// Save the answer to this file of the project
    #[arg(long, short, value_name = "FILE")]
    save: Option<String>,

    /// How long the answer is: low, medium or high
    #[arg(long, short, value_name = "LEVEL", default_value = "medium")]
    detail: String,

    /// Add the answer to the details of this task or subtask
    #[arg(long, value_name = "ID")]
    save_to: Option<String>,

    /// Save the answer to a new file in .taskmaster/docs/research
    #[arg(long)]
    save_file: bool,

    /// The tag that the tasks are in
    #[arg(long)]
    tag: Option<String>,
}

/// Where the answer goes, beside the screen.
#[derive(Debug, Default)]
struct Destinations {
    file: Option<PathBuf>,
    /// A directory for a new file.
    directory: Option<PathBuf>,
    task: Option<TaskId>,
}

/// What the command works on, and what was said so far.
struct Conversation<'a> {
    workspace: &'a Workspace,
    place: Place,
    tasks: Vec<Task>,
    request: Research,
    exchanges: Vec<Exchange>,
    /// What was found for each question.
    found: Vec<Value>,
    model: String,
}

/// Runs `research`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let query = args.query()?;
    let detail: Detail = args.detail.parse()?;
    let workspace = match &args.file {
        Some(file) => app.open_tasks(Some(file), report)?,
        None => app.open(None, report)?,
    };
    let place = place(&workspace, args.tag.as_deref());
    let destinations = args.destinations(&workspace, &place)?;
    let (named, tasks) = args.named(&place, report)?;
    let root = workspace.project.root();
    let files = args.read_files(&workspace)?;
    let request = Research {
        query,
        named,
        documents: knowledge::documents(&workspace, &files, report)?,
        files,
        custom: args.context.clone(),
        tree: args.tree.then(|| sources::tree(root)),
        detail,
        earlier: Vec::new(),
    };
    let mut conversation = Conversation {
        workspace: &workspace,
        place,
        tasks,
        request,
        exchanges: Vec::new(),
        found: Vec::new(),
        model: String::new(),
    };
    conversation.go_on(report)?;
    conversation.save(&destinations, app, report)?;
    if report.is_interactive() {
        menu::show(&mut conversation, app, report)?;
    }
    Ok(())
}

impl Args {
    fn query(&self) -> anyhow::Result<String> {
        let query = self.prompt.as_deref().map(str::trim).filter(|it| !it.is_empty());
        query.map(str::to_owned).ok_or_else(|| {
            advice("there is no question", "ask one: `task-master research \"How do we …?\"`")
                .into()
        })
    }

    fn destinations(&self, workspace: &Workspace, place: &Place) -> anyhow::Result<Destinations> {
        let file = self.save.as_deref().map(|it| destination(workspace.project.root(), it));
        let task = self.save_to.as_deref().map(str::parse::<TaskId>).transpose()?;
        if let Some(id) = &task {
            require(place, std::slice::from_ref(id))?;
        }
        Ok(Destinations {
            file: file.transpose().map_err(not_saved)?,
            directory: self.save_file.then(|| research_directory(workspace)),
            task,
        })
    }

    /// The tasks that are named and exist, and all tasks of the tag.
    fn named(
        &self,
        place: &Place,
        report: &mut Report,
    ) -> anyhow::Result<(Vec<TaskId>, Vec<Task>)> {
        let file = place.store.read().map_err(explain)?;
        let tag = file.tag(&place.tag);
        let mut named = match &self.id {
            Some(ids) => TaskId::parse_list(ids)?,
            None => Vec::new(),
        };
        named.retain(|id| {
            let exists = tag.is_some_and(|it| it.find(id).is_some());
            if !exists {
                report.warn(&format!("there is no task {id} in tag `{}`", place.tag));
            }
            exists
        });
        Ok((named, tag.map(Tag::tasks).unwrap_or_default().to_vec()))
    }

    fn read_files(&self, workspace: &Workspace) -> anyhow::Result<Vec<SourceFile>> {
        let paths = self.files.as_deref().unwrap_or_default().split(',').map(str::trim);
        let read = |path: &str| {
            sources::read_file(workspace.project.root(), path).map_err(|error| {
                let message = error.to_string();
                let hint = "name files of text from the root of the project, or leave them out";
                anyhow::Error::new(error).context(advice(message, hint))
            })
        };
        paths.filter(|it| !it.is_empty()).map(read).collect()
    }
}

impl Conversation<'_> {
    /// Asks what is in the request, and keeps what is said.
    fn go_on(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let (request, tasks) = (&self.request, &self.tasks);
        let manner = Manner { role: Role::Research, when_interrupted: "nothing was saved" };
        let asked = ask_anything(self.workspace, manner, report, async |asking: Asking<'_>| {
            let researched = research(asking, tasks, request).await;
            let model = asking.backend.info().model.clone();
            Ok((researched.map_err(|error| told(error.into()))?, model))
        })?;
        report.blank();
        let (researched, model) = &asked.value;
        self.model.clone_from(model);
        let answer = researched.answer.clone();
        self.exchanges.push(Exchange { query: self.request.query.clone(), answer });
        self.found.push(json!({"query": self.request.query, "found": researched.cited}));
        self.request.earlier.clone_from(&self.exchanges);
        print_told(&researched.told, report);
        if researched.cited.as_ref().is_some_and(|it| it.by_words_alone) {
            report.note("passages were looked for by their words alone; `task-master kb embed` adds their meaning");
        }
        tell_degraded(&self.request.documents.libraries, report);
        report.line(asked.cost(researched.usage));
        report.line(Text::styled(DIM, &format!("  {}", self.session_now().origin())));
        Ok(())
    }

    fn session_now(&self) -> Session<'_> {
        self.session(tm_tasks::timestamp::Timestamp::now())
    }

    fn session(&self, at: tm_tasks::timestamp::Timestamp) -> Session<'_> {
        Session { exchanges: &self.exchanges, model: &self.model, at }
    }

    fn save(&self, to: &Destinations, app: &App, report: &mut Report) -> anyhow::Result<()> {
        let session = self.session(app.now);
        if let Some(file) = &to.file {
            session.save(file).map_err(not_saved)?;
            report.done(format!("Saved to {}", file.display()));
            self.save_record(file, report)?;
        }
        if let Some(directory) = &to.directory {
            let file = session.save_new(directory).map_err(not_saved)?;
            report.done(format!("Saved to {}", file.display()));
            self.save_record(&file, report)?;
        }
        if let Some(id) = &to.task {
            let (store, tag) = (&self.place.store, &self.place.tag);
            let task = session.save_to_task(store, tag, id).map_err(not_saved)?;
            report.done(format!("Added to task {id}: {}", task.title()));
        }
        Ok(())
    }
}

impl Conversation<'_> {
    /// Saves where the answers come from, when they come out of documents.
    fn save_record(&self, file: &Path, report: &mut Report) -> anyhow::Result<()> {
        if self.found.iter().all(|it| it["found"].is_null()) {
            return Ok(());
        }
        let record = json!({"model": self.model, "exchanges": self.found});
        let path = save_record(file, &record).map_err(not_saved)?;
        report.done(format!("What it cites is in {}", path.display()));
        Ok(())
    }
}

/// What the model was told beside the question.
fn print_told(told: &Breakdown, report: &mut Report) {
    if !told.left_out.is_empty() {
        let ids: Vec<String> = told.left_out.iter().map(ToString::to_string).collect();
        report.warn(&format!("there was no room to tell the model about {}", ids.join(", ")));
    }
    let context = told.context();
    if context.tokens > 0 {
        let line = format!(
            "  told: {} tasks, {} files, {} tokens in all",
            told.tasks.len(),
            told.files.len(),
            context.tokens
        );
        report.line(Text::styled(DIM, &line));
    }
}

fn research_directory(workspace: &Workspace) -> PathBuf {
    workspace.project.docs_dir().join("research")
}

fn not_saved(error: SaveError) -> anyhow::Error {
    let hint = match &error {
        SaveError::Outside { .. } => {
            "name a file of the project from its root, without `..`, such as docs/answer.md"
        }
        SaveError::NoDirectory { .. } => "create the directory first, or name another one",
        SaveError::Directory { .. } => "name a file in it",
        SaveError::Unwritable { .. } => "see who owns it and what its permissions are",
        SaveError::NoTask { .. } => "see which tasks there are with `task-master list`",
        SaveError::Store(_) => "",
    };
    if let SaveError::Store(error) = error {
        return explain(error);
    }
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
