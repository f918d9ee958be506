//! Who waits for whom: adding and removing dependencies, and mending what is wrong with them.
//!
//! A plan is sound when every dependency names a task or subtask of its own tag, none waits for
//! itself or for the task that it is a part of, and none waits for its own end in a circle. Start
//! at [`add_dependency`] and [`fix`].

use std::{
    collections::{HashMap, HashSet},
    fmt, iter,
};

use crate::{
    document::{Tag, TaskFile},
    graph::Graph,
    id::TaskId,
    task::Task,
};

/// A dependency that was added or removed, or had no need to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyChange {
    pub task: TaskId,
    pub dependency: TaskId,
    /// False where everything was as it should be already.
    pub has_changed: bool,
}

/// Why a dependency cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DependencyError {
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("task {id} cannot wait for itself")]
    Itself { id: TaskId },
    #[error("subtask {id} cannot wait for the task that it is a part of")]
    OwnTask { id: TaskId },
    #[error("task {task} cannot wait for {dependency}, which waits for it: {}", arrows(chain))]
    Circle { task: TaskId, dependency: TaskId, chain: Vec<TaskId> },
}

/// What is wrong with one dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub task: TaskId,
    /// The dependency as people write it; as the file spells it where it is no id.
    pub dependency: String,
    pub problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    NotAnId,
    Duplicate,
    Missing,
    Itself,
    OwnTask,
    Circle,
}

/// Makes a task or subtask wait for another one.
///
/// The list is sorted, numbers first. A list never says twice that a task waits for another.
pub fn add_dependency(
    file: &mut TaskFile,
    tag: &str,
    id: &TaskId,
    dependency: &TaskId,
) -> Result<DependencyChange, DependencyError> {
    let tag = tag_mut(file, tag)?;
    let target = find(tag, dependency)?;
    let task = find(tag, id)?;
    let change = |has_changed| DependencyChange {
        task: id.clone(),
        dependency: dependency.clone(),
        has_changed,
    };
    if task.dependencies().contains(dependency) {
        return Ok(change(false));
    }
    match own_fault(id, dependency) {
        Some(Problem::Itself) => return Err(DependencyError::Itself { id: id.clone() }),
        Some(_) => return Err(DependencyError::OwnTask { id: id.clone() }),
        None => {}
    }
    if let Some(chain) = Graph::new(tag.tasks()).path(dependency, id) {
        let (task, dependency) = (id.clone(), dependency.clone());
        return Err(DependencyError::Circle { task, dependency, chain });
    }
    let spelled = task.reference_to(&target).to_string();
    tag.change(id, |task| {
        let mut references = owned(task);
        references.push((spelled, Some(dependency.clone())));
        references.sort_by(|one, another| {
            let is_text = |it: &(String, Option<TaskId>)| it.0.starts_with('"');
            is_text(one).cmp(&is_text(another)).then_with(|| one.1.cmp(&another.1))
        });
        set(task, references);
    });
    Ok(change(true))
}

/// Makes a task or subtask wait no longer. The dependency itself need not exist any more.
///
/// In a subtask, a number means the task; where it does not wait for that, the sibling which the
/// list writes so.
pub fn remove_dependency(
    file: &mut TaskFile,
    tag: &str,
    id: &TaskId,
    dependency: &TaskId,
) -> Result<DependencyChange, DependencyError> {
    let tag = tag_mut(file, tag)?;
    let task = find(tag, id)?;
    let there = task.dependencies();
    let sibling = (id.is_subtask() && !dependency.is_subtask())
        .then(|| id.parent().child(dependency.task()))
        .filter(|it| there.contains(it));
    let named = [Some(dependency.clone()), sibling].into_iter().flatten();
    let Some(found) = named.into_iter().find(|it| there.contains(it)) else {
        let (task, dependency) = (id.clone(), dependency.clone());
        return Ok(DependencyChange { task, dependency, has_changed: false });
    };
    tag.change(id, |task| {
        let mut references = owned(task);
        references.retain(|it| it.1.as_ref() != Some(&found));
        set(task, references);
    });
    Ok(DependencyChange { task: id.clone(), dependency: found, has_changed: true })
}

/// What is wrong with the dependencies of these tasks, in their order.
pub fn validate(tasks: &[Task]) -> Vec<Issue> {
    find_faults(tasks).into_iter().map(|it| it.issue).collect()
}

/// Removes every dependency that [`validate`] complains about, and returns what it was.
///
/// Of a circle, the dependency goes in which the task with the lowest id waits for a later one.
pub fn fix(file: &mut TaskFile, tag: &str) -> Result<Vec<Issue>, DependencyError> {
    let tag = tag_mut(file, tag)?;
    let faults = find_faults(tag.tasks());
    let mut positions: HashMap<Place, HashSet<usize>> = HashMap::new();
    for fault in &faults {
        positions.entry(fault.place).or_default().insert(fault.position);
    }
    for (index, task) in tag.tasks_mut().iter_mut().enumerate() {
        let mut subtasks = task.subtasks().to_vec();
        let mut is_mended = false;
        for (place, subtask) in subtasks.iter_mut().enumerate() {
            is_mended |= remove_at(subtask, positions.get(&(index, Some(place))));
        }
        if is_mended {
            task.set_subtasks(&subtasks);
        }
        remove_at(task, positions.get(&(index, None)));
    }
    Ok(faults.into_iter().map(|it| it.issue).collect())
}

/// Where a task is in its list, and a subtask in its task.
type Place = (usize, Option<usize>);

