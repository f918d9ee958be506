//! Many agents at once on one project, each with a server of its own.
//!
//! `TASK_MASTER_TEST_AGENTS_S=60` lets them work that many seconds instead of a few rounds.

use std::{
    collections::BTreeMap,
    env, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::client::Client;
use crate::project::Project;

const AGENTS: usize = 20;
const TAGS: [&str; 4] = ["master", "bread", "cakes", "rolls"];
const ROUNDS: usize = 2;

/// What one agent was told is done: the titles of its tasks by id.
type Done = BTreeMap<u64, String>;

/// Adds tasks to the agent's tag, and changes them, until it is told to stop.
fn work(project: &Project, agent: usize, until: Option<Instant>) -> Done {
    let tag = TAGS[agent % TAGS.len()];
    let mut client = Client::start(project);
    let mut done = Done::new();
    let goes_on = |round: usize| until.map_or(round < ROUNDS, |it| Instant::now() < it);
    let mut round = 0;
    while goes_on(round) {
        let title = format!("agent {agent}, round {round}");
        let arguments = json!({ "title": title, "description": "d", "tag": tag });
        let number = client.data("add_task", arguments)["taskId"].as_u64().unwrap();
        let id = number.to_string();
        client.data("add_subtask", json!({ "id": id, "title": "part", "tag": tag }));
        client.data("set_task_status", json!({ "id": id, "status": "done", "tag": tag }));
        // What is current is no business of calls that name their tag.
        client.data("use_tag", json!({ "name": TAGS[round % TAGS.len()] }));
        let task = client.data("get_task", json!({ "id": id, "tag": tag }));
        assert_eq!((&task["title"], &task["status"]), (&json!(title), &json!("done")));
        assert!(done.insert(number, title).is_none(), "{number} was given twice");
        round += 1;
    }
    done
}

#[test]
fn many_agents_lose_no_change_and_mix_no_tags() {
    let tags: BTreeMap<&str, Value> =
        TAGS.iter().map(|it| (*it, json!({ "tasks": [], "metadata": {} }))).collect();
    let project = Project::with_text(json!(tags).to_string());
    let seconds = env::var_os("TASK_MASTER_TEST_AGENTS_S").and_then(|it| it.to_str()?.parse().ok());
    let until = seconds.map(|it| Instant::now() + Duration::from_secs(it));
    let done: Vec<Done> = thread::scope(|scope| {
        let project = &project;
        let agents = (0..AGENTS).map(|it| scope.spawn(move || work(project, it, until)));
        let agents: Vec<_> = agents.collect();
        agents.into_iter().map(|it| it.join().unwrap()).collect()
    });

    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    for (index, tag) in TAGS.iter().enumerate() {
        let theirs = done.iter().skip(index).step_by(TAGS.len());
        let expected: BTreeMap<u64, &str> =
            theirs.flatten().map(|(id, title)| (*id, title.as_str())).collect();
        let tasks = file[*tag]["tasks"].as_array().unwrap();
        assert_eq!(tasks.len(), expected.len(), "{tag}");
        for task in tasks {
            let id = task["id"].as_u64().unwrap();
            assert_eq!(task["title"].as_str(), expected.get(&id).copied(), "{tag} {task}");
            assert_eq!(
                (&task["status"], &task["subtasks"][0]["title"]),
                (&json!("done"), &json!("part")),
                "{tag} {task}"
            );
        }
    }
    let rounds: usize = done.iter().map(BTreeMap::len).sum();
    assert!(rounds >= AGENTS);
    eprintln!("{AGENTS} agents: {} changes", rounds * 4);
}
