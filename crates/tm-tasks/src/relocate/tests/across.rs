//! Moving to another tag.

use super::*;

/// Tasks 1, 2 and 3, each after the one before; 4 and its part wait for 2 and 3.
fn chain() -> TaskFile {
    let text = json!({
        "master": { "tasks": [
            { "id": 1, "dependencies": [] },
            { "id": 2, "dependencies": [1] },
            { "id": 3, "dependencies": ["2"], "metadata": { "mine": 1 } },
            { "id": 4, "dependencies": [2], "subtasks": [{ "id": 1, "dependencies": ["3"] }] },
        ] },
        "later": { "tasks": [{ "id": 4 }] },
        "word": 1,
    });
    TaskFile::parse(text.to_string()).unwrap()
}

fn request(ids: &str, to: &str, links: Links) -> CrossTagMove {
    CrossTagMove {
        ids: TaskId::parse_list(ids).unwrap(),
        from_tag: "master".to_owned(),
        to_tag: to.to_owned(),
        links,
    }
}

fn written(file: &TaskFile) -> Value {
    serde_json::from_str(&file.to_text()).unwrap()
}

#[test]
fn a_task_keeps_its_id_and_notes_where_it_was() {
    let mut file = chain();
    let moved = move_to_tag(&mut file, &request("1", "later", Links::Refuse), now()).unwrap();
    assert!(!moved.is_new_tag);
    assert_eq!(moved.left_behind, [LostLink { task: id("2"), dependency: id("1") }]);
    let file = written(&file);
    assert_eq!(file["master"]["tasks"][0], json!({ "id": 2, "dependencies": [] }));
    assert_eq!(
        file["later"]["tasks"],
        json!([{ "id": 4 }, {
            "id": 1,
            "dependencies": [],
            "tag": "later",
            "metadata": { "moveHistory": [{
                "fromTag": "master",
                "toTag": "later",
                "timestamp": "2030-01-01T12:00:00.000Z",
            }] },
        }])
    );
}

#[test]
fn what_it_depends_on_can_be_moved_along() {
    let mut file = chain();
    let moved = move_to_tag(&mut file, &request("3", "later", Links::Follow), now()).unwrap();
    assert_eq!(moved.moved.iter().map(Task::id).collect::<Vec<_>>(), [id("3"), id("2"), id("1")]);
    let file = written(&file);
    assert_eq!(file["later"]["tasks"][1]["dependencies"], json!(["2"]));
    assert_eq!(file["later"]["tasks"][1]["metadata"]["mine"], 1);
    assert_eq!(
        file["master"]["tasks"],
        json!([{ "id": 4, "dependencies": [], "subtasks": [{ "id": 1, "dependencies": [] }] }])
    );
}

#[test]
fn each_task_is_followed_by_what_it_depends_on() {
    let text = json!({ "master": { "tasks": [
        { "id": 1 }, { "id": 2, "dependencies": [1] }, { "id": 4 },
        { "id": 6, "dependencies": [2, 4, 1] },
    ] } });
    let mut file = TaskFile::parse(text.to_string()).unwrap();
    let moved = move_to_tag(&mut file, &request("6", "later", Links::Follow), now()).unwrap();
    let ids: Vec<TaskId> = moved.moved.iter().map(Task::id).collect();
    assert_eq!(ids, ["6", "2", "1", "4"].map(id));
}

#[test]
fn what_it_depends_on_can_be_given_up() {
    let mut file = chain();
    let moved = move_to_tag(&mut file, &request("2,3", "fresh", Links::Drop), now()).unwrap();
    assert!(moved.is_new_tag);
    assert_eq!(moved.given_up, [LostLink { task: id("2"), dependency: id("1") }]);
    let file = written(&file);
    assert_eq!(file["fresh"]["tasks"][0]["dependencies"], json!([]));
    assert_eq!(file["fresh"]["tasks"][1]["dependencies"], json!(["2"]));
}

#[test]
fn a_move_there_and_back_notes_both() {
    let mut file = chain();
    move_to_tag(&mut file, &request("1", "later", Links::Refuse), now()).unwrap();
    let back =
        CrossTagMove { from_tag: "later".to_owned(), ..request("1", "master", Links::Refuse) };
    move_to_tag(&mut file, &back, now()).unwrap();
    let file = written(&file);
    let task = &file["master"]["tasks"][3];
    assert_eq!(task["tag"], "master");
    assert_eq!(task["metadata"]["moveHistory"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_moved_changes_nothing() {
    #[track_caller]
    fn check(request: &CrossTagMove, code: &str) {
        let mut file = chain();
        let error = move_to_tag(&mut file, request, now()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(file, chain());
    }
    check(&request("2", "later", Links::Refuse), "CROSS_TAG_DEPENDENCY_CONFLICTS");
    check(&request("4", "later", Links::Drop), "TASK_ALREADY_EXISTS");
    check(&request("4.1", "later", Links::Drop), "CANNOT_MOVE_SUBTASK");
    check(&request("77", "later", Links::Drop), "TASK_NOT_FOUND");
    check(&request("1", "master", Links::Drop), "SOURCE_TARGET_TAGS_SAME");
    check(&request("1", "word", Links::Drop), "INVALID_TARGET_TAG");
    let nowhere =
        CrossTagMove { from_tag: "no".to_owned(), ..request("1", "later", Links::Refuse) };
    check(&nowhere, "INVALID_SOURCE_TAG");
    assert_eq!(Links::from_options(true, true).unwrap_err().code(), "CONTRADICTORY_OPTIONS");
}
