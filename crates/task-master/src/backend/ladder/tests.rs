use serde_json::json;

use super::*;

fn config(value: &serde_json::Value) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, value.to_string()).unwrap();
    Config::load(&path).0
}

#[test]
fn what_tasks_are_to_reach_is_said_now_or_by_the_project_or_by_nobody() {
    let check = |said: serde_json::Value, asked: Option<u8>, expected: Option<Option<u8>>| {
        let config = config(&json!({"global": {"escalateBelow": said}}));
        assert_eq!(minimum(&config, asked).ok(), expected, "{said} {asked:?}");
    };
    assert_eq!(minimum(&config(&json!({})), None).ok(), Some(None));
    assert_eq!(minimum(&config(&json!({})), Some(70)).ok(), Some(Some(70)));
    check(json!(60), None, Some(Some(60)));
    check(json!("60"), None, Some(Some(60)));
    check(json!(60), Some(80), Some(Some(80)));
    for wrong in [json!(0), json!(101), json!(-1), json!("good"), json!([60]), json!(0.5)] {
        check(wrong, None, None);
    }
}

#[test]
fn the_largest_model_that_fits_beside_the_one_that_answers_is_taken() {
    let catalogue = Catalogue::builtin().unwrap();
    let mut models: Vec<&Model> = catalogue
        .models()
        .iter()
        .filter(|it| it.roles.contains(&tm_llm::catalogue::Role::Main))
        .collect();
    models.sort_by_key(|it| it.memory_mib);
    let [small, .., large] = models.as_slice() else { panic!("too few models") };
    let id = |found: Option<&Model>| found.map(|it| it.id.clone());
    let both = small.memory_mib + large.memory_mib;
    assert_eq!(id(largest(&models, small, both)), Some(large.id.clone()));
    assert_ne!(id(largest(&models, small, both - 1)), Some(large.id.clone()));
    assert_eq!(id(largest(&models, large, u64::MAX)), None, "none is larger");
    assert_eq!(id(largest(&[small], small, u64::MAX)), None);
    assert_eq!(id(largest(&models, small, 0)), None);
    // What only makes vectors writes no tasks.
    let embedder = catalogue.default_embedder().unwrap();
    assert_eq!(
        id(largest(&[embedder], &Model { memory_mib: 0, ..(*small).clone() }, u64::MAX)),
        None
    );
}
