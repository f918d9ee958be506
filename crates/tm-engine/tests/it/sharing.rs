//! What requests have in common is read once, and nobody is kept waiting.

use futures_util::{StreamExt as _, future};
use serde_json::json;
use tm_llm::{
    backend::Backend as _,
    chat::{ChatEvent, Message},
};

use crate::{ask, document, endless, engine, request};

#[tokio::test]
async fn a_request_that_begins_like_an_earlier_one_reads_only_the_rest() {
    let Some(engine) = engine(2) else { return };
    let about = document(200);
    let first = ask(&engine, request(&format!("{about} What is first?"), None, 5)).await.unwrap();
    let second = ask(&engine, request(&format!("{about} What is last?"), None, 5)).await.unwrap();
    assert_eq!(first.usage.cached_tokens, 0);
    let read = second.usage.prompt_tokens - second.usage.cached_tokens;
    assert!(read < 20, "{:?}", second.usage);
}

#[tokio::test]
async fn an_earlier_start_outlasts_other_requests() {
    let Some(engine) = engine(2) else { return };
    let about = format!("{} What now?", document(200));
    ask(&engine, request(&about, None, 5)).await.unwrap();
    for other in ["Hello.", "Who are you?", "Why is that?"] {
        ask(&engine, request(other, None, 5)).await.unwrap();
    }
    let again = ask(&engine, request(&about, None, 5)).await.unwrap();
    assert_eq!(again.usage.prompt_tokens - again.usage.cached_tokens, 1);
}

#[tokio::test]
async fn requests_that_arrive_together_read_their_common_start_once() {
    let Some(engine) = engine(4) else { return };
    let about = document(300);
    let requests = (0..4)
        .map(|number| ask(&engine, request(&format!("{about} What is number {number}?"), None, 5)));
    let usages: Vec<_> =
        future::join_all(requests).await.into_iter().map(|answer| answer.unwrap().usage).collect();
    let read: u32 = usages.iter().map(|usage| usage.prompt_tokens - usage.cached_tokens).sum();
    assert!(read < usages[0].prompt_tokens + 4 * 20, "{usages:?}");
}

#[tokio::test]
async fn a_conversation_goes_on_where_it_stopped() {
    let Some(engine) = engine(1) else { return };
    let mut request = request(&document(100), None, 20);
    let answer = ask(&engine, request.clone()).await.unwrap();
    request.messages.push(Message::assistant(answer.text));
    request.messages.push(Message::user("Go on."));
    let next = ask(&engine, request).await.unwrap();
    assert!(next.usage.cached_tokens > answer.usage.prompt_tokens, "{:?}", next.usage);
}

#[tokio::test]
async fn an_answer_of_a_form_is_held_unless_many_others_are_written() {
    let numbers = |count: u32| json!({ "type": "array", "items": { "enum": [1, 2, 3] }, "minItems": count, "maxItems": count });
    for (others, is_held) in [(0, true), (4, false)] {
        let Some(engine) = engine(6) else { return };
        let mut busy = Vec::new();
        for number in 0..others {
            // Long enough to be written all the while, and short enough to leave room.
            let count = request(&format!("Count {number}."), Some(numbers(600)), 2000);
            let mut stream = engine.stream(count).await.unwrap();
            stream.next().await.unwrap().unwrap();
            busy.push(stream);
        }
        let mut request = request(&document(100), Some(numbers(10)), 60);
        let answer = ask(&engine, request.clone()).await.unwrap();
        request.messages.push(Message::assistant(answer.text));
        request.messages.push(Message::user("Go on."));
        let next = ask(&engine, request).await.unwrap();
        let held = next.usage.cached_tokens;
        assert_eq!(held > answer.usage.prompt_tokens, is_held, "{others} others: {held}");
        assert!(held + 20 > answer.usage.prompt_tokens, "{others} others: {held}");
    }
}

#[tokio::test]
async fn an_answer_goes_on_while_another_prompt_is_read() {
    let Some(engine) = engine(2) else { return };
    let mut first = engine.stream(endless("Count.")).await.unwrap();
    first.next().await.unwrap().unwrap();
    let mut second = engine.stream(request(&document(400), None, 5)).await.unwrap();
    let mut pieces = 0;
    loop {
        tokio::select! {
            biased;
            event = second.next() => match event.unwrap().unwrap() {
                ChatEvent::Delta(_) => break,
                ChatEvent::Reasoning(_) | ChatEvent::Done { .. } => panic!("no piece came"),
            },
            event = first.next() => {
                event.unwrap().unwrap();
                pieces += 1;
            }
        }
    }
    // 400 words are some 1,600 tokens, of which few are read in one step.
    assert!(pieces > 8, "{pieces}");
}

#[tokio::test]
async fn a_longer_request_makes_the_context_grow() {
    let Some(engine) = engine(1) else { return };
    ask(&engine, request("Hi", None, 5)).await.unwrap();
    let schema = json!({ "const": "done" });
    let long = ask(&engine, request("Hi", Some(schema), 6000)).await.unwrap();
    assert_eq!(long.text, "\"done\"");
    assert_eq!(long.usage.cached_tokens, 0);
    let again = ask(&engine, request("Hi", None, 5)).await.unwrap();
    assert!(again.usage.cached_tokens > 0);
}

#[tokio::test]
async fn requests_that_do_not_fit_together_are_served_in_turn() {
    let Some(engine) = engine(3) else { return };
    ask(&engine, request("Hi", None, 5)).await.unwrap();
    let requests = (0..5).map(|number| {
        let schema = json!({ "const": format!("{number}") });
        ask(&engine, request(&format!("{number} is the number."), Some(schema), 7000))
    });
    for (number, answer) in future::join_all(requests).await.into_iter().enumerate() {
        assert_eq!(answer.unwrap().text, format!("\"{number}\""));
    }
}

#[tokio::test]
async fn tokens_are_counted_while_the_engine_works() {
    let Some(engine) = engine(1) else { return };
    let mut busy = engine.stream(endless("Count.")).await.unwrap();
    busy.next().await.unwrap().unwrap();
    assert_eq!(engine.count_tokens(""), 0);
    let one = engine.count_tokens("hello world");
    assert!((1..=4).contains(&one), "{one}");
    assert!(engine.count_tokens(&document(50)) > 50);
}
