//! What was asked and answered, kept: as a Markdown file, or as a note in a task.
//!
//! Where it is kept is checked before a model is asked. Start at [`destination`], [`Session::save`]
//! and [`Session::save_to_task`].

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Component, Path, PathBuf},
};

use tm_tasks::{
    id::TaskId,
    notes::add_note,
    store::{Store, StoreError},
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub query: String,
    pub answer: String,
}

/// Several questions, one following from the other, and who answered them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session<'a> {
    /// The first one is what it is all about.
    pub exchanges: &'a [Exchange],
    /// The model, for readers of the file.
    pub model: &'a str,
    pub at: Timestamp,
}

/// Why nothing can be kept there.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("{path} is not a path inside the project")]
    Outside { path: String },
    #[error("there is no directory {}", path.display())]
    NoDirectory { path: PathBuf },
    #[error("{} is a directory", path.display())]
    Directory { path: PathBuf },
    #[error("{} cannot be written", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The longest name for a file, in characters without the date.
const SLUG_MAX: usize = 50;

/// The file that a path names: below the project's root, in a directory that exists.
pub fn destination(root: &Path, path: &str) -> Result<PathBuf, SaveError> {
    let outside = || SaveError::Outside { path: path.to_owned() };
    let parts = Path::new(path).components();
    let is_inside = |it: Component<'_>| matches!(it, Component::Normal(_) | Component::CurDir);
    if path.trim().is_empty() || !parts.into_iter().all(is_inside) {
        return Err(outside());
    }
    let file = root.join(path);
    let directory = file.parent().unwrap_or(root);
    let missing = || SaveError::NoDirectory { path: directory.to_path_buf() };
    let real = directory.canonicalize().map_err(|_| missing())?;
    if !real.is_dir() {
        return Err(missing());
    }
    // A link may lead out.
    if !root.canonicalize().is_ok_and(|root| real.starts_with(root)) {
        return Err(outside());
    }
    if file.is_dir() {
        return Err(SaveError::Directory { path: file });
    }
    Ok(file)
}

/// Writes what answers were made of beside the file that has them, and returns its path.
pub fn save_record(file: &Path, record: &serde_json::Value) -> Result<PathBuf, SaveError> {
    let path = file.with_extension("citations.json");
    let unwritable = |source| SaveError::Unwritable { path: path.clone(), source };
    fs::write(&path, format!("{record:#}\n")).map_err(unwritable)?;
    Ok(path)
}

impl Session<'_> {
    /// Writes the file, whatever was in it.
    pub fn save(&self, file: &Path) -> Result<(), SaveError> {
        let unwritable = |source| SaveError::Unwritable { path: file.to_path_buf(), source };
        fs::write(file, self.to_markdown()).map_err(unwritable)
    }

    /// Writes a new file into a directory, created when it does not exist, and returns its path.
    pub fn save_new(&self, directory: &Path) -> Result<PathBuf, SaveError> {
        let unwritable = |path: &Path| {
            let path = path.to_path_buf();
            move |source| SaveError::Unwritable { path, source }
        };
        fs::create_dir_all(directory).map_err(unwritable(directory))?;
        for number in 1_u32.. {
            let path = directory.join(self.file_name(number));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(self.to_markdown().as_bytes()).map_err(unwritable(&path))?;
                    return Ok(path);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(unwritable(&path)(error)),
            }
        }
        Err(SaveError::Directory { path: directory.to_path_buf() })
    }

    /// Adds the answers to the details of a task or subtask, and returns it.
    pub fn save_to_task(&self, store: &Store, tag: &str, id: &TaskId) -> Result<Task, SaveError> {
        let note = self.note();
        let no_task = || SaveError::NoTask { id: id.clone(), tag: tag.to_owned() };
        store.commit(&format!("research --save-to={id}"), self.at, |file| {
            let tag = file.tag_mut(tag).ok_or_else(no_task)?;
            let noted = tag.change(id, |task| {
                add_note(task, &note, self.at);
                task.clone()
            });
            noted.ok_or_else(no_task)
        })
    }

    /// `2030-01-31_how-to-cache.md`; from the second of this name on, with its number.
    fn file_name(&self, number: u32) -> String {
        let slug = slug(self.exchanges.first().map_or("", |it| &it.query));
        let number = if number > 1 { format!("-{number}") } else { String::new() };
        format!("{}_{slug}{number}.md", self.day())
    }

    fn to_markdown(&self) -> String {
        let query = self.exchanges.first().map_or("", |it| it.query.trim());
        let title = query.lines().next().unwrap_or_default();
        // A JSON string is a YAML string, whatever is in it.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut pieces = vec![format!(
            "---\ntitle: {}\nquery: {}\ndate: {}\ntime: {}\ntimestamp: {}\nexchanges: {}\n---\n\n\
             # {title}\n",
            quoted(title),
            quoted(query),
            self.day(),
            self.at.strftime("%H:%M:%S"),
            iso_millis(self.at),
            self.exchanges.len(),
        )];
        for (index, exchange) in self.exchanges.iter().enumerate() {
            let (asked, answered) = match index {
                0 => ("Initial query".to_owned(), "Response".to_owned()),
                _ => (format!("Follow-up {index}"), format!("Response to follow-up {index}")),
            };
            let (query, answer) = (exchange.query.trim(), exchange.answer.trim());
            pieces.push(format!("\n## {asked}\n\n{query}\n\n## {answered}\n\n{answer}\n"));
        }
        pieces.push(format!("\n---\n\n*{}*\n", self.origin()));
        pieces.concat()
    }

    /// Who answered; what an answer rests on is said in it.
    pub fn origin(&self) -> String {
        format!("Answered by {}", self.model)
    }

    fn note(&self) -> String {
        let exchange = |it: &Exchange| format!("{}\n\n{}", it.query.trim(), it.answer.trim());
        let exchanges: Vec<String> = self.exchanges.iter().map(exchange).collect();
        format!("Research: {}\n\n({})", exchanges.join("\n\n"), self.origin())
    }

    fn day(&self) -> String {
        self.at.strftime("%Y-%m-%d").to_string()
    }
}

/// The first words of a question, for a file's name.
fn slug(query: &str) -> String {
    let words = query.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("-").to_lowercase();
    let slug: String = slug.chars().take(SLUG_MAX).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "research".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests;
