//! The plan that the product makes of a pair's document now.
//!
//! Asked for as the baseline was: as many tasks, in the same language.

use std::time::Duration;

use tm_llm::backend::Backend;
use tm_tasks::{
    document::{MASTER, TaskFile},
    plan::assemble::assemble,
    task::{Priority, Task},
    timestamp::Timestamp,
};

use super::Pair;
use crate::{
    event::Observer,
    language::called,
    plan::parse_prd::{ParsePrd, ParsePrdError, plan},
    prompts::Prompts,
};

/// As many tasks as `parse-prd` makes at once.
const COUNT_MAX: usize = 100;

/// A task file with the plan.
///
/// # Errors
/// When the model makes none.
pub async fn make_plan(
    backend: &dyn Backend,
    pair: &Pair,
    timeout: Duration,
    observer: Observer<'_>,
) -> Result<TaskFile, ParsePrdError> {
    let language = pair.plan_language.as_deref().unwrap_or("en");
    let language = called(language).map_or(language, |it| it.name);
    let request = ParsePrd {
        document: pair.document.clone().into_bytes(),
        count: Some(pair.baseline.len().min(COUNT_MAX)),
        language: language.to_owned(),
        prompts: Prompts::default(),
        priority: Priority::Medium,
        timeout,
        saved: None,
        documents: None,
        escalation: None,
    };
    let drafts = plan(backend, &request, observer).await?.tasks;
    let mut file = TaskFile::default();
    let tag = file.tag_or_create(MASTER, Timestamp::now())?;
    let tasks: Vec<Task> = assemble(&drafts, tag, &[]);
    tag.tasks_mut().extend(tasks);
    Ok(file)
}

#[cfg(test)]
mod tests;
