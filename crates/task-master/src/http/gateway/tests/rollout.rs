//! Models on trial: who answers while they are, and what ends it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use serde_json::json;
use tm_llm::{
    backend::{Backend, BackendError},
    failover::{Candidate, Failover},
    rollout::Trial,
};
use tm_testkit::model::{Reply, ScriptedModel};
use tokio::{task::JoinSet, time};

use super::{Gateway, Players, Reached, Server, names};
use crate::{
    rollout::{Running, Trials},
    trace::Log,
};

fn saying(text: &str) -> Arc<ScriptedModel> {
    let text = text.to_owned();
    Arc::new(ScriptedModel::new(move |_| Reply::Text(text.clone())))
}

/// These models, the first one wanted most.
fn list(models: &[&Arc<ScriptedModel>]) -> Arc<Failover> {
    let candidates = models.iter().zip(0..).map(|(model, rank)| {
        let model: Arc<dyn Backend> = Arc::<ScriptedModel>::clone(model);
        let open = move || -> BoxFuture<'static, Result<Arc<dyn Backend>, BackendError>> {
            let model = Arc::clone(&model);
            Box::pin(async move { Ok(model) })
        };
        Candidate::new(format!("model {rank}"), Box::new(open), None).with_rank(rank)
    });
    Arc::new(Failover::unopened(candidates.collect(), Arc::new(|_| ())))
}

fn set(trials: &Trials, percent: u8, is_shadow: bool) {
    let trial = Trial { candidate: "fallback".to_owned(), percent, is_shadow, is_automatic: false };
    let put = |running: &mut Running| drop(running.insert("main".to_owned(), trial));
    trials.change("set", None, put).unwrap();
}

/// A gateway of a project, whose main role and fallback these models play.
async fn gateway(main: &Arc<ScriptedModel>, fallback: &[&Arc<ScriptedModel>], at: &Path) -> Server {
    let players = Players::new([list(&[main]), list(&[main]), list(fallback)]);
    let gateway = Gateway::new(players, names("{}"), Duration::from_mins(1))
        .with_rollout(Trials::of_project(at))
        .with_trace(Log::in_dir(at));
    Server::serving(Arc::clone(main), gateway).await
}

async fn ask(server: &Server, question: usize) -> Reached {
    let messages = json!([{"role": "user", "content": format!("Question {question}")}]);
    server.post("/v1/chat/completions", &json!({"model": "main", "messages": messages})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_under_load_counts_within_a_second_and_loses_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let trials = Trials::of_project(directory.path());
    set(&trials, 100, false);
    let (old, new) = (saying("I am old"), saying("I am new"));
    let server = Arc::new(gateway(&old, &[&new], directory.path()).await);
    let end = Instant::now() + Duration::from_millis(1200);
    let mut asking = JoinSet::new();
    for asker in 0..8 {
        let server = Arc::clone(&server);
        asking.spawn(async move {
            let mut told = Vec::new();
            while Instant::now() < end {
                let asked = Instant::now();
                let reached = ask(&server, asker).await;
                assert_eq!(reached.status, 200, "{reached:?}");
                told.push((asked, reached.body.contains("I am new")));
            }
            told
        });
    }
    time::sleep(Duration::from_millis(400)).await;
    let before = Instant::now();
    trials.change("rolled back", None, Running::clear).unwrap();
    let back = Instant::now();
    let told: Vec<(Instant, bool)> = asking.join_all().await.into_iter().flatten().collect();
    // What was under way is answered by either.
    let mut early = told.iter().filter(|it| it.0 + Duration::from_millis(200) < before);
    assert!(early.all(|it| it.1), "all of it was on trial");
    let late = told.iter().filter(|it| it.0 > back + Duration::from_millis(300));
    let late: Vec<bool> = late.map(|it| it.1).collect();
    assert!(late.len() > 20 && !late.contains(&true), "{} of {}", late.len(), told.len());
    // The undo of it counts as soon.
    trials.undo().unwrap();
    time::sleep(Duration::from_millis(150)).await;
    let reached = ask(&server, 1).await;
    assert!(reached.head.contains("x-rollout: candidate"), "{reached:?}");
}

#[tokio::test]
async fn a_share_of_the_conversations_is_answered_by_those_on_trial_and_keeps_to_them() {
    let directory = tempfile::tempdir().unwrap();
    set(&Trials::of_project(directory.path()), 50, false);
    let (old, new) = (saying("I am old"), saying("I am new"));
    let server = gateway(&old, &[&new], directory.path()).await;
    let mut first = Vec::new();
    for question in 0..60 {
        first.push(ask(&server, question).await.body.contains("I am new"));
    }
    let share = first.iter().filter(|it| **it).count();
    assert!((15..45).contains(&share), "{share}");
    for (question, was_new) in first.into_iter().enumerate() {
        assert_eq!(ask(&server, question).await.body.contains("I am new"), was_new);
    }
    let metrics = server.get("/metrics").await.body;
    let counted = format!("role=\"main\",arm=\"candidate\",result=\"good\"}} {}", 2 * share);
    assert!(metrics.contains(&counted), "{counted}: {metrics}");
}

#[tokio::test]
async fn a_trial_whose_models_fail_ends_by_itself_and_everybody_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let trials = Trials::of_project(directory.path());
    set(&trials, 100, false);
    let old = saying("I am old");
    let broken = Arc::new(ScriptedModel::new(|_| Reply::Broken(String::new())));
    let server = gateway(&old, &[&broken, &old], directory.path()).await;
    for question in 0..12 {
        let reached = ask(&server, question).await;
        assert!(reached.status == 200 && reached.body.contains("I am old"), "{reached:?}");
    }
    let begun = Instant::now();
    let state = loop {
        let state = trials.read().unwrap();
        if state.trials.is_empty() || begun.elapsed() > Duration::from_secs(5) {
            break state;
        }
        time::sleep(Duration::from_millis(10)).await;
    };
    let last = state.history.last().unwrap();
    assert_eq!(last.what, "main went back by itself");
    assert!(last.why.as_deref().unwrap().contains("in a row"), "{last:?}");
    assert_eq!(last.examples.len(), 3);
    assert!(!ask(&server, 1).await.head.contains("x-rollout"));
}

#[tokio::test]
async fn what_a_shadow_says_is_compared_and_shown_to_nobody() {
    let directory = tempfile::tempdir().unwrap();
    set(&Trials::of_project(directory.path()), 100, true);
    let (old, new) = (saying("I am old"), saying("I am new"));
    let server = gateway(&old, &[&new], directory.path()).await;
    let reached = ask(&server, 1).await;
    assert!(reached.body.contains("I am old") && !reached.body.contains("new"), "{reached:?}");
    assert!(reached.head.contains("x-rollout: incumbent"), "{reached:?}");
    let begun = Instant::now();
    let compared = loop {
        let past = Log::read(directory.path()).unwrap();
        if let Some(it) = past.records.into_iter().find(|it| it.by == "shadow") {
            break it;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "nothing was compared");
        time::sleep(Duration::from_millis(10)).await;
    };
    let likeness = compared.compared.as_ref().and_then(|it| it.likeness);
    assert_eq!((likeness, compared.role.as_deref()), (Some(0.5), Some("fallback")));
    assert!(reached.head.contains(&compared.compared.unwrap().with), "{reached:?}");
}
