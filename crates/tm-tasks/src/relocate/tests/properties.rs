//! Whatever is moved or removed: no id is there twice, no dependency names what is gone, and
//! other tags stay as they are.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::remove::{Whose, clear_subtasks, remove_subtasks, remove_tasks};

/// A sound plan of up to six tasks with up to three subtasks each, with numbers or texts for ids.
fn plans() -> impl Strategy<Value = TaskFile> {
    let task = (0_u64..4, prop::collection::vec((0_u64..6, 0_u64..4), 0..4));
    (prop::collection::vec(task, 1..6), any::<bool>()).prop_map(|(tasks, are_texts)| {
        let spell = |it: usize| if are_texts { json!(it.to_string()) } else { json!(it) };
        let counts: Vec<u64> = tasks.iter().map(|it| it.0).collect();
        let list = tasks.iter().enumerate().map(|(index, (count, links))| {
            let names = links.iter().filter_map(|&(task, part)| {
                let task = usize::try_from(task).ok()?;
                let parts = *counts.get(task)?;
                let is_other = task != index && part <= parts;
                is_other.then(|| match part {
                    0 => spell(task + 1),
                    part => json!(format!("{}.{part}", task + 1)),
                })
            });
            let subtasks = (1..=*count).map(|it| {
                let before: Vec<u64> = (1..it).collect();
                json!({ "id": it, "dependencies": before, "parentTaskId": spell(index + 1) })
            });
            json!({
                "id": spell(index + 1),
                "dependencies": names.collect::<HashSet<Value>>(),
                "subtasks": subtasks.collect::<Vec<_>>(),
            })
        });
        let list: Vec<Value> = list.collect();
        let text = json!({ "master": { "tasks": list }, "other": { "tasks": list } });
        TaskFile::parse(text.to_string()).unwrap()
    })
}

fn ids() -> impl Strategy<Value = TaskId> {
    (1_u64..9, 0_u64..5).prop_map(|(task, part)| match part {
        0 => TaskId::top(task),
        part => TaskId::top(task).child(part),
    })
}

fn check(file: &TaskFile, before: &TaskFile) {
    assert_eq!(file.tag("other"), before.tag("other"));
    for tag in file.tags() {
        let all = tag.tasks().iter().flat_map(|it| std::iter::once(it).chain(it.subtasks()));
        let names: Vec<TaskId> = all.clone().map(Task::id).collect();
        let known: HashSet<&TaskId> = names.iter().collect();
        assert_eq!(known.len(), names.len(), "an id is there twice: {names:?}");
        for task in all {
            for dependency in task.dependencies() {
                assert!(known.contains(&dependency), "{} names {dependency}", task.id());
                assert_ne!(task.id(), *dependency);
            }
        }
    }
    let text = file.to_text();
    assert_eq!(TaskFile::parse(&text).unwrap().to_text(), text);
}

proptest! {
    #[test]
    fn a_moved_task_leaves_a_sound_plan(before in plans(), from in ids(), to in ids()) {
        let mut file = before.clone();
        let count = |it: &TaskFile| {
            let tasks = it.tag("master").unwrap().tasks().iter();
            tasks.map(|it| 1 + it.subtasks().len()).sum::<usize>()
        };
        if let Ok(moved) = move_task(&mut file, "master", &from, &to) {
            check(&file, &before);
            prop_assert_eq!(count(&file) + moved.lost_subtasks.len(), count(&before));
            prop_assert!(file.tag("master").unwrap().find(&moved.to).is_some());
        } else {
            prop_assert_eq!(file, before);
        }
    }

    #[test]
    fn a_removed_task_leaves_a_sound_plan(
        before in plans(),
        ids in prop::collection::vec(ids(), 1..4),
    ) {
        let mut file = before.clone();
        remove_tasks(&mut file, "master", &ids).unwrap();
        check(&file, &before);
        let mut file = before.clone();
        if remove_subtasks(&mut file, "master", &ids).is_ok() {
            check(&file, &before);
        }
        let mut file = before.clone();
        clear_subtasks(&mut file, "master", &Whose::These(ids)).unwrap();
        check(&file, &before);
    }

    #[test]
    fn a_converted_task_leaves_a_sound_plan(before in plans(), from in ids(), to in ids()) {
        let mut file = before.clone();
        if make_subtask(&mut file, "master", &from, &to).is_ok() {
            check(&file, &before);
        }
        let mut file = before.clone();
        if make_tasks(&mut file, "master", &[from]).is_ok() {
            check(&file, &before);
        }
    }

    #[test]
    fn a_task_moved_to_another_tag_leaves_two_sound_plans(
        before in plans(),
        ids in prop::collection::vec((1_u64..7).prop_map(TaskId::top), 1..4),
        links in prop_oneof![Just(Links::Refuse), Just(Links::Follow), Just(Links::Drop)],
    ) {
        let mut file = before.clone();
        let (from_tag, to_tag) = ("master".to_owned(), "new".to_owned());
        let request = CrossTagMove { ids, from_tag, to_tag, links };
        if move_to_tag(&mut file, &request, now()).is_ok() {
            check(&file, &before);
        } else {
            prop_assert_eq!(file, before);
        }
    }
}
