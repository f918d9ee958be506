//! `eval research`: how well questions with known answers are answered out of their documents.
//!
//! The documents become a knowledge base that is gone afterwards. Answers are kept where one asks for
//! it, each as soon as it is there.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Serialize;
use tm_knowledge::{
    index::{Index, write::NewSource},
    sync::sync,
};
use tm_tasks::config::Role;
use tm_workflows::{
    asking::{AskError, Asking},
    embedding::embed_missing,
    evaluate::answers::{
        Answered, Labelled, QuestionSet, Retrieved, Scores, SetError, ask, judge, read_set,
        retrieve, scores,
    },
    event::Event,
    research::{Detail, library::Library},
};

use super::screen;
use crate::{
    app::{App, Workspace},
    cli::{
        asking::{Manner, ask_anything, told},
        kb,
    },
    knowledge::{self, FETCH_HINT},
    report::{Report, advice},
};

/// Measure how questions with known answers are answered out of documents
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder with documents/ and questions.jsonl
    folder: PathBuf,

    /// Measure what is found, and ask no model
    #[arg(long, conflicts_with_all = ["model", "judge", "keep"])]
    found: bool,

    /// Have the answers written by this model: one of `models list`, or a GGUF file
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Ask the model as well whether what is cited says what the sentences say
    #[arg(long)]
    judge: bool,

    /// How long the answers are: low, medium or high
    #[arg(long, short, value_name = "LEVEL", default_value = "medium")]
    detail: String,

    /// Keep the answers in this file, and ask for none that is there
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,

    /// Only every second question: the first, third and so on, or the others
    #[arg(long, value_name = "HALF")]
    half: Option<Half>,

    /// What the intervals start from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is looked at while something is changed, and what is measured afterwards, must be two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    Odd,
    Even,
}

/// What is shown.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    version: &'static str,
    pub(super) folder: PathBuf,
    pub(super) questions: usize,
    pub(super) unanswerable: usize,
    /// Who wrote the answers; none when nobody did.
    pub(super) model: Option<String>,
    /// Who knows what questions mean; none when words had to do.
    pub(super) embedding_model: Option<String>,
    pub(super) scores: Scores,
    answers: Vec<Answered>,
}

/// The set as it is measured.
struct Measured {
    set: QuestionSet,
    library: Library,
    embedding_model: Option<String>,
    retrieved: Vec<Retrieved>,
}

/// Runs `eval research`.
pub(super) fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let detail: Detail = args.detail.parse()?;
    let folder = app.environment.working_dir.join(&args.folder);
    let mut set = read_set(&folder).map_err(explain)?;
    if let Some(half) = args.half {
        let mut number = 0;
        set.questions.retain(|_| {
            number += 1;
            (number % 2 == 1) == (half == Half::Odd)
        });
    }
    let mut workspace = app.open(None, report)?;
    if let Some(model) = &args.model {
        workspace.environment = workspace.environment.with_variable("TASKMASTER_MODEL", model);
    }
    let measured = measure(set, &workspace, report)?;
    let (model, answers) = if args.found {
        (None, Vec::new())
    } else {
        let keep = args.keep.as_ref().map(|it| app.environment.working_dir.join(it));
        let model = crate::backend::name(&workspace, Role::Research)?;
        let asked = answers(&measured, (args.judge, detail), keep.as_deref(), &workspace, report);
        (Some(model), asked?)
    };
    let Measured { set: QuestionSet { documents, questions }, retrieved, .. } = &measured;
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        folder: args.folder.clone(),
        questions: questions.len(),
        unanswerable: questions.iter().filter(|it| !it.is_answerable()).count(),
        model,
        embedding_model: measured.embedding_model.clone(),
        scores: scores(documents, questions, retrieved, &answers, args.seed),
        answers,
    };
    if args.json {
        report.json(&findings);
    } else {
        screen::print_research(&findings, report);
    }
    Ok(())
}

