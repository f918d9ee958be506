//! What is wrong with a document, or with a tree that was made of one.
//!
//! A tree is not believed to be what its maker says: everything that must hold is looked up again.
//! Start at [`of_tree`] and [`of_document`].

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    DEPTH_MAX, Node, Tree,
    folder::{Coverage, coverage},
};
use crate::prd::{Origin, Prd, Span, UnitKind};

/// Something that must hold and does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault {
    #[error("there is no node")]
    Empty,
    #[error("the id {id} is there {count} times")]
    RepeatedId { id: String, count: usize },
    #[error("node {node} is at depth {depth}, and not the {expected} that its id says")]
    WrongDepth { node: String, depth: usize, expected: usize },
    #[error("node {node} is at depth {depth}: trees have at most {DEPTH_MAX}")]
    TooDeep { node: String, depth: usize },
    #[error("node {node} has a child {child}, which is not there")]
    NoChild { node: String, child: String },
    #[error("node {node} belongs to no other node")]
    NoParent { node: String },
    #[error("the children of node {node} leave out {requirement}")]
    LeftOut { node: String, requirement: String },
    #[error("node {node} has {requirement}, which its parent does not have")]
    Foreign { node: String, requirement: String },
    #[error("{requirement} is in {nodes}")]
    SeveralOwners { requirement: String, nodes: String },
    #[error("no leaf has {requirement}: {text}")]
    NoOwner { requirement: String, text: String },
    #[error("node {node} is as large as its parent")]
    NotSmaller { node: String },
    #[error("node {node} has no requirement")]
    NothingToDo { node: String },
    #[error("node {node} has no title")]
    NoTitle { node: String },
    #[error("node {node} has no children, and nothing says why")]
    NoStop { node: String },
    #[error("node {node} waits for {other}, which is no leaf")]
    WaitsForNone { node: String, other: String },
    #[error("node {node} can never begin: what it waits for waits in a circle")]
    Circle { node: String },
    #[error("{requirement} is not at bytes {} to {} of the document: {text}", span.start, span.end)]
    Moved { requirement: String, span: Span, text: String },
    #[error("the document says what no node has: {text}")]
    NotInTree { text: String },
    #[error("coverage.json is not about this tree")]
    OtherCoverage,
}

/// Something a reader of a document would stumble over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    #[error("bytes {} to {}: {first} says the same: {text}", span.start, span.end)]
    Repeated { span: Span, first: String, text: String },
    #[error("nothing stands below the heading “{title}”")]
    EmptySection { title: String },
    #[error("{count} headings are “{title}” in the same place")]
    RepeatedHeading { title: String, count: usize },
    #[error("no requirement is in it")]
    NothingRequired,
}

/// All that is wrong with a tree, which is compared with its document where that is there.
pub fn of_tree(tree: &Tree, document: Option<(&Prd, &Origin)>) -> Vec<TreeFault> {
    if tree.nodes.is_empty() {
        return vec![TreeFault::Empty];
    }
    let nodes: HashMap<&str, &Node> = tree.nodes.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut faults = repeated_ids(tree);
    for node in &tree.nodes {
        faults.extend(node_faults(node, &nodes));
        faults.extend(division_faults(node, &nodes));
    }
    faults.extend(owner_faults(tree));
    faults.extend(circles(tree));
    if let Some((prd, origin)) = document {
        faults.extend(against_document(tree, prd, origin));
    }
    faults
}

/// Whether what the folder says is covered is what is.
pub fn of_coverage(tree: &Tree, said: &Coverage) -> Option<TreeFault> {
    (coverage(tree) != *said).then_some(TreeFault::OtherCoverage)
}

