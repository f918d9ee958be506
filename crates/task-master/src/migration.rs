//! Moving a project from before `.taskmaster` into it.
//!
//! The plan is made first. No file is replaced: what is in the way stays, and so does what would
//! have taken its place. Nothing is asked and nothing printed. Start at [`plan`].

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// Where copies of what is moved go.
pub const BACKUP: &str = ".taskmaster-migration-backup";

const CONFIG: &str = ".taskmasterconfig";
const TASKS: &str = "tasks";
const SCRIPTS: &str = "scripts";

/// What there is to do, in paths below the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub moves: Vec<Move>,
    /// What stays, because nobody knows what it is.
    pub unknown: Vec<PathBuf>,
    /// What stays, because something is where it would go.
    pub blocked: Vec<Move>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub from: PathBuf,
    pub to: PathBuf,
}

/// Why a project cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("there is a backup in {} already", path.display())]
    BackupExists { path: PathBuf },
    #[error("cannot copy {}", path.display())]
    Copy { path: PathBuf, source: io::Error },
    #[error("cannot move {}", path.display())]
    Move { path: PathBuf, source: io::Error },
}

/// What lies where it lay before `.taskmaster`.
pub fn plan(root: &Path) -> Result<Plan, MigrationError> {
    let mut plan = Plan::default();
    // A directory of this name may be about anything.
    if root.join(TASKS).join("tasks.json").is_file() {
        for name in names(root, TASKS)? {
            let from = Path::new(TASKS).join(&name);
            let to = Path::new(".taskmaster/tasks").join(&name);
            plan.add(root, from, Some(to));
        }
    }
    for name in names(root, SCRIPTS)? {
        let to = directory_of_script(&name).map(|it| Path::new(".taskmaster").join(it).join(&name));
        plan.add(root, Path::new(SCRIPTS).join(&name), to);
    }
    if root.join(CONFIG).is_file() {
        plan.add(root, CONFIG.into(), Some(".taskmaster/config.json".into()));
    }
    Ok(plan)
}

/// Copies all that will be moved.
pub fn back_up(root: &Path, plan: &Plan) -> Result<(), MigrationError> {
    let backup = root.join(BACKUP);
    if backup.exists() {
        return Err(MigrationError::BackupExists { path: backup });
    }
    for Move { from, .. } in &plan.moves {
        let copied = parent_of(&backup.join(from))
            .and_then(|()| fs::copy(root.join(from), backup.join(from)));
        copied.map_err(|source| MigrationError::Copy { path: from.clone(), source })?;
    }
    Ok(())
}

/// Moves the files, and removes the directories that are empty without them.
pub fn apply(root: &Path, plan: &Plan) -> Result<(), MigrationError> {
    for Move { from, to } in &plan.moves {
        let to = root.join(to);
        let moved = parent_of(&to).and_then(|()| fs::rename(root.join(from), &to));
        moved.map_err(|source| MigrationError::Move { path: from.clone(), source })?;
    }
    for directory in [TASKS, SCRIPTS] {
        // One with something in it stays.
        fs::remove_dir(root.join(directory)).ok();
    }
    Ok(())
}

impl Plan {
    fn add(&mut self, root: &Path, from: PathBuf, to: Option<PathBuf>) {
        match to {
            Some(to) if root.join(&from).is_file() => {
                let is_free = !root.join(&to).exists();
                let step = Move { from, to };
                if is_free { self.moves.push(step) } else { self.blocked.push(step) }
            }
            Some(_) | None => self.unknown.push(from),
        }
    }
}

/// Where a file from `scripts` belongs, as far as its name tells.
fn directory_of_script(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let has = |part: &str| name.contains(part);
    let extension = Path::new(&name).extension().and_then(OsStr::to_str).unwrap_or_default();
    if ["example", "template", "boilerplate", "sample"].into_iter().any(has) {
        Some("templates")
    } else if has("complexity") && has("report") && extension == "json" {
        Some("reports")
    } else if has("prd") || matches!(extension, "md" | "txt") {
        Some("docs")
    } else {
        None
    }
}

/// What is in a directory, in order; nothing when there is none.
fn names(root: &Path, directory: &str) -> Result<Vec<String>, MigrationError> {
    let path = root.join(directory);
    let read = |source| MigrationError::Read { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(read(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(read)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn parent_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}