/// Reads the documents and looks for every answer.
fn measure(
    set: QuestionSet,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Measured> {
    let mut index = Index::in_memory().map_err(kb::told)?;
    let location = set.documents.to_string_lossy().into_owned();
    let new = NewSource { location, name: "documents".into(), ..NewSource::default() };
    let source = index.add_source(&new, 0).map_err(kb::told)?;
    sync(&mut index, &source, &knowledge::pdf_reader(), 0, &|_| ()).map_err(kb::told)?;
    let model = knowledge::embedding_model(workspace)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let library = if let Some(model) = &model {
        let made = embed_missing(&mut index, model, &|_| ());
        runtime.block_on(made).context("the documents have no vectors")?;
        Library::new(index).with_model(model.clone())
    } else {
        report.note(&format!("documents are found by their words alone; {FETCH_HINT}"));
        Library::new(index)
    };
    let found = async {
        let mut retrieved = Vec::new();
        for labelled in &set.questions {
            retrieved.push(retrieve(&library, labelled).await?);
        }
        Ok(retrieved)
    };
    let retrieved = runtime.block_on(found).map_err(|it: AskError| told(it.into()))?;
    let embedding_model = model.map(|it| it.embedder.model);
    Ok(Measured { set, library, embedding_model, retrieved })
}

/// Asks what is not kept yet, and has it judged.
fn answers(
    measured: &Measured,
    (judges, detail): (bool, Detail),
    keep: Option<&Path>,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<Vec<Answered>> {
    let kept = keep.map(kept).transpose()?.unwrap_or_default();
    let questions: Vec<&Labelled> = measured.set.questions.iter().collect();
    let state = "answers that were written are in the file of --keep";
    let manner = Manner { role: Role::Research, when_interrupted: state };
    let asked = ask_anything(workspace, manner, report, async |asking: Asking<'_>| {
        (asking.observer)(Event::Began { things: questions.len() });
        let mut answers: Vec<Answered> = Vec::new();
        for labelled in questions {
            // The last one of a question is the whole one.
            let known = kept.iter().rev().find(|it| it.question == labelled.question);
            let mut answered = if let Some(known) = known {
                known.clone()
            } else {
                let it = ask(asking, &measured.library, detail, &labelled.question).await;
                it.map_err(|error| told(error.into()))?
            };
            let needs_judging = judges && !answered.abstains() && answered.judged.is_none();
            if needs_judging {
                let others: Vec<&Answered> = answers.iter().collect();
                let judged = judge(asking, &answered, answered.another(&others)).await;
                answered.judged = Some(judged.map_err(|error| told(error.into()))?);
            }
            if let Some(file) = keep.filter(|_| known.is_none() || needs_judging) {
                append(file, &answered)?;
            }
            let what = labelled.question.clone();
            let note = answered.abstains().then(|| "not answered".to_owned());
            (asking.observer)(Event::StepDone { what, note });
            answers.push(answered);
        }
        Ok(answers)
    })?;
    Ok(asked.value)
}

/// The answers in a file; what was cut off while it was written is asked again.
fn kept(file: &Path) -> anyhow::Result<Vec<Answered>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.lines().filter_map(|it| serde_json::from_str(it).ok()).collect())
}

fn append(file: &Path, answered: &Answered) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        let line = serde_json::to_string(answered)?;
        let mut file = OpenOptions::new().create(true).append(true).open(file)?;
        file.write_all(format!("\n{line}\n").as_bytes())
    };
    written().with_context(|| format!("cannot write {}", file.display()))
}

/// What to do about a set that cannot be used.
fn explain(error: SetError) -> anyhow::Error {
    let hint = match &error {
        SetError::Unreadable { .. } | SetError::Empty { .. } => {
            "a set is a folder with documents/ and questions.jsonl, a question on each line"
        }
        SetError::Line { .. } => {
            "write {\"question\": …, \"answers\": [{\"document\": …, \"words\": …}]} on each line"
        }
        SetError::Again { .. } => "leave one of the two out",
        SetError::NoDocument { .. } => "name the file from documents/",
        SetError::NotSaid { .. } => "write the words as the document has them",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
