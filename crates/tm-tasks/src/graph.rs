//! What depends on what, and what to do next.
//!
//! Pure questions about one list of tasks. Start at [`next_task`] and [`Graph`].

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet, VecDeque},
    iter,
};

use rustc_hash::FxHashMap;

use crate::{
    id::TaskId,
    status::Status,
    task::{Priority, Task},
};

/// The task or subtask to work on next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextTask {
    pub task: Task,
    /// Its own, for a subtask without one that of its task, else medium.
    pub priority: Priority,
}

/// The dependencies of one list of tasks, looked up both ways.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    edges: Vec<(TaskId, Vec<TaskId>)>,
    /// Every task and subtask, and whether it is done or cancelled.
    is_complete: FxHashMap<TaskId, bool>,
    dependents: FxHashMap<TaskId, Vec<TaskId>>,
}

/// A dependency on a task that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingDependency {
    pub task: TaskId,
    pub dependency: TaskId,
}

/// What to work on next: a subtask of a task in progress, else a task whose dependencies are all
/// done. Higher priority first, then fewer dependencies, then the lower id.
///
/// Only `done` unblocks here, not `cancelled`.
pub fn next_task(tasks: &[Task]) -> Option<NextTask> {
    let pool = tasks
        .iter()
        .filter(|it| matches!(it.status(), Status::Pending | Status::InProgress | Status::Done));
    let pool: Vec<(&Task, &[Task])> = pool.map(|it| (it, it.subtasks())).collect();
    let all = pool.iter().flat_map(|(task, subtasks)| subtasks.iter().chain([*task]));
    let done: HashSet<TaskId> =
        all.filter(|it| it.status() == Status::Done).map(Task::id).collect();
    let in_progress = pool.iter().filter(|(task, _)| task.status() == Status::InProgress);
    let subtasks = in_progress.flat_map(|(task, subtasks)| {
        subtasks.iter().map(|it| candidate(it, it.priority().or_else(|| task.priority())))
    });
    let tasks = pool.iter().map(|(task, _)| candidate(task, task.priority()));
    let is_done = |id: &TaskId| done.contains(id);
    first(subtasks, is_done).or_else(|| first(tasks, is_done))
}

/// What agents are told to work on next: the same, but what old files call completed counts as
/// done, and a task waits for subtasks whatever their task is up to.
pub fn next_task_of_clients(tasks: &[Task]) -> Option<NextTask> {
    let all = tasks.iter().flat_map(|it| it.subtasks().iter().chain([it]));
    let done: HashSet<TaskId> = all.filter(|it| it.status().is_done()).map(Task::id).collect();
    let in_progress = tasks.iter().filter(|it| it.status() == Status::InProgress);
    let subtasks = in_progress.flat_map(|task| {
        let priority = |it: &Task| it.priority().or_else(|| task.priority());
        task.subtasks().iter().map(move |it| candidate(it, priority(it)))
    });
    let is_done = |id: &TaskId| done.contains(id);
    first(subtasks, is_done)
        .or_else(|| first(tasks.iter().map(|it| candidate(it, it.priority())), is_done))
}

/// What `list` recommends: tasks only, and what is cancelled unblocks too.
pub fn recommended_task(tasks: &[Task], graph: &Graph) -> Option<NextTask> {
    let is_complete = |id: &TaskId| graph.is_complete(id) == Some(true);
    first(tasks.iter().map(|it| candidate(it, it.priority())), is_complete)
}

impl Graph {
    pub fn new(tasks: &[Task]) -> Self {
        let mut graph = Self::default();
        let count = tasks.iter().map(|it| 1 + it.subtasks().len()).sum();
        graph.edges.reserve(count);
        graph.is_complete.reserve(count);
        for task in tasks.iter().flat_map(|it| iter::once(it).chain(it.subtasks())) {
            let id = task.id();
            let dependencies = unique(task.dependencies().to_vec());
            if !id.is_subtask() {
                for dependency in &dependencies {
                    graph.dependents.entry(dependency.clone()).or_default().push(id.clone());
                }
            }
            *graph.is_complete.entry(id.clone()).or_default() |= task.status().is_complete();
            graph.edges.push((id, dependencies));
        }
        graph
    }

