//! Documents with the plans that others made of them, as folders have them.
//!
//! A pair is a folder with `prd.md` or `prd.txt` and `tasks.json`; `pair.json`, where it is there,
//! says more. A folder that is none is an error: a score over fewer pairs than one thinks is
//! wrong. Start at [`read_pairs`].

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use tm_tasks::{
    document::{FormatError, TaskFile},
    prd::{Prd, PrdError},
    task::Task,
};

/// A document and a plan that somebody made of it.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The folder's.
    pub name: String,
    pub document: String,
    pub prd: Prd,
    pub baseline: Vec<Task>,
    /// The model that was configured when the plan was made, as far as it is told.
    pub model: Option<String>,
    /// `en` and the like, as far as it is told.
    pub document_language: Option<String>,
    pub plan_language: Option<String>,
}

/// Why a folder cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("there are no pairs in {}", folder.display())]
    NoPairs { folder: PathBuf },
    #[error("there is no pair {name} in {}", folder.display())]
    NoSuchPair { folder: PathBuf, name: String },
    #[error("the pair {} has no document: neither prd.md nor prd.txt", folder.display())]
    NoDocument { folder: PathBuf },
    #[error("{} cannot be used", path.display())]
    Document { path: PathBuf, source: PrdError },
    #[error("{} cannot be used", path.display())]
    Tasks { path: PathBuf, source: FormatError },
    #[error("{} has no tasks", path.display())]
    NoTasks { path: PathBuf },
    #[error("{} does not say what it should about its pair", path.display())]
    About { path: PathBuf, source: serde_json::Error },
}

/// What `pair.json` says; the rest of it is for people.
#[derive(Debug, Default, Deserialize)]
struct About {
    tag: Option<String>,
    prd_language: Option<String>,
    tasks_language: Option<String>,
    model_config_at_commit: Option<Models>,
}

#[derive(Debug, Deserialize)]
struct Models {
    main: Option<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    #[serde(rename = "modelId")]
    id: Option<String>,
}

const DOCUMENTS: [&str; 2] = ["prd.md", "prd.txt"];

/// Reads the pairs in a folder, by name; with `names` these and no others.
///
/// # Errors
/// When there is none, or one of them cannot be used.
pub fn read_pairs(folder: &Path, names: Option<&[String]>) -> Result<Vec<Pair>, PairError> {
    let all = folders(folder)?;
    let chosen: Vec<PathBuf> = match names {
        None => all,
        Some(names) => {
            let find = |name: &String| {
                all.iter().find(|it| it.ends_with(name)).cloned().ok_or_else(|| {
                    PairError::NoSuchPair { folder: folder.to_owned(), name: name.clone() }
                })
            };
            names.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    if chosen.is_empty() {
        return Err(PairError::NoPairs { folder: folder.to_owned() });
    }
    chosen.iter().map(|it| read_pair(it)).collect()
}

/// Reads the tasks of a file: those of a tag, or of the first one that has any.
///
/// # Errors
/// When it is no task file or has no tasks.
pub fn read_tasks(path: &Path, tag: Option<&str>) -> Result<Vec<Task>, PairError> {
    let file = TaskFile::from_bytes(&read(path)?)
        .map_err(|source| PairError::Tasks { path: path.to_owned(), source })?;
    let named = tag.and_then(|it| file.tag(it));
    let found = named.or_else(|| file.tags().find(|it| !it.tasks().is_empty()));
    let tasks = found.map(|it| it.tasks().to_vec()).unwrap_or_default();
    if tasks.is_empty() { Err(PairError::NoTasks { path: path.to_owned() }) } else { Ok(tasks) }
}

fn read_pair(folder: &Path) -> Result<Pair, PairError> {
    let document = DOCUMENTS.iter().map(|it| folder.join(it)).find(|it| it.exists());
    let path = document.ok_or_else(|| PairError::NoDocument { folder: folder.to_owned() })?;
    let (document, prd) =
        Prd::from_bytes(&read(&path)?).map_err(|source| PairError::Document { path, source })?;
    let path = folder.join("pair.json");
    let about: About = if path.exists() {
        serde_json::from_slice(&read(&path)?).map_err(|source| PairError::About { path, source })?
    } else {
        About::default()
    };
    Ok(Pair {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        baseline: read_tasks(&folder.join("tasks.json"), about.tag.as_deref())?,
        document,
        prd,
        model: about.model_config_at_commit.and_then(|it| it.main?.id),
        document_language: about.prd_language,
        plan_language: about.tasks_language,
    })
}

/// The folders within, by name, without hidden ones.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, PairError> {
    let unreadable = |source| PairError::Unreadable { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.'));
        if path.is_dir() && !is_hidden {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn read(path: &Path) -> Result<Vec<u8>, PairError> {
    fs::read(path).map_err(|source| PairError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
