//! A thousand requests of which most are given up: nothing leaks and nothing is mixed up.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use serde_json::json;
use tm_engine::{Engine, EngineOptions};
use tm_llm::{
    backend::{Backend as _, BackendError},
    chat::{ChatEvent, ChatRequest, FinishReason, Message, Sampling},
};
use tokio::time::timeout;

use crate::{ask, endless, model_file, request};

const REQUESTS: u64 = 1000;
/// As many are on their way at a time.
const CLIENTS: usize = 24;
const TOGETHER: u32 = 8;

/// What a request's reader does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Patience {
    Waits,
    /// Goes away after this long, whatever has arrived.
    Leaves(Duration),
    /// Wants the whole answer by then.
    Limits(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Whole,
    Left,
    Late,
}

/// Evenly spread numbers, the same in every run.
fn random(number: u64, salt: u64) -> u64 {
    let mut bits =
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xd6e8_feb8_6659_fd93);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn patience(number: u64) -> Patience {
    // Some have no time at all, so that there are some of each kind on every machine.
    let wait = Duration::from_millis((random(number, 1) % 800).saturating_sub(200));
    match random(number, 2) % 8 {
        0 => Patience::Waits,
        1..5 => Patience::Limits(wait),
        _ => Patience::Leaves(wait),
    }
}

const WORDS: [&str; 16] = [
    "apple", "river", "stone", "music", "horse", "winter", "paper", "silver", "garden", "window",
    "letter", "summer", "forest", "coffee", "mirror", "bridge",
];

fn word(number: u64) -> &'static str {
    WORDS[usize::try_from(random(number, 3) % 16).unwrap()]
}

/// The schema forces the request's number; the word is any of them to the schema, so that only who
/// has read this prompt, and no other, says the right one.
fn nonce_request(number: u64) -> ChatRequest {
    let schema = json!({
        "type": "array", "prefixItems": [{ "const": number }, { "enum": WORDS }],
        "items": false, "minItems": 2, "maxItems": 2
    });
    let word = word(number);
    let user = format!("{word} {word} {word}, the word is {word}. Say it.");
    let mut request = request("", Some(schema), 40);
    request.messages = vec![Message::user(user)];
    request.sampling = Sampling { temperature: 0.0, ..Sampling::default() };
    request
}

/// Reads an answer to whatever end it comes to; with it, what was said.
async fn read(engine: &Engine, number: u64, patience: Patience) -> (Outcome, String) {
    let mut request = nonce_request(number);
    let started = Instant::now();
    if let Patience::Limits(limit) = patience {
        request.deadline = started + limit;
    }
    let mut stream = engine.stream(request).await.unwrap();
    let mut text = String::new();
    loop {
        let next = match patience {
            Patience::Leaves(after) => {
                let left = after.saturating_sub(started.elapsed());
                let Ok(next) = timeout(left, stream.next()).await else {
                    return (Outcome::Left, text);
                };
                next
            }
            Patience::Waits | Patience::Limits(_) => stream.next().await,
        };
        let outcome = match next.unwrap() {
            Ok(ChatEvent::Delta(delta)) => {
                text.push_str(&delta);
                continue;
            }
            Ok(ChatEvent::Reasoning(thought)) => panic!("{number} thinks: {thought}"),
            Ok(ChatEvent::Done { finish, .. }) => {
                assert_eq!(finish, FinishReason::Stop);
                Outcome::Whole
            }
            Err(BackendError::DeadlineExceeded { .. }) => {
                let Patience::Limits(limit) = patience else { panic!("{number} had time") };
                assert!(started.elapsed() >= limit, "{number} was stopped too early");
                Outcome::Late
            }
            Err(error) => panic!("{number}: {error}"),
        };
        assert!(stream.next().await.is_none(), "{number} ended twice");
        return (outcome, text);
    }
}

/// The memory of this process, in MiB.
fn resident_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

async fn round(engine: &Engine, numbers: std::ops::Range<u64>) -> Vec<(u64, Outcome, String)> {
    let reading = numbers.map(|number| async move {
        let (outcome, text) = read(engine, number, patience(number)).await;
        (number, outcome, text)
    });
    stream::iter(reading).buffer_unordered(CLIENTS).collect().await
}

/// All slots are free when as many long answers as there are slots begin before one of them ends.
async fn assert_no_slot_is_taken(engine: &Engine) {
    let begin = (0..TOGETHER).map(|number| async move {
        // All of them fit into the context together.
        let long = ChatRequest { max_tokens: 1900, ..endless(&format!("Count from {number}.")) };
        let mut stream = engine.stream(long).await.unwrap();
        stream.next().await.unwrap().unwrap();
        stream
    });
    let begun = timeout(Duration::from_mins(2), future::join_all(begin)).await;
    for mut stream in begun.unwrap() {
        while let Some(event) = stream.next().now_or_never() {
            assert!(matches!(event, Some(Ok(ChatEvent::Delta(_)))), "a slot was taken: {event:?}");
        }
    }
}

#[tokio::test]
async fn a_thousand_requests_given_up_at_any_moment_leave_nothing_behind_and_nothing_mixed_up() {
    let Some(file) = model_file() else { return };
    let options = EngineOptions { parallel: TOGETHER, ..EngineOptions::default() };
    let engine = Engine::load(&file, &options).unwrap();
    let mut answers = round(&engine, 0..REQUESTS / 4).await;
    let before = resident_mib();
    answers.extend(round(&engine, REQUESTS / 4..REQUESTS).await);
    let after = resident_mib();
    assert_no_slot_is_taken(&engine).await;

    let count = |wanted| answers.iter().filter(|(_, outcome, _)| *outcome == wanted).count();
    let counts = [count(Outcome::Whole), count(Outcome::Left), count(Outcome::Late)];
    assert_eq!(counts.iter().sum::<usize>() as u64, REQUESTS);
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
    let mut misread = Vec::new();
    for (number, outcome, text) in &answers {
        let head = format!("[{number},\"");
        let fits = text.starts_with(&head) || head.starts_with(text.as_str());
        assert!(fits, "{number} got {text}");
        if *outcome == Outcome::Whole && !text.contains(word(*number)) {
            misread.push((*number, text.clone()));
        }
    }
    // Sums of a batch are rounded otherwise than those of one sequence, so where two words are nearly
    // as likely the model may say the other one. It does so seldom; who reads another's prompt does so often.
    let mut otherwise = Vec::new();
    for (number, text) in misread {
        let alone = ask(&engine, nonce_request(number)).await.unwrap().text;
        if alone != text {
            otherwise.push((number, text, alone));
        }
    }
    assert!(otherwise.len() * 25 < counts[0], "of {}, alone: {otherwise:?}", counts[0]);
    if let (Some(before), Some(after)) = (before, after) {
        assert!(after < before + 24, "{before} MiB have become {after}");
    }
}
