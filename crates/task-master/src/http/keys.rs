//! Keys: who may use a gateway that other machines can reach, for what, and how often.
//!
//! A key is 256 random bits, so that its SHA-256 gives nothing of it away and no guessing helps;
//! only that digest is kept, in a file for each key. [`KeyStore`] changes them, [`KeyRing`] is
//! asked for every request and sees changes at once.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};
use tm_llm::fleet::{Fleet, Rate};
use tm_tasks::{
    digest::sha256_hex,
    timestamp::{Timestamp, iso_millis},
};
use tokio_rustls::rustls::crypto::ring;

/// What is known of a key. The key itself is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    pub id: String,
    pub name: String,
    sha256: String,
    pub created: String,
    /// No limit without it.
    pub requests_per_minute: Option<u32>,
    /// Roles, and models as clients name them; all of them when there are none.
    pub models: Vec<String>,
}

/// What a new key shall be good for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKey {
    pub name: String,
    pub requests_per_minute: Option<u32>,
    pub models: Vec<String>,
}

/// File systems do not tell times apart that are closer than this.
const CLOCK: Duration = Duration::from_secs(2);

/// A key, to be shown once.
pub struct Secret(String);

/// Why keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("a key needs a name")]
    NoName,
    #[error("there is a key {name:?} already")]
    Taken { name: String },
    #[error("there is no key {name:?}")]
    Unknown { name: String },
    #[error("the keys in {} cannot be used", path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error("this machine gives no random numbers")]
    Random,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Unknown,
    TooMany { retry_after_s: u64 },
}

/// A directory of keys.
#[derive(Debug, Clone)]
pub struct KeyStore {
    directory: PathBuf,
}

/// The keys, and how often they were used.
#[derive(Debug)]
pub struct KeyRing {
    store: KeyStore,
    known: Mutex<Known>,
    /// The other gateways where a key is used as well.
    fleet: Option<Fleet>,
}

#[derive(Debug, Default)]
struct Known {
    /// When the directory was changed last, if that was long enough ago to be told from a later
    /// change.
    changed: Option<SystemTime>,
    keys: Vec<Arc<KeyRecord>>,
    /// For each key, when all its requests so far would be over if they came evenly.
    used_until: HashMap<String, Instant>,
}

impl Secret {
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl KeyRecord {
    /// Whether it is good for a model, which a client names so and which plays this role.
    pub fn allows(&self, model: &str, role: &str) -> bool {
        let names = |it: &String| it.eq_ignore_ascii_case(model) || it == role;
        self.models.is_empty() || self.models.iter().any(names)
    }
}

impl KeyStore {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Makes a key.
    pub fn add(&self, wanted: NewKey, now: Timestamp) -> Result<(KeyRecord, Secret), KeyError> {
        let NewKey { name, requests_per_minute, models } = wanted;
        if name.trim().is_empty() {
            return Err(KeyError::NoName);
        }
        if self.list()?.iter().any(|it| it.name == name) {
            return Err(KeyError::Taken { name });
        }
        let secret = random()?;
        let sha256 = sha256_hex(secret.0.as_bytes());
        let id = sha256.chars().take(8).collect();
        let created = iso_millis(now);
        let record = KeyRecord { id, name, sha256, created, requests_per_minute, models };
        self.write(&record).map_err(|source| self.unusable(source))?;
        Ok((record, secret))
    }

