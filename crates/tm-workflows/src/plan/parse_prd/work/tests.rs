use std::{path::Path, sync::Mutex};

use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::{
    event::Event,
    plan::parse_prd::tests::{PRD, request, working},
    research::{Documents, library::Library, sources::SourceFile},
};

const STORE: &str =
    "# Search\n\nNotes are found by word with SQLite FTS5 and porter stems. The logo is blue.\n";

fn documents(files: &[(&str, &str)]) -> Documents {
    let file =
        |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into() };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let library = Library::of_files(Path::new("/project"), &files).unwrap();
    Documents { libraries: vec![library], abstains: true }
}

/// What the model is asked about each part, and what the user is told.
async fn asked(model: &ScriptedModel, documents: Option<Documents>) -> (Vec<String>, Vec<String>) {
    let told = Mutex::new(Vec::new());
    let observer = |event| {
        if let Event::Note { text } = event {
            told.lock().unwrap().push(text);
        }
    };
    let request = ParsePrd { documents, ..request(3) };
    // What a model makes of the questions is not looked at.
    drop(crate::plan::parse_prd::plan(model, &request, &observer).await);
    let questions = model.seen().iter().map(|it| it.messages[1].content.clone()).collect();
    (questions, told.into_inner().unwrap())
}

#[tokio::test]
async fn each_part_is_told_what_other_documents_say_about_it_and_nothing_else() {
    let files = [("docs/store.md", STORE), ("docs/prd.md", PRD)];
    let (questions, told) = asked(&working(), Some(documents(&files))).await;
    let about = |part: &str| questions.iter().find(|it| it.contains(part)).unwrap();
    let quoted =
        "- docs/store.md:1-3: “Notes are found by word with SQLite FTS5 and porter stems.”";
    assert!(about("Now write part 1 ").contains(quoted), "{}", about("Now write part 1 "));
    assert!(
        !about("Now write part 3 ").contains("From documents"),
        "{}",
        about("Now write part 3 ")
    );
    // The document itself is not quoted to the model that reads it.
    assert!(!questions.iter().any(|it| it.contains("- docs/prd.md")), "{questions:?}");
    assert_eq!(told, ["looked up in docs/store.md:1-3"]);
}

#[tokio::test]
async fn a_plan_without_research_is_asked_for_as_before() {
    let (with, _) =
        asked(&working(), Some(documents(&[("docs/bread.md", "Bread is baked.\n")]))).await;
    let (without, told) = asked(&working(), None).await;
    let sorted = |mut questions: Vec<String>| {
        questions.sort();
        questions
    };
    assert_eq!(sorted(with), sorted(without));
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn a_model_that_is_trusted_with_the_whole_plan_is_told_all_of_it() {
    let model = ScriptedModel::new(|_| Reply::Text(json!({"tasks": []}).to_string()));
    let model = model.with_whole_answers();
    let (questions, _) = asked(&model, Some(documents(&[("docs/store.md", STORE)]))).await;
    assert!(
        questions[0].contains("Notes are found by word with SQLite FTS5 and"),
        "{}",
        questions[0]
    );
}

#[tokio::test]
async fn work_that_was_told_something_else_is_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let saved = Some(folder.path().to_owned());
    let plan = async |model: &ScriptedModel, text: &str| {
        let documents = Some(documents(&[("docs/store.md", text)]));
        let request = ParsePrd { documents, saved: saved.clone(), ..request(3) };
        drop(crate::plan::parse_prd::plan(model, &request, &|_| ()).await);
        model.seen().len()
    };
    assert_eq!(plan(&working(), STORE).await, 3);
    assert_eq!(plan(&working(), STORE).await, 0);
    assert_eq!(plan(&working(), &STORE.replace("porter", "snowball")).await, 3);
}
