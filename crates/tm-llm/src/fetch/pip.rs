//! What the user has told pip: the package index, its certificates and its proxy.
//!
//! Follows pip's own order: the system's file, the user's, the virtual environment's, the one
//! named by `PIP_CONFIG_FILE`, then the environment. The environment's values come from the
//! caller.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// The variables that pip looks at, as they are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipEnvironment {
    /// `PIP_INDEX_URL`.
    pub index_url: Option<String>,
    /// `PIP_EXTRA_INDEX_URL`.
    pub extra_index_url: Option<String>,
    /// `PIP_CERT`.
    pub cert: Option<String>,
    /// `PIP_PROXY`.
    pub proxy: Option<String>,
    /// `PIP_CONFIG_FILE`.
    pub config_file: Option<PathBuf>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
}

/// What counts in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipSettings {
    /// Addresses of the simple API, the main index first.
    pub indexes: Vec<String>,
    pub certificates: Option<PathBuf>,
    pub proxy: Option<String>,
}

const PYPI: &str = "https://pypi.org/simple";
const SYSTEM_FILES: [&str; 3] =
    ["/Library/Application Support/pip/pip.conf", "/etc/xdg/pip/pip.conf", "/etc/pip.conf"];

impl PipSettings {
    /// Reads the files that there are. Those that cannot be read count for nothing, as with pip.
    pub fn read(environment: &PipEnvironment) -> Self {
        let mut settings = HashMap::new();
        for file in environment.files() {
            if let Ok(text) = fs::read_to_string(file) {
                settings.extend(global_section(&text));
            }
        }
        Self::merge(environment, &settings)
    }

    fn merge(environment: &PipEnvironment, settings: &HashMap<String, String>) -> Self {
        let value = |set: &Option<String>, key: &str| {
            set.clone().or_else(|| settings.get(key).cloned()).filter(|it| !it.is_empty())
        };
        let main = value(&environment.index_url, "index-url").unwrap_or_else(|| PYPI.to_owned());
        let extra = value(&environment.extra_index_url, "extra-index-url").unwrap_or_default();
        let extra = extra.split_whitespace().map(str::to_owned);
        Self {
            indexes: std::iter::once(main).chain(extra).collect(),
            certificates: value(&environment.cert, "cert").map(PathBuf::from),
            proxy: value(&environment.proxy, "proxy"),
        }
    }
}

impl PipEnvironment {
    /// The files that count, the weakest first.
    fn files(&self) -> Vec<PathBuf> {
        // pip's own way to switch all files off.
        if self.config_file.as_deref() == Some(Path::new("/dev/null")) {
            return Vec::new();
        }
        let mut files: Vec<PathBuf> = SYSTEM_FILES.iter().map(PathBuf::from).collect();
        // A file that is named replaces the user's own.
        let is_named = self.config_file.as_ref().is_some_and(|it| it.exists());
        if let Some(home) = self.home.as_deref().filter(|_| !is_named) {
            let config_home = self.config_home.clone().unwrap_or_else(|| home.join(".config"));
            files.push(home.join(".pip/pip.conf"));
            files.push(home.join("Library/Application Support/pip/pip.conf"));
            files.push(config_home.join("pip/pip.conf"));
        }
        files.extend(self.virtual_env.iter().map(|it| it.join("pip.conf")));
        files.extend(self.config_file.clone());
        files
    }
}

/// The `[global]` section of a `pip.conf`. Values may go on in indented lines.
fn global_section(text: &str) -> HashMap<String, String> {
    let mut settings: HashMap<String, String> = HashMap::new();
    let mut is_global = false;
    let mut last = None;
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = content.strip_prefix('[') {
            is_global = section.trim_end_matches(']').trim() == "global";
            last = None;
        } else if line.starts_with([' ', '\t'])
            && let Some(value) = last.as_ref().and_then(|it| settings.get_mut(it))
        {
            value.push(' ');
            value.push_str(content);
        } else if is_global && let Some((key, value)) = content.split_once(['=', ':']) {
            let key = key.trim().to_ascii_lowercase().replace('_', "-");
            settings.insert(key.clone(), value.trim().to_owned());
            last = Some(key);
        }
    }
    settings
}

#[cfg(test)]
mod tests;
