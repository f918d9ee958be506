//! Structured answers: what is repaired and what is refused.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tm_llm::{
    chat::{ChatRequest, FinishReason, Message, Sampling},
    structured::{ask, ask_even_cut},
};
use tm_testkit::model::{Reply, ScriptedModel};

fn request() -> ChatRequest {
    ChatRequest {
        messages: vec![Message::user("how many?")],
        response_schema: Some(json!({
            "type": "object",
            "properties": {"count": {"type": "integer"}},
            "required": ["count"],
        })),
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

async fn outcome(replies: Vec<Reply>) -> String {
    let model = ScriptedModel::playing(replies);
    let positive = |value: Value| match value["count"].as_i64() {
        Some(count) if count > 0 => Ok(count),
        _ => Err("count must be positive".to_owned()),
    };
    match ask(&model, request(), positive, &|_| ()).await {
        Ok(answer) => format!("{} repaired: {}", answer.value, answer.repaired.is_some()),
        Err(error) => format!("error: {error}"),
    }
}

fn text(it: &str) -> Reply {
    Reply::Text(it.to_owned())
}

#[tokio::test]
async fn a_faulty_answer_is_repaired_once_and_a_second_one_is_an_error() {
    assert_eq!(outcome(vec![text(r#"{"count": 3}"#)]).await, "3 repaired: false");
    assert_eq!(outcome(vec![text("three"), text(r#"{"count":3}"#)]).await, "3 repaired: true");
    assert_eq!(
        outcome(vec![text(r#"{"count":0}"#), text(r#"{"count":-1}"#)]).await,
        "error: script gave an unusable answer twice: count must be positive"
    );
    assert_eq!(
        outcome(vec![text(r#"{"count":"x"}"#), text(r#"{"count":"x"}"#)]).await,
        "error: script gave an unusable answer twice: at `/count`: \"x\" is not of type \"integer\""
    );
}

#[tokio::test]
async fn an_answer_that_was_made_to_end_is_taken_by_who_says_so_alone() {
    let ended = || Reply::Cut(r#"{"count": 3}"#.into());
    let refused = outcome(vec![ended(), ended()]).await;
    assert!(refused.contains("the answer is not whole, it was cut off"), "{refused}");
    let model = ScriptedModel::playing(vec![ended()]);
    let taken = ask_even_cut(&model, request(), true).await.unwrap();
    assert_eq!((&*taken.value, taken.finish), (r#"{"count": 3}"#, FinishReason::Length));
}

#[tokio::test]
async fn a_document_that_is_cut_is_taken_as_far_as_it_came_and_asked_for_again_if_nobody_chose_that()
 {
    let begun = || Reply::Cut(r#"{"count": "#.into());
    let model = ScriptedModel::playing(vec![begun()]);
    let taken = ask_even_cut(&model, request(), true).await.unwrap();
    assert_eq!((&*taken.value, taken.finish), (r#"{"count": "#, FinishReason::Length));
    let model = ScriptedModel::playing(vec![begun(), text(r#"{"count": 1.0}"#)]);
    let taken = ask_even_cut(&model, request(), false).await.unwrap();
    assert_eq!((&*taken.value, taken.finish), (r#"{"count": 1.0}"#, FinishReason::Stop));
    let model = ScriptedModel::playing(vec![begun(), begun()]);
    let taken = ask_even_cut(&model, request(), false).await.unwrap();
    assert_eq!(taken.finish, FinishReason::Length);
}

#[tokio::test]
async fn a_cut_a_broken_and_an_empty_answer_are_errors() {
    let cut = outcome(vec![Reply::Cut(r#"{"count":"#.into()), Reply::Cut("{".into())]).await;
    assert!(cut.contains("cut off at the length limit"), "{cut}");
    let broken = || Reply::Broken(r#"{"count": 3}"#.into());
    assert_eq!(
        outcome(vec![broken(), broken()]).await,
        "error: script stopped working: the script says so"
    );
    assert_eq!(outcome(vec![text(""), text("")]).await, "error: script answered with nothing");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_once_more() {
    let whole = || text(r#"{"count":3}"#);
    let broken = || Reply::Broken(r#"{"count": 3}"#.into());
    assert_eq!(outcome(vec![broken(), whole()]).await, "3 repaired: false");
    assert_eq!(outcome(vec![text(""), whole()]).await, "3 repaired: false");
}

#[tokio::test]
async fn a_document_is_taken_out_of_what_is_around_it() {
    let fenced = "```json\n{\"count\": 3,}\n```";
    assert_eq!(outcome(vec![text(fenced)]).await, "3 repaired: false");
}

#[tokio::test]
async fn the_repair_shows_the_model_its_answer_and_the_fault() {
    let model = ScriptedModel::playing([text("three"), text(r#"{"count":3}"#)]);
    ask(&model, request(), Ok, &|_| ()).await.unwrap();
    let seen = model.seen();
    let [question, answer, fault] = seen[1].messages.as_slice() else { panic!("{seen:?}") };
    assert_eq!((question.content.as_str(), answer.content.as_str()), ("how many?", "three"));
    assert!(fault.content.contains("not valid JSON"), "{}", fault.content);
    assert_ne!(seen[0].sampling.seed, seen[1].sampling.seed, "the same draw would repeat itself");
}