/// An issue, and where it is.
struct Fault {
    place: Place,
    /// In the list of dependencies.
    position: usize,
    issue: Issue,
}

/// A dependency with which nothing is wrong as far as one can see without the others.
struct Edge {
    place: Place,
    position: usize,
    from: TaskId,
    to: TaskId,
}

fn find_faults(tasks: &[Task]) -> Vec<Fault> {
    let all: Vec<(Place, &Task)> = tasks
        .iter()
        .enumerate()
        .flat_map(|(index, task)| {
            let subtasks = task.subtasks().iter().enumerate();
            let subtasks = subtasks.map(move |(place, subtask)| ((index, Some(place)), subtask));
            iter::once(((index, None), task)).chain(subtasks)
        })
        .collect();
    let known: HashSet<TaskId> = all.iter().map(|(_, task)| task.id()).collect();
    let mut faults = Vec::new();
    let mut edges = Vec::new();
    for (place, task) in all {
        let from = task.id();
        let mut seen = HashSet::new();
        for (position, (spelled, to)) in task.references().into_iter().enumerate() {
            let problem = match &to {
                None => Some(Problem::NotAnId),
                Some(to) if !seen.insert(to.clone()) => Some(Problem::Duplicate),
                Some(to) => own_fault(&from, to)
                    .or_else(|| (!known.contains(to)).then_some(Problem::Missing)),
            };
            match (problem, to) {
                (None, Some(to)) => edges.push(Edge { place, position, from: from.clone(), to }),
                (None, None) => {}
                (Some(problem), to) => {
                    let dependency = to.map_or_else(|| spelled.to_owned(), |it| it.to_string());
                    let issue = Issue { task: from.clone(), dependency, problem };
                    faults.push(Fault { place, position, issue });
                }
            }
        }
    }
    faults.extend(find_circles(edges));
    faults.sort_by_key(|it| (it.place, it.position));
    faults
}

/// The dependencies without which there would be no circle.
fn find_circles(mut edges: Vec<Edge>) -> Vec<Fault> {
    let mut faults = Vec::new();
    loop {
        let mut lists: Vec<(TaskId, Vec<TaskId>)> = Vec::new();
        let mut places: HashMap<&TaskId, usize> = HashMap::new();
        for edge in &edges {
            let place = *places.entry(&edge.from).or_insert(lists.len());
            match lists.get_mut(place) {
                Some((_, list)) => list.push(edge.to.clone()),
                None => lists.push((edge.from.clone(), vec![edge.to.clone()])),
            }
        }
        let weakest: HashSet<(TaskId, TaskId)> =
            Graph::of_edges(lists).cycles().iter().filter_map(|it| weakest(it)).collect();
        if weakest.is_empty() {
            return faults;
        }
        let (broken, rest): (Vec<Edge>, Vec<Edge>) =
            edges.into_iter().partition(|it| weakest.contains(&(it.from.clone(), it.to.clone())));
        edges = rest;
        faults.extend(broken.into_iter().map(|edge| Fault {
            place: edge.place,
            position: edge.position,
            issue: Issue {
                task: edge.from,
                dependency: edge.to.to_string(),
                problem: Problem::Circle,
            },
        }));
    }
}

/// Of a circle, the lowest task that waits for a later one. Plans are made in order, so that is
/// where somebody most likely went wrong.
fn weakest(circle: &[TaskId]) -> Option<(TaskId, TaskId)> {
    let next = circle.iter().cycle().skip(1);
    let forward = circle.iter().zip(next).filter(|(from, to)| from < to);
    forward.min().map(|(from, to)| (from.clone(), to.clone()))
}

/// What one can tell without looking at any other task.
fn own_fault(from: &TaskId, to: &TaskId) -> Option<Problem> {
    if from == to {
        Some(Problem::Itself)
    } else if from.is_subtask() && from.parent() == *to {
        Some(Problem::OwnTask)
    } else {
        None
    }
}

fn remove_at(task: &mut Task, positions: Option<&HashSet<usize>>) -> bool {
    let Some(positions) = positions else { return false };
    let references = owned(task).into_iter().enumerate();
    let kept = references.filter(|(position, _)| !positions.contains(position));
    set(task, kept.map(|it| it.1).collect());
    true
}

fn owned(task: &Task) -> Vec<(String, Option<TaskId>)> {
    task.references().into_iter().map(|(spelled, id)| (spelled.to_owned(), id)).collect()
}

fn set(task: &mut Task, references: Vec<(String, Option<TaskId>)>) {
    let spelled: Vec<String> = references.into_iter().map(|it| it.0).collect();
    task.set_references(&spelled);
}

fn tag_mut<'a>(file: &'a mut TaskFile, tag: &str) -> Result<&'a mut Tag, DependencyError> {
    file.tag_mut(tag).ok_or_else(|| DependencyError::NoTag { tag: tag.to_owned() })
}

fn find(tag: &Tag, id: &TaskId) -> Result<Task, DependencyError> {
    let no_task = || DependencyError::NoTask { id: id.clone(), tag: tag.name().to_owned() };
    tag.find(id).ok_or_else(no_task)
}

fn arrows(chain: &[TaskId]) -> String {
    chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → ")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotAnId => "is not an id",
            Self::Duplicate => "is there twice",
            Self::Missing => "does not exist",
            Self::Itself => "is the task itself",
            Self::OwnTask => "is the task that it is a part of",
            Self::Circle => "closes a circle",
        })
    }
}

#[cfg(test)]
mod tests;
