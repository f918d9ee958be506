//! Answers that are not good enough: who is asked next, and which answer is kept.
//!
//! The model that answered is asked once more, then those who may do better, one after the other.
//! Only what is below the minimum is asked for again, and the better answer is kept, by the score
//! that the journal has. Whoever fails changes nothing. Who may be asked is decided elsewhere.
//! Start at [`Escalation`].

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt as _, stream};
use tm_llm::backend::Backend;
use tm_tasks::store::TaskQuality;

use crate::{
    evaluate::Grade,
    event::{Event, Observer},
};

/// What tasks are to reach, and who is asked when they do not.
#[derive(Debug)]
pub struct Escalation {
    /// In percent, for each task.
    pub minimum: u8,
    /// After the model that answered, in this order.
    pub others: Vec<Other>,
    below: Mutex<Vec<Below>>,
}

/// Somebody who may do better; opened when that is needed.
#[derive(Debug)]
pub struct Other {
    name: String,
    backend: Arc<dyn Backend>,
    is_out: AtomicBool,
}

/// What did not reach the minimum in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    pub what: String,
    pub percent: u8,
}

/// How well the tasks of one answer are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grades(Vec<Grade>);

impl Escalation {
    pub fn new(minimum: u8, others: Vec<Other>) -> Self {
        Self { minimum, others, below: Mutex::default() }
    }

    /// What did not reach the minimum in the end, plans aside.
    pub fn below(&self) -> Vec<Below> {
        self.below.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of an answer that nobody is asked about any more.
    pub(crate) fn settle(&self, what: &str, grades: &Grades) {
        if let Some(weakest) = grades.weakest().filter(|it| it.percent < self.minimum) {
            let below = Below { what: what.to_owned(), percent: weakest.percent };
            self.below.lock().unwrap_or_else(PoisonError::into_inner).push(below);
        }
    }

    /// Has those of `answers` written again that are below the minimum, and keeps the better ones.
    /// `ask` is told who is asked, for which of them, and what is wrong with it.
    pub(crate) async fn improve<T, E: fmt::Display>(
        &self,
        (backend, observer): (&dyn Backend, Observer<'_>),
        answers: &mut [T],
        grades: impl Fn(&T) -> Grades,
        ask: impl AsyncFn(&dyn Backend, usize, &'static str) -> Result<T, E>,
    ) {
        let others = self.others.iter().map(Some);
        for other in std::iter::once(None).chain(others) {
            let weak = weak(answers.iter().map(&grades), self.minimum);
            if weak.is_empty() {
                return;
            }
            let (name, backend) = match other {
                None => (backend.info().model.as_str(), backend),
                Some(other) if other.is_ready(observer).await => {
                    (other.name.as_str(), &*other.backend)
                }
                Some(_) => continue,
            };
            let (count, minimum) = (weak.len(), self.minimum);
            let text = format!("{count} below {minimum} %: {name} is asked again");
            observer(Event::Note { text });
            let again = weak.into_iter().map(|(index, fault)| {
                let answer = ask(backend, index, fault);
                async move { (index, answer.await) }
            });
            let parallel = usize::try_from(backend.info().parallel).unwrap_or(1).max(1);
            let mut results = stream::iter(again).buffer_unordered(parallel);
            let mut failed = None;
            while let Some((index, result)) = results.next().await {
                match (result, answers.get_mut(index)) {
                    (Ok(answer), Some(best)) if grades(&answer).is_better(&grades(best)) => {
                        *best = answer;
                    }
                    (Ok(_), _) => {}
                    (Err(error), _) => drop(failed.get_or_insert(error)),
                }
            }
            if let Some(error) = failed {
                let text = format!("warning: what there was is kept, because {error}");
                observer(Event::Note { text });
            }
        }
    }
}

impl Other {
    pub fn new(name: String, backend: Arc<dyn Backend>) -> Self {
        Self { name, backend, is_out: AtomicBool::new(false) }
    }

    /// Loads it or connects to it. Whoever cannot be reached once is not tried again.
    async fn is_ready(&self, observer: Observer<'_>) -> bool {
        if self.is_out.load(Ordering::Relaxed) {
            return false;
        }
        let Err(error) = self.backend.prepare().await else { return true };
        if !self.is_out.swap(true, Ordering::Relaxed) {
            let text = format!("warning: {} cannot be asked: {error}", self.name);
            observer(Event::Note { text });
        }
        false
    }
}

impl Grades {
    pub(crate) fn of(tasks: impl IntoIterator<Item = Grade>) -> Self {
        Self(tasks.into_iter().collect())
    }

    fn weakest(&self) -> Option<&Grade> {
        self.0.iter().min_by_key(|it| it.percent)
    }

    fn sum(&self) -> usize {
        self.0.iter().map(|it| usize::from(it.percent)).sum()
    }

    /// By the mean of its tasks, as the journal has it. An answer without tasks is never better.
    fn is_better(&self, other: &Self) -> bool {
        self.sum() * other.0.len().max(1) > other.sum() * self.0.len().max(1)
    }
}

impl From<&TaskQuality> for Below {
    fn from(quality: &TaskQuality) -> Self {
        Self { what: format!("task {}", quality.id), percent: quality.percent }
    }
}

/// What is below the minimum, in a line.
pub fn below_threshold(below: &[Below], minimum: u8) -> Option<String> {
    let each = below.iter().map(|it| format!("{} ({} %)", it.what, it.percent));
    let each: Vec<String> = each.collect();
    let names = each.join(", ");
    (!below.is_empty()).then(|| format!("quality below threshold ({minimum} %): {names}"))
}

/// Those that are below the minimum, and what is weakest about each.
fn weak(answers: impl IntoIterator<Item = Grades>, minimum: u8) -> Vec<(usize, &'static str)> {
    let answers = answers.into_iter().enumerate();
    let weak = answers.filter_map(|(index, it)| {
        it.weakest().filter(|it| it.percent < minimum).map(|it| (index, it.fault))
    });
    weak.collect()
}

#[cfg(test)]
mod tests;
