//! What a workflow tells those who watch it: one enum for terminals, agents and pages.

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The document was read.
    DocumentRead { title: String, characters: usize, requirements: usize },
    /// Work of an interrupted run was found and is used.
    Resumed { tasks_done: usize, tasks: usize },
    /// The model began to read the document and to write this many tasks.
    Planning { tasks: usize },
    /// A task is complete. `number` counts from 1 in the order of the plan.
    TaskWritten { number: usize, title: String, repaired: bool },
    /// Work on some things began, such as tasks to divide.
    Began { things: usize },
    /// One of them is done; `note` says what was unusual about it.
    StepDone { what: String, note: Option<String> },
    /// One of them failed, and the others go on.
    StepFailed { what: String, reason: String },
    /// What people shall know of how the work is done: where something was looked up, or what had to
    /// be done without.
    Note { text: String },
    /// A piece of an answer that people read while it is written.
    Text { text: String },
    /// The model wrote tokens; counts all answers under way.
    Tokens { count: u32 },
}

/// Who is told. Called from the workflow's own task, so it must not block.
pub type Observer<'a> = &'a (dyn Fn(Event) + Send + Sync);
