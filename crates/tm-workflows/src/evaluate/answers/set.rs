//! A set of questions with known answers, as a folder has it.
//!
//! `documents` holds what is searched; each line of `questions.jsonl` is a question with the passages
//! that answer it, or with none. Words that are not in their document would make every figure wrong,
//! so they are an error. Start at [`read_set`].

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tm_knowledge::read::{kind, read};

/// Documents and questions.
#[derive(Debug, Clone)]
pub struct QuestionSet {
    /// The folder.
    pub documents: PathBuf,
    pub questions: Vec<Labelled>,
}

/// A question and all passages that answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labelled {
    pub question: String,
    /// None when the documents do not answer it.
    pub answers: Vec<Passage>,
}

/// Words of a document that answer a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// From the folder of documents.
    pub document: String,
    pub words: String,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("line {line} of {} is no question with its answers", path.display())]
    Line { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("{} has no questions", path.display())]
    Empty { path: PathBuf },
    #[error("line {line} asks what was asked before: {question}")]
    Again { line: usize, question: String },
    #[error("line {line} names {document}, which is no document that can be read")]
    NoDocument { line: usize, document: String },
    #[error("line {line}: {document} does not say “{words}”")]
    NotSaid { line: usize, document: String, words: String },
}

/// Reads a set, and sees that every answer is where it is said to be.
///
/// # Errors
/// When it is not, or the folder is none.
pub fn read_set(folder: &Path) -> Result<QuestionSet, SetError> {
    let path = folder.join("questions.jsonl");
    let documents = folder.join("documents");
    let text = fs::read_to_string(&path)
        .map_err(|source| SetError::Unreadable { path: path.clone(), source })?;
    let mut questions: Vec<Labelled> = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, it)| !it.trim().is_empty()) {
        let labelled: Labelled = serde_json::from_str(text).map_err(|source| SetError::Line {
            path: path.clone(),
            line,
            source,
        })?;
        if questions.iter().any(|it| it.question == labelled.question) {
            return Err(SetError::Again { line, question: labelled.question });
        }
        for answer in &labelled.answers {
            answer.check(&documents, line)?;
        }
        questions.push(labelled);
    }
    if questions.is_empty() {
        return Err(SetError::Empty { path });
    }
    Ok(QuestionSet { documents, questions })
}

impl Labelled {
    pub fn is_answerable(&self) -> bool {
        !self.answers.is_empty()
    }
}

impl Passage {
    fn check(&self, documents: &Path, line: usize) -> Result<(), SetError> {
        let file = documents.join(&self.document);
        let text = kind(&file)
            .zip(fs::read(&file).ok())
            .and_then(|(kind, bytes)| read(kind, &self.document, bytes).ok());
        let document = self.document.clone();
        match text {
            None => Err(SetError::NoDocument { line, document }),
            Some(text) if self.is_in(&self.document, &text.text) => Ok(()),
            Some(_) => Err(SetError::NotSaid { line, document, words: self.words.clone() }),
        }
    }

    /// Whether a text of this document has the words.
    pub(super) fn is_in(&self, document: &str, text: &str) -> bool {
        self.document == document && flat(text).contains(&flat(&self.words))
    }

    /// Whether a quotation of this document has the words, or is a part of them.
    pub(super) fn is_told_by(&self, document: &str, quote: &str) -> bool {
        self.is_in(document, quote)
            || self.document == document && flat(&self.words).contains(&flat(quote))
    }
}

/// However it is broken into lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
