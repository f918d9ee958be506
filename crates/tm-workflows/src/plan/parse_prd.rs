//! `parse-prd`: a requirements document becomes tasks, in steps a small model can do.
//!
//! Code divides the document into as many parts as there shall be tasks; the model writes each
//! task on its own, several at once on a prefix that the backend reads only once. Which
//! requirement belongs to which task, ids, order and dependencies are never asked. A model that is
//! trusted with it is asked for the whole plan in one answer instead. Start at [`parse_prd`].

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tm_llm::{backend::Backend, chat::Usage, structured::StructuredError};
use tm_tasks::{
    document::{Tag, TagError, TaskFile},
    plan::{
        affinity::wait_for_related,
        assemble::{Draft, assemble, without_detours},
    },
    prd::{Prd, PrdError, Unit},
    store::{Quality, Store, StoreError},
    task::{Priority, Task},
    timestamp::Timestamp,
};

use crate::{
    asking::AskError,
    escalation::Escalation,
    evaluate::quality,
    event::{Event, Observer},
    plan::said::Detail,
    prompts::{PromptError, Prompts},
    research::Documents,
};

use better::Rewriting;
use session::{Question, Session};
use whole::{Before, Whole};
use work::Work;

mod background;
mod better;
mod detail;
mod large;
mod saved;
mod session;
mod titles;
mod whole;
mod work;

/// What is to be planned, and how.
#[derive(Debug, Clone)]
pub struct ParsePrd {
    /// The document as it was read.
    pub document: Vec<u8>,
    /// How many tasks; `None` for as many as the document asks for.
    pub count: Option<usize>,
    /// The language of the tasks, such as `English`.
    pub language: String,
    /// What is asked.
    pub prompts: Prompts,
    /// The priority of a task that the model gives none.
    pub priority: Priority,
    /// All the model's work together ends after this.
    pub timeout: Duration,
    /// Where the work of an interrupted run is kept; `None` keeps nothing.
    pub saved: Option<PathBuf>,
    /// Where each part of the work is looked up; none where the user did not ask for that.
    pub documents: Option<Documents>,
    /// What tasks are to reach, where the user said so.
    pub escalation: Option<Arc<Escalation>>,
}

/// Where the tasks go.
#[derive(Debug, Clone)]
pub struct Target {
    pub store: Store,
    /// Created when the file has none of this name.
    pub tag: String,
    pub existing: Existing,
}

/// What becomes of the tasks that the tag already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is planned.
    Refuse,
    /// The new tasks take their place. Ids go on, so that no id changes its meaning.
    Replace,
    /// The new tasks come after them.
    Append,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Written {
    pub plan: Plan,
    /// As they are in the file.
    pub tasks: Vec<Task>,
    /// As the journal has it.
    pub quality: Quality,
}

