//! Tools, schemas and options that a request names: what is followed, left out and refused.

use serde_json::{Value, json};

use super::{
    AnswerForm, FinishReason, Read, ToolCall, ToolChoice, Writer, answer, anthropic, identity,
    ollama, openai, read, responding, responses, stream,
};
use crate::{
    chat::{Part, Thinking},
    dialect::serve::tools::Reading,
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
    let request = read(responding, &with(&json!({"tools": both, "tool_choice": "auto"})));
    assert_eq!(names(&request.form), ["add", "apply_patch"]);
    let both = [&of_anthropic[..], &run_by_client[..]].concat();
    let request = read(anthropic::read, &with(&json!({ "tools": both })));
    assert_eq!(names(&request.form), ["add", "bash", "str_replace_based_edit_tool"]);
    let request = read(responding, &with(&json!({ "tools": of_openai })));
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
            responding,
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
        (responding, json!({"tools": [{"type": "function"}]}), "`name`"),
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
    let cases: [(Read, Value, Value); 14] = [
        (chat, json!({"logprobs": true}), json!({"logprobs": false})),
        (chat, json!({"top_logprobs": 3}), json!({"top_logprobs": 0})),
        (chat, json!({"logit_bias": {"50256": -100}}), json!({"logit_bias": {}})),
        (chat, json!({"n": 2}), json!({"n": 1})),
        (completion, json!({"logprobs": 1}), json!({"logprobs": null})),
        (completion, json!({"suffix": "}"}), json!({"suffix": ""})),
        (completion, json!({"echo": true}), json!({"echo": false})),
        (completion, json!({"best_of": 2}), json!({"best_of": 1})),
        (chat, json!({"functions": [{"name": "f"}]}), json!({"functions": []})),
        (chat, json!({"modalities": ["text", "audio"]}), json!({"modalities": ["text"]})),
        (chat, json!({"tool_choice": "required"}), json!({"tool_choice": "auto"})),
        (responding, json!({"conversation": "c"}), json!({"conversation": null})),
        (responding, json!({"top_logprobs": 2}), json!({"top_logprobs": 0})),
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
        let request = read(responding, &item(it));
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
    for (read_body, choice) in [(chat, nested), (responding as Read, flat)] {
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
    for (read_body, tool) in [(responding as Read, of_responses), (chat, of_chat)] {
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

#[test]
fn what_a_tool_has_seen_is_seen_by_the_model_in_every_protocol() {
    let url = "data:image/png;base64,iVBORw0KGgo=";
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let call = json!({"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let in_chat = json!({"messages": [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t", "content": [
            {"type": "text", "text": "Seen."}, {"type": "image_url", "image_url": {"url": url}}
        ]}
    ]});
    let in_responses = json!({"input": [
        {"type": "function_call", "call_id": "t", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "t", "output": [
            {"type": "input_text", "text": "Seen."}, {"type": "input_image", "image_url": url}
        ]}
    ]});
    let in_messages = json!({"messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
            {"type": "text", "text": "Seen."}, {"type": "image", "source": source}
        ]}]}
    ]});
    let cases: [(Read, Value); 3] =
        [(chat, in_chat), (responding, in_responses), (anthropic::read, in_messages)];
    for (read_body, turns) in cases {
        let request = read(read_body, &with(&turns));
        let last = request.messages.last().unwrap();
        let result = Part::Result { id: "t".into(), name: "f".into(), text: "Seen.".into() };
        assert_eq!(last.parts.first(), Some(&result), "{turns}");
        assert_eq!(last.images().count(), 1, "{turns}");
    }
}

#[test]
fn the_words_of_a_document_are_read_and_one_without_words_is_refused() {
    let asks = |source: Value| {
        let document = json!({"type": "document", "title": "Bread", "source": source});
        with(&json!({"messages": [{"role": "user", "content": [document]}]})).to_string()
    };
    let text = json!({"type": "text", "media_type": "text/plain", "data": "Knead it."});
    let blocks = json!({"type": "content", "content": [{"type": "text", "text": "Knead it."}]});
    for source in [text, blocks] {
        let request = anthropic::read(asks(source).as_bytes()).unwrap();
        assert_eq!(request.messages[0].content, "Bread\nKnead it.");
    }
    let pdf = json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="});
    let error = anthropic::read(asks(pdf).as_bytes()).unwrap_err();
    assert!(error.status() == 400 && error.to_string().contains("as text alone"), "{error}");
}

