//! Several models that stand in for each other.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tm_llm::{
    backend::{Backend, BackendError, complete},
    chat::{ChatRequest, Message, Sampling},
    failover::{Candidate, Failover, Rounds},
};
use tm_testkit::model::{Reply, ScriptedModel};

fn request() -> ChatRequest {
    ChatRequest {
        messages: vec![Message::user("how many?")],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

fn candidate(name: &str, replies: impl IntoIterator<Item = Reply>) -> Candidate {
    let model: Arc<dyn Backend> = Arc::new(ScriptedModel::playing(replies));
    Candidate { name: name.to_owned(), ..Candidate::opened(model) }
}

fn unreachable(name: &str) -> Candidate {
    let (model, server) = (name.to_owned(), "http://nowhere".to_owned());
    let open = move || {
        let (model, server) = (model.clone(), server.clone());
        let error = BackendError::Unreachable { model, server, reason: "refused".to_owned() };
        Box::pin(async { Err(error) }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate { name: name.to_owned(), open: Box::new(open) }
}

fn text(it: &str) -> Reply {
    Reply::Text(it.to_owned())
}

/// What is said to each of some questions, then who gave up for whom.
async fn outcome(candidates: Vec<Candidate>, questions: usize) -> Vec<String> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let on_switch = move |it: &tm_llm::failover::Switch<'_>| {
        log.lock().unwrap().push(format!("{} -> {}", it.from, it.to));
    };
    let rounds = Rounds { most: 2, wait: Duration::ZERO };
    let mut said = Vec::new();
    match Failover::open(candidates, Arc::new(on_switch)).await {
        Err(error) => said.push(error.to_string()),
        Ok(failover) => {
            let failover = failover.with_rounds(rounds);
            for _ in 0..questions {
                said.push(match complete(&failover, request(), &|_| ()).await {
                    Ok(completion) => completion.text,
                    Err(error) => error.to_string(),
                });
            }
        }
    }
    said.append(&mut told.lock().unwrap());
    said
}

#[tokio::test]
async fn the_next_one_answers_when_the_first_cannot_and_is_asked_first_from_then_on() {
    let first = candidate("first", [Reply::Broken(String::new()), text("late")]);
    let second = candidate("second", [text("one"), text("two")]);
    let said = outcome(vec![first, second], 2).await;
    let broken = "script stopped working: the script says so";
    assert_eq!(said, [broken, "one", "first -> second"], "it broke after its first word");
}

#[tokio::test]
async fn who_cannot_be_opened_is_passed_over() {
    let said = outcome(vec![unreachable("first"), candidate("second", [text("one")])], 1).await;
    assert_eq!(said, ["one", "first -> second"]);
    let said = outcome(vec![unreachable("first"), unreachable("second")], 1).await;
    assert_eq!(said[0], "http://nowhere does not answer: refused");
    assert!(outcome(Vec::new(), 1).await[0].contains("no model that may be asked"));
}

#[tokio::test]
async fn a_question_that_is_too_long_for_one_goes_to_the_next() {
    let first = candidate("first", [Reply::Overflow, text("one")]);
    let said = outcome(vec![first, candidate("second", [text("two")])], 2).await;
    assert_eq!(said, ["two", "one", "first -> second"], "the first one has done nothing wrong");
}

#[tokio::test]
async fn when_all_fail_the_first_error_is_told() {
    let said = outcome(vec![candidate("only", [Reply::Overflow])], 1).await;
    assert!(said[0].starts_with("the prompt has "), "{said:?}");
}

#[tokio::test]
async fn what_each_model_did_is_counted() {
    let model: Arc<dyn Backend> = Arc::new(ScriptedModel::playing([text("one"), text("two")]));
    let failover = Failover::open(vec![Candidate::opened(model)], Arc::new(|_| ())).await.unwrap();
    assert!(failover.spent().is_empty());
    for _ in 0..2 {
        complete(&failover, request(), &|_| ()).await.unwrap();
    }
    let spent = failover.spent();
    assert_eq!((spent.len(), spent[0].answers, spent[0].model.as_str()), (1, 2, "script"));
    assert!(spent[0].usage.prompt_tokens > 0);
    assert_eq!(failover.info().provider, "scripted");
}
