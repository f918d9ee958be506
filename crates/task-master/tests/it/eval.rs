//! `eval`: plans beside recorded ones, and what it refuses.

use serde_json::{Value, json};
use tm_testkit::server::{Answer as Reply, ScriptedServer};

use crate::{
    model_server::{Answer, ModelServer},
    project::Project,
};

const NOTES: &str = "\
# Pencil
## Storage
- notes are kept in one SQLite file with WAL
- a note has a title, a body and tags
## Search
- find notes by word with FTS5 within 50 ms
- the word that was found is highlighted
## Export
- write one Markdown file for each note
";

const GREENHOUSE: &str = "\
# Greenhouse
## Sensors
- read temperature and humidity from a DHT22 every 60 s
- report a broken sensor by MQTT
## Watering
- open the valve when soil moisture falls below 30 %
- never water for longer than 10 minutes
## Dashboard
- draw the last 24 hours as a chart with Grafana
";

fn task(id: u64, told: [&str; 4], dependencies: &[u64]) -> Value {
    let [title, description, details, test] = told;
    json!({"id": id, "title": title, "description": description, "details": details,
           "testStrategy": test, "priority": "high", "dependencies": dependencies,
           "status": "pending"})
}

fn notes() -> Value {
    json!([
        task(
            1,
            [
                "Store notes in SQLite",
                "Keep notes with title, body and tags in one SQLite file.",
                "Open the SQLite file with WAL. Create tables for notes and tags. Write a note with \
             its title, body and tags in one transaction, and read it back by number.",
                "Write a note, open the file again and check that title, body and tags are the same.",
            ],
            &[]
        ),
        task(
            2,
            [
                "Find notes by word",
                "Search notes with FTS5 and highlight the word that was found.",
                "Keep an FTS5 index beside the notes table and update it by triggers. Rank by bm25, \
             wrap the found word in a mark, and answer a search within 50 ms.",
                "Search for a word and verify that the note is shown within 50 ms.",
            ],
            &[1]
        ),
        task(
            3,
            [
                "Export notes as Markdown",
                "Write one Markdown file for each note.",
                "Name the Markdown file after the title of the note, put tags into the front matter, \
             and write the body below. Files are replaced only when the note changed.",
                "Export three notes and compare the Markdown files with what was written.",
            ],
            &[1]
        ),
    ])
}

fn greenhouse() -> Value {
    json!([
        task(
            1,
            [
                "Read the DHT22 sensor",
                "Read temperature and humidity every 60 s and report a broken sensor by MQTT.",
                "Poll the DHT22 every 60 s over GPIO, discard values with a wrong checksum, publish \
             them by MQTT, and report the sensor as broken after five failures.",
                "Unplug the sensor and check that MQTT reports it as broken within five minutes.",
            ],
            &[]
        ),
        task(
            2,
            [
                "Water by soil moisture",
                "Open the valve below 30 % soil moisture, for 10 minutes at most.",
                "Switch the relay of the valve when soil moisture falls below 30 %, close it above \
             45 %, and let a hardware timer close the valve after 10 minutes.",
                "Hold the moisture at 20 % and measure that the valve closes after 10 minutes.",
            ],
            &[1]
        ),
        task(
            3,
            [
                "Chart the last 24 hours",
                "Draw temperature and humidity as a Grafana chart.",
                "Store published values in a time series and provision a Grafana panel for the last \
             24 hours with one chart for temperature and one for humidity.",
                "Publish a value and see that it is in the Grafana chart of the last 24 hours.",
            ],
            &[1]
        ),
    ])
}

fn file(tasks: &Value) -> String {
    json!({"master": {"tasks": tasks}}).to_string()
}

/// Two pairs, and a folder of plans for both.
fn project() -> Project {
    let project = Project::empty();
    project.write("pairs/notes/prd.md", NOTES);
    project.write("pairs/notes/tasks.json", file(&notes()));
    project.write("pairs/greenhouse/prd.txt", GREENHOUSE);
    project.write("pairs/greenhouse/tasks.json", file(&greenhouse()));
    let about = json!({"model_config_at_commit": {"main": {"modelId": "gpt-4o"}}});
    project.write("pairs/greenhouse/pair.json", about.to_string());
    project.write("plans/notes.json", file(&notes()));
    project.write("plans/greenhouse/tasks.json", file(&json!([greenhouse()[0]])));
    project
}

