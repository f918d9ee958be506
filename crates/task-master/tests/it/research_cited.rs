//! `research` over documents: what is printed, what is saved, and what is not answered.

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer},
    project::Project,
};

const AUTH: &str = "# Auth\n\nSessions are kept in Redis for 24 hours.\n";

fn project() -> Project {
    let project = Project::bakery();
    project.write("docs/auth.md", AUTH);
    project
}

/// Chooses the first sentence and repeats it.
fn server() -> ModelServer {
    ModelServer::start(|question| {
        let asked = question["messages"].to_string();
        Answer::Says(if asked.contains("Documents will be searched") {
            json!({"questions": ["Where are sessions kept?"]}).to_string()
        } else if asked.contains("Sentences from documents") {
            json!({"sentences": [1]}).to_string()
        } else if asked.contains("Notes, each after its number") {
            let text = "Sessions are kept in Redis.";
            json!({"sentences": [{"text": text, "notes": [1]}]}).to_string()
        } else {
            "I believe so.".to_owned()
        })
    })
}

#[track_caller]
fn saved(project: &Project, ending: &str) -> String {
    let directory = project.path("project/.taskmaster/docs/research");
    let mut names = std::fs::read_dir(directory).unwrap().map(|it| it.unwrap().path());
    let path = names.find(|it| it.to_string_lossy().ends_with(ending)).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_file_that_is_named_is_cited_by_its_bytes() {
    let project = project();
    let server = server();
    let arguments =
        ["research", "How long do we keep sessions?", "-f", "docs/auth.md", "--save-file"];
    let run = server.run(&project, &arguments);
    assert_eq!(run.code, 0, "{}", run.all());
    let line = "- [1] docs/auth.md:1-3: “Sessions are kept in Redis for 24 hours.”";
    assert!(run.out.contains("Sessions are kept in Redis. [1]") && run.out.contains(line));
    assert!(saved(&project, ".md").contains(line));
    let record: Value = serde_json::from_str(&saved(&project, ".citations.json")).unwrap();
    let found = &record["exchanges"][0]["found"];
    let quote = &found["citations"][0]["quotes"][0];
    let bound = |it: &str| usize::try_from(quote[it].as_u64().unwrap()).unwrap();
    assert_eq!(AUTH[bound("start")..bound("end")], *quote["text"].as_str().unwrap());
    assert_eq!(found["claims"][0]["verdict"], "supported");
    assert!(found["rounds"][0]["notes"].as_u64() >= Some(1), "{found}");
}

#[test]
fn the_projects_own_documents_are_looked_in_without_being_added() {
    let project = project();
    let run = server().run(&project, &["research", "How long do we keep sessions?"]);
    assert!(run.out.contains("[1] docs/auth.md:1-3"), "{}", run.all());
    assert!(!project.exists(".taskmaster/knowledge"));
}

#[test]
fn what_the_knowledge_base_does_not_say_is_not_made_up() {
    let project = project();
    project.run(&["kb", "add", "docs"]);
    let run = server().run(&project, &["research", "Who sings the opera tonight?", "-d", "low"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("Not in the knowledge base: "), "{}", run.out);
    assert!(!run.out.contains("I believe so."), "{}", run.out);
}

#[test]
fn an_answer_without_documents_says_so() {
    let project = Project::bakery();
    let run = server().run(&project, &["research", "Who sings the opera tonight?", "-d", "low"]);
    assert!(
        run.out.contains("I believe so.\n\n*The documents say nothing about this"),
        "{}",
        run.out
    );
}
