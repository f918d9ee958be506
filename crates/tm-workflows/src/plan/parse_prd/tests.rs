use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use tm_llm::{backend::BackendError, chat::ChatRequest};
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;

pub(super) const PRD: &str = "\
# Notes
## Search
- find notes by word with SQLite FTS5
- answer within 50 ms
## Sync
- two machines hold the same notes, and whoever changes one of them sees it on the other within a minute or so
- conflicts keep both versions
## Export
- one Markdown file for each note
";

pub(super) fn request(count: usize) -> ParsePrd {
    ParsePrd {
        document: PRD.into(),
        count: Some(count),
        language: "English".into(),
        prompts: Prompts::default(),
        priority: Priority::Medium,
        timeout: Duration::from_mins(1),
        saved: None,
        documents: None,
        escalation: None,
    }
}

const MADE: [&str; 4] = ["bytes", "words", "copies", "files"];

const TITLES: [&str; 3] =
    ["Find notes by word", "Hold the same notes on two machines", "Export notes as Markdown"];

/// What a model says about a part.
fn detail(number: usize, title: &str) -> Reply {
    let detail = json!({
        "title": title,
        // Each names what the one before made.
        "description": format!("It makes {} out of {}.", MADE[number], MADE[number - 1]),
        "steps": [format!("Write module {number} and connect it to the rest."), "Keep it small and fast enough for everyone.", "Show what it does on the screen."],
        "check": {"when": format!("Part {number} runs with one note."), "then": "The note is on the screen."},
        "priority": "medium",
    });
    Reply::Text(detail.to_string())
}

/// What a working model says.
fn answer(request: &ChatRequest) -> Reply {
    let number = number(request).unwrap();
    detail(number, TITLES[number - 1])
}

/// The number in "Now write part 3".
fn number(request: &ChatRequest) -> Option<usize> {
    let (_, rest) = request.messages[1].content.split_once("Now write part ")?;
    rest.split(' ').next()?.parse().ok()
}

pub(super) fn working() -> ScriptedModel {
    ScriptedModel::new(answer)
}

pub(super) async fn planned(
    model: &ScriptedModel,
    request: &ParsePrd,
) -> Result<Plan, ParsePrdError> {
    plan(model, request, &|_| ()).await
}

#[tokio::test]
async fn a_document_becomes_tasks_that_carry_its_requirements_word_for_word() {
    let plan = planned(&working(), &request(3)).await.unwrap();
    let titles: Vec<&str> = plan.tasks.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, TITLES);
    assert_eq!((plan.requirements, plan.uncovered.len()), (5, 0));
    let details: Vec<&str> = plan.tasks.iter().map(|it| it.details.as_str()).collect();
    assert!(details[0].contains("\n- find notes by word with SQLite FTS5"), "{}", details[0]);
    assert!(details[1].contains("\n- two machines hold the same notes"), "{}", details[1]);
    assert!(details[1].contains("\n- conflicts keep both versions"), "{}", details[1]);
    assert_eq!(
        plan.tasks.iter().map(|it| it.after.clone()).collect::<Vec<_>>(),
        [vec![], vec![0], vec![1]]
    );
}

#[tokio::test]
async fn what_is_weak_of_a_task_is_asked_for_once_more_and_then_taken() {
    let copies = ScriptedModel::new(|request| match (number(request), answer(request)) {
        _ if request.messages[1].content.contains("Write only its \"title\"") => {
            Reply::Text(json!({"title": "Brew cold coffee"}).to_string())
        }
        (Some(3), Reply::Text(text)) => Reply::Text(text.replace(TITLES[2], "Brew hot coffee")),
        (_, reply) => reply,
    });
    let plan = planned(&copies, &request(3)).await.unwrap();
    assert_eq!(plan.tasks[2].title, "Brew cold coffee");
    assert_eq!(copies.seen().len(), 4, "three tasks, and the title of one again");
    let complaint = &copies.seen().last().unwrap().messages.last().unwrap().content.clone();
    assert!(complaint.contains("is not about its requirements"), "{complaint}");
}

#[tokio::test]
async fn every_question_begins_with_the_same_words() {
    let model = working();
    planned(&model, &request(3)).await.unwrap();
    let prefixes: Vec<String> = model
        .seen()
        .iter()
        .map(|it| it.messages[1].content.split_once("</document>").unwrap().0.to_owned())
        .collect();
    assert_eq!(prefixes.len(), 3);
    assert!(prefixes.iter().all(|it| *it == prefixes[0] && it.contains("# Notes")));
}

#[tokio::test]
async fn a_title_repeated_twice_is_replaced_by_a_few_of_the_documents_words() {
    let script = |second: &'static str| {
        ScriptedModel::new(move |request| match number(request) {
            Some(1) => detail(1, "Index the notes for search"),
            Some(2) => detail(2, "Add an index of notes for searching"),
            Some(_) => answer(request),
            None => Reply::Text(json!({"title": second}).to_string()),
        })
    };
    let plan = planned(&script(TITLES[1]), &request(3)).await.unwrap();
    assert_eq!(plan.tasks[1].title, TITLES[1]);
    let plan = planned(&script("Index notes for searching"), &request(3)).await.unwrap();
    assert_eq!(plan.tasks[1].title, "Two machines hold the same notes");
}

