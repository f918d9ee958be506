//! A requirements document as a tree of pieces of work.
//!
//! The children of a node divide its requirements among themselves, so that the leaves together
//! have all of them, each once. [`division`] says where a piece may be cut, [`dependencies`] which
//! leaf waits for which, [`growth`] how the two make a tree, [`faults`] what is wrong with a tree or its document, [`folder`] how a
//! tree is kept, [`markdown`] how people read it. What is asked of a model is not known here.

use serde::{Deserialize, Serialize};

use super::assemble::Draft;
use crate::prd::Span;

pub mod dependencies;
pub mod division;
pub mod faults;
pub mod folder;
pub mod growth;
pub mod markdown;

/// How deep a tree is at most; the whole document is at depth 1.
pub const DEPTH_MAX: usize = 5;

/// A document's tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    pub document: Source,
    pub made: Made,
    pub requirements: Vec<Requirement>,
    /// A node comes before its children, and they before the node's next sibling.
    pub nodes: Vec<Node>,
    /// Dependencies that would have closed a circle.
    pub dropped_dependencies: Vec<Dropped>,
}

/// What a tree was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// As it was named, seen from where the tree was made.
    pub path: String,
    pub title: String,
    pub bytes: usize,
    pub sha256: String,
}

/// How a tree was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The program and its version.
    pub tool: String,
    /// None when no model was asked.
    pub model: Option<String>,
    /// Changes whenever the words of the prompts do.
    pub prompts: String,
    pub language: String,
    pub seed: u64,
    /// How many questions were allowed, and how many the tree needed.
    pub budget: usize,
    pub questions: usize,
}

/// A unit of the document that some leaf must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// `R1`, `R2` and so on, in the order of the document.
    pub id: String,
    /// In bytes of the file.
    pub span: Span,
    /// The headings above it, outermost first.
    pub section: Vec<String>,
    pub text: String,
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// `1` for the whole document, `1.2` for its second part.
    pub id: String,
    pub depth: usize,
    pub title: String,
    pub titled_by: TitledBy,
    /// Ids, in the order of the document.
    pub requirements: Vec<String>,
    /// From its first requirement to its last, in bytes of the file.
    pub span: Span,
    /// Whether it is one piece of work.
    pub atomic: bool,
    pub reason: Reason,
    /// Why it has no children; none when it has.
    pub stop: Option<Stop>,
    /// Leaves to be done before this one.
    pub depends_on: Vec<String>,
    pub children: Vec<String>,
}

/// Who named a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TitledBy {
    Model,
    /// Its headings or its own words.
    Document,
}

/// Why a node is one piece of work, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    #[serde(rename = "one feature")]
    OneFeature,
    #[serde(rename = "one component")]
    OneComponent,
    #[serde(rename = "several features")]
    SeveralFeatures,
    #[serde(rename = "several components")]
    SeveralComponents,
    #[serde(rename = "separate steps")]
    SeparateSteps,
    /// Nothing is left to divide.
    #[serde(rename = "one requirement")]
    OneRequirement,
    /// More than anybody is asked about.
    #[serde(rename = "many requirements")]
    ManyRequirements,
    /// Small enough to be one piece of work, and nobody was asked.
    #[serde(rename = "not asked")]
    NotAsked,
}

impl Reason {
    /// The answers that a model chooses from.
    pub const ANSWERS: [Self; 5] = [
        Self::OneFeature,
        Self::OneComponent,
        Self::SeveralFeatures,
        Self::SeveralComponents,
        Self::SeparateSteps,
    ];

    /// Whether what it is said of is one piece of work.
    pub fn is_atomic(self) -> bool {
        match self {
            Self::OneFeature | Self::OneComponent | Self::OneRequirement => true,
            Self::SeveralFeatures
            | Self::SeveralComponents
            | Self::SeparateSteps
            | Self::ManyRequirements
            | Self::NotAsked => false,
        }
    }
}

/// Why a node was not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// It is one piece of work.
    #[serde(rename = "atomic")]
    Atomic,
    /// It has a single requirement.
    #[serde(rename = "one unit")]
    OneUnit,
    /// Trees are no deeper than [`DEPTH_MAX`].
    #[serde(rename = "depth")]
    Depth,
    /// No question was left.
    #[serde(rename = "budget")]
    Budget,
}

/// A dependency that is not in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    pub from: String,
    pub to: String,
    pub because: String,
}

impl Tree {
    /// The nodes without children, in the order of the document.
    pub fn leaves(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|it| it.children.is_empty())
    }

    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|it| it.id == id)
    }

    /// How many leaves stopped for this reason.
    pub fn stopped(&self, stop: Stop) -> usize {
        self.leaves().filter(|it| it.stop == Some(stop)).count()
    }

    /// The leaves as tasks, each after those it waits for. Their details are the requirements word
    /// for word; how a task is tested is left open, because nobody was asked.
    pub fn drafts(&self, priority: &str) -> Vec<Draft> {
        let leaves: Vec<&Node> = self.leaves().collect();
        let position = |id: &str| leaves.iter().position(|it| it.id == id);
        let after: Vec<Vec<usize>> = leaves
            .iter()
            .map(|it| it.depends_on.iter().filter_map(|it| position(it)).collect())
            .collect();
        let order = dependencies::in_order(&after);
        let draft = |at: &usize| {
            let leaf = leaves.get(*at)?;
            let before = after.get(*at).into_iter().flatten();
            let place = |it: &usize| order.iter().position(|other| other == it);
            Some(Draft {
                title: leaf.title.clone(),
                description: self.description(leaf),
                details: self.details(leaf),
                priority: priority.to_owned(),
                after: before.filter_map(place).collect(),
                ..Draft::default()
            })
        };
        order.iter().filter_map(draft).collect()
    }

    /// The titles from the document down to a node's parent.
    fn above(&self, node: &Node) -> Vec<&str> {
        let mut titles = Vec::new();
        let mut id = node.id.as_str();
        while let Some((parent, _)) = id.rsplit_once('.') {
            titles.extend(self.node(parent).map(|it| it.title.as_str()));
            id = parent;
        }
        titles.reverse();
        titles
    }

    fn description(&self, leaf: &Node) -> String {
        let texts: Vec<&str> = self.requirements_of(leaf).map(|it| it.text.as_str()).collect();
        match texts.as_slice() {
            [only] => (*only).to_owned(),
            _ => format!("{}: {} requirements.", self.above(leaf).join(" › "), texts.len()),
        }
    }

    fn details(&self, leaf: &Node) -> String {
        let lines = self.requirements_of(leaf).map(|it| format!("\n- {}", it.text));
        format!("Requirements:{}", lines.collect::<String>())
    }

    fn requirements_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Requirement> {
        let first = node.requirements.first();
        let start = self.requirements.iter().position(|it| Some(&it.id) == first);
        let from = start.into_iter().flat_map(|it| self.requirements.iter().skip(it));
        from.take(node.requirements.len())
    }
}

#[cfg(test)]
mod tests;
