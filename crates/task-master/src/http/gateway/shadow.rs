//! Models on trial beside an answer that was given, for the record alone.
//!
//! They are asked when the answer is there, so that they take nothing from whoever waits for it,
//! and a few at a time.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Instant,
};

use tm_llm::{
    chat::{Message, Role},
    dialect::serve::Answer,
};

use super::answer::Asked;
use crate::{
    rollout::{
        live::Chosen,
        shadow::{self, Given},
    },
    trace::{Caller, Via},
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
    let caller = Caller { via: Via::Gateway, ..Caller::default() };
    let log = Arc::clone(&gateway.trace);
    let models = Arc::clone(gateway.players.of(candidate));
    let mut request = asked.chat_request();
    request.deadline = Instant::now() + gateway.timeout;
    let called = answer.calls.iter().map(|it| it.arguments.as_str());
    let text = std::iter::once(answer.text.as_str()).chain(called).collect();
    let given = Given { id: asked.client.request_id.clone(), request, text };
    gateway.background.spawn(async move {
        let _place = place;
        shadow::compare(&log, caller, (candidate, &models), given).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_the_same_however_long_it_becomes() {
        let first = [Message::system("Be brief."), Message::user("Hi")];
        let longer = [&first[..], &[Message::assistant("Hello"), Message::user("Bye")]].concat();
        assert_eq!(conversation(&first), conversation(&longer));
        assert_ne!(conversation(&first), conversation(&[Message::user("Ho")]));
    }
}
