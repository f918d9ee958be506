//! Tools, schemas and options that a request names: what is followed, left out and refused.

use serde_json::{Value, json};

use super::{AnswerForm, Read, anthropic, ollama, read, responses};

fn names(form: &AnswerForm) -> Vec<&str> {
    match form {
        AnswerForm::Tools { tools, .. } => tools.iter().map(|it| it.name.as_str()).collect(),
        AnswerForm::Text | AnswerForm::Json(_) => Vec::new(),
    }
}

fn with(more: &Value) -> Value {
    let says = json!([{"role": "user", "content": "Hi"}]);
    let mut body = json!({"model": "m", "messages": says, "max_tokens": 9, "input": "Hi"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn tools_that_the_service_itself_runs_are_left_out_and_the_clients_own_stay() {
    let of_openai = [
        json!({"type": "web_search"}),
        json!({"type": "local_shell"}),
        json!({"type": "file_search", "vector_store_ids": ["v"]}),
        json!({"type": "mcp", "server_label": "s", "server_url": "u"}),
    ];
    let own = [
        json!({"type": "function", "name": "add", "parameters": {"type": "object"}}),
        json!({"type": "custom", "name": "apply_patch", "description": "d"}),
    ];
    let of_anthropic = [
        json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 5}),
        json!({"type": "code_execution_20250825", "name": "code_execution"}),
        json!({"type": "mcp_toolset", "mcp_server_name": "s"}),
    ];
    let run_by_client = [
        json!({"name": "add", "input_schema": {"type": "object"}}),
        json!({"type": "bash_20250124", "name": "bash"}),
        json!({"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}),
    ];
    let both = [&of_openai[..], &own[..]].concat();
    let request = read(responses::read, &with(&json!({"tools": both, "tool_choice": "auto"})));
    assert_eq!(names(&request.form), ["add", "apply_patch"]);
    let both = [&of_anthropic[..], &run_by_client[..]].concat();
    let request = read(anthropic::read, &with(&json!({ "tools": both })));
    assert_eq!(names(&request.form), ["add", "bash", "str_replace_based_edit_tool"]);
    let request = read(responses::read, &with(&json!({ "tools": of_openai })));
    assert_eq!(request.form, AnswerForm::Text);
    let request = read(anthropic::read, &with(&json!({ "tools": of_anthropic })));
    assert_eq!(request.form, AnswerForm::Text);
}

#[test]
fn anthropics_clients_get_their_schema_held_wherever_they_put_it() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let format = json!({"type": "json_schema", "schema": schema});
    for more in [json!({"output_config": {"format": format}}), json!({ "output_format": format })] {
        assert_eq!(read(anthropic::read, &with(&more)).form, AnswerForm::Json(schema.clone()));
    }
    for more in [json!({"output_config": {"effort": "low"}}), json!({"output_format": null})] {
        assert_eq!(read(anthropic::read, &with(&more)).form, AnswerForm::Text);
    }
}

#[test]
fn what_generate_cannot_do_is_refused_and_not_left_out() {
    let body = |more: &Value| with(more).to_string().into_bytes();
    for (more, word) in [
        (json!({"prompt": "Hi", "images": ["aGk="]}), "images"),
        (json!({"prompt": "Hi", "suffix": "}"}), "`suffix`"),
        (json!({"prompt": "Hi", "raw": true}), "`raw`"),
        (json!({"prompt": "Hi", "template": "{{ .Prompt }}"}), "`template`"),
    ] {
        let error = ollama::read_generate(&body(&more)).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains(word), "{error}");
    }
    // What clients send who want nothing of it.
    let usual = json!({
        "prompt": "Hi", "images": [], "suffix": "", "raw": false, "template": "", "system": ""
    });
    assert!(ollama::read_generate(&body(&usual)).unwrap().request.is_some());
}

#[test]
fn a_choice_of_a_tool_that_is_not_here_and_a_tool_without_a_name_are_refused() {
    let refused: [(Read, Value, &str); 4] = [
        (
            responses::read,
            json!({"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}),
            "`web_search`",
        ),
        (
            anthropic::read,
            json!({
                "tools": [{"type": "web_search_20250305", "name": "web_search"}],
                "tool_choice": {"type": "tool", "name": "web_search"}
            }),
            "`web_search`",
        ),
        (responses::read, json!({"tools": [{"type": "function"}]}), "`name`"),
        (anthropic::read, json!({"tools": [{"input_schema": {}}]}), "`name`"),
    ];
    for (read, more, word) in refused {
        let error = read(with(&more).to_string().as_bytes()).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains(word), "{more}: {error}");
    }
}
