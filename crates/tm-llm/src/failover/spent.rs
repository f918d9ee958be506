//! What models did, counted by model.

use crate::chat::Usage;

/// What one model did.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    pub provider: String,
    pub model: String,
    /// How many answers it finished.
    pub answers: u32,
    /// All answers together.
    pub usage: Usage,
}

pub(super) fn add(spent: &mut Vec<Spent>, provider: &str, model: &str, usage: Usage) {
    let found = spent.iter_mut().find(|it| it.provider == provider && it.model == model);
    if let Some(found) = found {
        found.answers += 1;
        found.usage += usage;
        return;
    }
    spent.push(Spent { provider: provider.to_owned(), model: model.to_owned(), answers: 1, usage });
}
