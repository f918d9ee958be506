//! `eval research`: what is counted, what is kept, and which sets are refused.

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer},
    project::Project,
};

fn project() -> Project {
    let project = Project::bakery();
    project.write("set/documents/oven.md", "# Oven\n\nThe oven is heated for two hours.\n");
    project.write("set/documents/orders.md", "# Orders\n\nCustomers order until six.\n");
    let question = |question: &str, answers: Value| {
        json!({"question": question, "answers": answers}).to_string()
    };
    let lines = [
        question(
            "How long is the oven heated?",
            json!([{"document": "oven.md", "words": "heated for two hours"}]),
        ),
        question("Who sings the opera tonight?", json!([])),
        question("How hot is the oven heated?", json!([])),
    ];
    project.write("set/questions.jsonl", lines.join("\n"));
    project
}

/// Chooses the first sentence and repeats it, to every question.
fn server() -> ModelServer {
    ModelServer::start(|question| {
        let asked = question["messages"].to_string();
        Answer::Says(if asked.contains("Documents will be searched") {
            json!({"questions": ["How is the oven heated?"]}).to_string()
        } else if asked.contains("Sentences from documents") {
            json!({"sentences": [1]}).to_string()
        } else if asked.contains("A sentence:") {
            json!({"says": true}).to_string()
        } else {
            let text = "The oven is heated for two hours.";
            json!({"sentences": [{"text": text, "notes": [1]}]}).to_string()
        })
    })
}

#[test]
fn answers_are_counted_and_kept() {
    let project = project();
    let server = server();
    let arguments = ["eval", "research", "set", "--judge", "--keep", "kept.jsonl", "--json"];
    let run = server.run(&project, &arguments);
    assert_eq!(run.code, 0, "{}", run.all());
    let found: Value = serde_json::from_str(&run.out).unwrap();
    let mean = |measure: &str| found["scores"][measure]["mean"].as_f64().unwrap();
    assert_eq!((mean("recall"), mean("validity"), mean("right")), (1.0, 1.0, 1.0), "{found}");
    // One of the two was left unanswered, the other answered with what does not answer it.
    assert_eq!((mean("abstention"), mean("wrongAbstention")), (0.5, 0.0), "{found}");
    assert_eq!((mean("judgedRecall"), mean("unsupported")), (1.0, 0.0), "{found}");

    let asked = server.questions();
    let again = server.run(&project, &arguments);
    assert_eq!(again.code, 0, "{}", again.all());
    assert_eq!(server.questions(), asked, "what is kept is not asked again");
    let table = server.run(&project, &["eval", "research", "set", "--keep", "kept.jsonl"]);
    assert!(table.out.contains("Quotations in their files"), "{}", table.out);
}

#[test]
fn what_is_found_is_measured_without_a_model() {
    let project = project();
    let run = project.run(&["eval", "research", "set", "--found", "--half", "odd"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("2 questions of set, 1 unanswerable"), "{}", run.out);
    assert!(run.out.contains("Passages found, first 5"), "{}", run.out);
}

#[test]
fn a_set_whose_answers_are_not_in_it_is_refused() {
    let project = project();
    project.write("set/documents/oven.md", "# Oven\n\nThe oven is heated for three hours.\n");
    let run = project.run(&["eval", "research", "set", "--found"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("line 1: oven.md does not say “heated for two hours”"), "{}", run.err);
    let none = project.run(&["eval", "research", "docs", "--found"]);
    assert_eq!(none.code, 1, "{}", none.all());
    assert!(none.err.contains("questions.jsonl cannot be read"), "{}", none.err);
}