fn standing<'a>(found: &'a Value, entrant: &str) -> &'a Value {
    let standings = found["standings"].as_array().unwrap();
    standings.iter().find(|it| it["entrant"] == entrant).unwrap()
}

#[test]
fn plans_are_shown_beside_the_baseline_and_what_is_worth_nothing() {
    let run = project().run_in_columns(80, &["eval", "pairs", "--plans", "plans"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.lines().all(|it| it.chars().count() <= 80), "{}", run.out);
    for expected in ["Baseline: gpt-4o", "Dependencies", "Overall", "Gibberish", "An empty plan"] {
        assert!(run.out.contains(expected), "{}", run.out);
    }
}

#[test]
fn json_has_every_metric_with_its_count_and_where_it_comes_from() {
    let project = project();
    let found = project.json(&["eval", "pairs", "--plans", "plans", "--json", "--seed=3"]);
    let plan = standing(&found, "plan");
    assert_eq!(plan["metrics"].as_object().unwrap().len(), 10);
    assert!(plan["metrics"].as_object().unwrap().values().all(|it| it["n"] == 2), "{plan}");
    assert_eq!((&found["seed"], &found["documents"][0]["plan_tasks"]), (&json!(3), &json!(1)));
    assert_eq!(found["inputs"].as_str().unwrap().len(), 64);
    assert_eq!(standing(&found, "itself")["metrics"]["coverage"]["mean"], 1.0);
    assert_eq!(standing(&found, "empty")["overall"]["mean"], 0.0);
    let itself = project.json(&["eval", "pairs", "--plans", "pairs", "--json", "--seed=3"]);
    assert_eq!(standing(&itself, "plan")["overall_ratio"]["mean"], 1.0);
    assert_ne!(itself["inputs"], found["inputs"], "other plans are other inputs");
}

/// A project whose embedding model, of this name, tells water from all else.
fn with_vectors(name: &str) -> (Project, ScriptedServer) {
    let server = ScriptedServer::start(|received| {
        let texts = received.body["input"].as_array().unwrap().iter();
        let vector = |text: &Value| {
            let is_wet = text.as_str().unwrap().to_lowercase().contains("water");
            if is_wet { [1.0, 0.0] } else { [0.0, 1.0] }
        };
        let data: Vec<Value> = texts
            .enumerate()
            .map(|(index, text)| json!({"index": index, "embedding": vector(text)}))
            .collect();
        Reply::json(200, &json!({"data": data, "usage": {"prompt_tokens": 1}}))
    });
    let project = project();
    let embedding = json!({"provider": "openai-compatible", "modelId": name,
        "baseURL": format!("{}/v1", server.url())});
    let config = json!({"models": {"embedding": embedding}, "global": {}});
    project.write(".taskmaster/config.json", config.to_string());
    (project, server)
}

#[test]
fn tasks_are_compared_by_what_they_mean_too_when_that_is_asked_for() {
    let (project, _server) = with_vectors("all-minilm-l6-v2-q8_0");
    let arguments = ["eval", "pairs", "--plans", "plans", "--json"];
    let by_words = project.json(&arguments);
    let by_both = project.json(&[&arguments[..], &["--meaning"]].concat());
    let coverage =
        |it: &Value| standing(it, "other_document")["metrics"]["coverage"]["mean"].clone();
    assert!(by_words["embedding_model"].is_null());
    assert_eq!(by_both["embedding_model"], "all-minilm-l6-v2-q8_0");
    let [words, both] = [&by_words, &by_both].map(|it| coverage(it).as_f64().unwrap());
    assert!(both > words, "tasks of other documents that are no water either: {words}, {both}");
    assert_eq!(standing(&by_both, "itself")["metrics"]["coverage"]["mean"], 1.0);
}

#[test]
fn without_a_measured_embedding_model_nothing_is_compared_by_meaning() {
    let arguments = ["eval", "pairs", "--plans", "plans", "--meaning"];
    let run = project().run(&arguments);
    assert!(run.code == 1 && run.err.contains("models pull all-minilm"), "{}", run.all());
    let (project, _server) = with_vectors("some-other");
    let run = project.run(&arguments);
    assert!(run.code == 1 && run.err.contains("nobody has measured"), "{}", run.all());
    let (project, server) = with_vectors("all-minilm-l6-v2-q8_0");
    drop(server);
    let run = project.run(&arguments);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("cannot be compared by what they mean"), "{}", run.err);
}

