//! Tools, schemas and options that a request names: what is followed, left out and refused.

use serde_json::{Value, json};

use super::{
    AnswerForm, Read, ToolCall, ToolChoice, Writer, answer, anthropic, identity, ollama, openai,
    read, responses, stream,
};

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

#[test]
fn what_would_change_the_answer_and_cannot_be_done_is_refused() {
    let completion: Read = |bytes| openai::read_completion(bytes).map(|it| it.0);
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let ollama: Read = |bytes| ollama::read_chat(bytes).map(|it| it.request.unwrap());
    let cases: [(Read, Value, Value); 10] = [
        (chat, json!({"logprobs": true}), json!({"logprobs": false})),
        (chat, json!({"top_logprobs": 3}), json!({"top_logprobs": 0})),
        (chat, json!({"logit_bias": {"50256": -100}}), json!({"logit_bias": {}})),
        (chat, json!({"n": 2}), json!({"n": 1})),
        (completion, json!({"logprobs": 1}), json!({"logprobs": null})),
        (completion, json!({"suffix": "}"}), json!({"suffix": ""})),
        (completion, json!({"echo": true}), json!({"echo": false})),
        (completion, json!({"best_of": 2}), json!({"best_of": 1})),
        (responses::read, json!({"top_logprobs": 2}), json!({"top_logprobs": 0})),
        (ollama, json!({"logprobs": true}), json!({"logprobs": false})),
    ];
    for (read_body, refused, fine) in cases {
        let body = |more: &Value| {
            let mut body = with(more);
            body["prompt"] = json!("Hi");
            body
        };
        let error = read_body(body(&refused).to_string().as_bytes()).unwrap_err();
        let name = refused.as_object().unwrap().keys().next().unwrap();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        read(read_body, &body(&fine));
    }
}

#[test]
fn what_clients_say_of_tokens_is_followed() {
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let ollama: Read = |bytes| ollama::read_chat(bytes).map(|it| it.request.unwrap());
    let fine = json!({
        "top_k": 7, "min_p": 0.25, "repeat_penalty": 1.5, "frequency_penalty": 0.5,
        "presence_penalty": -0.5
    });
    for (read_body, body) in [(chat, with(&fine)), (ollama, with(&json!({ "options": fine })))] {
        let sampling = read(read_body, &body).sampling;
        let penalties = [sampling.frequency_penalty, sampling.presence_penalty];
        let others = [sampling.min_p, sampling.repeat_penalty];
        assert_eq!((sampling.top_k, penalties, others), (7, [0.5, -0.5], [0.25, 1.5]));
    }
    assert_eq!(read(anthropic::read, &with(&json!({"top_k": 7}))).sampling.top_k, 7);
    // As its clients say that there is no limit.
    assert_eq!(read(ollama, &with(&json!({"options": {"top_k": -1}}))).sampling.top_k, 0);
}

#[test]
fn what_agents_have_in_their_history_is_read() {
    let item = |it: Value| json!({"model": "m", "input": [{"role": "user", "content": "Hi"}, it]});
    for (it, expected) in [
        (
            json!({"type": "custom_tool_call", "call_id": "1", "name": "patch", "input": "*** a"}),
            r#"{"tool":"patch","arguments":{"input":"*** a"}}"#,
        ),
        (
            json!({"type": "custom_tool_call_output", "call_id": "1", "output": "done"}),
            "Hi\n\nResult:\ndone",
        ),
        (
            json!({"type": "web_search_call", "id": "w", "action": {"type": "search", "query": "q"}}),
            r#"{"tool":"web_search","arguments":{"type":"search","query":"q"}}"#,
        ),
        (
            json!({"type": "local_shell_call", "call_id": "1", "action": {"command": ["ls"]}}),
            r#"{"tool":"local_shell","arguments":{"command":["ls"]}}"#,
        ),
        (
            json!({"type": "local_shell_call_output", "id": "1", "output": "a.rs"}),
            "Hi\n\nResult:\na.rs",
        ),
        (
            json!({"type": "file_search_call", "queries": ["q"]}),
            r#"{"tool":"file_search","arguments":["q"]}"#,
        ),
    ] {
        let request = read(responses::read, &item(it));
        assert_eq!(request.messages.last().unwrap().content, expected);
    }
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let call = json!({"id": "1", "type": "custom", "custom": {"name": "patch", "input": "*** a"}});
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}
    ], "tools": [{"type": "custom", "custom": {"name": "patch", "description": "d"}}]});
    let request = read(chat, &body);
    let said = &request.messages.last().unwrap().content;
    assert_eq!(said, r#"{"tool":"patch","arguments":{"input":"*** a"}}"#);
    assert_eq!(names(&request.form), ["patch"]);
}

