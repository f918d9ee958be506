use std::sync::Mutex;

use tm_tasks::document::TaskFile;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::asking::fixture::asking;

const FILE: &str = r#"{"master": {"tasks": [
  {"id": 1, "title": "Search notes", "description": "Find by word", "subtasks": [{"id": 1, "title": "Rank hits"}]},
  {"id": 2, "title": "Cache pages", "description": "Keep rendered pages"},
  {"id": 3, "title": "Draw the logo", "description": "A pencil"}
]}}"#;

fn tasks() -> Vec<Task> {
    TaskFile::parse(FILE).unwrap().tag("master").unwrap().tasks().to_vec()
}

fn request() -> Research {
    Research {
        query: "How to cache pages? ".into(),
        named: vec!["1.1".parse().unwrap()],
        files: vec![SourceFile { path: "src/cache.rs".into(), text: "fn cache() {}".into() }],
        custom: Some("We have 1 GB.".into()),
        tree: Some("src/\n  cache.rs".into()),
        detail: Detail::Low,
        earlier: Vec::new(),
        documents: Documents::default(),
    }
}

#[tokio::test]
async fn what_belongs_to_the_question_is_told_and_counted() {
    let model = ScriptedModel::playing([Reply::Text(" Use a map.\n".into())]);
    let pieces = Mutex::new(String::new());
    let observer = |event| {
        if let Event::Text { text } = event {
            pieces.lock().unwrap().push_str(&text);
        }
    };
    let asking = Asking { observer: &observer, language: "French", ..asking(&model) };
    let researched = research(asking, &tasks(), &request()).await.unwrap();
    assert_eq!(
        (researched.answer.as_str(), pieces.lock().unwrap().as_str()),
        (
            format!("Use a map.\n\n{NO_DOCUMENTS}").as_str(),
            format!(" Use a map.\n\n\n{NO_DOCUMENTS}").as_str()
        )
    );

    let seen = model.seen();
    let [system, user] = [&seen[0].messages[0].content, &seen[0].messages[1].content];
    assert!(system.contains("in French") && system.contains("one short paragraph"), "{system}");
    for part in [
        "We have 1 GB.",
        "src/cache.rs",
        "fn cache() {}",
        "src/\n  cache.rs",
        "Rank hits",
        "Cache pages",
    ] {
        assert!(user.contains(part), "{part} is not in {user}");
    }
    assert!(user.ends_with("How to cache pages?\n\nÉcris tous les textes en français."), "{user}");
    assert_eq!((seen[0].max_tokens, seen[0].response_schema.clone()), (400, None));

    let told = researched.told.to_json();
    let named: Vec<&Value> = told["tasks"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(named, ["1.1", "2"]);
    assert_eq!(
        (&told["tasks"][0]["type"], &told["files"][0]["path"]),
        (&json!("subtask"), &json!("src/cache.rs"))
    );
    assert_eq!(told["tasks"][0]["parentTitle"], "Search notes");
    assert_eq!(told["tasks"][1].get("parentTitle"), None);
    let sum: u64 =
        told["tasks"].as_array().unwrap().iter().map(|it| it["tokens"].as_u64().unwrap()).sum();
    let sum = sum
        + told["files"][0]["tokens"].as_u64().unwrap()
        + told["customContext"]["tokens"].as_u64().unwrap()
        + told["projectTree"]["tokens"].as_u64().unwrap();
    assert_eq!(told["total"], sum);
}

#[tokio::test]
async fn a_question_alone_is_nothing_but_the_question() {
    let model = ScriptedModel::playing([Reply::Text("Yes.".into())]);
    let request = Research { query: "Is SQLite enough?".into(), ..Research::default() };
    let researched = research(asking(&model), &[], &request).await.unwrap();
    assert_eq!(model.seen()[0].messages[1].content, "Is SQLite enough?");
    assert_eq!(
        researched.told.to_json(),
        json!({
            "total": 0, "customContext": null, "tasks": [], "files": [], "projectTree": null,
        })
    );
}

#[tokio::test]
async fn a_follow_up_comes_after_what_was_said() {
    let model = ScriptedModel::playing([Reply::Text("Yes.".into())]);
    let earlier = vec![Exchange { query: "How?".into(), answer: "Like this.".into() }];
    let request = Research { query: "Why?".into(), earlier, ..Research::default() };
    research(asking(&model), &[], &request).await.unwrap();
    let said: Vec<String> =
        model.seen()[0].messages.iter().skip(1).map(|it| it.content.clone()).collect();
    assert_eq!(said, ["How?", "Like this.", "Why?"]);
}

#[tokio::test]
async fn what_is_too_long_is_an_error_that_says_by_how_much() {
    let model = ScriptedModel::new(|_| Reply::Stall).with_context(1000);
    let request = Research { custom: Some("word ".repeat(2000)), ..request() };
    let error = research(asking(&model), &tasks(), &request).await.unwrap_err();
    assert!(
        matches!(error, AskError::Text(BackendError::ContextOverflow { limit: 1000, .. })),
        "{error}"
    );
    assert!(model.seen().is_empty());
}

#[tokio::test]
async fn a_model_that_fails_gives_an_error() {
    for reply in [Reply::Text("  ".into()), Reply::Broken("Use".into()), Reply::Overflow] {
        let model = ScriptedModel::playing([reply]);
        let error = research(asking(&model), &tasks(), &request()).await.unwrap_err();
        assert!(matches!(error, AskError::Text(_)), "{error}");
    }
}

#[test]
fn levels_of_detail_are_read_and_others_named() {
    for detail in [Detail::Low, Detail::Medium, Detail::High] {
        assert_eq!(detail.as_str().parse(), Ok(detail));
    }
    let error = "deep".parse::<Detail>().unwrap_err();
    assert_eq!(error.to_string(), "`deep` is not a level of detail: use low, medium or high");
}
