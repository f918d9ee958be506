//! The log of what leaves this machine, and of what was kept from leaving it.
//!
//! One line for each request to a provider on the Internet, written before it is sent, for each
//! download of a model, and for each connection that was not made. It says who was asked and when,
//! not what.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tm_llm::{backend::remote::Server, catalogue::Source, egress::without_secrets};
use tm_tasks::timestamp::{Timestamp, iso_millis};

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A request is sent, with the user's leave.
    #[default]
    Sent,
    /// Nothing was sent.
    Blocked,
    /// A model is fetched, because the user asked for it.
    Download,
}

/// Requests that this process has sent to providers, and those that were stopped.
static COUNTS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// How many requests of this process went to providers, and how many were stopped.
pub fn counts() -> [u64; 2] {
    COUNTS.each_ref().map(|it| it.load(Ordering::Relaxed))
}

/// One line of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    pub time: String,
    pub event: Event,
    pub provider: Option<String>,
    /// An address, a host or a place.
    pub url: String,
    pub model: Option<String>,
    pub project: Option<PathBuf>,
}

/// The log, for the work of one project.
#[derive(Debug, Clone)]
pub struct Audit {
    file: PathBuf,
    project: Option<PathBuf>,
}

/// What the log holds.
#[derive(Debug, Default)]
pub struct Past {
    /// The newest first.
    pub entries: Vec<Entry>,
    pub unreadable: usize,
}

impl Audit {
    pub fn new(state_dir: &Path, project: Option<&Path>) -> Self {
        Self { file: file(state_dir), project: project.map(Path::to_owned) }
    }

    /// A request that is sent when this went well.
    pub(super) fn sent(&self, server: &Server) -> io::Result<()> {
        self.append(Entry {
            provider: Some(server.provider.name.to_owned()),
            url: without_secrets(&server.url),
            model: Some(server.model.clone()),
            ..Entry::default()
        })
    }

    /// A connection that was not made.
    pub(super) fn blocked(&self, url: &str) {
        self.tell(Entry { event: Event::Blocked, url: without_secrets(url), ..Entry::default() });
    }

    /// A request that was not made because it would leave this machine.
    pub(super) fn kept(&self, provider: &str, url: &str, model: &str) {
        self.tell(Entry {
            event: Event::Blocked,
            provider: Some(provider.to_owned()),
            url: without_secrets(url),
            model: Some(model.to_owned()),
            ..Entry::default()
        });
    }

    /// A model that is fetched from elsewhere.
    pub fn download(&self, source: &Source) {
        if !matches!(source, Source::Path(_)) {
            let url = source.to_string();
            self.tell(Entry { event: Event::Download, url, ..Entry::default() });
        }
    }

    /// All that was noted; nothing where there is no log.
    ///
    /// # Errors
    /// A log that is there and cannot be read.
    pub fn read(state_dir: &Path) -> io::Result<Past> {
        let text = match fs::read_to_string(file(state_dir)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Past::default()),
            Err(error) => return Err(error),
        };
        let mut past = Past::default();
        for line in text.lines().rev() {
            match serde_json::from_str(line) {
                Ok(entry) => past.entries.push(entry),
                Err(_) => past.unreadable += 1,
            }
        }
        Ok(past)
    }

    /// Nothing leaves, so nothing is stopped for a line that cannot be written.
    fn tell(&self, entry: Entry) {
        if let Err(error) = self.append(entry) {
            tracing::warn!(file = %self.file.display(), %error, "the audit log cannot be written");
        }
    }

    fn append(&self, entry: Entry) -> io::Result<()> {
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        let time = iso_millis(Timestamp::now());
        let count = match entry.event {
            Event::Sent => COUNTS.first(),
            Event::Blocked => COUNTS.last(),
            Event::Download => None,
        };
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let entry = Entry { time, project: self.project.clone(), ..entry };
        let line = serde_json::to_string(&entry)?;
        // One write, so that lines of several processes do not mix.
        let mut log = OpenOptions::new().create(true).append(true).open(&self.file)?;
        log.write_all(format!("{line}\n").as_bytes())
    }
}

/// Where the log is.
pub fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("external-requests.jsonl")
}
