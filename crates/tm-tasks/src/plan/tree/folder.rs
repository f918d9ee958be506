//! A tree in its folder: `prd-tree.json`, the same for people, and what of the document it covers.
//!
//! The files are replaced one by one, each whole, and the tree itself last. Other files of the
//! folder are left alone.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Tree, markdown::markdown};
use crate::store::{LOCK_WAIT, StoreError, atomic, lock};

pub const TREE_FILE: &str = "prd-tree.json";
pub const MARKDOWN_FILE: &str = "prd-tree.md";
pub const COVERAGE_FILE: &str = "coverage.json";

/// Which leaf has which requirement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    pub requirements: usize,
    pub covered: usize,
    /// From 0 to 1.
    pub coverage: f64,
    /// The ids of those that no leaf has.
    pub missing: Vec<String>,
    pub items: Vec<Owned>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    pub requirement: String,
    pub node: Option<String>,
}

/// Why a folder has no tree, or gets none.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("there is no tree in {}", path.display())]
    Missing { path: PathBuf },
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not a tree", path.display())]
    Format { path: PathBuf, source: serde_json::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks each requirement up in the leaves.
pub fn coverage(tree: &Tree) -> Coverage {
    let owners: HashMap<&str, &str> = tree
        .leaves()
        .flat_map(|leaf| leaf.requirements.iter().map(|it| (it.as_str(), leaf.id.as_str())))
        .collect();
    let items: Vec<Owned> = tree
        .requirements
        .iter()
        .map(|it| Owned {
            requirement: it.id.clone(),
            node: owners.get(it.id.as_str()).map(|it| (*it).to_owned()),
        })
        .collect();
    let missing: Vec<String> =
        items.iter().filter(|it| it.node.is_none()).map(|it| it.requirement.clone()).collect();
    let covered = items.len() - missing.len();
    Coverage {
        requirements: items.len(),
        covered,
        coverage: share(covered, items.len()),
        missing,
        items,
    }
}

/// Writes a tree; the folder is made where there is none.
pub fn write(folder: &Path, tree: &Tree) -> Result<(), FolderError> {
    write_file(&folder.join(COVERAGE_FILE), &json(folder, &coverage(tree))?)?;
    write_file(&folder.join(MARKDOWN_FILE), &markdown(tree))?;
    write_file(&folder.join(TREE_FILE), &json(folder, tree)?)
}

/// Reads the tree of a folder.
pub fn read(folder: &Path) -> Result<Tree, FolderError> {
    let path = folder.join(TREE_FILE);
    let bytes = fs::read(&path).map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            FolderError::Missing { path: folder.to_owned() }
        } else {
            FolderError::Unreadable { path: path.clone(), source }
        }
    })?;
    serde_json::from_slice(&bytes).map_err(|source| FolderError::Format { path, source })
}

/// What the folder says is covered; nothing when it does not say so.
pub fn read_coverage(folder: &Path) -> Option<Coverage> {
    let bytes = fs::read(folder.join(COVERAGE_FILE)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn json(folder: &Path, document: &impl Serialize) -> Result<String, FolderError> {
    let path = || folder.join(TREE_FILE);
    let text = serde_json::to_string_pretty(document)
        .map_err(|source| FolderError::Format { path: path(), source })?;
    Ok(text + "\n")
}

fn write_file(path: &Path, text: &str) -> Result<(), FolderError> {
    let path = atomic::resolve(path);
    let directory = lock::acquire_for(&path, LOCK_WAIT)?;
    atomic::write(&path, text.as_bytes(), directory.handle())
        .map_err(|source| StoreError::from_write(&path, source))?;
    Ok(())
}

fn share(part: usize, all: usize) -> f64 {
    let as_float = |it| f64::from(u32::try_from(it).unwrap_or(u32::MAX));
    if all == 0 { 1.0 } else { as_float(part) / as_float(all) }
}

#[cfg(test)]
mod tests;
