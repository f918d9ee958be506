//! Tasks that are not good enough: who is asked about them, in which order, and how that ends.

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer},
    project::Project,
};

const SECRET: &str = "sk-very-secret";

/// A task that says something, or one that does not.
fn task(is_good: bool) -> Value {
    if !is_good {
        return json!({"title": "Bake rye bread", "description": "Bread.", "details": "Bread.",
                      "testStrategy": "Taste.", "dependencies": []});
    }
    json!({
        "title": "Bake rye bread overnight",
        "description": "The bakery can bake rye bread overnight in its stone oven.",
        "details": "Add a schedule to the oven controller. Bake rye bread overnight at 220 \
                    degrees. Log each batch with its weight, flour and temperature.",
        "testStrategy": "Start a batch of rye bread overnight and check that the log shows it.",
        "dependencies": []
    })
}

/// The same model server for all: `main` is the model of this machine, `big` a larger one here, and
/// `far` one that is elsewhere. Those in `good` answer well, and those in `dead` do not answer.
fn server(good: &'static [&'static str], dead: &'static [&'static str]) -> ModelServer {
    ModelServer::start(move |question| {
        let model = question["model"].as_str().unwrap_or_default();
        if dead.contains(&model) {
            return Answer::Fails(500);
        }
        Answer::Says(task(good.contains(&model)).to_string())
    })
}

/// A project whose fallback is elsewhere, at an address that is not this machine's own by name.
fn project(server: &ModelServer, escalation: Option<&str>, global: &Value) -> Project {
    let project = Project::with_tasks(&json!([]));
    let port = server.port();
    let here = |model: &str| {
        json!({"provider": "lmstudio", "modelId": model,
               "baseURL": format!("http://127.0.0.1:{port}/v1")})
    };
    let far = json!({"provider": "openai", "modelId": "far",
                     "baseURL": format!("http://0.0.0.0:{port}/v1")});
    let mut models = json!({"main": here("main"), "research": here("main"), "fallback": far});
    if let Some(model) = escalation {
        models["escalation"] = here(model);
    }
    let config = json!({"models": models, "global": global});
    project.write(".taskmaster/config.json", config.to_string());
    project
}

fn run(project: &Project, mode: &str, arguments: &[&str]) -> crate::project::Run {
    let command = &[&["add-task", "-p", "Rye bread"], arguments].concat();
    let variables = [("TASKMASTER_MODE", mode), ("OPENAI_API_KEY", SECRET)];
    project.outcome(project.command(command).envs(variables).output().unwrap())
}

/// Who was asked for what, the first one first.
fn traced(project: &Project) -> Vec<String> {
    let listed = project.json(&["trace", "--json"]);
    let records = listed["requests"].as_array().unwrap().iter().rev();
    let shown = records.map(|it| {
        let text = |name: &str| it[name].as_str().unwrap_or("nobody").to_owned();
        format!("{} {}: {}", text("role"), text("model"), text("ending"))
    });
    shown.collect()
}

fn title(project: &Project) -> String {
    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    file["master"]["tasks"][0]["title"].as_str().unwrap().to_owned()
}

fn sent(project: &Project) -> Value {
    project.json(&["privacy", "--json"])["audit"]["sent"].clone()
}

