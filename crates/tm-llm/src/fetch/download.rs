//! Downloads one file over HTTP, going on where an earlier attempt ended.
//!
//! Knows sizes, digests and broken connections, and nothing of what is in the file. Start at
//! [`Fetcher::download`].

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use reqwest::{
    RequestBuilder, Response, StatusCode, Url,
    header::{self, HeaderMap},
};
use tokio::{
    fs,
    io::{AsyncWriteExt as _, BufWriter},
    time,
};

use super::{Event, Fetcher, Job, Meter, Phase, SourceError, blocking, disk, go_on, size_of, tick};
use crate::{
    catalogue::Digest,
    egress::{root_cause, without_secrets},
};

/// A file somewhere else, and what it must be.
#[derive(Debug, Clone)]
pub(super) struct RemoteFile {
    pub url: Url,
    pub size_bytes: Option<u64>,
    pub sha256: Digest,
}

/// How often in a row a request may fail before it is given up.
const MOST_FAILURES: u32 = 5;
/// A download that got this much further counts as working.
const PROGRESS_BYTES: u64 = 1 << 20;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const WRITE_BUFFER: usize = 256 << 10;
/// The largest answer that is read into memory.
const LARGEST_DOCUMENT: usize = 16 << 20;

/// Counts failures, and says when to give up.
#[derive(Default)]
struct Retry {
    failures: u32,
}

impl Fetcher {
    /// Downloads a file to `part`, from where that ends, and checks it.
    pub(super) async fn download(
        &self,
        job: &Job,
        file: &RemoteFile,
        part: &Path,
        meter: &Arc<Meter>,
    ) -> Result<(), SourceError> {
        let had = size_of(part);
        self.receive(job, file, part, meter).await?;
        let wrong = match check(job, file, part).await {
            Ok(()) => return Ok(()),
            Err(error @ SourceError::WrongDigest { .. }) => error,
            Err(error) => return Err(error),
        };
        meter.take_back(size_of(part));
        fs::remove_file(part).await.map_err(disk(part))?;
        if had == 0 {
            return Err(wrong);
        }
        // The earlier part may have been of another file: a fresh start tells.
        self.receive(job, file, part, meter).await?;
        let checked = check(job, file, part).await;
        if checked.is_err() {
            fs::remove_file(part).await.map_err(disk(part))?;
        }
        checked
    }

    /// Reads a small document.
    pub(super) async fn document(
        &self,
        job: &Job,
        url: &Url,
        accept: &str,
    ) -> Result<(HeaderMap, Vec<u8>), SourceError> {
        let mut retry = Retry::default();
        loop {
            let request = self.client.get(url.clone()).header(header::ACCEPT, accept);
            match read_document(url, request).await {
                Ok(document) => return Ok(document),
                Err(error) => self.pause(&mut retry, error, job).await?,
            }
        }
    }

    async fn receive(
        &self,
        job: &Job,
        file: &RemoteFile,
        part: &Path,
        meter: &Meter,
    ) -> Result<(), SourceError> {
        let mut have = size_of(part);
        meter.add(have);
        let mut retry = Retry::default();
        let mut is_reached = false;
        while file.size_bytes != Some(have) {
            let Err(mut error) = self.receive_rest(file, part, have, meter).await else {
                return Ok(());
            };
            let now = size_of(part);
            if now >= have + PROGRESS_BYTES {
                retry = Retry::default();
            }
            is_reached |= now != have;
            have = now;
            // A host that answered a moment ago may do so again.
            if let SourceError::Unreachable { host, reason } = &error
                && is_reached
            {
                error = SourceError::Broken { host: host.clone(), reason: reason.clone() };
            }
            self.pause(&mut retry, error, job).await?;
        }
        Ok(())
    }

    /// One request for what is missing.
    async fn receive_rest(
        &self,
        file: &RemoteFile,
        part: &Path,
        have: u64,
        meter: &Meter,
    ) -> Result<(), SourceError> {
        let mut request =
            self.client.get(file.url.clone()).header(header::ACCEPT_ENCODING, "identity");
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = send(&file.url, request).await?;
        let offset = match response.status() {
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(have) => have,
            StatusCode::OK => 0,
            // More is there than the server has: what is there is of no use.
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT if have > 0 => {
                meter.take_back(have);
                fs::remove_file(part).await.map_err(disk(part))?;
                let reason = "it cannot go on with an earlier download".into();
                return Err(SourceError::Broken { host: host(&file.url), reason });
            }
            status => {
                let url = without_secrets(file.url.as_str());
                return Err(SourceError::Refused { url, status: status.as_u16() });
            }
        };
        let announced = response.content_length().map(|rest| offset + rest);
        file.check_size(announced.unwrap_or(offset), announced.is_some())?;
        if offset < have {
            meter.take_back(have);
        }
        let end = append(response, part, offset, file, meter).await?;
        file.check_size(end, true)
    }

