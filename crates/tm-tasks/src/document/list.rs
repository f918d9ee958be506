//! The list of tasks of one tag, which stays text until somebody looks into it.
//!
//! A file may have fifty tags, and most commands look into one. The others are carried over as
//! they are. What a tag is, is not known here. Start at [`List`].

use std::sync::{Arc, OnceLock};

use crate::{
    json::{Layout, Part, Piece},
    task::Task,
};

/// Tasks, as their file has them or as they are by now.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    /// What the file says, unless it is outdated.
    text: Option<Piece>,
    /// What the text says, once somebody has asked; of a copy it is the same.
    read: Arc<OnceLock<Vec<Task>>>,
    /// The tasks, once the text is outdated.
    changed: Vec<Task>,
}

impl List {
    /// A list as a file spells it.
    pub(super) fn of(list: Part<'_>) -> Self {
        Self { text: Some(list.keep()), ..Self::default() }
    }

    /// The length of what the file says, unless it is outdated.
    pub(super) fn text_len(&self) -> usize {
        self.text.as_ref().map_or(0, |it| it.part().text().len())
    }

    pub(super) fn tasks(&self) -> &[Task] {
        match &self.text {
            Some(text) => self.read.get_or_init(|| parse(text)),
            None => &self.changed,
        }
    }

    pub(super) fn tasks_mut(&mut self) -> &mut Vec<Task> {
        if let Some(text) = self.text.take() {
            self.changed = self.read.get_or_init(|| parse(&text)).clone();
        }
        &mut self.changed
    }

    pub(super) fn lay_out(&self, layout: &mut Layout) {
        if let Some(text) = &self.text {
            layout.push_part(text.part());
            return;
        }
        layout.push("[");
        for (index, task) in self.changed.iter().enumerate() {
            if index > 0 {
                layout.push(",");
            }
            task.lay_out(layout);
        }
        layout.push("]");
    }
}

impl From<Vec<Task>> for List {
    fn from(changed: Vec<Task>) -> Self {
        Self { changed, ..Self::default() }
    }
}

/// The same text says the same, and need not be read to be compared.
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&Piece, &Piece)| {
            one.is(other) || one.part().text() == other.part().text()
        };
        self.text.as_ref().zip(other.text.as_ref()).is_some_and(is_same)
            || self.tasks() == other.tasks()
    }
}

impl Eq for List {}

fn parse(list: &Piece) -> Vec<Task> {
    list.unfold().part().elements().map(|it| Task::of(it, None)).collect()
}