#[test]
fn a_weak_task_is_asked_of_the_same_model_then_a_larger_one_here_then_one_elsewhere() {
    let server = server(&["far"], &[]);
    let project = project(&server, Some("big"), &json!({}));
    let run = run(&project, "hybrid", &["--min-quality", "80"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert_eq!(title(&project), "Bake rye bread overnight");
    assert_eq!(
        traced(&project),
        [
            "main main: answered",
            "main main: answered",
            "escalation big: answered",
            "escalation far: answered",
        ]
    );
    assert_eq!(sent(&project), 1, "one request left this machine");
    assert!(!run.err.contains("quality below threshold"), "{}", run.err);
}

#[test]
fn nothing_leaves_this_machine_and_the_best_task_so_far_is_told_to_be_below_the_threshold() {
    let server = server(&["far"], &[]);
    let project = project(&server, Some("big"), &json!({}));
    let run = run(&project, "local-only", &["--min-quality", "80"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("quality below threshold (80 %): the task"), "{}", run.err);
    assert!(run.err.contains("hint: it was written all the same"), "{}", run.err);
    assert_eq!(title(&project), "Bake rye bread");
    assert_eq!(sent(&project), 0);
    let asked = server.asked();
    assert_eq!(asked.iter().map(|it| &it["model"]).collect::<Vec<_>>(), ["main", "main", "big"]);
    // The journal has it, too.
    let change = &project.json(&["history", "--json"])["changes"][0];
    assert_eq!(change["quality"]["minimum"], 80);
    assert!(change["quality"]["tasks"][0]["percent"].as_u64() < Some(80), "{change}");
    let shown = project.run(&["history", "1"]);
    assert!(shown.out.contains("; 1 below 80 %"), "{}", shown.all());
}

#[test]
fn whoever_is_good_enough_is_the_last_one_asked() {
    let server = server(&["big", "far"], &[]);
    let project = project(&server, Some("big"), &json!({"escalateBelow": 80}));
    let run = run(&project, "hybrid", &[]);
    assert_eq!((run.code, title(&project).as_str()), (0, "Bake rye bread overnight"));
    assert_eq!(server.questions(), 3);
    assert_eq!(sent(&project), 0);
}

#[test]
fn a_setting_warns_where_a_minimum_fails() {
    let server = server(&[], &[]);
    let project = project(&server, None, &json!({"escalateBelow": 80}));
    let run = run(&project, "local-only", &[]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("warning: quality below threshold (80 %): the task"), "{}", run.err);
}

#[test]
fn a_dead_larger_model_leaves_the_task_as_it_was_and_is_told() {
    let server = server(&[], &["big"]);
    let project = project(&server, Some("big"), &json!({"escalateBelow": 80}));
    let run = run(&project, "local-only", &[]);
    assert_eq!((run.code, title(&project).as_str()), (0, "Bake rye bread"), "{}", run.all());
    assert!(run.err.contains("warning: what there was is kept, because"), "{}", run.err);
}

#[test]
fn without_a_setting_or_a_flag_nobody_is_asked_again_and_nothing_is_said() {
    let server = server(&["big"], &[]);
    let project = project(&server, Some("big"), &json!({}));
    let run = run(&project, "hybrid", &[]);
    assert_eq!((run.code, server.questions(), title(&project).as_str()), (0, 1, "Bake rye bread"));
    assert!(!run.err.contains("below"), "{}", run.err);
    let change = &project.json(&["history", "--json"])["changes"][0];
    assert_eq!(change["quality"].get("minimum"), None, "{change}");
}

#[test]
fn a_minimum_that_is_none_is_refused_and_nobody_is_asked() {
    let server = server(&[], &[]);
    let project = project(&server, None, &json!({"escalateBelow": "very good"}));
    let wrong = run(&project, "local-only", &[]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("`global.escalateBelow` is \"very good\""), "{}", wrong.err);
    assert_eq!(run(&project, "local-only", &["--min-quality", "0"]).code, 1);
    assert_eq!(server.questions(), 0);
}

#[test]
fn subtasks_and_rewritten_tasks_are_scored_and_asked_for_again_as_well() {
    let server = ModelServer::start(|question| {
        let is_good = question["model"] == "big";
        let mut said = task(is_good);
        said["id"] = json!(1);
        let (task, subtask) = (said.clone(), said.clone());
        said["task"] = task;
        said["subtasks"] = json!([subtask]);
        Answer::Says(said.to_string())
    });
    let project = project(&server, Some("big"), &json!({}));
    project.write(
        ".taskmaster/tasks/tasks.json",
        json!({"master": {"tasks": [{"id": 1, "title": "Bread", "description": "Bread.", "status": "pending",
            "dependencies": [], "details": "", "testStrategy": "", "subtasks": []}]}}).to_string(),
    );
    for (at, arguments) in [
        &["update-task", "--id=1", "--prompt=Rye", "--min-quality=80"][..],
        &["scope-up", "--id=1", "--min-quality=80"],
        &["expand", "--id=1", "--num=1", "--min-quality=80"],
    ]
    .iter()
    .enumerate()
    {
        let run = project.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?} {}", run.all());
        let asked: Vec<Value> = server.asked().iter().map(|it| it["model"].clone()).collect();
        assert_eq!(asked[at * 3..], ["main", "main", "big"], "{arguments:?}");
    }
    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    let task = &file["master"]["tasks"][0];
    assert_eq!(task["title"], "Bake rye bread overnight");
    assert_eq!(task["subtasks"][0]["title"], "Bake rye bread overnight");
}

#[test]
fn a_plans_weak_tasks_alone_are_asked_of_others() {
    let planned = |id: u64, is_good: bool| {
        let mut task = task(is_good);
        task["id"] = json!(id);
        task["priority"] = json!("high");
        task
    };
    let plan = json!({"tasks": [planned(1, true), planned(2, false)]});
    let again = json!({
        "title": "Sell bread rolls in the shop",
        "description": "People can buy bread rolls in the shop of the bakery.",
        "steps": ["Add bread rolls to the shop with price and stock of each.",
                  "Let people of the bakery change the price of bread rolls.",
                  "Reserve the rolls that somebody has put into the cart."],
        "check": {"when": "A customer buys two bread rolls in the shop.", "then": "The stock shows two rolls less."},
        "priority": "high"
    });
    let server = ModelServer::start(move |question| {
        Answer::Says(if question["model"] == "main" { plan.to_string() } else { again.to_string() })
    });
    let project = project(&server, Some("big"), &json!({}));
    project.write("prd.md", "# Bakery\n\n- Bake rye bread overnight.\n- Sell bread rolls.\n");
    let run = project.run(&["parse-prd", "prd.md", "-n", "2", "--min-quality", "80"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    let titles: Vec<&Value> =
        file["master"]["tasks"].as_array().unwrap().iter().map(|it| &it["title"]).collect();
    assert_eq!(titles, ["Bake rye bread overnight", "Sell bread rolls in the shop"]);
    let big = server.asked().into_iter().filter(|it| it["model"] == "big").count();
    assert_eq!(big, 1, "the good task was not asked for again");
    assert!(run.out.contains("2 tasks added"), "{}", run.all());
}
