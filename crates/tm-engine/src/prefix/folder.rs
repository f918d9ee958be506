//! Prompts that outlast the engine which read them: files for the next engine to go on from.
//!
//! A file is what llama.cpp saves of a sequence, its tokens first, and at the end the SHA-256 of
//! that and of everything the numbers depend on. It is written beside its place and moved there, so
//! that any number of processes can share a folder. A file that cannot be relied on is as good as
//! none and is removed: what it costs is a prompt that is read again. Knows nothing of contexts;
//! start at [`Folder::find`].

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use llama_cpp_2::token::LlamaToken;
use sha2::{Digest as _, Sha256};
use tm_llm::catalogue::digest::{Digest, copy};

use super::common_prefix;

/// Of `llama-cpp-sys-2`: another one may save something else, or compute it otherwise.
const LLAMA_CPP: &str = "0.1.161";
/// A file is read when that saves at least this many tokens.
pub(crate) const WORTH_LOADING: usize = 128;
/// A prompt is kept when at least this many of its tokens had to be read, and this share of them:
/// a file has all of them.
const WORTH_KEEPING: u32 = 256;
const WORTH_KEEPING_PERCENT: u32 = 25;
/// What nobody has read for so long is removed.
const OLDEST: Duration = Duration::from_hours(30 * 24);
/// A file that takes longer to write belongs to a process that was killed.
const WRITTEN: Duration = Duration::from_hours(1);
/// Before its tokens a file of llama.cpp has three numbers: what it is, which form, how many tokens.
const HEAD: usize = 12;
const DIGEST: u64 = 32;
const SUFFIX: &str = "prefix";
const BESIDE: &str = "part";

/// A folder with prompts that were read before, for engines to share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixFolder {
    pub path: PathBuf,
    /// What tells the weights, and the machine that computes, from others.
    pub identity: String,
    /// The most bytes of all files together. What was not used for longest makes room.
    pub most_bytes: u64,
    /// A prompt is kept when reading it took at least this long.
    pub worth: Duration,
}

/// The files in such a folder that one engine can use.
#[derive(Debug)]
pub(crate) struct Folder {
    options: PrefixFolder,
    /// The digest of everything the numbers depend on.
    key: String,
    /// What was read from end to end and found whole.
    whole: Mutex<HashSet<PathBuf>>,
}

/// A file that begins like a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) tokens: usize,
    /// How many of them the prompt begins with.
    pub(crate) common: usize,
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) beside: PathBuf,
    path: PathBuf,
}

/// Puts drafts in their places while answers go on: that needs no model. Dropping it waits for the
/// last one.
#[derive(Debug, Default)]
pub(crate) struct Finisher {
    thread: Option<JoinHandle<()>>,
}

impl Finisher {
    pub(crate) fn finish(&mut self, folder: Arc<Folder>, draft: Draft) -> io::Result<()> {
        self.wait();
        let finish = move || {
            if let Err(error) = folder.finish(&draft) {
                tracing::debug!(%error, "a prefix could not be kept");
            }
        };
        self.thread = Some(thread::Builder::new().name("prefix".to_owned()).spawn(finish)?);
        Ok(())
    }

    fn wait(&mut self) {
        if self.thread.take().is_some_and(|it| it.join().is_err()) {
            tracing::error!("the thread that keeps prefixes panicked");
        }
    }
}

impl Drop for Finisher {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Folder {
    /// `computed` is how the engine computes: threads, the size of steps, the card.
    pub(crate) fn new(options: PrefixFolder, computed: &str) -> Self {
        let PrefixFolder { identity, .. } = &options;
        let key = digest(format!("{identity}\n{LLAMA_CPP} f16\n{computed}").as_bytes());
        Self { options, key, whole: Mutex::default() }
    }

    /// Whether to keep a prompt of which these tokens had to be `read`.
    pub(crate) fn is_worth_it(&self, read: u32, prompt: u32, took: Duration) -> bool {
        read >= WORTH_KEEPING
            && u64::from(read) * 100 >= u64::from(prompt) * u64::from(WORTH_KEEPING_PERCENT)
            && took >= self.options.worth
    }

    /// The file that has most of a prompt's beginning, checked from end to end; nothing when none
    /// has enough of it.
    pub(crate) fn find(&self, prompt: &[LlamaToken]) -> Option<Kept> {
        if prompt.len() < WORTH_LOADING {
            return None;
        }
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        // Each turn removes a file or is the last.
        while let Some(kept) = self.longest(prompt) {
            if whole.contains(&kept.path) || self.is_whole(&kept.path) {
                whole.insert(kept.path.clone());
                // What was used lately is the last to make room.
                let file = OpenOptions::new().append(true).open(&kept.path);
                drop(file.and_then(|it| it.set_modified(SystemTime::now())));
                return Some(kept);
            }
            tracing::debug!(path = %kept.path.display(), "a damaged prefix is removed");
            fs::remove_file(&kept.path).ok()?;
        }
        None
    }

