use super::*;

#[test]
fn no_two_tools_have_the_same_name() {
    let mut names: Vec<&str> = tools::all().map(|it| it.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn every_tool_but_two_requires_the_project() {
    for tool in tools::all() {
        let schema = schema(tool.parameters);
        let required = schema.get("required").map(ToString::to_string).unwrap_or_default();
        let is_optional = ["expand_all", "update"].contains(&tool.name);
        assert_eq!(required.contains("projectRoot"), !is_optional, "{}", tool.name);
    }
}
