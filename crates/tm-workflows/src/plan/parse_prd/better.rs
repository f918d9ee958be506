//! Tasks of a plan that are below the minimum, written again by whoever may do better.
//!
//! A task keeps what it is about, its place in the plan and what it waits for. A title that another
//! task has, or may get, is not taken over. Start at [`Rewriting::of`].

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use tm_llm::{backend::Backend, chat::Usage};
use tm_tasks::{
    plan::{alike, assemble::Draft, coverage::coverage, parts::Part},
    prd::Prd,
};

use super::{ParsePrd, ParsePrdError, Session, detail, large, text_of, work::Work};
use crate::{escalation::Grades, evaluate::grade, event::Observer};

/// A plan that may be written better.
pub(super) struct Rewriting<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) request: &'a ParsePrd,
    pub(super) prd: &'a Prd,
    pub(super) observer: Observer<'a>,
    /// Until when.
    pub(super) deadline: Instant,
}

impl Rewriting<'_> {
    /// The tasks, the weak ones rewritten where somebody does better, and what that took.
    pub(super) async fn of(&self, mut drafts: Vec<Draft>, work: &Work) -> (Vec<Draft>, Usage) {
        let spent = Mutex::new(Usage::default());
        let Some(escalation) = &self.request.escalation else { return (drafts, Usage::default()) };
        let before = drafts.clone();
        let titles = drafts.iter().map(|it| it.title.clone()).enumerate();
        // Which answer is kept is not known while others are written.
        let titles: Mutex<Vec<(usize, String)>> = Mutex::new(titles.collect());
        let ask = async |backend: &dyn Backend, index: usize, fault: &'static str| {
            let session = Session::new(backend, self.request, self.prd, work, self.observer)?;
            let session = Session { deadline: self.deadline, ..session };
            let before = before.get(index).cloned().unwrap_or_default();
            let requirements = session.requirements_of(index);
            let mut about = large::shown(&session, index);
            if about.is_empty() {
                about.push(before.description.clone());
            }
            let mut detail = detail::again(&session, index, &about, fault).await?;
            *spent.lock().unwrap_or_else(PoisonError::into_inner) += session.usage();
            let mut titles = titles.lock().unwrap_or_else(PoisonError::into_inner);
            if titles.iter().any(|it| it.0 != index && alike(&it.1, &detail.title)) {
                detail.title.clone_from(&before.title);
            }
            titles.push((index, detail.title.clone()));
            let (after, after_existing) = (before.after, before.after_existing);
            Ok::<_, ParsePrdError>(Draft { after, after_existing, ..detail.draft(&requirements) })
        };
        let asked = (self.backend, self.observer);
        escalation.improve(asked, &mut drafts, grades, ask).await;
        let spent = *spent.lock().unwrap_or_else(PoisonError::into_inner);
        (drafts, spent)
    }
}

fn grades(draft: &Draft) -> Grades {
    let Draft { title, description, details, test_strategy, .. } = draft;
    Grades::of([grade([title, description, details, test_strategy])])
}

/// The work of a plan that was made in one answer: each task with the requirements that it has
/// most of.
pub(super) fn work(prd: &Prd, drafts: &[Draft]) -> Work {
    let texts: Vec<String> = drafts.iter().map(text_of).collect();
    let requirements = coverage(prd, &texts);
    let units = |task: usize| {
        let own =
            requirements.iter().filter(|it| it.matches.first().is_some_and(|it| it.task == task));
        own.map(|it| it.unit).collect()
    };
    let parts = (0..drafts.len()).map(|it| Part { units: units(it), tasks: 1 }).collect();
    let beginnings = drafts.iter().map(|it| it.title.clone()).collect();
    Work { parts, beginnings, pieces: Vec::new(), looked_up: vec![String::new(); drafts.len()] }
}

#[cfg(test)]
mod tests;
