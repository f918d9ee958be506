use tm_tasks::{document::TaskFile, store::Store};
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::{
    plan::parse_prd::{Existing, Target, parse_prd},
    prompts::Prompts,
};

const PRD: &str =
    "# Notes\n- find notes by word\n- answer within 50 ms\n- one file for each note\n";

fn request(count: Option<usize>) -> ParsePrd {
    ParsePrd {
        document: PRD.into(),
        count,
        language: "English".into(),
        prompts: Prompts::default(),
        priority: Priority::Medium,
        timeout: std::time::Duration::from_mins(1),
        saved: None,
        documents: None,
        escalation: None,
    }
}

fn task(id: u64, dependencies: &[u64]) -> Value {
    json!({
        "id": id,
        "title": format!("Task {id}"),
        "description": format!("What task {id} is."),
        "details": "Find notes by word and answer within 50 ms.",
        "testStrategy": "Look.",
        "priority": "high",
        "dependencies": dependencies,
        "status": "done",
    })
}

fn says(tasks: &[Value]) -> Reply {
    Reply::Text(json!({"tasks": tasks, "metadata": {"projectName": "Notes"}}).to_string())
}

/// Runs with three tasks in the tag; gives ids with what they wait for, as they are written.
async fn written(existing: Existing, replies: Vec<Reply>) -> Result<String, ParsePrdError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.json");
    let tasks = r#"{"master": {"tasks": [{"id": 1}, {"id": 3}, {"id": 2}]}}"#;
    std::fs::write(&path, tasks).unwrap();
    let store = Store::open(&path, folder.path().join("journal"));
    let target = Target { store: store.clone(), tag: "master".into(), existing };
    let model = ScriptedModel::playing(replies).with_whole_answers();
    let result = parse_prd(&model, target, &request(None), &|_| ()).await;
    let after = std::fs::read_to_string(&path).unwrap();
    if result.is_err() {
        assert_eq!(after, tasks);
    }
    result?;
    let file = TaskFile::parse(&after).unwrap();
    let spelled = |it: &Task| {
        let dependencies: Vec<String> = it.dependencies().iter().map(ToString::to_string).collect();
        format!("{}:{}", it.id(), dependencies.join(","))
    };
    let tasks = file.tag("master").unwrap().tasks();
    Ok(tasks.iter().map(spelled).collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn ids_go_on_however_the_model_counts() {
    let from_one = [task(2, &[1]), task(1, &[]), task(3, &[1, 2, 3])];
    let going_on = [task(4, &[]), task(5, &[4, 2, 9]), task(6, &[3, 5])];
    for (existing, tasks, expected) in [
        (Existing::Append, &from_one, "1: 3: 2: 4: 5:4 6:4,5"),
        (Existing::Append, &going_on, "1: 3: 2: 4: 5:2,4 6:3,5"),
        (Existing::Replace, &from_one, "4: 5:4 6:4,5"),
        (Existing::Replace, &going_on, "4: 5:4 6:5"),
    ] {
        assert_eq!(written(existing, vec![says(tasks)]).await.unwrap(), expected, "{existing:?}");
    }
}

#[tokio::test]
async fn ids_that_make_no_sense_are_told_to_the_model_once() {
    let wrong: [(&[Value], &str); 5] = [
        (&[task(1, &[]), task(1, &[])], "several tasks have the id 1"),
        (&[task(1, &[]), task(3, &[])], "no task has the id 2"),
        (&[task(2, &[])], "the ids begin with 2 instead of 4"),
        (&[json!({"id": 1.5, "title": "T", "description": "D"})], "1.5 is no id of a task"),
        (&[], "[] has less than 1 item"),
    ];
    for (tasks, expected) in wrong {
        let error = written(Existing::Replace, vec![says(tasks), says(tasks)]).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let mended = vec![says(tasks), says(&[task(1, &[])])];
        assert_eq!(written(Existing::Replace, mended).await.unwrap(), "4:");
    }
}

#[tokio::test]
async fn a_model_that_fails_leaves_the_file_alone() {
    let faults = [
        Reply::Text(String::new()),
        Reply::Text("I would rather not.".into()),
        Reply::Text(json!({"nothing": "here"}).to_string()),
        Reply::Broken("{\"tasks\": [".into()),
        Reply::Cut("{\"tasks\": [".into()),
        Reply::Overflow,
    ];
    for fault in faults {
        let error = written(Existing::Append, vec![fault.clone(), fault]).await.unwrap_err();
        assert!(matches!(error, ParsePrdError::Whole(_)), "{error}");
    }
}

async fn plan(model: &ScriptedModel, request: &ParsePrd) -> Plan {
    crate::plan::parse_prd::plan(model, request, &|_| ()).await.unwrap()
}

#[tokio::test]
async fn one_question_has_the_whole_document_and_what_is_missing_afterwards_is_told() {
    let sparse = json!({"id": 1, "title": "Search", "description": "Find notes by word."});
    let model = ScriptedModel::playing([says(&[sparse])]).with_whole_answers();
    let plan = plan(&model, &request(Some(2))).await;
    assert_eq!(plan.tasks.len(), 1, "fewer than asked for is what the model decided");
    assert_eq!((plan.tasks[0].priority.as_str(), plan.requirements), ("medium", 3));
    assert_eq!(plan.uncovered, ["answer within 50 ms", "one file for each note"]);
    let seen = model.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].messages[1].content.contains(PRD.trim()));
}

#[tokio::test]
async fn tasks_that_are_there_are_shown_only_when_they_stay() {
    let tag = TaskFile::parse(r#"{"master": {"tasks": [{"id": 7, "title": "Log in"}]}}"#).unwrap();
    let tasks = tag.tag("master").unwrap().tasks().to_vec();
    let model = ScriptedModel::new(|_| Reply::Stall).with_whole_answers();
    let question = |tasks: &[Task]| {
        let before = Before { tasks: tasks.to_vec(), first_id: 8 };
        let whole = Whole::new(&model, &request(None), (PRD, &[]), &before).unwrap().unwrap();
        whole.messages[1].content.clone()
    };
    assert!(question(&tasks).contains("\n- 7: Log in\n"), "{}", question(&tasks));
    assert!(question(&[]).contains("\"id\": 8 for the first task"));
    assert!(!question(&[]).contains("are there already"));
}

#[tokio::test]
async fn small_models_and_long_documents_are_planned_in_parts() {
    let long = format!("# Sensors\n{}", "- store a value of a sensor with its time\n".repeat(400));
    let whole = |model: &ScriptedModel, document: &str| {
        Whole::new(model, &request(Some(3)), (document, &[]), &Before::default()).unwrap().is_some()
    };
    let model = || ScriptedModel::new(|_| Reply::Stall);
    assert!(whole(&model().with_whole_answers(), PRD));
    assert!(!whole(&model(), PRD));
    assert!(!whole(&model().with_whole_answers().with_context(4096), &long));
}
