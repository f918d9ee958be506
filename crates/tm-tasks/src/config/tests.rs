//! Lenient reading, faithful writing.

use std::fs;

use super::*;

#[track_caller]
fn model(role: Role, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, text).unwrap();
    let (config, warning) = Config::load(&path);
    assert_eq!(warning, None);
    config.model(role).map_or("none".into(), |it| {
        let url = it.base_url.unwrap_or_default();
        format!("{}/{} {:?} {:?} {url}", it.provider, it.model_id, it.max_tokens, it.temperature)
    })
}

#[test]
fn a_role_reads_what_people_write() {
    let main =
        |it: &str| model(Role::Main, &format!("\u{feff}{{\"models\":{{\"main\":{it}}}}}\r\n"));
    assert_eq!(
        main(
            r#"{"provider":"ollama","modelId":"q","maxTokens":8192,"temperature":0,"baseURL":"u"}"#
        ),
        "ollama/q Some(8192) Some(0.0) u"
    );
    assert_eq!(
        main(
            r#"{"provider":"x","modelId":"q","maxTokens":"90","temperature":"0.5","baseUrl":"u"}"#
        ),
        "x/q Some(90) Some(0.5) u"
    );
    assert_eq!(main(r#"{"provider":"x","modelId":"q"}"#), "x/q None None ");
}

#[test]
fn a_role_that_is_not_there_falls_back() {
    for text in ["{}", r#"{"models":{"main":{"provider":"x"},"fallback":7}}"#, r#"{"models":null}"#]
    {
        assert_eq!(
            model(Role::Main, text),
            "anthropic/claude-sonnet-4-20250514 Some(64000) Some(0.2) "
        );
        assert_eq!(model(Role::Research, text), "perplexity/sonar Some(8700) Some(0.1) ");
        assert_eq!(model(Role::Fallback, text), "none");
    }
}

#[test]
fn settings_fall_back_one_by_one() {
    let defaults = Config::default().globals();
    assert_eq!((defaults.default_num_tasks, defaults.default_subtasks), (10, 5));
    assert_eq!((defaults.default_priority, defaults.default_tag), (Priority::Medium, None));
    let text =
        r#"{"global":{"defaultNumTasks":"12","defaultTag":"v2","debug":"yes","projectName":null}}"#;
    let config = Config { document: Record::parse(text).unwrap() };
    let globals = config.globals();
    assert_eq!(globals.default_num_tasks, 12);
    assert_eq!(globals.default_tag.as_deref(), Some("v2"));
    assert_eq!((globals.debug, &*globals.project_name), (false, "Task Master"));
    assert_eq!(globals.response_language, "English");
}

#[test]
fn what_cannot_be_used_is_a_warning_and_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let load = || {
        let (config, warning) = Config::load(&path);
        assert_eq!(config, Config::default());
        warning.unwrap().to_string().replace(&*path.to_string_lossy(), "config.json")
    };
    assert_eq!(load(), "config.json does not exist");
    fs::write(&path, "{\n  oops\n}").unwrap();
    assert_eq!(load(), "config.json is not a JSON object: key must be a string at line 2 column 3");
    fs::write(&path, "[]").unwrap();
    assert!(load().starts_with("config.json is not a JSON object: it is another value"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(load().starts_with("config.json cannot be read: "));
}

#[test]
fn a_change_touches_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let text = r#"{
  "custom": 1.10,
  "models": {
    "main": {
      "modelId": "old",
      "note": "kept",
      "provider": "x",
      "baseURL": "gone"
    },
    "other": [
      1e3
    ]
  },
  "storage": {
    "type": "file"
  }
}"#;
    fs::write(&path, text).unwrap();
    let model = RoleModel {
        provider: "ollama".into(),
        model_id: "q".into(),
        max_tokens: Some(8192),
        temperature: Some(0.2),
        base_url: None,
    };
    Config::change(&path, |it| it.set_model(Role::Main, &model)).unwrap();
    Config::change(&path, |it| it.set_global("responseLanguage", &json!("Deutsch"))).unwrap();
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
    {
      "custom": 1.10,
      "models": {
        "main": {
          "modelId": "q",
          "note": "kept",
          "provider": "ollama",
          "maxTokens": 8192,
          "temperature": 0.2
        },
        "other": [
          1e3
        ]
      },
      "storage": {
        "type": "file"
      },
      "global": {
        "responseLanguage": "Deutsch"
      }
    }
    "#);
    let (config, _) = Config::load(&path);
    assert_eq!(config.model(Role::Main), Some(model));
}

#[test]
fn a_new_configuration_has_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".taskmaster/config.json");
    Config::change(&path, |_| {}).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, serde_json::to_string_pretty(&defaults()).unwrap());
    let (config, warning) = Config::load(&path);
    assert_eq!((config.globals(), warning), (Config::default().globals(), None));
}

#[test]
fn a_project_that_an_agent_made_names_the_models_it_used_to_have_then() {
    let config = Config::of_agents();
    let id = |role| config.model(role).map(|it| it.model_id);
    assert_eq!(id(Role::Main).as_deref(), Some("claude-3-7-sonnet-20250219"));
    assert_eq!(id(Role::Research).as_deref(), Some("sonar-pro"));
    assert_eq!(id(Role::Fallback), id(Role::Main));
    assert_eq!(config.globals().default_tag.as_deref(), Some("master"));
    assert_eq!(config.globals().project_name, "Taskmaster");
    let storage = config.document.get("storage");
    assert_eq!((config.globals().default_num_tasks, storage), (10, None));
}

#[test]
fn what_does_not_parse_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, "{ mine").unwrap();
    let error = Config::change(&path, |_| {}).unwrap_err();
    assert!(matches!(error, ConfigError::Unusable(ConfigWarning::NotAnObject { .. })), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ mine");
}