/// A plan, not yet in any file.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub tasks: Vec<Draft>,
    /// How many requirements the document has.
    pub requirements: usize,
    /// The words of those that no task covers.
    pub uncovered: Vec<String>,
    /// What the model did in this run.
    pub usage: Usage,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ParsePrdError {
    #[error(transparent)]
    Document(#[from] PrdError),
    #[error(transparent)]
    Whole(StructuredError),
    #[error("task {number}: {source}")]
    Task { number: usize, source: StructuredError },
    #[error("{requested} tasks were asked for; between 1 and {COUNT_MAX} can be planned at once")]
    Count { requested: usize },
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    LookedUp(#[from] AskError),
    #[error("the tag {tag} has {tasks} tasks already")]
    TasksExist { tag: String, tasks: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error("writing the tasks was interrupted")]
    Interrupted,
    #[error("the work so far cannot be saved in {}", path.display())]
    Save { path: PathBuf, source: std::io::Error },
}

/// More tasks than this are no plan that a person can read.
const COUNT_MAX: usize = 100;

/// Plans the document and puts the tasks into their file.
///
/// The file is looked at first, so that no model works for a file that cannot be written, and
/// changed in one step when the whole plan is there.
///
/// # Errors
/// [`ParsePrdError`]; the file is as it was then.
pub async fn parse_prd(
    backend: &dyn Backend,
    target: Target,
    request: &ParsePrd,
    observer: Observer<'_>,
) -> Result<Written, ParsePrdError> {
    let looked_at = target.clone();
    let before = blocking(move || looked_at.look()).await?;
    let plan = plan_after(backend, &before, request, observer).await?;
    let drafts = plan.tasks.clone();
    let (_, prd) = Prd::from_bytes(&request.document)?;
    let minimum = request.escalation.as_ref().map(|it| it.minimum);
    let (tasks, quality) = blocking(move || target.write(&drafts, &prd, minimum)).await?;
    forget(backend, request)?;
    Ok(Written { plan, tasks, quality })
}

impl Target {
    /// What the new tasks come after.
    fn look(&self) -> Result<Before, ParsePrdError> {
        let file = self.store.read()?;
        self.check(&file)?;
        let tag = file.tag(&self.tag);
        let tasks = match self.existing {
            Existing::Refuse | Existing::Replace => Vec::new(),
            Existing::Append => tag.map(|it| it.tasks().to_vec()).unwrap_or_default(),
        };
        Ok(Before { tasks, first_id: tag.map_or(0, Tag::highest_id) + 1 })
    }

    fn check(&self, file: &TaskFile) -> Result<(), ParsePrdError> {
        let tasks = file.tag(&self.tag).map_or(0, |it| it.tasks().len());
        match self.existing {
            Existing::Refuse if tasks > 0 => {
                Err(ParsePrdError::TasksExist { tag: self.tag.clone(), tasks })
            }
            Existing::Refuse | Existing::Replace | Existing::Append => Ok(()),
        }
    }

    /// Writes the leaves of a tree in one step. How good they are is not measured: much of what a
    /// plan has was never asked for.
    ///
    /// # Errors
    /// [`ParsePrdError`]; the file is as it was then.
    pub fn write_leaves(&self, drafts: &[Draft]) -> Result<Vec<Task>, ParsePrdError> {
        let now = Timestamp::now();
        self.store.commit("prd export", now, |file| self.add(file, drafts, now))
    }

    /// The tasks as they are in the file then, and how good they are.
    fn write(
        &self,
        drafts: &[Draft],
        prd: &Prd,
        minimum: Option<u8>,
    ) -> Result<(Vec<Task>, Quality), ParsePrdError> {
        let now = Timestamp::now();
        self.store.commit_measured("parse-prd", now, |file| {
            let tasks = self.add(file, drafts, now)?;
            let quality = Quality { minimum, ..quality(prd, &tasks) };
            Ok(((tasks, quality.clone()), Some(quality)))
        })
    }

    fn add(
        &self,
        file: &mut TaskFile,
        drafts: &[Draft],
        now: Timestamp,
    ) -> Result<Vec<Task>, ParsePrdError> {
        self.check(file)?;
        let tag = file.tag_or_create(&self.tag, now)?;
        let stay = if self.existing == Existing::Replace { &[] } else { tag.tasks() };
        let tasks = assemble(drafts, tag, stay);
        if self.existing == Existing::Replace {
            tag.tasks_mut().clear();
        }
        tag.tasks_mut().extend(tasks.iter().cloned());
        Ok(tasks)
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ParsePrdError> + Send + 'static,
) -> Result<T, ParsePrdError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ParsePrdError::Interrupted)?
}

/// Plans the document.
///
/// Interrupted at any point (the future dropped, the process killed), the work done so far is in
/// `request.saved` and a second call with the same request goes on from there.
///
/// # Errors
/// [`ParsePrdError`]; nothing is invented when the model fails.
pub async fn plan(
    backend: &dyn Backend,
    request: &ParsePrd,
    observer: Observer<'_>,
) -> Result<Plan, ParsePrdError> {
    plan_after(backend, &Before::default(), request, observer).await
}

async fn plan_after(
    backend: &dyn Backend,
    before: &Before,
    request: &ParsePrd,
    observer: Observer<'_>,
) -> Result<Plan, ParsePrdError> {
    let (text, prd) = Prd::from_bytes(&request.document)?;
    let requirements = prd.requirements().count();
    let count = request.count.unwrap_or_else(|| natural_count(requirements));
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(ParsePrdError::Count { requested: count });
    }
    observer(Event::DocumentRead {
        title: prd.title.clone(),
        characters: text.chars().count(),
        requirements,
    });
    let work = Work::divided(backend, request, (&text, &prd), count, observer).await?;
    if let Some(whole) = Whole::new(backend, request, (&text, &work.looked_up), before)? {
        return whole.plan(backend, request, &prd, observer).await;
    }
    let saved = saved::Saved::open(request, &text, (count, &work.looked_up), backend.info())?;
    let session = Session::new(backend, request, &prd, &work, observer)?;
    let rewriting = Rewriting { backend, request, prd: &prd, observer, deadline: session.deadline };
    in_parts(&session, &saved, &rewriting).await
}

