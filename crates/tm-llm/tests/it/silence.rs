//! Models that say nothing: one that hangs is told from one that has much to do. The clock is
//! Tokio's, which is set forward.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, future, stream};
use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend, BackendError, ChatStream, ModelInfo, complete,
        remote::{RemoteBackend, Server},
    },
    chat::{ChatEvent, ChatRequest, FinishReason, Message, Role, Sampling, Usage},
    egress::guard::Guard,
    failover::{Candidate, Failover, Rounds},
    provider,
};
use tm_testkit::{
    model::{Reply, ScriptedModel},
    server::{Answer, Received, ScriptedServer},
};
use tokio::time;

/// A model that says `Yes.` after a while.
#[derive(Debug, Clone, Copy)]
struct Slow {
    first: Duration,
    /// It shows that it thinks, every second.
    thinks: bool,
    is_at_work: bool,
    /// How long it takes to find out whether it is at work.
    looked_at: Duration,
    /// It says `Ye`, and no more.
    stalls: bool,
}

const SLOW: Slow = Slow {
    first: Duration::from_mins(1),
    thinks: false,
    is_at_work: false,
    looked_at: Duration::ZERO,
    stalls: false,
};

/// The question that it falls over at.
const TOO_MUCH: &str = "how many angels?";

static INFO: ModelInfo = ModelInfo {
    provider: String::new(),
    model: String::new(),
    context_tokens: 100_000,
    parallel: 1,
    whole_answers: false,
};

#[async_trait]
impl Backend for Slow {
    fn info(&self) -> &ModelInfo {
        &INFO
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        if request.messages.iter().any(|it| it.content == TOO_MUCH) {
            let reason = "it fell over".to_owned();
            return Err(BackendError::Broken { model: String::new(), reason });
        }
        let thinking = if self.thinks {
            let seconds = stream::iter(0..self.first.as_secs());
            let thought = async |_| {
                time::sleep(Duration::from_secs(1)).await;
                Ok(ChatEvent::Delta(String::new()))
            };
            seconds.then(move |it| Box::pin(thought(it))).boxed()
        } else {
            time::sleep(self.first).await;
            stream::empty().boxed()
        };
        let text = |it: &str| Ok(ChatEvent::Delta(it.to_owned()));
        if self.stalls {
            let stall = stream::once(future::pending());
            return Ok(thinking.chain(stream::iter([text("Ye")])).chain(stall).boxed());
        }
        let done = ChatEvent::Done { finish: FinishReason::Stop, usage: Usage::default() };
        Ok(thinking.chain(stream::iter([text("Yes."), Ok(done)])).boxed())
    }

    async fn is_at_work(&self, _silence: Duration) -> bool {
        time::sleep(self.looked_at).await;
        self.is_at_work
    }
}

fn request(prompt: &str) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::user(prompt)],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_hours(1),
    }
}

/// One that says `No.` at once, or goes on.
fn well() -> Candidate {
    let script = |request: &ChatRequest| {
        let last = request.messages.last().filter(|it| it.role == Role::Assistant);
        Reply::Text(if last.is_some() { "s." } else { "No." }.to_owned())
    };
    Candidate::opened(Arc::new(ScriptedModel::new(script).continuing())).with_rank(1)
}

fn beside_one_that_is_well(slow: Slow) -> Failover {
    Failover::unopened(vec![Candidate::opened(Arc::new(slow)), well()], Arc::new(|_| ()))
}