/// All that is wrong with a document.
pub fn of_document(prd: &Prd, origin: &Origin) -> Vec<DocumentFault> {
    let mut faults = Vec::new();
    if prd.requirements().next().is_none() {
        faults.push(DocumentFault::NothingRequired);
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (position, (_, unit)) in prd.requirements().enumerate() {
        let flat = unit.text.to_lowercase();
        match seen.get(&flat) {
            Some(first) => faults.push(DocumentFault::Repeated {
                span: origin.span(&unit.span),
                first: format!("R{}", first + 1),
                text: unit.text.clone(),
            }),
            None => {
                seen.insert(flat, position);
            }
        }
    }
    faults.extend(empty_sections(prd));
    faults.extend(repeated_headings(prd));
    faults
}

fn empty_sections(prd: &Prd) -> impl Iterator<Item = DocumentFault> {
    let has_units: HashSet<usize> = prd.units.iter().map(|it| it.section).collect();
    let is_parent: HashSet<usize> = prd.sections.iter().filter_map(|it| it.parent).collect();
    prd.sections
        .iter()
        .enumerate()
        .filter(move |(at, it)| {
            !it.title.is_empty() && !has_units.contains(at) && !is_parent.contains(at)
        })
        .map(|(_, it)| DocumentFault::EmptySection { title: it.title.clone() })
}

fn repeated_headings(prd: &Prd) -> Vec<DocumentFault> {
    let mut order = Vec::new();
    let mut count: HashMap<(Option<usize>, &str), usize> = HashMap::new();
    for section in prd.sections.iter().filter(|it| !it.title.is_empty()) {
        let place = (section.parent, section.title.as_str());
        let count = count.entry(place).or_default();
        *count += 1;
        if *count == 2 {
            order.push(place);
        }
    }
    let fault = |place: (Option<usize>, &str)| DocumentFault::RepeatedHeading {
        title: place.1.to_owned(),
        count: count.get(&place).copied().unwrap_or_default(),
    };
    order.into_iter().map(fault).collect()
}

fn repeated_ids(tree: &Tree) -> Vec<TreeFault> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    let ids = tree.nodes.iter().map(|it| &it.id);
    let ids: Vec<&String> = ids.chain(tree.requirements.iter().map(|it| &it.id)).collect();
    for id in &ids {
        *count.entry(id.as_str()).or_default() += 1;
    }
    let mut told = HashSet::new();
    ids.into_iter()
        .filter_map(|id| {
            let count = count.get(id.as_str()).copied().filter(|it| *it > 1)?;
            told.insert(id).then(|| TreeFault::RepeatedId { id: id.clone(), count })
        })
        .collect()
}

/// What is wrong with a node by itself and among the others.
fn node_faults(node: &Node, nodes: &HashMap<&str, &Node>) -> Vec<TreeFault> {
    let id = || node.id.clone();
    let expected = node.id.split('.').count();
    let mut faults = Vec::new();
    if node.depth != expected {
        faults.push(TreeFault::WrongDepth { node: id(), depth: node.depth, expected });
    }
    if node.depth.max(expected) > DEPTH_MAX {
        faults.push(TreeFault::TooDeep { node: id(), depth: node.depth.max(expected) });
    }
    if node.requirements.is_empty() {
        faults.push(TreeFault::NothingToDo { node: id() });
    }
    if node.title.trim().is_empty() {
        faults.push(TreeFault::NoTitle { node: id() });
    }
    if node.children.is_empty() && node.stop.is_none() {
        faults.push(TreeFault::NoStop { node: id() });
    }
    if let Some((parent, _)) = node.id.rsplit_once('.') {
        let parent = nodes.get(parent);
        if !parent.is_some_and(|it| it.children.contains(&node.id)) {
            faults.push(TreeFault::NoParent { node: id() });
        }
        if parent.is_some_and(|it| it.requirements.len() <= node.requirements.len()) {
            faults.push(TreeFault::NotSmaller { node: id() });
        }
    }
    for other in &node.depends_on {
        if !nodes.get(other.as_str()).is_some_and(|it| it.children.is_empty()) {
            faults.push(TreeFault::WaitsForNone { node: id(), other: other.clone() });
        }
    }
    faults
}