/// Plans one task after the other, taking up what is saved.
async fn in_parts(
    session: &Session<'_>,
    saved: &saved::Saved,
    rewriting: &Rewriting<'_>,
) -> Result<Plan, ParsePrdError> {
    let tasks = session.tasks().count();
    (session.observer)(Event::Planning { tasks });
    let titles = saved.titles();
    if !titles.is_empty() {
        (session.observer)(Event::Resumed { tasks_done: titles.len(), tasks });
    }
    *session.titles.lock().await = titles;
    let details = details(session, saved, tasks).await?;
    let tasks = details.into_iter().enumerate();
    let tasks = tasks.map(|(index, it)| it.draft(&session.requirements_of(index))).collect();
    let (mut tasks, mut usage) = rewriting.of(tasks, session.work).await;
    usage += session.usage();
    wait_for_related(&mut tasks);
    without_detours(&mut tasks);
    large::into_subtasks(session, &mut tasks);
    let requirements = session.prd.requirements().count();
    let uncovered = uncovered(session.prd, &tasks);
    Ok(Plan { tasks, requirements, uncovered, usage })
}

/// All that a task says.
fn text_of(it: &Draft) -> String {
    [it.title.as_str(), &it.description, &it.details, &it.test_strategy].join("\n")
}

/// The requirements whose words no task has: looked up in what was made, not in what was meant.
fn uncovered(prd: &Prd, tasks: &[Draft]) -> Vec<String> {
    let texts: Vec<&str> = tasks
        .iter()
        .flat_map(|it| std::iter::once(&it.details).chain(it.subtasks.iter().map(|it| &it.details)))
        .map(String::as_str)
        .collect();
    let missing = |it: &&Unit| !texts.iter().any(|text| text.contains(&it.text));
    prd.requirements().map(|it| it.1).filter(missing).map(|it| it.text.clone()).collect()
}

/// Forgets the saved work of a plan that is safely in its file.
fn forget(backend: &dyn Backend, request: &ParsePrd) -> Result<(), ParsePrdError> {
    let (text, prd) = Prd::from_bytes(&request.document)?;
    let count = request.count.unwrap_or_else(|| natural_count(prd.requirements().count()));
    saved::Saved::open(request, &text, (count, &[]), backend.info())?.remove()
}

/// Writes the tasks that are not saved yet, as many at once as the backend works on.
async fn details(
    session: &Session<'_>,
    saved: &saved::Saved,
    tasks: usize,
) -> Result<Vec<Detail>, ParsePrdError> {
    let write = |index: usize| async move {
        if let Some(detail) = saved.detail(index) {
            return Ok::<_, ParsePrdError>((index, detail));
        }
        let detail = detail::detail(session, index).await?;
        saved.keep_detail(index, &detail)?;
        Ok((index, detail))
    };
    let mut details: Vec<(usize, Detail)> = stream::iter(0..tasks)
        .map(write)
        .buffer_unordered(session.parallel())
        .try_collect()
        .await?;
    details.sort_by_key(|it| it.0);
    Ok(details.into_iter().map(|it| it.1).collect())
}

/// One task for two to three requirements, within what a person can oversee; of a large document
/// one for as many as a model is shown.
fn natural_count(requirements: usize) -> usize {
    if large::is_large(requirements) {
        return requirements.div_ceil(detail::REQUIREMENTS_SHOWN).min(COUNT_MAX);
    }
    (requirements * 2 / 5).clamp(4, 20)
}

#[cfg(test)]
mod tests;
