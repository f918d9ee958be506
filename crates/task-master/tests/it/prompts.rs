//! Prompts of a project in place of ours.

use serde_json::json;

use crate::{model_server::ModelServer, project::Project};

fn project() -> Project {
    Project::with_tasks(&json!([{"id": 1, "title": "Log in", "status": "pending"}]))
}

fn server() -> ModelServer {
    ModelServer::saying(&json!({"subtasks": [
        {"id": 1, "title": "Check the password", "description": "It is checked.",
         "dependencies": [], "details": "Hash it.", "testStrategy": "Log in."},
        {"id": 2, "title": "Keep the session", "description": "It is kept.",
         "dependencies": [1], "details": "Use Redis.", "testStrategy": "Wait."},
    ]}))
}

#[test]
fn a_question_is_asked_in_the_words_of_the_project() {
    let (project, server) = (project(), server());
    project.write(".taskmaster/prompts/expand.md", "Divide by screens: {{ task }}");
    let run = server.run(&project, &["expand", "--id=1", "--num=2"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let asked = &server.asked()[0]["messages"][1]["content"];
    assert!(asked.as_str().unwrap().starts_with("Divide by screens: "), "{asked}");
}

#[test]
fn a_prompt_that_asks_for_what_there_is_not_is_refused_before_a_model_is_asked() {
    let (project, server) = (project(), server());
    project.write(".taskmaster/prompts/expand.md", "For {{ author }}: {{ task }}");
    let run = server.run(&project, &["expand", "--id=1", "--num=2"]);
    assert_eq!((run.code, server.questions()), (1, 0), "{}", run.all());
    assert!(run.err.contains("has a variable author, and what there is is advice, context"));
    assert!(run.err.contains("hint: mend the file"), "{}", run.err);
}
