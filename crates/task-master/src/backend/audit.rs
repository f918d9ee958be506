//! The log of what leaves this machine.
//!
//! One line for each request to a provider on the Internet, written before it is sent. It says who
//! was asked and when, not what.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use tm_llm::{
    backend::remote::{Audit, Server},
    egress::without_secrets,
};
use tm_tasks::timestamp::{Timestamp, iso_millis};

/// Takes note of requests in a file of the state directory.
pub(super) fn log(state_dir: &Path, project: &Path) -> Audit {
    let file = state_dir.join("external-requests.jsonl");
    let project = project.to_owned();
    Arc::new(move |server: &Server| append(&file, &project, server))
}

fn append(file: &PathBuf, project: &Path, server: &Server) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let line = json!({
        "time": iso_millis(Timestamp::now()),
        "provider": server.provider.name,
        "url": without_secrets(&server.url),
        "model": server.model,
        "project": project,
    });
    // One write, so that lines of several processes do not mix.
    let mut log = OpenOptions::new().create(true).append(true).open(file)?;
    log.write_all(format!("{line}\n").as_bytes())
}