#[test]
fn a_choice_among_some_tools_leaves_those() {
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let function =
        |name: &str| json!({"type": "function", "name": name, "function": {"name": name}});
    let tools = json!([function("a"), function("b"), function("c")]);
    let among = json!({"mode": "required", "tools": [function("c"), function("a")]});
    let nested = json!({"type": "allowed_tools", "allowed_tools": among});
    let mut flat = among.clone();
    flat["type"] = json!("allowed_tools");
    for (read_body, choice) in [(chat, nested), (responses::read as Read, flat)] {
        let request = read(read_body, &with(&json!({"tools": tools, "tool_choice": choice})));
        assert_eq!(names(&request.form), ["a", "c"]);
        let is_required = matches!(&request.form, AnswerForm::Tools { choice, .. } if *choice == ToolChoice::Required);
        assert!(is_required, "{:?}", request.form);
    }
}

#[test]
fn the_grammar_of_a_tool_that_takes_a_text_is_told_to_the_model() {
    let grammar = "start: \"*** Begin Patch\"";
    let format = json!({"type": "grammar", "syntax": "lark", "definition": grammar});
    let of_responses = json!({"type": "custom", "name": "patch", "format": format});
    let format = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": grammar}});
    let of_chat = json!({"type": "custom", "custom": {"name": "patch", "format": format}});
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    for (read_body, tool) in [(responses::read as Read, of_responses), (chat, of_chat)] {
        let AnswerForm::Tools { tools, .. } =
            read(read_body, &with(&json!({"tools": [tool]}))).form
        else {
            panic!("no tools")
        };
        assert!(tools[0].description.contains(grammar), "{}", tools[0].description);
    }
}

#[test]
fn a_tool_that_takes_a_text_is_called_with_it_and_others_with_arguments() {
    let patch = "*** Begin Patch\n\"a\"";
    let arguments = json!({ "input": patch }).to_string();
    let call = |name: &str| ToolCall { name: name.to_owned(), arguments: arguments.clone() };
    let answer = answer("", vec![call("patch"), call("add")]);
    let custom = || vec!["patch".to_owned()];

    let mut writer = openai::ChatWriter::new(identity(), false).with_custom_tools(custom());
    let calls = [
        json!({"id": "call_7", "type": "custom", "custom": {"name": "patch", "input": patch}}),
        json!({"id": "call_7_1", "type": "function", "function": {"name": "add", "arguments": arguments}}),
    ];
    let whole: Value = serde_json::from_str(&writer.whole(&answer)).unwrap();
    assert_eq!(whole["choices"][0]["message"]["tool_calls"], json!(calls));
    let frames = stream(&mut writer, &[], &answer);
    let deltas: Vec<&Value> =
        frames.iter().filter_map(|it| it.pointer("/choices/0/delta/tool_calls/0")).collect();
    assert_eq!(deltas[0]["custom"], json!({"name": "patch", "input": ""}));
    assert_eq!(deltas[1]["custom"], json!({"input": patch}));
    assert_eq!(deltas[3]["function"], json!({"arguments": arguments}));

    let mut writer = responses::ResponseWriter::new(identity()).with_custom_tools(custom());
    let frames = stream(&mut writer, &[], &answer);
    let told = |kind: &str, member: &str| {
        frames.iter().find(|it| it["type"] == kind).map(|it| it[member].clone())
    };
    assert_eq!(told("response.custom_tool_call_input.delta", "delta"), Some(json!(patch)));
    assert_eq!(told("response.custom_tool_call_input.done", "input"), Some(json!(patch)));
    let begun = told("response.output_item.added", "item").unwrap();
    assert_eq!((&begun["type"], &begun["input"]), (&json!("custom_tool_call"), &json!("")));
    let items = &frames.last().unwrap()["response"]["output"];
    assert_eq!(
        items[0],
        json!({
            "id": "ctc_7", "type": "custom_tool_call", "status": "completed", "call_id": "call_7",
            "name": "patch", "input": patch
        })
    );
    assert_eq!(
        (&items[1]["type"], &items[1]["arguments"]),
        (&json!("function_call"), &json!(arguments))
    );
}

/// A server with tools of its own may call one in another form than it was told.
#[test]
fn a_text_that_is_not_where_it_should_be_is_not_lost() {
    let call = ToolCall { name: "patch".to_owned(), arguments: r#"{"patch":"x"}"#.to_owned() };
    let writer = responses::ResponseWriter::new(identity());
    let mut writer = writer.with_custom_tools(vec!["patch".to_owned()]);
    let whole: Value = serde_json::from_str(&writer.whole(&answer("", vec![call]))).unwrap();
    assert_eq!(whole["output"][0]["input"], r#"{"patch":"x"}"#);
}
