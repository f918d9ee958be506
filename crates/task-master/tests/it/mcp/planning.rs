//! `parse_prd`.

use serde_json::json;

use super::client::Client;
use crate::project::Project;

#[test]
fn a_document_that_cannot_be_planned_is_an_error() {
    let project = Project::bakery();
    let before = project.tasks();
    let mut client = Client::start(&project);
    let failure = client.failure("parse_prd", json!({ "input": "nowhere.md" }));
    assert!(failure.contains("cannot read"), "{failure}");
    project.write(".taskmaster/docs/prd.txt", "# Bread\n\nThe shop sells bread.\n");
    let failure = client.failure("parse_prd", json!({ "numTasks": "many" }));
    assert!(failure.contains("numTasks is `many`"), "{failure}");
    assert_eq!(project.tasks(), before);
}
