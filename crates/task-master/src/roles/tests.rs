use std::fs;

use tm_llm::egress::guard::Guard;
use tm_tasks::{
    config::{Config, Role},
    project::Project,
};

use super::{SetModelError, Wanted, known, set_model};

fn project(config: &str) -> (tempfile::TempDir, Project) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".taskmaster")).unwrap();
    fs::write(directory.path().join(".taskmaster/config.json"), config).unwrap();
    let project = Project::at(directory.path());
    (directory, project)
}

async fn set(
    project: &Project,
    id: &str,
    provider: Option<&str>,
    base_url: Option<&str>,
) -> Result<String, SetModelError> {
    let wanted = Wanted { role: Role::Main, model_id: id, provider, base_url };
    set_model(project, &Guard::default(), wanted).await?;
    let model = Config::load(&project.config_file()).0.model(Role::Main).unwrap();
    let tokens = model.max_tokens.unwrap();
    Ok(format!("{}/{} {tokens} {}", model.provider, id, model.base_url.as_deref().unwrap_or("-")))
}

#[test]
fn the_known_models_can_be_read() {
    let models = known::models();
    assert!(models.len() > 100, "{}", models.len());
    for model in &models {
        assert!(
            model.roles().all(|it| ["main", "research", "fallback"].contains(&it)),
            "{model:?}"
        );
        assert!(model.max_tokens > 0, "{model:?}");
    }
}

#[tokio::test]
async fn a_role_takes_a_model() {
    const LOCAL: &str = "qwen2.5-coder-1.5b-instruct-q4_k_m";
    const URL: &str = "http://127.0.0.1:9/v1";
    let cases = [
        ("gpt-4o", None, None, "openai/gpt-4o 16384 -"),
        ("gpt-4o", Some("azure"), Some(URL), "azure/gpt-4o 16384 http://127.0.0.1:9/v1"),
        ("sonnet", None, None, "claude-code/sonnet 64000 -"),
        ("mine", Some("vertex"), None, "vertex/mine 777 -"),
        ("mine", Some("lmstudio"), None, "lmstudio/mine 777 http://localhost:1234/v1"),
        (
            "mine",
            Some("openai-compatible"),
            Some(URL),
            "openai-compatible/mine 777 http://127.0.0.1:9/v1",
        ),
        (LOCAL, None, None, "embedded/qwen2.5-coder-1.5b-instruct-q4_k_m 777 -"),
        ("models/mine.gguf", None, None, "embedded/models/mine.gguf 777 -"),
    ];
    for (id, provider, base_url, expected) in cases {
        let (_directory, project) = project(
            r#"{"models":{"main":{"provider":"xai","modelId":"grok","maxTokens":777,"baseURL":"http://old"}}}"#,
        );
        assert_eq!(set(&project, id, provider, base_url).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn the_address_stays_while_the_provider_does() {
    let config =
        r#"{"models":{"main":{"provider":"lmstudio","modelId":"a","baseURL":"http://b"}}}"#;
    let (_directory, project) = project(config);
    let set = set(&project, "c", Some("lmstudio"), None).await.unwrap();
    assert_eq!(set, "lmstudio/c 64000 http://b");
}

#[tokio::test]
async fn what_a_role_cannot_take_changes_nothing() {
    let cases = [
        (" ", None, None, "a model needs a name"),
        ("nobody", None, None, "nobody here knows"),
        ("mine", Some("openai-compatible"), None, "needs the address"),
        ("mine", Some("azure"), None, "needs the address"),
        ("mine", Some("ollama"), Some("http://127.0.0.1:9/api"), "cannot be asked"),
    ];
    for (id, provider, base_url, expected) in cases {
        let (_directory, project) = project("{}");
        let error = set(&project, id, provider, base_url).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(fs::read_to_string(project.config_file()).unwrap(), "{}");
    }
}

#[tokio::test]
async fn a_project_without_a_configuration_or_with_a_broken_one_gets_none() {
    let directory = tempfile::tempdir().unwrap();
    let error = set(&Project::at(directory.path()), "gpt-4o", None, None).await.unwrap_err();
    assert!(matches!(error, SetModelError::NoConfig { .. }), "{error}");
    let (_directory, project) = project("{ broken");
    let error = set(&project, "gpt-4o", None, None).await.unwrap_err();
    assert!(matches!(error, SetModelError::Config(_)), "{error}");
}
