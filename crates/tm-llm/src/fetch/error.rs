//! What keeps a model from being fetched.

use std::{io, path::PathBuf};

use tokio::task::JoinError;

use crate::catalogue::{Digest, Source, store::StoreError};

/// Why a pull failed, sorted by what to do.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Needs a file that the user trusts.
    #[error("the catalogue knows no SHA-256 for {id}, so nothing that is fetched could be checked")]
    NoDigest { id: String },
    #[error("{id} has the SHA-256 {known} and not {given}")]
    OtherDigest { id: String, known: Digest, given: Digest },
    /// Needs a network, or a copy from elsewhere.
    #[error("no source of {id} works: {}", list(attempts))]
    NoSource { id: String, attempts: Vec<Attempt> },
    /// This machine is the problem: no other source would help.
    #[error(transparent)]
    Machine(#[from] SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A source that was tried, and what came of it.
#[derive(Debug)]
pub struct Attempt {
    pub source: Source,
    pub error: SourceError,
}

/// Why one source did not yield the model.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("{url} answered {status}")]
    Refused { url: String, status: u16 },
    #[error("the connection to {host} broke: {reason}")]
    Broken { host: String, reason: String },
    #[error("{host} is overloaded and answered {status}")]
    Overloaded { host: String, status: u16, retry_after_s: Option<u64> },
    #[error("the index {url} answers in HTML only; a JSON one is needed (PEP 691)")]
    HtmlOnly { url: String },
    #[error("{url} did not answer as it should: {reason}")]
    Malformed { url: String, reason: String },
    #[error("{file} is not in {place}")]
    Missing { file: String, place: String },
    #[error("{what} has {found} bytes and not {expected}")]
    WrongSize { what: String, expected: u64, found: u64 },
    #[error("{what} has the SHA-256 {found} and not {expected}")]
    WrongDigest { what: String, expected: Digest, found: Digest },
    #[error("{} cannot be unpacked: {reason}", path.display())]
    Archive { path: PathBuf, reason: String },
    #[error(
        "there is too little space in {}: {needed_bytes} bytes are needed and {free_bytes} are free",
        directory.display()
    )]
    NoSpace { directory: PathBuf, needed_bytes: u64, free_bytes: u64 },
    #[error("cannot use {}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("the work broke off")]
    Stopped(#[from] JoinError),
}

impl SourceError {
    /// Whether the same request may work a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::Overloaded { .. } => true,
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::HtmlOnly { .. }
            | Self::Malformed { .. }
            | Self::Missing { .. }
            | Self::WrongSize { .. }
            | Self::WrongDigest { .. }
            | Self::Archive { .. }
            | Self::NoSpace { .. }
            | Self::Disk { .. }
            | Self::Stopped(_) => false,
        }
    }

    /// Whether another source would fail the same way.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NoSpace { .. } | Self::Disk { .. } | Self::Stopped(_) => true,
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Broken { .. }
            | Self::Overloaded { .. }
            | Self::HtmlOnly { .. }
            | Self::Malformed { .. }
            | Self::Missing { .. }
            | Self::WrongSize { .. }
            | Self::WrongDigest { .. }
            | Self::Archive { .. } => false,
        }
    }
}

fn list(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return "the catalogue has no source for it".into();
    }
    let reasons = attempts.iter().map(|it| format!("{}: {}", it.source, it.error));
    reasons.collect::<Vec<_>>().join("; ")
}
