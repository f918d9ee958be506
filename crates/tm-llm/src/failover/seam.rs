//! Where the rest of an answer joins what was shown of it.
//!
//! When a stream is cut, somebody else goes on. Who is given the beginning may say it again, and
//! who is not says it again by answering anew; either way nothing is shown twice. Pure.

/// How the next piece of text follows what was shown.
#[derive(Debug, Default)]
pub(super) enum Seam {
    /// It simply follows.
    #[default]
    Closed,
    /// It follows, unless the answer turns out to say all of `shown` again.
    Overlap { shown: String, held: String },
    /// It repeats `shown`, from `at` on.
    Replay { shown: String, at: usize },
}

/// The answer that was begun anew is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Diverged;

/// A text that is repeated by chance is shorter.
const OVERLAP_LEAST: usize = 16;

impl Seam {
    /// For an answer that goes on from `shown`.
    pub(super) fn overlap(shown: &str) -> Self {
        if shown.len() < OVERLAP_LEAST {
            return Self::Closed;
        }
        Self::Overlap { shown: shown.to_owned(), held: String::new() }
    }

    /// For an answer that begins anew.
    pub(super) fn replay(shown: &str) -> Self {
        Self::Replay { shown: shown.to_owned(), at: 0 }
    }

    /// What is new in a piece of text.
    pub(super) fn pass(&mut self, delta: String) -> Result<String, Diverged> {
        match self {
            Self::Closed => Ok(delta),
            Self::Overlap { shown, held } => {
                held.push_str(&delta);
                if shown.len() > held.len() && shown.starts_with(held.as_str()) {
                    return Ok(String::new());
                }
                let new = held.strip_prefix(shown.as_str()).unwrap_or(held).to_owned();
                *self = Self::Closed;
                Ok(new)
            }
            Self::Replay { shown, at } => {
                let rest = shown.get(*at..).unwrap_or_default();
                if let Some(new) = delta.strip_prefix(rest) {
                    let new = new.to_owned();
                    *self = Self::Closed;
                    return Ok(new);
                }
                if !rest.starts_with(&delta) {
                    return Err(Diverged);
                }
                *at += delta.len();
                Ok(String::new())
            }
        }
    }

    /// Whether something came that is not shown yet.
    pub(super) fn holds(&self) -> bool {
        matches!(self, Self::Overlap { held, .. } if !held.is_empty())
    }

    /// What was held back for nothing, when the answer ends.
    pub(super) fn finish(&mut self) -> Result<String, Diverged> {
        match std::mem::take(self) {
            Self::Closed => Ok(String::new()),
            Self::Overlap { held, .. } => Ok(held),
            Self::Replay { shown, at } if at == shown.len() => Ok(String::new()),
            Self::Replay { .. } => Err(Diverged),
        }
    }
}

#[cfg(test)]
mod tests;
