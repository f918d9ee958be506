//! Where a project is and where its files lie.
//!
//! What is in the files is not known here. Start at [`Project::discover`].

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{digest::sha256_hex, document::MASTER};

/// A project: the directory that holds `.taskmaster`, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project in this directory, whatever is in it.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The project that a directory belongs to.
    ///
    /// The nearest directory upwards that holds Task Master files, beyond nested repositories and
    /// packages without any; else the nearest one with tasks from before `.taskmaster`; else the
    /// nearest root of a repository or package; else the directory itself.
    pub fn discover(start: &Path) -> Self {
        let search = |accepts: fn(&Path) -> bool| {
            start.ancestors().take(MAX_LEVELS).find(|it| accepts(it)).map(Path::to_path_buf)
        };
        if start.join(".taskmaster").is_dir() {
            return Self::at(start);
        }
        let root = search(has_task_master_files)
            .or_else(|| search(has_early_tasks))
            .or_else(|| search(is_boundary));
        Self { root: root.unwrap_or_else(|| start.to_path_buf()) }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether Task Master has files here.
    pub fn exists(&self) -> bool {
        self.directory().is_dir()
            || has_task_master_files(&self.root)
            || has_early_tasks(&self.root)
    }

    /// `.taskmaster`.
    pub fn directory(&self) -> PathBuf {
        self.root.join(".taskmaster")
    }

    /// The tasks file: in `.taskmaster`, unless only one from before that layout exists.
    pub fn tasks_file(&self) -> PathBuf {
        let early = ["tasks/tasks.json", "tasks.json"].map(|it| self.root.join(it));
        let file = self.directory().join("tasks/tasks.json");
        if file.exists() {
            return file;
        }
        early.into_iter().find(|it| it.is_file()).unwrap_or(file)
    }

    /// The configuration: in `.taskmaster`, unless only `.taskmasterconfig` exists.
    pub fn config_file(&self) -> PathBuf {
        let file = self.directory().join("config.json");
        let early = self.root.join(".taskmasterconfig");
        if !file.exists() && early.is_file() { early } else { file }
    }

    pub fn state_file(&self) -> PathBuf {
        self.directory().join("state.json")
    }

    pub fn docs_dir(&self) -> PathBuf {
        self.directory().join("docs")
    }

    pub fn reports_dir(&self) -> PathBuf {
        self.directory().join("reports")
    }

    /// The documents that research answers from.
    pub fn knowledge_file(&self) -> PathBuf {
        self.directory().join("knowledge/index.sqlite")
    }

    /// The complexity report of a tag.
    pub fn complexity_report(&self, tag: &str) -> PathBuf {
        // A tag of somebody else's file may be called anything; its report stays in here.
        let tag = tag.replace(['/', '\\'], "-");
        let name = match tag.as_str() {
            MASTER => "task-complexity-report.json".to_owned(),
            tag => format!("task-complexity-report_{tag}.json"),
        };
        self.reports_dir().join(name)
    }

    /// The project's own words for what models are asked.
    pub fn prompts_dir(&self) -> PathBuf {
        self.directory().join("prompts")
    }

    pub fn templates_dir(&self) -> PathBuf {
        self.directory().join("templates")
    }

    pub fn env_file(&self) -> PathBuf {
        self.root.join(".env")
    }

    /// The requirements document to take when none is named: in `.taskmaster/docs`, `scripts` or
    /// the root.
    pub fn requirements_file(&self) -> Option<PathBuf> {
        let directories = [self.docs_dir(), self.root.join("scripts"), self.root.clone()];
        let names = ["PRD.md", "prd.md", "PRD.txt", "prd.txt"];
        let files = directories.iter().flat_map(|it| names.map(|name| it.join(name)));
        files.into_iter().find(|it| it.is_file())
    }

    /// A directory of this project's own below `parent`, for what does not belong into the
    /// project itself.
    pub fn private_dir(&self, parent: &Path) -> PathBuf {
        let root = fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        let digest = sha256_hex(root.as_os_str().as_encoded_bytes());
        let digest = digest.get(..16).unwrap_or_default();
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parent.join(format!("{name}-{digest}"))
    }
}

const MAX_LEVELS: usize = 50;

/// A bare `.taskmaster` says nothing: there is one in the home directory of everybody who has
/// ever logged in.
fn has_task_master_files(directory: &Path) -> bool {
    let ours = directory.join(".taskmaster");
    if !ours.is_dir() {
        return directory.join(".taskmasterconfig").is_file();
    }
    ["config.json", "state.json", "tasks", "docs"].iter().any(|it| ours.join(it).exists())
        || is_boundary(directory)
}

fn has_early_tasks(directory: &Path) -> bool {
    directory.join("tasks/tasks.json").is_file() || directory.join("tasks.json").is_file()
}

fn is_boundary(directory: &Path) -> bool {
    BOUNDARIES.iter().any(|it| directory.join(it).exists())
}

/// What lies at the root of a repository, package or workspace.
const BOUNDARIES: &[&str] = &[
    ".git",
    ".svn",
    ".hg",
    ".fossil",
    ".github",
    ".gitlab",
    ".circleci",
    ".travis.yml",
    ".jenkins",
    ".buildkite",
    ".vscode",
    ".idea",
    ".project",
    ".devcontainer",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lockb",
    "bun.lock",
    "deno.json",
    "lerna.json",
    "nx.json",
    "turbo.json",
    "rush.json",
    "Cargo.toml",
    "go.mod",
    "go.work",
    "pyproject.toml",
    "requirements.txt",
    "setup.py",
    "Pipfile",
    "poetry.lock",
    "uv.lock",
    "Gemfile",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "build.sbt",
    "project.clj",
    "deps.edn",
    "mix.exs",
    "rebar.config",
    "pubspec.yaml",
    "Package.swift",
    "CMakeLists.txt",
    "Makefile",
    "meson.build",
    "conanfile.txt",
    "WORKSPACE",
    "MODULE.bazel",
    "flake.nix",
    "shell.nix",
    "Dockerfile",
    "docker-compose.yml",
    "compose.yaml",
    "Chart.yaml",
];

#[cfg(test)]
mod tests;
