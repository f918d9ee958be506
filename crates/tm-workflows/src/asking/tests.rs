use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::prompts::OURS;

fn asking<'a>(backend: &'a ScriptedModel, language: &'a str) -> Asking<'a> {
    Asking {
        backend,
        language,
        prompts: &OURS,
        timeout: Duration::from_mins(1),
        observer: &|_| (),
        documents: None,
        escalation: None,
    }
}

fn question() -> Question {
    Question {
        text: "How many?".into(),
        schema: object(&json!({"count": {"type": "integer", "maximum": 3}})),
        accepted: json!({"type": "object", "required": ["count"]}),
        temperature: 0.0,
        max_tokens: 20,
    }
}

#[tokio::test]
async fn an_answer_that_says_more_than_was_asked_for_is_taken() {
    let model = ScriptedModel::playing([Reply::Text(r#"{"count": 7, "why": "so"}"#.into())]);
    let spent = Spent::default();
    let answer = asking(&model, "English").object(question(), &spent, Ok).await.unwrap();
    assert_eq!(answer.value["count"], 7);
    assert_eq!(model.seen()[0].response_schema, Some(question().schema));
    assert!(spent.usage().completion_tokens > 0);
}

#[tokio::test]
async fn an_answer_of_another_shape_is_asked_for_again_once() {
    let wrong = || Reply::Text(r#"{"nothing": "here"}"#.into());
    let model = ScriptedModel::playing([wrong(), wrong()]);
    let error =
        asking(&model, "English").object(question(), &Spent::default(), Ok).await.unwrap_err();
    assert!(matches!(error, AskError::Object(StructuredError::Invalid { .. })), "{error}");
    assert_eq!(model.seen().len(), 2);
}

#[tokio::test]
async fn texts_are_asked_for_in_the_language_of_the_project() {
    let model = ScriptedModel::playing([Reply::Text(" Ja. \n".into()), Reply::Text(" ".into())]);
    let spent = Spent::default();
    let asking = asking(&model, "German");
    assert_eq!(asking.text("Ready?".into(), 20, &spent).await.unwrap(), "Ja.");
    assert!(model.seen()[0].messages[0].content.ends_with("is written in German."));
    let error = asking.text("Ready?".into(), 20, &spent).await.unwrap_err();
    assert!(matches!(error, AskError::Text(BackendError::EmptyAnswer { .. })), "{error}");
}
