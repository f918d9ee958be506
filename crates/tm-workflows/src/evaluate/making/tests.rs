use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::evaluate::fixture::notes;

#[tokio::test]
async fn a_model_that_says_nothing_makes_no_plan() {
    for reply in [Reply::Text(String::new()), Reply::Text(json!({"no": 1}).to_string())] {
        let model = ScriptedModel::new(move |_| reply.clone());
        let plan = make_plan(&model, &notes(), Duration::from_mins(1), &|_| ()).await;
        assert!(plan.is_err());
    }
}

#[tokio::test]
async fn a_plan_is_asked_for_in_the_language_of_the_baseline() {
    let model = ScriptedModel::new(|_| Reply::Text(String::new()));
    let pair = Pair { plan_language: Some("ko".to_owned()), ..notes() };
    drop(make_plan(&model, &pair, Duration::from_mins(1), &|_| ()).await);
    assert!(model.seen()[0].messages[0].content.contains("Korean"));
}
