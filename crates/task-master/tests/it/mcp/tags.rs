//! The tools for tags.

use serde_json::json;

use super::client::Client;
use crate::project::Project;

#[test]
fn a_tag_is_made_used_renamed_copied_and_deleted() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let tasks = client.data("get_tasks", json!({}))["tasks"].as_array().unwrap().len();

    let data = client.data("add_tag", json!({ "name": "cakes", "copyFromCurrent": true }));
    assert_eq!((&data["tasksCopied"], &data["sourceTag"]), (&json!(tasks), &json!("master")));

    let envelope = client.envelope("use_tag", json!({ "name": "cakes" }));
    assert_eq!(
        (&envelope["tag"], &envelope["data"]["previousTag"]),
        (&json!("cakes"), &json!("master"))
    );
    assert_eq!(client.envelope("get_tasks", json!({}))["tag"], "cakes");

    let envelope = client.envelope("rename_tag", json!({ "oldName": "cakes", "newName": "pies" }));
    assert_eq!(envelope["tag"], "pies", "the current tag is called so now");
    let data = &envelope["data"];
    assert_eq!((&data["wasCurrentTag"], &data["taskCount"]), (&json!(true), &json!(tasks)));

    let data = client.data("copy_tag", json!({ "sourceName": "pies", "targetName": "tarts" }));
    assert_eq!((&data["copied"], data.get("tasksCopied")), (&json!(true), None));

    let data = client.data("list_tags", json!({}));
    let names: Vec<&str> =
        data["tags"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], "pies");
    assert!(names.contains(&"tarts") && data["currentTag"] == "pies", "{data}");
    assert_eq!(data["tags"][0]["taskCount"], tasks);

    assert_eq!(data["message"], format!("Found {} tag(s)", names.len()));
    let envelope = client.envelope("delete_tag", json!({ "name": "pies" }));
    assert_eq!(envelope["tag"], "master");
    let data = &envelope["data"];
    assert_eq!((&data["tasksDeleted"], &data["switchedToMaster"]), (&json!(tasks), &json!(true)));
    assert_eq!(client.envelope("get_tasks", json!({}))["tag"], "master");
}

/// As clients know it from the original: few tools name the tag that they worked on.
#[test]
fn answers_name_the_current_tag_whichever_was_worked_on() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    client.data("add_tag", json!({ "name": "cakes", "copyFromCurrent": true }));
    let tag = |client: &mut Client, tool: &str, arguments| {
        client.envelope(tool, arguments)["tag"].clone()
    };
    let new = json!({ "title": "Eclair", "description": "d", "tag": "cakes" });
    assert_eq!(tag(&mut client, "add_task", new), "master");
    let part = json!({ "id": "1", "title": "Glaze", "tag": "cakes" });
    assert_eq!(tag(&mut client, "add_subtask", part), "master");
    assert_eq!(tag(&mut client, "get_tasks", json!({ "tag": "cakes" })), "cakes");
    let status = json!({ "id": "1", "status": "done", "tag": "cakes" });
    let envelope = client.envelope("set_task_status", status);
    assert_eq!(envelope["tag"], "cakes");
    assert_eq!(envelope["data"]["message"], "Successfully updated 1 task(s) to \"done\"");
}

#[test]
fn tags_that_cannot_be_changed_are_errors() {
    let project = Project::bakery();
    let before = project.tasks();
    let mut client = Client::start(&project);
    for (tool, arguments, expected) in [
        ("add_tag", json!({ "name": "no way" }), "is no name for a tag"),
        ("add_tag", json!({ "name": "master" }), "reserved"),
        ("add_tag", json!({ "name": "", "fromBranch": true }), "git"),
        ("use_tag", json!({ "name": "nowhere" }), "there is no tag `nowhere`"),
        ("delete_tag", json!({ "name": "master" }), "neither removed nor renamed"),
        ("rename_tag", json!({ "oldName": "nowhere", "newName": "b" }), "there is no tag"),
        ("copy_tag", json!({ "sourceName": "nowhere", "targetName": "b" }), "there is no tag"),
    ] {
        let failure = client.failure(tool, arguments);
        assert!(failure.contains(expected), "{tool}: {failure}");
    }
    assert_eq!(project.tasks(), before);
}
