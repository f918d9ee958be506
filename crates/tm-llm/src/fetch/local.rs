//! Models that somebody has brought along: a GGUF file, a wheel, or a directory of either.
//!
//! The digest is checked as for everything else; the file is copied and the original left alone.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::task;

use super::{
    Fetcher, Job, Phase, SourceError, bert::BertParts, blocking, disk, size_of, tick, wheels::Piece,
};
use crate::{
    catalogue::{BertFiles, BertPlace, Digest, Model, Source, digest},
    fetch::index::is_wheel,
};

/// What was found at a path.
enum Found {
    Whole(PathBuf),
    Pieces(Vec<Piece>),
    Bert(Box<BertFiles>, BertParts),
}

impl Fetcher {
    /// Takes a model from a file or a directory.
    pub(super) async fn take_local(
        &self,
        job: &Job,
        model: &Model,
        path: &Path,
    ) -> Result<(), SourceError> {
        let (searched, path) = (model.clone(), path.to_owned());
        let found = task::spawn_blocking(move || find(&searched, &path)).await??;
        match found {
            Found::Whole(file) => {
                self.check_space(size_of(&file))?;
                self.copy_file(job, file).await
            }
            Found::Pieces(pieces) => {
                let packed: u64 = pieces.iter().map(|it| size_of(&it.wheel)).sum();
                self.check_space(job.size_bytes.unwrap_or(packed))?;
                self.join(job, pieces).await
            }
            Found::Bert(files, parts) => self.make_bert(job, model, &files, parts).await,
        }
    }

    async fn copy_file(&self, job: &Job, file: PathBuf) -> Result<(), SourceError> {
        let (job, part) = (job.clone(), self.store.part_path(&job.id));
        blocking(move |stop| {
            let found = size_of(&file);
            if let Some(expected) = job.size_bytes.filter(|it| *it != found) {
                let what = file.display().to_string();
                return Err(SourceError::WrongSize { what, expected, found });
            }
            let meter = job.meter(Phase::Copy, found);
            let mut hasher = Sha256::new();
            let from = File::open(&file).map_err(disk(&file))?;
            let to = File::create(&part).map_err(disk(&part))?;
            digest::copy(from, to, &mut hasher, &mut tick(&meter, stop)).map_err(disk(&part))?;
            job.accept(&part, Digest::finish(hasher))
        })
        .await
    }
}

/// Finds the model at a path: all its wheels, or a GGUF file of its size.
fn find(model: &Model, path: &Path) -> Result<Found, SourceError> {
    let metadata = fs::metadata(path).map_err(disk(path))?;
    let is_alone = !metadata.is_dir();
    let is_named = |extension: &str, it: &Path| {
        it.extension().is_some_and(|its| its.eq_ignore_ascii_case(extension))
    };
    if is_alone && !is_named("whl", path) {
        return Ok(Found::Whole(path.to_owned()));
    }
    let files = if is_alone { vec![path.to_owned()] } else { files_in(path)? };
    if let Some(pieces) = pieces(model, &files) {
        return Ok(Found::Pieces(pieces));
    }
    if let Some((files, parts)) = bert(model, &files) {
        return Ok(Found::Bert(Box::new(files), parts));
    }
    let mut whole = files.iter().filter(|it| is_named("gguf", it));
    let fitting = whole.find(|it| model.sha256.is_none() || size_of(it) == model.size_bytes);
    fitting.map(|it| Found::Whole(it.clone())).ok_or_else(|| SourceError::Missing {
        file: format!("{}, as a GGUF file or as all of its wheels,", model.id),
        place: path.display().to_string(),
    })
}

/// The wheel that a model is made of.
fn bert(model: &Model, files: &[PathBuf]) -> Option<(BertFiles, BertParts)> {
    model.sources.iter().find_map(|source| {
        let Source::Bert(parts) = source else { return None };
        let BertPlace::Pypi { package, version, .. } = &parts.place else { return None };
        let is_it = |file: &&PathBuf| {
            let name = file.file_name().and_then(|it| it.to_str());
            name.is_some_and(|it| is_wheel(it, package, version))
        };
        let wheel = files.iter().find(is_it)?.clone();
        Some((parts.clone(), BertParts::in_wheel(wheel, parts)))
    })
}

/// The wheels of the first set that is complete.
fn pieces(model: &Model, files: &[PathBuf]) -> Option<Vec<Piece>> {
    let name = |file: &Path| file.file_name().and_then(|it| it.to_str()).map(str::to_owned);
    model.sources.iter().find_map(|source| {
        let Source::Pypi(set) = source else { return None };
        let piece = |wheel: &crate::catalogue::Wheel| {
            let is_it = |file: &&PathBuf| {
                name(file).is_some_and(|it| is_wheel(&it, &wheel.package, &set.version))
            };
            let found = files.iter().find(is_it)?.clone();
            Some(Piece { wheel: found, member: wheel.member.clone() })
        };
        set.wheels.iter().map(piece).collect()
    })
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let entries = fs::read_dir(directory).map_err(disk(directory))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    files.sort();
    Ok(files)
}
