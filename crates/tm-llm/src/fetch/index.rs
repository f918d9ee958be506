//! Finds wheels in a Python package index, by the simple API in its JSON form (PEP 691).
//!
//! Reads the answers of an index; downloading what it names is left to others.

use reqwest::{Url, header};
use serde::Deserialize;

use super::{
    Fetcher, Job, SourceError,
    download::{self, RemoteFile},
};
use crate::{catalogue::Digest, egress::without_secrets};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A wheel that an index has.
#[derive(Debug, Clone)]
pub(super) struct IndexedWheel {
    pub filename: String,
    pub file: RemoteFile,
}

#[derive(Deserialize)]
struct Project {
    files: Vec<ProjectFile>,
}

#[derive(Deserialize)]
struct ProjectFile {
    filename: String,
    url: String,
    hashes: Hashes,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct Hashes {
    sha256: Option<Digest>,
}

impl Fetcher {
    /// Finds a wheel in the first index that has it.
    pub(super) async fn find_wheel(
        &self,
        job: &Job,
        package: &str,
        version: &str,
    ) -> Result<IndexedWheel, SourceError> {
        let mut missing = None;
        for index in &self.config.indexes {
            match self.find_in(job, index, package, version).await {
                Err(SourceError::Refused { status: 404, .. }) => {
                    missing = Some(absent(package, version, index));
                }
                Err(error @ SourceError::Missing { .. }) => missing = Some(error),
                found => return found,
            }
        }
        Err(missing.unwrap_or_else(|| absent(package, version, "any index, as none is configured")))
    }

    async fn find_in(
        &self,
        job: &Job,
        index: &str,
        package: &str,
        version: &str,
    ) -> Result<IndexedWheel, SourceError> {
        let page = format!("{}/{}/", index.trim_end_matches('/'), normalised(package, '-'));
        let page = download::parse(&page)?;
        let (headers, body) = self.document(job, &page, JSON).await?;
        let url = || without_secrets(page.as_str());
        let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        if kind.is_some_and(|it| it.starts_with("text/html") || it.contains("+html")) {
            return Err(SourceError::HtmlOnly { url: without_secrets(index) });
        }
        let project: Project = serde_json::from_slice(&body)
            .map_err(|error| SourceError::Malformed { url: url(), reason: error.to_string() })?;
        let wheel = project.files.into_iter().find(|it| is_wheel(&it.filename, package, version));
        let wheel = wheel.ok_or_else(|| absent(package, version, index))?;
        let sha256 = wheel.hashes.sha256.ok_or_else(|| SourceError::Malformed {
            url: url(),
            reason: format!("it gives no SHA-256 of {}", wheel.filename),
        })?;
        let url = file_url(&page, &wheel.url)?;
        let file = RemoteFile { url, size_bytes: wheel.size, sha256 };
        Ok(IndexedWheel { filename: wheel.filename, file })
    }
}

/// Whether a file name is that of a wheel of this package and version.
pub(super) fn is_wheel(filename: &str, package: &str, version: &str) -> bool {
    let parts = filename.strip_suffix(".whl").and_then(|it| it.split_once('-'));
    let Some((name, rest)) = parts else { return false };
    // A file name goes into a path.
    !filename.contains(['/', '\\'])
        && normalised(name, '_') == normalised(package, '_')
        && rest.split('-').next() == Some(version)
}

/// A package name as indexes compare it: runs of `-`, `_` and `.` are one separator.
fn normalised(package: &str, separator: char) -> String {
    let words = package.split(['-', '_', '.']).filter(|it| !it.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    words.join(&separator.to_string())
}

/// Resolves what may be relative, and goes on as the same user on the same host.
fn file_url(page: &Url, url: &str) -> Result<Url, SourceError> {
    let malformed =
        |reason: String| SourceError::Malformed { url: without_secrets(page.as_str()), reason };
    let mut file = page.join(url).map_err(|error| malformed(error.to_string()))?;
    file.set_fragment(None);
    let is_same_place = page.origin() == file.origin();
    if is_same_place && file.username().is_empty() && !page.username().is_empty() {
        let refused = |()| malformed("its file addresses take no user name".into());
        file.set_username(page.username()).map_err(refused)?;
        file.set_password(page.password()).map_err(refused)?;
    }
    Ok(file)
}

fn absent(package: &str, version: &str, index: &str) -> SourceError {
    SourceError::Missing {
        file: format!("a wheel of {package} {version}"),
        place: without_secrets(index),
    }
}

#[cfg(test)]
mod tests;
