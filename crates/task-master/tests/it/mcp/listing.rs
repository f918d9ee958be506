//! Which tools clients are told about, and how much room that takes.

use serde_json::json;

use super::client::Client;
use crate::project::Project;

fn listed(asked: &str) -> (Vec<String>, usize) {
    let project = Project::empty();
    let mut client = Client::with_environment(&project, &[("TASK_MASTER_TOOLS", asked)]);
    let tools = client.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let names = tools.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned());
    (names.collect(), tools.to_string().len())
}

/// What the same tiers take in the original.
const SIZES: [(&str, usize); 3] = [("core", 6_900), ("standard", 14_800), ("all", 39_000)];

#[test]
fn each_tier_takes_less_room_than_the_original() {
    for (tier, most) in SIZES {
        let (names, size) = listed(tier);
        assert!(size < most, "{tier}: {} tools take {size} bytes", names.len());
    }
}

#[test]
fn the_core_is_what_clients_get_who_do_not_ask() {
    let (core, _) = listed("core");
    for asked in ["", " Lean ", "CORE"] {
        assert_eq!(listed(asked).0, core, "{asked}");
    }
}

#[test]
fn tools_can_be_asked_for_by_name() {
    assert_eq!(listed("next-task, get_task,nonsense,next_task").0, ["next_task", "get_task"]);
    assert_eq!(listed("nonsense").0, listed("all").0);
}

#[test]
fn each_tool_says_what_it_takes_and_what_it_does() {
    let project = Project::empty();
    let mut client = Client::start(&project);
    let tools = client.ask("tools/list", &json!({}))["result"]["tools"].clone();
    for tool in tools.as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        let hints = &tool["annotations"];
        assert!(hints["title"].is_string(), "{tool}");
        let says = |hint: &str| hints[hint].is_boolean();
        assert!(says("readOnlyHint") != says("destructiveHint"), "{tool}");
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        let required = tool["inputSchema"]["required"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(required.iter().all(|it| properties.contains_key(it.as_str().unwrap())), "{tool}");
    }
}

#[test]
fn a_tier_that_names_no_tool_is_told() {
    let project = Project::empty();
    let mut client = Client::with_environment(&project, &[("TASK_MASTER_TOOLS", "core,bake")]);
    while !client.told.iter().any(|it| it.to_string().contains("bake")) {
        client.next().unwrap();
    }
    assert_eq!(client.told[0]["method"], "notifications/message");
}
