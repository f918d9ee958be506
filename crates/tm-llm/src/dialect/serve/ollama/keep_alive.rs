//! How long a model stays in memory, as Ollama's clients say it.
//!
//! A number is seconds; a text is a duration as Go writes them: `5m`, `1h30m`, `1.5s`. What is less
//! than nothing means for ever.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// How long after its last use a model stays in memory; the longest there is means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive(pub Duration);

/// Units of Go, and how many seconds they are.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

impl KeepAlive {
    pub const FOR_EVER: Self = Self(Duration::MAX);

    /// The model is to go as soon as nobody uses it.
    pub fn is_nothing(self) -> bool {
        self.0.is_zero()
    }

    fn seconds(seconds: f64) -> Self {
        if seconds < 0.0 {
            return Self::FOR_EVER;
        }
        Duration::try_from_secs_f64(seconds).map_or(Self::FOR_EVER, Self)
    }

    fn parse(text: &str) -> Option<Self> {
        let (is_negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self(Duration::ZERO));
        }
        if rest.is_empty() {
            return None;
        }
        let mut seconds = 0.0;
        while !rest.is_empty() {
            let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
            let (number, after) = rest.split_at_checked(digits)?;
            let end = after.find(|it: char| it.is_ascii_digit() || it == '.');
            let (unit, next) = after.split_at_checked(end.unwrap_or(after.len()))?;
            let (_, factor) = UNITS.iter().find(|it| it.0 == unit)?;
            seconds += number.parse::<f64>().ok()? * factor;
            rest = next;
        }
        Some(Self::seconds(if is_negative { -seconds } else { seconds }))
    }
}

impl<'de> Deserialize<'de> for KeepAlive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Seconds(f64),
            Text(String),
        }
        match Said::deserialize(deserializer) {
            Ok(Said::Seconds(seconds)) => Ok(Self::seconds(seconds)),
            Ok(Said::Text(text)) => Self::parse(&text).ok_or_else(|| {
                de::Error::custom(format!("{text:?} is no duration: say 300, \"5m\" or -1"))
            }),
            Err(_) => Err(de::Error::custom("`keep_alive` is a number of seconds, or like \"5m\"")),
        }
    }
}

#[cfg(test)]
mod tests;
