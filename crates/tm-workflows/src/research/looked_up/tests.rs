use std::{path::Path, sync::Mutex};

use tm_testkit::model::ScriptedModel;

use super::*;
use crate::{
    asking::fixture::asking,
    research::{Documents, library::Library, sources::SourceFile},
};

const SESSIONS: &str = "# Sessions\n\nThe logo is drawn with a pencil. Sessions are kept in Redis for \
                        24 hours.\n";

/// What is found, and what the user is told about it.
async fn found(words: &str, documents: Option<&Documents>) -> (String, Vec<String>) {
    let model = ScriptedModel::playing([]);
    let told = Mutex::new(Vec::new());
    let observer = |event| {
        if let Event::Note { text } = event {
            told.lock().unwrap().push(text);
        }
    };
    let asking = Asking { documents, observer: &observer, ..asking(&model) };
    let found = looked_up(&asking, words).await.unwrap();
    assert!(model.seen().is_empty());
    (found, told.into_inner().unwrap())
}

#[tokio::test]
async fn what_is_nearest_comes_first_and_names_its_place() {
    let file = SourceFile { path: "docs/auth.md".into(), text: SESSIONS.into() };
    let library = Library::of_files(Path::new("/project"), &[file]).unwrap();
    let documents = Documents { libraries: vec![library], abstains: true };

    let (text, told) = found("Keep sessions in Redis", Some(&documents)).await;
    let first = "- docs/auth.md:1-3: “Sessions are kept in Redis for 24 hours.”\n";
    assert!(text.starts_with(first), "{text}");
    assert_eq!(told, ["looked up in docs/auth.md:1-3"]);

    let (text, told) = found("Pay the baker's wages", Some(&documents)).await;
    assert_eq!(text, "");
    assert_eq!(told, ["no document says anything about this"]);
}

#[tokio::test]
async fn nothing_is_looked_up_where_nobody_asked_for_it() {
    assert_eq!(found("Keep sessions in Redis", None).await, (String::new(), Vec::new()));
}
