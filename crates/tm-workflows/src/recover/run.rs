//! A command in the user's words, run by `sh` in a directory.
//!
//! It has so much time, and of what it prints the end is kept. It is a process group of its own, and what
//! stays in that ends with it, or when nobody waits for it any more. Start at [`run`].

use std::{
    io::{self, PipeReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time};

use crate::autopilot::git::LOCAL_VARIABLES;

/// What a command may have.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How long it may take.
    pub time: Duration,
    /// Variables of the environment that it is not told.
    pub without: Vec<String>,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub end: End,
    /// The end of all that it printed.
    pub output: String,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By a signal of somebody else.
    Killed,
    /// It had no more time.
    Stopped {
        after_s: u64,
    },
}

/// More than any model reads.
const KEPT_BYTES: usize = 64 * 1024;

/// How often to look whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What was printed is there at once when all have ended, but for those that fled their group.
const PRINTED_WITHIN: Duration = Duration::from_secs(1);

/// Runs a command to its end.
///
/// # Errors
/// When `sh` cannot be started.
pub async fn run(command: &str, directory: &Path, bounds: &Bounds) -> io::Result<Ran> {
    let (reader, writer) = io::pipe()?;
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(directory).stdin(Stdio::null());
    shell.stdout(writer.try_clone()?).stderr(writer);
    let withheld = bounds.without.iter().map(String::as_str);
    for variable in LOCAL_VARIABLES.iter().copied().chain(withheld) {
        shell.env_remove(variable);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    let end_at = Instant::now() + bounds.time;
    let mut group = Group { child: shell.spawn()? };
    // The other end of the pipe is its own now.
    drop(shell);
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (tell, told) = oneshot::channel();
    let tail = Arc::clone(&kept);
    thread::spawn(move || {
        keep_end(reader, &tail);
        // Nobody listens any more where it took too long.
        tell.send(()).ok();
    });
    let end = loop {
        if let Some(status) = group.child.try_wait()? {
            break End::of(status);
        }
        if Instant::now() >= end_at {
            break End::Stopped { after_s: bounds.time.as_secs() };
        }
        time::sleep(LOOK_EVERY).await;
    };
    drop(group);
    drop(time::timeout(PRINTED_WITHIN, told).await);
    let printed = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let start = printed.len().saturating_sub(KEPT_BYTES);
    let output = String::from_utf8_lossy(printed.get(start..).unwrap_or_default()).into_owned();
    Ok(Ran { end, output })
}

impl Ran {
    pub fn passed(&self) -> bool {
        self.end == End::Exited(0)
    }

    /// Whether the shell found nothing that it could run.
    pub fn is_unrunnable(&self) -> bool {
        matches!(self.end, End::Exited(126 | 127))
    }
}

impl End {
    fn of(status: ExitStatus) -> Self {
        status.code().map_or(Self::Killed, Self::Exited)
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("passed"),
            Self::Exited(code) => write!(f, "failed with exit code {code}"),
            Self::Killed => f.write_str("was killed by a signal"),
            Self::Stopped { after_s } => write!(f, "was stopped after {after_s} s"),
        }
    }
}

/// A process with all that it started. They end when this is dropped.
#[derive(Debug)]
struct Group {
    child: Child,
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) =
            i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw)
        {
            // There may be nobody left.
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads to the end, and keeps as much as is of use.
fn keep_end(mut reader: PipeReader, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 8192];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(read) if read > 0 => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(_) | Err(_) => return,
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(buffer.get(..read).unwrap_or_default());
        if kept.len() > 2 * KEPT_BYTES {
            let surplus = kept.len() - KEPT_BYTES;
            kept.drain(..surplus);
        }
    }
}

#[cfg(test)]
mod tests;
