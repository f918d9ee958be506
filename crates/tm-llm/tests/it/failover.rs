//! Several models that stand in for each other.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tm_llm::{
    backend::{Backend, BackendError, complete},
    chat::{ChatRequest, Message, Role, Sampling},
    failover::{Attempt, Candidate, Failover, Journey, Outcome, Rounds, Step},
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
    let open = move || {
        let model = Arc::clone(&model);
        Box::pin(async { Ok(model) }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate::new(name, Box::new(open), None)
}

fn unreachable(name: &str) -> Candidate {
    let (model, server) = (name.to_owned(), "http://nowhere".to_owned());
    let open = move || {
        let (model, server) = (model.clone(), server.clone());
        let error = BackendError::Unreachable { model, server, reason: "refused".to_owned() };
        Box::pin(async { Err(error) }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate::new(name, Box::new(open), None)
}

fn text(it: &str) -> Reply {
    Reply::Text(it.to_owned())
}

/// What is said to each of some questions, then who gave up for whom; the first is wanted most.
async fn outcome(candidates: Vec<Candidate>, questions: usize) -> Vec<String> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let on_switch = move |it: &tm_llm::failover::Switch<'_>| {
        log.lock().unwrap().push(format!("{} -> {}", it.from, it.to));
    };
    let rounds = Rounds { most: 2, wait: Duration::ZERO, ..Rounds::default() };
    let candidates = (0..).zip(candidates).map(|(rank, it)| it.with_rank(rank)).collect();
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
    assert_eq!(said, ["one", "two", "first -> second"]);
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

/// What a whole story is, for every model that tells it.
const STORY: &str = "Once there was a baker, \u{fc}ber whom little is known. He baked and baked.";

/// A model that stops after so many bytes of the story each time, or never; told where to go on,
/// it does so when it can.
fn teller(cut: Option<usize>, goes_on: bool) -> Candidate {
    let script = move |request: &ChatRequest| {
        let before = request.messages.last().filter(|it| it.role == Role::Assistant);
        let before = before.map_or("", |it| it.content.as_str());
        let rest = STORY.strip_prefix(before).unwrap();
        match cut {
            Some(cut) => Reply::Broken(rest[..cut.min(rest.len())].to_owned()),
            None => Reply::Text(rest.to_owned()),
        }
    };
    let model = ScriptedModel::new(script);
    Candidate::opened(Arc::new(if goes_on { model.continuing() } else { model }))
}

#[tokio::test]
async fn an_answer_that_is_cut_anywhere_is_gone_on_with_and_has_no_seam() {
    for goes_on in [true, false] {
        for (cut, _) in STORY.char_indices().chain([(STORY.len(), ' ')]) {
            let whole = teller(None, goes_on).with_rank(1);
            let failover = failover(vec![teller(Some(cut), goes_on), whole]);
            let answer = complete(&failover, request(), &|_| ()).await.unwrap();
            assert_eq!(answer.text, STORY, "cut at {cut}");
            let report = failover.report();
            // Who was cut before the first word has begun nothing.
            let resumed = u64::from(cut > 0);
            let (cut, took_over) = (&report[0], &report[1]);
            assert_eq!((cut.failed, took_over.resumed, took_over.answered), (1, resumed, 1));
        }
    }
}

#[tokio::test]
async fn an_answer_that_becomes_another_one_ends_with_an_error() {
    let first = candidate("first", [Reply::Broken("It is".to_owned())]);
    let second = candidate("second", [text("There are three.")]).with_rank(1);
    let failover = failover(vec![first, second]);
    let shown = Mutex::new(String::new());
    let show = |delta: &str| shown.lock().unwrap().push_str(delta);
    let answer = complete(&failover, request(), &show).await;
    assert!(matches!(answer, Err(BackendError::Broken { .. })), "{answer:?}");
    assert_eq!(*shown.lock().unwrap(), "It is");
}

fn failover(candidates: Vec<Candidate>) -> Failover {
    let rounds = Rounds { most: 1, wait: Duration::ZERO, ..Rounds::default() };
    Failover::unopened(candidates, Arc::new(|_| ())).with_rounds(rounds)
}

fn opening(model: ScriptedModel, limit: u32) -> Candidate {
    let model: Arc<dyn Backend> = Arc::new(model);
    let open = move || {
        let model = Arc::clone(&model);
        Box::pin(async { Ok(model) }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate::new("limited", Box::new(open), Some(limit))
}

#[tokio::test]
async fn models_that_are_wanted_alike_share_the_work() {
    let waits = || opening(ScriptedModel::new(|_| Reply::Broken("x".to_owned())), 9);
    let failover = failover(vec![waits(), waits(), waits().with_rank(1)]);
    let mut streams = Vec::new();
    for _ in 0..6 {
        streams.push(failover.stream(request()).await.unwrap());
    }
    let in_flight: Vec<u32> = failover.report().iter().map(|it| it.in_flight).collect();
    assert_eq!(in_flight, [3, 3, 0]);
    drop(streams);
    assert!(failover.report().iter().all(|it| it.in_flight == 0));
}

#[tokio::test]
async fn who_comes_when_all_are_busy_waits_and_when_too_many_wait_comes_back_later() {
    let model = opening(ScriptedModel::new(|_| Reply::Text("done".to_owned())), 1);
    let rounds = Rounds { wait: Duration::from_hours(1), ..Rounds::default() };
    let failover = Arc::new(failover(vec![model]).with_rounds(rounds));
    let first = failover.stream(request()).await.unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let failover = Arc::clone(&failover);
        waiting.spawn(async move { complete(&*failover, request(), &|_| ()).await });
    }
    tokio::task::yield_now().await;
    assert_eq!(failover.waiting(), 8);
    // At once: whoever is sent away is not kept.
    let error = failover.stream(request()).now_or_never().unwrap().err().unwrap();
    assert!(matches!(error, BackendError::Busy { retry_after: Some(_), .. }), "{error}");
    drop(first);
    while let Some(answer) = waiting.join_next().await {
        assert_eq!(answer.unwrap().unwrap().text, "done");
    }
    let late = ChatRequest { deadline: Instant::now(), ..request() };
    let _held = failover.stream(request()).await.unwrap();
    let error = failover.stream(late).await.err().unwrap();
    assert!(matches!(error, BackendError::DeadlineExceeded { .. }), "{error}");
}

#[tokio::test]
async fn a_model_that_failed_is_not_asked_next_though_it_is_wanted_most() {
    let first = candidate("first", [Reply::Broken(String::new()), text("too soon")]);
    let second = candidate("second", [text("one"), text("two"), text("three")]).with_rank(1);
    let failover = failover(vec![first, second]);
    for expected in ["one", "two", "three"] {
        assert_eq!(complete(&failover, request(), &|_| ()).await.unwrap().text, expected);
    }
    assert_eq!(failover.report()[0].standing, "resting");
}

fn told_of(attempt: &Attempt) -> String {
    let name = &attempt.name;
    match attempt.outcome {
        Outcome::Answered(usage, _) => format!("{name}: {} tokens", usage.completion_tokens),
        Outcome::Failed(kind) => format!("{name}: {kind}"),
        Outcome::Abandoned => format!("{name}: abandoned"),
    }
}

#[tokio::test]
async fn each_request_is_told_on_its_own_with_whoever_could_not_be_opened() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let told_to = Arc::clone(&told);
    let watching = move |candidates| {
        let (told, requests) = (Arc::clone(&told_to), Mutex::new(0));
        Failover::unopened(candidates, Arc::new(|_| ()))
            .with_rounds(Rounds { most: 1, ..Rounds::default() })
            .watching_each(Arc::new(move || {
                *requests.lock().unwrap() += 1;
                let (told, request) = (Arc::clone(&told), *requests.lock().unwrap());
                Arc::new(Journey::new(Arc::new(move |step| {
                    let step = match step {
                        Step::Ended(attempt) => {
                            format!("{} {}", told_of(attempt), attempt.why).trim_end().to_owned()
                        }
                        Step::Answered { .. } => return,
                        Step::GaveUp(error) => format!("gave up: {}", error.kind()),
                    };
                    told.lock().unwrap().push(format!("{request} {step}"));
                })))
            }))
    };
    let well = candidate("well", [text("seven"), Reply::Broken("ei".to_owned())]).with_rank(1);
    let failover = watching(vec![unreachable("gone"), well]);
    failover.prepare().await.unwrap();
    assert_eq!(complete(&failover, request(), &|_| ()).await.unwrap().text, "seven");
    complete(&failover, request(), &|_| ()).await.unwrap_err();
    let failover = watching(vec![unreachable("gone")]);
    failover.prepare().await.unwrap_err();
    let told = told.lock().unwrap().clone();
    insta::assert_snapshot!(told.join("\n"), @r"
    1 gone: unreachable http://nowhere does not answer: refused
    1 well: 2 tokens
    2 well: broken script stopped working: the script says so
    2 gave up: broken
    1 gone: unreachable http://nowhere does not answer: refused
    1 gave up: unreachable
    ");
}

#[tokio::test]
async fn a_request_that_is_watched_knows_everybody_who_was_asked() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let journey = Arc::new(Journey::new(Arc::new(move |step| {
        let step = match step {
            Step::Ended(_) => "ended",
            Step::Answered { text, .. } => text,
            Step::GaveUp(_) => "gave up",
        };
        tell.lock().unwrap().push(step.to_owned());
    })));
    let candidates = vec![
        unreachable("gone"),
        candidate("broken", [Reply::Broken("se".to_owned())]).with_rank(1),
        candidate("well", [text("seven")]).with_rank(2),
    ];
    let failover = Failover::unopened(candidates, Arc::new(|_| ()));
    let failover = failover.watched(Arc::clone(&journey));
    let answer = complete(&failover, request(), &|_| ()).await.unwrap();
    assert_eq!(answer.text, "seven");
    assert_eq!(journey.asked(), ["gone", "broken", "well"]);
    let ended: Vec<String> = journey.ended().iter().map(told_of).collect();
    assert_eq!(ended, ["gone: unreachable", "broken: broken", "well: 2 tokens"]);
    // All of the answer, whoever began it.
    assert_eq!(*told.lock().unwrap(), ["ended", "ended", "ended", "seven"]);
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_seen_as_abandoned() {
    let journey = Arc::new(Journey::new(Arc::new(|_| ())));
    let failover = Failover::unopened(vec![candidate("slow", [text("one")])], Arc::new(|_| ()));
    let stream = failover.watched(Arc::clone(&journey)).stream(request()).await.unwrap();
    drop(stream);
    assert_eq!(journey.ended()[0].outcome, Outcome::Abandoned);
}
