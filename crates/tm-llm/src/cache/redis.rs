//! Answers in a Redis server, for as many processes as have its address.
//!
//! Each answer is a hash that Redis forgets by itself when it is too old.

use std::{collections::BTreeSet, time::Duration};

use redis::{cmd, pipe};
use serde_json::Value;

use super::{
    Key,
    store::{Made, Stats, StoreError, Which, is_young, now_s},
};
use crate::fleet::server::{Ask, Server, ServerError};

/// So long may a person wait who wants to know what is there, or to forget it.
const PATIENCE_OF_A_PERSON: Duration = Duration::from_secs(30);
/// What begins the name of every answer; the number is the form of the hash.
const PREFIX: &str = "task-master:answer:1:";
/// So many answers are looked at together.
const TOGETHER: usize = 500;

/// Answers in a Redis server. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct RedisStore(Server);

impl RedisStore {
    pub fn new(server: Server) -> Self {
        Self(server)
    }

    /// Where it is, without a password.
    pub(super) fn url(&self) -> &str {
        self.0.url()
    }

    pub(super) async fn get(
        &self,
        key: &Key,
        age_most: Duration,
    ) -> Result<Option<Value>, StoreError> {
        let mut command = cmd("HMGET");
        command.arg(name(key)).arg("made_s").arg("answer");
        let (made_s, answer): (Option<u64>, Option<Vec<u8>>) =
            self.0.quickly(Ask::One(command)).await?.unwrap_or_default();
        let young = made_s.is_some_and(|it| is_young(it, age_most));
        Ok(answer.filter(|_| young).and_then(|it| serde_json::from_slice(&it).ok()))
    }

    pub(super) async fn put(
        &self,
        key: &Key,
        made: Made<'_>,
        age_most: Duration,
    ) -> Result<(), StoreError> {
        let (name, text) = (name(key), made.answer.to_string());
        let mut commands = pipe();
        commands.atomic();
        commands.cmd("HSET").arg(&name).arg("made_s").arg(now_s());
        commands.arg("by").arg(made.by).arg("answer").arg(text).ignore();
        commands.cmd("EXPIRE").arg(&name).arg(age_most.as_secs().max(1)).ignore();
        let url = || ServerError::Resting { url: self.0.url().to_owned() };
        self.0.quickly(Ask::Many(commands)).await?.ok_or_else(url).map_err(Into::into)
    }

    pub(super) async fn clear(&self, which: &Which) -> Result<u64, StoreError> {
        let cleared = self.0.within(PATIENCE_OF_A_PERSON, async {
            let mut cleared: u64 = 0;
            for names in self.names().await?.chunks(TOGETHER) {
                let names = if which.is_all() {
                    names.to_vec()
                } else {
                    self.matching(names, which).await?
                };
                if !names.is_empty() {
                    let mut command = cmd("UNLINK");
                    command.arg(&names);
                    cleared += self.0.ask::<u64>(&Ask::One(command)).await?;
                }
            }
            Ok(cleared)
        });
        Ok(cleared.await?)
    }

    pub(super) async fn stats(&self) -> Result<Stats, StoreError> {
        let stats = self.0.within(PATIENCE_OF_A_PERSON, async {
            let mut stats = Stats::default();
            for names in self.names().await?.chunks(TOGETHER) {
                let mut commands = pipe();
                for name in names {
                    commands.cmd("HGET").arg(name).arg("made_s");
                    commands.cmd("HSTRLEN").arg(name).arg("answer");
                }
                let facts: Vec<Option<u64>> = self.0.ask(&Ask::Many(commands)).await?;
                for fact in facts.chunks(2) {
                    // One that was forgotten in between has no time any more.
                    let [Some(made_s), bytes] = fact else { continue };
                    stats.answers += 1;
                    stats.bytes += bytes.unwrap_or_default();
                    stats.age_s = stats.age_s.max(now_s().saturating_sub(*made_s));
                }
            }
            Ok(stats)
        });
        Ok(stats.await?)
    }

    /// Of every answer, each once.
    async fn names(&self) -> Result<Vec<String>, String> {
        let (mut names, mut cursor) = (BTreeSet::new(), 0_u64);
        loop {
            let mut command = cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(format!("{PREFIX}*")).arg("COUNT").arg(TOGETHER);
            let (next, some): (u64, Vec<String>) = self.0.ask(&Ask::One(command)).await?;
            names.extend(some);
            if next == 0 {
                return Ok(names.into_iter().collect());
            }
            cursor = next;
        }
    }

    async fn matching(&self, names: &[String], which: &Which) -> Result<Vec<String>, String> {
        let mut commands = pipe();
        for name in names {
            commands.cmd("HMGET").arg(name).arg("made_s").arg("by");
        }
        let facts: Vec<(Option<u64>, Option<String>)> = self.0.ask(&Ask::Many(commands)).await?;
        let matches = names.iter().zip(facts).filter(|(_, (made_s, by))| {
            made_s.is_some_and(|it| which.is(it, by.as_deref().unwrap_or_default()))
        });
        Ok(matches.map(|(name, _)| name.clone()).collect())
    }
}

fn name(key: &Key) -> String {
    format!("{PREFIX}{}", key.as_str())
}

#[cfg(test)]
mod tests;
