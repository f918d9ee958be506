//! Finds a model's file in an Ollama registry.
//!
//! The registry's manifest names the file by its SHA-256, so that another file than the
//! catalogue's is refused before a byte of it is downloaded.

use serde::Deserialize;

use super::{Fetcher, Job, SourceError, download};
use crate::catalogue::Digest;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const WEIGHTS: &str = "application/vnd.ollama.image.model";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Layer>,
}

impl Fetcher {
    /// The address of the model's file.
    pub(super) async fn ollama_blob(
        &self,
        job: &Job,
        model: &str,
        tag: &str,
    ) -> Result<String, SourceError> {
        let base = format!("{}/v2/library/{model}", self.config.ollama_url.trim_end_matches('/'));
        let url = format!("{base}/manifests/{tag}");
        let page = download::parse(&url)?;
        let (_, body) = self.document(job, &page, MANIFEST).await?;
        let malformed = |reason: String| SourceError::Malformed { url: url.clone(), reason };
        let manifest: Manifest =
            serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
        let weights = manifest.layers.into_iter().find(|it| it.media_type == WEIGHTS);
        let weights = weights.ok_or_else(|| SourceError::Missing {
            file: "a file of weights".into(),
            place: url.clone(),
        })?;
        let found: Digest = weights
            .digest
            .trim_start_matches("sha256:")
            .parse()
            .map_err(|_| malformed(format!("{:?} is no digest", weights.digest)))?;
        if found != job.sha256 {
            let what = format!("{model}:{tag}");
            return Err(SourceError::WrongDigest { what, expected: job.sha256, found });
        }
        Ok(format!("{base}/blobs/sha256:{found}"))
    }
}