    /// The top-level tasks that wait for this one, in the order of the list.
    pub fn dependents(&self, id: &TaskId) -> &[TaskId] {
        self.dependents.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether a task or subtask is done or cancelled; nothing for one that does not exist.
    pub fn is_complete(&self, id: &TaskId) -> Option<bool> {
        self.is_complete.get(id).copied()
    }

    /// Whether at least one task waits for this one.
    pub fn is_blocking(&self, task: &Task) -> bool {
        !self.dependents(&task.id()).is_empty()
    }

    /// Whether work on it can go on: pending, in progress or in review, and all that it depends
    /// on is done or cancelled.
    pub fn is_ready(&self, task: &Task) -> bool {
        let is_open =
            matches!(task.status(), Status::Pending | Status::InProgress | Status::Review);
        is_open && self.is_unblocked(task)
    }

    /// Whether all that it depends on is done or cancelled.
    pub fn is_unblocked(&self, task: &Task) -> bool {
        task.dependencies().iter().all(|it| self.is_complete(it) == Some(true))
    }

    /// Dependencies on what does not exist.
    pub fn missing(&self) -> Vec<MissingDependency> {
        let pairs = self.edges.iter().flat_map(|(id, dependencies)| {
            dependencies.iter().map(move |dependency| (id, dependency))
        });
        pairs
            .filter(|(_, dependency)| self.is_complete(dependency).is_none())
            .map(|(task, dependency)| MissingDependency {
                task: task.clone(),
                dependency: dependency.clone(),
            })
            .collect()
    }

    /// A chain of dependencies from one task to another, both included.
    pub fn path(&self, from: &TaskId, to: &TaskId) -> Option<Vec<TaskId>> {
        let edges: HashMap<&TaskId, &[TaskId]> =
            self.edges.iter().map(|(id, dependencies)| (id, dependencies.as_slice())).collect();
        let mut came_from = HashMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        while let Some(id) = queue.pop_front() {
            if id == to {
                let back = iter::successors(Some(id), |it| came_from.get(it).copied().flatten());
                let mut path: Vec<TaskId> = back.cloned().collect();
                path.reverse();
                return Some(path);
            }
            for next in edges.get(id).copied().unwrap_or_default() {
                if !came_from.contains_key(next) {
                    came_from.insert(next, Some(id));
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// A graph of nothing but dependencies.
    pub(crate) fn of_edges(edges: Vec<(TaskId, Vec<TaskId>)>) -> Self {
        Self { edges, ..Self::default() }
    }

    /// Circles of dependencies, each as the ids along it, the last of which waits for the first.
    /// Without those last dependencies there would be no circle at all.
    pub fn cycles(&self) -> Vec<Vec<TaskId>> {
        let edges: HashMap<&TaskId, &[TaskId]> =
            self.edges.iter().map(|(id, dependencies)| (id, dependencies.as_slice())).collect();
        let mut search = CycleSearch { edges, finished: HashSet::new(), cycles: Vec::new() };
        for (id, _) in &self.edges {
            search.walk(id);
        }
        search.cycles
    }
}

/// A depth-first walk with a stack of its own: chains may be longer than a thread's stack is deep.
struct CycleSearch<'a> {
    edges: HashMap<&'a TaskId, &'a [TaskId]>,
    finished: HashSet<&'a TaskId>,
    cycles: Vec<Vec<TaskId>>,
}

impl<'a> CycleSearch<'a> {
    fn walk(&mut self, start: &'a TaskId) {
        let mut path: Vec<(&'a TaskId, &'a [TaskId])> = Vec::new();
        let mut on_path: HashSet<&'a TaskId> = HashSet::new();
        let mut entering = Some(start);
        loop {
            if let Some(id) = entering.take()
                && !self.finished.contains(id)
            {
                if on_path.insert(id) {
                    path.push((id, self.edges.get(id).copied().unwrap_or_default()));
                } else {
                    let ring = path.iter().map(|(it, _)| *it).skip_while(|it| *it != id);
                    self.cycles.push(ring.cloned().collect());
                }
            }
            let Some((id, rest)) = path.last_mut() else { return };
            if let Some((next, others)) = rest.split_first() {
                *rest = others;
                entering = Some(next);
            } else {
                on_path.remove(id);
                self.finished.insert(id);
                path.pop();
            }
        }
    }
}

struct Candidate<'a> {
    task: &'a Task,
    priority: Priority,
    dependencies: &'a [TaskId],
}

fn candidate(task: &Task, priority: Option<Priority>) -> Candidate<'_> {
    let priority = priority.unwrap_or(Priority::Medium);
    Candidate { task, priority, dependencies: task.dependencies() }
}

fn first<'a>(
    candidates: impl Iterator<Item = Candidate<'a>>,
    is_complete: impl Fn(&TaskId) -> bool,
) -> Option<NextTask> {
    candidates
        .filter(|it| matches!(it.task.status(), Status::Pending | Status::InProgress))
        .filter(|it| it.dependencies.iter().all(&is_complete))
        .min_by_key(|it| (Reverse(it.priority.rank()), it.dependencies.len(), it.task.id()))
        .map(|it| NextTask { task: it.task.clone(), priority: it.priority })
}

/// Up to so many elements a list is looked through sooner than hashed.
const SHORT: usize = 8;

fn unique(ids: Vec<TaskId>) -> Vec<TaskId> {
    // Of the short lists that nearly all are, none repeats anything.
    let repeats = |(at, id): (usize, &TaskId)| ids.iter().take(at).any(|it| it == id);
    if ids.len() < SHORT && !ids.iter().enumerate().any(repeats) {
        return ids;
    }
    let mut seen = HashSet::new();
    ids.into_iter().filter(|it| seen.insert(it.clone())).collect()
}

#[cfg(test)]
mod tests;
