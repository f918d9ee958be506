use serde_json::Value;
use tm_tasks::divide::Existing;
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::plan::{
    expand::{Count, expand},
    fixture::{Fixture, asking, text, words as asked_words},
};

fn task(details: &str) -> Task {
    Task::with_fields([
        ("id", json!(1)),
        ("title", json!("Search notes")),
        ("description", json!("Notes are found by word.")),
        ("details", json!(details)),
    ])
}

const PLANNED: &str = "1. Write an index of all words.\n2. Show the hits in a list.\n\nRequirements:\n\
    - The index of words is kept in SQLite\n- The list of hits shows a line of each note\n\
    - Hits are ranked by date";

#[track_caller]
fn check(details: &str, count: Option<usize>, expected: &str) {
    let parts = parts(&task(details), count).unwrap_or_default();
    let line = |it: &Part| {
        let step = if it.steps > 1 { format!(" {}/{}", it.step, it.steps) } else { String::new() };
        format!("{}{step} ({})", it.lines.join(" + "), it.requirements.len())
    };
    assert_eq!(parts.iter().map(line).collect::<Vec<_>>().join("\n"), expected);
}

#[test]
fn each_requirement_is_in_one_part_with_the_steps_that_are_about_it() {
    check(
        PLANNED,
        Some(3),
        "The index of words is kept in SQLite + Write an index of all words. (1)\n\
         The list of hits shows a line of each note + Show the hits in a list. (1)\n\
         Hits are ranked by date (1)",
    );
}

#[test]
fn a_part_does_not_depend_on_what_the_task_is_called() {
    let fields =
        [("id", json!(1)), ("title", json!("Roadmap, out of scope")), ("details", json!(PLANNED))];
    assert_eq!(parts(&Task::with_fields(fields), Some(3)), parts(&task(PLANNED), Some(3)));
}

#[test]
fn a_task_without_requirements_is_divided_by_its_own_lines() {
    let lines = "- Write the index of all words\n- Show a list of hits\n- Rank hits by their date";
    check(
        lines,
        None,
        "Write the index of all words (1)\nShow a list of hits (1)\nRank hits by their date (1)",
    );
    let more = "Write the index of all words. (1)\nShow the hits in one long list 1/2 (1)\n\
        Show the hits in one long list 2/2 (1)\nRank them by date (1)";
    let text =
        "Write the index of all words.\n\nShow the hits in one long list\n\nRank them by date";
    check(text, Some(4), more);
}

#[test]
fn what_says_too_little_or_shows_code_is_not_divided() {
    check("Write the index.", Some(3), "");
    check("", None, "");
    check("- One line here\n- Another line here", Some(5), "");
    check(&format!("{PLANNED}\n\n```sh\nnotes index\n```"), Some(3), "");
}

fn planned() -> Fixture {
    let task: Value = serde_json::from_str(&task(PLANNED).to_json()).unwrap();
    Fixture::with(&json!({"master": {"tasks": [task], "metadata": {}}}))
}

fn request() -> Expand {
    let count = Count::Exactly(3);
    Expand { count, prompt: String::new(), existing: Existing::Append, report: None }
}

fn answer(title: &str, check: &str) -> Reply {
    text(&json!({
        "title": title,
        "description": format!("When this is done, {title} is there for all notes."),
        "steps": ["Write the code of it first.", "Test it with a hundred notes."],
        "check": {"when": format!("A reader {check} for a note with hits"), "then": format!("{title} is what the index shows.")},
    }))
}

#[tokio::test]
async fn each_subtask_is_asked_for_with_its_own_words_and_ends_with_its_requirements() {
    let fixture = planned();
    let model = ScriptedModel::new(|request| {
        let asked = asked_words(request);
        let own = asked.rsplit_once("and nothing else:").map_or("", |it| it.1);
        match own {
            it if it.contains("SQLite") => answer("Keep the index in SQLite", "looks"),
            it if it.contains("list") => answer("Show a line of each note", "asks"),
            _ => answer("Rank hits by date", "sorts"),
        }
    });
    let id = "1".parse().unwrap();
    let expanded = expand(asking(&model), &fixture.place, &id, &request()).await.unwrap();
    assert_eq!(expanded.added, 3);
    let subtasks = fixture.task(1)["subtasks"].clone();
    let field = |at: usize, name: &str| subtasks[at][name].as_str().unwrap().to_owned();
    assert_eq!(field(0, "title"), "Keep the index in SQLite");
    assert_eq!(
        field(1, "details"),
        "1. Write the code of it first.\n2. Test it with a hundred notes.\n\n\
         Requirements:\n- The list of hits shows a line of each note"
    );
    assert_eq!(subtasks[0]["dependencies"], json!([]));
    assert_ne!(subtasks[1]["dependencies"], Value::Null);
    assert_eq!(model.seen().len(), 3);
}

#[tokio::test]
async fn a_subtask_that_says_what_another_says_is_asked_for_again_and_then_called_by_its_words() {
    let fixture = planned();
    let model = ScriptedModel::new(|request| {
        let (asked, reply) = (asked_words(request), answer("Index the list of hits", "looks"));
        let Reply::Text(whole) = &reply else { return reply };
        let mut whole: Value = serde_json::from_str(whole).unwrap();
        let only =
            ["title", "check"].into_iter().find(|it| asked.contains(&format!("only its \"{it}\"")));
        only.map_or(reply, |it| text(&json!({ it: whole[it].take() })))
    });
    let id = "1".parse().unwrap();
    expand(asking(&model), &fixture.place, &id, &request()).await.unwrap();
    let subtasks = fixture.task(1)["subtasks"].clone();
    let titles: Vec<&str> =
        subtasks.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Index the list of hits",
            "The list of hits shows a line of each note",
            "Hits are ranked by date"
        ]
    );
    let seen = model.seen();
    let again = |fault: &str| seen.iter().filter(|it| asked_words(it).contains(fault)).count();
    assert_eq!((again("is taken"), again("is that of another subtask"), seen.len()), (2, 2, 7));
}
