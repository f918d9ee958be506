use serde_json::Value;

use super::{Edit, McpError, add, entry, remove};
use crate::rules::profile::{PROFILES, find};

fn file(profile: &str) -> &'static crate::rules::profile::McpFile {
    find(profile).unwrap().mcp.as_ref().unwrap()
}

fn written(edit: Edit) -> String {
    match edit {
        Edit::Write(text) => text,
        Edit::Keep | Edit::Delete => panic!("{edit:?}"),
    }
}

#[test]
fn a_server_comes_and_goes_in_every_shape() {
    for profile in PROFILES {
        let Some(file) = &profile.mcp else { continue };
        let text = written(add(file, None).unwrap());
        assert!(text.starts_with("{\n\t\"") && text.ends_with("}\n"), "{text}");
        let document: Value = serde_json::from_str(&text).unwrap();
        let server = &document[file.servers]["task-master-ai"];
        assert!(server["command"].to_string().contains("task-master"), "{server}");
        assert_eq!(add(file, Some(&text)).unwrap(), Edit::Keep);
        assert_eq!(remove(file, &text).unwrap(), Edit::Delete);
    }
}

#[test]
fn what_is_there_stays_in_its_order_and_layout() {
    let before = "{\n    \"z\": 1,\n    \"mcpServers\": {\n        \"other\": {\n            \"command\": \"x\"\n        }\n    },\n    \"a\": [\n        1\n    ]\n}\n";
    let with = written(add(file("cursor"), Some(before)).unwrap());
    assert!(with.contains("\n        \"task-master-ai\": {\n"), "{with}");
    assert_eq!(written(remove(file("cursor"), &with).unwrap()), before);
    assert_eq!(remove(file("cursor"), before).unwrap(), Edit::Keep);
}

#[test]
fn an_entry_of_the_users_own_is_left_alone() {
    for server in [
        r#"{"taskmaster":{"command":"npx","args":["-y","task-master-ai"]}}"#,
        r#"{"my-task-master":{"command":"x"}}"#,
    ] {
        let text = format!(r#"{{"mcpServers":{server}}}"#);
        assert_eq!(add(file("cursor"), Some(&text)).unwrap(), Edit::Keep);
        assert_eq!(remove(file("cursor"), &text).unwrap(), Edit::Keep);
    }
}

#[test]
fn what_is_not_plain_json_is_not_touched() {
    for text in ["{ // mine\n}", "{", "[]"] {
        assert!(matches!(add(file("zed"), Some(text)), Err(McpError::NotJson(_))), "{text}");
        assert!(matches!(remove(file("zed"), text), Err(McpError::NotJson(_))), "{text}");
    }
    let text = r#"{"context_servers":[]}"#;
    assert!(matches!(add(file("zed"), Some(text)), Err(McpError::NotAnObject(_))));
    assert!(entry(file("zed")).contains("\"source\":\"custom\""));
}
