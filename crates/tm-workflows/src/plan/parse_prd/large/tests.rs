use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use tm_testkit::model::{Reply, ScriptedModel};

use crate::plan::parse_prd::{
    ParsePrd, Plan, plan,
    tests::{planned, request},
};

/// Chapters with ten sections of five requirements each, no two of which are the same.
fn document(chapters: usize) -> String {
    let item = |chapter: usize, section: usize, item: usize| {
        format!(
            "- Moves tool{chapter}x{section}x{item} of machine number{chapter} to where the \
             drawing has it, and stops it there within {item} mm\n"
        )
    };
    let section = |chapter: usize, section: usize| {
        let items: String = (1..=5).map(|it| item(chapter, section, it)).collect();
        format!("### Movement axis{chapter}x{section}\n{items}")
    };
    let chapter = |chapter: usize| {
        let sections: String = (1..=10).map(|it| section(chapter, it)).collect();
        format!("## Machine number{chapter}\n{sections}")
    };
    format!("# Workshop\n{}", (1..=chapters).map(chapter).collect::<String>())
}

fn answer(text: &str) -> Reply {
    let (_, rest) = text.split_once("Now write part ").unwrap();
    let number = rest.split(' ').next().unwrap();
    Reply::Text(
        json!({
            "title": format!("Move tools{number} as drawing{number} says"),
            "description": format!("Machine part{number} moves its tools to where they should be."),
            "steps": ["Read the drawing of the machine.", "Move the tool along its axis.", "Stop it where the drawing ends."],
            "check": {"when": "A drawing with one line is loaded.", "then": "The tool stands at its end."},
            "priority": "medium"
        })
        .to_string(),
    )
}

fn model() -> ScriptedModel {
    ScriptedModel::new(|asked| answer(&asked.messages[1].content))
}

fn asked_for(chapters: usize, count: Option<usize>) -> ParsePrd {
    ParsePrd { document: document(chapters).into(), count, ..request(1) }
}

/// Each requirement of the document, once and in one task.
fn check_requirements(plan: &Plan, chapters: usize) {
    let text = |it: &tm_tasks::plan::assemble::Draft| {
        let subtasks = it.subtasks.iter().map(|it| it.details.as_str());
        std::iter::once(it.details.as_str()).chain(subtasks).collect::<Vec<_>>().join("\n") + "\n"
    };
    let all: String = plan.tasks.iter().map(text).collect();
    let lines: Vec<&str> = all.lines().filter(|it| it.starts_with("- Moves ")).collect();
    let wanted = document(chapters);
    let wanted: Vec<&str> = wanted.lines().filter(|it| it.starts_with("- ")).collect();
    let (mut found, mut sorted) = (lines, wanted);
    found.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    assert!(plan.uncovered.is_empty());
}

#[tokio::test]
async fn a_large_document_asks_for_as_many_tasks_as_it_takes_to_show_a_model_all_of_it() {
    let model = model();
    let plan = planned(&model, &asked_for(10, None)).await.unwrap();
    assert_eq!((plan.requirements, plan.tasks.len()), (500, 42));
    check_requirements(&plan, 10);
}

#[tokio::test]
async fn tasks_with_more_requirements_than_a_model_is_shown_have_them_in_subtasks() {
    let model = model();
    let plan = planned(&model, &asked_for(10, Some(5))).await.unwrap();
    assert_eq!(plan.tasks.len(), 5);
    check_requirements(&plan, 10);
    for task in &plan.tasks {
        assert!((2..=30).contains(&task.subtasks.len()), "{}", task.subtasks.len());
        assert!(!task.details.contains("- Moves"), "{}", task.details);
        assert!(
            task.details.contains("\n\nRequirements: 100, in 20 subtasks."),
            "{}",
            task.details
        );
    }
    let first = &plan.tasks[0].subtasks[0];
    assert_eq!(first.title, "Movement axis1x1");
    assert_eq!(first.description, "Machine number1 > Movement axis1x1: 5 requirements");
    assert_eq!(first.details.lines().count(), 6, "{}", first.details);
    // What the model is told of such a task is how its pieces begin.
    let question = &model.seen()[0].messages[1].content.clone();
    let shown = question.split_once("no others:").unwrap().1;
    assert_eq!(shown.lines().filter(|it| it.starts_with("- Movement axis")).count(), 10);
}

#[tokio::test]
async fn no_question_is_longer_than_what_a_small_model_holds() {
    for count in [None, Some(1), Some(100)] {
        let model = model().with_context(4096);
        let plan = planned(&model, &asked_for(10, count)).await.unwrap();
        check_requirements(&plan, 10);
        for asked in model.seen() {
            let tokens: usize = asked.messages.iter().map(|it| it.content.len() / 3 + 1).sum();
            assert!(tokens + 700 <= 4096, "{tokens} of {count:?}");
        }
    }
}

#[tokio::test]
async fn requirements_as_long_as_chapters_are_shown_in_part_and_kept_whole() {
    let long = "and then the tool goes on to the next place ".repeat(400);
    let document =
        format!("# Workshop\n## Moves\n- Moves the tool {long}to its end\n- Moves back\n");
    let model = model();
    let request = ParsePrd { document: document.into(), ..request(1) };
    let plan = planned(&model, &request).await.unwrap();
    assert!(plan.tasks[0].details.contains(long.trim()) && plan.uncovered.is_empty());
    let question = &model.seen()[0].messages[1].content.clone();
    assert!(question.len() < 8000 && question.contains('…'), "{}", question.len());
}

#[tokio::test]
async fn a_document_that_is_not_large_has_its_requirements_in_its_tasks() {
    let plan = planned(&model(), &asked_for(6, Some(10))).await.unwrap();
    assert_eq!(plan.requirements, 300);
    check_requirements(&plan, 6);
    assert!(plan.tasks.iter().all(|it| it.subtasks.is_empty()));
    assert_eq!(planned(&model(), &asked_for(6, None)).await.unwrap().tasks.len(), 20);
}

#[tokio::test]
async fn a_large_plan_that_was_broken_off_ends_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let request = asked_for(8, Some(12));
    let whole = planned(&model(), &request).await.unwrap();
    for after in [1, 5, 11] {
        let saved = Some(folder.path().join(after.to_string()));
        let request = ParsePrd { saved, ..request.clone() };
        let (asked, limit) = (Arc::new(AtomicUsize::new(0)), after);
        let count = Arc::clone(&asked);
        let dying = ScriptedModel::new(move |it| {
            let is_over = count.fetch_add(1, Ordering::SeqCst) >= limit;
            if is_over { Reply::Broken(String::new()) } else { answer(&it.messages[1].content) }
        });
        assert!(plan(&dying, &request, &|_| ()).await.is_err());
        let again = model();
        assert_eq!(planned(&again, &request).await.unwrap().tasks, whole.tasks);
        assert_eq!(again.seen().len(), 12 - after, "what was there is not asked for again");
    }
}