#[test]
fn the_page_needs_nothing_else() {
    let project = project();
    let run = project.run(&["eval", "pairs", "--plans", "plans", "--html", "page.html"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let page = project.read("page.html");
    assert!(page.contains("<svg") && page.contains("prefers-color-scheme:dark"));
    assert!(!page.contains("http") && !page.contains("<script"), "{page}");
}

#[test]
fn a_ratio_that_is_asked_for_must_be_reached() {
    let project = project();
    let arguments = ["eval", "pairs", "--plans", "plans", "--fail-under", "0.95"];
    let run = project.run(&arguments);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("error: the plans reach 0."), "{}", run.err);
    assert_eq!(project.run(&["eval", "pairs", "--plans", "pairs", "--limit=1"]).code, 0);
}

#[test]
fn only_the_listed_pairs_are_read() {
    let project = project();
    project.write("pairs/broken/prd.md", NOTES);
    project.write("list.tsv", "# pair\tgrade\nnotes\traw\ngreenhouse\traw\n");
    let arguments = ["eval", "pairs", "--plans", "plans", "--list", "list.tsv", "--json"];
    assert_eq!(project.json(&arguments)["documents"].as_array().unwrap().len(), 2);
    assert_eq!(project.run(&arguments[..4]).code, 1);
}

#[test]
fn pairs_without_a_plan_are_left_out_and_told() {
    let project = project();
    project.write("some/notes.json", file(&notes()));
    let run = project.run(&["eval", "pairs", "--plans", "some", "--json"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("1 of 2 pairs have no plan"), "{}", run.err);
    let found: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(standing(&found, "plan")["overall"]["n"], 1);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    #[track_caller]
    fn check(write: (&str, &str), arguments: &[&str], expected: &str) {
        let project = project();
        project.write(write.0, write.1);
        let run = project.run(&[&["eval"], arguments].concat());
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
        assert!(run.err.contains(expected) && run.err.contains("\nhint: "), "{}", run.err);
    }
    let plans = ["pairs", "--plans", "plans"];
    check(("plans/notes.json", "{"), &plans, "notes.json cannot be used");
    check(("plans/notes.json", "{}"), &plans, "notes.json has no tasks");
    check(("pairs/new/tasks.json", "[]"), &plans, "has no document");
    check(("pairs/notes/prd.md", ""), &plans, "prd.md cannot be used");
    check(("pairs/notes/tasks.json", "[]"), &plans, "tasks.json has no tasks");
    check(("none/README", ""), &["none", "--plans", "plans"], "there are no pairs in");
    check(("none/README", ""), &["pairs", "--plans", "none"], "there is no plan for any");
    check(("none/README", ""), &["gone", "--plans", "plans"], "gone cannot be read");
    check(("list", "gone"), &["pairs", "--plans=plans", "--list=list"], "there is no pair gone");
}

#[test]
fn plans_are_made_kept_and_scored() {
    let project = project();
    let server = ModelServer::saying(&json!({"tasks": notes()}));
    let arguments = ["eval", "pairs", "--limit=1", "--seed=1", "--keep=made", "--json"];
    let run = server.run(&project, &arguments);
    assert_eq!(run.code, 0, "{}", run.all());
    let found: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&found["documents"][0]["plan_tasks"], server.questions()), (&json!(3), 1));
    let name = found["documents"][0]["name"].as_str().unwrap();
    assert!(project.exists(&format!("made/{name}.json")));
    server.run(&project, &arguments);
    assert_eq!(server.questions(), 1, "what is kept is not made again");
}

#[test]
fn a_model_that_makes_no_plan_is_an_error() {
    let (project, server) = (project(), ModelServer::start(|_| Answer::Says("no".into())));
    let run = server.run(&project, &["eval", "pairs"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("made no plan of any document"), "{}", run.err);
}
