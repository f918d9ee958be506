//! `add-task`: a request in a few words becomes a task.
//!
//! The model writes the words and names the tasks that the new one uses; id, status and priority
//! are not asked. Start at [`add_task`].

use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::chat::Usage;
use tm_tasks::{
    add::{self, AddedTask, TaskDraft},
    document::Tag,
    id::TaskId,
    related::twin,
    task::Priority,
};

use super::{
    change::{ChangeError, Place, not_added},
    number_or_text, one_of, task_id,
};
use crate::{
    asking::{Asking, Question, Spent, object, text},
    context::{Context, Topic, gather},
    escalation::Grades,
    evaluate::grade,
    event::Event,
    prompts::ADD_TASK,
    research::looked_up::looked_up,
    wording::{sentences, title},
};

/// Longest texts, in characters; the grammar ends a text there.
const TITLE_MAX: usize = 90;
const DESCRIPTION_MAX: usize = 300;
const DETAILS_MAX: usize = 900;
const TEST_MAX: usize = 400;

/// What the user asks for.
#[derive(Debug, Clone)]
pub struct AddTask {
    pub prompt: String,
    pub priority: Priority,
    /// What the task waits for unless the model names something.
    pub dependencies: Vec<TaskId>,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Written {
    pub added: AddedTask,
    /// A task that was there before and has nearly the same title.
    pub twin: Option<(TaskId, String)>,
    pub usage: Usage,
}

/// What the model wrote.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    title: String,
    description: String,
    details: Option<String>,
    test_strategy: Option<String>,
    dependencies: Option<Vec<Value>>,
}

/// Has the task written and adds it.
///
/// # Errors
/// [`ChangeError`]; the file is as it was then.
pub async fn add_task(
    asking: Asking<'_>,
    place: &Place,
    request: &AddTask,
) -> Result<Written, ChangeError> {
    let tag = place.read().await?;
    (asking.observer)(Event::Began { things: 1 });
    let context = gather(
        asking.backend,
        tag.tasks(),
        Topic {
            words: &request.prompt,
            named: &request.dependencies,
            shown: None,
            tokens_max: asking.context_tokens(),
        },
    );
    let spent = Spent::default();
    let question = question(asking, request, &context).await?;
    let answer = asking.best(("the task", question), &spent, read, Answer::grades).await?;
    let (place_there, draft) = (place.clone(), answer.value.draft(request, &tag));
    let twin = twin(tag.tasks(), &draft.title).map(|it| (it.id(), it.title()));
    let command = format!("add-task --prompt={}", request.prompt);
    let added = place
        .commit_scored((command, asking.minimum()), move |file, _| {
            add::add_task(file, &place_there.tag, &draft).map_err(|it| not_added(it, &place_there))
        })
        .await?;
    (asking.observer)(Event::StepDone {
        what: format!("{} {}", added.task.id(), added.task.title()),
        note: answer.repaired.map(|_| "repaired".to_owned()),
    });
    Ok(Written { added, twin, usage: spent.usage() })
}

async fn question(
    asking: Asking<'_>,
    request: &AddTask,
    context: &Context,
) -> Result<Question, ChangeError> {
    let known = context.tasks.iter().filter(|it| !it.id.is_subtask());
    let known: Vec<Value> = known.map(|it| number_or_text(&it.id)).collect();
    let variables = json!({
        "context": context.text,
        "documents": looked_up(&asking, &request.prompt).await?,
        "prompt": request.prompt.trim(),
        "asks_dependencies": !known.is_empty(),
    });
    let mut properties = json!({
        "title": text(8, TITLE_MAX),
        "description": text(20, DESCRIPTION_MAX),
        "details": text(60, DETAILS_MAX),
        "testStrategy": text(20, TEST_MAX),
    });
    if !known.is_empty() {
        // Only what is shown can be named.
        properties["dependencies"] =
            json!({"type": "array", "items": one_of(&known), "maxItems": 4});
    }
    Ok(Question {
        text: asking.prompts.render(ADD_TASK, variables)?,
        schema: object(&properties),
        accepted: json!({"type": "object", "required": ["title", "description"]}),
        temperature: 0.2,
        max_tokens: 700,
    })
}

fn read(value: Value) -> Result<Answer, String> {
    let mut answer: Answer = serde_json::from_value(value).map_err(|it| it.to_string())?;
    answer.title = title(&answer.title, TITLE_MAX);
    answer.description = sentences(&answer.description, DESCRIPTION_MAX);
    for (name, said) in [("title", &answer.title), ("description", &answer.description)] {
        if said.is_empty() {
            return Err(format!("its {name} is empty"));
        }
    }
    Ok(answer)
}

impl Answer {
    fn grades(&self) -> Grades {
        let [details, test] = [&self.details, &self.test_strategy].map(|it| it.as_deref());
        let texts = [&self.title, &self.description, details.unwrap_or(""), test.unwrap_or("")];
        Grades::of([grade(texts)])
    }

    /// What the model names takes the place of what the user named, unless that is nothing.
    fn draft(self, request: &AddTask, tag: &Tag) -> TaskDraft {
        let named = self.dependencies.unwrap_or_default();
        let mut dependencies: Vec<TaskId> =
            named.iter().filter_map(task_id).filter(|it| tag.find(it).is_some()).collect();
        dependencies.sort();
        dependencies.dedup();
        if dependencies.is_empty() {
            dependencies.clone_from(&request.dependencies);
        }
        TaskDraft {
            title: self.title,
            description: self.description,
            details: sentences(&self.details.unwrap_or_default(), DETAILS_MAX),
            test_strategy: sentences(&self.test_strategy.unwrap_or_default(), TEST_MAX),
            priority: request.priority.clone(),
            dependencies,
        }
    }
}

#[cfg(test)]
mod tests;