/// Whether the children of a node have its requirements, all of them and no others.
fn division_faults(node: &Node, nodes: &HashMap<&str, &Node>) -> Vec<TreeFault> {
    let mut faults = Vec::new();
    let own: HashSet<&String> = node.requirements.iter().collect();
    let mut given: HashSet<&String> = HashSet::new();
    for child in &node.children {
        let Some(child) = nodes.get(child.as_str()) else {
            faults.push(TreeFault::NoChild { node: node.id.clone(), child: child.clone() });
            continue;
        };
        let foreign = child.requirements.iter().filter(|it| !own.contains(it));
        faults.extend(
            foreign
                .map(|it| TreeFault::Foreign { node: child.id.clone(), requirement: it.clone() }),
        );
        given.extend(&child.requirements);
    }
    if !node.children.is_empty() {
        let left_out = node.requirements.iter().filter(|it| !given.contains(it));
        faults.extend(
            left_out
                .map(|it| TreeFault::LeftOut { node: node.id.clone(), requirement: it.clone() }),
        );
    }
    faults
}

/// Whether each requirement is in exactly one leaf.
fn owner_faults(tree: &Tree) -> Vec<TreeFault> {
    let mut owners: HashMap<&str, Vec<&str>> = HashMap::new();
    for leaf in tree.leaves() {
        for requirement in &leaf.requirements {
            owners.entry(requirement).or_default().push(&leaf.id);
        }
    }
    let fault = |it: &super::Requirement| match owners.get(it.id.as_str()).map(Vec::as_slice) {
        Some([_]) => None,
        Some(several) => Some(TreeFault::SeveralOwners {
            requirement: it.id.clone(),
            nodes: several.join(" and "),
        }),
        None => Some(TreeFault::NoOwner { requirement: it.id.clone(), text: it.text.clone() }),
    };
    tree.requirements.iter().filter_map(fault).collect()
}

/// Leaves from which a way leads back to them: those that are left when all that can be done is.
fn circles(tree: &Tree) -> Vec<TreeFault> {
    let mut waiting: HashMap<&str, usize> = HashMap::new();
    let mut dependents: HashMap<&str, Vec<&str>> = HashMap::new();
    let there: HashSet<&str> = tree.nodes.iter().map(|it| it.id.as_str()).collect();
    for node in &tree.nodes {
        let before: BTreeSet<&str> = node.depends_on.iter().map(String::as_str).collect();
        let before: Vec<&str> = before.into_iter().filter(|it| there.contains(it)).collect();
        waiting.insert(&node.id, before.len());
        for id in before {
            dependents.entry(id).or_default().push(&node.id);
        }
    }
    let mut ready: Vec<&str> = waiting.iter().filter(|it| *it.1 == 0).map(|it| *it.0).collect();
    while let Some(id) = ready.pop() {
        waiting.remove(id);
        for dependent in dependents.get(id).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(dependent) {
                *left -= 1;
                if *left == 0 {
                    ready.push(dependent);
                }
            }
        }
    }
    let stuck = tree.nodes.iter().filter(|it| waiting.contains_key(it.id.as_str()));
    stuck.map(|it| TreeFault::Circle { node: it.id.clone() }).collect()
}

/// Whether the tree is about this document, as it is now.
fn against_document(tree: &Tree, prd: &Prd, origin: &Origin) -> Vec<TreeFault> {
    let required = prd.units.iter().filter(|it| it.kind == UnitKind::Requirement);
    let there: Vec<(Span, &str)> =
        required.map(|it| (origin.span(&it.span), it.text.as_str())).collect();
    let places: HashSet<&(Span, &str)> = there.iter().collect();
    let moved =
        tree.requirements.iter().filter(|it| !places.contains(&(it.span, it.text.as_str()))).map(
            |it| TreeFault::Moved {
                requirement: it.id.clone(),
                span: it.span,
                text: it.text.clone(),
            },
        );
    // What stands there twice must be known twice.
    let mut known: HashMap<&str, usize> = HashMap::new();
    for requirement in &tree.requirements {
        *known.entry(&requirement.text).or_default() += 1;
    }
    let is_new = |it: &&(Span, &str)| match known.get_mut(it.1).filter(|it| **it > 0) {
        Some(left) => {
            *left -= 1;
            false
        }
        None => true,
    };
    let new = there.iter().filter(is_new).map(|it| TreeFault::NotInTree { text: it.1.to_owned() });
    moved.chain(new).collect()
}

#[cfg(test)]
mod tests;
