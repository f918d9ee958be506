//! What a question about tasks tells about the others.
//!
//! Tasks that are named are told in full, then in one line each what they wait for and what is
//! about the same, until the budget is used up. Small models drown in more. Start at [`gather`], or at
//! [`outline`] where the same question is asked about one task after the other.

use tm_llm::backend::Backend;
use tm_tasks::{
    id::TaskId,
    related::{prerequisites, related},
    task::Task,
};

/// What a question is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Topic<'a> {
    /// What the user asked, or what the task says.
    pub words: &'a str,
    /// Tasks and subtasks to tell in full.
    pub named: &'a [TaskId],
    /// The task that the question shows already.
    pub shown: Option<&'a TaskId>,
    /// What all of it may take.
    pub tokens_max: u32,
}

/// What is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// One paragraph a task; empty when there is nothing to tell.
    pub text: String,
    pub tasks: Vec<Told>,
    /// Tasks that were named and had no room.
    pub left_out: Vec<TaskId>,
    pub tokens: u32,
}

/// A task that is told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: TaskId,
    pub title: String,
    /// Of a subtask, the title of its task.
    pub parent_title: Option<String>,
    pub tokens: u32,
    pub characters: usize,
}

/// More related tasks than this only distract.
const RELATED_MAX: usize = 8;

/// Longest texts of others, in characters.
const BRIEF_MAX: usize = 160;
const DETAILS_MAX: usize = 500;
const TEST_MAX: usize = 300;

/// Gathers what fits. A named task that exists in no list of tasks is passed over.
pub fn gather(backend: &dyn Backend, tasks: &[Task], topic: Topic<'_>) -> Context {
    let mut gathering = Gathering { backend, tasks, topic, context: Context::default() };
    for id in topic.named {
        let Some(task) = find(tasks, id) else { continue };
        if !(gathering.tell(&task, &full(&task)) || gathering.tell(&task, &brief(&task))) {
            gathering.context.left_out.push(id.clone());
        }
    }
    let starts: Vec<TaskId> = topic.named.iter().chain(topic.shown).cloned().collect();
    let about = related(tasks, topic.words).into_iter().take(RELATED_MAX);
    for task in prerequisites(tasks, &starts).into_iter().chain(about) {
        gathering.tell(task, &brief(task));
    }
    gathering.context
}

/// The titles of all tasks, which stay the same whichever task is asked about: a model that has
/// read them once need not read them for the next one. None when they are too long.
pub fn outline(backend: &dyn Backend, tasks: &[Task], tokens_max: u32) -> Option<String> {
    let line = |task: &Task| format!("- Task {}: {}", task.id(), task.title());
    let lines: Vec<String> = tasks.iter().map(line).collect();
    let text = lines.join("\n");
    (backend.count_tokens(&text) <= tokens_max).then_some(text)
}

/// One task in one line.
pub fn brief(task: &Task) -> String {
    let line = format!("- Task {} ({}): {}", task.id(), task.status(), task.title());
    match cut(&task.description(), BRIEF_MAX) {
        said if said.is_empty() => line,
        said => format!("{line}. {said}"),
    }
}

/// All that matters about one task.
pub fn full(task: &Task) -> String {
    let mut text = format!("Task {} ({}): {}", task.id(), task.status(), task.title());
    let mut add = |name: &str, said: &str| {
        if !said.is_empty() {
            text.extend(["\n", name, ": ", said]);
        }
    };
    add("Description", task.description().trim());
    add("Details", &cut(&task.details().unwrap_or_default(), DETAILS_MAX));
    add("Test strategy", &cut(&task.test_strategy().unwrap_or_default(), TEST_MAX));
    let dependencies: Vec<String> = task.dependencies().iter().map(ToString::to_string).collect();
    add("Waits for", &dependencies.join(", "));
    let subtask = |it: &Task| format!("\n- {} ({}): {}", it.id(), it.status(), it.title());
    let subtasks: Vec<String> = task.subtasks().iter().map(subtask).collect();
    add("Subtasks", &subtasks.concat());
    text
}

struct Gathering<'a> {
    backend: &'a dyn Backend,
    tasks: &'a [Task],
    topic: Topic<'a>,
    context: Context,
}

impl Gathering<'_> {
    /// Tells about a task where there is room, and says whether it is told about.
    fn tell(&mut self, task: &Task, text: &str) -> bool {
        let id = task.id();
        let context = &mut self.context;
        if self.topic.shown == Some(&id) || context.tasks.iter().any(|it| it.id == id) {
            return true;
        }
        let tokens = self.backend.count_tokens(text);
        if context.tokens + tokens > self.topic.tokens_max {
            return false;
        }
        let characters = text.chars().count();
        context.tokens += tokens;
        let parent = id.is_subtask().then(|| find(self.tasks, &id.parent())).flatten();
        let parent_title = parent.map(|it| it.title());
        context.tasks.push(Told { id, title: task.title(), parent_title, tokens, characters });
        if !context.text.is_empty() {
            context.text.push('\n');
        }
        context.text.push_str(text);
        true
    }
}

fn find(tasks: &[Task], id: &TaskId) -> Option<Task> {
    let task = tasks.iter().find(|it| it.id() == id.parent())?;
    if id.is_subtask() {
        task.subtasks().iter().find(|it| it.id() == *id).cloned()
    } else {
        Some(task.clone())
    }
}

/// The beginning of a text, and a mark where something is missing.
fn cut(text: &str, longest: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or(text).trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
