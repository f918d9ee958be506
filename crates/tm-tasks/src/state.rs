//! `.taskmaster/state.json`: the tag that is current, and what else the program remembers.
//!
//! A missing or broken file is as good as none: nothing in it is worth an error. Start at
//! [`State::load`].

use std::path::Path;

use serde_json::json;

use crate::{
    document::MASTER,
    json::{self, Record},
    settings,
    store::StoreError,
    timestamp::{Timestamp, iso_millis},
};

/// What is remembered between two commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    document: Record,
}

impl State {
    /// The state of a project that has none yet.
    pub fn new(now: Timestamp) -> Self {
        let text = json!({
            "currentTag": MASTER,
            "lastSwitched": iso_millis(now),
            "branchTagMapping": {},
            "migrationNoticeShown": false
        });
        Self { document: Record::parse(&text.to_string()).unwrap_or_default() }
    }

    /// Reads the state; without a usable one, nothing is remembered.
    pub fn load(path: &Path) -> Self {
        Self { document: settings::read(path).unwrap_or_default() }
    }

    /// Changes the state on the disk, or writes a new one.
    pub fn change(
        path: &Path,
        now: Timestamp,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), StoreError> {
        settings::change(path, |read| {
            let mut state = read.map_or_else(|_| Self::new(now), |document| Self { document });
            change(&mut state);
            Ok(state.document)
        })
    }

    /// The tag that was last switched to.
    pub fn current_tag(&self) -> Option<String> {
        let tag = |name| self.document.get(name).and_then(json::decode);
        tag("currentTag").or_else(|| tag("activeTag")).filter(|it| !it.is_empty())
    }

    pub fn set_current_tag(&mut self, tag: &str, now: Timestamp) {
        self.document.set("currentTag", json::encode(tag));
        self.document.set("lastSwitched", json::encode(&iso_millis(now)));
    }

    /// The tag that was made for a branch.
    pub fn branch_tag(&self, branch: &str) -> Option<String> {
        let tags = Record::parse(self.document.get("branchTagMapping")?)?;
        tags.get(branch).and_then(json::decode)
    }

    pub fn set_branch_tag(&mut self, branch: &str, tag: &str) {
        let tags = self.document.get("branchTagMapping").and_then(Record::parse);
        let mut tags = tags.unwrap_or_default();
        tags.set(branch, json::encode(tag));
        self.document.set("branchTagMapping", tags.to_text());
    }

    pub fn migration_notice_shown(&self) -> bool {
        self.document.get("migrationNoticeShown") == Some("true")
    }

    pub fn set_migration_notice_shown(&mut self) {
        self.document.set("migrationNoticeShown", "true");
    }
}

#[cfg(test)]
mod tests;
