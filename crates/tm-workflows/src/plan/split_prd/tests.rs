use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tm_llm::backend::BackendError;
use tm_tasks::plan::tree::{Node, Stop, faults::of_tree};
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::fixture::{asking, faults, words};

/// Three chapters of four requirements each.
fn document(second: &str) -> String {
    let chapter = |name: &str, last: &str| {
        format!(
            "## {name}\n- {name} keeps notes in SQLite\n- {name} finds notes by word\n\
             - {name} answers within 50 ms\n- {last}\n"
        )
    };
    let ends = [
        chapter("Search", "Search shows ten notes a page"),
        chapter("Sync", second),
        chapter("Export", "Export writes Markdown files"),
    ];
    format!("# Notes\n{}", ends.concat())
}

fn request(document: &str) -> SplitPrd {
    SplitPrd {
        document: document.into(),
        path: "prd.md".into(),
        tool: "task-master 0.1.0".into(),
        seed: 1,
        budget: 300,
        timeout: Duration::from_mins(1),
        kept: None,
    }
}

/// A model whose answers are a function of the question: larger pieces are several features.
fn answer(request: &ChatRequest) -> Reply {
    let lines = words(request).lines().filter(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    let lines: Vec<&str> = lines.collect();
    let schema = request.response_schema.as_ref().unwrap();
    let cut = &schema["properties"]["cut"]["enum"][0];
    let work = if lines.len() > 2 { "several features" } else { "one feature" };
    let first: String = lines[0].chars().skip(3).take(50).collect();
    let title = format!("Build what {first} says");
    Reply::Text(json!({"title": title, "work": work, "cut": cut}).to_string())
}

fn working() -> ScriptedModel {
    ScriptedModel::new(answer)
}

async fn split(model: &ScriptedModel, request: &SplitPrd) -> Result<Split, SplitError> {
    split_prd(Some(asking(model)), request).await
}

fn assert_sound(split: &Split, document: &str) {
    let prd = Prd::read(document).unwrap();
    let found = of_tree(&split.tree, Some((&prd, &Origin::of(document.as_bytes()))));
    assert_eq!(found, []);
}

#[tokio::test]
async fn a_document_becomes_a_tree_whose_small_pieces_the_model_names_and_judges() {
    let text = document("Sync keeps both versions");
    let made = split(&working(), &request(&text)).await.unwrap();
    assert_sound(&made, &text);
    let line = |it: &Node| format!("{} {} [{:?}]", it.id, it.title, it.stop);
    let lines: Vec<String> = made.tree.nodes.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    1 Notes [None]
    1.1 Build what Search keeps notes in SQLite says [None]
    1.1.1 Search keeps notes in SQLite [Some(OneUnit)]
    1.1.2 Build what Search finds notes by word says [None]
    1.1.2.1 Search finds notes by word [Some(OneUnit)]
    1.1.2.2 Build what Search answers within 50 ms says [Some(Atomic)]
    1.2 Build what Sync keeps notes in SQLite says [None]
    1.2.1 Sync keeps notes in SQLite [Some(OneUnit)]
    1.2.2 Build what Sync finds notes by word says [None]
    1.2.2.1 Sync finds notes by word [Some(OneUnit)]
    1.2.2.2 Build what Sync answers within 50 ms says [Some(Atomic)]
    1.3 Build what Export keeps notes in SQLite says [None]
    1.3.1 Export keeps notes in SQLite [Some(OneUnit)]
    1.3.2 Build what Export finds notes by word says [None]
    1.3.2.1 Export finds notes by word [Some(OneUnit)]
    1.3.2.2 Build what Export answers within 50 ms says [Some(Atomic)]
    ");
}

#[tokio::test]
async fn a_question_holds_its_own_piece_and_the_titles_above_and_nothing_else() {
    let model = working();
    split(&model, &request(&document("Sync keeps both versions"))).await.unwrap();
    for request in model.seen() {
        let asked = words(&request).to_owned();
        assert!(asked.starts_with("A part of: Notes"), "{asked}");
        let of = ["Search", "Sync", "Export"].iter().filter(|it| asked.contains(**it)).count();
        assert_eq!(of, 1, "{asked}");
        assert_eq!(request.sampling.seed, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_at_any_question_goes_on_to_the_same_tree() {
    let text = document("Sync keeps both versions");
    let whole = split(&working(), &request(&text)).await.unwrap();
    for stop in 0..whole.tree.made.questions {
        let folder = tempfile::tempdir().unwrap();
        let request = SplitPrd { kept: Some(folder.path().join("kept")), ..request(&text) };
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let stalling = ScriptedModel::new(move |request| {
            let is_last = count.fetch_add(1, Ordering::Relaxed) >= stop;
            if is_last { Reply::Stall } else { answer(request) }
        });
        let dropped = tokio::time::timeout(Duration::from_secs(1), split(&stalling, &request));
        assert!(dropped.await.is_err());
        let model = working();
        let resumed = split(&model, &request).await.unwrap();
        assert_eq!(resumed.tree, whole.tree);
        assert_eq!((resumed.kept, model.seen().len()), (stop, whole.tree.made.questions - stop));
    }
}

#[tokio::test]
async fn a_change_in_one_chapter_asks_about_that_chapter_again_and_changes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let before = document("Sync keeps both versions");
    let after = document("Sync keeps the newer version");
    let kept = |text: &str| SplitPrd { kept: Some(folder.path().to_owned()), ..request(text) };
    let first = split(&working(), &kept(&before)).await.unwrap();
    let model = working();
    let second = split(&model, &kept(&after)).await.unwrap();
    assert_sound(&second, &after);
    assert!(!model.seen().is_empty());
    let is_about = |name: &'static str| move |it: &ChatRequest| words(it).contains(name);
    assert!(model.seen().iter().all(is_about("Sync")));
    assert!(!model.seen().iter().any(|it| is_about("Search")(it) || is_about("Export")(it)));
    let others = |split: &Split| {
        let nodes = split.tree.nodes.iter().filter(|it| !it.id.starts_with("1.2") && it.id != "1");
        nodes
            .map(|it| (it.id.clone(), it.title.clone(), it.requirements.clone(), it.reason))
            .collect::<Vec<_>>()
    };
    assert_eq!(others(&first), others(&second));
    let third = split(&working(), &kept(&after)).await.unwrap();
    assert_eq!((third.kept, third.tree), (second.tree.made.questions, second.tree));
}

#[tokio::test]
async fn answers_to_another_seed_are_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let text = document("Sync keeps both versions");
    let one = SplitPrd { kept: Some(folder.path().to_owned()), ..request(&text) };
    split(&working(), &one).await.unwrap();
    let other = split(&working(), &SplitPrd { seed: 2, ..one }).await.unwrap();
    assert_eq!(other.kept, 0);
}

#[tokio::test]
async fn a_kept_answer_that_is_spoilt_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let text = document("Sync keeps both versions");
    let request = SplitPrd { kept: Some(folder.path().to_owned()), ..request(&text) };
    let first = split(&working(), &request).await.unwrap();
    for (number, file) in folder.path().read_dir().unwrap().enumerate() {
        let spoilt = [r#"{"title": "Bui"#, r#"{"title": "Build it", "work": "x", "cut": 99}"#];
        std::fs::write(file.unwrap().path(), spoilt[number % 2]).unwrap();
    }
    let second = split(&working(), &request).await.unwrap();
    assert_eq!((second.kept, second.tree), (0, first.tree));
}

#[tokio::test]
async fn equal_pieces_are_asked_about_once_and_are_named_apart() {
    let chapter = "## Sensor\n- keeps values in SQLite\n- answers within 50 ms\n\
                   ### Rest\n- sleeps at night\n- wakes at dawn\n";
    let text = format!("# Sensors\n{}", chapter.repeat(3));
    let model = working();
    let made = split(&model, &request(&text)).await.unwrap();
    assert_sound(&made, &text);
    let asked: Vec<String> = model.seen().iter().map(|it| words(it).to_owned()).collect();
    let unique: std::collections::HashSet<&String> = asked.iter().collect();
    assert_eq!(asked.len(), unique.len(), "{asked:#?}");
}

#[tokio::test]
async fn when_the_budget_is_spent_the_rest_are_leaves_that_say_so() {
    let text = document("Sync keeps both versions");
    for budget in 0..4 {
        let model = working();
        let made = split(&model, &SplitPrd { budget, ..request(&text) }).await.unwrap();
        assert_sound(&made, &text);
        assert_eq!((model.seen().len(), made.tree.made.questions), (budget, budget));
        assert!(made.tree.stopped(Stop::Budget) > 0);
    }
    let alone = split_prd(None, &request(&text)).await.unwrap();
    assert_sound(&alone, &text);
    assert_eq!((alone.tree.made.model, alone.tree.made.questions), (None, 0));
}

#[tokio::test]
async fn a_model_that_fails_gives_an_error_and_no_tree() {
    let text = document("Sync keeps both versions");
    for model in faults() {
        let error = split(&model, &request(&text)).await.unwrap_err();
        assert!(matches!(error, SplitError::Piece { .. }), "{error}");
    }
    let overflow = ScriptedModel::new(|_| Reply::Overflow);
    let error = split(&overflow, &request(&text)).await.unwrap_err();
    let SplitError::Piece { source: StructuredError::Backend(error), .. } = error else { panic!() };
    assert!(matches!(error, BackendError::ContextOverflow { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_document_is_refused_and_answers_that_cannot_be_kept_are_told() {
    let error = split(&working(), &request(" \n")).await.unwrap_err();
    assert!(matches!(error, SplitError::Document(PrdError::Empty)), "{error}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let text = document("Sync keeps both versions");
    let request = SplitPrd { kept: Some(folder.path().join("file")), ..request(&text) };
    let error = split(&working(), &request).await.unwrap_err();
    assert!(matches!(error, SplitError::Keep { .. }), "{error}");
}

#[tokio::test]
async fn documents_made_to_be_hard_end_within_their_budget() {
    let headings: Vec<String> =
        (0..5000).map(|it| format!("## Part {it}\n- part {it} works\n")).collect();
    let nested: Vec<String> = (0..400)
        .map(|it| format!("{} Level\n- says {it} again\n", "#".repeat(it % 6 + 1)))
        .collect();
    let long = format!("- {}\n- short one\n", "word ".repeat(60_000));
    let sentences = "The bot greets everybody kindly. ".repeat(9000);
    for text in [headings.concat(), nested.concat(), long, sentences] {
        let model = working();
        let made = split(&model, &SplitPrd { budget: 40, ..request(&text) }).await.unwrap();
        assert_sound(&made, &text);
        assert!(model.seen().len() <= 40);
        assert!(made.tree.leaves().all(|it| it.stop.is_some()));
        let longest = model.seen().iter().map(|it| words(it).len()).max().unwrap();
        assert!(longest < 6000, "{longest} bytes");
    }
}

/// What a question says when a value of the wrong form is read.
#[tokio::test]
async fn an_answer_is_one_of_those_that_were_offered() {
    let text = document("Sync keeps both versions");
    let bad = |answer: Value| ScriptedModel::new(move |_| Reply::Text(answer.to_string()));
    for answer in [
        json!({"title": "Build the search", "work": "one feature", "cut": 77}),
        json!({"title": "Build the search", "work": "one requirement", "cut": 2}),
        json!({"title": "- - - - - -", "work": "one feature", "cut": 2}),
    ] {
        let error = split(&bad(answer), &request(&text)).await.unwrap_err();
        assert!(error.to_string().starts_with("piece 1.1 of the document: script gave"), "{error}");
    }
}
