//! What several gateways know together: how often a key was used, which models rest, and the
//! newest of a document that each of them has a copy of.
//!
//! A Redis server has it. Where that does not answer, each of them goes on with what it knows
//! alone; whoever opened the server is told so. Start at [`Fleet`].

use std::time::Duration;

use redis::{FromRedisValue, cmd, pipe};

use self::server::{Ask, Server};

pub mod server;

/// What begins the names of what is kept; the number is its form.
const USES: &str = "task-master:uses:1:";
const RESTS: &str = "task-master:rests:1:";
const DOCUMENT: &str = "task-master:document:1:";

/// The generic cell rate algorithm, by Redis's own clock in microseconds: a key has the time when
/// all its uses so far would be over if they came evenly.
const COUNT_USE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local used_until = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now) + tonumber(ARGV[1])
local over = used_until - now - tonumber(ARGV[2])
if over > 0 then return over end
redis.call('SET', KEYS[1], string.format('%.0f', used_until),
           'PX', math.ceil((used_until - now) / 1000) + 1)
return 0";

/// Keeps a document, unless one that is newer is there.
const KEEP_NEWEST: &str = "
local kept = tonumber(redis.call('HGET', KEYS[1], 'revision'))
if kept and kept >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'digest', ARGV[2], 'text', ARGV[3])
return 1";

/// Gateways that share a Redis server. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Fleet {
    server: Server,
}

/// How often something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How long one use counts.
    pub each: Duration,
    /// So much may be used at once.
    pub most: Duration,
}

/// Which of two documents is newer: the one with the larger revision. Of two with the same
/// revision, which were changed at the same time in two places, the one that was kept first counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    pub revision: u64,
    pub digest: String,
}

impl Fleet {
    pub fn new(server: Server) -> Self {
        Self { server }
    }

    /// Where it is, without a password.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Counts a use; how long to wait when that is too many, and zero when it is not. None when
    /// nobody can tell.
    pub async fn used(&self, name: &str, rate: Rate) -> Option<Duration> {
        let mut command = cmd("EVAL");
        command.arg(COUNT_USE).arg(1).arg(format!("{USES}{name}"));
        command.arg(micros(rate.each)).arg(micros(rate.most));
        let over: u64 = self.answer(Ask::One(command)).await?;
        Some(Duration::from_micros(over))
    }

    /// Says which models rest for how long, and which are well again.
    pub async fn tell(&self, rests: &[(String, Duration)], well: &[String]) -> Option<()> {
        let mut commands = pipe();
        for (name, left) in rests {
            let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
            commands.cmd("SET").arg(format!("{RESTS}{name}")).arg(1).arg("PX").arg(millis).ignore();
        }
        for name in well {
            commands.cmd("DEL").arg(format!("{RESTS}{name}")).ignore();
        }
        self.answer(Ask::Many(commands)).await
    }

    /// How long each of these models rests, as somebody has said.
    pub async fn rests(&self, names: &[String]) -> Option<Vec<Option<Duration>>> {
        let mut commands = pipe();
        for name in names {
            commands.cmd("PTTL").arg(format!("{RESTS}{name}"));
        }
        let left: Vec<i64> = self.answer(Ask::Many(commands)).await?;
        // What is not there, or has no end, is negative.
        let left = left.into_iter().map(|it| u64::try_from(it).ok().map(Duration::from_millis));
        Some(left.collect())
    }

    /// Which edition of a document is kept; none when there is none.
    pub async fn edition(&self, document: &str) -> Option<Option<Edition>> {
        let mut command = cmd("HMGET");
        command.arg(format!("{DOCUMENT}{document}")).arg("revision").arg("digest");
        let (revision, digest): (Option<u64>, Option<String>) =
            self.answer(Ask::One(command)).await?;
        Some(revision.zip(digest).map(|(revision, digest)| Edition { revision, digest }))
    }

    /// The document that is kept.
    pub async fn document(&self, document: &str) -> Option<String> {
        let mut command = cmd("HGET");
        command.arg(format!("{DOCUMENT}{document}")).arg("text");
        self.answer::<Option<String>>(Ask::One(command)).await?
    }

    /// Keeps a document, unless a newer one is there; whether it did.
    pub async fn keep(&self, document: &str, edition: &Edition, text: &str) -> Option<bool> {
        let mut command = cmd("EVAL");
        command.arg(KEEP_NEWEST).arg(1).arg(format!("{DOCUMENT}{document}"));
        command.arg(edition.revision).arg(&edition.digest).arg(text);
        self.answer(Ask::One(command)).await
    }

    async fn answer<T: FromRedisValue>(&self, ask: Ask) -> Option<T> {
        let answered = self.server.quickly(ask).await;
        answered.inspect_err(|error| tracing::warn!(%error, "nothing is shared")).ok().flatten()
    }
}

impl Rate {
    /// As many a minute, all of which may come at once.
    pub fn a_minute(most: u32) -> Self {
        let minute = Duration::from_mins(1);
        Self { each: minute / most.max(1), most: minute }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