    /// Waits before the next attempt, or gives the error back when there should be none.
    async fn pause(
        &self,
        retry: &mut Retry,
        error: SourceError,
        job: &Job,
    ) -> Result<(), SourceError> {
        retry.failures += 1;
        if !error.is_transient() || retry.failures > MOST_FAILURES {
            return Err(error);
        }
        let asked = if let SourceError::Overloaded { retry_after_s, .. } = &error {
            *retry_after_s
        } else {
            None
        };
        // Up to half as much again, so that those who failed together do not come back together.
        let backoff = self.backoff * 2_u32.pow(retry.failures - 1);
        let backoff = backoff.mul_f64(1.0 + fastrand::f64() / 2.0);
        let after = asked.map_or(backoff, Duration::from_secs).min(LONGEST_PAUSE);
        (job.listener)(Event::Retrying { error: &error, after });
        time::sleep(after).await;
        Ok(())
    }
}

impl RemoteFile {
    /// Refuses a file that is, or will be, of another size; a shorter one only at its end.
    fn check_size(&self, found: u64, is_end: bool) -> Result<(), SourceError> {
        match self.size_bytes {
            Some(expected) if found > expected || (is_end && found < expected) => {
                let what = without_secrets(self.url.as_str());
                Err(SourceError::WrongSize { what, expected, found })
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn parse(url: &str) -> Result<Url, SourceError> {
    Url::parse(url).map_err(|error| SourceError::Malformed {
        url: without_secrets(url),
        reason: error.to_string(),
    })
}

/// Sends a request; what is no answer to it is an error.
async fn send(url: &Url, request: RequestBuilder) -> Result<Response, SourceError> {
    let response = request.send().await.map_err(|error| lost(url, &error))?;
    let status = response.status();
    let is_overloaded = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if is_overloaded {
        let retry_after = response.headers().get(header::RETRY_AFTER);
        return Err(SourceError::Overloaded {
            host: host(response.url()),
            status: status.as_u16(),
            retry_after_s: retry_after.and_then(|it| it.to_str().ok()?.parse().ok()),
        });
    }
    Ok(response)
}

async fn read_document(
    url: &Url,
    request: RequestBuilder,
) -> Result<(HeaderMap, Vec<u8>), SourceError> {
    let response = send(url, request).await?;
    let status = response.status();
    if !status.is_success() {
        let url = without_secrets(url.as_str());
        return Err(SourceError::Refused { url, status: status.as_u16() });
    }
    let headers = response.headers().clone();
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|error| lost(url, &error))?);
        if body.len() > LARGEST_DOCUMENT {
            let reason = format!("it sent more than {LARGEST_DOCUMENT} bytes");
            return Err(SourceError::Malformed { url: without_secrets(url.as_str()), reason });
        }
    }
    Ok((headers, body))
}

/// Writes the answer behind the first `offset` bytes of the file; tells where it ends.
async fn append(
    response: Response,
    part: &Path,
    offset: u64,
    file: &RemoteFile,
    meter: &Meter,
) -> Result<u64, SourceError> {
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true);
    if offset > 0 {
        options.append(true)
    } else {
        options.truncate(true)
    };
    let opened = options.open(part).await.map_err(disk(part))?;
    let mut writer = BufWriter::with_capacity(WRITE_BUFFER, opened);
    let mut end = offset;
    let mut chunks = response.bytes_stream();
    let mut outcome = Ok(());
    while let Some(chunk) = chunks.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                outcome = Err(lost(&file.url, &error));
                break;
            }
        };
        end += chunk.len() as u64;
        outcome = file.check_size(end, false);
        if outcome.is_err() {
            break;
        }
        writer.write_all(&chunk).await.map_err(disk(part))?;
        meter.add(chunk.len() as u64);
    }
    // What has arrived is kept, whatever happened then.
    writer.flush().await.map_err(disk(part))?;
    outcome.map(|()| end)
}

async fn check(job: &Job, file: &RemoteFile, part: &Path) -> Result<(), SourceError> {
    let (job, file, part) = (job.clone(), file.clone(), part.to_owned());
    blocking(move |stop| {
        // Pieces are checked while others arrive, which is nothing to watch.
        let is_whole = file.sha256 == job.sha256;
        let meter = is_whole.then(|| job.meter(Phase::Check, size_of(&part)));
        let found = match &meter {
            Some(meter) => Digest::of_file(&part, &mut tick(meter, stop)),
            None => Digest::of_file(&part, &mut |_| go_on(stop)),
        };
        let found = found.map_err(disk(&part))?;
        if found == file.sha256 {
            return Ok(());
        }
        let what = without_secrets(file.url.as_str());
        Err(SourceError::WrongDigest { what, expected: file.sha256, found })
    })
    .await
}

/// Says what became of a request that got no whole answer.
fn lost(url: &Url, error: &reqwest::Error) -> SourceError {
    let host = host(error.url().unwrap_or(url));
    let reason = root_cause(error);
    if error.is_connect() {
        SourceError::Unreachable { host, reason }
    } else if error.is_builder() || error.is_redirect() {
        SourceError::Malformed { url: host, reason }
    } else {
        SourceError::Broken { host, reason }
    }
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// Where the answer starts within the file: `bytes 5-9/10` starts at 5.
fn range_start(response: &Response) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
