//! What was found best for a model on this machine, kept between commands.
//!
//! `bench host` measures and writes it, loading a model reads it. Another machine, or another file
//! of the model, has none: a note that does not fit is as good as no note.

use std::{fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};
use tm_tasks::digest::sha256_hex;

use crate::config::Environment;

/// The best way to run one model on one machine, and how fast that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    pub model: String,
    /// As [`crate::backend::InProcess::identity`] has it.
    pub identity: String,
    /// As [`host`] has it.
    pub host: String,
    pub at: String,
    pub threads: u32,
    pub batch_tokens: u32,
    /// Tokens a second of a prompt, and of one answer.
    pub reading: f64,
    pub writing: f64,
    /// Tokens a second of four answers together.
    pub writing_four: f64,
}

/// What was measured of the model on this machine.
pub fn read(environment: &Environment, identity: &str) -> Option<Calibration> {
    let host = host();
    let text = fs::read(path(environment, identity, &host)).ok()?;
    let calibration: Calibration = serde_json::from_slice(&text).ok()?;
    let fits = calibration.identity == identity
        && calibration.host == host
        && (1..=1024).contains(&calibration.threads)
        && (1..=4096).contains(&calibration.batch_tokens);
    fits.then_some(calibration)
}

/// Keeps it in place of what was measured before; the answer is where.
///
/// # Errors
/// When it cannot be written.
pub fn keep(environment: &Environment, calibration: &Calibration) -> io::Result<PathBuf> {
    let path = path(environment, &calibration.identity, &calibration.host);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec_pretty(calibration)?)?;
    fs::rename(&fresh, &path)?;
    Ok(path)
}

/// The processor, its cores and the memory: what would have to be measured anew when it changes.
pub fn host() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut system = sysinfo::System::new().ok();
    let (mut processor, mut memory_gib) = (String::new(), 0);
    if let Some(system) = &mut system {
        system.refresh_memory();
        system.refresh_cpu_all();
        processor = system.cpus().first().map_or_else(String::new, |it| it.brand().to_owned());
        memory_gib = system.total_memory() >> 30;
    }
    format!("{processor}, {cores} cores, {memory_gib} GiB")
}

fn path(environment: &Environment, identity: &str, host: &str) -> PathBuf {
    let name = sha256_hex(format!("{identity}\n{host}").as_bytes());
    let short = name.get(..16).unwrap_or(&name);
    environment.state_dir.join("calibration").join(format!("{short}.json"))
}

#[cfg(test)]
mod tests;
