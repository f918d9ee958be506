use super::*;

#[test]
fn base_urls_are_completed() {
    for (name, given, expected) in [
        ("ollama", "http://localhost:11434", "http://localhost:11434/api"),
        ("ollama", "http://localhost:11434/api/", "http://localhost:11434/api"),
        ("ollama", "http://localhost:11434/v1", "http://localhost:11434/api"),
        ("lmstudio", "http://localhost:1234", "http://localhost:1234/v1"),
        ("lmstudio", "http://localhost:1234/v1/", "http://localhost:1234/v1"),
        ("azure", "https://me.openai.azure.com/", "https://me.openai.azure.com/openai/v1"),
        ("azure", "https://me.openai.azure.com/openai", "https://me.openai.azure.com/openai/v1"),
        ("azure", "https://me.openai.azure.com/openai/v1", "https://me.openai.azure.com/openai/v1"),
        ("openai-compatible", "http://localhost:8080", "http://localhost:8080"),
    ] {
        assert_eq!(find(name).unwrap().base_url(given), expected);
    }
}

#[test]
fn names_and_keys_are_told_apart() {
    let mut names: Vec<&str> = PROVIDERS.iter().map(|it| it.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PROVIDERS.len());
    assert!(PROVIDERS.iter().all(|it| it.key_variable.ends_with("_API_KEY")));
    assert_eq!(find("claude-code"), None);
}
