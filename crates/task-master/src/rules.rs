//! Rules, slash commands and MCP settings for the editors and agents that work in a project.
//!
//! What belongs to whom decides what happens to a file: our own files are written and removed;
//! in files of the user's a part is put in and taken out, and the rest stays. The command line,
//! `init` and the MCP server come here; nothing is printed. Start at [`add`] and [`remove`].

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

mod commands;
mod mcp;
pub mod profile;
mod section;
mod text;

use mcp::Edit;
use profile::{Extras, Instructions, McpFile, PROFILES, Profile};

/// Whom the rules are for. Without a mode, everything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Solo,
    Team,
}

/// Where files go.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    pub root: &'a Path,
    /// One editor keeps slash commands in the home directory.
    pub home: Option<&'a Path>,
}

/// What was done for one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub profile_name: &'static str,
    pub success: bool,
    pub files_written: usize,
    /// Seen from the project, where they lay in it.
    pub files_removed: Vec<String>,
    /// What the user has to see to.
    pub notes: Vec<String>,
}

/// Why the files of a profile could not be written or removed.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot remove {}", path.display())]
    Remove { path: PathBuf, source: io::Error },
}

/// The profiles whose editors people use here, as far as their directories tell.
pub fn detected(root: &Path) -> Vec<&'static Profile> {
    let is_there = |it: &&Profile| it.markers.iter().any(|marker| root.join(marker).exists());
    PROFILES.into_iter().filter(is_there).collect()
}

/// The profiles that something was written for.
pub fn installed(places: Places) -> Vec<&'static Profile> {
    PROFILES.into_iter().filter(|it| is_installed(places, it)).collect()
}

/// Writes what a profile consists of. Doing it again brings everything up to date.
pub fn add(places: Places, profile: &Profile, mode: Option<Mode>) -> Result<Outcome, RulesError> {
    let mut work = Work::new(places, profile);
    for (path, text) in text::files(profile, mode) {
        work.write(&places.root.join(path), &text)?;
    }
    if let Some((directory, files)) = command_files(places, profile) {
        for (name, command) in files {
            let path = directory.join(name);
            if command.is_for(mode) {
                work.write(&path, &command.render(format(profile)))?;
            } else {
                work.remove(&path)?;
            }
        }
    }
    match &profile.instructions {
        Some(Instructions::Imported { file, ours }) => {
            work.write(&places.root.join(ours), text::INSTRUCTIONS)?;
            let line = format!("@./{ours}");
            let said = "## Task Master\n\nHow to work with the tasks of this project:";
            work.put_section(file, &line, &format!("{said}\n\n{line}"))?;
        }
        Some(Instructions::Section { file }) if mode.is_none() => {
            work.put_section(file, text::INSTRUCTIONS, text::INSTRUCTIONS)?;
        }
        Some(Instructions::Section { .. }) | None => {}
    }
    if mode != Some(Mode::Team) {
        work.add_extras(profile.extras)?;
    }
    if let Some(file) = &profile.mcp {
        work.add_server(file)?;
    }
    Ok(work.outcome)
}

/// Removes what [`add`] has written. Files of the user's stay, and so do their directories.
pub fn remove(places: Places, profile: &Profile) -> Result<Outcome, RulesError> {
    let mut work = Work::new(places, profile);
    for (path, _) in text::files(profile, None) {
        work.remove(&places.root.join(path))?;
    }
    if let Some((directory, files)) = command_files(places, profile) {
        for (name, _) in files {
            work.remove(&directory.join(name))?;
        }
    }
    match &profile.instructions {
        Some(Instructions::Imported { file, ours }) => {
            work.remove(&places.root.join(ours))?;
            work.take_section_out(file)?;
        }
        Some(Instructions::Section { file }) if !is_shared(places, profile, file) => {
            work.take_section_out(file)?;
        }
        Some(Instructions::Section { .. }) | None => {}
    }
    work.remove_extras(profile.extras)?;
    if let Some(file) = &profile.mcp {
        work.remove_server(file)?;
    }
    Ok(work.outcome)
}

fn is_installed(places: Places, profile: &Profile) -> bool {
    let has = |path: &str| places.root.join(path).exists();
    let text = |path: &str| fs::read_to_string(places.root.join(path)).unwrap_or_default();
    let has_rules = text::files(profile, None).iter().any(|it| has(&it.0));
    let has_commands = command_files(places, profile)
        .is_some_and(|(directory, files)| files.iter().any(|it| directory.join(&it.0).exists()));
    let has_instructions =
        matches!(&profile.instructions, Some(Instructions::Imported { ours, .. }) if has(ours));
    let has_server = profile
        .mcp
        .as_ref()
        .is_some_and(|it| !matches!(mcp::remove(it, &text(it.path)), Ok(Edit::Keep) | Err(_)));
    has_rules || has_commands || has_instructions || has_server
}

/// Whether another installed profile has its section in the same file.
fn is_shared(places: Places, profile: &Profile, path: &str) -> bool {
    PROFILES.into_iter().filter(|it| it.name != profile.name).any(|it| {
        matches!(&it.instructions, Some(Instructions::Section { file }) if *file == path)
            && is_installed(places, it)
    })
}

/// Where the slash commands of a profile go.
fn command_files(
    places: Places,
    profile: &Profile,
) -> Option<(PathBuf, Vec<(String, &'static commands::SlashCommand)>)> {
    let files = profile.commands.as_ref()?;
    let base = if files.in_home { places.home? } else { places.root };
    let names = commands::COMMANDS.iter().map(|it| (it.file_name(files.prefix, files.format), it));
    Some((base.join(files.directory), names.collect()))
}

fn format(profile: &Profile) -> profile::CommandFormat {
    profile.commands.as_ref().map_or(profile::CommandFormat::Plain, |it| it.format)
}

/// What is under way for one profile.
struct Work<'a> {
    places: Places<'a>,
    outcome: Outcome,
}

