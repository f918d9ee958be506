//! The work of a run that may be interrupted, kept until the plan is in its file.
//!
//! One small JSON file per document, count, language, model and prompt version; anything else, such as
//! other documents that were looked up, would be the work of another question. A file that cannot be read is as good as none.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tm_llm::backend::ModelInfo;
use tm_tasks::digest::sha256_hex;

use super::{ParsePrd, ParsePrdError};
use crate::plan::{kept, said::Detail};

/// The saved work of one run.
pub(super) struct Saved {
    file: Option<PathBuf>,
    work: Mutex<Work>,
}

#[derive(Default, Serialize, Deserialize)]
struct Work {
    /// A place for each task of the plan.
    details: Vec<Option<Detail>>,
    /// What the model was told that other documents say.
    #[serde(default)]
    looked_up: Vec<String>,
}

impl Saved {
    /// Takes up what an interrupted run of the same request left.
    pub(super) fn open(
        request: &ParsePrd,
        text: &str,
        (count, looked_up): (usize, &[String]),
        model: &ModelInfo,
    ) -> Result<Self, ParsePrdError> {
        let Some(folder) = &request.saved else {
            return Ok(Self { file: None, work: Mutex::default() });
        };
        fs::create_dir_all(folder)
            .map_err(|source| ParsePrdError::Save { path: folder.clone(), source })?;
        let version = request.prompts.version();
        let count_text = count.to_string();
        let question = [text, &request.language, &model.model, &version, &count_text].join("\0");
        let name = sha256_hex(question.as_bytes());
        let file = folder.join(format!("{name}.json"));
        let work: Work = kept::read(&file)
            .filter(|it: &Work| it.details.len() == count && it.looked_up == looked_up)
            .unwrap_or_else(|| Work { details: vec![None; count], looked_up: looked_up.to_vec() });
        Ok(Self { file: Some(file), work: Mutex::new(work) })
    }

    pub(super) fn detail(&self, index: usize) -> Option<Detail> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.details.get(index).cloned().flatten()
    }

    /// The titles of the tasks that are written.
    pub(super) fn titles(&self) -> Vec<String> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.details.iter().flatten().map(|it| it.title.clone()).collect()
    }

    pub(super) fn keep_detail(&self, index: usize, detail: &Detail) -> Result<(), ParsePrdError> {
        self.keep(|work| {
            if let Some(place) = work.details.get_mut(index) {
                *place = Some(detail.clone());
            }
        })
    }

    pub(super) fn remove(&self) -> Result<(), ParsePrdError> {
        let Some(file) = &self.file else { return Ok(()) };
        match fs::remove_file(file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ParsePrdError::Save { path: file.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// Changes the work and puts it on disk.
    fn keep(&self, change: impl FnOnce(&mut Work)) -> Result<(), ParsePrdError> {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut work);
        let Some(file) = &self.file else { return Ok(()) };
        kept::write(file, &*work)
            .map_err(|source| ParsePrdError::Save { path: file.clone(), source })
    }
}
