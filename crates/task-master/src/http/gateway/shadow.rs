//! What models on trial say beside an answer that was given, for the record alone.
//!
//! They are asked when the answer is there, so that they take nothing from whoever waits for it,
//! and a few at a time.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Instant,
};

use tm_llm::{
    backend::complete,
    chat::{Message, Role},
    dialect::serve::{Answer, Content},
    failover::Journey,
};

use super::answer::Asked;
use crate::{
    rollout::live::Chosen,
    trace::{Caller, Compared, Via, Watcher, new_id},
};

/// More are not asked at a time; what comes beside them is not compared.
pub(super) const ASKED_MOST: usize = 4;

/// What a conversation is known by, however long it has become.
pub(super) fn conversation(messages: &[Message]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let first = messages.iter().position(|it| it.role == Role::User).map_or(0, |it| it + 1);
    for message in messages.iter().take(first) {
        message.content.hash(&mut hasher);
    }
    hasher.finish()
}

/// Asks those on trial the same, if they are to be compared.
pub(super) fn compare(asked: &Asked, answer: &Answer) {
    let chosen = asked.routed.chosen.as_ref().filter(|it| it.is_shadowed);
    let Some(candidate) = chosen.and_then(Chosen::candidate) else { return };
    let gateway = &asked.client.gateway;
    let Ok(place) = Arc::clone(&gateway.beside).try_acquire_owned() else { return };
    let name = "shadow".to_owned();
    let caller = Caller { via: Via::Gateway, name, ..Caller::default() };
    let watcher = Watcher::begin(&gateway.trace, &caller, new_id());
    let with = asked.client.request_id.clone();
    watcher.note(|it| {
        it.role = Some(candidate.as_str().to_owned());
        it.compared = Some(Compared { with, likeness: None });
    });
    let steps = Arc::clone(&watcher);
    let journey = Arc::new(Journey::new(Arc::new(move |step| steps.step(step))));
    let backend = gateway.players.of(candidate).watched(journey);
    let mut request = asked.chat_request();
    request.deadline = Instant::now() + gateway.timeout;
    let given = match &answer.content {
        Content::Text(text) => text.clone(),
        Content::ToolCall { arguments, .. } => arguments.to_string(),
    };
    gateway.background.spawn(async move {
        let _place = place;
        if let Ok(said) = complete(&backend, request, &|_| ()).await {
            let likeness = Some(likeness(&given, &said.text));
            watcher.note(|it| {
                if let Some(compared) = &mut it.compared {
                    compared.likeness = likeness;
                }
            });
        }
    });
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

    #[test]
    fn a_conversation_is_the_same_however_long_it_becomes() {
        let first = [Message::system("Be brief."), Message::user("Hi")];
        let longer = [&first[..], &[Message::assistant("Hello"), Message::user("Bye")]].concat();
        assert_eq!(conversation(&first), conversation(&longer));
        assert_ne!(conversation(&first), conversation(&[Message::user("Ho")]));
    }
}
