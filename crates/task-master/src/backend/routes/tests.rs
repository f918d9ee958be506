use std::{ffi::OsString, path::PathBuf};

use super::*;

fn config(text: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, text).unwrap();
    Config::load(&path).0
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), value.into()));
    Environment::new(PathBuf::from("/"), None, variables)
}

/// Who is asked, in order.
fn check(models: &str, variables: &[(&str, &str)], role: Role, expected: &str) {
    let config = config(&format!("{{\"models\": {{{models}}}}}"));
    let shown: Vec<String> = routes(&config, &environment(variables), role)
        .unwrap()
        .into_iter()
        .map(|route| match route {
            Route::Embedded { model, instead_of } => {
                let instead_of = instead_of.map(|it| format!(" for {it}")).unwrap_or_default();
                format!("{}{instead_of}", model.as_deref().unwrap_or("engine"))
            }
            Route::Client => "the client".to_owned(),
            Route::Server(it) => {
                let key = if it.key.is_some() { " with key" } else { "" };
                format!("{} at {}{key}", it.model, it.url)
            }
        })
        .collect();
    assert_eq!(shown.join(", "), expected, "{models} {variables:?}");
}

const LM: &str = r#""main": {"provider": "lmstudio", "modelId": "a"}, "research": {"provider": "ollama", "modelId": "b"}"#;
const CLOUD: &str = r#""main": {"provider": "openai", "modelId": "gpt"}, "research": {"provider": "perplexity", "modelId": "sonar"}"#;