/// What is said to a short question, and after how many seconds.
async fn said(failover: &Failover, prompt: &str) -> (String, u64) {
    let begun = time::Instant::now();
    let answer = complete(failover, request(prompt), &|_| ()).await.unwrap();
    (answer.text, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_given_up_sooner_than_clients_are_impatient() {
    let hung = beside_one_that_is_well(Slow { first: Duration::from_hours(9), ..SLOW });
    assert_eq!(said(&hung, "how many?").await, ("No.".to_owned(), 5));
    let events = beside_one_that_is_well(SLOW).at_once(request("how many?")).await.unwrap();
    let first = std::pin::pin!(events).next().await.unwrap().unwrap();
    assert_eq!(first, ChatEvent::Delta("No.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_has_a_long_prompt_to_read_is_waited_for() {
    let failover = beside_one_that_is_well(SLOW);
    let prompt = "A word after a word. ".repeat(300);
    assert_eq!(said(&failover, &prompt).await, ("Yes.".to_owned(), 60));
}

#[tokio::test(start_paused = true)]
async fn who_is_at_work_is_waited_for() {
    let loads = beside_one_that_is_well(Slow { is_at_work: true, ..SLOW });
    assert_eq!(said(&loads, "how many?").await, ("Yes.".to_owned(), 60));
    let thinks = beside_one_that_is_well(Slow { thinks: true, ..SLOW });
    assert_eq!(said(&thinks, "how many?").await, ("Yes.".to_owned(), 60));
}

#[tokio::test]
async fn signs_of_life_that_are_no_events_are_silence() {
    let begun = r#"data: {"choices":[{"delta":{"content":"Ye"}}]}"#;
    for (first, said) in [(String::new(), "No."), (format!("{begun}\n\n"), "Yes.")] {
        for drip in [": x\n\n", "data: ", "x"] {
            let first = first.clone();
            let server = ScriptedServer::start(move |received: &Received| {
                if received.body["messages"].is_null() {
                    return Answer::json(404, &Value::Null);
                }
                Answer::dripping(drip, Duration::from_millis(20)).beginning_with(&first)
            });
            let provider = provider::find("openai-compatible").unwrap();
            let url = format!("{}/v1", server.url());
            let client = Guard::default().client().unwrap();
            let remote =
                RemoteBackend::open(Server::new(provider, url, "m"), client).await.unwrap();
            let failover = Failover::unopened(
                vec![Candidate::opened(Arc::new(remote)), well()],
                Arc::new(|_| ()),
            );
            let rounds = Rounds { silence: Duration::from_millis(200), ..Rounds::default() };
            let asking =
                complete(&failover.with_rounds(rounds), request("how many?"), &|_| ()).await;
            assert_eq!(asking.unwrap().text, said, "{drip:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_alone_is_waited_for() {
    let alone = Candidate::opened(Arc::new(SLOW));
    let failover = Failover::unopened(vec![alone], Arc::new(|_| ()));
    assert_eq!(said(&failover, "how many?").await, ("Yes.".to_owned(), 60));
}

#[tokio::test(start_paused = true)]
async fn who_goes_silent_in_the_middle_is_taken_over_from() {
    let stalls = Slow { first: Duration::ZERO, stalls: true, ..SLOW };
    let failover = beside_one_that_is_well(stalls);
    assert_eq!(said(&failover, "how many?").await, ("Yes.".to_owned(), 5));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_one_that_hangs_learn_it_from_the_first_of_them() {
    let hung = beside_one_that_is_well(Slow { first: Duration::from_hours(9), ..SLOW });
    let asked = (0..8).map(|_| said(&hung, "how many?"));
    for (text, seconds) in future::join_all(asked).await {
        assert!(text == "No." && seconds <= 10, "{text} after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_at_one_question_is_still_waited_for_with_another() {
    let failover = beside_one_that_is_well(SLOW);
    let long = "A word after a word. ".repeat(300);
    let (waited, failed) = future::join(said(&failover, &long), said(&failover, TOO_MUCH)).await;
    assert_eq!((waited, failed.0.as_str()), (("Yes.".to_owned(), 60), "No."));
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_the_server_is_looked_at_is_taken() {
    let (first, looked_at) = (Duration::from_secs(6), Duration::from_secs(2));
    let failover = beside_one_that_is_well(Slow { first, looked_at, ..SLOW });
    assert_eq!(said(&failover, "how many?").await, ("Yes.".to_owned(), 6));
}

#[tokio::test(start_paused = true)]
async fn a_silent_one_is_left_for_a_full_one_only_when_it_stays_silent() {
    for (first, answer) in [(7, ("Yes.".to_owned(), 7)), (9999, ("No.".to_owned(), 12))] {
        let replies = ["Me.", "No."].map(|it| Reply::Text(it.to_owned()));
        let model: Arc<dyn Backend> = Arc::new(ScriptedModel::playing(replies));
        let open = move || {
            let model = Arc::clone(&model);
            Box::pin(async { Ok(model) }) as future::BoxFuture<'static, _>
        };
        let full = Candidate::new("full", Box::new(open), Some(1)).with_rank(1);
        let other = Failover::unopened(vec![full.clone()], Arc::new(|_| ()));
        let held = other.stream(request("how many?")).await.unwrap();
        let slow = Candidate::opened(Arc::new(Slow { first: Duration::from_secs(first), ..SLOW }));
        let failover = Failover::unopened(vec![slow, full], Arc::new(|_| ()));
        let leaves = async {
            time::sleep(Duration::from_millis(12_100)).await;
            drop(held);
        };
        assert_eq!(future::join(said(&failover, "how many?"), leaves).await.0, answer);
    }
}

/// Whether a server is at work, for all that is known, that says this of its model.
async fn is_at_work(provider: &str, path: &str, known: Value, silence: Duration) -> bool {
    let known_at = format!("GET {path}");
    let server = ScriptedServer::start(move |received: &Received| {
        let is_known = received.line == known_at;
        Answer::json(if is_known { 200 } else { 404 }, if is_known { &known } else { &Value::Null })
    });
    let provider = provider::find(provider).unwrap();
    let url = provider.base_url(&server.url());
    let client = Guard::default().client().unwrap();
    let backend = RemoteBackend::open(Server::new(provider, url, "m"), client).await.unwrap();
    backend.is_at_work(silence).await
}

#[tokio::test]
async fn a_server_that_has_yet_to_load_its_model_is_at_work() {
    for (state, is_loading) in [("loaded", false), ("not-loaded", true)] {
        let known = json!({"data": [{"id": "m", "state": state}]});
        let asked = is_at_work("lmstudio", "/api/v0/models", known, Duration::from_mins(5)).await;
        assert_eq!(asked, is_loading, "{state}");
    }
    for (silence, may_load) in [(Duration::from_secs(59), true), (Duration::from_mins(1), false)] {
        let asked = is_at_work("ollama", "/api/ps", json!({"models": []}), silence).await;
        assert_eq!(asked, may_load, "{silence:?}");
    }
}
