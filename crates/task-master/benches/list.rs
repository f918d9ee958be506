//! What `task-master list` costs on 1,000 tasks, in CPU time from start to end.
//!
//! `cargo bench -p task-master --no-default-features --bench list`; programs named after `--` are
//! measured too, such as the one that this one replaces. Needs Linux: the CPU time of ended
//! children is read from `/proc`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may panic and prints")]

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::json;

const TASKS: u32 = 1000;
const RUNS: u32 = 100;
/// Another program may need seconds.
const RUNS_OF_OTHERS: u32 = 3;
/// Linux counts CPU time in these, on every architecture.
const TICK_MS: f64 = 10.0;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    lay_out(directory.path());
    println!("{:<32}{:>12}{:>12}", "", "CPU ms", "wall ms");
    let ours = env!("CARGO_BIN_EXE_task-master");
    for arguments in [&["list"][..], &["list", "--with-subtasks"], &["list", "--json"], &["next"]] {
        measure(ours, arguments, RUNS, directory.path());
    }
    for other in env::args().skip(1).filter(|it| !it.starts_with("--")) {
        measure(&other, &["list"], RUNS_OF_OTHERS, directory.path());
    }
}

fn lay_out(directory: &Path) {
    let statuses = ["pending", "in-progress", "done", "review", "blocked"];
    let priorities = ["high", "medium", "low"];
    let tasks: Vec<_> = (1..=TASKS)
        .map(|id| {
            json!({
                "id": id,
                "title": format!("Task {id}: make the thing do what it says it does"),
                "description": "A description of about the length that descriptions have.",
                "status": statuses[id as usize % statuses.len()],
                "priority": priorities[id as usize % priorities.len()],
                "dependencies": if id > 2 { vec![id - 1, id / 2] } else { vec![] },
                "details": "Details. ".repeat(60),
                "testStrategy": "A test. ".repeat(10),
                "subtasks": (1..=3).map(|subtask| json!({
                    "id": subtask,
                    "title": format!("Part {subtask}"),
                    "description": "What it is about",
                    "status": "pending",
                    "dependencies": [],
                    "details": "Details. ".repeat(10),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let file = json!({ "master": { "tasks": tasks, "metadata": {} } });
    let tasks_dir = directory.join(".taskmaster/tasks");
    fs::create_dir_all(&tasks_dir).unwrap();
    fs::write(tasks_dir.join("tasks.json"), serde_json::to_string_pretty(&file).unwrap()).unwrap();
}

fn measure(program: &str, arguments: &[&str], runs: u32, directory: &Path) {
    let (cpu, wall) = (ticks_of_children(), Instant::now());
    for _ in 0..runs {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(directory).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    }
    let cpu_ms = (ticks_of_children() - cpu) * TICK_MS / f64::from(runs);
    let wall_ms = wall.elapsed().as_secs_f64() * 1000.0 / f64::from(runs);
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    let label = format!("{name} {}", arguments.join(" "));
    println!("{label:<32}{cpu_ms:>12.1}{wall_ms:>12.1}");
}

/// CPU time, in user and system mode, of children that have ended.
fn ticks_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks = after_name.split_whitespace().skip(13).take(2);
    ticks.map(|it| it.parse::<f64>().unwrap()).sum()
}
