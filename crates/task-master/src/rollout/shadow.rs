//! What models on trial say beside an answer that was given, for the record alone.
//!
//! Start at [`compare`].

use std::{collections::BTreeSet, sync::Arc};

use tm_llm::{
    backend::complete,
    chat::ChatRequest,
    failover::{Failover, Journey},
};
use tm_tasks::config::Role;

use crate::trace::{Caller, Compared, Log, Watcher, new_id};

/// An answer that was given.
#[derive(Debug)]
pub struct Given {
    /// The request that it answers.
    pub id: String,
    pub request: ChatRequest,
    pub text: String,
}

/// Asks the models of `role` the same, and keeps a record of how alike the answers are.
pub async fn compare(
    log: &Arc<Log>,
    caller: Caller,
    (role, models): (Role, &Failover),
    given: Given,
) {
    let caller = Caller { name: "shadow".to_owned(), ..caller };
    let watcher = Watcher::begin(log, &caller, new_id());
    watcher.note(|it| {
        it.role = Some(role.as_str().to_owned());
        it.compared = Some(Compared { with: given.id, likeness: None });
    });
    let steps = Arc::clone(&watcher);
    let journey = Arc::new(Journey::new(Arc::new(move |step| steps.step(step))));
    let models = models.watched(Arc::clone(&journey));
    let said = complete(&models, given.request, &|_| ()).await;
    let wanted = models.report();
    let wanted = |name: &String| wanted.iter().any(|it| it.rank == 0 && it.name == *name);
    // Whoever stood in for them says nothing about them.
    let is_theirs = journey.asked().iter().all(wanted);
    if let Ok(said) = said
        && is_theirs
    {
        let likeness = Some(likeness(&given.text, &said.text));
        watcher.note(|it| {
            if let Some(compared) = &mut it.compared {
                compared.likeness = likeness;
            }
        });
    }
}

/// How many of the words of two texts are in both.
fn likeness(left: &str, right: &str) -> f64 {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let (left, right) = (words(left), words(right));
    let (both, all) = (left.intersection(&right).count(), left.union(&right).count());
    #[expect(clippy::cast_precision_loss, reason = "an answer has few words")]
    let likeness = if all == 0 { 1.0 } else { both as f64 / all as f64 };
    likeness
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_is_that_of_the_words() {
        for (left, right, expected) in
            [("", "", 1.0), ("One, two!", "two one", 1.0), ("a b c", "a b d", 0.5), ("a", "b", 0.0)]
        {
            assert!((likeness(left, right) - expected).abs() < 1e-9, "{left} {right}");
        }
    }
}
