use tm_llm::chat::Usage;

use super::*;

fn spent(provider: &str, model: &str) -> Spent {
    let usage = Usage { prompt_tokens: 900, completion_tokens: 300, ..Usage::default() };
    Spent { provider: provider.to_owned(), model: model.to_owned(), answers: 1, usage }
}

#[test]
fn what_one_model_did_is_told_with_its_name() {
    let told = data("add-task", Timestamp::now(), &[spent("ollama", "some-model")]);
    assert_eq!(told["modelUsed"], "some-model");
    assert_eq!(told["providerName"], "ollama");
    assert_eq!(told["totalTokens"], 1200);
    assert_eq!(told["isUnknownCost"], true);
}

#[test]
fn several_models_are_told_as_multiple_and_none_as_null() {
    let both = [spent("ollama", "a"), spent("ollama", "b")];
    let told = data("expand-all", Timestamp::now(), &both);
    assert_eq!(told["modelUsed"], "Multiple");
    assert_eq!(told["providerName"], "ollama");
    assert_eq!(told["inputTokens"], 1800);
    assert_eq!(data("expand-all", Timestamp::now(), &[]), Value::Null);
}