    /// All keys, by name.
    pub fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let mut keys = Vec::new();
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(keys),
            Err(error) => return Err(self.unusable(error)),
        };
        for entry in entries {
            let path = entry.map_err(|source| self.unusable(source))?.path();
            if path.extension().is_some_and(|it| it == "json") {
                let key = fs::read(&path).and_then(|it| Ok(serde_json::from_slice(&it)?));
                keys.push(key.map_err(|source| KeyError::Unusable { path, source })?);
            }
        }
        keys.sort_by(|left: &KeyRecord, right| left.name.cmp(&right.name));
        Ok(keys)
    }

    /// Makes a key worthless.
    pub fn remove(&self, name: &str) -> Result<KeyRecord, KeyError> {
        let keys = self.list()?;
        let key = keys.into_iter().find(|it| it.name == name || it.id == name);
        let key = key.ok_or_else(|| KeyError::Unknown { name: name.to_owned() })?;
        fs::remove_file(self.path(&key)).map_err(|source| self.unusable(source))?;
        Ok(key)
    }

    fn write(&self, key: &KeyRecord) -> io::Result<()> {
        let mut directory = DirBuilder::new();
        directory.recursive(true);
        let (path, mut options) = (self.path(key), OpenOptions::new());
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        directory.create(&self.directory)?;
        // A name that is not read until all of it is there.
        let beside = path.with_extension("part");
        let mut file = options.open(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(key)?)?;
        file.sync_all()?;
        fs::rename(beside, path)
    }

    fn path(&self, key: &KeyRecord) -> PathBuf {
        self.directory.join(format!("{}.json", key.id))
    }

    fn unusable(&self, source: io::Error) -> KeyError {
        KeyError::Unusable { path: self.directory.clone(), source }
    }
}

impl KeyRing {
    pub fn new(store: KeyStore) -> Self {
        Self { store, known: Mutex::default(), fleet: None }
    }

    /// The same, and what is used elsewhere counts.
    #[must_use]
    pub fn with_fleet(self, fleet: Option<Fleet>) -> Self {
        Self { fleet, ..self }
    }

    /// Whose key it is, if it may be used now.
    pub async fn admit(&self, key: &str, now: Instant) -> Result<Arc<KeyRecord>, Refusal> {
        let key = self.find(key).ok_or(Refusal::Unknown)?;
        let Some(limit) = key.requests_per_minute else { return Ok(key) };
        let rate = Rate::a_minute(limit);
        let over = match &self.fleet {
            Some(fleet) => fleet.used(&key.id, rate).await,
            None => None,
        };
        let over = over.unwrap_or_else(|| self.known().count(&key, rate, now));
        if over.is_zero() {
            return Ok(key);
        }
        let retry_after_s = over.as_millis().div_ceil(1000);
        Err(Refusal::TooMany { retry_after_s: retry_after_s.try_into().unwrap_or(u64::MAX) })
    }

    fn find(&self, key: &str) -> Option<Arc<KeyRecord>> {
        let sha256 = sha256_hex(key.as_bytes());
        let mut known = self.known();
        known.follow(&self.store);
        known.keys.iter().find(|it| it.sha256 == sha256).map(Arc::clone)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Reads the keys again when they were changed. Where they cannot be read, nobody is known.
    fn follow(&mut self, store: &KeyStore) {
        let changed = fs::metadata(&store.directory).and_then(|it| it.modified()).ok();
        if changed.is_none() || changed != self.changed {
            let keys = store.list().unwrap_or_default();
            self.keys = keys.into_iter().map(Arc::new).collect();
            let is_past = |it: &SystemTime| it.elapsed().is_ok_and(|it| it > CLOCK);
            self.changed = changed.filter(is_past);
        }
    }

    /// How long to wait when that is too many; zero when it is not, and then it is counted.
    fn count(&mut self, key: &KeyRecord, rate: Rate, now: Instant) -> Duration {
        let until = self.used_until.get(&key.id).copied().unwrap_or(now).max(now) + rate.each;
        let over = (until - now).saturating_sub(rate.most);
        if over.is_zero() {
            self.used_until.insert(key.id.clone(), until);
        }
        over
    }
}

fn random() -> Result<Secret, KeyError> {
    let mut bytes = [0_u8; 32];
    let random = ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| KeyError::Random)?;
    let digits = bytes.iter().flat_map(|it| [it >> 4, it & 15]);
    let digits: String = digits.filter_map(|it| char::from_digit(it.into(), 16)).collect();
    Ok(Secret(format!("tm-{digits}")))
}

#[cfg(test)]
mod tests;
