//! `add-task --prompt`, `expand`, `update`, `update-task` and `update-subtask`, asked over HTTP.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer, configure},
    project::Project,
};

fn project() -> Project {
    Project::with_tasks(&json!([
        {"id": 1, "title": "Set up the store", "description": "SQLite", "status": "done",
         "dependencies": [], "priority": "high", "details": "", "testStrategy": "", "subtasks": []},
        {"id": 2, "title": "Search notes", "description": "By word", "status": "in-progress",
         "dependencies": [1], "priority": "high", "details": "Use FTS5.", "testStrategy": "Search.",
         "own": {"kept": true}, "subtasks": [
            {"id": 1, "title": "Index notes", "description": "I", "status": "done", "dependencies": []},
            {"id": 2, "title": "Rank hits", "description": "R", "status": "pending", "dependencies": [1],
             "details": "Use bm25."}]},
        {"id": 3, "title": "Export notes", "description": "One file a note", "status": "pending",
         "dependencies": [2], "priority": "medium", "details": "", "testStrategy": "", "subtasks": []},
        {"id": 4, "title": "Draw the logo", "description": "A pencil", "status": "pending",
         "dependencies": [], "priority": "low", "details": "", "testStrategy": "", "subtasks": []},
    ]))
}

fn task(project: &Project, number: usize) -> Value {
    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    file["master"]["tasks"][number - 1].clone()
}

fn subtasks() -> Value {
    json!({"subtasks": [
        {"id": 1, "title": "Write the file", "description": "A file is there.", "dependencies": [],
         "details": "Write it with its title.", "status": "pending", "testStrategy": "Look."},
        {"id": 2, "title": "Name it after the note", "description": "It has a name.",
         "dependencies": [1, 9], "details": "Use the title of it.", "status": "done", "testStrategy": null},
    ]})
}

