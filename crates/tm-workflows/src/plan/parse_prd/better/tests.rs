use std::sync::Arc;

use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::{
    escalation::{Escalation, Other},
    event::Event,
    plan::parse_prd::{plan, tests::request},
};

/// A task whose test says nothing that can be seen, unless it is good.
fn said(title: &str, is_good: bool) -> Reply {
    let check = if is_good {
        json!({"when": format!("{title} with one note in the store."), "then": "The note is shown."})
    } else {
        json!({"when": "Somebody reads the store twice.", "then": "A lamp lights up brightly."})
    };
    Reply::Text(
        json!({
            "title": title,
            "description": format!("{title} in the store of the program, fast and complete."),
            "steps": [format!("{title} with module alpha, its tables and its index."),
                      "Connect gamma to delta and keep the store of the program small.",
                      "Write epsilon, zeta and eta so that it is fast and complete."],
            "check": check,
            "priority": "medium",
        })
        .to_string(),
    )
}

/// Writes a plan in parts whose second task is weak, and weak again.
fn small() -> ScriptedModel {
    ScriptedModel::new(|asked| {
        let text = &asked.messages[1].content;
        match text.split_once("Now write part ").map(|it| &it.1[..1]) {
            Some("1") => said("Find notes by word", true),
            Some("2") => said("Hold the same notes", false),
            _ => said("Export Markdown file of note", true),
        }
    })
}

fn asking(other: ScriptedModel) -> (ParsePrd, Arc<ScriptedModel>) {
    let other = Arc::new(other);
    let escalation =
        Escalation::new(80, vec![Other::new("big".to_owned(), Arc::clone(&other) as _)]);
    (ParsePrd { escalation: Some(Arc::new(escalation)), ..request(3) }, other)
}

#[tokio::test]
async fn only_the_weak_task_is_asked_of_a_larger_model_and_the_better_answer_kept() {
    let before = plan(&small(), &request(3), &|_| ()).await.unwrap();
    let big = ScriptedModel::new(|_| said("Keep the same notes on machines", true));
    let (request, big) = asking(big);
    let model = small();
    let after = plan(&model, &request, &|_| ()).await.unwrap();
    assert_eq!(model.seen().len(), 4, "three tasks, and the weak one again");
    assert_eq!(big.seen().len(), 1);
    let question = &big.seen()[0].messages[1].content.clone();
    assert!(question.contains("Now write part 2") && question.contains("its test"), "{question}");
    assert_eq!(after.tasks[1].title, "Keep the same notes on machines");
    assert_eq!(after.tasks[1].after, before.tasks[1].after);
    assert!(after.tasks[1].details.contains("\n- conflicts keep both versions"));
    assert_eq!((&after.tasks[0], &after.tasks[2]), (&before.tasks[0], &before.tasks[2]));
    assert!(after.uncovered.is_empty());
}

#[tokio::test]
async fn a_title_that_another_task_has_is_not_taken_over() {
    let (request, _) = asking(ScriptedModel::new(|_| said("Find notes by word", true)));
    let after = plan(&small(), &request, &|_| ()).await.unwrap();
    assert_eq!(after.tasks[1].title, "Hold the same notes");
    assert!(after.tasks[1].test_strategy.contains("The note is shown"));
}

#[tokio::test]
async fn a_task_whose_better_title_was_not_taken_still_has_its_own() {
    let model = ScriptedModel::new(|asked| {
        let text = &asked.messages[1].content;
        match text.split_once("Now write part ").map(|it| &it.1[..1]) {
            Some("1") => said("Find notes by word", true),
            Some("2") => said("Hold the same notes", false),
            _ => said("Export Markdown file of note", false),
        }
    });
    let (request, big) = asking(ScriptedModel::new(|asked| {
        let is_second = asked.messages[1].content.contains("Now write part 2");
        // As weak as before, and good under the title of another task.
        said(if is_second { "Keep all of the notes" } else { "Hold the same notes" }, !is_second)
    }));
    let after = plan(&model, &request, &|_| ()).await.unwrap();
    let titles: Vec<&str> = after.tasks.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles[1..], ["Hold the same notes", "Export Markdown file of note"]);
    assert!(after.tasks[2].test_strategy.contains("The note is shown"));
    assert_eq!(big.seen().len(), 2);
}

#[tokio::test]
async fn a_dead_larger_model_leaves_the_plan_as_it_was_and_is_told() {
    let before = plan(&small(), &request(3), &|_| ()).await.unwrap();
    let (request, _) = asking(ScriptedModel::new(|_| Reply::Broken(String::new())));
    let told = Mutex::new(Vec::new());
    let observer = |event| {
        if let Event::Note { text } = event {
            told.lock().unwrap().push(text);
        }
    };
    let after = plan(&small(), &request, &observer).await.unwrap();
    assert_eq!(after.tasks, before.tasks);
    let told = told.into_inner().unwrap();
    assert!(told.iter().any(|it| it.starts_with("warning: what there was is kept")), "{told:?}");
}

#[tokio::test]
async fn a_task_of_a_whole_plan_is_asked_for_alone() {
    let task = |id: u64, title: &str, details: &str| {
        json!({"id": id, "title": title, "description": format!("{title} in the program, fast."),
               "details": details, "testStrategy": format!("{title} and check that it is shown."), "priority": "high",
               "dependencies": if id == 2 { vec![1] } else { vec![] }, "status": "pending"})
    };
    let details = "Find notes by word with SQLite FTS5, answer within 50 ms, conflicts keep both \
                   versions; two machines hold the same notes. See alpha beta gamma delta zeta.";
    let whole = json!({"tasks": [task(1, "Find notes by word", details), task(2, "Export one Markdown file for each note", "Later.")]});
    let model = ScriptedModel::new(move |asked| {
        let is_whole = !asked.messages[1].content.contains("Now write part");
        if is_whole { Reply::Text(whole.to_string()) } else { Reply::Broken(String::new()) }
    });
    let model = model.with_whole_answers();
    let big = ScriptedModel::new(|_| said("Write one Markdown file for each note", true));
    let (request, big) = asking(big.with_whole_answers());
    let plan = plan(&model, &ParsePrd { count: Some(2), ..request }, &|_| ()).await.unwrap();
    let questions: Vec<String> =
        big.seen().into_iter().map(|it| it.messages[1].content.clone()).collect();
    assert!(questions.iter().all(|it| it.contains("Now write part ")), "{questions:?}");
    let second = &plan.tasks[1];
    assert_eq!(second.title, "Write one Markdown file for each note");
    assert_eq!(second.after, [0]);
    assert!(second.details.contains("\n- one Markdown file for each note"), "{}", second.details);
    assert!(!plan.uncovered.iter().any(|it| it.contains("Markdown")), "{:?}", plan.uncovered);
}