impl<'a> Work<'a> {
    fn new(places: Places<'a>, profile: &Profile) -> Self {
        let outcome = Outcome { profile_name: profile.name, success: true, ..Outcome::default() };
        Self { places, outcome }
    }

    fn put_section(&mut self, file: &str, trace: &str, text: &str) -> Result<(), RulesError> {
        let path = self.places.root.join(file);
        let existing = read(&path)?.unwrap_or_default();
        // Somebody may have put it in by hand.
        if existing.contains(trace) && section::take_out(&existing).is_none() {
            return Ok(());
        }
        self.write(&path, &section::put(&existing, text))
    }

    fn take_section_out(&mut self, file: &str) -> Result<(), RulesError> {
        let path = self.places.root.join(file);
        match read(&path)?.as_deref().and_then(section::take_out) {
            Some(rest) if rest.trim().is_empty() => self.remove(&path),
            Some(rest) => self.write(&path, &rest),
            None => Ok(()),
        }
    }

    fn add_extras(&mut self, extras: Extras) -> Result<(), RulesError> {
        let root = self.places.root;
        match extras {
            Extras::Nothing => Ok(()),
            Extras::Hooks { directory } => text::hooks()
                .iter()
                .try_for_each(|(name, text)| self.write(&root.join(directory).join(name), text)),
            Extras::Modes { file, directory } => {
                let path = root.join(file);
                if read(&path)?.is_some_and(|it| it != text::MODES_FILE) {
                    self.outcome.notes.push(format!(
                        "{file} has modes of your own and is left as it is; those of Task Master \
                         are in {directory}"
                    ));
                } else {
                    self.write(&path, text::MODES_FILE)?;
                }
                text::MODES.iter().try_for_each(|(name, text)| {
                    self.write(&mode_file(root, directory, name), text)
                })
            }
        }
    }

    fn remove_extras(&mut self, extras: Extras) -> Result<(), RulesError> {
        let root = self.places.root;
        match extras {
            Extras::Nothing => Ok(()),
            Extras::Hooks { directory } => text::hooks()
                .iter()
                .try_for_each(|(name, _)| self.remove(&root.join(directory).join(name))),
            Extras::Modes { file, directory } => {
                let path = root.join(file);
                if read(&path)?.is_some_and(|it| it == text::MODES_FILE) {
                    self.remove(&path)?;
                }
                text::MODES
                    .iter()
                    .try_for_each(|(name, _)| self.remove(&mode_file(root, directory, name)))
            }
        }
    }

    fn add_server(&mut self, file: &McpFile) -> Result<(), RulesError> {
        let path = self.places.root.join(file.path);
        match mcp::add(file, read(&path)?.as_deref()) {
            Ok(Edit::Write(text)) => self.write(&path, &text),
            Ok(Edit::Keep | Edit::Delete) => Ok(()),
            Err(error) => {
                self.outcome.notes.push(format!(
                    "{} is left as it is ({error}); add this to it: {}",
                    file.path,
                    mcp::entry(file)
                ));
                Ok(())
            }
        }
    }

    fn remove_server(&mut self, file: &McpFile) -> Result<(), RulesError> {
        let path = self.places.root.join(file.path);
        let Some(text) = read(&path)? else { return Ok(()) };
        match mcp::remove(file, &text) {
            Ok(Edit::Keep) => Ok(()),
            Ok(Edit::Write(text)) => self.write(&path, &text),
            Ok(Edit::Delete) => self.remove(&path),
            Err(error) => {
                let note = format!("{} is left as it is ({error})", file.path);
                self.outcome.notes.push(note);
                Ok(())
            }
        }
    }

    /// Writes a file in one step, unless it has this text already.
    fn write(&mut self, path: &Path, text: &str) -> Result<(), RulesError> {
        if read(path)?.is_some_and(|it| it == text) {
            return Ok(());
        }
        self.outcome.files_written += 1;
        replace(path, text).map_err(|source| RulesError::Write { path: path.to_path_buf(), source })
    }

    /// Removes a file, and the directories that are empty without it.
    fn remove(&mut self, path: &Path) -> Result<(), RulesError> {
        match fs::remove_file(path) {
            Ok(()) => {
                let seen = path.strip_prefix(self.places.root).unwrap_or(path);
                self.outcome.files_removed.push(seen.display().to_string());
            }
            Err(error) if is_absent(&error) => return Ok(()),
            Err(source) => return Err(RulesError::Remove { path: path.to_path_buf(), source }),
        }
        let is_base = |it: &&Path| *it == self.places.root || Some(*it) == self.places.home;
        for directory in path.ancestors().skip(1).take_while(|it| !is_base(it)) {
            // A directory with something in it stays.
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn mode_file(root: &Path, directory: &str, mode: &str) -> PathBuf {
    root.join(directory).join(format!("rules-{mode}")).join(format!("{mode}-rules"))
}

fn read(path: &Path) -> Result<Option<String>, RulesError> {
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let source = io::Error::new(io::ErrorKind::InvalidData, error);
                Err(RulesError::Read { path: path.to_path_buf(), source })
            }
        },
        Err(error) if is_absent(&error) => Ok(None),
        Err(source) => Err(RulesError::Read { path: path.to_path_buf(), source }),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whoever is interrupted leaves the old file or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".task-master-tmp");
    let temporary = path.with_file_name(name);
    fs::write(&temporary, text)?;
    if let Ok(metadata) = fs::metadata(&path) {
        fs::set_permissions(&temporary, metadata.permissions())?;
    }
    fs::rename(&temporary, &path)
}

#[cfg(test)]
mod tests;
