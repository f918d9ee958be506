//! Dependencies as a little language: `1 done; 2 high <1,5`.

use super::*;

/// `check("2 in-progress high <1 [1 done; 2 pending <1]", ..)`: the id, then in any order a
/// status, a priority, dependencies after `<`, subtasks in brackets.
fn tasks(text: &str) -> Vec<Task> {
    list(text, None)
}

fn list(text: &str, parent: Option<&str>) -> Vec<Task> {
    let mut depth = 0;
    let split = text.split(move |it: char| {
        depth += i32::from(it == '[') - i32::from(it == ']');
        it == ';' && depth == 0
    });
    split.map(str::trim).filter(|it| !it.is_empty()).map(|it| task(it, parent)).collect()
}

fn task(text: &str, parent: Option<&str>) -> Task {
    let (words, subtasks) = text.split_once('[').unwrap_or((text, "]"));
    let mut words = words.split_whitespace();
    let id = words.next().unwrap();
    let mut task = Task::parse("{}", parent);
    task.set("id", &id.into());
    for word in words {
        if let Some(ids) = word.strip_prefix('<') {
            task.set("dependencies", &ids.split(',').collect::<Vec<_>>().into());
        } else if matches!(Priority::read(word), Priority::Other(_)) && word != "urgent" {
            task.set("status", &word.into());
        } else {
            task.set("priority", &word.into());
        }
    }
    task.set_subtasks(&list(subtasks.trim_end_matches(']'), Some(id)));
    task
}

#[track_caller]
fn check_next(text: &str, expected: &str) {
    let next = next_task(&tasks(text));
    let found = next.map(|it| format!("{} {}", it.task.id(), it.priority));
    assert_eq!(found.as_deref().unwrap_or("none"), expected);
}

#[test]
fn next_is_the_most_urgent_task_that_waits_for_nothing() {
    check_next("", "none");
    check_next("1 done", "none");
    check_next("1 low; 2 high; 3 medium", "2 high");
    check_next("1 high; 2 critical", "2 critical");
    check_next("1 low; 2 urgent", "2 urgent");
    check_next("1 low; 2", "2 medium");
    check_next("1 deferred high; 2 blocked high; 3 review high; 4 cancelled high; 5 low", "5 low");
}

#[test]
fn next_prefers_fewer_dependencies_then_the_lower_id() {
    check_next("1 done; 2 high <1; 3 high", "3 high");
    check_next("9 high; 10 high; 4 high", "4 high");
    check_next("10; 9", "9 medium");
}

#[test]
fn only_done_unblocks_the_next_task() {
    check_next("1 cancelled; 2 high <1; 3 low", "3 low");
    check_next("1 completed; 2 high <1; 3 low", "3 low");
    check_next("1 done; 2 high <1; 3 low", "2 high");
    check_next("1 high <99; 2 low", "2 low");
    check_next("1 done [1 done]; 2 high <1.1; 3 low", "2 high");
}

#[test]
fn subtasks_of_tasks_in_progress_come_first() {
    check_next("1 high; 2 in-progress low [1; 2]", "2.1 low");
    check_next("1 high; 2 in-progress [1 done; 2 <1; 3 <1,2]", "2.2 medium");
    check_next("1 high; 2 in-progress low [1 <2; 2 <1]", "1 high");
    check_next("1 in-progress low [1]; 2 in-progress low [1 high]", "2.1 high");
    check_next("2 in-progress [1]; 10 in-progress [1]", "2.1 medium");
    check_next("1 high; 2 pending [1]", "1 high");
    check_next("1 high; 2 in-progress [1 done]", "1 high");
    check_next("1 done; 2 in-progress <9 [1 <1.1]; 3 low", "3 low");
}

