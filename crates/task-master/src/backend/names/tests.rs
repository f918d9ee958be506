use std::path::PathBuf;

use super::*;

const MODELS: &str = r#"
    "main": {"provider": "anthropic", "modelId": "claude-sonnet-4-20250514"},
    "research": {"provider": "perplexity", "modelId": "sonar"},
    "fallback": {"provider": "ollama", "modelId": "qwen3:14b"}"#;

fn names(models: &str) -> Result<Names, Advice> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, format!("{{\"models\": {{{models}}}}}")).unwrap();
    let environment = Environment::new(PathBuf::from("/"), None, std::iter::empty());
    let players = [(Role::Main, "qwen-coder".to_owned()), (Role::Fallback, "qwen3:14b".to_owned())];
    Names::new(&Config::load(&path).0, &environment, &players)
}

/// Who answers to a name in a project with these models.
#[track_caller]
fn check(models: &str, asked: &str, role: Role, reason: &str) {
    let (found, why) = names(models).unwrap().role(asked);
    assert_eq!((found, why.as_str()), (role, reason), "{asked}");
}

#[test]
fn every_name_has_an_answer_and_says_why() {
    check(MODELS, "research", Role::Research, "role");
    check(MODELS, "Fallback:latest", Role::Fallback, "role");
    check(MODELS, "claude-sonnet-4-20250514", Role::Main, "configured");
    check(MODELS, "sonar", Role::Research, "configured");
    check(MODELS, "qwen-coder", Role::Main, "plays");
    check(MODELS, "ollama/qwen3:14b", Role::Fallback, "plays");
    check(MODELS, "sonar-pro", Role::Research, "searches");
    check(MODELS, "perplexity/sonar-reasoning", Role::Research, "searches");
    check(MODELS, "gpt-4o", Role::Main, "default");
    check(MODELS, "anthropic/claude-opus-4", Role::Main, "default");
    check(MODELS, "", Role::Main, "default");
}

#[test]
fn a_project_says_who_answers_to_a_name() {
    let pins =
        format!("{MODELS}, \"names\": {{\"gpt-4o-mini\": \"fallback\", \"sonar\": \"main\"}}");
    check(&pins, "openai/GPT-4o-mini", Role::Fallback, "pinned");
    check(&pins, "sonar", Role::Main, "pinned");
    check(&pins, "gpt-4o", Role::Main, "default");
    for wrong in ["\"names\": {\"a\": \"boss\"}", "\"names\": [\"a\"]"] {
        assert!(names(wrong).unwrap_err().to_string().contains(['a', 'n']), "{wrong}");
    }
}

#[test]
fn a_name_is_listed_once() {
    let main = r#""main": {"provider": "lmstudio", "modelId": "qwen-coder"}"#;
    let names = names(main).unwrap();
    let listed: Vec<&str> = names.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(listed[..4], ["main", "research", "fallback", "qwen-coder"]);
    assert_eq!(listed.iter().filter(|it| **it == "qwen-coder").count(), 1);
}

#[test]
fn models_that_search_are_told_from_those_that_do_not() {
    assert!(is_search_model("sonar-pro") && is_search_model("perplexity/sonar"));
    assert!(!is_search_model("gpt-4o") && !is_search_model("claude-sonnet-4"));
}