#[tokio::test]
async fn a_model_that_fails_gives_an_error_and_no_plan() {
    let nonsense = ScriptedModel::new(|_| Reply::Text("I would rather not.".into()));
    let error = planned(&nonsense, &request(3)).await.unwrap_err();
    assert!(
        matches!(error, ParsePrdError::Task { number: 1, source: StructuredError::Invalid { .. } }),
        "{error}"
    );

    let silent = ScriptedModel::new(|_| Reply::Text(String::new()));
    let error = planned(&silent, &request(3)).await.unwrap_err();
    let empty = StructuredError::Backend(BackendError::EmptyAnswer { model: "script".into() });
    assert_eq!(error.to_string(), format!("task 1: {empty}"));
}

#[tokio::test]
async fn an_interrupted_plan_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let request = ParsePrd { saved: Some(folder.path().join("saved")), ..request(3) };
    let fails_at_three = ScriptedModel::new(|request| match number(request) {
        Some(3) => Reply::Broken("{".into()),
        _ => answer(request),
    });
    planned(&fails_at_three, &request).await.unwrap_err();

    let questions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&questions);
    let model = ScriptedModel::new(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        answer(request)
    });
    let resumed = std::sync::Mutex::new(None);
    let observer = |event| {
        if let Event::Resumed { tasks_done, .. } = event {
            *resumed.lock().unwrap() = Some(tasks_done);
        }
    };
    let plan = plan(&model, &request, &observer).await.unwrap();
    assert_eq!(plan.tasks.len(), 3);
    assert_eq!((questions.load(Ordering::Relaxed), *resumed.lock().unwrap()), (1, Some(2)));

    forget(&model, &request).unwrap();
    assert_eq!(folder.path().join("saved").read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn work_for_another_document_or_count_is_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let request = ParsePrd { saved: Some(folder.path().to_owned()), ..request(3) };
    planned(&working(), &request).await.unwrap();
    let other = ParsePrd { document: format!("{PRD}- and as HTML\n").into(), ..request };
    let model = working();
    planned(&model, &other).await.unwrap();
    assert_eq!(model.seen().len(), 3, "everything was asked again");
}

#[tokio::test]
async fn a_document_longer_than_the_context_is_shortened_and_every_requirement_is_answered_for() {
    let item = |chapter: usize, item: usize| {
        format!("- chapter {chapter} stores value {item} of sensor {item} with a time and a unit\n")
    };
    let chapter = |it: usize| {
        let items: Vec<String> = (0..40).map(|at| item(it, at)).collect();
        format!("## Chapter {it}\n{}", items.concat())
    };
    let text = (0..30).map(chapter).collect::<Vec<_>>().concat();
    let request = ParsePrd { document: format!("# Sensors\n{text}").into(), ..request(3) };
    // As many numbers as the shortened document has are known only to the schema.
    let model = working().with_context(2048);
    let plan = planned(&model, &request).await.unwrap();
    let longest = model.seen().iter().map(|it| it.messages[1].content.len()).max().unwrap();
    assert!(longest < 2048 * 3, "{longest} bytes");
    let subtasks = plan.tasks.iter().flat_map(|it| &it.subtasks);
    let carried = subtasks.map(|it| it.details.matches("\n- ").count()).sum::<usize>();
    assert_eq!((plan.requirements, carried + plan.uncovered.len()), (1200, 1200));
}

#[tokio::test]
async fn a_count_nobody_can_oversee_and_a_document_without_words_are_refused() {
    let error = planned(&working(), &request(0)).await.unwrap_err();
    assert!(matches!(error, ParsePrdError::Count { requested: 0 }), "{error}");
    let empty = ParsePrd { document: b" \n".to_vec(), ..request(3) };
    let error = planned(&working(), &empty).await.unwrap_err();
    assert_eq!(error.to_string(), "the document is empty");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_plan_stops_asking() {
    let model = ScriptedModel::new(|_| Reply::Stall);
    let waiting = tokio::time::timeout(Duration::from_secs(5), planned(&model, &request(5))).await;
    assert!(waiting.is_err());
    assert_eq!(model.seen().len(), 4, "as many as it works on at once, and not the fifth");
}

fn target(folder: &tempfile::TempDir, existing: Existing) -> Target {
    let store = Store::open(folder.path().join("tasks.json"), folder.path().join("journal"));
    Target { store, tag: "master".into(), existing }
}

#[tokio::test]
async fn tasks_are_written_in_one_step_with_ids_that_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let ids = |it: &Store| {
        let file = it.read().unwrap();
        let tasks = file.tag("master").unwrap().tasks().to_vec();
        tasks.iter().map(|it| it.id().to_string()).collect::<Vec<_>>().join(" ")
    };
    for (existing, expected) in [
        (Existing::Refuse, "1 2 3"),
        (Existing::Append, "1 2 3 4 5 6"),
        (Existing::Replace, "7 8 9"),
    ] {
        let target = target(&folder, existing);
        let store = target.store.clone();
        parse_prd(&working(), target, &request(3), &|_| ()).await.unwrap();
        assert_eq!(ids(&store), expected);
    }
    let model = working();
    let error = parse_prd(&model, target(&folder, Existing::Refuse), &request(3), &|_| ())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the tag master has 3 tasks already");
    assert!(model.seen().is_empty(), "the model must not work for nothing");
}

#[tokio::test]
async fn a_file_that_does_not_parse_is_left_alone_and_no_model_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tasks.json"), "{\"master\": ").unwrap();
    let model = working();
    let error = parse_prd(&model, target(&folder, Existing::Replace), &request(3), &|_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, ParsePrdError::Store(StoreError::Format { .. })), "{error}");
    assert!(model.seen().is_empty());
    let text = std::fs::read_to_string(folder.path().join("tasks.json")).unwrap();
    assert_eq!(text, "{\"master\": ");
}