#[test]
fn one_call_an_answer_is_one_whatever_the_model_wants() {
    let function = json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    let ours = json!({"type": "function", "name": "f", "parameters": {}});
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let cases: [(Read, Value); 3] = [
        (chat, json!({"tools": [function], "parallel_tool_calls": false})),
        (responding, json!({"tools": [ours], "parallel_tool_calls": false})),
        (
            anthropic::read,
            json!({
                "tools": [{"name": "f", "input_schema": {}}],
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}
            }),
        ),
    ];
    for (read_body, more) in cases {
        let mut reading = Reading::new(&read(read_body, &with(&more)).form);
        reading.push(r#"{"tool":"f","arguments":{}}"#.repeat(2));
        let (_, calls) = reading.end(FinishReason::Stop).unwrap();
        assert_eq!(calls.len(), 1, "{more}");
    }
}

#[test]
fn how_much_a_model_is_to_think_is_read_from_every_word_for_it() {
    let ollama: Read = |bytes| ollama::read_chat(bytes).map(|it| it.request.unwrap());
    let chat: Read = |bytes| openai::read_chat(bytes).map(|it| it.0);
    let cases: [(Read, Value, Thinking); 8] = [
        (ollama, json!({"think": "low"}), Thinking::Low),
        (ollama, json!({"think": "max"}), Thinking::Max),
        (ollama, json!({"think": true}), Thinking::On),
        (ollama, json!({"think": false}), Thinking::Off),
        (chat, json!({"reasoning_effort": "minimal"}), Thinking::Low),
        (chat, json!({"reasoning_effort": "none"}), Thinking::Off),
        (responding, json!({"reasoning": {"effort": "high"}}), Thinking::High),
        (anthropic::read, json!({"thinking": {"type": "enabled"}}), Thinking::On),
    ];
    for (read_body, more, expected) in cases {
        assert_eq!(read(read_body, &with(&more)).sampling.thinking, expected, "{more}");
    }
    let error = ollama(with(&json!({"think": "zork"})).to_string().as_bytes()).unwrap_err();
    assert!(error.status() == 400 && error.to_string().contains("zork"), "{error}");
}

#[test]
fn a_response_repeats_what_was_asked_and_says_of_each_item_that_it_was_cut() {
    let asked = with(&json!({
        "instructions": "Be brief.", "metadata": {"ticket": "X-1"}, "temperature": 0.3,
        "max_output_tokens": 9, "reasoning": {"effort": "low"}
    }));
    let (_, echo) = responses::read(asked.to_string().as_bytes()).unwrap();
    let mut writer = responses::ResponseWriter::new(identity()).echoing(echo);
    let mut answer = answer("Hel", Vec::new());
    answer.finish = FinishReason::Length;
    let whole: Value = serde_json::from_str(&writer.whole(&answer)).unwrap();
    for name in ["instructions", "metadata", "temperature", "max_output_tokens", "reasoning"] {
        assert_eq!(whole[name], asked[name], "{whole}");
    }
    assert_eq!(
        (&whole["status"], &whole["output"][0]["status"]),
        (&json!("incomplete"), &json!("incomplete"))
    );
    let frames = stream(&mut writer, &["Hel"], &answer);
    let done = frames.iter().find(|it| it["type"] == "response.output_item.done").unwrap();
    assert_eq!(done["item"]["status"], "incomplete");
    assert_eq!(frames[0]["response"]["metadata"], asked["metadata"]);
}

#[test]
fn the_stream_of_a_completion_ends_with_a_frame_for_the_usage_alone() {
    let mut writer = openai::CompletionWriter::new(identity(), true);
    let frames = stream(&mut writer, &["Hello"], &answer("Hello", Vec::new()));
    let [.., last, usage, _] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(14)));
}

#[test]
fn anthropics_clients_are_told_at_the_end_what_was_read_and_what_was_known() {
    let mut answer = answer("Hello", Vec::new());
    (answer.usage.prompt_tokens, answer.usage.cached_tokens) = (16, 5);
    let expected = json!({
        "input_tokens": 11, "output_tokens": answer.usage.completion_tokens,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5
    });
    let mut writer = anthropic::MessageWriter::new(identity(), 21);
    let whole: Value = serde_json::from_str(&writer.whole(&answer)).unwrap();
    assert_eq!(whole["usage"], expected);
    let frames = stream(&mut writer, &["Hello"], &answer);
    assert_eq!(frames[0]["message"]["usage"]["input_tokens"], 21);
    assert_eq!(frames[frames.len() - 2]["usage"], expected);
}
