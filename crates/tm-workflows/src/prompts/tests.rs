use serde_json::json;

use super::*;

#[test]
fn a_missing_variable_is_an_error_and_not_an_empty_word() {
    let error = render(PARSE_PRD_DETAIL, json!({"parts": ["Build"]})).unwrap_err();
    assert!(error.to_string().contains("parse_prd/detail"), "{error}");
}

#[test]
fn the_detail_prompt_shows_the_plan_and_the_requirements_of_the_task() {
    let mut variables = json!({
        "parts": ["Store: notes are kept", "Search: finds notes"],
        "number": 2,
        "requirements": ["finds notes by word", "answers within 50 ms"],
        "step": 1,
        "steps": 1,
        "documents": "",
        "again": false,
    });
    let text = render(PARSE_PRD_DETAIL, variables.clone()).unwrap();
    assert!(text.contains("1. Store: notes are kept\n2. Search: finds notes\n"), "{text}");
    assert!(text.ends_with("\n- finds notes by word\n- answers within 50 ms"), "{text}");
    assert!(text.contains("Now write part 2 as a task."), "{text}");
    assert!(text.contains("Such checks are {"), "{text}");
    variables["again"] = json!(true);
    let again = render(PARSE_PRD_DETAIL, variables).unwrap();
    assert!(!again.contains("Such checks are"), "a copied example is not shown again: {again}");
}

#[test]
fn text_from_documents_is_not_escaped_or_interpreted() {
    let text = render(PARSE_PRD_DOCUMENT, json!({"document": "a < b && {{ secret }}"})).unwrap();
    assert!(text.contains("a < b && {{ secret }}"), "{text}");
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn a_prompt_of_the_project_takes_the_place_of_ours() {
    let folder = folder(&[
        ("parse_prd/document.md", "Read this: {{ document }}"),
        ("readme.txt", "not a prompt"),
    ]);
    let own = Prompts::read(folder.path()).unwrap();
    let text = own.render(PARSE_PRD_DOCUMENT, json!({"document": "a < b"})).unwrap();
    assert_eq!(text, "Read this: a < b");
    let variables = json!({"language": "English", "form": "JSON"});
    let [own_system, our_system] =
        [&own, &OURS].map(|it| it.render(ASKING_SYSTEM, &variables).unwrap());
    assert_eq!(own_system, our_system);
    assert_ne!(own.version(), OURS.version(), "work under other words is other work");
}

#[test]
fn a_project_without_prompts_has_ours() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Prompts::read(&folder.path().join("none")).unwrap(), OURS);
}

#[test]
fn a_prompt_that_would_not_work_is_an_error_that_says_why() {
    let error = |name: &str, text: &str| {
        let folder = folder(&[(name, text)]);
        let error = Prompts::read(folder.path()).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "")
    };
    assert_eq!(
        error("parse_prd/document.md", "{{ document }} {{ author }}"),
        "/parse_prd/document.md has a variable author, and what there is is document"
    );
    assert_eq!(
        error("expandd.md", "Divide."),
        "there is no prompt expandd that /expandd.md could take the place of"
    );
    assert_eq!(
        error("loop/frame.md", "Go on."),
        "there is no prompt loop/frame that /loop/frame.md could take the place of"
    );
    assert!(error("expand.md", "{% if task %}").contains("/expand.md is no template: "));
    let unreadable = folder(&[]);
    std::fs::write(unreadable.path().join("expand.md"), [0xff, 0xfe]).unwrap();
    let error = Prompts::read(unreadable.path()).unwrap_err();
    assert!(matches!(error, PromptError::Unreadable { .. }), "{error}");
}

#[test]
fn every_prompt_of_ours_may_be_replaced_by_itself() {
    let files: Vec<(String, &str)> =
        REPLACEABLE.iter().map(|it| (format!("{}.md", it.name), it.text)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|it| (it.0.as_str(), it.1)).collect();
    assert_eq!(Prompts::read(folder(&files).path()).unwrap().own.len(), REPLACEABLE.len());
}