#[test]
fn add_task_has_a_task_written_and_says_what_to_do_next() {
    let project = project();
    let server = ModelServer::saying(&json!({
        "title": "Search exported notes", "description": "Exports are found.", "details": "Index them.",
        "testStrategy": "Search.", "dependencies": [3, 88]}));
    let run = server.run(&project, &["add-task", "-p", "Search exports", "--priority=low"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.starts_with("✓ Task 5: Search exported notes\n"), "{}", run.out);
    assert!(run.out.contains("150 tokens") || run.out.contains("100 tokens read, 50 written"));
    let added = task(&project, 5);
    assert_eq!((&added["dependencies"], &added["priority"]), (&json!([3]), &json!("low")));
    assert_eq!(server.asked()[0]["model"], "main");

    let run = server.run(&project, &["add-task", "-p", "Search exports again", "--research"]);
    assert!(run.err.contains("warning: task 5, “Search exported notes”, is nearly the same"));
    assert_eq!(server.asked()[1]["model"], "research");
}

#[test]
fn research_tells_the_model_what_documents_say_and_the_user_where() {
    let project = project();
    project.write("docs/export.md", "# Export\n\nExported notes end in `.bread`. Ovens are hot.\n");
    let server = ModelServer::saying(&json!({
        "title": "Name exported notes", "description": "Exports end in .bread.", "details": "Name them.",
        "testStrategy": "Look.", "dependencies": []}));
    let quoted = "docs/export.md:1-3: “Exported notes end in `.bread`.”";
    let told = |number: usize| server.asked()[number].to_string().contains(quoted);
    for (number, research) in [(0, false), (1, true)] {
        let prompt = format!("--prompt=Name exported notes, {number}");
        let flags: &[&str] = if research { &["--research"] } else { &[] };
        let run = server.run(&project, &[&["add-task", &prompt], flags].concat());
        assert_eq!(run.code, 0, "{}", run.all());
        assert_eq!(told(number), research, "{}", server.asked()[number]);
        assert_eq!(run.err.contains("looked up in docs/export.md:1-3"), research, "{}", run.err);
    }
}

#[test]
fn expand_divides_a_task_and_force_replaces_what_is_there() {
    let project = project();
    let server = ModelServer::saying(&subtasks());
    let run = server.run(&project, &["expand", "--id=2", "-n", "2"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(
        run.out.contains("  2.3 Write the file\n  2.4 Name it after the note\n"),
        "{}",
        run.out
    );
    let added = &task(&project, 2)["subtasks"][3];
    assert_eq!((&added["dependencies"], &added["status"]), (&json!([3]), &json!("pending")));

    let run = server.run(&project, &["expand", "-i", "2", "--force", "-cr", "none.json"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("warning: there is no complexity report"), "{}", run.err);
    assert_eq!(task(&project, 2)["subtasks"].as_array().unwrap().len(), 2);
    assert_eq!(task(&project, 2)["own"], json!({"kept": true}));
}

#[test]
fn expand_all_goes_on_when_a_task_fails() {
    let project = project();
    let server = ModelServer::start(|question| {
        let text = question["messages"].to_string();
        let is_export = text.contains("<task>\\nTask 3");
        Answer::Says(if is_export { "I cannot.".into() } else { subtasks().to_string() })
    });
    let run = server.run(&project, &["expand", "--all"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("warning: task 3 was not divided: "), "{}", run.err);
    assert!(run.out.contains("✓ 1 tasks divided into 2 subtasks, 1 failed, 1 have some already"));
    assert_eq!(task(&project, 4)["subtasks"].as_array().unwrap().len(), 2);
    assert_eq!(task(&project, 3)["subtasks"], json!([]));
}

#[test]
fn all_tasks_are_meant_even_where_one_is_named() {
    let project = project();
    let server = ModelServer::saying(&subtasks());
    let run = server.run(&project, &["expand", "--id=4", "--all"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert_eq!(task(&project, 3)["subtasks"].as_array().unwrap().len(), 2);
}

#[test]
fn expand_without_a_task_shows_how_and_is_no_failure() {
    let project = project();
    let before = project.tasks();
    let run = project.run(&["expand"]);
    assert_eq!((run.code, project.tasks()), (0, before), "{}", run.all());
    assert!(run.err.contains("name one with --id, or add --all"), "{}", run.err);
    assert!(run.out.contains("--complexity-report <PATH>"), "{}", run.out);
}

#[test]
fn update_changes_open_tasks_and_nulls_wipe_nothing() {
    let project = project();
    let server = ModelServer::saying(&json!({"tasks": [
        {"id": 2, "title": "Search notes in Postgres", "description": null, "subtasks": null, "priority": null},
        {"id": 4, "title": "Draw the logo", "description": "A pencil", "status": "pending"},
    ]}));
    let mut expected = task(&project, 2);
    let run = server.run(&project, &["update", "--from=2", "--prompt=Use Postgres"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("✓ 1 of 3 open tasks changed\n"), "{}", run.out);
    expected["title"] = json!("Search notes in Postgres");
    assert_eq!(task(&project, 2), expected);
    assert_eq!(server.questions(), 1);
    assert_eq!(project.run(&["undo"]).code, 0);
    assert_eq!(task(&project, 2)["title"], "Search notes");
}

#[test]
fn update_task_rewrites_by_either_form_and_append_adds_a_note() {
    let project = project();
    let server = ModelServer::start(|question| {
        let is_object = question["response_format"].is_object();
        let task = json!({"task": {"id": 99, "title": "Draw a new logo", "status": "done"}});
        Answer::Says(if is_object { task.to_string() } else { "Use ink.".into() })
    });
    let run = server.run(&project, &["update-task", "4", "draw", "it", "anew"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let changed = task(&project, 4);
    assert_eq!((&changed["id"], &changed["status"]), (&json!(4), &json!("pending")));
    assert_eq!(changed["title"], "Draw a new logo");
    assert!(server.asked()[0]["messages"].to_string().contains("draw it anew"));

    let run = server.run(&project, &["update-task", "--id=4", "-p", "Which pen?", "--append"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let details = task(&project, 4)["details"].as_str().unwrap().to_owned();
    assert!(details.contains(">\nUse ink.\n</info added on "), "{details}");

    let run = server.run(&project, &["update-task", "1", "change it"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("warning: task 1 is done and stays as it is"), "{}", run.err);
}

#[test]
fn update_subtask_adds_a_note_and_leaves_the_description_alone() {
    let project = project();
    let server = ModelServer::start(|_| Answer::Says("Prefer recent notes.".into()));
    let run = server.run(&project, &["update-subtask", "--id=2.2", "--prompt=Age?", "-r"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let subtask = &task(&project, 2)["subtasks"][1];
    let details = subtask["details"].as_str().unwrap();
    assert!(details.starts_with("Use bm25.\n<info added on "), "{details}");
    assert!(details.contains("\nPrefer recent notes.\n</info added on "), "{details}");
    assert_eq!(subtask["description"], "R");
    assert_eq!(server.asked()[0]["model"], "research");
}

/// Every command that asks a model, on tasks that it may change.
const COMMANDS: [&[&str]; 6] = [
    &["add-task", "--prompt=x"],
    &["expand", "--id=3"],
    &["expand", "--all"],
    &["update", "--prompt=x"],
    &["update-task", "--id=3", "--prompt=x"],
    &["update-subtask", "--id=2.2", "--prompt=x"],
];

#[track_caller]
fn fails(project: &Project, arguments: &[&str]) {
    let before = project.tasks();
    let run = project.run(arguments);
    assert_eq!(run.code, 1, "{arguments:?}: {}", run.all());
    assert!(run.err.contains("\nhint: "), "{arguments:?}: {}", run.err);
    assert_eq!(project.tasks(), before, "{arguments:?}");
}

#[test]
fn a_server_that_is_not_there_or_fails_changes_nothing() {
    let gone = project();
    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    configure(&gone, port);
    let refusing = project();
    let server = ModelServer::start(|_| Answer::Fails(400));
    server.run(&refusing, &["list"]);
    for arguments in COMMANDS {
        fails(&gone, arguments);
        fails(&refusing, arguments);
    }
}

#[test]
fn answers_of_no_use_change_nothing() {
    for said in ["", "{\"nothing\": \"here\"}", "[1, 2"] {
        let project = project();
        let server = ModelServer::start(move |_| Answer::Says(said.into()));
        server.run(&project, &["list"]);
        for arguments in COMMANDS {
            let is_note = arguments[0] == "update-subtask";
            if !is_note || said.is_empty() {
                fails(&project, arguments);
            }
        }
    }
}

#[test]
fn calls_that_make_no_sense_ask_nobody() {
    let project = project();
    let server = ModelServer::start(|_| Answer::Fails(500));
    server.run(&project, &["list"]);
    for arguments in [
        &["add-task"][..],
        &["expand", "--id=77"],
        &["expand", "--id=2.1"],
        &["expand", "--id=3", "--num=99"],
        &["expand", "--id=3", "--tag=none"],
        &["update"],
        &["update", "--prompt= "],
        &["update-task", "77", "x"],
        &["update-task", "2.2", "x"],
        &["update-task", "3"],
        &["update-task"],
        &["update-subtask", "--id=2.9", "--prompt=x"],
        &["update-subtask", "--id=2", "--prompt=x"],
        &["update-subtask", "--id=2.2"],
    ] {
        fails(&project, arguments);
    }
    assert_eq!(server.questions(), 0);
    let broken = Project::with_text("{\"master\": {\"tasks\": [");
    for arguments in COMMANDS {
        server.run(&broken, &["--version"]);
        fails(&broken, arguments);
    }
    assert_eq!(server.questions(), 0);
}

#[test]
fn ctrl_c_keeps_what_is_done_and_says_so() {
    let project = project();
    let server = ModelServer::start(|question| {
        let is_export = question["messages"].to_string().contains("<task>\\nTask 3");
        if is_export { Answer::Says(subtasks().to_string()) } else { Answer::Stalls }
    });
    server.run(&project, &["list"]);
    let mut command = project.command(&["expand", "--all"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while server.questions() < 2 && started.elapsed() < Duration::from_mins(1) {
        thread::yield_now();
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let run = project.outcome(child.wait_with_output().unwrap());
    assert_eq!(run.code, 130, "{}", run.all());
    assert!(run.err.contains("the tasks divided so far are kept"), "{}", run.err);
    assert_eq!(task(&project, 3)["subtasks"].as_array().unwrap().len(), 2);
    assert_eq!(task(&project, 4)["subtasks"], json!([]));
}