#[test]
fn the_recommendation_of_a_list_takes_cancelled_as_complete_and_skips_subtasks() {
    let recommended = |text: &str| {
        let tasks = tasks(text);
        recommended_task(&tasks, &Graph::new(&tasks)).map(|it| it.task.id().to_string())
    };
    assert_eq!(recommended("1 cancelled; 2 high <1; 3 low").as_deref(), Some("2"));
    assert_eq!(recommended("1 completed; 2 high <1; 3 low").as_deref(), Some("2"));
    assert_eq!(recommended("1 in-progress low [1 high]; 2 high").as_deref(), Some("2"));
    assert_eq!(recommended("1 done"), None);
}

#[track_caller]
fn check_ready(text: &str, ready: &str, blocking: &str) {
    let tasks = tasks(text);
    let graph = Graph::new(&tasks);
    let ids = |accepts: &dyn Fn(&Task) -> bool| {
        let accepted = tasks.iter().filter(|it| accepts(it));
        accepted.map(|it| it.id().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&|it| graph.is_ready(it)), ready);
    assert_eq!(ids(&|it| graph.is_blocking(it)), blocking);
}

#[test]
fn ready_is_what_is_open_and_waits_for_nothing() {
    check_ready("1 done; 2 <1; 3 <2; 4 <9", "2", "1 2");
    check_ready("1 cancelled; 2 completed; 3 review <1,2; 4 in-progress", "3 4", "1 2");
    check_ready("1 blocked; 2 deferred; 3 todo; 4 done", "", "");
    check_ready("1 pending [1 done]; 2 <1.1; 3 <1.2", "1 2", "");
}

#[test]
fn dependents_come_in_the_order_of_the_list_and_once() {
    let tasks = tasks("3 <1,1; 2 <1; 1");
    let graph = Graph::new(&tasks);
    let dependents: Vec<String> =
        graph.dependents(&tasks[2].id()).iter().map(ToString::to_string).collect();
    assert_eq!(dependents, ["3", "2"]);
}

#[track_caller]
fn check_broken(text: &str, cycles: &str, missing: &str) {
    let graph = Graph::new(&tasks(text));
    let ring = |it: Vec<TaskId>| it.iter().map(ToString::to_string).collect::<Vec<_>>().join(">");
    let found: Vec<String> = graph.cycles().into_iter().map(ring).collect();
    assert_eq!(found.join(" "), cycles);
    let found: Vec<String> =
        graph.missing().iter().map(|it| format!("{}>{}", it.task, it.dependency)).collect();
    assert_eq!(found.join(" "), missing);
}

#[test]
fn circles_and_dangling_references_are_found() {
    check_broken("1; 2 <1; 3 <1,2", "", "");
    check_broken("1 <1", "1", "");
    check_broken("1 <2; 2 <3; 3 <1; 4 <1", "1>2>3", "");
    check_broken("1 <2,3; 2 <1; 3 <1", "1>2 1>3", "");
    check_broken("1 [1 <2; 2 <1; 3 <3]", "1.1>1.2 1.3", "");
    check_broken("1 [1 <2.1]; 2 [1 <1.1]", "1.1>2.1", "");
    check_broken("1 <7,2.1; 2 [1 <2]", "", "1>7 2.1>2.2");
}

#[test]
fn a_chain_of_any_length_is_walked() {
    let text: Vec<String> = (1..20_000).map(|it| format!("{it} <{}", it + 1)).collect();
    let tasks = tasks(&(text.join(";") + "; 20000 <1"));
    let cycles = Graph::new(&tasks).cycles();
    assert_eq!(cycles.len(), 1);
    assert_eq!(cycles[0].len(), 20_000);
}

#[test]
fn the_shortest_chain_between_two_tasks_is_found() {
    let graph = Graph::new(&tasks("1 <2,3; 2 <3; 3 <4; 4 [1 <5]; 5"));
    let path = |from: &str, to: &str| {
        let path = graph.path(&from.parse().unwrap(), &to.parse().unwrap())?;
        Some(path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(path("1", "4").as_deref(), Some("1 3 4"));
    assert_eq!(path("3", "3").as_deref(), Some("3"));
    assert_eq!(path("4", "1"), None);
    assert_eq!(path("9", "1"), None);
}