#[test]
fn a_model_that_two_servers_have_is_known_by_its_address() {
    let at = |port: u16, model: &str| {
        format!(
            r#"{{"provider": "openai-compatible", "modelId": "{model}", "baseURL": "http://127.0.0.1:{port}/v1"}}"#
        )
    };
    for (research, expected) in [(at(2, "m"), true), (at(2, "n"), false), (at(1, "m"), false)] {
        let models = format!(r#"{{"models": {{"main": {}, "research": {research}}}}}"#, at(1, "m"));
        let (config, environment) = (config(&models), environment(&[]));
        let first = routes(&config, &environment, Role::Main).unwrap().remove(0);
        let Route::Server(server) = first else { panic!("{first:?}") };
        assert_eq!(is_namesake(&config, &environment, &server), expected, "{research}");
    }
}

#[test]
fn the_model_of_a_client_is_nobody_elses() {
    let models = r#""main": {"provider": "mcp", "modelId": "mcp-sampling"}, "research": {"provider": "mcp", "modelId": "mcp-sampling"}, "fallback": {"provider": "embedded", "modelId": "small"}"#;
    for mode in ["local-only", "hybrid", "external"] {
        check(models, &[("TASKMASTER_MODE", mode)], Role::Main, "the client, small");
    }
}

#[test]
fn azure_is_where_the_role_or_the_project_says() {
    let external = [("TASKMASTER_MODE", "external"), ("AZURE_OPENAI_API_KEY", "k")];
    let (role, other) = ("https://a.openai.azure.com", "https://b.openai.azure.com/openai");
    let shown = |url: &str| format!("gpt at {url} with key");
    let roles = |model: &str| {
        ["main", "research", "fallback"].map(|it| format!("\"{it}\": {model}")).join(", ")
    };
    let named =
        roles(&format!(r#"{{"provider": "azure", "modelId": "gpt", "baseURL": "{role}"}}"#));
    check(&named, &external, Role::Main, &shown("https://a.openai.azure.com/openai/v1"));
    check(&named, &[], Role::Main, "engine for azure/gpt");
    let unnamed = roles(r#"{"provider": "azure", "modelId": "gpt"}"#);
    check(&unnamed, &external, Role::Main, "engine for azure/gpt");
    let global = format!(r#"{unnamed}}}, "global": {{"azureBaseURL": "{other}""#);
    check(&global, &external, Role::Main, &shown("https://b.openai.azure.com/openai/v1"));
}

#[test]
fn roles_stand_in_for_each_other() {
    let (lm, ollama) = ("a at http://localhost:1234/v1", "b at http://localhost:11434/api");
    check(LM, &[], Role::Main, &format!("{lm}, {ollama}"));
    check(LM, &[], Role::Research, &format!("{ollama}, {lm}"));
}

#[test]
fn providers_elsewhere_are_answered_by_the_engine_unless_the_mode_says_otherwise() {
    let key = ("OPENAI_API_KEY", "k");
    let instead = "engine for openai/gpt";
    let gpt = "gpt at https://api.openai.com/v1 with key";
    check(CLOUD, &[], Role::Main, instead);
    check(CLOUD, &[key], Role::Main, instead);
    check(CLOUD, &[key, ("TASKMASTER_MODE", "hybrid")], Role::Main, &format!("{instead}, {gpt}"));
    let both = format!("{gpt}, engine for perplexity/sonar");
    check(CLOUD, &[key, ("TASKMASTER_MODE", "external")], Role::Main, &both);
    check(CLOUD, &[("TASKMASTER_MODE", "external")], Role::Main, instead);
    let agent = r#""main": {"provider": "claude-code", "modelId": "opus"}, "research": {"provider": "embedded", "modelId": "q"}"#;
    check(agent, &[], Role::Main, "engine for claude-code/opus, q");
}

#[test]
fn documents_are_read_elsewhere_only_where_nothing_local_is_wanted() {
    let config = config(r#"{"models": {"embedding": {"provider": "openai", "modelId": "e"}}}"#);
    for (mode, is_elsewhere) in [("local-only", false), ("hybrid", false), ("external", true)] {
        let environment = environment(&[("OPENAI_API_KEY", "k"), ("TASKMASTER_MODE", mode)]);
        let route = beside_roles(&config, &environment, config.embedding_model()).unwrap().unwrap();
        assert_eq!(route.is_external(), is_elsewhere, "{mode}");
    }
}

#[test]
fn base_urls_come_from_the_role_then_the_environment_then_the_usual_place() {
    let own = r#""main": {"provider": "openai-compatible", "modelId": "a", "baseUrl": "http://localhost:1/v1"}, "research": {"provider": "embedded", "modelId": "q"}"#;
    let variable = ("OPENAI_COMPATIBLE_BASE_URL", "http://localhost:2/v1");
    check(own, &[variable], Role::Main, "a at http://localhost:1/v1, q");
    let none = own.replace(r#", "baseUrl": "http://localhost:1/v1""#, "");
    check(&none, &[variable], Role::Main, "a at http://localhost:2/v1, q");
    check(&none, &[], Role::Main, "engine for openai-compatible/a, q");
    check(
        &none,
        &[("OPENAI-COMPATIBLE_BASE_URL", "http://localhost:3")],
        Role::Main,
        "a at http://localhost:3, q",
    );
}

#[test]
fn a_host_counts_as_local_when_it_is_listed() {
    let models = r#""main": {"provider": "ollama", "modelId": "a", "baseURL": "http://gpu:11434"}, "research": {"provider": "embedded", "modelId": "q"}"#;
    check(models, &[], Role::Main, "engine for ollama/a, q");
    check(
        models,
        &[("TASKMASTER_LOCAL_HOSTS", "nas, gpu")],
        Role::Main,
        "a at http://gpu:11434/api, q",
    );
    let listed = config(r#"{"global": {"localHosts": ["gpu"]}}"#);
    assert!(guard(&listed, &environment(&[])).check("http://gpu/").is_ok());
    let listed = config(r#"{"global": {"localHosts": "nas,gpu"}}"#);
    assert!(guard(&listed, &environment(&[])).check("http://gpu/").is_ok());
}

#[test]
fn the_environment_names_models() {
    check(
        LM,
        &[("TASKMASTER_MODEL_MAIN", "c")],
        Role::Main,
        "c at http://localhost:1234/v1, b at http://localhost:11434/api",
    );
    let asked =
        "tiny for lmstudio/a, a at http://localhost:1234/v1, b at http://localhost:11434/api";
    check(LM, &[("TASKMASTER_MODEL", "tiny")], Role::Main, asked);
    let wrong =
        routes(&Config::default(), &environment(&[("TASKMASTER_MODE", "cloudy")]), Role::Main);
    assert_eq!(wrong.unwrap_err().message, "there is no mode \"cloudy\"");
}

#[test]
fn a_model_at_several_addresses_is_one_that_shares_its_work() {
    let main = r#""main": {"provider": "lmstudio", "modelId": "a", "concurrency": 4, "contextWindow": 8192,
                  "alsoAt": ["http://127.0.0.1:2/v1", "http://elsewhere/v1"]}"#;
    let config = config(&format!("{{\"models\": {{{main}}}}}"));
    let found = routes(&config, &environment(&[]), Role::Main).unwrap();
    let servers: Vec<_> = found
        .iter()
        .filter_map(|route| match route {
            Route::Server(it) => {
                assert_eq!(it.context_window, Some(8192));
                Some((it.url.as_str(), it.is_copy, it.limit))
            }
            Route::Embedded { .. } | Route::Client => None,
        })
        .collect();
    let expected =
        [("http://localhost:1234/v1", false, Some(4)), ("http://127.0.0.1:2/v1", true, Some(4))];
    assert_eq!(servers[..2], expected, "what is not local is not asked");
    assert!(servers.iter().all(|(url, _, _)| !url.contains("elsewhere")));
}

/// Who is asked about weak tasks, in order.
#[track_caller]
fn check_ladder(models: &str, variables: &[(&str, &str)], bigger: Option<&str>, expected: &str) {
    let config = config(&format!("{{\"models\": {{{models}}}}}"));
    let ladder = ladder(&config, &environment(variables), Role::Main, bigger).unwrap();
    let shown: Vec<String> = ladder
        .into_iter()
        .map(|route| match route {
            Route::Embedded { model, .. } => model.unwrap_or_else(|| "engine".to_owned()),
            Route::Client => "the client".to_owned(),
            Route::Server(it) => it.model,
        })
        .collect();
    assert_eq!(shown.join(", "), expected, "{models} {variables:?}");
}

#[test]
fn weak_tasks_are_asked_of_larger_models_here_and_then_of_those_elsewhere_that_may_be_asked() {
    let all = [
        ("OPENAI_API_KEY", "k"),
        ("PERPLEXITY_API_KEY", "k"),
        ("ANTHROPIC_API_KEY", "k"),
        ("TASKMASTER_MODE", "hybrid"),
    ];
    let (keys, hybrid) = (&all[..3], &all[..]);
    let escalating = |to: &str| format!("{LM}, \"escalation\": {to}");
    let (near, own, far) = (
        escalating(r#"{"provider": "ollama", "modelId": "big"}"#),
        escalating(r#"{"provider": "lmstudio", "modelId": "a"}"#),
        escalating(r#"{"provider": "anthropic", "modelId": "claude"}"#),
    );
    // Nothing is there, nothing is named.
    check_ladder(LM, keys, None, "");
    check_ladder(LM, keys, Some("large"), "large");
    // What is named comes in place of what is found.
    check_ladder(&near, keys, Some("large"), "big");
    check_ladder(&own, keys, None, "");
    // What is elsewhere is asked where the mode allows it and its key is set, after what is here.
    check_ladder(&far, keys, Some("large"), "large");
    check_ladder(&far, &all[3..], Some("large"), "large");
    check_ladder(&far, hybrid, Some("large"), "large, claude");
    check_ladder(CLOUD, keys, Some("large"), "large");
    check_ladder(CLOUD, hybrid, Some("large"), "large, gpt, sonar");
    // Who answered is not asked again.
    let external = [("OPENAI_API_KEY", "k"), ("TASKMASTER_MODE", "external")];
    let only = r#""main": {"provider": "openai", "modelId": "gpt"}, "research": {"provider": "openai", "modelId": "gpt"}, "fallback": {"provider": "openai", "modelId": "gpt"}"#;
    check_ladder(only, &external, None, "");
    let more = format!("{only}, \"escalation\": {{\"provider\": \"openai\", \"modelId\": \"o\"}}");
    check_ladder(&more, &external, None, "o");
}