    fn longest(&self, prompt: &[LlamaToken]) -> Option<Kept> {
        let kept = self.files().into_iter().filter_map(|path| {
            let Ok(tokens) = tokens_of(&path) else {
                drop(fs::remove_file(&path));
                return None;
            };
            let common = common_prefix(&tokens, prompt);
            Some(Kept { path, tokens: tokens.len(), common })
        });
        kept.filter(|it| it.common >= WORTH_LOADING)
            .max_by_key(|it| (it.common, std::cmp::Reverse(it.tokens)))
    }

    /// Where to save a sequence that has these tokens; nothing when a file has nearly all of them.
    pub(crate) fn draft(&self, tokens: &[LlamaToken]) -> io::Result<Option<Draft>> {
        if self.longest(tokens).is_some_and(|it| it.common + WORTH_LOADING > tokens.len()) {
            return Ok(None);
        }
        let folder = &self.options.path;
        private_folder(folder)?;
        let bytes: Vec<u8> = tokens.iter().flat_map(|it| it.0.to_le_bytes()).collect();
        let name = format!("{}{}", self.beginning(), digest(&bytes));
        let path = folder.join(name).with_extension(SUFFIX);
        let beside = path.with_extension(format!("{:016x}.{BESIDE}", fastrand::u64(..)));
        private_file(&beside)?;
        Ok(Some(Draft { beside, path }))
    }

    /// Puts what was saved in its place, in place of files that it goes on from.
    pub(crate) fn finish(&self, draft: &Draft) -> io::Result<()> {
        let finished = self.seal(draft).and_then(|()| fs::rename(&draft.beside, &draft.path));
        if finished.is_err() {
            drop(fs::remove_file(&draft.beside));
        }
        finished?;
        let tokens = tokens_of(&draft.path)?;
        for path in self.files().into_iter().filter(|it| *it != draft.path) {
            if tokens_of(&path).is_ok_and(|it| tokens.starts_with(&it)) {
                drop(fs::remove_file(path));
            }
        }
        self.make_room()
    }

    fn seal(&self, draft: &Draft) -> io::Result<()> {
        let bytes = fs::metadata(&draft.beside)?.len();
        if bytes > self.options.most_bytes {
            return Err(io::Error::other("it is larger than all files together may be"));
        }
        let digest = self.digest(&draft.beside, bytes)?;
        OpenOptions::new().append(true).open(&draft.beside)?.write_all(&digest)
    }

    fn is_whole(&self, path: &Path) -> bool {
        let check = || {
            let bytes = fs::metadata(path)?.len().saturating_sub(DIGEST);
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(bytes))?;
            let mut said = Vec::new();
            file.read_to_end(&mut said)?;
            Ok::<_, io::Error>(said == self.digest(path, bytes)?)
        };
        check().unwrap_or(false)
    }

    /// The digest of the first `bytes` of a file, and of what they depend on.
    fn digest(&self, path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
        let mut hasher = Sha256::new().chain_update(&self.key);
        copy(File::open(path)?.take(bytes), io::sink(), &mut hasher, &mut |_| Ok(()))?;
        Ok(hasher.finalize().to_vec())
    }

    /// Removes what is too old or too much, whoever it belongs to.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.options.path)? {
            let path = entry?.path();
            let Ok(facts) = fs::metadata(&path) else { continue };
            let age = facts.modified().map(|it| it.elapsed().unwrap_or_default());
            files.push((age.unwrap_or_default(), facts.len(), path));
        }
        files.sort();
        let mut together = 0_u64;
        for (age, bytes, path) in files {
            let has = |ending| path.extension().is_some_and(|it| it == ending);
            let goes = if has(SUFFIX) {
                together = together.saturating_add(bytes);
                age > OLDEST || together > self.options.most_bytes
            } else {
                has(BESIDE) && age > WRITTEN
            };
            if goes {
                // Whoever was quicker has removed it as well.
                drop(fs::remove_file(path));
            }
        }
        Ok(())
    }

    /// Those that this engine could have written.
    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.options.path) else { return Vec::new() };
        let beginning = self.beginning();
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().and_then(|it| it.to_str());
            name.is_some_and(|it| it.starts_with(&beginning))
                && path.extension().is_some_and(|it| it == SUFFIX)
        };
        entries.filter_map(|it| Some(it.ok()?.path())).filter(is_ours).collect()
    }

    fn beginning(&self) -> String {
        format!("{}-", self.key.get(..16).unwrap_or(&self.key))
    }
}

/// The tokens that a file says it has.
fn tokens_of(path: &Path) -> io::Result<Vec<LlamaToken>> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = [0; HEAD];
    file.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    let tokens_bytes = u64::from(u32::from_le_bytes([a, b, c, d])) * 4;
    if tokens_bytes == 0 || tokens_bytes + HEAD as u64 + DIGEST > bytes {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut tokens = Vec::new();
    file.take(tokens_bytes).read_to_end(&mut tokens)?;
    let tokens = tokens.as_chunks().0.iter();
    Ok(tokens.map(|it| LlamaToken(i32::from_le_bytes(*it))).collect())
}

fn digest(bytes: &[u8]) -> String {
    Digest::finish(Sha256::new().chain_update(bytes)).to_string()
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
