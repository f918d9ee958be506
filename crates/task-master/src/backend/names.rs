//! What clients may call the models of a project, and which role answers to a name. Pure.
//!
//! Tools that move here by changing a base URL go on sending the names that they were set up with,
//! so every name has an answer: what nobody knows is the main role's. Start at [`Names::role`].

use serde::Serialize;
use tm_tasks::config::{Config, Role};

use super::routes;
use crate::{
    config::Environment,
    report::{Advice, advice},
};

/// The names that are known, the most binding first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The name without what makes no difference.
    plain: String,
    known: KnownName,
}

/// A name and who answers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownName {
    pub name: String,
    #[serde(serialize_with = "role_name")]
    pub role: Role,
    pub reason: Reason,
}

/// Why a role answers to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// `models.names` of the configuration says so.
    Pinned,
    /// It is the name of the role.
    Role,
    /// The configuration gives the role this model.
    Configured,
    /// The model that plays the role here is called so.
    Plays,
    /// It is a model that searches, which is what the research role is for.
    Searches,
    /// Nobody else is called so.
    Default,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Role => "role",
            Self::Configured => "configured",
            Self::Plays => "plays",
            Self::Searches => "searches",
            Self::Default => "default",
        }
    }

    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Pinned => "models.names of the configuration says so",
            Self::Role => "is the role",
            Self::Configured => "is what the configuration gives the role",
            Self::Plays => "plays the role here",
            Self::Searches => "searches, as the research role does",
            Self::Default => "nobody else is called so",
        }
    }
}

impl Names {
    /// The names of a project; `players` are the models that play its roles here.
    pub fn new(
        config: &Config,
        environment: &Environment,
        players: &[(Role, String)],
    ) -> Result<Self, Advice> {
        let pins = pinned(config)?;
        let mut names = Self(pins.into_iter().map(Entry::of).collect());
        for role in Role::ALL {
            names.add(role.as_str(), role, Reason::Role);
        }
        for (role, model) in players {
            names.add(model, *role, Reason::Plays);
        }
        for role in Role::ALL {
            if let Some(model) = routes::configured(config, environment, role) {
                names.add(&model.model_id, role, Reason::Configured);
            }
        }
        Ok(names)
    }

    /// Who answers to a name, and why.
    ///
    /// Case, the tag `latest` of Ollama, and a provider in front of the name make no difference.
    pub fn role(&self, asked: &str) -> (Role, Reason) {
        let asked = plain(asked);
        let bare = asked.rsplit('/').next().unwrap_or(&asked);
        let find = |name: &str| self.0.iter().find(|it| it.plain == name).map(|it| &it.known);
        match find(&asked).or_else(|| find(bare)) {
            Some(known) => (known.role, known.reason),
            None if is_search_model(bare) => (Role::Research, Reason::Searches),
            None => (Role::Main, Reason::Default),
        }
    }

    /// All names that are known, as lists of models have them.
    pub fn iter(&self) -> impl Iterator<Item = &KnownName> {
        self.0.iter().map(|it| &it.known)
    }

    fn add(&mut self, name: &str, role: Role, reason: Reason) {
        let entry = Entry::of(KnownName { name: name.to_owned(), role, reason });
        if !self.0.iter().any(|it| it.plain == entry.plain) {
            self.0.push(entry);
        }
    }
}

impl Entry {
    fn of(known: KnownName) -> Self {
        Self { plain: plain(&known.name), known }
    }
}

/// Models that search before they answer.
pub fn is_search_model(model: &str) -> bool {
    model.rsplit('/').next().unwrap_or(model).starts_with("sonar")
}

/// What the configuration says of names: `"names": {"gpt-4o-mini": "fallback"}` beside the roles.
fn pinned(config: &Config) -> Result<Vec<KnownName>, Advice> {
    let wrong = |what: String| {
        let hint = "write `models.names` of the configuration as names and roles, such as \
                    {\"gpt-4o-mini\": \"fallback\"}";
        advice(what, hint)
    };
    let Some(pins) = config.get("models", "names") else { return Ok(Vec::new()) };
    let pins = pins.as_object().ok_or_else(|| wrong(format!("`models.names` is {pins}")))?;
    let pin = |(name, role): (&String, &serde_json::Value)| {
        let found = Role::ALL.into_iter().find(|it| role == it.as_str());
        let role = found.ok_or_else(|| wrong(format!("{role} is no role for {name:?}")))?;
        Ok(KnownName { name: name.clone(), role, reason: Reason::Pinned })
    };
    pins.iter().map(pin).collect()
}

fn plain(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.strip_suffix(":latest").unwrap_or(&name).to_owned()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references out")]
fn role_name<S: serde::Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(role.as_str())
}

#[cfg(test)]
mod tests;
